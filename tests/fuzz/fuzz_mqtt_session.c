/* The MQTT session engine: a script of bytes from the server, calls of the node, time, lost
 * connections and a transport that stalls. The first byte chooses version and memory.
 *
 * Contract: the same script with the input in other cuts, the output byte by byte, extra ticks and
 * a clock just below its wrap gives the same events and the same bytes out. No event follows an
 * end. Whatever goes out is whole packets of kinds that a client may send, CONNECT first and once,
 * nothing behind DISCONNECT, none larger than the server allowed. Whatever comes up is a message
 * with a topic name, inside the session's memory or what it was given just now. */
#include "fuzz.h"
#include "mqtt/session.h"
#include "mqtt/topic.h"

#define IN_LEN       96
#define OUT_LEN      160
#define FLIGHTS_LEN  3
#define RECEIVED_LEN 2
#define PACKET_MAX   150
#define WRAP_START   UINT32_C(0xFFFF8000)
#define FROM_CLIENT  0x55FA /* bit t: packet type t */

struct run {
    struct sl_mqtt mqtt;
    struct sl_mqtt_config config;
    uint8_t *in, *out; /* on the heap, of their exact lengths */
    size_t in_len;
    struct sl_view fed; /* what the session was given just now */
    struct sl_mqtt_flight flights[FLIGHTS_LEN];
    uint16_t received[RECEIVED_LEN];
    sl_ms now;
    bool is_cut_up; /* the run that is disturbed */
    bool is_stalled;
    bool has_ended; /* this connection */
    struct {
        uint8_t bytes[OUT_LEN];
        size_t len;
        bool has_connect, has_disconnect;
    } wire;
    struct fuzz_trace *trace;
};

static void play(struct run *run, struct sl_reader input);
static void step(struct run *run, struct sl_reader *input);
static void serve(struct run *run, struct sl_view bytes);
static void serve_packet(struct run *run, struct sl_reader *input);
static void send_something(struct run *run, uint8_t op, struct sl_reader *input);
static void dial(struct run *run, uint8_t options);
static void drain(struct run *run);
static void flush(struct run *run);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct fuzz_trace plain, other;
    static struct run run;
    struct sl_reader input = sl_reader_init((struct sl_view){data, len});

    run = (struct run){.trace = &plain};
    play(&run, input);
    run = (struct run){.trace = &other, .now = WRAP_START, .is_cut_up = true};
    play(&run, input);
    FUZZ_CHECK(fuzz_is_same(&plain, &other));
    return 0;
}

static void play(struct run *run, struct sl_reader input)
{
    uint8_t options = fuzz_u8(&input);
    run->trace->len = 0;
    run->in_len = options & 2 ? IN_LEN : SL_MQTT_IN_MIN;
    size_t out_len = options & 4 ? OUT_LEN : 64;
    run->in = malloc(run->in_len);
    run->out = malloc(out_len);
    FUZZ_CHECK(run->in != NULL && run->out != NULL);
    run->config = (struct sl_mqtt_config){
        .version = options & 1 ? SL_MQTT_V5 : SL_MQTT_V3,
        .keep_alive_s = options & 8 ? 0 : 30,
        .session_expiry_s = 3600,
        .packet_max = options & 16 ? 0 : PACKET_MAX,
        .client_id = sl_view_text("garden"),
    };
    if (options & 32)
        run->config.will = (struct sl_mqtt_message){
            .topic = sl_view_text("w"), .payload = sl_view_text("offline"), .qos = 1};
    const struct sl_mqtt_memory memory = {run->in,       run->in_len,       run->out,
                                          out_len,       run->flights,      1 + (options >> 6) % 3u,
                                          run->received, 1 + (options >> 7)};
    sl_mqtt_init(&run->mqtt, &memory);
    dial(run, 0);
    while (fuzz_has_more(&input))
        step(run, &input);
    run->is_stalled = false;
    flush(run);
    drain(run);
    free(run->in);
    free(run->out);
}

static void step(struct run *run, struct sl_reader *input)
{
    uint8_t op = fuzz_u8(input);
    if (run->is_cut_up)
        sl_mqtt_tick(&run->mqtt, run->now);
    switch (op & 15) {
    case 0:
        serve(run, fuzz_take(input, fuzz_u8(input)));
        break;
    case 1:
        serve_packet(run, input);
        break;
    case 2:
        serve(run, run->config.version == SL_MQTT_V5
                       ? (struct sl_view){(const uint8_t *)" \3\0\0", 5}
                       : (struct sl_view){(const uint8_t *)" \2\0", 4});
        break;
    case 3:
    case 4:
    case 5:
        send_something(run, op, input);
        break;
    case 6:
        run->now += fuzz_u16(input);
        break;
    case 7: /* a new transport */
        dial(run, fuzz_u8(input));
        break;
    case 8:
        sl_mqtt_disconnect(&run->mqtt, run->now, fuzz_u8(input));
        run->has_ended = true;
        break;
    case 9:
        run->is_stalled = true;
        break;
    case 10:
        run->is_stalled = false;
        break;
    case 11: { /* sleep as the port does */
        sl_ms due;
        if (sl_mqtt_deadline(&run->mqtt, run->now, &due))
            run->now += sl_ms_until(run->now, due);
        break;
    }
    default:
        break;
    }
    sl_mqtt_tick(&run->mqtt, run->now);
    if (run->is_cut_up)
        sl_mqtt_tick(&run->mqtt, run->now);
    drain(run);
    flush(run);
    drain(run);
}

