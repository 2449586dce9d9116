/* Topic names and topic filters. Source: MQTT 5.0, section 4.7 (3.1.1: the same). */
#ifndef SL_MQTT_TOPIC_H
#define SL_MQTT_TOPIC_H

#include "mqtt/utf8.h"

/* 1..65535 bytes of valid UTF-8 without wildcard. */
static inline bool sl_topic_is_name(struct sl_view topic)
{
    return topic.len > 0 && sl_utf8_is_plain(topic);
}

/* 1..65535 bytes of valid UTF-8; + alone in its level, # alone in the last one. */
bool sl_topic_is_filter(struct sl_view filter);

#endif
