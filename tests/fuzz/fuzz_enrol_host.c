/* The host's end of an enrolment against scripts of hostile devices and bad lines.
 *
 * Input: steps of fuzz_enrol.h. Contract: only whole frames of a host go out, never more of them
 * than came and seconds went by; a part is that part of the grant; the request is given once, as it
 * came; success is told only when the device said STORED in this session after the grant began;
 * after the end nothing but DONE; any cut and any ticks give the same. */
#include "enrol/host.h"
#include "fuzz_enrol.h"

#define SESSION   7
#define GRANT_MAX 1300

static uint8_t grant[GRANT_MAX];

struct world {
    struct sl_enrol_host host;
    struct fuzz_trace trace;
    sl_ms now;
    size_t piece, grant_len;
    bool has_more_ticks;
    bool has_request, has_begun, has_ended;
    unsigned may_say, said; /* frames */
};

static void run(struct world *world, struct sl_view script);
static void line(struct world *world, const uint8_t *bytes, size_t len);
static void drain(struct world *world);
static void follow(struct world *world);
static void check_frame(struct world *world, struct sl_view out);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct world whole, cut;
    const struct sl_view script = {data, len};

    for (size_t i = 0; i < sizeof grant; i++)
        grant[i] = (uint8_t)(i % 251);
    memset(&whole, 0, sizeof whole);
    memset(&cut, 0, sizeof cut);
    whole.piece = SIZE_MAX;
    cut.piece = 1 + len % 7;
    cut.has_more_ticks = true;
    cut.now = (sl_ms)0 - 3000; /* its clock wraps */
    run(&whole, script);
    run(&cut, script);
    FUZZ_CHECK(fuzz_is_same(&whole.trace, &cut.trace));
    return 0;
}

static void run(struct world *world, struct sl_view script)
{
    const struct sl_enrol_host_config config = {.name = sl_view_text("garden"),
                                                .session = SESSION,
                                                .unix_s = 1795374000,
                                                .timeout_ms = 30000};
    struct sl_reader input = sl_reader_init(script);

    sl_enrol_host_init(&world->host, world->now, &config);
    world->may_say = 1;
    drain(world);
    while (fuzz_has_more(&input)) {
        uint8_t wire[SL_ENROL_WIRE_MAX + 8];
        const uint8_t step = fuzz_u8(&input) % 5;
        const size_t len = fuzz_enrol_bytes(&input, step, wire);

        if (step == FUZZ_ENROL_TIME) {
            world->now += 16u * fuzz_u16(&input);
            world->may_say++;
            sl_enrol_host_tick(&world->host, world->now);
        } else if (step == FUZZ_ENROL_ANSWER) {
            const size_t some = 1 + fuzz_u16(&input) % GRANT_MAX;
            if (world->has_request && !world->has_begun)
                world->grant_len = some;
            world->has_begun |= world->has_request;
            world->may_say++;
            sl_enrol_host_grant(&world->host, world->now, (struct sl_view){grant, some});
        }
        line(world, wire, len);
        drain(world);
    }
}

static void line(struct world *world, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        world->may_say += bytes[i] == 0;
    for (size_t at = 0; at < len;) {
        const size_t some = len - at < world->piece ? len - at : world->piece;
        const size_t used = sl_enrol_host_feed(&world->host, world->now, bytes + at, some);
        FUZZ_CHECK(used > 0 && used <= some);
        at += used;
        if (world->has_more_ticks)
            sl_enrol_host_tick(&world->host, world->now);
        drain(world);
    }
}

static void drain(struct world *world)
{
    struct sl_view out;

    follow(world);
    out = sl_enrol_host_peek(&world->host);
    if (out.len > 0)
        check_frame(world, out);
    while ((out = sl_enrol_host_peek(&world->host)).len > 0)
        sl_enrol_host_sent(&world->host, out.len < world->piece ? out.len : world->piece);
}

static void check_frame(struct world *world, struct sl_view out)
{
    static struct sl_enrol_line reader;
    const struct sl_enrol_message message = fuzz_enrol_read(out, &reader);

    FUZZ_CHECK(message.session == SESSION);
    FUZZ_CHECK(message.kind == SL_ENROL_DONE ? world->has_ended : !world->has_ended);
    FUZZ_CHECK(message.kind != SL_ENROL_ASK || !world->has_request);
    if (message.kind == SL_ENROL_PART) {
        FUZZ_CHECK(world->has_begun && message.total == world->grant_len);
        FUZZ_CHECK(memcmp(message.bytes.data, grant + message.offset, message.bytes.len) == 0);
    }
    FUZZ_CHECK((message.kind & 0x80) == 0);
    FUZZ_CHECK(++world->said <= world->may_say);
    fuzz_note_view(&world->trace, out);
}

static void follow(struct world *world)
{
    struct sl_enrol_host_event event;

    while (sl_enrol_host_next(&world->host, &event)) {
        FUZZ_CHECK(!world->has_ended);
        fuzz_note_number(&world->trace, event.kind);
        switch (event.kind) {
        case SL_ENROL_HOST_REQUEST:
            FUZZ_CHECK(!world->has_request && event.request.len <= SL_ENROL_BODY_MAX);
            fuzz_note_view(&world->trace, event.request);
            world->has_request = true;
            break;
        case SL_ENROL_HOST_PROGRESS:
            FUZZ_CHECK(world->has_begun && event.offset < world->grant_len);
            break;
        case SL_ENROL_HOST_STORED:
            FUZZ_CHECK(world->has_begun);
            world->has_ended = true;
            break;
        case SL_ENROL_HOST_FAILED:
            FUZZ_CHECK(event.status == SL_TIMEOUT || event.status == SL_UNSUPPORTED ||
                       (event.status == SL_REFUSED && event.refusal != 0));
            world->has_ended = true;
            break;
        case SL_ENROL_HOST_NONE:
            FUZZ_CHECK(false);
        }
    }
}
