/* Client authentication for BearSSL with one P-256 certificate. */
#include "tls/signer.h"

#define SIGNATURE_MAX 72 /* ECDSA on P-256 in ASN.1: two integers of up to 33 bytes */

typedef const br_ssl_client_certificate_class *signer_class;

/* We have one certificate, so the names of the CAs that the server accepts change nothing. */
static void skip_list(signer_class *self)
{
    (void)self;
}

static void skip_name(signer_class *self, size_t len)
{
    (void)self;
    (void)len;
}

static void skip_bytes(signer_class *self, const unsigned char *data, size_t len)
{
    (void)self;
    (void)data;
    (void)len;
}

static void choose(signer_class *self, const br_ssl_client_context *client, uint32_t auth_types,
                   br_ssl_client_certificate *choice)
{
    struct sl_signer *signer = (struct sl_signer *)self;

    (void)client;
    memset(choice, 0, sizeof *choice);
    if (!(auth_types >> (8 + br_sha256_ID) & 1))
        return;
    choice->auth_type = BR_AUTH_ECDSA;
    choice->hash_id = br_sha256_ID;
    choice->chain = signer->chain;
    choice->chain_len = 1;
    signer->was_asked = true;
}

/* Static ECDH, which no suite of ours uses.
 * NOLINTNEXTLINE(readability-non-const-parameter): the type is BearSSL's. */
static uint32_t refuse_exchange(signer_class *self, unsigned char *data, size_t *len)
{
    (void)self;
    (void)data;
    (void)len;
    return 0;
}

/* data: the hash on entry, the signature on return. */
static size_t sign(signer_class *self, int hash_id, size_t hash_len, unsigned char *data,
                   size_t len)
{
    const struct sl_signer *signer = (const struct sl_signer *)self;
    unsigned char hash[br_sha256_SIZE];

    if (hash_id != br_sha256_ID || hash_len != sizeof hash || len < SIGNATURE_MAX)
        return 0;
    memcpy(hash, data, sizeof hash);
    return br_ecdsa_sign_asn1_get_default()(signer->curves, &br_sha256_vtable, hash,
                                            &signer->private_key, data);
}

void sl_signer_init(struct sl_signer *signer, struct sl_view certificate,
                    struct sl_view private_key, const br_ec_impl *curves)
{
    static const br_ssl_client_certificate_class class = {
        .context_size = sizeof(struct sl_signer),
        .start_name_list = skip_list,
        .start_name = skip_name,
        .append_name = skip_bytes,
        .end_name = skip_list,
        .end_name_list = skip_list,
        .choose = choose,
        .do_keyx = refuse_exchange,
        .do_sign = sign,
    };

    memset(signer, 0, sizeof *signer);
    signer->vtable = &class;
    signer->chain[0].data = (unsigned char *)certificate.data;
    signer->chain[0].data_len = certificate.len;
    signer->private_key.curve = BR_EC_secp256r1;
    signer->private_key.x = (unsigned char *)private_key.data;
    signer->private_key.xlen = private_key.len;
    signer->curves = curves;
}
