/* One MQTT packet for the pure codec: version and shape, the packet's first byte, its body.
 *
 * Contract: what a decoder accepts is within the body, within the standard's ranges, and may be
 * sent again: encode and decode give the same message. The beginning of an acceptable PUBLISH is
 * acceptable or too large. UTF-8, topic names and filters agree with second implementations that
 * are written from the standard's words. */
#include "fuzz.h"
#include "mqtt/encode.h"
#include "mqtt/reason.h"
#include "mqtt/topic.h"
#include "mqtt/utf8.h"

static void check_publish(enum sl_mqtt_version version, uint8_t first, struct sl_view body,
                          size_t cut);
static void check_ack(enum sl_mqtt_version version, uint8_t type, struct sl_view body);
static void check_connack(enum sl_mqtt_version version, struct sl_view body);
static void check_text(struct sl_view text);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct sl_reader input = sl_reader_init((struct sl_view){data, len});
    uint8_t options = fuzz_u8(&input);
    enum sl_mqtt_version version = options & 1 ? SL_MQTT_V5 : SL_MQTT_V3;
    uint8_t first = fuzz_u8(&input);
    struct sl_view body = fuzz_take(&input, SIZE_MAX);
    switch (first >> 4) {
    case SL_MQTT_PUBLISH:
        check_publish(version, first, body, options >> 1);
        break;
    case SL_MQTT_PUBACK:
    case SL_MQTT_PUBREC:
    case SL_MQTT_PUBREL:
    case SL_MQTT_PUBCOMP:
    case SL_MQTT_SUBACK:
    case SL_MQTT_UNSUBACK:
        check_ack(version, first >> 4, body);
        break;
    case SL_MQTT_DISCONNECT:
        check_ack(SL_MQTT_V5, SL_MQTT_DISCONNECT, body);
        break;
    case SL_MQTT_CONNACK:
        check_connack(version, body);
        break;
    default:
        check_text(body);
    }
    return 0;
}

static uint8_t decode_publish(enum sl_mqtt_version version, uint8_t first, struct sl_view body,
                              bool is_cut, struct sl_mqtt_message *message, uint16_t *id)
{
    message->is_cut = is_cut;
    *id = 0;
    return sl_mqtt_decode_publish(version, first, body.data, body.len, message, id);
}

static bool is_same(const struct sl_mqtt_message *a, const struct sl_mqtt_message *b)
{
    return sl_view_is_equal(a->topic, b->topic) && sl_view_is_equal(a->payload, b->payload) &&
           a->qos == b->qos && a->retain == b->retain && a->has_expiry == b->has_expiry &&
           a->expiry_s == b->expiry_s && a->is_text == b->is_text &&
           sl_view_is_equal(a->response_topic, b->response_topic) &&
           sl_view_is_equal(a->correlation, b->correlation) &&
           sl_view_is_equal(a->content_type, b->content_type);
}

static void check_round_trip(enum sl_mqtt_version version, const struct sl_mqtt_message *message,
                             uint16_t id)
{
    uint32_t remaining = sl_mqtt_publish_len(version, message);
    uint32_t len = sl_mqtt_packet_len(remaining);
    uint8_t *packet = malloc(len);
    FUZZ_CHECK(packet != NULL && remaining <= SL_MQTT_REMAINING_MAX && len > remaining);
    packet[0] = (uint8_t)sl_mqtt_publish_first(message);
    sl_mqtt_encode_publish(packet, remaining, version, message, &id);

    struct sl_mqtt_message again;
    uint16_t again_id;
    struct sl_view body = {packet + (len - remaining), remaining};
    FUZZ_CHECK(decode_publish(version, packet[0], body, false, &again, &again_id) ==
               SL_MQTT_REASON_SUCCESS);
    FUZZ_CHECK(is_same(message, &again) && again_id == id);
    free(packet);
}

static void check_publish(enum sl_mqtt_version version, uint8_t first, struct sl_view body,
                          size_t cut)
{
    struct sl_mqtt_message message, start;
    uint16_t id, start_id;
    if ((first & 6) == 6 || ((first & 8) != 0 && (first & 6) == 0))
        return; /* illegal flags never get here */
    uint8_t reason = decode_publish(version, first, body, false, &message, &id);
    if (reason != SL_MQTT_REASON_SUCCESS) {
        FUZZ_CHECK(reason >= 0x80);
        return;
    }
    FUZZ_CHECK(sl_topic_is_name(message.topic) && message.qos <= 2 && !message.is_cut);
    FUZZ_CHECK((id != 0) == (message.qos != 0));
    FUZZ_CHECK(fuzz_is_within(message.topic, body) && fuzz_is_within(message.payload, body));
    FUZZ_CHECK(fuzz_is_within(message.response_topic, body));
    FUZZ_CHECK(fuzz_is_within(message.correlation, body));
    FUZZ_CHECK(fuzz_is_within(message.content_type, body));
    FUZZ_CHECK(sl_mqtt_message_is_valid(&message));
    check_round_trip(version, &message, id);

    struct sl_view part = {body.data, cut < body.len ? cut : body.len};
    reason = decode_publish(version, first, part, true, &start, &start_id);
    if (reason == SL_MQTT_REASON_SUCCESS) {
        message.payload.len = 0;
        FUZZ_CHECK(start.is_cut && is_same(&message, &start) && start_id == id);
    } else {
        FUZZ_CHECK(reason == SL_MQTT_REASON_TOO_LARGE);
    }
}

