/* Topics below the node's base. */
#ifndef SL_NODE_TOPIC_H
#define SL_NODE_TOPIC_H

#include "base/bytes.h"
#include "base/limits.h"

/* base, a slash, tail. An empty view when that is longer than SL_TOPIC_MAX. */
struct sl_view sl_topic_write(struct sl_view base, const char *tail, uint8_t out[SL_TOPIC_MAX]);

/* What a node subscribes to. It cannot do without the first four; a broker that knows of no renewal
 * may refuse the others. */
#define SL_TOPIC_COMMAND_FILTERS 4
#define SL_TOPIC_FILTERS         6
#define SL_TOPIC_FILTER_LEN      (SL_BASE_MAX + sizeof "/zone/status")
struct sl_view sl_topic_filter(struct sl_view base, size_t number,
                               uint8_t out[SL_TOPIC_FILTER_LEN]);

#endif
