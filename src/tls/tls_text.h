/* Words for TLS errors: what happened, the likely cause, the cure. Host programs only. */
#ifndef SL_TLS_TLS_TEXT_H
#define SL_TLS_TLS_TEXT_H

#include <stdint.h>

struct sl_tls_text {
    uint16_t error;   /* as sl_tls_error gives it */
    const char *what; /* "the broker's certificate is for another name" */
    const char *cure; /* "run 'sluice broker run' with ..., or ..." */
};

/* Never NULL; an unknown error gets a general text. */
const struct sl_tls_text *sl_tls_text(uint16_t error);

#endif
