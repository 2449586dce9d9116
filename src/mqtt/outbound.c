/* Packets to the server: one store holds what waits to be sent and what may be sent again.
 *
 *   memory.out:  [kept, out]  [waiting: kept and passing packets in order]  [held back]  free
 *                             ^ out_sent                                    ^ flights_free
 *
 * Packets of flights (PUBLISH, later PUBREL) stay until they are acknowledged; all others vanish as
 * soon as they are out. Flights lie in the order of their packets, so sending a session again is to
 * set out_sent back to 0. What the server's receive maximum does not allow yet is held back at the
 * end, and control packets pass it.
 */
#include "mqtt/encode.h"
#include "mqtt/engine.h"
#include "mqtt/topic.h"

static void close_gap(struct sl_mqtt *mqtt, size_t at, size_t len, size_t from);
static bool open_window(struct sl_mqtt *mqtt);

/* How many bytes want out. */
static inline size_t waiting(const struct sl_mqtt *mqtt)
{
    size_t end = mqtt->out_used;
    if (mqtt->flights_free < mqtt->flights_used)
        end = mqtt->memory.flights[mqtt->flights_free].offset;
    return end - mqtt->out_sent;
}

struct sl_view sl_mqtt_peek(struct sl_mqtt *mqtt)
{
    struct sl_view view = {mqtt->memory.out + mqtt->out_sent, waiting(mqtt)};
    return view;
}

void sl_mqtt_sent(struct sl_mqtt *mqtt, sl_ms now, size_t len)
{
    size_t most = waiting(mqtt);
    if (len > most)
        len = most;
    if (len == 0)
        return;
    mqtt->sent_at = now;
    mqtt->out_sent += len;
    if (mqtt->out_sent == mqtt->out_used && mqtt->flights_used == 0 && mqtt->phase != SL_PHASE_HELD)
        mqtt->out_sent = mqtt->out_used = 0; /* as reclaim would find, sooner */
    else
        sl_mqtt_reclaim(mqtt);
}

/* An identifier that no flight has: there are fewer flights than identifiers. */
static uint16_t free_id(struct sl_mqtt *mqtt)
{
    do {
        mqtt->last_id++;
    } while (mqtt->last_id == 0 || sl_mqtt_find_flight(mqtt, mqtt->last_id));
    return mqtt->last_id;
}

/* A flight for the packet that was claimed last: behind it lies only what is held back. id 0: a new
 * one. */
static struct sl_mqtt_flight *add_flight(struct sl_mqtt *mqtt, uint16_t id, uint8_t state,
                                         const uint8_t *packet)
{
    if (id == 0)
        id = free_id(mqtt);
    struct sl_mqtt_flight *at = mqtt->memory.flights + mqtt->flights_free;
    memmove(at + 1, at, (mqtt->flights_used - mqtt->flights_free) * sizeof *at);
    mqtt->flights_free++;
    mqtt->flights_used++;
    at->id = id;
    at->state = state;
    at->detail = 0;
    at->offset = (uint16_t)(packet - mqtt->memory.out);
    at->len = 0;
    return at;
}

enum sl_status sl_mqtt_publish(struct sl_mqtt *mqtt, sl_ms now,
                               const struct sl_mqtt_message *message, uint16_t *id)
{
    (void)now;
    *id = 0;
    if (!mqtt->is_open)
        return SL_BAD_STATE;
    if (!sl_mqtt_message_is_valid(message))
        return SL_BAD_ARGUMENT;
    if (message->payload.len > mqtt->send_max)
        return SL_TOO_LARGE;
    if (message->qos > 0 && (mqtt->flights_used == mqtt->memory.flights_len || !open_window(mqtt)))
        return SL_FULL;
    uint32_t remaining = sl_mqtt_publish_len((enum sl_mqtt_version)mqtt->version, message);
    uint32_t len =
        remaining <= SL_MQTT_SHORT_MAX ? SL_HEADER_MIN + remaining : sl_mqtt_packet_len(remaining);
    unsigned first = sl_mqtt_publish_first(message);
    if (first & mqtt->barred)
        return SL_REFUSED;
    if (len > mqtt->send_max)
        return SL_TOO_LARGE;
    uint8_t *out = sl_mqtt_claim(mqtt, first, len, SL_MQTT_RESERVE);
    if (!out)
        return SL_FULL;
    if (message->qos > 0) {
        struct sl_mqtt_flight *flight =
            add_flight(mqtt, 0, message->qos == 1 ? SL_FLIGHT_PUBACK : SL_FLIGHT_PUBREC, out);
        flight->len = (uint16_t)len;
        *id = flight->id;
    }
    sl_mqtt_encode_publish(out, remaining, (enum sl_mqtt_version)mqtt->version, message, id);
    return SL_OK;
}

