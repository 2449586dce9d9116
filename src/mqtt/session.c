/* The client session: connection, time, and the way of a packet through the engine. */
#include "base/limits.h"
#include "mqtt/engine.h"
#include "mqtt/topic.h"
#include "mqtt/utf8.h"

static bool is_config_valid(const struct sl_mqtt_config *config);
static void look_at_header(struct sl_mqtt *mqtt);

void sl_mqtt_init(struct sl_mqtt *mqtt, const struct sl_mqtt_memory *memory)
{
    mqtt->memory = *memory;
    sl_mqtt_reset(mqtt);
}

void sl_mqtt_reset(struct sl_mqtt *mqtt)
{
    memset((uint8_t *)mqtt + sizeof mqtt->memory, 0, sizeof *mqtt - sizeof mqtt->memory);
    mqtt->status = SL_CLOSED;
    mqtt->phase = SL_PHASE_SHUT;
}

enum sl_status sl_mqtt_open(struct sl_mqtt *mqtt, sl_ms now, const struct sl_mqtt_config *config)
{
    const struct sl_mqtt_memory *memory = &mqtt->memory;
    if (!is_config_valid(config) || memory->in_len < SL_MQTT_IN_MIN ||
        memory->out_len > UINT16_MAX || memory->received_len == 0 ||
        memory->received_len > UINT16_MAX)
        return SL_BAD_ARGUMENT;

    sl_mqtt_close(mqtt);
    if (config->clean_start) {
        mqtt->flights_used = mqtt->flights_lost = mqtt->flights_free = 0;
        mqtt->received_used = 0;
        mqtt->out_used = mqtt->out_sent = 0;
        mqtt->is_kept = false;
    } else if (mqtt->version != config->version) {
        sl_mqtt_resume_flights(mqtt, false); /* they are encoded for the other version */
        mqtt->is_kept = false;
    }
    mqtt->version = (uint8_t)config->version;
    mqtt->is_clean = config->clean_start || (config->version == SL_MQTT_V5 && !mqtt->is_kept);
    mqtt->packet_max = config->packet_max ? config->packet_max : (uint32_t)memory->in_len;

    uint32_t remaining = sl_mqtt_connect_len(config);
    uint8_t *out = sl_mqtt_claim(mqtt, sl_mqtt_packet_len(remaining), SL_MQTT_RESERVE);
    if (!out)
        return SL_FULL;
    sl_mqtt_encode_connect(out, remaining, config, mqtt->is_clean, (uint16_t)memory->received_len,
                           mqtt->packet_max);

    struct sl_mqtt_limits *limits = &mqtt->limits;
    limits->receive_max = UINT16_MAX;
    limits->keep_alive_s = config->keep_alive_s;
    limits->packet_max = 0;
    limits->session_expiry_s = config->session_expiry_s;
    limits->qos_max = 2;
    limits->retain_available = true;
    limits->wildcard_available = true;

    mqtt->status = SL_OK;
    sl_mqtt_next_packet(mqtt);
    mqtt->accepted = 1U << SL_MQTT_CONNACK;
    mqtt->is_waiting = true;
    mqtt->answer_due = now + SL_MQTT_ANSWER_MS;
    return SL_OK;
}

void sl_mqtt_close(struct sl_mqtt *mqtt)
{
    if (mqtt->status == SL_OK)
        sl_mqtt_end(mqtt, SL_CLOSED);
    mqtt->phase = SL_PHASE_SHUT;
    mqtt->ack = 0;
    sl_mqtt_ground_flights(mqtt);
}

void sl_mqtt_end(struct sl_mqtt *mqtt, enum sl_status status)
{
    mqtt->status = status;
    mqtt->phase = SL_PHASE_SHUT;
    mqtt->is_open = false;
    mqtt->is_waiting = false;
}

/* DISCONNECT always finds room: nothing else may use the last bytes of memory.out. */
static void queue_disconnect(struct sl_mqtt *mqtt, uint8_t reason)
{
    bool is_v5 = mqtt->version == SL_MQTT_V5;
    if (!is_v5 && reason != SL_MQTT_REASON_SUCCESS)
        return;
    uint8_t *out = sl_mqtt_claim(mqtt, is_v5 ? 3 : 2, 0);
    if (!out)
        return;
    out[0] = SL_MQTT_DISCONNECT << 4;
    out[1] = is_v5;
    if (is_v5)
        out[2] = reason;
}

