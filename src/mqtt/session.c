/* The client session: connection, time, and its end. */
#include "base/limits.h"
#include "mqtt/encode.h"
#include "mqtt/engine.h"
#include "mqtt/topic.h"
#include "mqtt/utf8.h"

static bool is_config_valid(const struct sl_mqtt_config *config);

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

    if (config->clean_start) {
        sl_mqtt_end(mqtt, SL_CLOSED);
        mqtt->flights_used = mqtt->flights_lost = mqtt->flights_free = 0;
        mqtt->out_used = mqtt->out_sent = 0;
        mqtt->is_kept = false;
    } else {
        sl_mqtt_close(mqtt);
        if (!mqtt->is_kept || mqtt->version != config->version) {
            /* Their session ended with its connection, or they are encoded otherwise. */
            sl_mqtt_resume_flights(mqtt, false);
            mqtt->is_kept = false;
        }
    }
    mqtt->version = (uint8_t)config->version;
    mqtt->is_clean = config->clean_start || (config->version == SL_MQTT_V5 && !mqtt->is_kept);
    mqtt->packet_max = config->packet_max ? config->packet_max : (uint32_t)memory->in_len;

    uint32_t remaining = sl_mqtt_connect_len(config);
    uint8_t *out =
        sl_mqtt_claim(mqtt, SL_MQTT_CONNECT << 4, sl_mqtt_packet_len(remaining), SL_MQTT_RESERVE);
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
    mqtt->send_max = (uint32_t)memory->out_len - SL_MQTT_RESERVE; /* CONNECT had room */

    mqtt->status = SL_OK;
    sl_mqtt_next_packet(mqtt);
    mqtt->in_have = 0;
    mqtt->accepted = 1U << SL_MQTT_CONNACK;
    mqtt->is_waiting = true;
    mqtt->asked_at = now;
    return SL_OK;
}

void sl_mqtt_close(struct sl_mqtt *mqtt)
{
    if (mqtt->status == SL_OK)
        sl_mqtt_end(mqtt, SL_CLOSED);
    mqtt->phase = SL_PHASE_SHUT;
    sl_mqtt_ground_flights(mqtt);
}

void sl_mqtt_end(struct sl_mqtt *mqtt, enum sl_status status)
{
    mqtt->status = status;
    mqtt->phase = SL_PHASE_SHUT;
    mqtt->is_open = false;
    mqtt->is_waiting = false;
    mqtt->ack = 0;
}

/* End the session, after a DISCONNECT. There is always room for it: nothing else may use the last
 * bytes of memory.out. It is left out where it cannot say why (3.1.1), and where the server takes
 * no three bytes. */
static void finish(struct sl_mqtt *mqtt, uint8_t reason, enum sl_status status)
{
    size_t len = mqtt->version == SL_MQTT_V5 ? 3 : 2;
    uint8_t *out = NULL;
    if (len == 3 ? mqtt->limits.packet_max - 1 >= 2 : reason == SL_MQTT_REASON_SUCCESS)
        out = sl_mqtt_claim(mqtt, SL_MQTT_DISCONNECT << 4, len, 0);
    if (out) {
        out[1] = (uint8_t)(len - 2);
        if (len == 3)
            out[2] = reason;
    }
    sl_mqtt_end(mqtt, status);
}

/* The status that goes with a reason of ours; nothing else is unspecified. */
static enum sl_status status_of(uint8_t reason)
{
    if (reason == SL_MQTT_REASON_UNSPECIFIED)
        return SL_TIMEOUT;
    if (reason == SL_MQTT_REASON_MALFORMED)
        return SL_MALFORMED;
    return reason == SL_MQTT_REASON_TOO_LARGE ? SL_TOO_LARGE : SL_PROTOCOL;
}

void sl_mqtt_fail(struct sl_mqtt *mqtt, uint8_t reason)
{
    finish(mqtt, reason, status_of(reason));
    mqtt->phase = SL_PHASE_FAILED;
    mqtt->reason = reason;
}

void sl_mqtt_disconnect(struct sl_mqtt *mqtt, sl_ms now, uint8_t reason)
{
    (void)now;
    if (mqtt->status == SL_OK)
        finish(mqtt, reason, SL_CLOSED);
}

/* The last byte sent or heard, whichever is older: a keep alive later a PINGREQ is due. */
static sl_ms quiet_since(const struct sl_mqtt *mqtt)
{
    return sl_ms_is_reached(mqtt->sent_at, mqtt->heard_at) ? mqtt->heard_at : mqtt->sent_at;
}

bool sl_mqtt_deadline(const struct sl_mqtt *mqtt, sl_ms now, sl_ms *due)
{
    uint32_t keep_alive_ms = UINT32_C(1000) * mqtt->limits.keep_alive_s;
    bool is_short = keep_alive_ms - 1 < SL_MQTT_ANSWER_MS; /* and not 0: off */
    (void)now;
    if (mqtt->is_waiting) /* no longer than until the next packet of ours would be due */
        *due = mqtt->asked_at + (is_short ? keep_alive_ms : SL_MQTT_ANSWER_MS);
    else if (mqtt->is_open && keep_alive_ms > 0)
        *due = quiet_since(mqtt) + keep_alive_ms;
    else
        return false;
    return true;
}

void sl_mqtt_tick(struct sl_mqtt *mqtt, sl_ms now)
{
    sl_ms due;
    if (!sl_mqtt_deadline(mqtt, now, &due) || !sl_ms_is_reached(now, due))
        return;
    uint8_t *out = NULL;
    if (!mqtt->is_waiting)
        out = sl_mqtt_claim(mqtt, SL_MQTT_PINGREQ << 4, 2, SL_LEAVE_TO_PING);
    if (!out) { /* no answer, or for the whole keep alive not even room to ask */
        sl_mqtt_fail(mqtt, SL_MQTT_REASON_UNSPECIFIED);
        return;
    }
    out[1] = 0;
    mqtt->is_waiting = true;
    mqtt->asked_at = now;
}

enum sl_status sl_mqtt_status(const struct sl_mqtt *mqtt)
{
    return mqtt->status;
}

const struct sl_mqtt_limits *sl_mqtt_limits(const struct sl_mqtt *mqtt)
{
    return &mqtt->limits;
}

size_t sl_mqtt_owed(const struct sl_mqtt *mqtt)
{
    size_t len = 0;
    for (size_t i = 0; i < mqtt->flights_used; i++)
        len += mqtt->memory.flights[i].len;
    return len;
}

static bool is_config_valid(const struct sl_mqtt_config *config)
{
    const struct sl_mqtt_message *will = &config->will;
    if (config->version != SL_MQTT_V3 && config->version != SL_MQTT_V5)
        return false;
    if (config->client_id.len == 0 || config->client_id.len > SL_NAME_MAX ||
        !(sl_utf8_is_simple(config->client_id.data, config->client_id.len) ||
          sl_utf8_is_valid(config->client_id)))
        return false;
    return will->topic.len == 0 ||
           (sl_mqtt_message_is_valid(will) && will->payload.len <= UINT16_MAX);
}
