/* The files of a renewal: a node's next certificate lies beside what the site knows of it until the
 * node says that it uses it; then it takes that place at a stroke.
 *
 *   nodes/.renewed.NAME/    node.json and certificate.pem, as nodes/NAME will be
 *
 * Until then the earlier certificate counts, and both stand in issued.log, so that 'node revoke'
 * reaches both.
 */
#ifndef SL_CLI_RENEWING_H
#define SL_CLI_RENEWING_H

#include "ca/image.h"

#define SL_RENEWING_A_DAY 3 /* certificates that the service makes for one node in 24 hours */

/* The answer to a request. */
struct sl_renewing {
    uint8_t grant[SL_GRANT_MAX];
    size_t len;
    uint64_t issued_s, not_after_s;
    bool is_again; /* the same request as before: the same certificate */
};

/* Check a request that came on the topic of node name, and make its certificate; the same one when
 * the request came before. Takes the site's lock.
 * a_day: no more than so many certificates of this name in 24 hours; 0: any number. may_ask: for
 * the CA's passphrase, on the terminal. Fails: SL_EXIT_REFUSED (the request, a revoked node, too
 * many; SITE_BUSY), SL_EXIT_USAGE (no such node), SL_EXIT_FILES; all were told. */
SL_MUST_CHECK enum sl_exit sl_renewing_answer(const struct sl_site *site, const char *name,
                                              struct sl_view request, unsigned a_day, bool may_ask,
                                              struct sl_renewing *renewing);

/* The node says that its certificate was issued at issued_s: when that is the next one, it is the
 * one that counts from now on. *is_done: it has just become so. */
SL_MUST_CHECK enum sl_exit sl_renewing_confirm(const struct sl_site *site, const char *name,
                                               uint64_t issued_s, bool *is_done);

#endif
