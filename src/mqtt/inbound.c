/* From bytes of the server to events: framing, and what each packet does. */
#include "mqtt/engine.h"

static uint32_t read_header(struct sl_mqtt *mqtt, size_t have);
static uint8_t take(struct sl_mqtt *mqtt, struct sl_mqtt_event *event);
static void give_lost(struct sl_mqtt *mqtt, struct sl_mqtt_event *event);

/* Types that a server may send once the session is open; in 5.0 DISCONNECT too. */
#define ACCEPTED                                                                                   \
    (1U << SL_MQTT_PUBLISH | 1U << SL_MQTT_PUBACK | 1U << SL_MQTT_PUBREC | 1U << SL_MQTT_PUBREL |  \
     1U << SL_MQTT_PUBCOMP | 1U << SL_MQTT_SUBACK | 1U << SL_MQTT_UNSUBACK |                       \
     1U << SL_MQTT_PINGRESP)

/* The fixed header is kept in memory.in too: so a topic starts on a word in most packets, and the
 * first byte is at hand later. Bytes that follow the packet are copied in vain: a broker mostly
 * sends one packet in a TLS record, and then one copy and one look at it are all. What goes beyond
 * memory.in is counted and dropped. */
size_t sl_mqtt_feed(struct sl_mqtt *mqtt, sl_ms now, const uint8_t *in, size_t len)
{
    size_t have = mqtt->in_have;
    if (len == 0 || mqtt->phase != SL_PHASE_COMING)
        return 0;
    mqtt->heard_at = now;
    if (have < mqtt->memory.in_len) {
        size_t room = mqtt->memory.in_len - have;
        memcpy(mqtt->memory.in + have, in, len < room ? len : room);
    }
    have += len;
    uint32_t need = read_header(mqtt, have);
    if (have < need) {
        mqtt->in_have = (uint32_t)have;
        return len;
    }
    mqtt->phase = SL_PHASE_COMPLETE;
    return len - (have - need);
}

/* What is wrong with a packet that begins with this byte; a reason code. */
static uint8_t check_first(const struct sl_mqtt *mqtt, unsigned first)
{
    unsigned type = first >> 4;
    unsigned flags = first & 0x0F;
    unsigned legal = type == SL_MQTT_PUBLISH ? 0x3C3F /* bit n: flags n; not QoS 3, not QoS 0 DUP */
                     : type == SL_MQTT_PUBREL ? 1U << 2
                                              : 1U << 0;
    if (!(mqtt->accepted >> type & 1))
        return SL_MQTT_REASON_PROTOCOL;
    return legal >> flags & 1 ? SL_MQTT_REASON_SUCCESS : SL_MQTT_REASON_MALFORMED;
}

static uint32_t refuse(struct sl_mqtt *mqtt, uint8_t reason)
{
    sl_mqtt_fail(mqtt, reason);
    return UINT32_MAX;
}

/* The length of the packet that memory.in begins with. UINT32_MAX: its header is not all there, or
 * the session failed by it. */
static uint32_t read_header(struct sl_mqtt *mqtt, size_t have)
{
    const uint8_t *in = mqtt->memory.in;
    if (have < SL_HEADER_MIN)
        return UINT32_MAX;
    uint8_t reason = check_first(mqtt, in[0]);
    if (reason != SL_MQTT_REASON_SUCCESS)
        return refuse(mqtt, reason);

    unsigned c = in[1];
    uint32_t need = c & 0x7F;
    unsigned head = SL_HEADER_MIN;
    while (c & 0x80) {
        if (head == SL_HEADER_MAX)
            return refuse(mqtt, SL_MQTT_REASON_MALFORMED);
        if (head == have)
            return UINT32_MAX;
        c = in[head];
        need |= (uint32_t)(c & 0x7F) << (7 * head - 7);
        head++;
        if (c == 0 && mqtt->version == SL_MQTT_V5) /* not the shortest form */
            return refuse(mqtt, SL_MQTT_REASON_MALFORMED);
    }
    need += head;
    if (need > mqtt->packet_max || (need > mqtt->memory.in_len && in[0] >> 4 != SL_MQTT_PUBLISH))
        return refuse(mqtt, SL_MQTT_REASON_TOO_LARGE);
    mqtt->in_head = (uint8_t)head;
    mqtt->in_need = need;
    return need;
}

