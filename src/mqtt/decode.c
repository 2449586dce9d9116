/* Decoding: every field is checked before it is used, properties by one table. */
#include "mqtt/packet.h"
#include "mqtt/reason.h"
#include "mqtt/topic.h"
#include "mqtt/utf8.h"

/* Packets from a server that carry properties, as bits; all acknowledgements have the same set. */
#define IN_CONNACK    0x1
#define IN_PUBLISH    0x2
#define IN_ACK        0x4
#define IN_DISCONNECT 0x8
#define IN_ANY        0xF

/* Shapes of a property's value, above the bits; of a number, its width in bytes. */
#define UNASKED  0x00 /* allowed only when the client has asked for it, which we never do */
#define FLAG     0x10 /* a byte, 0 or 1 */
#define U16      0x20
#define U32      0x40
#define TEXT     0x50
#define BINARY   0x60
#define PAIR     0x70 /* two strings; the only property that may be repeated */
#define SHAPE    0x70
#define POSITIVE 0x80 /* a number, not 0 */

enum {
    PAYLOAD_FORMAT = 0x01,
    MESSAGE_EXPIRY = 0x02,
    CONTENT_TYPE = 0x03,
    RESPONSE_TOPIC = 0x08,
    CORRELATION_DATA = 0x09,
    SUBSCRIPTION_ID = 0x0B,
    SESSION_EXPIRY = 0x11,
    ASSIGNED_CLIENT_ID = 0x12,
    SERVER_KEEP_ALIVE = 0x13,
    AUTHENTICATION_METHOD = 0x15,
    AUTHENTICATION_DATA = 0x16,
    RESPONSE_INFORMATION = 0x1A,
    SERVER_REFERENCE = 0x1C,
    REASON_STRING = 0x1F,
    RECEIVE_MAXIMUM = 0x21,
    TOPIC_ALIAS_MAXIMUM = 0x22,
    TOPIC_ALIAS = 0x23,
    MAXIMUM_QOS = 0x24,
    RETAIN_AVAILABLE = 0x25,
    USER_PROPERTY = 0x26,
    MAXIMUM_PACKET_SIZE = 0x27,
    WILDCARD_AVAILABLE = 0x28,
    SUBSCRIPTION_ID_AVAILABLE = 0x29,
    SHARED_AVAILABLE = 0x2A
};

/* identifier; shape, packets; where the value goes in the message of a PUBLISH or the limits of a
 * CONNACK. */
struct property {
    uint8_t id;
    uint8_t rule;
    uint8_t place;
};

#define NOWHERE    0xFF
#define MESSAGE(f) (uint8_t) offsetof(struct sl_mqtt_message, f)
#define LIMIT(f)   (uint8_t) offsetof(struct sl_mqtt_limits, f)

/* Source: MQTT 5.0, table 2-4. What only a client may send is left out. */
static const struct property properties[] = {
    {PAYLOAD_FORMAT, FLAG | IN_PUBLISH, MESSAGE(is_text)},
    {MESSAGE_EXPIRY, U32 | IN_PUBLISH, MESSAGE(expiry_s)},
    {CONTENT_TYPE, TEXT | IN_PUBLISH, MESSAGE(content_type)},
    {RESPONSE_TOPIC, TEXT | IN_PUBLISH, MESSAGE(response_topic)},
    {CORRELATION_DATA, BINARY | IN_PUBLISH, MESSAGE(correlation)},
    {SUBSCRIPTION_ID, UNASKED | IN_PUBLISH, NOWHERE},
    {SESSION_EXPIRY, U32 | IN_CONNACK, LIMIT(session_expiry_s)},
    {ASSIGNED_CLIENT_ID, TEXT | IN_CONNACK, NOWHERE},
    {SERVER_KEEP_ALIVE, U16 | IN_CONNACK, LIMIT(keep_alive_s)},
    {AUTHENTICATION_METHOD, UNASKED | IN_CONNACK, NOWHERE},
    {AUTHENTICATION_DATA, UNASKED | IN_CONNACK, NOWHERE},
    {RESPONSE_INFORMATION, UNASKED | IN_CONNACK, NOWHERE},
    {SERVER_REFERENCE, TEXT | IN_CONNACK | IN_DISCONNECT, NOWHERE},
    {REASON_STRING, TEXT | IN_CONNACK | IN_ACK | IN_DISCONNECT, NOWHERE},
    {RECEIVE_MAXIMUM, U16 | POSITIVE | IN_CONNACK, LIMIT(receive_max)},
    {TOPIC_ALIAS_MAXIMUM, U16 | IN_CONNACK, NOWHERE},
    {TOPIC_ALIAS, U16 | IN_PUBLISH, NOWHERE},
    {MAXIMUM_QOS, FLAG | IN_CONNACK, LIMIT(qos_max)},
    {RETAIN_AVAILABLE, FLAG | IN_CONNACK, LIMIT(retain_available)},
    {USER_PROPERTY, PAIR | IN_ANY, NOWHERE},
    {MAXIMUM_PACKET_SIZE, U32 | POSITIVE | IN_CONNACK, LIMIT(packet_max)},
    {WILDCARD_AVAILABLE, FLAG | IN_CONNACK, LIMIT(wildcard_available)},
    {SUBSCRIPTION_ID_AVAILABLE, FLAG | IN_CONNACK, NOWHERE},
    {SHARED_AVAILABLE, FLAG | IN_CONNACK, NOWHERE},
};

