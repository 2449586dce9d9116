/* X.509 by OpenSSL 3. */
#include "pki.h"
#include <arpa/inet.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define DAY_S        86400L
#define PEM_FILE_MAX 65536

struct profile {
    const char *purpose;
    const char *constraints, *key_usage, *extended_key_usage;
    long days;
};

static const struct profile profiles[] = {
    [SL_PKI_AUTHORITY] = {"authority", "critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign",
                          NULL, SL_PKI_AUTHORITY_DAYS},
    [SL_PKI_SERVER] = {"broker", "critical,CA:FALSE", "critical,digitalSignature", "serverAuth",
                       SL_PKI_SERVER_DAYS},
    [SL_PKI_OPERATOR] = {"operator", "critical,CA:FALSE", "critical,digitalSignature", "clientAuth",
                         SL_PKI_LEAF_DAYS},
    [SL_PKI_NODE] = {"node", "critical,CA:FALSE", "critical,digitalSignature", "clientAuth",
                     SL_PKI_LEAF_DAYS},
    [SL_PKI_CANARY] = {"canary", "critical,CA:FALSE", "critical,digitalSignature", "clientAuth",
                       SL_PKI_LEAF_DAYS},
    [SL_PKI_VISITOR] = {"visitor", "critical,CA:FALSE", "critical,digitalSignature", "clientAuth",
                        SL_PKI_VISITOR_DAYS},
};

static bool fill_certificate(X509 *certificate, const struct profile *profile, const char *name,
                             const char *names, EVP_PKEY *key, X509 *issuer);
static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value);
static bool set_serial(X509 *certificate);
static enum sl_exit log_issue(const char *folder, const struct profile *profile, const char *name,
                              const X509 *certificate);
static BIO *print_pem(const X509 *certificate, EVP_PKEY *key);
static enum sl_exit write_pem(const char *path, mode_t mode, const X509 *certificate,
                              EVP_PKEY *key);
static enum sl_exit lend_pem(const X509 *certificate, EVP_PKEY *key, int *fd);

static enum sl_exit check_today(const char *folder, const X509 *certificate, const X509 *authority);
static bool is_signed_by(const X509 *certificate, const X509 *authority);

/* An encrypted key would otherwise ask on the terminal and hang a service. */
static char no_pass_phrase[] = "";

/* --- making --------------------------------------------------------------------------------- */

void sl_pki_free(struct sl_pki_pair *pair)
{
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
    *pair = (struct sl_pki_pair){NULL, NULL};
}

enum sl_exit sl_pki_issue(const struct sl_pki_pair *authority, const char *folder,
                          enum sl_pki_purpose purpose, const char *name, const char *names,
                          struct sl_pki_pair *pair)
{
    const struct profile *profile = &profiles[purpose];
    if (!pair->key)
        pair->key = EVP_EC_gen("P-256");
    pair->certificate = X509_new();
    X509 *issuer = authority ? authority->certificate : pair->certificate;
    EVP_PKEY *signer = authority ? authority->key : pair->key;

    if (!pair->key || !pair->certificate ||
        !fill_certificate(pair->certificate, profile, name, names, pair->key, issuer) ||
        X509_sign(pair->certificate, signer, EVP_sha256()) == 0) {
        sl_pki_free(pair);
        return sl_pki_fail("make a certificate");
    }
    enum sl_exit code = log_issue(folder, profile, name, pair->certificate);
    if (code != SL_EXIT_DONE)
        sl_pki_free(pair);
    return code;
}

static bool fill_certificate(X509 *certificate, const struct profile *profile, const char *name,
                             const char *names, EVP_PKEY *key, X509 *issuer)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    /* notBefore lies a day back: the clock of a peer may be slow. */
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_S) &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), (int)profile->days, 0, NULL) &&
           X509_set_pubkey(certificate, key) == 1 &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
           add_extension(certificate, issuer, NID_basic_constraints, profile->constraints) &&
           add_extension(certificate, issuer, NID_key_usage, profile->key_usage) &&
           add_extension(certificate, issuer, NID_ext_key_usage, profile->extended_key_usage) &&
           add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
           add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always") &&
           add_extension(certificate, issuer, NID_subject_alt_name, names);
}

/* value NULL: this profile has no such extension. */
static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    if (!value)
        return true;
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool ok = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

/* 128 random bits behind a 1, so that every serial is positive and of the same length. */
static bool set_serial(X509 *certificate)
{
    unsigned char bytes[17] = {0};
    if (RAND_bytes(bytes + 1, 16) != 1)
        return false;
    bytes[0] = 1;
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return ok;
}

