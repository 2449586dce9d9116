/* doctor --config: the certificates, keys and lists of somebody else's broker. */
#include "ca/crl.h"
#include "doctor/doctor.h"
#include "site/terms.h"
#include <dirent.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX_LEN    262144 /* bytes of a PEM file; a bundle of public authorities is larger */
#define AUTHORITIES_MAX 256
#define BESIDE_MAX      256 /* files that are looked at */
#define LONG_DAYS       398 /* as long as a browser takes a server's */
#define RSA_BITS        2048
#define EC_BITS         224

/* What lies in the folders of the certificates. */
struct beside {
    struct sl_doctor *doctor;
    X509 *authority; /* NULL: none */
    X509 *list[BESIDE_MAX];
    char *paths[BESIDE_MAX];
    size_t len, seen;
};

static STACK_OF(X509) * read_certificates(struct sl_doctor *doctor, const char *path);
static BIO *read_pem(const char *path);
static void judge_certificate(struct sl_doctor *doctor, const char *path, X509 *certificate);
static void judge_key_size(struct sl_doctor *doctor, const char *path, X509 *certificate);
static void judge_server(struct sl_doctor *doctor, const char *path, X509 *certificate,
                         X509 *authority);
static void judge_authorities(struct sl_doctor *doctor, const char *path,
                              STACK_OF(X509) * authorities);
static void judge_key(struct sl_doctor *doctor, const char *path, X509 *certificate);
static void judge_crl(struct sl_doctor *doctor, const char *path, X509 *authority);
static void look_beside(struct beside *beside, const char *path);
static void take_beside(struct beside *beside, const char *path);
static void tell_names(const struct beside *beside);
static void take_name(X509 *certificate, char name[64]);
static EVP_PKEY *read_key(const char *path);
/* OpenSSL would otherwise ask on the terminal. */
static char no_pass_phrase[] = "";

void sl_doctor_judge_conf_pki(struct sl_doctor *doctor, const struct sl_conf_pki *pki)
{
    STACK_OF(X509) *chain = pki->certificate ? read_certificates(doctor, pki->certificate) : NULL;
    STACK_OF(X509) *authorities =
        pki->authorities ? read_certificates(doctor, pki->authorities) : NULL;
    X509 *authority = sk_X509_num(authorities) > 0 ? sk_X509_value(authorities, 0) : NULL;
    X509 *server = sk_X509_num(chain) > 0 ? sk_X509_value(chain, 0) : NULL;
    if (server)
        judge_server(doctor, pki->certificate, server, authority);
    if (authority)
        judge_authorities(doctor, pki->authorities, authorities);
    if (server && pki->key)
        judge_key(doctor, pki->key, server);
    if (pki->crl)
        judge_crl(doctor, pki->crl, authority);

    struct beside beside = {.doctor = doctor, .authority = authority};
    const char *const paths[] = {pki->certificate, pki->authorities};
    for (size_t i = 0; i < 2; i++)
        if (paths[i])
            look_beside(&beside, paths[i]);
    tell_names(&beside);
    for (size_t i = 0; i < beside.len; i++) {
        X509_free(beside.list[i]);
        free(beside.paths[i]);
    }
    sk_X509_pop_free(chain, X509_free);
    sk_X509_pop_free(authorities, X509_free);
    ERR_clear_error();
}

/* --- reading -------------------------------------------------------------------------------- */

static STACK_OF(X509) * read_certificates(struct sl_doctor *doctor, const char *path)
{
    STACK_OF(X509) *list = sk_X509_new_null();
    BIO *memory = read_pem(path);
    X509 *one = NULL;
    while (memory && list && sk_X509_num(list) < AUTHORITIES_MAX &&
           (one = PEM_read_bio_X509_AUX(memory, NULL, NULL, no_pass_phrase)))
        if (sk_X509_push(list, one) <= 0)
            X509_free(one);
    BIO_free(memory);
    ERR_clear_error();
    if (sk_X509_num(list) < 1)
        sl_doctor_find(doctor, SL_CHECK_CONF_CERTIFICATE_BROKEN, (struct sl_place){.path = path},
                       "no certificate in it");
    return list;
}

static BIO *read_pem(const char *path)
{
    struct sl_cli_told told = {.is_told = false};
    struct sl_bytes bytes;
    sl_cli_listen(&told);
    enum sl_exit code = sl_file_read(path, FILE_MAX_LEN, &bytes);
    sl_cli_listen(NULL);
    if (code != SL_EXIT_DONE)
        return NULL;
    BIO *memory = BIO_new(BIO_s_secmem());
    if (memory && BIO_write(memory, bytes.data, (int)bytes.len) != (int)bytes.len) {
        BIO_free(memory);
        memory = NULL;
    }
    sl_bytes_free(&bytes);
    return memory;
}