#define PROPERTIES (sizeof properties / sizeof properties[0])

_Static_assert(sizeof(struct sl_mqtt_message) < NOWHERE, "a place is one byte");
_Static_assert(PROPERTIES <= 32, "a bit each");

/* target: struct sl_mqtt_message for a PUBLISH, struct sl_mqtt_limits for a CONNACK, else NULL. */
static uint8_t decode_properties(struct sl_reader *reader, uint8_t packet, void *target);

/* What is wrong with a topic name. */
static __attribute__((noinline)) uint8_t check_topic(struct sl_view topic)
{
    return topic.len == 0 ? SL_MQTT_REASON_PROTOCOL : sl_utf8_check(topic.data, topic.len);
}

static unsigned load_u16(const uint8_t *p)
{
    return p[0] * 256U + p[1];
}

static uint8_t too_short(const struct sl_mqtt_message *message)
{
    return message->is_cut ? SL_MQTT_REASON_TOO_LARGE : SL_MQTT_REASON_MALFORMED;
}

/* The hot path of a node: plain pointers, each step checked once. */
uint8_t sl_mqtt_decode_publish(enum sl_mqtt_version version, unsigned first, const uint8_t *p,
                               size_t left, struct sl_mqtt_message *message, uint16_t *id)
{
    uint8_t qos = first >> 1 & 3;

    if (left < 2)
        return too_short(message);
    size_t topic_len = load_u16(p);
    p += 2;
    left -= 2;
    if (left < topic_len)
        return too_short(message);
    message->topic.data = p;
    message->topic.len = topic_len;
    p += topic_len;
    left -= topic_len;
    if (qos > 0) {
        if (left < 2)
            return too_short(message);
        *id = (uint16_t)load_u16(p);
        if (*id == 0)
            return SL_MQTT_REASON_PROTOCOL;
        p += 2;
        left -= 2;
    }
    message->qos = qos;
    message->retain = first & 1;
    message->dup = first >> 3 & 1;
    message->has_expiry = false;
    message->is_text = false;
    message->expiry_s = 0;
    message->response_topic.len = 0;
    message->correlation.len = 0;
    message->content_type.len = 0;
    if (version == SL_MQTT_V5 && left > 0 && *p == 0) { /* mostly there are no properties */
        p++;
        left--;
    } else if (version == SL_MQTT_V5) {
        struct sl_reader reader = {p, p + left, false};
        uint8_t reason = decode_properties(&reader, IN_PUBLISH, message);
        if (reason != SL_MQTT_REASON_SUCCESS)
            return reader.failed ? too_short(message) : reason;
        p = reader.at;
        left = (size_t)(reader.end - p);
    }
    message->payload.data = p;
    message->payload.len = message->is_cut ? 0 : left;
    return topic_len > 0 && sl_utf8_is_simple(message->topic.data, topic_len)
               ? SL_MQTT_REASON_SUCCESS
               : check_topic(message->topic);
}