static enum sl_exit log_issue(const char *folder, const struct profile *profile, const char *name,
                              const X509 *certificate)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *serial = number ? BN_bn2hex(number) : NULL;
    enum sl_exit code = serial ? sl_site_log_issue(folder, name, profile->purpose, serial,
                                                   sl_pki_not_after(certificate))
                               : sl_pki_fail("print a serial number");
    OPENSSL_free(serial);
    BN_free(number);
    return code;
}

void sl_pki_list_server_names(const struct sl_site *site, char out[SL_PKI_NAMES_MAX])
{
    unsigned char address[16];
    bool is_address = inet_pton(AF_INET, site->host, address) == 1 ||
                      inet_pton(AF_INET6, site->host, address) == 1;
    bool is_loopback = sl_site_is_loopback(site->host);
    /* The first name is the one that nodes check; they never check an address. */
    if (is_loopback)
        snprintf(out, SL_PKI_NAMES_MAX, "DNS:%s,DNS:localhost,IP:127.0.0.1,IP:::1",
                 site->broker_name);
    else
        snprintf(out, SL_PKI_NAMES_MAX, "DNS:%s,%s:%s", site->broker_name,
                 is_address ? "IP" : "DNS", site->host);
}

/* --- files ---------------------------------------------------------------------------------- */

enum sl_exit sl_pki_save(const struct sl_pki_pair *pair, const char *folder)
{
    struct sl_path path = sl_path_join(folder, "key.pem");
    enum sl_exit code = write_pem(path.text, 0600, NULL, pair->key);
    return code == SL_EXIT_DONE ? sl_pki_save_certificate(pair, folder) : code;
}

enum sl_exit sl_pki_save_certificate(const struct sl_pki_pair *pair, const char *folder)
{
    struct sl_path path = sl_path_join(folder, "certificate.pem");
    return write_pem(path.text, 0600, pair->certificate, NULL);
}

enum sl_exit sl_pki_lend(const struct sl_pki_pair *pair, struct sl_pki_lent *lent)
{
    *lent = (struct sl_pki_lent){-1, -1};
    enum sl_exit code = lend_pem(pair->certificate, NULL, &lent->certificate_fd);
    if (code == SL_EXIT_DONE)
        code = lend_pem(NULL, pair->key, &lent->key_fd);
    if (code != SL_EXIT_DONE)
        sl_pki_take_back(lent);
    return code;
}

void sl_pki_take_back(struct sl_pki_lent *lent)
{
    if (lent->certificate_fd >= 0)
        close(lent->certificate_fd);
    if (lent->key_fd >= 0)
        close(lent->key_fd);
    *lent = (struct sl_pki_lent){-1, -1};
}

static enum sl_exit lend_pem(const X509 *certificate, EVP_PKEY *key, int *fd)
{
    BIO *memory = print_pem(certificate, key);
    char *text = NULL;
    long len = memory ? BIO_get_mem_data(memory, &text) : 0;
    *fd = memfd_create("sluice", MFD_CLOEXEC);
    bool ok = len > 0 && *fd >= 0 && write(*fd, text, (size_t)len) == len;
    BIO_free(memory);
    return ok ? SL_EXIT_DONE : sl_pki_fail("lend a certificate");
}

static enum sl_exit write_pem(const char *path, mode_t mode, const X509 *certificate, EVP_PKEY *key)
{
    BIO *memory = print_pem(certificate, key);
    char *text = NULL;
    long len = memory ? BIO_get_mem_data(memory, &text) : 0;
    enum sl_exit code =
        len > 0 ? sl_file_write(path, text, (size_t)len, mode) : sl_pki_fail("write PEM");
    BIO_free(memory); /* clears it */
    return code;
}

/* Exactly one of the two is there. */
static BIO *print_pem(const X509 *certificate, EVP_PKEY *key)
{
    BIO *memory = BIO_new(BIO_s_secmem());
    if (memory &&
        ((certificate && PEM_write_bio_X509(memory, certificate) == 1) ||
         (key && PEM_write_bio_PKCS8PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) == 1)))
        return memory;
    BIO_free(memory);
    return NULL;
}

/* Read one PEM object; the caller's parser decides which. */
static BIO *open_pem(const char *path, enum sl_exit *code)
{
    struct sl_bytes bytes;
    *code = sl_file_read(path, PEM_FILE_MAX, &bytes);
    if (*code != SL_EXIT_DONE)
        return NULL;
    BIO *memory = BIO_new(BIO_s_secmem());
    if (!memory || BIO_write(memory, bytes.data, (int)bytes.len) != (int)bytes.len) {
        BIO_free(memory);
        memory = NULL;
        *code = sl_cli_fail(SL_ERROR(FILE_EMPTY), path);
    }
    sl_bytes_free(&bytes);
    return memory;
}

