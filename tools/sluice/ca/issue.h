/* Making certificates: the one place where the authority's key signs them.
 *
 * Every end entity has exactly one purpose, an alternative name of a shape that no other purpose
 * has, and a random serial of 128 bits. Every certificate stands in issued.log before anybody gets
 * it. Source: RFC 5280, sections 4.1 and 4.2; of requests: RFC 2986.
 */
#ifndef SL_CLI_ISSUE_H
#define SL_CLI_ISSUE_H

#include "ca/authority.h"

#define SL_ISSUE_REQUEST_MAX 1024 /* bytes of a request; one of ours has some 250 */

/* Make a key, unless pair has one, and a certificate for it.
 * names: subject alternative names as OpenSSL writes them ("DNS:a,IP:1.2.3.4"); NULL: none.
 * folder: the site's, for issued.log. */
SL_MUST_CHECK enum sl_exit sl_issue_certificate(const struct sl_authority *authority,
                                                const char *folder, enum sl_pki_purpose purpose,
                                                const char *name, const char *names,
                                                struct sl_pki_pair *pair);
/* A new authority, signed by itself. Its name differs from that of every other. */
SL_MUST_CHECK enum sl_exit sl_issue_authority(const char *folder, struct sl_pki_pair *pair);

/* The certificate of a node that made its own key. Nothing of the request but the key gets into it.
 * request: PKCS#10 in DER, from anybody: P-256, signed with ECDSA-SHA256 by its own key, named like
 * the node and nothing else, and of a key that the journal knows of no other name. The same node
 * may send the same request again.
 * Requires: the caller holds the site's lock, and has seen to it that this node may have one.
 * Gives:    *certificate, which the caller frees; NULL on failure.
 * Fails:    SL_EXIT_REFUSED after saying what is wrong with the request; SL_EXIT_FILES. */
SL_MUST_CHECK enum sl_exit sl_issue_for_request(const struct sl_authority *authority,
                                                const char *folder, const char *name,
                                                struct sl_view request, X509 **certificate);

/* The same for a certificate of another purpose, whose names the caller knows. */
SL_MUST_CHECK enum sl_exit sl_issue_for_request_as(const struct sl_authority *authority,
                                                   const char *folder, enum sl_pki_purpose purpose,
                                                   const char *name, const char *names,
                                                   struct sl_view request, X509 **certificate);

/* The journal's line of a certificate that the CA's own machine has signed, unless it has one. */
SL_MUST_CHECK enum sl_exit sl_issue_record(const char *folder, enum sl_pki_purpose purpose,
                                           const char *name, const X509 *certificate);

/* "node", "broker", ...: as issued.log has it. */
const char *sl_issue_purpose_text(enum sl_pki_purpose purpose);

#endif