/* Bytes from the server, as a port gives them: what is not taken at once is given again. A
 * transport that stalls is let loose where nothing else can go on. */
static void serve(struct run *run, struct sl_view bytes)
{
    size_t used = 0;
    for (unsigned idle = 0; used < bytes.len && idle < 3 && !run->has_ended;) {
        size_t len = run->is_cut_up ? 1 : bytes.len - used;
        uint8_t *fed = malloc(len); /* gone as soon as it may be */
        FUZZ_CHECK(fed != NULL);
        memcpy(fed, bytes.data + used, len);
        run->fed = (struct sl_view){fed, len};
        size_t taken = sl_mqtt_feed(&run->mqtt, run->now, fed, len);
        FUZZ_CHECK(taken <= len);
        used += taken;
        drain(run);
        run->fed = (struct sl_view){NULL, 0};
        free(fed);
        flush(run);
        drain(run);
        idle = taken > 0 ? 0 : idle + 1;
        if (idle == 2)
            run->is_stalled = false;
    }
}

/* A fixed header that fits its body. */
static void serve_packet(struct run *run, struct sl_reader *input)
{
    uint8_t packet[258];
    packet[0] = fuzz_u8(input);
    struct sl_view body = fuzz_take(input, fuzz_u8(input));
    struct sl_writer writer = sl_writer_init(packet + 1, sizeof packet - 1);
    sl_write_u8(&writer, (uint8_t)((body.len & 0x7F) | (body.len > 0x7F ? 0x80 : 0)));
    if (body.len > 0x7F)
        sl_write_u8(&writer, 1);
    sl_write_view(&writer, body);
    serve(run, (struct sl_view){packet, 1 + sl_writer_len(&writer)});
}

static void send_something(struct run *run, uint8_t op, struct sl_reader *input)
{
    uint8_t options = fuzz_u8(input);
    uint16_t id = 0;
    enum sl_status status;
    if ((op & 15) == 3) {
        struct sl_mqtt_message message = {.topic = sl_view_text(options & 4 ? "a/long/topic" : "a"),
                                          .payload = fuzz_take(input, fuzz_u8(input)),
                                          .qos = options & 3,
                                          .retain = options & 8,
                                          .has_expiry = options & 16,
                                          .expiry_s = 60,
                                          .is_text = options & 32};
        if (options & 64)
            message.correlation = fuzz_take(input, fuzz_u8(input));
        if (options & 128)
            message.response_topic = fuzz_take(input, fuzz_u8(input));
        status = sl_mqtt_publish(&run->mqtt, run->now, &message, &id);
        FUZZ_CHECK(status != SL_OK || (id != 0) == (message.qos != 0));
    } else {
        struct sl_view text = options & 1 ? fuzz_take(input, fuzz_u8(input)) : sl_view_text("a/+");
        struct sl_mqtt_filter filters[2] = {{.filter = text, .qos = 1},
                                            {.filter = sl_view_text("b"), .qos = 2}};
        struct sl_view views[2] = {text, sl_view_text("b")};
        size_t count = options & 2 ? 2 : 1;
        status = (op & 15) == 4 ? sl_mqtt_subscribe(&run->mqtt, run->now, filters, count, &id)
                                : sl_mqtt_unsubscribe(&run->mqtt, run->now, views, count, &id);
        FUZZ_CHECK((status == SL_OK) == (id != 0) || status != SL_OK);
    }
    FUZZ_CHECK(!run->has_ended || status != SL_OK);
    fuzz_note_number(run->trace, status);
}

static void dial(struct run *run, uint8_t options)
{
    sl_mqtt_close(&run->mqtt);
    run->wire.len = 0;
    run->wire.has_connect = run->wire.has_disconnect = false;
    run->is_stalled = false;
    run->config.clean_start = options & 1;
    if (options & 2)
        run->config.version = run->config.version == SL_MQTT_V5 ? SL_MQTT_V3 : SL_MQTT_V5;
    enum sl_status status = sl_mqtt_open(&run->mqtt, run->now, &run->config);
    fuzz_note_number(run->trace, status);
    run->has_ended = status != SL_OK;
    FUZZ_CHECK(status == SL_OK || status == SL_FULL);
    drain(run);
    flush(run);
}