enum sl_exit sl_pki_load_certificate(const char *path, X509 **certificate)
{
    enum sl_exit code;
    *certificate = NULL;
    BIO *memory = open_pem(path, &code);
    if (!memory)
        return code;
    *certificate = PEM_read_bio_X509(memory, NULL, NULL, no_pass_phrase);
    BIO_free(memory);
    ERR_clear_error();
    return *certificate ? SL_EXIT_DONE : sl_cli_fail(SL_ERROR(CERTIFICATE_BAD), path);
}

enum sl_exit sl_pki_load(const char *folder, struct sl_pki_pair *pair)
{
    *pair = (struct sl_pki_pair){NULL, NULL};
    struct sl_path certificate = sl_path_join(folder, "certificate.pem");
    struct sl_path key = sl_path_join(folder, "key.pem");
    enum sl_exit code = sl_pki_load_certificate(certificate.text, &pair->certificate);
    if (code != SL_EXIT_DONE)
        return code;
    BIO *memory = open_pem(key.text, &code);
    if (!memory) {
        sl_pki_free(pair);
        return code;
    }
    pair->key = PEM_read_bio_PrivateKey(memory, NULL, NULL, no_pass_phrase);
    BIO_free(memory);
    if (!pair->key || X509_check_private_key(pair->certificate, pair->key) != 1) {
        sl_pki_free(pair);
        ERR_clear_error();
        return sl_cli_fail(SL_ERROR(KEY_BAD), key.text);
    }
    return SL_EXIT_DONE;
}

enum sl_exit sl_pki_check_operator(const struct sl_site *site, const char *user,
                                   uint64_t *not_after_s)
{
    struct sl_path operators = sl_path_join(site->root, "operators");
    struct sl_path folder = sl_path_join(operators.text, user);
    X509 *authority = NULL;
    struct sl_pki_pair pair = {NULL, NULL};
    enum sl_exit code =
        sl_pki_load_certificate(sl_path_join(site->root, "ca/certificate.pem").text, &authority);
    if (code == SL_EXIT_DONE)
        code = sl_pki_load(folder.text, &pair);
    if (code == SL_EXIT_DONE)
        code = check_today(folder.text, pair.certificate, authority);
    *not_after_s = code == SL_EXIT_DONE ? sl_pki_not_after(pair.certificate) : 0;
    sl_pki_free(&pair);
    X509_free(authority);
    return code;
}

enum sl_exit sl_pki_is_same(const char *path, struct sl_view der, bool *is_same)
{
    X509 *certificate = NULL;
    enum sl_exit code = sl_pki_load_certificate(path, &certificate);
    *is_same = false;
    if (code != SL_EXIT_DONE)
        return code;
    unsigned char *bytes = NULL;
    int len = i2d_X509(certificate, &bytes);
    if (len > 0)
        *is_same = sl_view_is_equal((struct sl_view){bytes, (size_t)len}, der);
    OPENSSL_free(bytes);
    X509_free(certificate);
    ERR_clear_error();
    return SL_EXIT_DONE;
}

enum sl_exit sl_pki_load_authority(const struct sl_site *site, struct sl_pki_pair *authority)
{
    struct sl_path folder = sl_path_join(site->root, "ca");
    enum sl_exit code = sl_pki_load(folder.text, authority);
    if (code != SL_EXIT_DONE)
        return code;
    if (X509_check_ca(authority->certificate) != 1)
        code = sl_cli_fail(SL_ERROR(CERTIFICATE_NO_CA),
                           sl_path_join(folder.text, "certificate.pem").text);
    else
        code = check_today(folder.text, authority->certificate, authority->certificate);
    if (code != SL_EXIT_DONE)
        sl_pki_free(authority);
    return code;
}

/* --- checking ------------------------------------------------------------------------------- */

long sl_pki_days_until(const ASN1_TIME *from, const ASN1_TIME *until)
{
    int days = 0, seconds = 0;
    if (!from || !until || X509_cmp_current_time(from) >= 0 ||
        ASN1_TIME_diff(&days, &seconds, NULL, until) != 1 || days < 0 || seconds < 0)
        return 0;
    return days + 1; /* a day begun counts */
}