/* A variable byte integer in its shortest form (MQTT 5.0, section 1.5.5). */
static uint32_t read_varint(struct sl_reader *reader)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        uint8_t c = sl_read_u8(reader);
        value |= (uint32_t)(c & 0x7F) << shift;
        if (c < 0x80) {
            if (c == 0 && shift > 0)
                break;
            return value;
        }
    }
    reader->failed = true;
    return 0;
}

static struct sl_view read_text(struct sl_reader *reader)
{
    return sl_read_view(reader, sl_read_u16(reader));
}

/* A property of one, two or four bytes. */
static uint8_t decode_number(struct sl_reader *reader, const struct property *property, uint8_t *at)
{
    unsigned width = (property->rule & SHAPE) >> 4;
    uint32_t number = 0;
    for (unsigned i = 0; i < width; i++)
        number = number << 8 | sl_read_u8(reader);
    if (property->id == TOPIC_ALIAS)
        return SL_MQTT_REASON_BAD_ALIAS; /* we announce no topic alias maximum, so it is 0 */
    if (width == 1 ? number > 1 : number == 0 && (property->rule & POSITIVE))
        return SL_MQTT_REASON_PROTOCOL;
    if (width == 1)
        *at = (uint8_t)number;
    else if (width == 2)
        *(uint16_t *)(void *)at = (uint16_t)number;
    else
        *(uint32_t *)(void *)at = number;
    return SL_MQTT_REASON_SUCCESS;
}

/* One property after its identifier: read, check, and put where the table says. A reader that has
 * failed is the caller's to see. */
static uint8_t decode_property(struct sl_reader *reader, const struct property *property,
                               void *target)
{
    struct sl_view nowhere;
    unsigned shape = property->rule & SHAPE;
    void *at = property->place == NOWHERE ? (void *)&nowhere : (uint8_t *)target + property->place;
    if (shape == UNASKED)
        return SL_MQTT_REASON_PROTOCOL;
    if (property->id == MESSAGE_EXPIRY)
        ((struct sl_mqtt_message *)target)->has_expiry = true;
    if (shape <= U32)
        return decode_number(reader, property, at);

    struct sl_view view = read_text(reader);
    *(struct sl_view *)at = view;
    if (property->id == RESPONSE_TOPIC)
        return check_topic(view);
    if (shape == PAIR && sl_utf8_is_valid(view))
        view = read_text(reader);
    return shape == BINARY || sl_utf8_is_valid(view) ? SL_MQTT_REASON_SUCCESS
                                                     : SL_MQTT_REASON_MALFORMED;
}

/* A property length and its properties. Whether reader->failed tells a length beyond the packet. */
static uint8_t decode_properties(struct sl_reader *reader, uint8_t packet, void *target)
{
    uint32_t seen = 0; /* bit n: properties[n] */
    struct sl_view view = sl_read_view(reader, read_varint(reader));
    if (reader->failed)
        return SL_MQTT_REASON_MALFORMED;
    struct sl_reader list = {view.data, view.data + view.len, false};
    while (list.at != list.end) {
        uint8_t id = sl_read_u8(&list);
        size_t i = 0;
        while (i < PROPERTIES && properties[i].id != id)
            i++;
        if (i == PROPERTIES || !(properties[i].rule & packet))
            return SL_MQTT_REASON_MALFORMED;
        if (seen >> i & 1 && id != USER_PROPERTY)
            return SL_MQTT_REASON_PROTOCOL;
        seen |= UINT32_C(1) << i;
        uint8_t reason = decode_property(&list, &properties[i], target);
        if (list.failed)
            return SL_MQTT_REASON_MALFORMED;
        if (reason != SL_MQTT_REASON_SUCCESS)
            return reason;
    }
    return SL_MQTT_REASON_SUCCESS;
}

