/* Two certificates by which a site finds out what its own broker does: a good one, and one that is
 * on every revocation list. No node can have their names, which begin with a capital letter.
 *
 * The broker's access list gives the good one four topics below "sluice/": one that it may only
 * read, one that it may only write, one that nobody has, and one whose name is made from the
 * broker's files, the mark. Who hears himself under the mark knows that these files are in force.
 */
#ifndef SL_CLI_CANARY_H
#define SL_CLI_CANARY_H

#include "ca/authority.h"

#define SL_CANARY_GOOD       "Canary"
#define SL_CANARY_REVOKED    "Canary-revoked"
#define SL_CANARY_ALL        "sluice/#"
#define SL_CANARY_READ_ONLY  "sluice/canary/read-only"
#define SL_CANARY_WRITE_ONLY "sluice/canary/write-only"
#define SL_CANARY_NOBODYS    "sluice/foreign"
#define SL_CANARY_MARK       "sluice/canary/mark-"
#define SL_CANARY_MARK_LEN   16 /* hexadecimal digits behind it */

struct sl_canaries {
    struct sl_pki_pair good, revoked;
};
void sl_canary_free(struct sl_canaries *canaries);

/* Make both in folder/canary, which is made too. The caller frees *canaries, and puts the revoked
 * one on the list. */
SL_MUST_CHECK enum sl_exit sl_canary_make(const struct sl_authority *authority, const char *folder,
                                          struct sl_canaries *canaries);
/* Those of a site. Fails: SL_EXIT_FILES, also when a site of an earlier version has none. */
SL_MUST_CHECK enum sl_exit sl_canary_load(const struct sl_site *site, struct sl_canaries *canaries);
/* The same again while it is there and lasts; else new ones, the revoked one on the list first.
 * *is_new: the list has changed. The caller holds the site's lock. */
SL_MUST_CHECK enum sl_exit sl_canary_renew(const struct sl_site *site,
                                           const struct sl_authority *authority, bool *is_new);
/* Would sl_canary_renew do something? */
bool sl_canary_is_due(const struct sl_site *site, const struct sl_authority *authority);

#endif
