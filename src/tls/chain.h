/* The server's certificates on their way to BearSSL's checks; notes how long all of them are valid,
 * which BearSSL checks but does not tell.
 *
 * Only the date is read here, and only of what BearSSL has accepted does it count.
 * Source: RFC 5280, sections 4.1 and 4.1.2.5; X.690, section 8.1. */
#ifndef SL_TLS_CHAIN_H
#define SL_TLS_CHAIN_H

#include "base/bytes.h"
#include <bearssl.h>

#define SL_CHAIN_TIME_LEN 15 /* YYYYMMDDHHMMSSZ */

struct sl_chain {
    const br_x509_class *vtable; /* first: BearSSL hands its address back */
    br_x509_minimal_context checks;
    uint64_t not_after_s; /* the earliest end of those seen; 0 if one could not be read */
    uint32_t skip;        /* bytes of the present element that do not matter */
    uint32_t len;         /* of the present element */
    bool is_started;      /* the server has begun to show certificates */
    uint8_t step, part, tag, len_left, time_len;
    uint8_t time[SL_CHAIN_TIME_LEN];
};

/* To be called after checks is set up. */
void sl_chain_init(struct sl_chain *chain);

#endif
