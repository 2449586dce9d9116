/* Verifies the signatures in certificates, each one once.
 *
 * Whether a signature of a message by a key is good never changes. So the digest of (key, hash of
 * the message, signature) is remembered after BearSSL has found it good, and the same three get the
 * same answer without the arithmetic. Names, dates, key usage and the chain's structure are
 * BearSSL's to check, every time; a digest that was made with a trust anchor's key is asked for
 * only while that anchor is trusted. The server's signature in the handshake itself is new every
 * time and is not verified here.
 */
#ifndef SL_TLS_VERIFIER_H
#define SL_TLS_VERIFIER_H

#include "base/bytes.h"
#include <bearssl.h>

#define SL_TLS_KNOWN_MAX   2 /* signatures: of the server's certificate and of one above it */
#define SL_TLS_KNOWN_BYTES 32

/* What is remembered; plain bytes, not secret, but whoever can write them is trusted. */
struct sl_tls_known {
    uint8_t digests[SL_TLS_KNOWN_MAX][SL_TLS_KNOWN_BYTES];
    uint8_t len;
};

struct sl_verifier {
    br_ec_impl curves; /* first: BearSSL hands its address back. The profile's two */
    struct sl_tls_known known;
    uint8_t met;      /* of known, in this handshake: bit i */
    uint8_t verified; /* signatures that took the arithmetic, in this handshake */
};

void sl_verifier_init(struct sl_verifier *verifier);
/* A new handshake. */
void sl_verifier_begin(struct sl_verifier *verifier);
/* As br_ecdsa_vrfy; curves: of a verifier. */
uint32_t sl_verifier_verify(const br_ec_impl *curves, const void *hash, size_t hash_len,
                            const br_ec_public_key *key, const void *signature,
                            size_t signature_len);
/* The handshake has succeeded: forget what was not met in it. */
void sl_verifier_keep(struct sl_verifier *verifier);

#endif
