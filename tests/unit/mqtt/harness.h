/* A session with small memory, and its events as text: what the tests compare.
 *
 * Events:  opened 0|1 · refused XX · received TOPIC qN[r][d][c] PAYLOAD [eN] [x] [tTOPIC] [kDATA]
 *          [yTYPE] · subscribed ID CODES · unsubscribed ID CODES · delivered ID XX · dropped XX ·
 *          failed XX
 * PAYLOAD, DATA and CODES in hex, "-" when empty; other bytes than ASCII as \\XX; joined by ", ".
 */
#ifndef SL_TESTS_MQTT_HARNESS_H
#define SL_TESTS_MQTT_HARNESS_H

#include "legal.h"
#include "mqtt/reason.h"
#include "mqtt/session.h"
#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#define IN_LEN       128
#define OUT_LEN      256
#define PACKET_MAX   200
#define FLIGHTS_LEN  4
#define RECEIVED_LEN 2

struct text {
    char at[8192];
    size_t len;
};

struct fixture {
    struct sl_mqtt mqtt;
    struct sl_mqtt_config config;
    sl_ms now;
    uint8_t *in; /* on the heap, of their exact lengths: AddressSanitizer guards both ends */
    uint8_t *out;
    struct sl_mqtt_flight flights[FLIGHTS_LEN];
    uint16_t received[RECEIVED_LEN];
    bool hides_ids; /* identifiers we give differ between runs that are to be compared */
    struct text events;
    struct text wire;   /* all bytes sent, in hex */
    struct legal legal; /* reads them too */
};

static inline __attribute__((format(printf, 2, 3))) void text_add(struct text *text,
                                                                  const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vsnprintf(text->at + text->len, sizeof text->at - text->len, format, list);
    va_end(list);
    assert(n >= 0 && (size_t)n < sizeof text->at - text->len);
    text->len += (size_t)n;
}

static inline void text_add_hex(struct text *text, struct sl_view bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        text_add(text, "%02x", bytes.data[i]);
}

static inline void text_add_printable(struct text *text, struct sl_view bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        text_add(text, bytes.data[i] > ' ' && bytes.data[i] < 0x7F ? "%c" : "\\%02x",
                 bytes.data[i]);
}

static inline void text_clear(struct text *text)
{
    text->len = 0;
    text->at[0] = 0;
}

/* "XX" is a byte, "XX*N" N of them; spaces between. */
static inline size_t from_hex(const char *hex, uint8_t *out, size_t max)
{
    size_t len = 0;
    unsigned byte;
    while (*hex) {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        hex += 2;
        size_t times = 1;
        if (*hex == '*') {
            char *end;
            times = strtoul(hex + 1, &end, 10);
            hex = end;
        }
        assert_true(len + times <= max);
        memset(out + len, (int)byte, times);
        len += times;
    }
    return len;
}

static inline void fixture_init(struct fixture *f, enum sl_mqtt_version version, sl_ms now)
{
    memset(f, 0, sizeof *f);
    f->in = malloc(IN_LEN);
    f->out = malloc(OUT_LEN);
    f->now = now;
    f->config.version = version;
    f->config.clean_start = true;
    f->config.keep_alive_s = 30;
    f->config.session_expiry_s = version == SL_MQTT_V5 ? 3600 : 0;
    f->config.packet_max = PACKET_MAX;
    f->config.client_id = sl_view_text("garden");
    struct sl_mqtt_memory memory = {
        .in = f->in,
        .in_len = IN_LEN,
        .out = f->out,
        .out_len = OUT_LEN,
        .flights = f->flights,
        .flights_len = FLIGHTS_LEN,
        .received = f->received,
        .received_len = RECEIVED_LEN,
    };
    sl_mqtt_init(&f->mqtt, &memory);
}

static inline void fixture_free(struct fixture *f)
{
    free(f->in);
    free(f->out);
}

static inline void trace_message(struct text *t, const struct sl_mqtt_message *m)
{
    text_add(t, "received ");
    text_add_printable(t, m->topic);
    text_add(t, " q%d%s%s%s ", m->qos, m->retain ? "r" : "", m->dup ? "d" : "",
             m->is_cut ? "c" : "");
    text_add_hex(t, m->payload);
    if (m->payload.len == 0)
        text_add(t, "-");
    if (m->has_expiry)
        text_add(t, " e%u", (unsigned)m->expiry_s);
    if (m->is_text)
        text_add(t, " x");
    if (m->response_topic.len > 0)
        text_add(t, " t%.*s", (int)m->response_topic.len, (const char *)m->response_topic.data);
    if (m->correlation.len > 0) {
        text_add(t, " k");
        text_add_hex(t, m->correlation);
    }
    if (m->content_type.len > 0)
        text_add(t, " y%.*s", (int)m->content_type.len, (const char *)m->content_type.data);
}

static inline void trace_codes(struct text *t, const char *what, unsigned id, struct sl_view codes)
{
    text_add(t, "%s %u ", what, id);
    text_add_hex(t, codes);
    if (codes.len == 0)
        text_add(t, "-");
}

