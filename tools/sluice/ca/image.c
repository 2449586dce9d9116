/* Identity images and grants from a site's certificates. */
#include "ca/image.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <string.h>

/* What the fields of an image point to. */
struct parts {
    unsigned char *subjects[2], *certificate; /* DER, OpenSSL's */
    unsigned char points[2][65];
};

static bool gather(const struct sl_site *site, const struct sl_site_node *node,
                   const struct sl_authority *authority, const X509 *certificate,
                   struct parts *parts, struct sl_identity *identity);
static bool add_anchor(const X509 *certificate, struct parts *parts, struct sl_identity *identity);
static bool put_seal(EVP_PKEY *key, uint8_t *grant, size_t len);
static void free_parts(struct parts *parts);

enum sl_exit sl_pki_encode_identity(const struct sl_site *site, const struct sl_site_node *node,
                                    const struct sl_authority *authority,
                                    const struct sl_pki_pair *pair, uint8_t *image, size_t *len)
{
    struct parts parts = {.certificate = NULL};
    struct sl_identity identity;
    unsigned char scalar[SL_IDENTITY_KEY_LEN];
    BIGNUM *secret = NULL;
    enum sl_exit code = SL_EXIT_DONE;

    *len = 0;
    if (!gather(site, node, authority, pair->certificate, &parts, &identity) ||
        EVP_PKEY_get_bn_param(pair->key, OSSL_PKEY_PARAM_PRIV_KEY, &secret) != 1 ||
        BN_bn2binpad(secret, scalar, sizeof scalar) != (int)sizeof scalar)
        code = sl_pki_fail("encode an identity");
    identity.private_key = (struct sl_view){scalar, sizeof scalar};
    enum sl_status status =
        code == SL_EXIT_DONE ? sl_identity_encode(&identity, image, SL_IDENTITY_MAX, len) : SL_OK;
    if (status != SL_OK)
        code = sl_cli_fail(SL_ERROR(IDENTITY_TOO_LARGE), node->name, sl_status_text(status));
    sl_wipe(scalar, sizeof scalar);
    BN_clear_free(secret);
    free_parts(&parts);
    return code;
}

enum sl_exit sl_pki_encode_grant(const struct sl_site *site, const struct sl_site_node *node,
                                 const struct sl_authority *authority, const X509 *certificate,
                                 struct sl_view wifi_name, struct sl_view wifi_passphrase,
                                 uint8_t *grant, size_t *len)
{
    struct parts parts = {.certificate = NULL};
    struct sl_identity identity;
    enum sl_exit code = SL_EXIT_DONE;

    *len = 0;
    if (!gather(site, node, authority, certificate, &parts, &identity))
        code = sl_pki_fail("encode a grant");
    identity.wifi_name = wifi_name;
    identity.wifi_passphrase = wifi_passphrase;
    enum sl_status status =
        code == SL_EXIT_DONE ? sl_grant_encode(&identity, grant, SL_GRANT_MAX, len) : SL_OK;
    if (status != SL_OK)
        code = sl_cli_fail(SL_ERROR(IDENTITY_TOO_LARGE), node->name, sl_status_text(status));
    else if (code == SL_EXIT_DONE && !put_seal(authority->current.key, grant, *len))
        code = sl_pki_fail("seal a grant");
    if (code != SL_EXIT_DONE)
        *len = 0;
    free_parts(&parts);
    return code;
}

/* Gives: *identity without its key; its views live as long as parts, site and node. */
static bool gather(const struct sl_site *site, const struct sl_site_node *node,
                   const struct sl_authority *authority, const X509 *certificate,
                   struct parts *parts, struct sl_identity *identity)
{
    const struct sl_pki_pair *list[2];
    *identity = (struct sl_identity){.name = sl_view_text(node->name),
                                     .base = sl_view_text(node->base),
                                     .broker_host = sl_view_text(node->host),
                                     .broker_port = node->port,
                                     .server_name = sl_view_text(site->broker_name),
                                     .not_after_s = sl_pki_not_after(certificate),
                                     .issued_s = sl_pki_issued(certificate)};
    for (size_t i = 0, len = sl_authority_list(authority, list); i < len; i++)
        if (!add_anchor(list[i]->certificate, parts, identity))
            return false;
    int len = i2d_X509(certificate, &parts->certificate);
    if (len <= 0)
        return false;
    identity->certificate = (struct sl_view){parts->certificate, (size_t)len};
    return true;
}

static bool add_anchor(const X509 *certificate, struct parts *parts, struct sl_identity *identity)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    uint8_t at = identity->anchors_len;
    size_t point_len = 0;
    int len = i2d_X509_NAME(X509_get_subject_name(certificate), &parts->subjects[at]);
    if (len <= 0 || !key ||
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, parts->points[at],
                                        sizeof parts->points[at], &point_len) != 1)
        return false;
    identity->anchors[at].subject = (struct sl_view){parts->subjects[at], (size_t)len};
    identity->anchors[at].point = (struct sl_view){parts->points[at], point_len};
    identity->anchors_len++;
    return true;
}

/* In the form that a node reads: r and s, 32 bytes each. */
static bool put_seal(EVP_PKEY *key, uint8_t *grant, size_t len)
{
    const struct sl_view sealed = sl_grant_sealed((struct sl_view){grant, len});
    unsigned char der[80], seal[SL_GRANT_SEAL_LEN];
    const unsigned char *at = der;
    size_t der_len = sizeof der;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ECDSA_SIG *pair = NULL;
    bool ok = context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestSign(context, der, &der_len, sealed.data, sealed.len) == 1 &&
              (pair = d2i_ECDSA_SIG(NULL, &at, (long)der_len)) != NULL &&
              BN_bn2binpad(ECDSA_SIG_get0_r(pair), seal, 32) == 32 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(pair), seal + 32, 32) == 32;
    if (ok)
        sl_grant_set_seal(grant, len, seal);
    ECDSA_SIG_free(pair);
    EVP_MD_CTX_free(context);
    return ok;
}

static void free_parts(struct parts *parts)
{
    OPENSSL_free(parts->certificate);
    OPENSSL_free(parts->subjects[0]);
    OPENSSL_free(parts->subjects[1]);
}
