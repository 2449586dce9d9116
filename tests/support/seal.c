/* The CA's side of a grant, on the host and on the board. */
#include "store/identity.h"
#include "support/pki.h"
#include <bearssl.h>
#include <stdlib.h>
#include <string.h>

/* The nonce comes of key and bytes (RFC 6979): the same grant has the same seal every time. */
void test_cert_seal(const struct test_cert *signer, uint8_t *grant, size_t len)
{
    const struct sl_view sealed = sl_grant_sealed((struct sl_view){grant, len});
    uint8_t scalar[TEST_KEY_LEN], hash[br_sha256_SIZE], seal[SL_GRANT_SEAL_LEN];
    const br_ec_private_key key = {.curve = BR_EC_secp256r1, .x = scalar, .xlen = sizeof scalar};
    br_sha256_context sha256;
    memcpy(scalar, signer->private_key, sizeof scalar);
    br_sha256_init(&sha256);
    br_sha256_update(&sha256, sealed.data, sealed.len);
    br_sha256_out(&sha256, hash);
    if (br_ecdsa_sign_raw_get_default()(br_ec_get_default(), &br_sha256_vtable, hash, &key, seal) !=
        sizeof seal)
        abort();
    sl_grant_set_seal(grant, len, seal);
}
