/* The table of lives. */
#include "site/terms.h"
#include "ca/crl.h"

/* What renews itself is told of when it did not: a revocation list at half of its life, the
 * broker's certificate when two weeks of retries came to nothing. A node renews at two thirds. An
 * authority must outlast what it signs. */
const struct sl_term_days sl_terms[] = {
    [SL_TERM_AUTHORITY] = {"authority", SL_PKI_AUTHORITY_DAYS, 0, 2 * SL_PKI_LEAF_DAYS,
                           SL_PKI_LEAF_DAYS},
    [SL_TERM_SERVER] = {"broker certificate", SL_PKI_SERVER_DAYS, 30, 15, 7},
    [SL_TERM_OPERATOR] = {"operator certificate", SL_PKI_LEAF_DAYS, 0, SL_PKI_LEAF_DAYS / 3, 14},
    [SL_TERM_NODE] = {"node certificate", SL_PKI_LEAF_DAYS, SL_PKI_LEAF_DAYS / 3,
                      SL_PKI_LEAF_DAYS / 3, 14},
    [SL_TERM_CANARY] = {"canary certificate", SL_PKI_LEAF_DAYS, SL_PKI_LEAF_DAYS / 3,
                        SL_PKI_LEAF_DAYS / 6, 14},
    [SL_TERM_CRL] = {"revocation list", SL_CRL_DAYS, 20, SL_CRL_DAYS / 2, 5},
};

enum sl_term_state sl_term_judge(enum sl_term term, long days_left)
{
    const struct sl_term_days *days = &sl_terms[term];
    return days_left <= 0             ? SL_TERM_OVER
           : days_left < days->urgent ? SL_TERM_URGENT
           : days_left < days->warn   ? SL_TERM_SOON
                                      : SL_TERM_FINE;
}

const char *sl_term_text(enum sl_term_state state)
{
    static const char *const texts[] = {"fine", "soon", "urgent", "over"};
    return texts[state];
}
