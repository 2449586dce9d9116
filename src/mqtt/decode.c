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

/* Shapes of a property's value, above the bits. */
#define FLAG    0x10 /* a byte, 0 or 1 */
#define U16     0x20
#define U32     0x30
#define TEXT    0x40
#define BINARY  0x50
#define PAIR    0x60 /* two strings; the only property that may be repeated */
#define UNASKED 0x70 /* allowed only when the client has asked for it, which we never do */

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

/* Source: MQTT 5.0, table 2-4. What only a client may send is left out. */
static const uint8_t properties[] = {
    [PAYLOAD_FORMAT] = FLAG | IN_PUBLISH,
    [MESSAGE_EXPIRY] = U32 | IN_PUBLISH,
    [CONTENT_TYPE] = TEXT | IN_PUBLISH,
    [RESPONSE_TOPIC] = TEXT | IN_PUBLISH,
    [CORRELATION_DATA] = BINARY | IN_PUBLISH,
    [SUBSCRIPTION_ID] = UNASKED | IN_PUBLISH,
    [SESSION_EXPIRY] = U32 | IN_CONNACK,
    [ASSIGNED_CLIENT_ID] = TEXT | IN_CONNACK,
    [SERVER_KEEP_ALIVE] = U16 | IN_CONNACK,
    [AUTHENTICATION_METHOD] = UNASKED | IN_CONNACK,
    [AUTHENTICATION_DATA] = UNASKED | IN_CONNACK,
    [RESPONSE_INFORMATION] = UNASKED | IN_CONNACK,
    [SERVER_REFERENCE] = TEXT | IN_CONNACK | IN_DISCONNECT,
    [REASON_STRING] = TEXT | IN_CONNACK | IN_ACK | IN_DISCONNECT,
    [RECEIVE_MAXIMUM] = U16 | IN_CONNACK,
    [TOPIC_ALIAS_MAXIMUM] = U16 | IN_CONNACK,
    [TOPIC_ALIAS] = U16 | IN_PUBLISH,
    [MAXIMUM_QOS] = FLAG | IN_CONNACK,
    [RETAIN_AVAILABLE] = FLAG | IN_CONNACK,
    [USER_PROPERTY] = PAIR | IN_ANY,
    [MAXIMUM_PACKET_SIZE] = U32 | IN_CONNACK,
    [WILDCARD_AVAILABLE] = FLAG | IN_CONNACK,
    [SUBSCRIPTION_ID_AVAILABLE] = FLAG | IN_CONNACK,
    [SHARED_AVAILABLE] = FLAG | IN_CONNACK,
};

/* Where the values go that somebody wants; the others are only checked. */
struct target {
    struct sl_mqtt_message *message; /* IN_PUBLISH */
    struct sl_mqtt_limits *limits;   /* IN_CONNACK */
};

static uint8_t decode_properties(struct sl_reader *reader, uint8_t packet, struct target target);

/* What is wrong with a topic name. */
static uint8_t check_topic(struct sl_view topic)
{
    if (topic.len == 0)
        return SL_MQTT_REASON_PROTOCOL;
    if (sl_utf8_is_plain(topic))
        return SL_MQTT_REASON_SUCCESS;
    return sl_utf8_is_valid(topic) ? SL_MQTT_REASON_BAD_TOPIC : SL_MQTT_REASON_MALFORMED;
}

