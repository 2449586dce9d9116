/* What wants to be published: availability, states, answers, refusals, reports.
 *
 * Wants are bits, not messages: a broker that is away or slow costs no memory, and what goes out is
 * true at the moment it goes.
 */
#ifndef SL_NODE_PUBLISH_H
#define SL_NODE_PUBLISH_H

#include "base/time.h"
#include "node/report.h"

#define SL_REPORT_BUSY_MS 60000  /* between reports while a zone is on */
#define SL_REPORT_IDLE_MS 900000 /* ... and otherwise */

struct sl_outbox {
    bool wants_online, wants_offline;
    bool wants_report;
    uint8_t unknown; /* zones whose retained state the broker has not got from us, bit z */
    uint8_t shown;   /* the state that was published last, bit z */
    sl_ms report_due;
};

struct sl_node;

/* A session was opened: everything that is retained wants to be published again. */
void sl_publish_reset(struct sl_node *node, sl_ms now);
/* Queue the next message. False: nothing wants out, or there is no room at present. */
bool sl_publish_next(struct sl_node *node, sl_ms now);
void sl_publish_tick(struct sl_node *node, sl_ms now);
void sl_publish_deadline(const struct sl_node *node, sl_ms now, bool *has, sl_ms *due);
/* The report as it is now, in out. */
struct sl_view sl_publish_report(const struct sl_node *node, sl_ms now, uint8_t *out,
                                 size_t out_len);

#endif