static inline void trace_event(struct fixture *f, const struct sl_mqtt_event *event)
{
    struct text *t = &f->events;
    unsigned id = f->hides_ids ? 0 : event->id;
    if (event->kind != SL_MQTT_FAILED)
        assert_int_equal(event->status, SL_OK);
    if (t->len > 0)
        text_add(t, ", ");
    switch (event->kind) {
    case SL_MQTT_NONE:
        fail_msg("next gave true without an event");
        break;
    case SL_MQTT_OPENED:
        assert_int_equal(event->reason | event->id, 0);
        text_add(t, "opened %d", event->session_present);
        break;
    case SL_MQTT_REFUSED:
        text_add(t, "refused %02x", event->reason);
        break;
    case SL_MQTT_RECEIVED:
        assert_int_equal(event->reason, 0);
        assert_int_equal(event->id == 0, event->message.qos == 0);
        trace_message(t, &event->message);
        break;
    case SL_MQTT_SUBSCRIBED:
        trace_codes(t, "subscribed", id, event->codes);
        break;
    case SL_MQTT_UNSUBSCRIBED:
        trace_codes(t, "unsubscribed", id, event->codes);
        break;
    case SL_MQTT_DELIVERED:
        text_add(t, "delivered %u %02x", id, event->reason);
        break;
    case SL_MQTT_DROPPED:
        text_add(t, "dropped %02x", event->reason);
        break;
    case SL_MQTT_FAILED:
        assert_int_not_equal(event->status, SL_OK);
        assert_int_equal(event->status, sl_mqtt_status(&f->mqtt));
        text_add(t, "failed %02x", event->reason);
        break;
    }
}

/* Pull all events; true when there was one. */
static inline bool pull(struct fixture *f)
{
    struct sl_mqtt_event event;
    bool was_any = false;
    for (;;) {
        memset(&event, 0xA5, sizeof event); /* what next does not set shows */
        if (!sl_mqtt_next(&f->mqtt, f->now, &event))
            return was_any;
        was_any = true;
        trace_event(f, &event);
    }
}

/* Let everything out that waits, at most step bytes at a time. */
static inline void flush(struct fixture *f, size_t step)
{
    struct sl_view view;
    while ((view = sl_mqtt_peek(&f->mqtt)).len > 0) {
        if (view.len > step)
            view.len = step;
        text_add_hex(&f->wire, view);
        legal_feed(&f->legal, view.data, view.len);
        sl_mqtt_sent(&f->mqtt, f->now, view.len);
    }
}

/* Bytes from the server, as a port gives them: what is not taken at once is given again. */
static inline void serve(struct fixture *f, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1); /* exact length, and gone afterwards: no view may stay */
    memcpy(copy, bytes, len);
    size_t used = 0;
    unsigned idle = 0;
    while (used < len && idle < 3) {
        size_t n = sl_mqtt_feed(&f->mqtt, f->now, copy + used, len - used);
        assert_true(n <= len - used);
        used += n;
        bool was_any = pull(f);
        flush(f, SIZE_MAX);
        pull(f);
        idle = n > 0 || was_any ? 0 : idle + 1;
    }
    free(copy);
    pull(f);
    flush(f, SIZE_MAX);
}

static inline void serve_hex(struct fixture *f, const char *hex)
{
    uint8_t bytes[1024];
    serve(f, bytes, from_hex(hex, bytes, sizeof bytes));
}

static inline void clear_traces(struct fixture *f)
{
    text_clear(&f->events);
    text_clear(&f->wire);
}

/* CONNECT waits. */
static inline void dial_unsent(struct fixture *f)
{
    legal_begin(&f->legal, f->config.version);
    assert_int_equal(sl_mqtt_open(&f->mqtt, f->now, &f->config), SL_OK);
}

static inline void dial(struct fixture *f)
{
    dial_unsent(f);
    flush(f, SIZE_MAX);
}

/* CONNECT and a CONNACK that says nothing special. */
static inline void open_plain(struct fixture *f)
{
    dial(f);
    serve_hex(f, f->config.version == SL_MQTT_V5 ? "20 03 00 00 00" : "20 02 00 00");
    assert_string_equal(f->events.at, "opened 0");
    clear_traces(f);
}

static inline enum sl_status publish(struct fixture *f, uint8_t qos, const char *topic,
                                     const char *payload, uint16_t *id)
{
    struct sl_mqtt_message message = {
        .topic = sl_view_text(topic), .payload = sl_view_text(payload), .qos = qos};
    return sl_mqtt_publish(&f->mqtt, f->now, &message, id);
}

static inline void must_publish(struct fixture *f, uint8_t qos, const char *payload)
{
    uint16_t id;
    assert_int_equal(publish(f, qos, "a/b", payload, &id), SL_OK);
    assert_int_equal(id == 0, qos == 0);
}

static inline void must_subscribe(struct fixture *f, const char *filter)
{
    uint16_t id;
    struct sl_mqtt_filter filters[] = {{.filter = sl_view_text(filter), .qos = 1}};
    assert_int_equal(sl_mqtt_subscribe(&f->mqtt, f->now, filters, 1, &id), SL_OK);
}

static inline void must_unsubscribe(struct fixture *f, const char *filter)
{
    uint16_t id;
    struct sl_view filters[] = {sl_view_text(filter)};
    assert_int_equal(sl_mqtt_unsubscribe(&f->mqtt, f->now, filters, 1, &id), SL_OK);
}

#define assert_events(f, text)                                                                     \
    do {                                                                                           \
        assert_string_equal((f)->events.at, text);                                                 \
        text_clear(&(f)->events);                                                                  \
    } while (0)
#define assert_wire(f, text)                                                                       \
    do {                                                                                           \
        assert_string_equal((f)->wire.at, text);                                                   \
        text_clear(&(f)->wire);                                                                    \
    } while (0)

#endif
