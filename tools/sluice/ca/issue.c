/* Certificates by OpenSSL 3. */
#include "ca/issue.h"
#include "site/journal.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

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

static enum sl_exit issue(const struct sl_pki_pair *signer, const char *folder,
                          enum sl_pki_purpose purpose, const char *name, const char *names,
                          struct sl_pki_pair *pair);
static enum sl_exit find_begin(const char *folder, const struct profile *profile, const char *name,
                               time_t *begin);
static bool fill_certificate(X509 *certificate, const struct profile *profile, const char *name,
                             const char *names, time_t begin, EVP_PKEY *key, X509 *issuer);
static bool set_end(X509 *certificate, long days, const X509 *issuer);
static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value);
static bool set_serial(X509 *certificate);
static bool describe(const X509 *certificate, const struct profile *profile, const char *name,
                     struct sl_journal_entry *entry);
static bool print_key(EVP_PKEY *key, char out[SL_JOURNAL_KEY_LEN + 1]);
static enum sl_exit check_journal(const char *folder, const struct sl_journal_entry *wanted,
                                  bool is_request);
static enum sl_exit check_request(struct sl_view der, const char *name, EVP_PKEY **key);
static const char *find_fault(X509_REQ *request, const char *name, EVP_PKEY *key);

/* --- with a key of ours --------------------------------------------------------------------- */

enum sl_exit sl_issue_certificate(const struct sl_authority *authority, const char *folder,
                                  enum sl_pki_purpose purpose, const char *name, const char *names,
                                  struct sl_pki_pair *pair)
{
    return issue(sl_authority_signer(authority, purpose), folder, purpose, name, names, pair);
}

enum sl_exit sl_issue_authority(const char *folder, struct sl_pki_pair *pair)
{
    unsigned char bytes[4];
    char name[32];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return sl_pki_fail("make an authority");
    snprintf(name, sizeof name, "sluice-authority-%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2],
             bytes[3]);
    return issue(NULL, folder, SL_PKI_AUTHORITY, name, NULL, pair);
}

/* signer NULL: by itself. */
static enum sl_exit issue(const struct sl_pki_pair *signer, const char *folder,
                          enum sl_pki_purpose purpose, const char *name, const char *names,
                          struct sl_pki_pair *pair)
{
    const struct profile *profile = &profiles[purpose];
    struct sl_journal_entry entry;
    time_t begin = 0;
    enum sl_exit code = find_begin(folder, profile, name, &begin);
    if (code != SL_EXIT_DONE)
        return code;
    if (!pair->key)
        pair->key = EVP_EC_gen("P-256");
    pair->certificate = X509_new();
    bool ok = pair->key && pair->certificate &&
              fill_certificate(pair->certificate, profile, name, names, begin, pair->key,
                               signer ? signer->certificate : pair->certificate) &&
              X509_sign(pair->certificate, signer ? signer->key : pair->key, EVP_sha256()) != 0 &&
              describe(pair->certificate, profile, name, &entry);
    code = ok ? SL_EXIT_DONE : sl_pki_fail("make a certificate");
    if (code == SL_EXIT_DONE && signer)
        code = check_journal(folder, &entry, false);
    if (code == SL_EXIT_DONE)
        code = sl_journal_add(folder, &entry);
    if (code != SL_EXIT_DONE)
        sl_pki_free(pair);
    return code;
}

/* A day back, because the clock of a peer may be slow; and later than what the name had before,
 * because devices keep the one that was made last. Our clock may have been up to a day fast then.
 */
static enum sl_exit find_begin(const char *folder, const struct profile *profile, const char *name,
                               time_t *begin)
{
    const time_t now = time(NULL);
    struct sl_journal journal;
    struct sl_journal_entry entry;
    struct tm when;
    *begin = now - SL_PKI_BACK_S;
    if (profile != &profiles[SL_PKI_NODE])
        return SL_EXIT_DONE;
    enum sl_exit code = sl_journal_open(folder, &journal);
    while (code == SL_EXIT_DONE && sl_journal_next(&journal, &entry)) {
        memset(&when, 0, sizeof when);
        if (strcmp(entry.name, name) != 0 || strcmp(entry.purpose, profile->purpose) != 0 ||
            !strptime(entry.when, "%Y-%m-%dT%H:%M:%SZ", &when))
            continue;
        const time_t after = timegm(&when) - SL_PKI_BACK_S + 1;
        if (after > *begin && after <= now)
            *begin = after;
    }
    sl_journal_close(&journal);
    return code;
}

