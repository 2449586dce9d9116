/* A node's own P-256 key and the request for a certificate that goes with it (PKCS#10).
 *
 * The key never leaves the device: what is sent is the request, signed with the key, for the
 * site's CA to judge. Source: RFC 2986, section 4; RFC 5480, section 2; RFC 5758, section 3.2.
 */
#ifndef SL_TLS_REQUEST_H
#define SL_TLS_REQUEST_H

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "tls/random.h"

#define SL_REQUEST_KEY_LEN         32  /* P-256 scalar, big-endian */
#define SL_REQUEST_POINT_LEN       65  /* uncompressed P-256 point, first byte 4 */
#define SL_REQUEST_FINGERPRINT_LEN 32  /* SHA-256 */
#define SL_REQUEST_MAX             225 /* bytes of a request for the longest name */

/* A new private key; uniform, never 0. Gives: the point that belongs to it, too. */
void sl_request_make_key(struct sl_random *random, uint8_t key[SL_REQUEST_KEY_LEN],
                         uint8_t point[SL_REQUEST_POINT_LEN]);

/* The public point of a private key. False: no key (0, or not below the curve's order); point is
 * all zeros then. */
SL_MUST_CHECK bool sl_request_point(const uint8_t key[SL_REQUEST_KEY_LEN],
                                    uint8_t point[SL_REQUEST_POINT_LEN]);

/* A request in DER: subject CN=name (UTF8String), the key's point, no attributes, signed by ECDSA
 * with SHA-256. The same name and key always give the same bytes (RFC 6979).
 * Requires: name 1..SL_NAME_MAX bytes of ASCII.
 * Gives:    *len bytes in out; SL_REQUEST_MAX bytes are always enough.
 * Fails:    SL_BAD_ARGUMENT (name, or key out of range), SL_TOO_LARGE; *len is 0 then. */
SL_MUST_CHECK enum sl_status sl_request_encode(struct sl_view name,
                                               const uint8_t key[SL_REQUEST_KEY_LEN], uint8_t *out,
                                               size_t out_len, size_t *len);

/* SHA-256 of the point's SubjectPublicKeyInfo in DER: what 'openssl pkey -pubin -outform DER |
 * sha256sum' says of the same key. */
void sl_request_fingerprint(const uint8_t point[SL_REQUEST_POINT_LEN],
                            uint8_t fingerprint[SL_REQUEST_FINGERPRINT_LEN]);

#endif
