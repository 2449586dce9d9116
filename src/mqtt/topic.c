/* Topic filters. */
#include "mqtt/topic.h"

bool sl_topic_is_filter(struct sl_view filter)
{
    if (filter.len == 0 || !sl_utf8_is_valid(filter))
        return false;
    for (size_t i = 0; i < filter.len; i++) {
        uint8_t c = filter.data[i];
        if (c != '+' && c != '#')
            continue;
        if (i > 0 && filter.data[i - 1] != '/')
            return false;
        if (i + 1 < filter.len && (c == '#' || filter.data[i + 1] != '/'))
            return false;
    }
    return true;
}