/* The status that goes with a reason of ours; nothing else is unspecified. */
static enum sl_status status_of(uint8_t reason)
{
    switch (reason) {
    case SL_MQTT_REASON_UNSPECIFIED:
        return SL_TIMEOUT;
    case SL_MQTT_REASON_MALFORMED:
        return SL_MALFORMED;
    case SL_MQTT_REASON_TOO_LARGE:
        return SL_TOO_LARGE;
    default:
        return SL_PROTOCOL;
    }
}

/* The peer broke a rule, or gave no answer in time (SL_MQTT_REASON_UNSPECIFIED). */
static void fail(struct sl_mqtt *mqtt, uint8_t reason)
{
    queue_disconnect(mqtt, reason);
    sl_mqtt_end(mqtt, status_of(reason));
    mqtt->phase = SL_PHASE_FAILED;
    mqtt->reason = reason;
}

void sl_mqtt_disconnect(struct sl_mqtt *mqtt, sl_ms now, uint8_t reason)
{
    (void)now;
    if (mqtt->status != SL_OK)
        return;
    queue_disconnect(mqtt, reason);
    sl_mqtt_end(mqtt, SL_CLOSED);
}

/* The fixed header is kept in memory.in too: so a topic starts on a word in most packets, and the
 * first byte is at hand later. What goes beyond memory.in is counted and dropped. */
size_t sl_mqtt_feed(struct sl_mqtt *mqtt, sl_ms now, const uint8_t *in, size_t len)
{
    size_t used = 0;
    while (used < len && mqtt->phase <= SL_PHASE_BODY) {
        uint32_t have = mqtt->in_have;
        size_t step = len - used;
        if (step > mqtt->in_need - have)
            step = mqtt->in_need - have;
        if (have < mqtt->memory.in_len) {
            size_t room = mqtt->memory.in_len - have;
            memcpy(mqtt->memory.in + have, in + used, step < room ? step : room);
        }
        used += step;
        have += (uint32_t)step;
        mqtt->in_have = have;
        mqtt->heard_at = now;
        if (have < mqtt->in_need)
            continue;
        if (mqtt->phase == SL_PHASE_BODY)
            mqtt->phase = SL_PHASE_COMPLETE;
        else
            look_at_header(mqtt);
    }
    return used;
}

/* May a packet with this first byte come now? Gives a reason code. */
static uint8_t check_first(const struct sl_mqtt *mqtt, uint8_t first)
{
    uint8_t type = first >> 4;
    uint8_t flags = first & 0x0F;
    if (!(mqtt->accepted >> type & 1))
        return SL_MQTT_REASON_PROTOCOL;
    unsigned legal = type == SL_MQTT_PUBLISH ? 0x3C3F /* bit n: flags n; not QoS 3, not QoS 0 DUP */
                     : type == SL_MQTT_PUBREL ? 1U << 2
                                              : 1U << 0;
    return legal >> flags & 1 ? SL_MQTT_REASON_SUCCESS : SL_MQTT_REASON_MALFORMED;
}

