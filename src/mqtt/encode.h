/* Encoding of the packets a client sends: pure, no state.
 *
 * It goes in two steps: *_len gives the remaining length of the packet, then *_encode writes all of
 * it but the first byte, which the caller has written: sl_mqtt_packet_len(remaining) bytes at
 * `out`, once and without checks. Requires: everything valid (strings at most 65,535 bytes),
 * payload and sum at most SL_MQTT_REMAINING_MAX.
 * What is small or written at one place only is inline: a call would cost as much.
 * Sources: MQTT 3.1.1 (OASIS 2014) and 5.0 (OASIS 2019), sections 2 and 3. */
#ifndef SL_MQTT_ENCODE_H
#define SL_MQTT_ENCODE_H

#include "mqtt/packet.h"

/* Fields: each gives where the next one goes. */

static inline uint8_t *sl_mqtt_put_u16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
    return p + 2;
}

static inline uint8_t *sl_mqtt_put_bytes(uint8_t *p, struct sl_view bytes)
{
    if (bytes.len > 0)
        memcpy(p, bytes.data, bytes.len);
    return p + bytes.len;
}

static inline uint8_t *sl_mqtt_put_text(uint8_t *p, struct sl_view text)
{
    return sl_mqtt_put_bytes(sl_mqtt_put_u16(p, (uint32_t)text.len), text);
}

/* Source: MQTT 5.0, section 1.5.5. */
uint8_t *sl_mqtt_put_varint(uint8_t *p, uint32_t value);

/* Bytes of a packet whose remaining length is `remaining`. */
uint32_t sl_mqtt_packet_len(uint32_t remaining);
#define SL_MQTT_SHORT_MAX 0x7F /* of a remaining length of one byte */

/* Topic, QoS and properties may be sent; the payload may have any length. */
bool sl_mqtt_message_is_valid(const struct sl_mqtt_message *message);

/* The properties of a message in 5.0, their length before them: the same in PUBLISH and in the
 * will.
 */
uint32_t sl_mqtt_properties_len(const struct sl_mqtt_message *message);
uint8_t *sl_mqtt_put_properties(uint8_t *p, const struct sl_mqtt_message *message);

/* The first byte of its PUBLISH. */
static inline unsigned sl_mqtt_publish_first(const struct sl_mqtt_message *message)
{
    return (SL_MQTT_PUBLISH << 4) + 2U * message->qos + message->retain;
}

static inline uint32_t sl_mqtt_publish_len(enum sl_mqtt_version version,
                                           const struct sl_mqtt_message *message)
{
    uint32_t len = 2 + (uint32_t)(message->topic.len + message->payload.len);
    if (message->qos > 0)
        len += 2;
    if (version == SL_MQTT_V5)
        len += sl_mqtt_properties_len(message);
    return len;
}

/* *id: only with QoS 1 and 2. */
static inline void sl_mqtt_encode_publish(uint8_t *out, uint32_t remaining,
                                          enum sl_mqtt_version version,
                                          const struct sl_mqtt_message *message, const uint16_t *id)
{
    out++;
    if (remaining <= SL_MQTT_SHORT_MAX)
        *out++ = (uint8_t)remaining;
    else
        out = sl_mqtt_put_varint(out, remaining);
    out = sl_mqtt_put_text(out, message->topic);
    if (message->qos > 0)
        out = sl_mqtt_put_u16(out, *id);
    if (version == SL_MQTT_V5)
        out = sl_mqtt_put_properties(out, message);
    sl_mqtt_put_bytes(out, message->payload);
}

uint32_t sl_mqtt_connect_len(const struct sl_mqtt_config *config);
/* clean_start and packet_max take the place of those in config. */
void sl_mqtt_encode_connect(uint8_t *out, uint32_t remaining, const struct sl_mqtt_config *config,
                            bool clean_start, uint16_t receive_max, uint32_t packet_max);

/* PUBACK, PUBREC, PUBREL, PUBCOMP: 4 bytes, a fifth for a reason other than success. */
static inline void sl_mqtt_encode_ack(uint8_t *out, uint16_t id, uint8_t reason)
{
    out[1] = 2;
    sl_mqtt_put_u16(out + 2, id);
    if (reason == 0)
        return;
    out[1] = 3;
    out[4] = reason;
}

#endif
