/* Keys, certificates and the revocation list of a site: P-256 with ECDSA-SHA256, by OpenSSL.
 *
 * One certificate authority that signs end entities only (path length 0). Every end entity has
 * exactly one purpose, an alternative name of a shape that no other purpose has, and a random
 * serial of 128 bits. Extended key usage is not critical: BearSSL refuses a critical one.
 * Source: RFC 5280, sections 4.1, 4.2 and 5.
 */
#ifndef SL_CLI_PKI_H
#define SL_CLI_PKI_H

#include "site.h"
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
#define SL_PKI_VISITOR_DAYS 1
#define SL_PKI_NAMES_MAX    640 /* two host names and their marks */

/* A certificate and its key. */
struct sl_pki_pair {
    X509 *certificate;
    EVP_PKEY *key;
};
void sl_pki_free(struct sl_pki_pair *pair);

/* Make a key, unless pair has one, and a certificate for it, signed by authority (by itself, when
 * that is NULL).
 * names: subject alternative names as OpenSSL writes them ("DNS:a,IP:1.2.3.4"); NULL: none.
 * The issue is written to issued.log in folder first. */
SL_MUST_CHECK enum sl_exit sl_pki_issue(const struct sl_pki_pair *authority, const char *folder,
                                        enum sl_pki_purpose purpose, const char *name,
                                        const char *names, struct sl_pki_pair *pair);
/* The names of the broker's certificate: the one that nodes expect, and where clients dial. On a
 * loopback site every name of the loopback. */
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
/* The authority's own: self-signed, a CA, valid today. */
SL_MUST_CHECK enum sl_exit sl_pki_load_authority(const struct sl_site *site,
                                                 struct sl_pki_pair *authority);

/* Are an operator's files whole, of this site, and valid today? Gives their end. */
SL_MUST_CHECK enum sl_exit sl_pki_check_operator(const struct sl_site *site, const char *user,
                                                 uint64_t *not_after_s);
/* Is der the certificate in this PEM file? */
SL_MUST_CHECK enum sl_exit sl_pki_is_same(const char *path, struct sl_view der, bool *is_same);

/* Days until the end; 0 when it is over, not yet begun, or not signed by authority. */
long sl_pki_days_left(const X509 *certificate, const X509 *authority);
uint64_t sl_pki_not_after(const X509 *certificate);
/* When we made it: a day after its beginning, which lies back for slow clocks. */
uint64_t sl_pki_issued(const X509 *certificate);
/* The same for any two dates: whole days, one begun counts; and a date in seconds, 0: unreadable.
 */
long sl_pki_days_until(const ASN1_TIME *from, const ASN1_TIME *until);
uint64_t sl_pki_unix_time(const ASN1_TIME *asn1);

/* "cannot VERB", with the reason that OpenSSL tells; gives SL_EXIT_FILES. */
enum sl_exit sl_pki_fail(const char *verb);

/* The identity image of a node in image[SL_IDENTITY_MAX]. */
SL_MUST_CHECK enum sl_exit sl_pki_encode_identity(const struct sl_site *site,
                                                  const struct sl_site_node *node,
                                                  const struct sl_pki_pair *authority,
                                                  const struct sl_pki_pair *pair, uint8_t *image,
                                                  size_t *len);

#endif
