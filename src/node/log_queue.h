/* Log events on their way to the port. Pulled empty after every call on the node, so it is short;
 * when it is full all the same, the newest event is dropped: a log is never worth a zone. */
#ifndef SL_NODE_LOG_QUEUE_H
#define SL_NODE_LOG_QUEUE_H

#include "base/log.h"
#include <stdbool.h>

#define SL_LOG_QUEUE_LEN 8

struct sl_log_queue {
    struct sl_log_event events[SL_LOG_QUEUE_LEN];
    uint8_t first, len;
};

static inline void sl_log_push(struct sl_log_queue *queue, enum sl_log_code code, int32_t a,
                               int32_t b)
{
    if (queue->len == SL_LOG_QUEUE_LEN)
        return;
    queue->events[(queue->first + queue->len++) % SL_LOG_QUEUE_LEN] =
        (struct sl_log_event){.code = (uint16_t)code, .a = a, .b = b};
}

static inline bool sl_log_pop(struct sl_log_queue *queue, struct sl_log_event *event)
{
    if (queue->len == 0)
        return false;
    *event = queue->events[queue->first];
    queue->first = (uint8_t)((queue->first + 1) % SL_LOG_QUEUE_LEN);
    queue->len--;
    return true;
}

#endif