static void note_message(struct run *run, const struct sl_mqtt_message *message)
{
    const struct sl_view memory = {run->in, run->in_len};
    FUZZ_CHECK(sl_topic_is_name(message->topic) && message->qos <= 2);
    const struct sl_view home = fuzz_is_within(message->topic, memory) ? memory : run->fed;
    FUZZ_CHECK(fuzz_is_within(message->topic, home) && fuzz_is_within(message->payload, home));
    FUZZ_CHECK(!message->is_cut || message->payload.len == 0);
    fuzz_note_view(run->trace, message->topic);
    fuzz_note_view(run->trace, message->payload);
    fuzz_note_view(run->trace, message->response_topic);
    fuzz_note_view(run->trace, message->correlation);
    fuzz_note_view(run->trace, message->content_type);
    fuzz_note_number(run->trace, message->qos);
    const bool flags[] = {message->retain, message->dup, message->is_cut, message->has_expiry,
                          message->is_text};
    fuzz_note(run->trace, flags, sizeof flags);
    fuzz_note_number(run->trace, message->has_expiry ? message->expiry_s : 0);
}

static void drain(struct run *run)
{
    struct sl_mqtt_event event;
    while (sl_mqtt_next(&run->mqtt, run->now, &event)) {
        /* Our own DISCONNECT is silent; and what the server ended, ended once. */
        FUZZ_CHECK(!run->has_ended && event.kind != SL_MQTT_NONE);
        fuzz_note_number(run->trace, event.kind);
        fuzz_note_number(run->trace, event.status);
        fuzz_note_number(run->trace, event.reason);
        fuzz_note_number(run->trace, event.id);
        if (event.kind == SL_MQTT_RECEIVED)
            note_message(run, &event.message);
        if (event.kind == SL_MQTT_SUBSCRIBED || event.kind == SL_MQTT_UNSUBSCRIBED)
            fuzz_note_view(run->trace, event.codes);
        if (event.kind == SL_MQTT_OPENED)
            fuzz_note_number(run->trace, event.session_present);
        run->has_ended = event.kind == SL_MQTT_REFUSED || event.kind == SL_MQTT_DROPPED ||
                         event.kind == SL_MQTT_FAILED;
        FUZZ_CHECK((event.kind == SL_MQTT_FAILED) == (event.status != SL_OK));
        FUZZ_CHECK(run->has_ended == (sl_mqtt_status(&run->mqtt) != SL_OK));
    }
    sl_ms due;
    FUZZ_CHECK(!run->has_ended || !sl_mqtt_deadline(&run->mqtt, run->now, &due));
}

/* Take whole packets off the wire. */
static void check_wire(struct run *run)
{
    while (run->wire.len >= 2) {
        const uint8_t *bytes = run->wire.bytes;
        size_t head = bytes[1] & 0x80 ? 3 : 2;
        if (run->wire.len < head)
            return;
        size_t len = head + (bytes[1] & 0x7Fu) + (head == 3 ? bytes[2] * 128u : 0);
        if (run->wire.len < len)
            return;
        uint8_t type = bytes[0] >> 4;
        uint32_t largest = sl_mqtt_limits(&run->mqtt)->packet_max;
        FUZZ_CHECK(FROM_CLIENT >> type & 1);
        FUZZ_CHECK((type == SL_MQTT_CONNECT) != run->wire.has_connect && !run->wire.has_disconnect);
        if (type == SL_MQTT_PUBLISH || type == SL_MQTT_SUBSCRIBE || type == SL_MQTT_UNSUBSCRIBE)
            FUZZ_CHECK(largest == 0 || len <= largest);
        run->wire.has_connect = true;
        run->wire.has_disconnect = type == SL_MQTT_DISCONNECT;
        run->wire.len -= len;
        memmove(run->wire.bytes, bytes + len, run->wire.len);
    }
}

static void flush(struct run *run)
{
    struct sl_view view;
    while (!run->is_stalled && (view = sl_mqtt_peek(&run->mqtt)).len > 0) {
        if (run->is_cut_up)
            view.len = 1;
        fuzz_note(run->trace, view.data, view.len);
        FUZZ_CHECK(view.len <= sizeof run->wire.bytes - run->wire.len);
        memcpy(run->wire.bytes + run->wire.len, view.data, view.len);
        run->wire.len += view.len;
        sl_mqtt_sent(&run->mqtt, run->now, view.len);
        check_wire(run);
    }
    FUZZ_CHECK(run->is_stalled || run->wire.len == 0);
}