bool sl_mqtt_next(struct sl_mqtt *mqtt, sl_ms now, struct sl_mqtt_event *event)
{
    (void)now;
    event->kind = SL_MQTT_NONE;
    if (mqtt->ack != 0 && !sl_mqtt_settle(mqtt))
        return false;
    if (mqtt->flights_lost > 0 && mqtt->is_open) {
        give_lost(mqtt, event);
        return true;
    }
    if (mqtt->phase == SL_PHASE_COMING)
        return false;
    event->status = SL_OK;
    event->reason = SL_MQTT_REASON_SUCCESS;
    event->id = 0;
    if (mqtt->phase == SL_PHASE_COMPLETE) {
        uint8_t reason = take(mqtt, event);
        if (reason != SL_MQTT_REASON_SUCCESS)
            sl_mqtt_fail(mqtt, reason);
        else if (event->kind != SL_MQTT_NONE)
            return true;
        else if (mqtt->ack != 0)
            sl_mqtt_settle(mqtt);
    }
    if (mqtt->phase != SL_PHASE_FAILED)
        return false;
    mqtt->phase = SL_PHASE_SHUT;
    event->kind = SL_MQTT_FAILED;
    event->status = mqtt->status;
    event->reason = mqtt->reason;
    return true;
}

/* One flight that was lost; the caller has seen that there is one. */
static void give_lost(struct sl_mqtt *mqtt, struct sl_mqtt_event *event)
{
    struct sl_mqtt_flight *flight = mqtt->memory.flights;
    while (flight->state != SL_FLIGHT_LOST)
        flight++;
    event->kind = SL_MQTT_DELIVERED;
    event->status = SL_OK;
    event->id = flight->id;
    event->reason = flight->detail;
    mqtt->flights_lost--;
    sl_mqtt_end_flight(mqtt, flight);
}

static uint8_t take_connack(struct sl_mqtt *mqtt, struct sl_view body, struct sl_mqtt_event *event)
{
    uint8_t fault = sl_mqtt_decode_connack((enum sl_mqtt_version)mqtt->version, body,
                                           &event->session_present, &event->reason, &mqtt->limits);
    if (fault != SL_MQTT_REASON_SUCCESS)
        return fault;
    if (event->reason != SL_MQTT_REASON_SUCCESS) {
        event->kind = SL_MQTT_REFUSED;
        sl_mqtt_end(mqtt, SL_REFUSED);
        return SL_MQTT_REASON_SUCCESS;
    }
    /* An answer to a question that is not out yet, or a session that was not asked for. */
    if (mqtt->out_sent != mqtt->out_used || (event->session_present && mqtt->is_clean))
        return SL_MQTT_REASON_PROTOCOL;
    if (mqtt->limits.packet_max - 1 < SL_ACK_MAX - 1) /* 0: no limit */
        return SL_MQTT_REASON_TOO_LARGE;

    event->kind = SL_MQTT_OPENED;
    mqtt->is_open = true;
    mqtt->is_waiting = false;
    mqtt->is_kept = !mqtt->is_clean; /* 3.1.1: a clean session lasts as long as its connection */
    mqtt->accepted = ACCEPTED;
    if (mqtt->version == SL_MQTT_V5) {
        mqtt->is_kept = mqtt->limits.session_expiry_s > 0;
        mqtt->accepted = ACCEPTED | 1U << SL_MQTT_DISCONNECT;
    }
    sl_mqtt_resume_flights(mqtt, event->session_present);
    return SL_MQTT_REASON_SUCCESS;
}

/* The place of id among the QoS 2 messages between PUBLISH and PUBREL; received_used: none. */
static size_t find_received(const struct sl_mqtt *mqtt, uint16_t id)
{
    size_t i = 0;
    while (i < mqtt->received_used && mqtt->memory.received[i] != id)
        i++;
    return i;
}

static void owe(struct sl_mqtt *mqtt, uint8_t first, uint16_t id, uint8_t reason)
{
    mqtt->phase = SL_PHASE_GIVEN;
    mqtt->ack = first;
    mqtt->ack_id = id;
    mqtt->ack_reason = reason;
}

