/* Topics below the node's base. */
#ifndef SL_NODE_TOPIC_H
#define SL_NODE_TOPIC_H

#include "base/bytes.h"
#include "base/limits.h"

/* base, a slash, tail. An empty view when that is longer than out_len. */
static inline struct sl_view sl_topic_write_into(struct sl_view base, const char *tail,
                                                 uint8_t *out, size_t out_len)
{
    struct sl_writer writer = sl_writer_init(out, out_len);
    sl_write_view(&writer, base);
    sl_write_u8(&writer, '/');
    sl_write_view(&writer, sl_view_text(tail));
    return (struct sl_view){out, writer.failed ? 0 : sl_writer_len(&writer)};
}

static inline struct sl_view sl_topic_write(struct sl_view base, const char *tail,
                                            uint8_t out[SL_TOPIC_MAX])
{
    return sl_topic_write_into(base, tail, out, SL_TOPIC_MAX);
}

#endif