static bool fill_certificate(X509 *certificate, const struct profile *profile, const char *name,
                             const char *names, time_t begin, EVP_PKEY *key, X509 *issuer)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           ASN1_TIME_set(X509_getm_notBefore(certificate), begin) &&
           set_end(certificate, profile->days, issuer) && X509_set_pubkey(certificate, key) == 1 &&
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

/* A certificate that outlived its authority would say a day that it is not good for. */
static bool set_end(X509 *certificate, long days, const X509 *issuer)
{
    ASN1_TIME *end = X509_getm_notAfter(certificate);
    if (!X509_time_adj_ex(end, (int)days, 0, NULL))
        return false;
    return issuer == certificate || ASN1_TIME_compare(end, X509_get0_notAfter(issuer)) <= 0 ||
           X509_set1_notAfter(certificate, X509_get0_notAfter(issuer)) == 1;
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

/* --- the journal ---------------------------------------------------------------------------- */

static bool describe(const X509 *certificate, const struct profile *profile, const char *name,
                     struct sl_journal_entry *entry)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *serial = number ? BN_bn2hex(number) : NULL;
    *entry = (struct sl_journal_entry){.when = ""};
    sl_site_print_time(entry->when, sl_pki_issued(certificate));
    sl_site_print_time(entry->not_after, sl_pki_not_after(certificate));
    snprintf(entry->purpose, sizeof entry->purpose, "%s", profile->purpose);
    bool ok = serial && sl_cli_copy(entry->serial, sizeof entry->serial, serial) &&
              sl_cli_copy(entry->name, sizeof entry->name, name) &&
              print_key(X509_get0_pubkey(certificate), entry->key);
    OPENSSL_free(serial);
    BN_free(number);
    return ok;
}

