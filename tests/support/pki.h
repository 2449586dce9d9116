/* Keys and certificates for tests, good ones and bad ones, made with OpenSSL.
 *
 * Whatever cannot be made ends the test program: a test without its certificate proves nothing.
 */
#ifndef TEST_SUPPORT_PKI_H
#define TEST_SUPPORT_PKI_H

#include "base/bytes.h"

#define TEST_CERT_MAX    2048
#define TEST_SUBJECT_MAX 256
#define TEST_POINT_LEN   65
#define TEST_KEY_LEN     32
#define TEST_DAY_S       86400

enum test_key_kind { TEST_KEY_P256, TEST_KEY_P384, TEST_KEY_RSA_1024, TEST_KEY_RSA_2048 };

enum test_purpose {
    TEST_PURPOSE_CA,     /* CA:true, keyCertSign, cRLSign */
    TEST_PURPOSE_SERVER, /* CA:false, digitalSignature, serverAuth */
    TEST_PURPOSE_CLIENT, /* CA:false, digitalSignature, clientAuth */
    TEST_PURPOSE_ANY     /* CA:false, digitalSignature, no extended key usage */
};

struct test_cert_options {
    enum test_key_kind key;
    enum test_purpose purpose;
    const char *common_name;
    const char *dns;                /* subject alternative name; NULL: none */
    int64_t not_before_s;           /* Unix seconds */
    int64_t not_after_s;            /* Unix seconds */
    const struct test_cert *issuer; /* NULL: self-signed */
    uint64_t serial;                /* 0: random */
    struct evp_pkey_st *public_key; /* of a request: certified in place of a new key; NULL: none */
};

struct test_cert {
    struct evp_pkey_st *key;
    struct x509_st *certificate;
    uint8_t der[TEST_CERT_MAX];
    size_t der_len;
    uint8_t subject[TEST_SUBJECT_MAX]; /* DER */
    size_t subject_len;
    uint8_t point[TEST_POINT_LEN];     /* of a P-256 key, else zeros */
    uint8_t private_key[TEST_KEY_LEN]; /* of a P-256 key, else zeros */
};

/* A new key and its certificate. The issuer need not outlive this call. */
void test_cert_make(struct test_cert *cert, const struct test_cert_options *options);
void test_cert_free(struct test_cert *cert);

/* The three certificates that most tests start from, valid from a day before now_s for a year:
 * a P-256 CA, "broker.test" signed by it as server, "garden" signed by it as client. */
struct test_pki {
    struct test_cert ca, server, client;
};
void test_pki_make(struct test_pki *pki, int64_t now_s);
void test_pki_free(struct test_pki *pki);

struct sl_view test_cert_der(const struct test_cert *cert);
struct sl_view test_cert_subject(const struct test_cert *cert);
struct sl_view test_cert_point(const struct test_cert *cert);
struct sl_view test_cert_private_key(const struct test_cert *cert);
/* The private key in its traditional DER form (SEC 1 or PKCS #1). Gives: the length. */
size_t test_cert_key_der(const struct test_cert *cert, uint8_t *out, size_t out_len);

/* Seals a grant (store/identity.h). Requires: a P-256 key. */
void test_cert_seal(const struct test_cert *signer, uint8_t *grant, size_t len);

/* PEM files; the key's file has mode 0600. */
void test_cert_write_pem(const struct test_cert *cert, const char *path);
void test_cert_write_key_pem(const struct test_cert *cert, const char *path);

#endif
