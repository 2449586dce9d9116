/* The seal, then one certificate through BearSSL's checks, and what those leave to their user. */
#include "node/grant.h"
#include "tls/tls.h"

static const uint8_t common_name[] = {3, 0x55, 0x04, 0x03}; /* OID 2.5.4.3, its length first */

static bool is_sealed(struct sl_view image, const struct sl_identity *trusted);
static unsigned verify(const struct sl_identity *grant, uint64_t unix_s, struct sl_chain *chain,
                       char name[SL_NAME_MAX + 2]);
static enum sl_refusal judge(unsigned error);

enum sl_refusal sl_grant_check(struct sl_view image, const struct sl_identity *grant,
                               const struct sl_grant_expected *expected, struct sl_chain *scratch,
                               uint32_t *number)
{
    char name[SL_NAME_MAX + 2]; /* one more than a name has, so that a longer one is seen */
    const uint64_t unix_s = expected->unix_s != 0 ? expected->unix_s : grant->issued_s;

    *number = 0;
    if (expected->name.len > 0 && !sl_view_is_equal(grant->name, expected->name))
        return SL_REFUSAL_GRANT_NAME;
    if (grant->issued_s <= expected->issued_s)
        return SL_REFUSAL_GRANT_OLD;
    if (!is_sealed(image, expected->trusted != NULL ? expected->trusted : grant))
        return SL_REFUSAL_GRANT_UNSEALED;

    const unsigned error = verify(grant, unix_s, scratch, name);
    if (error != 0) {
        *number = error;
        return judge(error);
    }
    unsigned usages;
    const br_x509_pkey *key = scratch->vtable->get_pkey(&scratch->vtable, &usages);
    if (key == NULL || key->key_type != BR_KEYTYPE_EC || key->key.ec.curve != BR_EC_secp256r1)
        return SL_REFUSAL_GRANT_CURVE;
    if (!sl_view_is_equal((struct sl_view){key->key.ec.q, key->key.ec.qlen},
                          (struct sl_view){expected->point, sizeof expected->point}))
        return SL_REFUSAL_GRANT_KEY;
    if (!sl_view_is_equal(sl_view_text(name), grant->name))
        return SL_REFUSAL_GRANT_NAME;
    if (scratch->not_after_s != grant->not_after_s)
        return SL_REFUSAL_GRANT_DATES;
    return SL_REFUSAL_NONE;
}

/* By any of these anchors: while the CA changes, either of its keys counts. */
static bool is_sealed(struct sl_view image, const struct sl_identity *trusted)
{
    const struct sl_view sealed = sl_grant_sealed(image), seal = sl_grant_seal(image);
    uint8_t hash[br_sha256_SIZE];
    br_sha256_context sha256;
    bool is_theirs = false;

    br_sha256_init(&sha256);
    br_sha256_update(&sha256, sealed.data, sealed.len);
    br_sha256_out(&sha256, hash);
    for (uint8_t i = 0; i < trusted->anchors_len && !is_theirs; i++) {
        const struct sl_view point = trusted->anchors[i].point;
        const br_ec_public_key key = {
            .curve = BR_EC_secp256r1, .q = (unsigned char *)point.data, .qlen = point.len};
        is_theirs = br_ecdsa_vrfy_raw_get_default()(br_ec_get_default(), hash, sizeof hash, &key,
                                                    seal.data, seal.len) == 1;
    }
    return is_theirs;
}

/* Gives: 0 or a BR_ERR_X509_*; the certificate's common name. */
static unsigned verify(const struct sl_identity *grant, uint64_t unix_s, struct sl_chain *chain,
                       char name[SL_NAME_MAX + 2])
{
    br_name_element wanted = {.oid = common_name, .buf = name, .len = SL_NAME_MAX + 2};
    br_x509_trust_anchor anchors[SL_IDENTITY_ANCHORS_MAX];
    br_x509_minimal_context *checks = &chain->checks;
    uint32_t days, seconds;

    name[0] = '\0';
    if (!sl_tls_split_time(unix_s, &days, &seconds))
        return BR_ERR_X509_TIME_UNKNOWN;
    for (uint8_t i = 0; i < grant->anchors_len; i++)
        anchors[i] = sl_tls_make_anchor(grant->anchors[i].subject, grant->anchors[i].point);
    br_x509_minimal_init(checks, &br_sha256_vtable, anchors, grant->anchors_len);
    br_x509_minimal_set_hash(checks, br_sha256_ID, &br_sha256_vtable);
    br_x509_minimal_set_ecdsa(checks, br_ec_get_default(), br_ecdsa_vrfy_asn1_get_default());
    br_x509_minimal_set_time(checks, days, seconds);
    br_x509_minimal_set_name_elements(checks, &wanted, 1);
    sl_chain_init(chain);

    const br_x509_class *class = chain->vtable;
    class->start_chain(&chain->vtable, NULL);
    class->start_cert(&chain->vtable, (uint32_t)grant->certificate.len);
    class->append(&chain->vtable, grant->certificate.data, grant->certificate.len);
    class->end_cert(&chain->vtable);
    const unsigned error = class->end_chain(&chain->vtable);
    br_x509_minimal_set_name_elements(checks, NULL, 0); /* they end with this function, */
    checks->trust_anchors = NULL;                       /* and so do these */
    checks->trust_anchors_num = 0;
    return error;
}

static enum sl_refusal judge(unsigned error)
{
    switch (error) {
    case BR_ERR_X509_EXPIRED:
    case BR_ERR_X509_TIME_UNKNOWN:
        return SL_REFUSAL_GRANT_DATES;
    case BR_ERR_X509_WRONG_KEY_TYPE:
    case BR_ERR_X509_UNSUPPORTED:
        return SL_REFUSAL_GRANT_CURVE;
    default:
        return SL_REFUSAL_GRANT_UNTRUSTED;
    }
}
