/* Random bytes for jitter, nonces and packet ids: BearSSL's HMAC-DRBG (NIST SP 800-90A) over the
 * entropy that the port gives. */
#ifndef SL_TLS_RANDOM_H
#define SL_TLS_RANDOM_H

#include <bearssl.h>
#include <stdint.h>

struct sl_random {
    br_hmac_drbg_context drbg;
};

void sl_random_init(struct sl_random *random, const uint8_t *seed, size_t len);
void sl_random_read(struct sl_random *random, void *out, size_t len);
/* Uniform in 0..limit-1, limit > 0, without modulo bias. */
uint32_t sl_random_below(struct sl_random *random, uint32_t limit);

#endif
