/* Keys and certificates as files: P-256 with ECDSA-SHA256, by OpenSSL.
 *
 * An authority signs end entities only (path length 0). Extended key usage is not critical: BearSSL
 * refuses a critical one. Who signs: authority.h; what is signed: issue.h.
 * Source: RFC 5280, sections 4.1 and 4.2; of locked keys: RFC 5958, RFC 8018, RFC 7914.
 */
#ifndef SL_CLI_PKI_H
#define SL_CLI_PKI_H

#include "base/bytes.h"
#include "site/site.h"
#include "store/identity.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

enum sl_pki_purpose {
    SL_PKI_AUTHORITY,
    SL_PKI_SERVER,
    SL_PKI_OPERATOR,
    SL_PKI_NODE,
    SL_PKI_CANARY, /* canary.h */
    SL_PKI_VISITOR /* comes once in a node's name, from this program */
};

#define SL_PKI_AUTHORITY_DAYS 7305 /* 20 years */
#define SL_PKI_SERVER_DAYS                                                                         \
    89 /* 90 with the day back; nodes check no CRL, so a short life is the control */
#define SL_PKI_LEAF_DAYS    1095 /* 3 years */
#define SL_PKI_VISITOR_DAYS 2    /* one to be used, one for a broker whose clock is fast */
#define SL_PKI_BACK_S       86400 /* certificates begin a day back: the clock of a peer may be slow */
#define SL_PKI_NAMES_MAX    900   /* three host names and their marks */

/* A certificate and its key. */
struct sl_pki_pair {
    X509 *certificate;
    EVP_PKEY *key;
};
void sl_pki_free(struct sl_pki_pair *pair);

/* The names of the broker's certificate: the one that nodes expect, and where clients dial, now and
 * before 'broker move'. On a loopback site every name of the loopback. */
void sl_pki_list_server_names(const struct sl_site *site, char out[SL_PKI_NAMES_MAX]);

/* key.pem (0600, first) and certificate.pem in folder. */
SL_MUST_CHECK enum sl_exit sl_pki_save(const struct sl_pki_pair *pair, const char *folder);
SL_MUST_CHECK enum sl_exit sl_pki_save_certificate(const struct sl_pki_pair *pair,
                                                   const char *folder);
SL_MUST_CHECK enum sl_exit sl_pki_load_certificate(const char *path, X509 **certificate);

/* A pair as files that lie in memory, are at no path and end with the process: for a library that
 * only reads files (/proc/self/fd/N). */
struct sl_pki_lent {
    int certificate_fd, key_fd; /* -1: none */
};
SL_MUST_CHECK enum sl_exit sl_pki_lend(const struct sl_pki_pair *pair, struct sl_pki_lent *lent);
void sl_pki_take_back(struct sl_pki_lent *lent);

/* Both files, which must belong together; the dates are not looked at. */
SL_MUST_CHECK enum sl_exit sl_pki_load(const char *folder, struct sl_pki_pair *pair);
SL_MUST_CHECK enum sl_exit sl_pki_load_files(const char *certificate, const char *key,
                                             struct sl_pki_pair *pair);

/* A key as its file has it: open, or locked by a passphrase (PKCS#8 with scrypt). */
struct sl_pki_locked {
    EVP_PKEY *key;    /* NULL while it is locked */
    X509_SIG *locked; /* NULL when it never was */
};
SL_MUST_CHECK enum sl_exit sl_pki_load_key(const char *path, struct sl_pki_locked *key);
bool sl_pki_unlock(struct sl_pki_locked *key, const char *passphrase, size_t len);
void sl_pki_free_key(struct sl_pki_locked *key);
/* Mode 0600; len 0: not locked. */
SL_MUST_CHECK enum sl_exit sl_pki_save_key(const char *path, EVP_PKEY *key, const char *passphrase,
                                           size_t len);

/* Is der the certificate in this PEM file? */
SL_MUST_CHECK enum sl_exit sl_pki_is_same(const char *path, struct sl_view der, bool *is_same);

/* Days until the end; 0 when it is over, not yet begun, or not signed by authority. */
long sl_pki_days_left(const X509 *certificate, const X509 *authority);
/* Says of folder/certificate.pem what keeps it from being used today. */
SL_MUST_CHECK enum sl_exit sl_pki_check_today(const char *folder, const X509 *certificate,
                                              const X509 *authority);
uint64_t sl_pki_not_after(const X509 *certificate);
/* When we made it: a day after its beginning, which lies back for slow clocks. */
uint64_t sl_pki_issued(const X509 *certificate);
/* The same for any two dates: whole days, one begun counts; and a date in seconds, 0: unreadable.
 */
long sl_pki_days_until(const ASN1_TIME *from, const ASN1_TIME *until);
uint64_t sl_pki_unix_time(const ASN1_TIME *asn1);

/* "cannot VERB", with the reason that OpenSSL tells; gives SL_EXIT_FILES. */
enum sl_exit sl_pki_fail(const char *verb);

#endif