/* NULL: none, or an encrypted one. */
static EVP_PKEY *read_key(const char *path)
{
    BIO *memory = read_pem(path);
    EVP_PKEY *key = memory ? PEM_read_bio_PrivateKey(memory, NULL, NULL, no_pass_phrase) : NULL;
    BIO_free(memory);
    ERR_clear_error();
    return key;
}

/* --- one certificate ------------------------------------------------------------------------ */

static void judge_certificate(struct sl_doctor *doctor, const char *path, X509 *certificate)
{
    const struct sl_place place = {.path = path};
    const ASN1_TIME *from = X509_get0_notBefore(certificate);
    const ASN1_TIME *until = X509_get0_notAfter(certificate);
    long left = sl_pki_days_until(from, until);
    int life = 0, seconds = 0;
    char day[16];
    sl_site_print_date(day, sl_pki_unix_time(until));
    (void)ASN1_TIME_diff(&life, &seconds, from, until);
    if (left == 0)
        sl_doctor_find(doctor, SL_CHECK_CONF_CERTIFICATE_OVER, place, "its last day is %s", day);
    else if (left < life / 3)
        sl_doctor_find(doctor, SL_CHECK_CONF_CERTIFICATE_ENDS, place,
                       "its last day is %s, in %ld days", day, left);
    judge_key_size(doctor, path, certificate);
    int digest = NID_undef;
    (void)X509_get_signature_info(certificate, &digest, NULL, NULL, NULL);
    bool is_own = X509_self_signed(certificate, 1) == 1; /* nobody verifies an anchor's own */
    if (!is_own && (digest == NID_md5 || digest == NID_sha1 || digest == NID_md4))
        sl_doctor_find(doctor, SL_CHECK_CONF_SIGNATURE_WEAK, place, "signed with %s",
                       OBJ_nid2sn(digest));
}

static void judge_key_size(struct sl_doctor *doctor, const char *path, X509 *certificate)
{
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    if (!key)
        return;
    int bits = EVP_PKEY_get_bits(key), kind = EVP_PKEY_get_base_id(key);
    bool is_rsa = kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS;
    if ((is_rsa && bits < RSA_BITS) || (kind == EVP_PKEY_EC && bits < EC_BITS))
        sl_doctor_find(doctor, SL_CHECK_CONF_KEY_SHORT, (struct sl_place){.path = path},
                       "%s of %d bits", is_rsa ? "RSA" : "EC", bits);
}

static void judge_server(struct sl_doctor *doctor, const char *path, X509 *certificate,
                         X509 *authority)
{
    const struct sl_place place = {.path = path};
    judge_certificate(doctor, path, certificate);
    int life = 0, seconds = 0;
    (void)ASN1_TIME_diff(&life, &seconds, X509_get0_notBefore(certificate),
                         X509_get0_notAfter(certificate));
    if (life > LONG_DAYS)
        sl_doctor_find(doctor, SL_CHECK_CONF_CERTIFICATE_LONG, place, "%d days", life);
    uint32_t purposes = X509_get_extended_key_usage(certificate); /* all of them when it has none */
    bool is_server = purposes & XKU_SSL_SERVER, is_client = purposes & XKU_SSL_CLIENT;
    if (!is_server)
        sl_doctor_find(doctor, SL_CHECK_CONF_PURPOSE_WRONG, place, "extendedKeyUsage has no %s",
                       "serverAuth");
    else if (is_client)
        sl_doctor_find(doctor, SL_CHECK_CONF_PURPOSE_BOTH, place, "%s",
                       purposes == UINT32_MAX ? "no extendedKeyUsage"
                                              : "extendedKeyUsage serverAuth and clientAuth");
    if (X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) < 0)
        sl_doctor_find(doctor, SL_CHECK_CONF_NO_HOST_NAME, place, "no subjectAltName");
    bool is_authority = authority && X509_cmp(certificate, authority) == 0;
    if (is_authority || X509_self_signed(certificate, 1) == 1)
        sl_doctor_find(doctor, SL_CHECK_CONF_SELF_SIGNED, place, "%s",
                       is_authority ? "cafile names the same certificate" : "self-signed");
}

static void judge_authorities(struct sl_doctor *doctor, const char *path,
                              STACK_OF(X509) * authorities)
{
    const struct sl_place place = {.path = path};
    int roots = 0;
    for (int i = 0; i < sk_X509_num(authorities); i++)
        roots += X509_self_signed(sk_X509_value(authorities, i), 1) == 1;
    if (roots > 2) { /* two: one takes over from the other */
        sl_doctor_find(doctor, SL_CHECK_CONF_AUTHORITIES_MANY, place, "%d of them", roots);
        return;
    }
    for (int i = 0; i < sk_X509_num(authorities); i++) {
        X509 *one = sk_X509_value(authorities, i);
        judge_certificate(doctor, path, one);
        if (X509_check_ca(one) != 1)
            sl_doctor_find(doctor, SL_CHECK_CONF_AUTHORITY_NONE, place,
                           "no basicConstraints CA:TRUE with keyCertSign");
    }
}