static void check_ack(enum sl_mqtt_version version, uint8_t type, struct sl_view body)
{
    struct sl_mqtt_ack ack;
    uint8_t reason = sl_mqtt_decode_ack(version, type, body, &ack);
    if (reason != SL_MQTT_REASON_SUCCESS) {
        FUZZ_CHECK(reason >= 0x80);
        return;
    }
    bool is_list = type == SL_MQTT_SUBACK || type == SL_MQTT_UNSUBACK;
    FUZZ_CHECK((ack.id == 0) == (type == SL_MQTT_DISCONNECT));
    FUZZ_CHECK(fuzz_is_within(ack.codes, body) && (is_list || ack.codes.len == 0));
    FUZZ_CHECK(ack.reason == 0 || (version == SL_MQTT_V5 && !is_list));
    for (size_t i = 0; i < ack.codes.len; i++) {
        uint8_t code = ack.codes.data[i];
        uint8_t where = type == SL_MQTT_SUBACK ? SL_IN_SUBACK : SL_IN_UNSUBACK;
        FUZZ_CHECK(version == SL_MQTT_V5 ? sl_mqtt_reason_is_allowed(code, where)
                                         : code <= 2 || code == 0x80);
    }
    if (type == SL_MQTT_DISCONNECT)
        FUZZ_CHECK(sl_mqtt_reason_is_allowed(ack.reason, SL_IN_DISCONNECT));
    FUZZ_CHECK(sl_mqtt_reason_text(ack.reason) != NULL);
    if (is_list || type == SL_MQTT_DISCONNECT)
        return;

    uint8_t packet[5];
    struct sl_mqtt_ack again;
    sl_mqtt_encode_ack(packet, ack.id, ack.reason);
    struct sl_view bytes = {packet + 2, packet[1]};
    FUZZ_CHECK(packet[1] <= 3);
    FUZZ_CHECK(sl_mqtt_decode_ack(version, type, bytes, &again) == SL_MQTT_REASON_SUCCESS);
    FUZZ_CHECK(again.id == ack.id && again.reason == ack.reason);
}

static void check_connack(enum sl_mqtt_version version, struct sl_view body)
{
    struct sl_mqtt_limits limits = {.receive_max = UINT16_MAX,
                                    .keep_alive_s = 30,
                                    .session_expiry_s = 3600,
                                    .qos_max = 2,
                                    .retain_available = true,
                                    .wildcard_available = true};
    bool session_present = false;
    uint8_t reason = 0;
    uint8_t failure = sl_mqtt_decode_connack(version, body, &session_present, &reason, &limits);
    if (failure != SL_MQTT_REASON_SUCCESS) {
        FUZZ_CHECK(failure >= 0x80);
        return;
    }
    FUZZ_CHECK(reason == SL_MQTT_REASON_SUCCESS || reason >= 0x80);
    FUZZ_CHECK(sl_mqtt_reason_is_allowed(reason, SL_IN_CONNACK));
    FUZZ_CHECK(!session_present || reason == SL_MQTT_REASON_SUCCESS);
    FUZZ_CHECK(limits.receive_max >= 1 && limits.qos_max <= 2);
    if (version == SL_MQTT_V3)
        FUZZ_CHECK(limits.receive_max == UINT16_MAX && limits.keep_alive_s == 30 &&
                   limits.packet_max == 0 && limits.qos_max == 2);
}

/* RFC 3629, section 4, as its grammar says it; without U+0000. */
static bool is_utf8(struct sl_view text)
{
    static const struct {
        uint8_t first, last, low, high; /* of the lead byte; of the byte behind it */
        size_t len;
    } forms[] = {
        {0x01, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};
    size_t at = 0;
    while (at < text.len) {
        size_t form = 0;
        while (form < 9 && (text.data[at] < forms[form].first || text.data[at] > forms[form].last))
            form++;
        if (form == 9 || text.len - at < forms[form].len)
            return false;
        for (size_t i = 1; i < forms[form].len; i++) {
            uint8_t low = i == 1 ? forms[form].low : 0x80, high = i == 1 ? forms[form].high : 0xBF;
            if (text.data[at + i] < low || text.data[at + i] > high)
                return false;
        }
        at += forms[form].len;
    }
    return text.len <= UINT16_MAX;
}

/* MQTT 5.0, section 4.7.1, level by level. */
static bool is_filter(struct sl_view text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool starts = i == 0 || text.data[i - 1] == '/', is_last = i + 1 == text.len;
        bool ends = is_last || text.data[i + 1] == '/';
        if ((text.data[i] == '+' && !(starts && ends)) ||
            (text.data[i] == '#' && !(starts && is_last)))
            return false;
    }
    return text.len > 0 && is_utf8(text);
}

static void check_text(struct sl_view text)
{
    bool has_wildcard = text.len > 0 && (memchr(text.data, '+', text.len) != NULL ||
                                         memchr(text.data, '#', text.len) != NULL);
    FUZZ_CHECK(sl_utf8_is_valid(text) == is_utf8(text));
    FUZZ_CHECK(sl_utf8_is_plain(text) == (is_utf8(text) && !has_wildcard));
    FUZZ_CHECK(!sl_utf8_is_simple(text.data, text.len) || sl_utf8_is_plain(text));
    FUZZ_CHECK(sl_topic_is_name(text) == (text.len > 0 && is_utf8(text) && !has_wildcard));
    FUZZ_CHECK(sl_topic_is_filter(text) == is_filter(text));
}