/* SUBSCRIBE of filters, or UNSUBSCRIBE of views. A filter begins with its view, so both lists are
 * read as views `stride` apart. */
static enum sl_status request(struct sl_mqtt *mqtt, const void *list, size_t stride, size_t len,
                              uint16_t *id)
{
    bool is_subscribe = stride == sizeof(struct sl_mqtt_filter);
    bool is_v5 = mqtt->version == SL_MQTT_V5;
    uint32_t remaining = is_v5 ? 3 : 2;
    *id = 0;
    if (!mqtt->is_open)
        return SL_BAD_STATE;
    if (len == 0 || len > UINT8_MAX)
        return SL_BAD_ARGUMENT;
    const uint8_t *end = (const uint8_t *)list + len * stride;
    for (const uint8_t *at = list; at != end; at += stride) {
        const struct sl_view *view = (const void *)at;
        if (!sl_topic_is_filter(*view))
            return SL_BAD_ARGUMENT;
        remaining += 2 + (uint32_t)view->len;
        if (!is_subscribe)
            continue;
        const struct sl_mqtt_filter *filter = (const void *)at;
        if (filter->qos > 2 || filter->retain_handling > 2)
            return SL_BAD_ARGUMENT;
        if (!mqtt->limits.wildcard_available && !sl_topic_is_name(*view))
            return SL_REFUSED;
        remaining++;
    }
    if (mqtt->flights_used == mqtt->memory.flights_len)
        return SL_FULL;
    uint32_t packet_len = sl_mqtt_packet_len(remaining);
    if (packet_len > mqtt->send_max)
        return SL_TOO_LARGE;
    uint8_t *out = sl_mqtt_claim(
        mqtt, is_subscribe ? SL_MQTT_SUBSCRIBE << 4 | 2 : SL_MQTT_UNSUBSCRIBE << 4 | 2, packet_len,
        SL_MQTT_RESERVE);
    if (!out)
        return SL_FULL;
    struct sl_mqtt_flight *flight =
        add_flight(mqtt, 0, is_subscribe ? SL_FLIGHT_SUBACK : SL_FLIGHT_UNSUBACK, out);
    if (is_subscribe || is_v5)
        flight->detail = (uint8_t)len;
    *id = flight->id;
    out = sl_mqtt_put_u16(sl_mqtt_put_varint(out + 1, remaining), *id);
    if (is_v5)
        *out++ = 0; /* no properties */
    for (const uint8_t *at = list; at != end; at += stride) {
        out = sl_mqtt_put_text(out, *(const struct sl_view *)(const void *)at);
        if (!is_subscribe)
            continue;
        const struct sl_mqtt_filter *filter = (const void *)at;
        *out = filter->qos;
        if (is_v5)
            *out |=
                (uint8_t)((filter->no_local ? 0x04 : 0) | (filter->retain_as_published ? 0x08 : 0) |
                          filter->retain_handling << 4);
        out++;
    }
    return SL_OK;
}

enum sl_status sl_mqtt_subscribe(struct sl_mqtt *mqtt, sl_ms now,
                                 const struct sl_mqtt_filter *filters, size_t len, uint16_t *id)
{
    (void)now;
    return request(mqtt, filters, sizeof *filters, len, id);
}

