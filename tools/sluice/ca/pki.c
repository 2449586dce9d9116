/* X.509 by OpenSSL 3. */
#include "ca/pki.h"
#include <arpa/inet.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PEM_FILE_MAX 65536

static BIO *print_pem(const X509 *certificate, EVP_PKEY *key);
static enum sl_exit write_pem(const char *path, mode_t mode, const X509 *certificate,
                              EVP_PKEY *key);
static enum sl_exit lend_pem(const X509 *certificate, EVP_PKEY *key, int *fd);

static bool is_signed_by(const X509 *certificate, const X509 *authority);

/* An encrypted key would otherwise ask on the terminal and hang a service. */
static char no_pass_phrase[] = "";

/* --- pairs ---------------------------------------------------------------------------------- */

void sl_pki_free(struct sl_pki_pair *pair)
{
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
    *pair = (struct sl_pki_pair){NULL, NULL};
}

static size_t add_name(char *out, size_t at, const char *host)
{
    return at + (size_t)snprintf(out + at, SL_PKI_NAMES_MAX - at, ",%s:%s",
                                 sl_site_is_address(host) ? "IP" : "DNS", host);
}

void sl_pki_list_server_names(const struct sl_site *site, char out[SL_PKI_NAMES_MAX])
{
    const char *before = site->former_len > 0 ? site->former[site->former_len - 1].host : NULL;
    /* The first name is the one that nodes check; they never check an address. */
    size_t at = (size_t)snprintf(out, SL_PKI_NAMES_MAX, "DNS:%s", site->broker_name);
    bool has_loopback = sl_site_is_loopback(site->host);
    if (has_loopback)
        at +=
            (size_t)snprintf(out + at, SL_PKI_NAMES_MAX - at, ",DNS:localhost,IP:127.0.0.1,IP:::1");
    else
        at = add_name(out, at, site->host);
    /* Until everybody has moved. */
    if (before && strcmp(before, site->host) != 0 && !(has_loopback && sl_site_is_loopback(before)))
        add_name(out, at, before);
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
    return sl_pki_load_files(sl_path_join(folder, "certificate.pem").text,
                             sl_path_join(folder, "key.pem").text, pair);
}

enum sl_exit sl_pki_load_files(const char *certificate, const char *key, struct sl_pki_pair *pair)
{
    *pair = (struct sl_pki_pair){NULL, NULL};
    enum sl_exit code = sl_pki_load_certificate(certificate, &pair->certificate);
    if (code != SL_EXIT_DONE)
        return code;
    BIO *memory = open_pem(key, &code);
    if (!memory) {
        sl_pki_free(pair);
        return code;
    }
    pair->key = PEM_read_bio_PrivateKey(memory, NULL, NULL, no_pass_phrase);
    BIO_free(memory);
    if (!pair->key || X509_check_private_key(pair->certificate, pair->key) != 1) {
        sl_pki_free(pair);
        ERR_clear_error();
        return sl_cli_fail(SL_ERROR(KEY_BAD), key);
    }
    return SL_EXIT_DONE;
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

enum sl_exit sl_pki_check_today(const char *folder, const X509 *certificate, const X509 *authority)
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
    return sl_pki_unix_time(X509_get0_notBefore(certificate)) + SL_PKI_BACK_S;
}

uint64_t sl_pki_unix_time(const ASN1_TIME *asn1)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(asn1, &parts) != 1)
        return 0;
    time_t at = timegm(&parts);
    return at > 0 ? (uint64_t)at : 0;
}

enum sl_exit sl_pki_fail(const char *verb)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    enum sl_exit code = sl_cli_fail(SL_ERROR(OPENSSL), verb, reason ? reason : "OpenSSL failed");
    ERR_clear_error();
    return code;
}
