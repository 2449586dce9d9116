/* Encoding: the length is known first, so the bytes are written once and without checks. */
#include "mqtt/encode.h"
#include "mqtt/topic.h"
#include "mqtt/utf8.h"

/* Apart: it is written at three places. */
static __attribute__((noinline)) uint8_t *put_u32(uint8_t *p, uint32_t value)
{
    return sl_mqtt_put_u16(sl_mqtt_put_u16(p, value >> 16), value);
}

uint8_t *sl_mqtt_put_varint(uint8_t *p, uint32_t value)
{
    for (; value >= 0x80; value >>= 7)
        *p++ = (uint8_t)(value | 0x80);
    *p++ = (uint8_t)value;
    return p;
}

uint32_t sl_mqtt_packet_len(uint32_t remaining)
{
    uint32_t len = 2 + remaining;
    while (remaining >>= 7)
        len++;
    return len;
}

/* Properties of a message: the same in PUBLISH and in the will. */

static uint32_t text_property_len(struct sl_view text)
{
    return text.len > 0 ? 3 + (uint32_t)text.len : 0;
}

static uint32_t list_len(const struct sl_mqtt_message *message)
{
    return (message->is_text ? 2U : 0) + (message->has_expiry ? 5U : 0) +
           text_property_len(message->content_type) + text_property_len(message->response_topic) +
           text_property_len(message->correlation);
}

static uint8_t *put_text_property(uint8_t *p, uint8_t id, struct sl_view text)
{
    if (text.len == 0)
        return p;
    *p++ = id;
    return sl_mqtt_put_text(p, text);
}

uint32_t sl_mqtt_properties_len(const struct sl_mqtt_message *message)
{
    return sl_mqtt_packet_len(list_len(message)) - 1;
}

uint8_t *sl_mqtt_put_properties(uint8_t *p, const struct sl_mqtt_message *message)
{
    uint32_t len = list_len(message);
    p = sl_mqtt_put_varint(p, len);
    if (len == 0)
        return p;
    if (message->is_text) {
        *p++ = 0x01; /* payload format indicator */
        *p++ = 1;
    }
    if (message->has_expiry) {
        *p++ = 0x02; /* message expiry interval */
        p = put_u32(p, message->expiry_s);
    }
    p = put_text_property(p, 0x03, message->content_type);
    p = put_text_property(p, 0x08, message->response_topic);
    return put_text_property(p, 0x09, message->correlation);
}

bool sl_mqtt_message_is_valid(const struct sl_mqtt_message *message)
{
    if (message->qos > 2 || message->topic.len == 0 || message->correlation.len > UINT16_MAX)
        return false;
    if (!sl_utf8_is_simple(message->topic.data, message->topic.len) &&
        !sl_topic_is_name(message->topic))
        return false;
    if (message->response_topic.len > 0 && !sl_topic_is_name(message->response_topic))
        return false;
    return message->content_type.len == 0 || sl_utf8_is_valid(message->content_type);
}

/* Session expiry interval, receive maximum, maximum packet size. */
#define CONNECT_PROPERTIES_LEN (5 + 3 + 5)

uint32_t sl_mqtt_connect_len(const struct sl_mqtt_config *config)
{
    const struct sl_mqtt_message *will = &config->will;
    uint32_t len = 10 + 2 + (uint32_t)config->client_id.len;
    if (will->topic.len > 0)
        len += 4 + (uint32_t)(will->topic.len + will->payload.len);
    if (config->version == SL_MQTT_V5) {
        len += 1 + CONNECT_PROPERTIES_LEN;
        if (will->topic.len > 0)
            len += sl_mqtt_properties_len(will);
    }
    return len;
}

void sl_mqtt_encode_connect(uint8_t *out, uint32_t remaining, const struct sl_mqtt_config *config,
                            bool clean_start, uint16_t receive_max, uint32_t packet_max)
{
    static const uint8_t name[] = {0, 4, 'M', 'Q', 'T', 'T'};
    const struct sl_mqtt_message *will = &config->will;
    bool has_will = will->topic.len > 0;
    uint8_t flags = clean_start ? 0x02 : 0;
    if (has_will)
        flags |= (uint8_t)(0x04 | will->qos << 3 | (will->retain ? 0x20 : 0));

    out = sl_mqtt_put_varint(out + 1, remaining);
    memcpy(out, name, sizeof name);
    out += sizeof name;
    *out++ = (uint8_t)config->version;
    *out++ = flags;
    out = sl_mqtt_put_u16(out, config->keep_alive_s);
    if (config->version == SL_MQTT_V5) {
        *out++ = CONNECT_PROPERTIES_LEN;
        *out++ = 0x11; /* session expiry interval */
        out = put_u32(out, config->session_expiry_s);
        *out++ = 0x21; /* receive maximum */
        out = sl_mqtt_put_u16(out, receive_max);
        *out++ = 0x27; /* maximum packet size */
        out = put_u32(out, packet_max);
    }
    out = sl_mqtt_put_text(out, config->client_id);
    if (has_will) {
        if (config->version == SL_MQTT_V5)
            out = sl_mqtt_put_properties(out, will);
        out = sl_mqtt_put_text(out, will->topic);
        sl_mqtt_put_text(out, will->payload);
    }
}