/* Every code is one that a server may use here. */
static bool are_codes_allowed(enum sl_mqtt_version version, uint8_t type, struct sl_view codes)
{
    static const uint8_t packets[] = {
        [SL_MQTT_PUBACK] = SL_IN_PUBACK,         [SL_MQTT_PUBREC] = SL_IN_PUBACK,
        [SL_MQTT_PUBREL] = SL_IN_PUBREL,         [SL_MQTT_PUBCOMP] = SL_IN_PUBREL,
        [SL_MQTT_SUBACK] = SL_IN_SUBACK,         [SL_MQTT_UNSUBACK] = SL_IN_UNSUBACK,
        [SL_MQTT_DISCONNECT] = SL_IN_DISCONNECT,
    };
    for (size_t i = 0; i < codes.len; i++) {
        uint8_t code = codes.data[i];
        if (!sl_mqtt_reason_is_allowed(code, packets[type]))
            return false;
        if (version == SL_MQTT_V3 && (code & 0x7F) > 2) /* 3.1.1 has only 0..2 and 0x80 */
            return false;
    }
    return true;
}

uint8_t sl_mqtt_decode_ack(enum sl_mqtt_version version, uint8_t type, struct sl_view body,
                           struct sl_mqtt_ack *ack)
{
    struct sl_reader reader = {body.data, body.data + body.len, false};
    bool is_disconnect = type == SL_MQTT_DISCONNECT;
    bool is_list = type == SL_MQTT_SUBACK || type == SL_MQTT_UNSUBACK;
    ack->reason = SL_MQTT_REASON_SUCCESS;
    ack->id = is_disconnect ? 0 : sl_read_u16(&reader);
    if (version == SL_MQTT_V5) {
        /* In 5.0 reason code and properties may both be left out, at the end of the packet. */
        if (!is_list && reader.at != reader.end)
            ack->reason = sl_read_u8(&reader);
        if (is_list || reader.at != reader.end) {
            uint8_t fault =
                decode_properties(&reader, is_disconnect ? IN_DISCONNECT : IN_ACK, NULL);
            if (fault != SL_MQTT_REASON_SUCCESS)
                return fault;
        }
    }
    ack->codes = sl_read_view(&reader, is_list ? sl_reader_left(&reader) : 0);
    if (reader.failed || reader.at != reader.end)
        return SL_MQTT_REASON_MALFORMED;
    struct sl_view reason = {&ack->reason, 1};
    if ((ack->id == 0 && !is_disconnect) ||
        !are_codes_allowed(version, type, is_list ? ack->codes : reason))
        return SL_MQTT_REASON_PROTOCOL;
    return SL_MQTT_REASON_SUCCESS;
}

uint8_t sl_mqtt_decode_connack(enum sl_mqtt_version version, struct sl_view body,
                               bool *session_present, uint8_t *reason,
                               struct sl_mqtt_limits *limits)
{
    /* 3.1.1 return codes 0..5 as 5.0 reason codes. */
    static const uint8_t translated[] = {
        SL_MQTT_REASON_SUCCESS,     SL_MQTT_REASON_BAD_VERSION, SL_MQTT_REASON_BAD_CLIENT_ID,
        SL_MQTT_REASON_UNAVAILABLE, SL_MQTT_REASON_BAD_LOGIN,   SL_MQTT_REASON_NOT_AUTHORIZED,
    };
    if (body.len < 2 || body.data[0] > 1)
        return SL_MQTT_REASON_MALFORMED;
    uint8_t flags = body.data[0];
    uint8_t code = body.data[1];
    /* A server that knows only 3.1.1 refuses our 5.0 with a packet of its own version. */
    if (version == SL_MQTT_V3 || (body.len == 2 && code != 0)) {
        if (body.len != 2)
            return SL_MQTT_REASON_MALFORMED;
        if (code >= sizeof translated)
            return SL_MQTT_REASON_PROTOCOL;
        code = translated[code];
    } else {
        if (!sl_mqtt_reason_is_allowed(code, SL_IN_CONNACK))
            return SL_MQTT_REASON_PROTOCOL;
        struct sl_reader reader = {body.data + 2, body.data + body.len, false};
        uint8_t fault = decode_properties(&reader, IN_CONNACK, limits);
        if (fault != SL_MQTT_REASON_SUCCESS)
            return fault;
        if (reader.at != reader.end)
            return SL_MQTT_REASON_MALFORMED;
    }
    if (code != SL_MQTT_REASON_SUCCESS && flags != 0)
        return SL_MQTT_REASON_PROTOCOL;
    *session_present = flags;
    *reason = code;
    return SL_MQTT_REASON_SUCCESS;
}