static bool print_key(EVP_PKEY *key, char out[SL_JOURNAL_KEY_LEN + 1])
{
    unsigned char *der = NULL, digest[32];
    unsigned digest_len = 0;
    int len = key ? i2d_PUBKEY(key, &der) : 0;
    bool ok = len > 0 && EVP_Digest(der, (size_t)len, digest, &digest_len, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; ok && i < sizeof digest; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    OPENSSL_free(der);
    return ok;
}

/* No serial twice, and no key under two names. is_request: the key is somebody else's. */
static enum sl_exit check_journal(const char *folder, const struct sl_journal_entry *wanted,
                                  bool is_request)
{
    struct sl_journal journal;
    struct sl_journal_entry entry;
    enum sl_exit code = sl_journal_open(folder, &journal);
    while (code == SL_EXIT_DONE && sl_journal_next(&journal, &entry)) {
        if (strcmp(entry.serial, wanted->serial) == 0)
            code = sl_cli_fail(SL_ERROR(SERIAL_TWICE), entry.serial);
        else if (is_request && strcmp(entry.key, wanted->key) == 0 &&
                 (strcmp(entry.name, wanted->name) != 0 ||
                  strcmp(entry.purpose, wanted->purpose) != 0))
            code = sl_cli_fail(SL_ERROR(REQUEST_KEY_USED), wanted->name, entry.purpose, entry.name);
    }
    sl_journal_close(&journal);
    return code;
}

enum sl_exit sl_issue_record(const char *folder, enum sl_pki_purpose purpose, const char *name,
                             const X509 *certificate)
{
    struct sl_journal journal;
    struct sl_journal_entry entry, known;
    bool is_there = false;
    if (!describe(certificate, &profiles[purpose], name, &entry))
        return sl_pki_fail("read a certificate");
    enum sl_exit code = sl_journal_open(folder, &journal);
    while (code == SL_EXIT_DONE && !is_there && sl_journal_next(&journal, &known))
        is_there = strcmp(known.serial, entry.serial) == 0;
    sl_journal_close(&journal);
    return code == SL_EXIT_DONE && !is_there ? sl_journal_add(folder, &entry) : code;
}

/* --- with the key of a request -------------------------------------------------------------- */

enum sl_exit sl_issue_for_request(const struct sl_authority *authority, const char *folder,
                                  const char *name, struct sl_view request, X509 **certificate)
{
    char names[SL_PKI_NAMES_MAX];
    snprintf(names, sizeof names, "DNS:%s.device.invalid", name);
    return sl_issue_for_request_as(authority, folder, SL_PKI_NODE, name, names, request,
                                   certificate);
}

enum sl_exit sl_issue_for_request_as(const struct sl_authority *authority, const char *folder,
                                     enum sl_pki_purpose purpose, const char *name,
                                     const char *names, struct sl_view request, X509 **certificate)
{
    struct sl_pki_pair pair = {NULL, NULL};
    struct sl_journal_entry wanted = {.when = ""};
    *certificate = NULL;
    enum sl_exit code = check_request(request, name, &pair.key);
    if (code != SL_EXIT_DONE)
        return code;
    snprintf(wanted.name, sizeof wanted.name, "%s", name);
    snprintf(wanted.purpose, sizeof wanted.purpose, "%s", profiles[purpose].purpose);
    code = print_key(pair.key, wanted.key) ? check_journal(folder, &wanted, true)
                                           : sl_pki_fail("read a key");
    if (code == SL_EXIT_DONE)
        code = sl_issue_certificate(authority, folder, purpose, name, names, &pair);
    if (code == SL_EXIT_DONE) {
        *certificate = pair.certificate;
        pair.certificate = NULL;
    }
    sl_pki_free(&pair);
    return code;
}

const char *sl_issue_purpose_text(enum sl_pki_purpose purpose)
{
    return profiles[purpose].purpose;
}

/* Gives: *key, which the caller frees. */
static enum sl_exit check_request(struct sl_view der, const char *name, EVP_PKEY **key)
{
    *key = NULL;
    const unsigned char *at = der.data;
    X509_REQ *request = der.len > 0 && der.len <= SL_ISSUE_REQUEST_MAX
                            ? d2i_X509_REQ(NULL, &at, (long)der.len)
                            : NULL;
    bool is_whole = request && at == der.data + der.len;
    EVP_PKEY *found = is_whole ? X509_REQ_get_pubkey(request) : NULL;
    const char *fault = der.len > SL_ISSUE_REQUEST_MAX ? "it is too large"
                        : !is_whole                    ? "it is no PKCS#10 request"
                        : !found                       ? "its key cannot be read"
                                                       : find_fault(request, name, found);
    X509_REQ_free(request);
    ERR_clear_error();
    if (!fault) {
        *key = found;
        return SL_EXIT_DONE;
    }
    EVP_PKEY_free(found);
    return sl_cli_fail(SL_ERROR(REQUEST_BAD), name, fault);
}

/* NULL: none. */
static const char *find_fault(X509_REQ *request, const char *name, EVP_PKEY *key)
{
    char curve[32] = "";
    size_t curve_len = 0;
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC ||
        EVP_PKEY_get_group_name(key, curve, sizeof curve, &curve_len) != 1 ||
        OBJ_txt2nid(curve) != NID_X9_62_prime256v1)
        return "its key is not of P-256";
    unsigned char point[65];
    size_t point_len = 0;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool is_point = context && EVP_PKEY_public_check(context) == 1 &&
                    EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point,
                                                    sizeof point, &point_len) == 1;
    EVP_PKEY_CTX_free(context);
    if (!is_point || point_len != sizeof point || point[0] != 4) /* BearSSL knows no other form */
        return "its key is no uncompressed point of P-256";
    if (X509_REQ_get_signature_nid(request) != NID_ecdsa_with_SHA256)
        return "it is not signed with ECDSA-SHA256";
    if (X509_REQ_verify(request, key) != 1)
        return "its signature is wrong";
    X509_NAME *subject = X509_REQ_get_subject_name(request);
    const X509_NAME_ENTRY *entry = X509_NAME_get_entry(subject, 0);
    if (X509_NAME_entry_count(subject) != 1 || !entry ||
        OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) != NID_commonName)
        return "its subject is more or less than a common name";
    unsigned char *text = NULL;
    int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
    bool is_named = len > 0 && (size_t)len == strlen(name) && memcmp(text, name, (size_t)len) == 0;
    OPENSSL_free(text);
    return is_named ? NULL : "it is for another name";
}
