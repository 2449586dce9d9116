/* Encoding: the length is known first, so the bytes are written once and without checks. */
#include "mqtt/packet.h"
#include "mqtt/topic.h"
#include "mqtt/utf8.h"

static uint8_t *put_u16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
    return p + 2;
}

static uint8_t *put_u32(uint8_t *p, uint32_t value)
{
    return put_u16(put_u16(p, (uint16_t)(value >> 16)), (uint16_t)value);
}

static uint8_t *put_bytes(uint8_t *p, struct sl_view bytes)
{
    if (bytes.len > 0)
        memcpy(p, bytes.data, bytes.len);
    return p + bytes.len;
}

uint8_t *sl_mqtt_encode_text(uint8_t *out, struct sl_view text)
{
    return put_bytes(put_u16(out, (uint16_t)text.len), text);
}

static uint8_t *put_varint(uint8_t *p, uint32_t value)
{
    while (value >= 0x80) {
        *p++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *p++ = (uint8_t)value;
    return p;
}

static uint8_t varint_len(uint32_t value)
{
    uint8_t len = 1;
    while (value >>= 7)
        len++;
    return len;
}

uint32_t sl_mqtt_packet_len(uint32_t remaining)
{
    return 1 + varint_len(remaining) + remaining;
}

/* Properties of a message: the same in PUBLISH and in the will. */

static uint32_t text_property_len(struct sl_view text)
{
    return text.len > 0 ? 3 + (uint32_t)text.len : 0;
}

static uint32_t properties_len(const struct sl_mqtt_message *message)
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
    return sl_mqtt_encode_text(p, text);
}

static uint8_t *put_properties(uint8_t *p, const struct sl_mqtt_message *message)
{
    uint32_t len = properties_len(message);
    p = put_varint(p, len);
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
    return message->qos <= 2 && sl_topic_is_name(message->topic) &&
           sl_utf8_is_plain(message->response_topic) && sl_utf8_is_valid(message->content_type) &&
           message->correlation.len <= UINT16_MAX;
}

uint32_t sl_mqtt_publish_len(enum sl_mqtt_version version, const struct sl_mqtt_message *message)
{
    uint32_t len = 2 + (uint32_t)message->topic.len + (uint32_t)message->payload.len;
    if (message->qos > 0)
        len += 2;
    if (version == SL_MQTT_V5) {
        uint32_t properties = properties_len(message);
        len += varint_len(properties) + properties;
    }
    return len;
}

void sl_mqtt_encode_publish(uint8_t *out, uint32_t remaining, enum sl_mqtt_version version,
                            const struct sl_mqtt_message *message, uint16_t id)
{
    *out = (uint8_t)(SL_MQTT_PUBLISH << 4 | message->qos << 1 | (message->retain ? 1 : 0));
    out = sl_mqtt_encode_text(put_varint(out + 1, remaining), message->topic);
    if (message->qos > 0)
        out = put_u16(out, id);
    if (version == SL_MQTT_V5)
        out = put_properties(out, message);
    put_bytes(out, message->payload);
}

/* Session expiry interval, receive maximum, maximum packet size. */
#define CONNECT_PROPERTIES_LEN (5 + 3 + 5)

uint32_t sl_mqtt_connect_len(const struct sl_mqtt_config *config)
{
    const struct sl_mqtt_message *will = &config->will;
    uint32_t len = 10 + 2 + (uint32_t)config->client_id.len;
    if (config->version == SL_MQTT_V5)
        len += 1 + CONNECT_PROPERTIES_LEN;
    if (will->topic.len > 0) /* as in a PUBLISH, with a length of the payload, without an id */
        len += sl_mqtt_publish_len(config->version, will) + (will->qos > 0 ? 0 : 2);
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

    *out = SL_MQTT_CONNECT << 4;
    out = put_varint(out + 1, remaining);
    memcpy(out, name, sizeof name);
    out += sizeof name;
    *out++ = (uint8_t)config->version;
    *out++ = flags;
    out = put_u16(out, config->keep_alive_s);
    if (config->version == SL_MQTT_V5) {
        *out++ = CONNECT_PROPERTIES_LEN;
        *out++ = 0x11; /* session expiry interval */
        out = put_u32(out, config->session_expiry_s);
        *out++ = 0x21; /* receive maximum */
        out = put_u16(out, receive_max);
        *out++ = 0x27; /* maximum packet size */
        out = put_u32(out, packet_max);
    }
    out = sl_mqtt_encode_text(out, config->client_id);
    if (has_will) {
        if (config->version == SL_MQTT_V5)
            out = put_properties(out, will);
        out = sl_mqtt_encode_text(out, will->topic);
        sl_mqtt_encode_text(out, will->payload);
    }
}

void sl_mqtt_encode_ack(uint8_t *out, uint8_t first, uint16_t id, uint8_t reason)
{
    out[0] = first;
    out[1] = reason == 0 ? 2 : 3;
    put_u16(out + 2, id);
    if (reason != 0)
        out[4] = reason;
}

uint8_t *sl_mqtt_encode_request(uint8_t *out, uint32_t remaining, enum sl_mqtt_version version,
                                uint8_t first, uint16_t id)
{
    *out = first;
    out = put_u16(put_varint(out + 1, remaining), id);
    if (version == SL_MQTT_V5)
        *out++ = 0; /* no properties */
    return out;
}
