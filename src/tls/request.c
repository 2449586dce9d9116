/* PKCS#10 written from its end to its start: so every length is known when it is written. */
#include "tls/request.h"

#define SIGNATURE_MAX 72  /* ECDSA on P-256 in ASN.1: two integers of up to 33 bytes */
#define INFO_MAX      135 /* CertificationRequestInfo with the longest name */
#define INFO_KEY_LEN  91  /* SubjectPublicKeyInfo */

/* Universal and context tags (X.690, section 8.1.2). */
enum der {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_UTF8_STRING = 0x0C,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_ATTRIBUTES = 0xA0
};

/* Writes towards the start of a buffer; the first byte that does not fit sets failed. */
struct der_writer {
    uint8_t *start;
    uint8_t *at; /* the first byte written so far */
    uint8_t *end;
    bool failed;
};

static void put(struct der_writer *der, const void *bytes, size_t len)
{
    der->failed |= len > (size_t)(der->at - der->start);
    if (der->failed)
        return;
    der->at -= len;
    memcpy(der->at, bytes, len);
}

static size_t written(const struct der_writer *der)
{
    return (size_t)(der->end - der->at);
}

/* What was written since `after` bytes were there becomes the content of one element of at most
 * 255 bytes (X.690, section 8.1.3). */
static void wrap(struct der_writer *der, enum der tag, size_t after)
{
    const size_t len = written(der) - after;
    const uint8_t in_short[2] = {(uint8_t)tag, (uint8_t)len};
    const uint8_t in_long[3] = {(uint8_t)tag, 0x81, (uint8_t)len};

    der->failed |= len > 0xFF;
    if (len < 0x80)
        put(der, in_short, sizeof in_short);
    else
        put(der, in_long, sizeof in_long);
}

/* id-ecPublicKey with prime256v1 (RFC 5480, section 2.1.1), and the point's BIT STRING header. */
static void put_key(struct der_writer *der, const uint8_t point[SL_REQUEST_POINT_LEN])
{
    static const uint8_t before[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48,
                                     0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
                                     0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

    put(der, point, SL_REQUEST_POINT_LEN);
    put(der, before, sizeof before);
}

/* One RDN with one attribute: the common name. */
static void put_name(struct der_writer *der, struct sl_view name)
{
    static const uint8_t common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03}; /* 2.5.4.3 */
    const size_t after = written(der);

    put(der, name.data, name.len);
    wrap(der, DER_UTF8_STRING, after);
    put(der, common_name, sizeof common_name);
    wrap(der, DER_SEQUENCE, after);
    wrap(der, DER_SET, after);
    wrap(der, DER_SEQUENCE, after);
}

/* CertificationRequestInfo: what is signed. */
static void put_info(struct der_writer *der, struct sl_view name,
                     const uint8_t point[SL_REQUEST_POINT_LEN])
{
    static const uint8_t version = 0;

    wrap(der, DER_ATTRIBUTES, written(der));
    put_key(der, point);
    put_name(der, name);
    const size_t after = written(der);
    put(der, &version, sizeof version);
    wrap(der, DER_INTEGER, after);
    wrap(der, DER_SEQUENCE, 0);
}

static size_t sign(const uint8_t *info, size_t len, const uint8_t key[SL_REQUEST_KEY_LEN],
                   uint8_t signature[SIGNATURE_MAX])
{
    const br_ec_private_key private_key = {BR_EC_secp256r1, (unsigned char *)key,
                                           SL_REQUEST_KEY_LEN};
    uint8_t hash[br_sha256_SIZE];
    br_sha256_context sha256;

    br_sha256_init(&sha256);
    br_sha256_update(&sha256, info, len);
    br_sha256_out(&sha256, hash);
    return br_ecdsa_sign_asn1_get_default()(br_ec_get_default(), &br_sha256_vtable, hash,
                                            &private_key, signature);
}

void sl_request_make_key(struct sl_random *random, uint8_t key[SL_REQUEST_KEY_LEN],
                         uint8_t point[SL_REQUEST_POINT_LEN])
{
    const br_ec_impl *curves = br_ec_get_default();

    /* A draw outside the curve's range is drawn again. */
    (void)br_ec_keygen(&random->drbg.vtable, curves, NULL, key, BR_EC_secp256r1);
    (void)curves->mulgen(point, key, SL_REQUEST_KEY_LEN, BR_EC_secp256r1);
}

bool sl_request_point(const uint8_t key[SL_REQUEST_KEY_LEN], uint8_t point[SL_REQUEST_POINT_LEN])
{
    const br_ec_impl *curves = br_ec_get_default();
    size_t order_len;
    const uint8_t *order = curves->order(BR_EC_secp256r1, &order_len);
    uint8_t any = 0;
    unsigned borrow = 0; /* of key - order: 1 when key is below it; no branch tells of the key */

    for (size_t i = SL_REQUEST_KEY_LEN; i-- > 0;) {
        any |= key[i];
        borrow = ((unsigned)key[i] - order[i] - borrow) >> 8 & 1;
    }
    memset(point, 0, SL_REQUEST_POINT_LEN);
    if (any == 0 || borrow == 0)
        return false;
    (void)curves->mulgen(point, key, SL_REQUEST_KEY_LEN, BR_EC_secp256r1);
    return true;
}

enum sl_status sl_request_encode(struct sl_view name, const uint8_t key[SL_REQUEST_KEY_LEN],
                                 uint8_t *out, size_t out_len, size_t *len)
{
    /* ecdsa-with-SHA256: 1.2.840.10045.4.3.2, no parameters */
    static const uint8_t algorithm[] = {0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                        0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02};
    static const uint8_t no_unused_bits = 0;
    uint8_t point[SL_REQUEST_POINT_LEN], info[INFO_MAX], signature[SIGNATURE_MAX];
    uint8_t request[SL_REQUEST_MAX];

    *len = 0;
    if (name.len < 1 || name.len > SL_NAME_MAX || !sl_request_point(key, point))
        return SL_BAD_ARGUMENT;

    struct der_writer inner = {info, info + sizeof info, info + sizeof info, false};
    put_info(&inner, name, point);
    const size_t signature_len = sign(inner.at, written(&inner), key, signature);

    struct der_writer der = {request, request + sizeof request, request + sizeof request, false};
    put(&der, signature, signature_len);
    put(&der, &no_unused_bits, sizeof no_unused_bits);
    wrap(&der, DER_BIT_STRING, 0);
    put(&der, algorithm, sizeof algorithm);
    put(&der, inner.at, written(&inner));
    wrap(&der, DER_SEQUENCE, 0);
    if (inner.failed || der.failed || written(&der) > out_len)
        return SL_TOO_LARGE;
    memcpy(out, der.at, written(&der));
    *len = written(&der);
    return SL_OK;
}

void sl_request_fingerprint(const uint8_t point[SL_REQUEST_POINT_LEN],
                            uint8_t fingerprint[SL_REQUEST_FINGERPRINT_LEN])
{
    uint8_t key[INFO_KEY_LEN];
    struct der_writer der = {key, key + sizeof key, key + sizeof key, false};
    br_sha256_context sha256;

    put_key(&der, point);
    br_sha256_init(&sha256);
    br_sha256_update(&sha256, der.at, written(&der));
    br_sha256_out(&sha256, fingerprint);
}