static uint16_t load_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* The hot path of a node: plain pointers, each step checked once. */
uint8_t sl_mqtt_decode_publish(enum sl_mqtt_version version, uint8_t first, struct sl_view body,
                               bool is_cut, struct sl_mqtt_message *message, uint16_t *id)
{
    static const struct sl_view none = {NULL, 0};
    uint8_t too_short = is_cut ? SL_MQTT_REASON_TOO_LARGE : SL_MQTT_REASON_MALFORMED;
    uint8_t qos = first >> 1 & 3;
    const uint8_t *p = body.data;
    size_t left = body.len;

    if (left < 2)
        return too_short;
    size_t topic_len = load_u16(p);
    size_t head = 2 + topic_len + (qos > 0 ? 2 : 0);
    if (left < head)
        return too_short;
    message->topic.data = p + 2;
    message->topic.len = topic_len;
    message->qos = qos;
    message->retain = first & 1;
    message->dup = first >> 3 & 1;
    message->is_cut = is_cut;
    message->has_expiry = false;
    message->is_text = false;
    message->expiry_s = 0;
    message->response_topic = none;
    message->correlation = none;
    message->content_type = none;
    p += head;
    left -= head;
    *id = 0;
    if (qos > 0) {
        *id = load_u16(p - 2);
        if (*id == 0)
            return SL_MQTT_REASON_PROTOCOL;
    }
    if (version == SL_MQTT_V5) {
        struct sl_reader reader = {p, p + left, false};
        struct target target = {message, NULL};
        uint8_t reason = decode_properties(&reader, IN_PUBLISH, target);
        if (reason != SL_MQTT_REASON_SUCCESS)
            return reader.failed ? too_short : reason;
        p = reader.at;
        left = sl_reader_left(&reader);
    }
    message->payload.data = p;
    message->payload.len = is_cut ? 0 : left;
    return check_topic(message->topic);
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

/* Keep what somebody wants. Gives false for a value that the standard forbids. */
static bool keep_number(uint8_t id, uint32_t value, struct target target)
{
    switch (id) {
    case PAYLOAD_FORMAT:
        target.message->is_text = value;
        return true;
    case MESSAGE_EXPIRY:
        target.message->has_expiry = true;
        target.message->expiry_s = value;
        return true;
    case SESSION_EXPIRY:
        target.limits->session_expiry_s = value;
        return true;
    case SERVER_KEEP_ALIVE:
        target.limits->keep_alive_s = (uint16_t)value;
        return true;
    case RECEIVE_MAXIMUM:
        target.limits->receive_max = (uint16_t)value;
        return value != 0;
    case MAXIMUM_QOS:
        target.limits->qos_max = (uint8_t)value;
        return true;
    case RETAIN_AVAILABLE:
        target.limits->retain_available = value;
        return true;
    case MAXIMUM_PACKET_SIZE:
        target.limits->packet_max = value;
        return value != 0;
    case WILDCARD_AVAILABLE:
        target.limits->wildcard_available = value;
        return true;
    default:
        return true;
    }
}

static void keep_view(uint8_t id, struct sl_view view, struct target target)
{
    if (id == RESPONSE_TOPIC)
        target.message->response_topic = view;
    else if (id == CORRELATION_DATA)
        target.message->correlation = view;
    else if (id == CONTENT_TYPE)
        target.message->content_type = view;
}

/* One property after its identifier. */
static uint8_t decode_property(struct sl_reader *reader, uint8_t id, struct target target)
{
    uint32_t number = 0;
    struct sl_view view = {NULL, 0};

    switch (properties[id] & 0xF0) {
    case FLAG:
        number = sl_read_u8(reader);
        if (number > 1)
            return SL_MQTT_REASON_PROTOCOL;
        break;
    case U16:
        number = sl_read_u16(reader);
        break;
    case U32:
        number = sl_read_u32(reader);
        break;
    case PAIR:
        if (!sl_utf8_is_valid(read_text(reader)))
            return SL_MQTT_REASON_MALFORMED;
        view = read_text(reader);
        break;
    case TEXT:
    case BINARY:
        view = read_text(reader);
        break;
    default: /* UNASKED */
        return SL_MQTT_REASON_PROTOCOL;
    }
    if (reader->failed)
        return SL_MQTT_REASON_MALFORMED;
    if (id == TOPIC_ALIAS) /* we announce no topic alias maximum, so it is 0 */
        return SL_MQTT_REASON_BAD_ALIAS;
    if (id == RESPONSE_TOPIC) {
        uint8_t reason = check_topic(view);
        if (reason != SL_MQTT_REASON_SUCCESS)
            return reason;
    } else if (id != CORRELATION_DATA && !sl_utf8_is_valid(view)) {
        return SL_MQTT_REASON_MALFORMED;
    }
    keep_view(id, view, target);
    return keep_number(id, number, target) ? SL_MQTT_REASON_SUCCESS : SL_MQTT_REASON_PROTOCOL;
}

/* A property length and its properties. Whether reader->failed tells a length beyond the packet. */
static uint8_t decode_properties(struct sl_reader *reader, uint8_t packet, struct target target)
{
    uint32_t seen[2] = {0, 0}; /* bit n: identifier n */
    struct sl_view view = sl_read_view(reader, read_varint(reader));
    if (reader->failed)
        return SL_MQTT_REASON_MALFORMED;
    struct sl_reader list = sl_reader_init(view);
    while (sl_reader_left(&list) > 0) {
        uint8_t id = sl_read_u8(&list);
        if (id >= sizeof properties || !(properties[id] & packet))
            return SL_MQTT_REASON_MALFORMED;
        uint32_t bit = UINT32_C(1) << (id & 31);
        if (id != USER_PROPERTY && (seen[id >> 5] & bit))
            return SL_MQTT_REASON_PROTOCOL;
        seen[id >> 5] |= bit;
        uint8_t reason = decode_property(&list, id, target);
        if (reason != SL_MQTT_REASON_SUCCESS)
            return reason;
    }
    return SL_MQTT_REASON_SUCCESS;
}

/* Properties of which none is wanted. */
static uint8_t skip_properties(struct sl_reader *reader, uint8_t packet)
{
    struct target target = {NULL, NULL};
    return decode_properties(reader, packet, target);
}

/* The end of a packet that has nothing after its last field. */
static uint8_t end_packet(const struct sl_reader *reader)
{
    return reader->failed || reader->at != reader->end ? SL_MQTT_REASON_MALFORMED
                                                       : SL_MQTT_REASON_SUCCESS;
}

/* Reason code and properties, both of which may be left out at the end of a 5.0 packet. */
static uint8_t read_reason(struct sl_reader *reader, uint8_t packet, uint8_t allowed,
                           uint8_t *reason)
{
    *reason = SL_MQTT_REASON_SUCCESS;
    if (sl_reader_left(reader) > 0)
        *reason = sl_read_u8(reader);
    if (!sl_mqtt_reason_is_allowed(*reason, allowed))
        return SL_MQTT_REASON_PROTOCOL;
    if (sl_reader_left(reader) > 0) {
        uint8_t fault = skip_properties(reader, packet);
        if (fault != SL_MQTT_REASON_SUCCESS)
            return fault;
    }
    return end_packet(reader);
}

/* The packet identifier in front of every acknowledgement. */
static uint8_t read_id(struct sl_reader *reader, uint16_t *id)
{
    *id = sl_read_u16(reader);
    if (reader->failed)
        return SL_MQTT_REASON_MALFORMED;
    return *id == 0 ? SL_MQTT_REASON_PROTOCOL : SL_MQTT_REASON_SUCCESS;
}

uint8_t sl_mqtt_decode_ack(enum sl_mqtt_version version, uint8_t type, struct sl_view body,
                           uint16_t *id, uint8_t *reason)
{
    struct sl_reader reader = sl_reader_init(body);
    uint8_t fault = read_id(&reader, id);
    *reason = SL_MQTT_REASON_SUCCESS;
    if (fault != SL_MQTT_REASON_SUCCESS)
        return fault;
    if (version == SL_MQTT_V3)
        return end_packet(&reader);
    return read_reason(&reader, IN_ACK, type >= SL_MQTT_PUBREL ? SL_IN_PUBREL : SL_IN_PUBACK,
                       reason);
}

uint8_t sl_mqtt_decode_suback(enum sl_mqtt_version version, uint8_t type, struct sl_view body,
                              uint16_t *id, struct sl_view *codes)
{
    struct sl_reader reader = sl_reader_init(body);
    uint8_t fault = read_id(&reader, id);
    if (fault == SL_MQTT_REASON_SUCCESS && version == SL_MQTT_V5)
        fault = skip_properties(&reader, IN_ACK);
    if (fault != SL_MQTT_REASON_SUCCESS)
        return fault;
    *codes = sl_read_view(&reader, sl_reader_left(&reader));
    uint8_t packet = type == SL_MQTT_SUBACK ? SL_IN_SUBACK : SL_IN_UNSUBACK;
    for (size_t i = 0; i < codes->len; i++) {
        uint8_t code = codes->data[i];
        bool is_known = version == SL_MQTT_V5 || code <= 2 || code == SL_MQTT_REASON_UNSPECIFIED;
        if (!is_known || !sl_mqtt_reason_is_allowed(code, packet))
            return SL_MQTT_REASON_PROTOCOL;
    }
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
    struct sl_reader reader = sl_reader_init(body);
    uint8_t flags = sl_read_u8(&reader);
    uint8_t code = sl_read_u8(&reader);
    if (reader.failed || flags > 1)
        return SL_MQTT_REASON_MALFORMED;
    /* A server that knows only 3.1.1 refuses our 5.0 with a packet of its own version. */
    if (version == SL_MQTT_V3 || (body.len == 2 && code != 0)) {
        if (body.len != 2)
            return SL_MQTT_REASON_MALFORMED;
        if (code >= sizeof translated)
            return SL_MQTT_REASON_PROTOCOL;
        code = translated[code];
    } else {
        struct target target = {NULL, limits};
        if (!sl_mqtt_reason_is_allowed(code, SL_IN_CONNACK))
            return SL_MQTT_REASON_PROTOCOL;
        uint8_t fault = decode_properties(&reader, IN_CONNACK, target);
        if (fault == SL_MQTT_REASON_SUCCESS)
            fault = end_packet(&reader);
        if (fault != SL_MQTT_REASON_SUCCESS)
            return fault;
    }
    if (code != SL_MQTT_REASON_SUCCESS && flags != 0)
        return SL_MQTT_REASON_PROTOCOL;
    *session_present = flags;
    *reason = code;
    return SL_MQTT_REASON_SUCCESS;
}

uint8_t sl_mqtt_decode_disconnect(struct sl_view body, uint8_t *reason)
{
    struct sl_reader reader = sl_reader_init(body);
    return read_reason(&reader, IN_DISCONNECT, SL_IN_DISCONNECT, reason);
}