static uint8_t take_publish(struct sl_mqtt *mqtt, unsigned first, const uint8_t *body, size_t len,
                            struct sl_mqtt_event *event)
{
    uint8_t fault = sl_mqtt_decode_publish((enum sl_mqtt_version)mqtt->version, first, body, len,
                                           &event->message, &event->id);
    if (fault != SL_MQTT_REASON_SUCCESS)
        return fault;
    uint8_t qos = event->message.qos;
    if (qos > 0) {
        size_t used = mqtt->received_used;
        bool is_known = find_received(mqtt, event->id) < used;
        owe(mqtt, qos == 1 ? SL_MQTT_PUBACK << 4 : SL_MQTT_PUBREC << 4, event->id,
            SL_MQTT_REASON_SUCCESS);
        if (is_known) /* given before: exactly once; but QoS 1 cannot have an id of QoS 2 */
            return qos == 1 ? SL_MQTT_REASON_PROTOCOL : SL_MQTT_REASON_SUCCESS;
        if (used == mqtt->memory.received_len && (qos == 2 || mqtt->version == SL_MQTT_V5))
            return SL_MQTT_REASON_RECEIVE_MAXIMUM;
        if (qos == 2) {
            mqtt->memory.received[used] = event->id;
            mqtt->received_used = used + 1;
        }
    }
    event->kind = SL_MQTT_RECEIVED;
    return SL_MQTT_REASON_SUCCESS;
}

static void take_pubrel(struct sl_mqtt *mqtt, uint16_t id)
{
    size_t i = find_received(mqtt, id);
    uint8_t reason = SL_MQTT_REASON_ID_NOT_FOUND;
    if (i < mqtt->received_used) {
        mqtt->memory.received[i] = mqtt->memory.received[--mqtt->received_used];
        reason = SL_MQTT_REASON_SUCCESS;
    }
    owe(mqtt, SL_MQTT_PUBCOMP << 4, id, reason);
}

/* All of its packet is out: only then it can be answered. */
static bool is_out(const struct sl_mqtt *mqtt, const struct sl_mqtt_flight *flight)
{
    return (size_t)flight->offset + flight->len <= mqtt->out_sent;
}

/* Our PUBLISH came to its end. */
static void give_delivered(struct sl_mqtt *mqtt, struct sl_mqtt_event *event,
                           struct sl_mqtt_flight *flight, uint8_t reason)
{
    event->kind = SL_MQTT_DELIVERED;
    event->reason = reason;
    sl_mqtt_end_flight(mqtt, flight);
}

/* PUBACK, PUBREC, PUBREL, PUBCOMP. */
static uint8_t take_puback(struct sl_mqtt *mqtt, uint8_t type, uint8_t reason,
                           struct sl_mqtt_event *event)
{
    if (type == SL_MQTT_PUBREL) {
        take_pubrel(mqtt, event->id);
        return SL_MQTT_REASON_SUCCESS;
    }
    struct sl_mqtt_flight *flight = sl_mqtt_find_flight(mqtt, event->id);
    if (!flight) {
        if (type == SL_MQTT_PUBREC && reason < 0x80)
            owe(mqtt, SL_MQTT_PUBREL << 4 | 0x02, event->id, SL_MQTT_REASON_ID_NOT_FOUND);
        return type == SL_MQTT_PUBACK ? SL_MQTT_REASON_PROTOCOL : SL_MQTT_REASON_SUCCESS;
    }
    if (type == SL_MQTT_PUBREC && flight->state == SL_FLIGHT_PUBCOMP)
        return SL_MQTT_REASON_SUCCESS; /* repeated: our PUBREL is on its way */

    uint8_t expected = type == SL_MQTT_PUBACK   ? SL_FLIGHT_PUBACK
                       : type == SL_MQTT_PUBREC ? SL_FLIGHT_PUBREC
                                                : SL_FLIGHT_PUBCOMP;
    if (flight->state != expected || !is_out(mqtt, flight))
        return SL_MQTT_REASON_PROTOCOL;
    if (type == SL_MQTT_PUBREC && reason < 0x80)
        sl_mqtt_release_flight(mqtt, flight);
    else /* PUBCOMP 0x92: an earlier PUBCOMP was lost, the message was not */
        give_delivered(mqtt, event, flight,
                       type == SL_MQTT_PUBCOMP ? SL_MQTT_REASON_SUCCESS : reason);
    return SL_MQTT_REASON_SUCCESS;
}

