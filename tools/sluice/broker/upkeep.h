/* Renewing in time what a site cannot live without: the revocation list, the broker's certificate,
 * the canaries. 'broker run' does it while it runs, 'sluice maintain' from a timer. */
#ifndef SL_CLI_UPKEEP_H
#define SL_CLI_UPKEEP_H

#include "site/site.h"

enum sl_upkeep_caller {
    SL_UPKEEP_SERVICE, /* nobody to ask for a passphrase; another command may hold the site's lock
                        */
    SL_UPKEEP_COMMAND  /* holds the site's lock */
};
struct sl_upkeep {
    bool has_list, has_server, has_canaries; /* what was renewed */
    bool is_locked; /* something is due, but the authority's key is locked or not here */
    long days;      /* until the first of list and certificate ends, as it was found */
};

/* Tells what it renews. Fails: SL_EXIT_REFUSED when something has ended and the key is locked. */
SL_MUST_CHECK enum sl_exit sl_upkeep_renew(const struct sl_site *site, enum sl_upkeep_caller caller,
                                           struct sl_upkeep *done);
bool sl_upkeep_is_renewed(const struct sl_upkeep *done);

/* The broker's certificate anew, for the names that the site has now. The caller holds the site's
 * lock, and writes the access list after it. */
struct sl_authority;
SL_MUST_CHECK enum sl_exit sl_upkeep_renew_server(const struct sl_site *site,
                                                  const struct sl_authority *authority);
/* The broker's access list anew; it is bound to what was renewed. */
SL_MUST_CHECK enum sl_exit sl_upkeep_write_acl(const struct sl_site *site);

#endif
