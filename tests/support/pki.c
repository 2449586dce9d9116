/* Keys and certificates for tests. */
#define _POSIX_C_SOURCE 200809L
#include "support/pki.h"
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEED(condition) need((condition), #condition, __LINE__)

static void need(bool condition, const char *what, int line)
{
    if (condition)
        return;
    fprintf(stderr, "pki.c:%d: %s\n", line, what);
    abort();
}

static EVP_PKEY *make_key(enum test_key_kind kind)
{
    switch (kind) {
    case TEST_KEY_P256:
        return EVP_EC_gen("P-256");
    case TEST_KEY_P384:
        return EVP_EC_gen("P-384");
    case TEST_KEY_RSA_1024:
        return EVP_RSA_gen(1024);
    case TEST_KEY_RSA_2048:
        return EVP_RSA_gen(2048);
    }
    return NULL;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    NEED(extension != NULL);
    NEED(X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static void set_serial(X509 *certificate, uint64_t serial)
{
    BIGNUM *number = BN_new();
    NEED(number != NULL);
    if (serial == 0)
        NEED(BN_rand(number, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1);
    else
        NEED(BN_set_word(number, serial) == 1);
    NEED(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL);
    BN_free(number);
}

static void set_purpose(X509 *certificate, X509 *issuer, enum test_purpose purpose)
{
    if (purpose == TEST_PURPOSE_CA) {
        add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
        add_extension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
        return;
    }
    add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature");
    if (purpose == TEST_PURPOSE_SERVER)
        add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth");
    if (purpose == TEST_PURPOSE_CLIENT)
        add_extension(certificate, issuer, NID_ext_key_usage, "clientAuth");
}

/* The forms that BearSSL and the identity image want, next to OpenSSL's own. */
static void keep_raw_forms(struct test_cert *cert)
{
    int len = i2d_X509(cert->certificate, NULL);
    NEED(len > 0 && len <= TEST_CERT_MAX);
    uint8_t *at = cert->der;
    cert->der_len = (size_t)i2d_X509(cert->certificate, &at);

    const X509_NAME *subject = X509_get_subject_name(cert->certificate);
    len = i2d_X509_NAME(subject, NULL);
    NEED(len > 0 && len <= TEST_SUBJECT_MAX);
    at = cert->subject;
    cert->subject_len = (size_t)i2d_X509_NAME(subject, &at);

    if (!EVP_PKEY_is_a(cert->key, "EC") || EVP_PKEY_get_bits(cert->key) != 256)
        return;
    size_t point_len = 0;
    BIGNUM *scalar = NULL;
    NEED(EVP_PKEY_get_octet_string_param(cert->key, OSSL_PKEY_PARAM_PUB_KEY, cert->point,
                                         TEST_POINT_LEN, &point_len) == 1);
    NEED(point_len == TEST_POINT_LEN);
    if (EVP_PKEY_get_bn_param(cert->key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) != 1)
        return; /* only the public half is known here */
    NEED(BN_bn2binpad(scalar, cert->private_key, TEST_KEY_LEN) == TEST_KEY_LEN);
    BN_clear_free(scalar);
}

void test_cert_make(struct test_cert *cert, const struct test_cert_options *options)
{
    memset(cert, 0, sizeof *cert);
    cert->key = options->public_key != NULL ? options->public_key : make_key(options->key);
    if (options->public_key != NULL)
        NEED(EVP_PKEY_up_ref(cert->key) == 1);
    cert->certificate = X509_new();
    NEED(cert->key != NULL && cert->certificate != NULL);

    X509 *certificate = cert->certificate;
    X509 *issuer = options->issuer != NULL ? options->issuer->certificate : certificate;
    EVP_PKEY *issuer_key = options->issuer != NULL ? options->issuer->key : cert->key;
    X509_NAME *subject = X509_get_subject_name(certificate);
    NEED(X509_set_version(certificate, X509_VERSION_3) == 1);
    set_serial(certificate, options->serial);
    NEED(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                    (const unsigned char *)options->common_name, -1, -1, 0) == 1);
    NEED(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1);
    NEED(ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)options->not_before_s) != NULL);
    NEED(ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)options->not_after_s) != NULL);
    NEED(X509_set_pubkey(certificate, cert->key) == 1);

    set_purpose(certificate, issuer, options->purpose);
    add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
    add_extension(certificate, issuer, NID_authority_key_identifier, "keyid");
    if (options->dns != NULL) {
        char name[300];
        snprintf(name, sizeof name, "DNS:%s", options->dns);
        add_extension(certificate, issuer, NID_subject_alt_name, name);
    }
    NEED(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
    keep_raw_forms(cert);
}

void test_cert_free(struct test_cert *cert)
{
    EVP_PKEY_free(cert->key);
    X509_free(cert->certificate);
    memset(cert, 0, sizeof *cert);
}

size_t test_cert_key_der(const struct test_cert *cert, uint8_t *out, size_t out_len)
{
    int len = i2d_PrivateKey(cert->key, NULL);
    NEED(len > 0 && (size_t)len <= out_len);
    return (size_t)i2d_PrivateKey(cert->key, &out);
}

static FILE *create(const char *path, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    NEED(fd >= 0);
    NEED(fchmod(fd, mode) == 0);
    FILE *file = fdopen(fd, "w");
    NEED(file != NULL);
    return file;
}

void test_cert_write_pem(const struct test_cert *cert, const char *path)
{
    FILE *file = create(path, 0644);
    NEED(PEM_write_X509(file, cert->certificate) == 1);
    NEED(fclose(file) == 0);
}

void test_cert_write_key_pem(const struct test_cert *cert, const char *path)
{
    FILE *file = create(path, 0600);
    NEED(PEM_write_PrivateKey(file, cert->key, NULL, NULL, 0, NULL, NULL) == 1);
    NEED(fclose(file) == 0);
}