static void judge_key(struct sl_doctor *doctor, const char *path, X509 *certificate)
{
    EVP_PKEY *key = read_key(path);
    if (key && X509_check_private_key(certificate, key) != 1)
        sl_doctor_find(doctor, SL_CHECK_CONF_KEY_FOREIGN, (struct sl_place){.path = path},
                       "its public half is another one");
    EVP_PKEY_free(key);
    ERR_clear_error();
}

static void judge_crl(struct sl_doctor *doctor, const char *path, X509 *authority)
{
    const struct sl_place place = {.path = path};
    BIO *memory = read_pem(path);
    X509_CRL *crl = memory ? PEM_read_bio_X509_CRL(memory, NULL, NULL, NULL) : NULL;
    BIO_free(memory);
    char day[16];
    int life = 0, seconds = 0;
    sl_site_print_date(day, crl ? sl_crl_not_after(crl) : 0);
    if (!crl)
        sl_doctor_find(doctor, SL_CHECK_CONF_CRL_BROKEN, place, "no list in it");
    else if (authority && X509_CRL_verify(crl, X509_get0_pubkey(authority)) != 1)
        sl_doctor_find(doctor, SL_CHECK_CONF_CRL_OVER, place, "cafile's key did not sign it");
    else if (sl_crl_days_left(crl) == 0)
        sl_doctor_find(doctor, SL_CHECK_CONF_CRL_OVER, place, "it ended on %s", day);
    else if (ASN1_TIME_diff(&life, &seconds, X509_CRL_get0_lastUpdate(crl),
                            X509_CRL_get0_nextUpdate(crl)) == 1 &&
             sl_crl_days_left(crl) <= life / 2)
        sl_doctor_find(doctor, SL_CHECK_CONF_CRL_HALF, place, "it ends on %s, in %ld days", day,
                       sl_crl_days_left(crl));
    X509_CRL_free(crl);
    ERR_clear_error();
}

/* --- what lies beside ----------------------------------------------------------------------- */

static void look_beside(struct beside *beside, const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    struct dirent **entries = NULL;
    int len = scandir(slash ? folder : ".", &entries, NULL, alphasort);
    for (int i = 0; i < len; i++) {
        if (entries[i]->d_name[0] != '.')
            take_beside(beside, sl_path_join(slash ? folder : ".", entries[i]->d_name).text);
        free(entries[i]);
    }
    free(entries);
}

static void take_beside(struct beside *beside, const char *path)
{
    struct stat about;
    if (++beside->seen > BESIDE_MAX)
        return;
    for (size_t i = 0; i < beside->len; i++)
        if (strcmp(beside->paths[i], path) == 0)
            return;
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size > FILE_MAX_LEN)
        return;
    EVP_PKEY *key = read_key(path);
    if (key && beside->authority && X509_check_ca(beside->authority) == 1 &&
        EVP_PKEY_eq(key, X509_get0_pubkey(beside->authority)) == 1)
        sl_doctor_find(beside->doctor, SL_CHECK_CONF_AUTHORITY_KEY, (struct sl_place){.path = path},
                       "it signs like the certificate in cafile");
    EVP_PKEY_free(key);
    BIO *memory = read_pem(path);
    X509 *one = memory ? PEM_read_bio_X509_AUX(memory, NULL, NULL, no_pass_phrase) : NULL;
    BIO_free(memory);
    ERR_clear_error();
    char *copy = one ? strdup(path) : NULL;
    if (!copy) {
        X509_free(one);
        free(copy);
        return;
    }
    beside->list[beside->len] = one;
    beside->paths[beside->len++] = copy;
}

/* Different keys under one name, each signed by the same authority. */
static void tell_names(const struct beside *beside)
{
    for (size_t i = 0; i < beside->len; i++) {
        X509 *one = beside->list[i];
        char name[64];
        take_name(one, name);
        for (size_t k = 0; k < i && X509_check_ca(one) != 1; k++) {
            X509 *other = beside->list[k];
            char second[64];
            take_name(other, second);
            if (name[0] == '\0' || strcmp(name, second) != 0 || X509_check_ca(other) == 1 ||
                X509_NAME_cmp(X509_get_issuer_name(one), X509_get_issuer_name(other)) != 0 ||
                EVP_PKEY_eq(X509_get0_pubkey(one), X509_get0_pubkey(other)) == 1)
                continue;
            const char *slash = strrchr(beside->paths[k], '/');
            sl_doctor_find(beside->doctor, SL_CHECK_CONF_ONE_NAME,
                           (struct sl_place){.path = beside->paths[i], .name = name},
                           "the name '%s' stands in %.100s too", name,
                           slash ? slash + 1 : beside->paths[k]);
            break;
        }
    }
}

static void take_name(X509 *certificate, char name[64])
{
    char text[64] = "";
    (void)X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text,
                                    sizeof text);
    sl_cli_clean(name, 64, text, strlen(text));
}