enum sl_status sl_mqtt_unsubscribe(struct sl_mqtt *mqtt, sl_ms now, const struct sl_view *filters,
                                   size_t len, uint16_t *id)
{
    (void)now;
    return request(mqtt, filters, sizeof *filters, len, id);
}

/* The packets of the flights from index `from` on move by `distance`. */
static __attribute__((noinline)) void move_flights(struct sl_mqtt *mqtt, size_t from,
                                                   size_t distance)
{
    for (; from < mqtt->flights_used; from++)
        mqtt->memory.flights[from].offset =
            (uint16_t)(mqtt->memory.flights[from].offset + distance);
}

/* Room in front of what is held back. Apart, so that the registers it needs are saved for it
 * alone. */
static __attribute__((noinline)) uint8_t *claim_before_held(struct sl_mqtt *mqtt, unsigned first,
                                                            size_t len)
{
    size_t at = mqtt->memory.flights[mqtt->flights_free].offset;
    uint8_t *out = mqtt->memory.out + at;
    memmove(out + len, out, mqtt->out_used - at);
    mqtt->out_used += len;
    *out = (uint8_t)first;
    move_flights(mqtt, mqtt->flights_free, len);
    return out;
}

uint8_t *sl_mqtt_claim(struct sl_mqtt *mqtt, unsigned first, size_t len, size_t leave)
{
    size_t used = mqtt->out_used;
    if (mqtt->memory.out_len - used < len + leave)
        return NULL;
    if (mqtt->flights_free < mqtt->flights_used)
        return claim_before_held(mqtt, first, len);
    uint8_t *out = mqtt->memory.out + used;
    mqtt->out_used = used + len;
    *out = (uint8_t)first;
    return out;
}

/* Take len bytes that are out from the store; flights from index `from` on lie behind them. */
static void close_gap(struct sl_mqtt *mqtt, size_t at, size_t len, size_t from)
{
    uint8_t *gap = mqtt->memory.out + at;
    size_t behind = mqtt->out_used - at - len;
    if (behind > 0)
        memmove(gap, gap + len, behind);
    move_flights(mqtt, from, 0 - len);
    mqtt->out_used -= len;
    mqtt->out_sent -= len;
}

void sl_mqtt_reclaim(struct sl_mqtt *mqtt)
{
    size_t keep = 0;
    size_t i = 0;
    for (; i < mqtt->flights_used; i++) {
        const struct sl_mqtt_flight *flight = &mqtt->memory.flights[i];
        if (flight->offset >= mqtt->out_sent)
            break;
        if (flight->offset > keep)
            close_gap(mqtt, keep, flight->offset - keep, i);
        keep += flight->len;
    }
    if (keep < mqtt->out_sent)
        close_gap(mqtt, keep, mqtt->out_sent - keep, i);
    if (mqtt->phase == SL_PHASE_HELD)
        sl_mqtt_settle(mqtt);
}

struct sl_mqtt_flight *sl_mqtt_find_flight(struct sl_mqtt *mqtt, uint16_t id)
{
    struct sl_mqtt_flight *flight = mqtt->memory.flights;
    for (size_t i = 0; i < mqtt->flights_used; i++, flight++) {
        if (flight->id == id)
            return flight;
    }
    return NULL;
}

/* Take a flight and its packet away. */
static void remove_flight(struct sl_mqtt *mqtt, struct sl_mqtt_flight *flight)
{
    size_t i = (size_t)(flight - mqtt->memory.flights);
    close_gap(mqtt, flight->offset, flight->len, i + 1);
    mqtt->flights_used--;
    if (i < mqtt->flights_free)
        mqtt->flights_free--;
    memmove(flight, flight + 1, (mqtt->flights_used - i) * sizeof *flight);
}

void sl_mqtt_end_flight(struct sl_mqtt *mqtt, struct sl_mqtt_flight *flight)
{
    remove_flight(mqtt, flight);
    open_window(mqtt);
}

