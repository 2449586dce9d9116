/* From bytes of the server to events: framing, and what each packet does. */
#include "mqtt/encode.h"
#include "mqtt/engine.h"

static size_t gather(struct sl_mqtt *mqtt, uint8_t reason, const uint8_t *in, size_t len)
    __attribute__((noinline));
static uint32_t read_header(struct sl_mqtt *mqtt, size_t have);
static uint8_t take(struct sl_mqtt *mqtt, struct sl_mqtt_event *event);
static void give_lost(struct sl_mqtt *mqtt, struct sl_mqtt_event *event);

/* Types that a server may send once the session is open; in 5.0 DISCONNECT too. */
#define ACCEPTED                                                                                   \
    (1U << SL_MQTT_PUBLISH | 1U << SL_MQTT_PUBACK | 1U << SL_MQTT_PUBREC | 1U << SL_MQTT_PUBREL |  \
     1U << SL_MQTT_PUBCOMP | 1U << SL_MQTT_SUBACK | 1U << SL_MQTT_UNSUBACK |                       \
     1U << SL_MQTT_PINGRESP)

/* A packet is there: a fixed header of `head` bytes, `need` in all. Beyond memory.in it is cut. */
static inline void complete(struct sl_mqtt *mqtt, const uint8_t *packet, unsigned head, size_t need)
{
    mqtt->packet = packet;
    mqtt->packet_head = (uint8_t)head;
    mqtt->is_cut = need > mqtt->memory.in_len;
    mqtt->packet_len = (uint32_t)(mqtt->is_cut ? mqtt->memory.in_len : need);
    mqtt->phase = SL_PHASE_COMPLETE;
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

/* Most packets are short and come whole: they are read where they lie. The first byte is judged
 * when it comes. */
size_t sl_mqtt_feed(struct sl_mqtt *mqtt, sl_ms now, const uint8_t *in, size_t len)
{
    uint8_t reason = SL_MQTT_REASON_SUCCESS;
    if (len == 0 || mqtt->phase != SL_PHASE_COMING)
        return 0;
    mqtt->heard_at = now;
    if (mqtt->in_have == 0) {
        reason = check_first(mqtt, in[0]);
        if (reason == SL_MQTT_REASON_SUCCESS && len >= SL_HEADER_MIN && in[1] < 0x80) {
            size_t need = SL_HEADER_MIN + in[1];
            if (need <= len && need <= mqtt->memory.in_len && need <= mqtt->packet_max) {
                complete(mqtt, in, SL_HEADER_MIN, need);
                return need;
            }
        }
    }
    return gather(mqtt, reason, in, len);
}

/* All others go through memory.in. Bytes that follow the packet are copied in vain; what goes
 * beyond memory.in is counted and dropped. */
static size_t gather(struct sl_mqtt *mqtt, uint8_t reason, const uint8_t *in, size_t len)
{
    const struct sl_mqtt_memory *memory = &mqtt->memory;
    size_t have = mqtt->in_have;
    if (reason != SL_MQTT_REASON_SUCCESS) {
        sl_mqtt_fail(mqtt, reason);
        return len;
    }
    if (have < memory->in_len) {
        size_t room = memory->in_len - have;
        memcpy(memory->in + have, in, len < room ? len : room);
    }
    have += len;
    uint32_t need = read_header(mqtt, have);
    mqtt->in_have = (uint32_t)have;
    if (have < need)
        return len;
    mqtt->in_have = 0;
    return len - (have - need);
}

/* The length of the packet that memory.in begins with. UINT32_MAX: its header is not all there, or
 * the session failed by it. */
static uint32_t read_header(struct sl_mqtt *mqtt, size_t have)
{
    const uint8_t *in = mqtt->memory.in;
    uint8_t reason = SL_MQTT_REASON_MALFORMED;
    uint32_t need = 0;
    unsigned head = 1;
    unsigned c = 0x80;
    for (unsigned shift = 0; c & 0x80; shift += 7) {
        if (head == have)
            return UINT32_MAX;
        if (head == SL_HEADER_MAX)
            goto failed;
        c = in[head++];
        need |= (uint32_t)(c & 0x7F) << shift;
    }
    if (c == 0 && head > SL_HEADER_MIN && mqtt->version == SL_MQTT_V5) /* not the shortest form */
        goto failed;
    need += head;
    reason = SL_MQTT_REASON_TOO_LARGE;
    if (need > mqtt->packet_max || (need > mqtt->memory.in_len && in[0] >> 4 != SL_MQTT_PUBLISH))
        goto failed;
    if (have >= need)
        complete(mqtt, in, head, need);
    return need;
failed:
    sl_mqtt_fail(mqtt, reason);
    return UINT32_MAX;
}

bool sl_mqtt_next(struct sl_mqtt *mqtt, sl_ms now, struct sl_mqtt_event *event)
{
    (void)now;
    event->kind = SL_MQTT_NONE;
    event->status = SL_OK;
    event->reason = SL_MQTT_REASON_SUCCESS;
    event->session_present = false;
    event->id = 0;
    if (mqtt->ack != 0 && !sl_mqtt_settle(mqtt))
        return false;
    if (mqtt->flights_lost > 0 && mqtt->is_open) {
        give_lost(mqtt, event);
        return true;
    }
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
    const struct sl_mqtt_limits *limits = &mqtt->limits;
    if (limits->packet_max > 0 && limits->packet_max < mqtt->send_max)
        mqtt->send_max = limits->packet_max;
    if (mqtt->send_max < SL_ACK_MAX)
        return SL_MQTT_REASON_TOO_LARGE;

    event->kind = SL_MQTT_OPENED;
    mqtt->barred = SL_MQTT_FLAGS_QOS << limits->qos_max & SL_MQTT_FLAGS_QOS;
    if (!limits->retain_available)
        mqtt->barred |= SL_MQTT_FLAGS_RETAIN;
    mqtt->is_open = true;
    mqtt->is_waiting = false;
    mqtt->is_kept = !mqtt->is_clean; /* 3.1.1: a clean session lasts as long as its connection */
    mqtt->accepted = ACCEPTED;
    if (mqtt->version == SL_MQTT_V5) {
        mqtt->is_kept = limits->session_expiry_s > 0;
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

/* What 5.0 says about an identifier that is not known. */
static uint8_t not_found(const struct sl_mqtt *mqtt)
{
    return mqtt->version == SL_MQTT_V5 ? SL_MQTT_REASON_ID_NOT_FOUND : SL_MQTT_REASON_SUCCESS;
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
        uint8_t ack = (uint8_t)((SL_MQTT_PUBLISH + qos) << 4); /* PUBACK, PUBREC */
        owe(mqtt, ack, event->id, SL_MQTT_REASON_SUCCESS);
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
    uint8_t reason = not_found(mqtt);
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

static uint8_t take_pingresp(struct sl_mqtt *mqtt, struct sl_view body)
{
    if (body.len != 0)
        return SL_MQTT_REASON_MALFORMED;
    if (!mqtt->is_waiting)
        return SL_MQTT_REASON_PROTOCOL;
    mqtt->is_waiting = false;
    return SL_MQTT_REASON_SUCCESS;
}

/* An acknowledgement that nothing waits for. */
static uint8_t take_unknown(struct sl_mqtt *mqtt, uint8_t type, const struct sl_mqtt_ack *ack)
{
    if (type == SL_MQTT_PUBREC && ack->reason < 0x80)
        owe(mqtt, SL_MQTT_PUBREL << 4 | 0x02, ack->id, not_found(mqtt));
    return type == SL_MQTT_PUBREC || type == SL_MQTT_PUBCOMP ? SL_MQTT_REASON_SUCCESS
                                                             : SL_MQTT_REASON_PROTOCOL;
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
    if (type == SL_MQTT_DISCONNECT) {
        event->kind = SL_MQTT_DROPPED;
        event->reason = ack.reason;
        sl_mqtt_end(mqtt, SL_CLOSED);
        return SL_MQTT_REASON_SUCCESS;
    }
    if (type == SL_MQTT_PUBREL) {
        take_pubrel(mqtt, ack.id);
        return SL_MQTT_REASON_SUCCESS;
    }
    struct sl_mqtt_flight *flight = sl_mqtt_find_flight(mqtt, ack.id);
    if (!flight)
        return take_unknown(mqtt, type, &ack);
    if (type == SL_MQTT_PUBREC && flight->state == SL_FLIGHT_PUBCOMP)
        return SL_MQTT_REASON_SUCCESS; /* repeated: our PUBREL is on its way */
    if (flight->state != type || !is_out(mqtt, flight) || flight->detail != ack.codes.len)
        return SL_MQTT_REASON_PROTOCOL;
    if (type == SL_MQTT_PUBREC && ack.reason < 0x80) {
        sl_mqtt_release_flight(mqtt, flight);
        return SL_MQTT_REASON_SUCCESS;
    }
    event->kind = type == SL_MQTT_SUBACK     ? SL_MQTT_SUBSCRIBED
                  : type == SL_MQTT_UNSUBACK ? SL_MQTT_UNSUBSCRIBED
                                             : SL_MQTT_DELIVERED;
    if (type != SL_MQTT_PUBCOMP) /* 0x92: an earlier PUBCOMP was lost, the message was not */
        event->reason = ack.reason;
    sl_mqtt_end_flight(mqtt, flight);
    return SL_MQTT_REASON_SUCCESS;
}

/* All but PUBLISH. Apart, so that the registers it needs are saved for it alone. */
static __attribute__((noinline)) uint8_t take_other(struct sl_mqtt *mqtt, const uint8_t *data,
                                                    size_t len, struct sl_mqtt_event *event)
{
    struct sl_view body = {data, len};
    uint8_t type = mqtt->packet[0] >> 4;
    if (type == SL_MQTT_CONNACK)
        return take_connack(mqtt, body, event);
    if (type == SL_MQTT_PINGRESP)
        return take_pingresp(mqtt, body);
    return take_ack(mqtt, type, body, event);
}

static uint8_t take(struct sl_mqtt *mqtt, struct sl_mqtt_event *event)
{
    unsigned first = mqtt->packet[0];
    const uint8_t *body = mqtt->packet + mqtt->packet_head;
    size_t len = mqtt->packet_len - mqtt->packet_head;

    sl_mqtt_next_packet(mqtt); /* unless an acknowledgement is due, or the session ends */
    if (first >> 4 != SL_MQTT_PUBLISH)
        return take_other(mqtt, body, len, event);
    event->message.is_cut = mqtt->is_cut;
    return take_publish(mqtt, first, body, len, event);
}

bool sl_mqtt_settle(struct sl_mqtt *mqtt)
{
    uint8_t reason = mqtt->ack_reason;
    size_t len = reason == SL_MQTT_REASON_SUCCESS ? 4 : 5;
    uint8_t *out = sl_mqtt_claim(mqtt, mqtt->ack, len, SL_LEAVE_TO_ACK);
    if (!out) {
        mqtt->phase = SL_PHASE_HELD;
        return false;
    }
    sl_mqtt_encode_ack(out, mqtt->ack_id, reason);
    mqtt->ack = 0;
    sl_mqtt_next_packet(mqtt);
    return true;
}
