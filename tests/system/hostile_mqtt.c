/* Packets by hand, so that the broken ones are broken exactly as meant. */
#include "hostile_mqtt.h"
#include <stdio.h>
#include <string.h>

enum { CONNECT = 1, PUBLISH = 3, PUBREC = 5, PUBREL = 6, SUBSCRIBE = 8, PINGREQ = 12 };

static const char *const names[16] = {"0",         "CONNECT",  "CONNACK",     "PUBLISH",
                                      "PUBACK",    "PUBREC",   "PUBREL",      "PUBCOMP",
                                      "SUBSCRIBE", "SUBACK",   "UNSUBSCRIBE", "UNSUBACK",
                                      "PINGREQ",   "PINGRESP", "DISCONNECT",  "AUTH"};

static bool take_packet(struct hostile_mqtt *mqtt);
static void answer(struct hostile_mqtt *mqtt, uint8_t first, const uint8_t *body, size_t len);
static void answer_connect(struct hostile_mqtt *mqtt);
static void answer_subscribe(struct hostile_mqtt *mqtt, const uint8_t *body, size_t len);
static void take_publish(struct hostile_mqtt *mqtt, uint8_t first, const uint8_t *body, size_t len);
static void say_message(struct hostile_mqtt *mqtt, enum hostile_message message);
static void say_publish(struct hostile_mqtt *mqtt, uint8_t flags, uint16_t id,
                        const uint8_t *properties, size_t properties_len, const void *payload,
                        size_t payload_len);
static void say(struct hostile_mqtt *mqtt, const void *bytes, size_t len);

void hostile_mqtt_open(struct hostile_mqtt *mqtt)
{
    mqtt->level = 0;
    mqtt->next_id = 1;
    mqtt->must_hang_up = mqtt->has_started = mqtt->is_mute = false;
    mqtt->in_len = mqtt->out_len = 0;
}

void hostile_mqtt_feed(struct hostile_mqtt *mqtt, const uint8_t *in, size_t len)
{
    if (len > sizeof mqtt->in - mqtt->in_len)
        len = sizeof mqtt->in - mqtt->in_len;
    memcpy(mqtt->in + mqtt->in_len, in, len);
    mqtt->in_len += len;
    while (take_packet(mqtt)) {
    }
}

static bool take_packet(struct hostile_mqtt *mqtt)
{
    size_t at = 1, len = 0;
    unsigned shift = 0;

    do {
        if (at >= mqtt->in_len || shift > 21)
            return false;
        len |= (size_t)(mqtt->in[at] & 0x7F) << shift;
        shift += 7;
    } while (mqtt->in[at++] & 0x80);
    if (mqtt->in_len - at < len)
        return false;
    answer(mqtt, mqtt->in[0], mqtt->in + at, len);
    mqtt->in_len -= at + len;
    memmove(mqtt->in, mqtt->in + at + len, mqtt->in_len);
    return true;
}

static void answer(struct hostile_mqtt *mqtt, uint8_t first, const uint8_t *body, size_t len)
{
    if (first >> 4 == CONNECT && len > 6) {
        mqtt->level = body[6];
        printf("mqtt CONNECT %u\n", mqtt->level);
        answer_connect(mqtt);
        return;
    }
    if (first >> 4 == PUBLISH) {
        take_publish(mqtt, first, body, len);
        return;
    }
    printf("mqtt %s\n", names[first >> 4]);
    if (first >> 4 == SUBSCRIBE && len > 2)
        answer_subscribe(mqtt, body, len);
    else if (first >> 4 == PUBREC && len >= 2)
        say(mqtt, (const uint8_t[]){PUBREL << 4 | 2, 2, body[0], body[1]}, 4);
    else if (first >> 4 == PINGREQ)
        say(mqtt, "\xD0", 2);
}

static void answer_connect(struct hostile_mqtt *mqtt)
{
    const bool is_5 = mqtt->level == 5;

    if (mqtt->manner == HOSTILE_IS_DUMB)
        return;
    if (mqtt->manner == HOSTILE_HALF_CONNACK) {
        say(mqtt, "\x20\x03", 2);
    } else if (mqtt->manner == HOSTILE_IS_OLD && is_5) {
        say(mqtt, "\x20\x02\x00\x01", 4);
        mqtt->must_hang_up = true;
    } else if (mqtt->manner == HOSTILE_REFUSES) {
        say(mqtt, is_5 ? "\x20\x03\x00\x87\x00" : "\x20\x02\x00\x05", is_5 ? 5 : 4);
        mqtt->must_hang_up = true;
    } else {
        say(mqtt, is_5 ? "\x20\x03\x00\x00\x00" : "\x20\x02\x00\x00", is_5 ? 5 : 4);
        mqtt->must_hang_up = mqtt->manner == HOSTILE_KICKS;
    }
}

