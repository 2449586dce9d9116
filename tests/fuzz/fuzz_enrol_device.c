/* The device's end of an enrolment against scripts of hostile hosts and bad lines.
 *
 * Input: steps of fuzz_enrol.h. Contract: only whole frames of a device go out, one for one that
 * came, in a session that was named; what is to be stored is an identity of this device's key and a
 * certificate that really is for it, and nothing else, ever; it is stored once; nothing happens
 * after the end; any cut of the same bytes and any ticks give the same. */
#include "enrol_grant.h"
#include "fuzz_enrol.h"
#include "node/enrolment.h"
#include "support/quick_curves.h"

#define SEED 7 /* enrol_grant.h is for the key that this one makes */

struct world {
    struct sl_enrolment device;
    struct fuzz_trace trace;
    sl_ms now;
    size_t piece;
    bool has_more_ticks;
    bool is_storing, was_stored, has_ended;
    unsigned heard, said; /* frames, at most; answers */
};

static void run(struct world *world, struct sl_view script);
static void line(struct world *world, const uint8_t *bytes, size_t len);
static void drain(struct world *world);
static void follow(struct world *world);
static void check_image(const struct world *world, struct sl_view image);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct world whole, cut;
    const struct sl_view script = {data, len};

    test_curves_remember();
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
    static const struct sl_enrolment_config config = {.floor_s = 1000, .quiet_ms = 300000};
    struct sl_reader input = sl_reader_init(script);
    uint8_t seed[SL_ENROLMENT_SEED_LEN];

    memset(seed, SEED, sizeof seed);
    sl_enrolment_init(&world->device, world->now, &config, seed);
    drain(world);
    while (fuzz_has_more(&input)) {
        uint8_t wire[SL_ENROL_WIRE_MAX + 8];
        const uint8_t step = fuzz_u8(&input) % 6;
        size_t len = fuzz_enrol_bytes(&input, step, wire);

        if (step == FUZZ_ENROL_TIME) {
            world->now += 16u * fuzz_u16(&input);
            sl_enrolment_tick(&world->device, world->now);
        } else if (step == FUZZ_ENROL_ANSWER) {
            const bool ok = fuzz_u8(&input) % 2 == 0;
            world->was_stored |= ok && world->is_storing;
            world->is_storing = false;
            sl_enrolment_stored(&world->device, world->now, ok);
            world->heard++; /* its answer */
        } else if (step == FUZZ_ENROL_PART) {
            struct sl_enrol_message part = {
                .kind = SL_ENROL_PART, .session = fuzz_u8(&input), .total = sizeof enrol_grant};
            part.offset = (uint16_t)(SL_ENROL_PART_MAX * (fuzz_u8(&input) % 8u));
            if (part.offset < sizeof enrol_grant) {
                part.bytes.data = enrol_grant + part.offset;
                part.bytes.len = sizeof enrol_grant - part.offset;
                if (part.bytes.len > SL_ENROL_PART_MAX)
                    part.bytes.len = SL_ENROL_PART_MAX;
                FUZZ_CHECK(sl_enrol_encode(&part, wire, &len) == SL_OK);
            }
        }
        line(world, wire, len);
        drain(world);
    }
}

/* Bytes that the device does not take while it stores are lost, as on a line. */
static void line(struct world *world, const uint8_t *bytes, size_t len)
{
    size_t at = 0;

    for (size_t i = 0; i < len; i++)
        world->heard += bytes[i] == 0;
    while (at < len) {
        const size_t some = len - at < world->piece ? len - at : world->piece;
        const size_t used = sl_enrolment_feed(&world->device, world->now, bytes + at, some);
        FUZZ_CHECK(used <= some);
        at += used;
        if (world->has_more_ticks)
            sl_enrolment_tick(&world->device, world->now);
        const bool had_output = sl_enrolment_peek(&world->device).len > 0;
        drain(world);
        if (used == 0 && !had_output)
            return;
    }
}

static void drain(struct world *world)
{
    struct sl_view out;

    follow(world);
    out = sl_enrolment_peek(&world->device);
    if (out.len > 0) {
        static struct sl_enrol_line reader;
        const struct sl_enrol_message message = fuzz_enrol_read(out, &reader);
        FUZZ_CHECK((message.kind & 0x80) != 0);
        FUZZ_CHECK(!world->has_ended);
        FUZZ_CHECK(message.kind != SL_ENROL_STORED || world->was_stored);
        FUZZ_CHECK(++world->said <= world->heard);
        fuzz_note_view(&world->trace, out);
    }
    while ((out = sl_enrolment_peek(&world->device)).len > 0)
        sl_enrolment_sent(&world->device, out.len < world->piece ? out.len : world->piece);
    follow(world);
}

static void follow(struct world *world)
{
    struct sl_enrolment_event event;

    while (sl_enrolment_next(&world->device, &event)) {
        FUZZ_CHECK(!world->has_ended);
        fuzz_note_number(&world->trace, event.kind);
        if (event.kind == SL_ENROLMENT_LOG)
            fuzz_note_number(&world->trace, event.log.code);
        if (event.kind == SL_ENROLMENT_STORE) {
            FUZZ_CHECK(!world->is_storing && !world->was_stored);
            world->is_storing = true;
            check_image(world, event.image);
        }
        if (event.kind == SL_ENROLMENT_FINISHED) {
            FUZZ_CHECK(event.is_stored == world->was_stored);
            world->has_ended = true;
        }
    }
}

static void check_image(const struct world *world, struct sl_view image)
{
    struct sl_identity identity, grant;

    FUZZ_CHECK(sl_identity_decode(image, &identity) == SL_OK);
    FUZZ_CHECK(sl_grant_decode((struct sl_view){enrol_grant, sizeof enrol_grant}, &grant) == SL_OK);
    FUZZ_CHECK(sl_view_is_equal(identity.certificate, grant.certificate));
    FUZZ_CHECK(sl_view_is_equal(identity.name, sl_view_text("garden")));
    FUZZ_CHECK(sl_view_is_equal(identity.name, world->device.expected.name)); /* asked for */
    FUZZ_CHECK(memcmp(identity.private_key.data, world->device.key, SL_REQUEST_KEY_LEN) == 0);
}