void sl_mqtt_release_flight(struct sl_mqtt *mqtt, struct sl_mqtt_flight *flight)
{
    uint16_t id = flight->id;
    remove_flight(mqtt, flight);
    uint8_t *out = sl_mqtt_claim(mqtt, SL_MQTT_PUBREL << 4 | 0x02, 4, 0);
    if (!out) /* never: a PUBLISH of QoS 2 was larger */
        return;
    sl_mqtt_encode_ack(out, id, SL_MQTT_REASON_SUCCESS);
    add_flight(mqtt, id, SL_FLIGHT_PUBCOMP, out)->len = 4;
}

/* Let pass what the server's receive maximum allows. True: one PUBLISH more, too.
 * Source: MQTT 5.0, section 4.9. */
static bool open_window(struct sl_mqtt *mqtt)
{
    size_t counted = 0;
    size_t i = 0;
    for (; i < mqtt->flights_used; i++) {
        uint8_t state = mqtt->memory.flights[i].state;
        if (state > SL_FLIGHT_PUBCOMP)
            continue;
        if (state < SL_FLIGHT_PUBCOMP && counted >= mqtt->limits.receive_max)
            break;
        counted++;
    }
    mqtt->flights_free = i;
    return i == mqtt->flights_used && counted < mqtt->limits.receive_max;
}

/* What becomes of a flight: a reason to give it up, or SL_FLIGHT_STAYS. */
#define SL_FLIGHT_STAYS 0xFF

static uint8_t judge_flight(const struct sl_mqtt *mqtt, const struct sl_mqtt_flight *flight,
                            bool is_present)
{
    if (flight->state == SL_FLIGHT_LOST)
        return SL_FLIGHT_STAYS;
    if (flight->state == SL_FLIGHT_PUBCOMP)
        return is_present ? SL_FLIGHT_STAYS : SL_MQTT_REASON_SUCCESS;
    if (!is_present)
        return SL_MQTT_REASON_UNSPECIFIED;
    uint8_t *first = mqtt->memory.out + flight->offset;
    unsigned barred = *first & mqtt->barred;
    if (barred != 0)
        return barred & SL_MQTT_FLAGS_QOS ? SL_MQTT_REASON_NO_QOS : SL_MQTT_REASON_NO_RETAIN;
    if (flight->len > mqtt->send_max)
        return SL_MQTT_REASON_TOO_LARGE;
    *first |= 0x08; /* DUP */
    return SL_FLIGHT_STAYS;
}

void sl_mqtt_resume_flights(struct sl_mqtt *mqtt, bool is_present)
{
    for (size_t i = 0; i < mqtt->flights_used; i++) {
        struct sl_mqtt_flight *flight = &mqtt->memory.flights[i];
        uint8_t reason = judge_flight(mqtt, flight, is_present);
        if (reason == SL_FLIGHT_STAYS)
            continue;
        close_gap(mqtt, flight->offset, flight->len, i + 1);
        flight->len = 0;
        flight->state = SL_FLIGHT_LOST;
        flight->detail = reason;
        mqtt->flights_lost++;
    }
    /* PUBREL goes first, in its order: the receive maximum holds back nothing but PUBLISH. */
    mqtt->flights_free = 0;
    for (size_t i = 0; i < mqtt->flights_used; i++) {
        if (mqtt->memory.flights[i].state == SL_FLIGHT_PUBCOMP)
            sl_mqtt_release_flight(mqtt, &mqtt->memory.flights[i]);
    }
    mqtt->out_sent = 0;
    if (!is_present)
        mqtt->received_used = 0;
    open_window(mqtt);
}

void sl_mqtt_ground_flights(struct sl_mqtt *mqtt)
{
    mqtt->flights_free = mqtt->flights_used;
    mqtt->out_sent = mqtt->out_used;
    for (size_t i = mqtt->flights_used; i-- > 0;) {
        if (mqtt->memory.flights[i].state >= SL_FLIGHT_SUBACK)
            remove_flight(mqtt, &mqtt->memory.flights[i]);
    }
    sl_mqtt_reclaim(mqtt);
}