/* Grants QoS 1 to every filter. The messages follow the first SUBACK. */
static void answer_subscribe(struct hostile_mqtt *mqtt, const uint8_t *body, size_t len)
{
    size_t at = mqtt->level == 5 ? 3 + (size_t)body[2] : 2, filters = 0;
    uint8_t packet[64] = {0x90, 0, body[0], body[1]};
    size_t packet_len = mqtt->level == 5 ? 5 : 4;

    if (mqtt->manner == HOSTILE_NO_SUBACK)
        return;
    while (at + 3 <= len && packet_len < sizeof packet) {
        at += 3 + ((size_t)body[at] << 8 | body[at + 1]);
        packet[packet_len++] = 1;
        filters++;
    }
    packet[1] = (uint8_t)(packet_len - 2);
    say(mqtt, packet, packet_len);
    printf("granted %zu filters\n", filters);
    if (mqtt->has_started)
        return;
    mqtt->has_started = true;
    for (size_t i = 0; i < mqtt->messages_len; i++)
        say_message(mqtt, mqtt->messages[i]);
    if (mqtt->manner == HOSTILE_HALF_PUBLISH) {
        say(mqtt, "\x32\x1B\x00\x12irriga", 10);
        mqtt->is_mute = true;
    }
    if (mqtt->manner == HOSTILE_BREAKS_MQTT)
        say(mqtt, "\x36\x05\x00\x01x\x00\x01", 7);
}

static void take_publish(struct hostile_mqtt *mqtt, uint8_t first, const uint8_t *body, size_t len)
{
    const size_t topic_len = len >= 2 ? (size_t)body[0] << 8 | body[1] : 0;
    size_t at = 2 + topic_len + ((first & 0x06) != 0 ? 2 : 0);

    if (at > len)
        return;
    const uint8_t *id = body + at - 2;
    if (mqtt->level == 5 && at < len)
        at += 1 + (size_t)body[at]; /* the node's properties are short */
    printf("mqtt PUBLISH %.*s %.*s%s\n", (int)topic_len, (const char *)body + 2,
           at < len ? (int)(len - at) : 0, (const char *)body + at, first & 1 ? " (retained)" : "");
    if ((first & 0x06) == 0x02)
        say(mqtt, (const uint8_t[]){0x40, 2, id[0], id[1]}, 4);
}

static void say_message(struct hostile_mqtt *mqtt, enum hostile_message message)
{
    static const uint8_t zeros[4096];
    static const uint8_t expired[] = {0x02, 0, 0, 0, 0}; /* message expiry interval: 0 s */
    const uint16_t id = mqtt->next_id++;

    switch (message) {
    case HOSTILE_PLAIN:
        say_publish(mqtt, 0x02, id, NULL, 0, "2 120", 5);
        break;
    case HOSTILE_RETAINED:
        say_publish(mqtt, 0x03, id, NULL, 0, "2 120", 5);
        break;
    case HOSTILE_EXPIRED:
        say_publish(mqtt, 0x02, id, expired, sizeof expired, "2 120", 5);
        break;
    case HOSTILE_DUPLICATE:
        say_publish(mqtt, 0x04, id, NULL, 0, "2 120", 5);
        say_publish(mqtt, 0x0C, id, NULL, 0, "2 120", 5);
        break;
    case HOSTILE_HUGE:
        say_publish(mqtt, 0x02, id, NULL, 0, zeros, sizeof zeros);
        break;
    case HOSTILE_MESSAGES:
        break;
    }
}

static void say_publish(struct hostile_mqtt *mqtt, uint8_t flags, uint16_t id,
                        const uint8_t *properties, size_t properties_len, const void *payload,
                        size_t payload_len)
{
    char topic[128];
    const int topic_len = snprintf(topic, sizeof topic, "%s/zone/on", mqtt->base);
    const size_t len =
        2 + (size_t)topic_len + 2 + payload_len + (mqtt->level == 5 ? 1 + properties_len : 0);
    const uint8_t first = (uint8_t)(PUBLISH << 4 | flags);

    if (len < 128)
        say(mqtt, (const uint8_t[]){first, (uint8_t)len}, 2);
    else
        say(mqtt, (const uint8_t[]){first, (uint8_t)(len & 0x7F) | 0x80, (uint8_t)(len >> 7)}, 3);
    say(mqtt, (const uint8_t[]){0, (uint8_t)topic_len}, 2);
    say(mqtt, topic, (size_t)topic_len);
    say(mqtt, (const uint8_t[]){(uint8_t)(id >> 8), (uint8_t)id}, 2);
    if (mqtt->level == 5) {
        say(mqtt, (const uint8_t[]){(uint8_t)properties_len}, 1);
        say(mqtt, properties, properties_len);
    }
    say(mqtt, payload, payload_len);
}

static void say(struct hostile_mqtt *mqtt, const void *bytes, size_t len)
{
    if (mqtt->is_mute || len > sizeof mqtt->out - mqtt->out_len || len == 0)
        return;
    memcpy(mqtt->out + mqtt->out_len, bytes, len);
    mqtt->out_len += len;
}