/* SUBACK, UNSUBACK. */
static uint8_t take_suback(struct sl_mqtt *mqtt, uint8_t type, struct sl_mqtt_event *event)
{
    bool is_suback = type == SL_MQTT_SUBACK;
    struct sl_mqtt_flight *flight = sl_mqtt_find_flight(mqtt, event->id);
    if (!flight || flight->state != (is_suback ? SL_FLIGHT_SUBACK : SL_FLIGHT_UNSUBACK))
        return SL_MQTT_REASON_PROTOCOL;
    size_t expected = is_suback || mqtt->version == SL_MQTT_V5 ? flight->detail : 0;
    if (event->codes.len != expected)
        return SL_MQTT_REASON_PROTOCOL;
    event->kind = is_suback ? SL_MQTT_SUBSCRIBED : SL_MQTT_UNSUBSCRIBED;
    sl_mqtt_end_flight(mqtt, flight);
    return SL_MQTT_REASON_SUCCESS;
}

static uint8_t take_pingresp(struct sl_mqtt *mqtt, struct sl_view body)
{
    if (body.len != 0)
        return SL_MQTT_REASON_MALFORMED;
    if (!mqtt->is_waiting)
        return SL_MQTT_REASON_PROTOCOL;
    mqtt->is_waiting = false;
    return SL_MQTT_REASON_SUCCESS;
}

/* Acknowledgements and DISCONNECT. */
static uint8_t take_ack(struct sl_mqtt *mqtt, uint8_t type, struct sl_view body,
                        struct sl_mqtt_event *event)
{
    struct sl_mqtt_ack ack;
    uint8_t fault = sl_mqtt_decode_ack((enum sl_mqtt_version)mqtt->version, type, body, &ack);
    if (fault != SL_MQTT_REASON_SUCCESS)
        return fault;
    event->id = ack.id;
    event->codes = ack.codes;
    if (type <= SL_MQTT_PUBCOMP)
        return take_puback(mqtt, type, ack.reason, event);
    if (type <= SL_MQTT_UNSUBACK)
        return take_suback(mqtt, type, event);
    event->kind = SL_MQTT_DROPPED;
    event->reason = ack.reason;
    sl_mqtt_end(mqtt, SL_CLOSED);
    return SL_MQTT_REASON_SUCCESS;
}

/* All but PUBLISH. Apart, so that the registers it needs are saved for it alone. */
static __attribute__((noinline)) uint8_t take_other(struct sl_mqtt *mqtt, const uint8_t *data,
                                                    size_t len, struct sl_mqtt_event *event)
{
    struct sl_view body = {data, len};
    uint8_t type = mqtt->memory.in[0] >> 4;
    if (type == SL_MQTT_CONNACK)
        return take_connack(mqtt, body, event);
    if (type == SL_MQTT_PINGRESP)
        return take_pingresp(mqtt, body);
    return take_ack(mqtt, type, body, event);
}

static uint8_t take(struct sl_mqtt *mqtt, struct sl_mqtt_event *event)
{
    unsigned first = mqtt->memory.in[0];
    const uint8_t *body = mqtt->memory.in + mqtt->in_head;
    size_t have = mqtt->in_need;
    bool is_cut = have > mqtt->memory.in_len;
    if (is_cut)
        have = mqtt->memory.in_len;
    size_t len = have - mqtt->in_head;

    sl_mqtt_next_packet(mqtt); /* unless an acknowledgement is due, or the session ends */
    if (first >> 4 != SL_MQTT_PUBLISH)
        return take_other(mqtt, body, len, event);
    event->message.is_cut = is_cut;
    return take_publish(mqtt, first, body, len, event);
}

bool sl_mqtt_settle(struct sl_mqtt *mqtt)
{
    uint8_t reason = mqtt->version == SL_MQTT_V5 ? mqtt->ack_reason : SL_MQTT_REASON_SUCCESS;
    size_t len = reason == SL_MQTT_REASON_SUCCESS ? 4 : 5;
    uint8_t *out = sl_mqtt_claim(mqtt, len, SL_LEAVE_TO_ACK);
    if (!out) {
        mqtt->phase = SL_PHASE_HELD;
        return false;
    }
    sl_mqtt_encode_ack(out, mqtt->ack, mqtt->ack_id, reason);
    mqtt->ack = 0;
    sl_mqtt_next_packet(mqtt);
    return true;
}
