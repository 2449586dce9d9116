/* A memory in front of BearSSL's ECDSA. */
#include "tls/verifier.h"

static void digest(uint8_t out[SL_TLS_KNOWN_BYTES], const void *hash, size_t hash_len,
                   const br_ec_public_key *key, const void *signature, size_t signature_len);
static void remember(struct sl_verifier *verifier, const uint8_t digest[SL_TLS_KNOWN_BYTES]);

void sl_verifier_init(struct sl_verifier *verifier)
{
    memset(verifier, 0, sizeof *verifier);
    verifier->curves = *br_ec_get_default();
    verifier->curves.supported_curves &= UINT32_C(1) << BR_EC_secp256r1 | UINT32_C(1)
                                                                              << BR_EC_curve25519;
}

void sl_verifier_begin(struct sl_verifier *verifier)
{
    verifier->met = verifier->verified = 0;
}

uint32_t sl_verifier_verify(const br_ec_impl *curves, const void *hash, size_t hash_len,
                            const br_ec_public_key *key, const void *signature,
                            size_t signature_len)
{
    struct sl_verifier *verifier = (struct sl_verifier *)curves;
    uint8_t present[SL_TLS_KNOWN_BYTES];

    digest(present, hash, hash_len, key, signature, signature_len);
    for (uint8_t i = 0; i < verifier->known.len; i++)
        if (memcmp(verifier->known.digests[i], present, sizeof present) == 0) {
            verifier->met |= (uint8_t)(1u << i);
            return 1;
        }
    verifier->verified++;
    if (br_ecdsa_vrfy_asn1_get_default()(curves, hash, hash_len, key, signature, signature_len) !=
        1)
        return 0;
    remember(verifier, present);
    return 1;
}

/* In the place of one that was not met: a chain that leads nowhere costs time later, no more. */
static void remember(struct sl_verifier *verifier, const uint8_t digest[SL_TLS_KNOWN_BYTES])
{
    for (uint8_t i = 0; i < SL_TLS_KNOWN_MAX; i++) {
        if ((verifier->met >> i & 1) != 0)
            continue;
        memcpy(verifier->known.digests[i], digest, SL_TLS_KNOWN_BYTES);
        verifier->met |= (uint8_t)(1u << i);
        if (verifier->known.len <= i)
            verifier->known.len = (uint8_t)(i + 1);
        return;
    }
}

void sl_verifier_keep(struct sl_verifier *verifier)
{
    struct sl_tls_known kept = {.len = 0};

    for (uint8_t i = 0; i < verifier->known.len; i++)
        if ((verifier->met >> i & 1) != 0)
            memcpy(kept.digests[kept.len++], verifier->known.digests[i], SL_TLS_KNOWN_BYTES);
    verifier->known = kept;
}

/* Every length is in it, so no two triples give the same bytes. */
static void digest(uint8_t out[SL_TLS_KNOWN_BYTES], const void *hash, size_t hash_len,
                   const br_ec_public_key *key, const void *signature, size_t signature_len)
{
    const uint8_t lens[4] = {(uint8_t)key->curve, (uint8_t)key->qlen, (uint8_t)hash_len,
                             (uint8_t)signature_len};
    br_sha256_context context;

    br_sha256_init(&context);
    br_sha256_update(&context, lens, sizeof lens);
    br_sha256_update(&context, key->q, key->qlen);
    br_sha256_update(&context, hash, hash_len);
    br_sha256_update(&context, signature, signature_len);
    br_sha256_out(&context, out);
}
