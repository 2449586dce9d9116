/* The site's revocation list, broker/crl.pem: the one record of whose certificates no longer count.
 *
 * While the site rolls over to a new authority the file has a list of each, because a broker wants
 * one of every authority that it accepts; both have the same entries.
 * Which certificates a name ever had stands in issued.log. The list is short-lived so that a copy
 * that nobody refreshes is noticed; 'sluice broker run' renews it long before it ends.
 * Source: RFC 5280, section 5.
 */
#ifndef SL_CLI_CRL_H
#define SL_CLI_CRL_H

#include "ca/authority.h"

#define SL_CRL_DAYS 30

/* The list of a site, by its current authority. Fails: SL_EXIT_FILES, unreadable, damaged, or not
 * one of each authority with the same entries. The caller frees it with X509_CRL_free. */
SL_MUST_CHECK enum sl_exit sl_crl_read(const struct sl_site *site,
                                       const struct sl_authority *authority, X509_CRL **crl);
/* Replace broker/crl.pem in folder by a new list with the entries of before (NULL: none) and those
 * of more (NULL: none) and the revoked canary, by each authority. The bytes are parsed and verified
 * before they get the name. */
SL_MUST_CHECK enum sl_exit sl_crl_write(const struct sl_authority *authority, const char *folder,
                                        X509_CRL *before, const STACK_OF(ASN1_INTEGER) * more);

/* The same with one certificate more. */
SL_MUST_CHECK enum sl_exit sl_crl_write_one(const struct sl_authority *authority,
                                            const char *folder, X509_CRL *before, const X509 *more);

/* Days until the list ends; 0: it has. And its last moment. */
long sl_crl_days_left(const X509_CRL *crl);
uint64_t sl_crl_not_after(const X509_CRL *crl);
bool sl_crl_has(X509_CRL *crl, const ASN1_INTEGER *serial);

/* The serials of every certificate that a node of this name ever had and that could still be used,
 * from issued.log and from nodes/NAME/certificate.pem, without those on the list and without keep
 * (NULL: none). *is_known: there ever was such a node. */
SL_MUST_CHECK enum sl_exit sl_crl_collect(const struct sl_site *site, const char *name,
                                          X509_CRL *crl, const ASN1_INTEGER *keep,
                                          STACK_OF(ASN1_INTEGER) * serials, bool *is_known);

/* The same of an operator, whose name is user. */
SL_MUST_CHECK enum sl_exit sl_crl_collect_operator(const struct sl_site *site, const char *user,
                                                   X509_CRL *crl, STACK_OF(ASN1_INTEGER) * serials);

/* Was there ever a node of this name? */
SL_MUST_CHECK enum sl_exit sl_crl_is_known(const struct sl_site *site, const char *name,
                                           bool *is_known);

/* What 'node list' and 'status' tell of the list: which nodes are on it, and its end. Warns when
 * nobody seems to renew it. */
SL_MUST_CHECK enum sl_exit sl_crl_mark(const struct sl_site *site, struct sl_site_nodes *nodes,
                                       uint64_t *not_after_s);

/* sl_site_find_nodes and then sl_crl_mark; nothing is to be freed on failure. */
SL_MUST_CHECK enum sl_exit sl_crl_find_nodes(const struct sl_site *site, const char *name,
                                             struct sl_site_nodes *nodes, uint64_t *not_after_s);

#endif
