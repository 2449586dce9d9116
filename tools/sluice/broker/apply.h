/* Giving a running broker its files, so that it is never open: whole or not at all, then probed;
 * the last good ones when it does not obey, and no broker rather than one that is open. */
#ifndef SL_CLI_BROKER_APPLY_H
#define SL_CLI_BROKER_APPLY_H

#include "broker/set.h"

enum sl_apply_end { SL_APPLY_PROVEN, SL_APPLY_NOT_RUNNING, SL_APPLY_ROLLED_BACK, SL_APPLY_STOPPED };
struct sl_apply_report {
    enum sl_apply_end end;
    size_t written; /* files that were not the same before */
};

/* The caller holds the site's lock. Fails: SL_EXIT_REFUSED, the broker was rolled back or stopped;
 * SL_EXIT_FILES, nothing was given to it. */
SL_MUST_CHECK enum sl_exit sl_apply(const struct sl_set *set, const struct sl_site *site,
                                    struct sl_apply_report *report);
const char *sl_apply_text(enum sl_apply_end end);

/* The site's broker, wherever it is: that of 'broker run', or else the Mosquitto below the root
 * that 'broker install' wrote to last. *is_running: there is one, and the files are proven there.
 */
SL_MUST_CHECK enum sl_exit sl_apply_everywhere(const struct sl_site *site, bool *is_running);
/* Stop it: closed beats open. */
void sl_apply_stop(const struct sl_site *site);

/* Remember, and find, the root that 'broker install' wrote to; "" when there is none. */
SL_MUST_CHECK enum sl_exit sl_apply_remember(const struct sl_site *site, const char *root);
SL_MUST_CHECK enum sl_exit sl_apply_recall(const struct sl_site *site, struct sl_path *root);

#endif
