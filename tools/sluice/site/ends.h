/* When each thing of a site ends: what 'status' warns of, by the days of terms.h. */
#ifndef SL_CLI_ENDS_H
#define SL_CLI_ENDS_H

#include "ca/pki.h"
#include "site/terms.h"

struct sl_end {
    enum sl_term term;
    sl_name name; /* of the operator or node; empty: there is one only */
    uint64_t not_after_s;
    long days; /* left; 0: it is over */
    enum sl_term_state state;
};
struct sl_ends {
    struct sl_end *list;
    size_t len;
};

/* The authorities, the broker's certificate, the revocation list, the operators' and the nodes'
 * certificates; of nodes that are not revoked. What cannot be read is left out: the doctor tells of
 * it. Fails: SL_EXIT_FILES, out of memory. */
SL_MUST_CHECK enum sl_exit sl_ends_read(const struct sl_site *site,
                                        const struct sl_site_nodes *nodes, struct sl_ends *ends);
void sl_ends_free(struct sl_ends *ends);
/* A line on stderr for each that ends soon, but for nodes and the revocation list: those are told
 * of where they are shown. */
void sl_ends_warn(const struct sl_ends *ends);
/* An array of objects: what, name, last_day, days_left, state. */
struct cJSON;
struct cJSON *sl_ends_describe(const struct sl_ends *ends);

#endif
