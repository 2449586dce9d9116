/* The checks of a broker's files, in the order that a person reads. */
#ifndef SL_CLI_BROKER_CHECK_H
#define SL_CLI_BROKER_CHECK_H

#include "broker/set.h"

/* Static checks, then a trial. site NULL: none is at hand. */
SL_MUST_CHECK enum sl_exit sl_broker_check(const struct sl_set *set, const struct sl_site *site,
                                           struct sl_results *results);
/* A line for each, coloured on a terminal; or members of json. */
void sl_results_print(const struct sl_results *results);
struct cJSON;
void sl_results_describe(const struct sl_results *results, struct cJSON *json);

#endif
