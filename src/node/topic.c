/* Topics below the node's base. */
#include "node/topic.h"

static struct sl_view write(struct sl_view base, const char *tail, uint8_t *out, size_t out_len)
{
    struct sl_writer writer = sl_writer_init(out, out_len);
    sl_write_view(&writer, base);
    sl_write_u8(&writer, '/');
    sl_write_view(&writer, sl_view_text(tail));
    return (struct sl_view){out, writer.failed ? 0 : sl_writer_len(&writer)};
}

struct sl_view sl_topic_write(struct sl_view base, const char *tail, uint8_t out[SL_TOPIC_MAX])
{
    return write(base, tail, out, SL_TOPIC_MAX);
}

struct sl_view sl_topic_filter(struct sl_view base, size_t number, uint8_t out[SL_TOPIC_FILTER_LEN])
{
    static const char *const tails[SL_TOPIC_FILTERS] = {"zone/on",    "zone/off",   "zone/status",
                                                        "zone/+/set", "cert/renew", "cert/issue"};
    return write(base, tails[number], out, SL_TOPIC_FILTER_LEN);
}