long sl_pki_days_left(const X509 *certificate, const X509 *authority)
{
    return is_signed_by(certificate, authority)
               ? sl_pki_days_until(X509_get0_notBefore(certificate),
                                   X509_get0_notAfter(certificate))
               : 0;
}

static bool is_signed_by(const X509 *certificate, const X509 *authority)
{
    X509 *copy = X509_dup(certificate);
    EVP_PKEY *signer = X509_get0_pubkey(authority);
    bool is_ours = copy && signer && X509_verify(copy, signer) == 1;
    X509_free(copy);
    ERR_clear_error();
    return is_ours;
}

/* folder: where the certificate was read, for the message. */
static enum sl_exit check_today(const char *folder, const X509 *certificate, const X509 *authority)
{
    if (sl_pki_days_left(certificate, authority) > 0)
        return SL_EXIT_DONE;
    struct sl_path path = sl_path_join(folder, "certificate.pem");
    if (!is_signed_by(certificate, authority))
        return sl_cli_fail(SL_ERROR(SIGNER_FOREIGN), path.text);
    char day[16];
    bool is_early = X509_cmp_current_time(X509_get0_notBefore(certificate)) >= 0;
    sl_site_print_date(day, is_early ? sl_pki_unix_time(X509_get0_notBefore(certificate))
                                     : sl_pki_not_after(certificate));
    return is_early ? sl_cli_fail(SL_ERROR(CERTIFICATE_EARLY), path.text, day)
                    : sl_cli_fail(SL_ERROR(CERTIFICATE_EXPIRED), path.text, day);
}

uint64_t sl_pki_not_after(const X509 *certificate)
{
    return sl_pki_unix_time(X509_get0_notAfter(certificate));
}

uint64_t sl_pki_issued(const X509 *certificate)
{
    return sl_pki_unix_time(X509_get0_notBefore(certificate)) + DAY_S;
}

uint64_t sl_pki_unix_time(const ASN1_TIME *asn1)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(asn1, &parts) != 1)
        return 0;
    time_t at = timegm(&parts);
    return at > 0 ? (uint64_t)at : 0;
}

/* --- identity image ------------------------------------------------------------------------- */

enum sl_exit sl_pki_encode_identity(const struct sl_site *site, const struct sl_site_node *node,
                                    const struct sl_pki_pair *authority,
                                    const struct sl_pki_pair *pair, uint8_t *image, size_t *len)
{
    unsigned char *subject = NULL, *certificate = NULL;
    unsigned char point[65], scalar[32];
    size_t point_len = 0;
    BIGNUM *secret = NULL;
    enum sl_exit code = SL_EXIT_FILES;

    *len = 0;
    int subject_len = i2d_X509_NAME(X509_get_subject_name(authority->certificate), &subject);
    int certificate_len = i2d_X509(pair->certificate, &certificate);
    if (subject_len <= 0 || certificate_len <= 0 ||
        EVP_PKEY_get_octet_string_param(authority->key, OSSL_PKEY_PARAM_PUB_KEY, point,
                                        sizeof point, &point_len) != 1 ||
        EVP_PKEY_get_bn_param(pair->key, OSSL_PKEY_PARAM_PRIV_KEY, &secret) != 1 ||
        BN_bn2binpad(secret, scalar, sizeof scalar) != (int)sizeof scalar) {
        code = sl_pki_fail("encode an identity");
        goto out;
    }
    struct sl_identity identity = {
        .name = sl_view_text(node->name),
        .base = sl_view_text(node->base),
        .broker_host = sl_view_text(node->host),
        .broker_port = node->port,
        .server_name = sl_view_text(site->broker_name),
        .anchors[0] = {{subject, (size_t)subject_len}, {point, point_len}},
        .anchors_len = 1,
        .certificate = {certificate, (size_t)certificate_len},
        .private_key = {scalar, sizeof scalar},
        .not_after_s = node->not_after_s,
        .issued_s = sl_pki_issued(pair->certificate),
    };
    enum sl_status status = sl_identity_encode(&identity, image, SL_IDENTITY_MAX, len);
    code = status == SL_OK
               ? SL_EXIT_DONE
               : sl_cli_fail(SL_ERROR(IDENTITY_TOO_LARGE), node->name, sl_status_text(status));
out:
    sl_wipe(scalar, sizeof scalar);
    BN_clear_free(secret);
    OPENSSL_free(certificate);
    OPENSSL_free(subject);
    return code;
}

enum sl_exit sl_pki_fail(const char *verb)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    enum sl_exit code = sl_cli_fail(SL_ERROR(OPENSSL), verb, reason ? reason : "OpenSSL failed");
    ERR_clear_error();
    return code;
}