/* in_need bytes of a fixed header are there: they are all, or one more is needed. */
static void look_at_header(struct sl_mqtt *mqtt)
{
    const uint8_t *in = mqtt->memory.in;
    uint32_t head = mqtt->in_have;
    uint8_t last = in[head - 1];
    uint8_t reason = check_first(mqtt, in[0]);
    if (reason != SL_MQTT_REASON_SUCCESS) {
        fail(mqtt, reason);
        return;
    }
    if (last >= 0x80 && head < SL_HEADER_MAX) {
        mqtt->in_need = head + 1;
        return;
    }
    if (last >= 0x80 || (last == 0 && head > 2 && mqtt->version == SL_MQTT_V5)) {
        fail(mqtt, SL_MQTT_REASON_MALFORMED); /* too long, or not the shortest form */
        return;
    }
    uint32_t remaining = 0;
    for (uint32_t i = head - 1; i > 0; i--)
        remaining = remaining << 7 | (in[i] & 0x7F);
    uint32_t need = head + remaining;
    mqtt->in_need = need;
    mqtt->in_head = (uint8_t)head;
    mqtt->phase = remaining > 0 ? SL_PHASE_BODY : SL_PHASE_COMPLETE;
    bool is_publish = in[0] >> 4 == SL_MQTT_PUBLISH;
    if (need > mqtt->packet_max || (need > mqtt->memory.in_len && !is_publish))
        fail(mqtt, SL_MQTT_REASON_TOO_LARGE);
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

bool sl_mqtt_next(struct sl_mqtt *mqtt, sl_ms now, struct sl_mqtt_event *event)
{
    event->kind = SL_MQTT_NONE;
    if (mqtt->ack != 0 && mqtt->status == SL_OK && !sl_mqtt_settle(mqtt))
        return false;
    if (mqtt->phase <= SL_PHASE_BODY && mqtt->flights_lost == 0)
        return false;
    event->status = SL_OK;
    event->reason = SL_MQTT_REASON_SUCCESS;
    event->id = 0;
    if (mqtt->flights_lost > 0 && mqtt->is_open) {
        give_lost(mqtt, event);
        return true;
    }
    if (mqtt->phase == SL_PHASE_COMPLETE) {
        uint8_t reason = sl_mqtt_take(mqtt, now, event);
        if (reason == SL_MQTT_REASON_SUCCESS)
            return event->kind != SL_MQTT_NONE;
        fail(mqtt, reason);
    }
    if (mqtt->phase != SL_PHASE_FAILED)
        return false;
    mqtt->phase = SL_PHASE_SHUT;
    event->kind = SL_MQTT_FAILED;
    event->status = mqtt->status;
    event->reason = mqtt->reason;
    return true;
}

/* When a PINGREQ is due: the keep alive after the last byte sent or heard, whichever is older. */
static sl_ms ping_due(const struct sl_mqtt *mqtt)
{
    sl_ms quiet_since =
        sl_ms_is_reached(mqtt->sent_at, mqtt->heard_at) ? mqtt->heard_at : mqtt->sent_at;
    return quiet_since + UINT32_C(1000) * mqtt->limits.keep_alive_s;
}

bool sl_mqtt_deadline(const struct sl_mqtt *mqtt, sl_ms now, sl_ms *due)
{
    (void)now;
    if (mqtt->is_waiting)
        *due = mqtt->answer_due;
    else if (mqtt->is_open && mqtt->limits.keep_alive_s > 0)
        *due = ping_due(mqtt);
    else
        return false;
    return true;
}

void sl_mqtt_tick(struct sl_mqtt *mqtt, sl_ms now)
{
    sl_ms due;
    if (!sl_mqtt_deadline(mqtt, now, &due) || !sl_ms_is_reached(now, due))
        return;
    uint8_t *out = mqtt->is_waiting ? NULL : sl_mqtt_claim(mqtt, 2, SL_LEAVE_TO_PING);
    if (!out) { /* no answer, or for the whole keep alive not even room to ask */
        fail(mqtt, SL_MQTT_REASON_UNSPECIFIED);
        return;
    }
    out[0] = SL_MQTT_PINGREQ << 4;
    out[1] = 0;
    mqtt->is_waiting = true;
    mqtt->answer_due = now + SL_MQTT_ANSWER_MS;
}

enum sl_status sl_mqtt_status(const struct sl_mqtt *mqtt)
{
    return mqtt->status;
}

const struct sl_mqtt_limits *sl_mqtt_limits(const struct sl_mqtt *mqtt)
{
    return &mqtt->limits;
}

static bool is_config_valid(const struct sl_mqtt_config *config)
{
    const struct sl_mqtt_message *will = &config->will;
    if (config->version != SL_MQTT_V3 && config->version != SL_MQTT_V5)
        return false;
    if (config->client_id.len == 0 || config->client_id.len > SL_NAME_MAX ||
        !sl_utf8_is_valid(config->client_id))
        return false;
    return will->topic.len == 0 ||
           (sl_mqtt_message_is_valid(will) && will->payload.len <= UINT16_MAX);
}
