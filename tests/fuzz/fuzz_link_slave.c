/* The relay chip's end of the SPI link: a script of frames and time (slave_script.h); the first
 * byte chooses the hard limits and how time is cut into ticks.
 *
 * Contract, kept by a second account of the rules in link/slave.h: a zone conducts only when the
 * last applied order said so, never longer than that order's time or lease, never beyond its hard
 * limit, and after an end of its own not before an order of 0; nor much shorter than 8/9 of what
 * was ordered. A bad frame changes nothing but its counter. Time in other ticks gives the same end.
 * Every status decodes and says what the outputs do. */
#include "fuzz.h"
#include "link/slave.h"
#include "slave_script.h"

#define BIT(zone)      (1u << (zone))
#define FINE_MS        4000 /* from then on time passes in larger ticks: speed */
#define COARSE_TICK_MS 50

struct account {
    uint64_t now_ms;
    uint64_t applied_at; /* the last applied order, ... */
    uint32_t lease_ms;   /* ... its lease, 0 before the first, ... */
    uint32_t ordered_ms[SL_ZONES];
    uint32_t limit_ms[SL_ZONES];
    uint32_t on_ms[SL_ZONES]; /* since the last order of 0 */
    uint8_t held;             /* zones that wait for an order of 0 */
    uint8_t sequence;
    bool is_fresh;
};

static void feed(struct account *account, struct sl_slave *slave, const struct slave_step *step);
static void pass(struct account *account, struct sl_slave *slave, uint32_t ms, uint16_t tick_ms);
static void end(struct account *account, uint8_t zones);
static void check(const struct account *account, const struct sl_slave *slave);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint32_t limits[4] = {SL_SLAVE_HARD_LIMIT_MS, 3000, 0, 40000};
    struct slave_script script = {.input = sl_reader_init((struct sl_view){data, len})};
    struct account account = {.is_fresh = true, .held = 0xFF};
    struct sl_slave slave, coarse;
    struct slave_step step;

    uint8_t options = fuzz_u8(&script.input);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        account.limit_ms[zone] = options & 2 ? limits[0] : limits[(zone + (options >> 2)) & 3];
    sl_slave_init(&slave, options & 0x0F, account.limit_ms);
    check(&account, &slave);
    while (slave_script_next(&script, &step)) {
        if (step.frame_len > 0)
            feed(&account, &slave, &step);
        check(&account, &slave);
        coarse = slave;
        uint32_t ms = step.pass_ms > 4096 ? 4096 + step.pass_ms / 16 : step.pass_ms;
        pass(&account, &slave, ms, options & 1 ? 7 : 1);
        sl_slave_tick(&coarse, (uint16_t)ms); /* a late tick makes up for it */
        FUZZ_CHECK(sl_slave_outputs(&coarse) == sl_slave_outputs(&slave));
    }
    return 0;
}

static bool is_same_count(struct sl_slave_count a, struct sl_slave_count b)
{
    return a.units == b.units && a.left_ms == b.left_ms;
}

/* In all that a frame could change: latches, sequence and the rest are in the status. */
static bool is_same(const struct sl_slave *a, const struct sl_slave *b)
{
    uint8_t frame_a[SL_FRAME_LEN], frame_b[SL_FRAME_LEN];
    sl_slave_peek(a, 0, 0, frame_a);
    sl_slave_peek(b, 0, 0, frame_b);
    bool same = memcmp(frame_a, frame_b, SL_FRAME_LEN) == 0 && is_same_count(a->lease, b->lease);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        same = same && is_same_count(a->remaining[zone], b->remaining[zone]) &&
               a->on_ms[zone] == b->on_ms[zone];
    return same;
}

static void feed(struct account *account, struct sl_slave *slave, const struct slave_step *step)
{
    struct sl_order order;
    struct sl_slave before = *slave;
    sl_slave_feed(slave, step->frame, step->frame_len);
    if (step->frame_len != SL_FRAME_LEN || sl_order_decode(step->frame, &order) != SL_OK) {
        before.dropped_frames = (uint8_t)(before.dropped_frames + (before.dropped_frames < 255));
        FUZZ_CHECK(is_same(slave, &before));
        return;
    }
    bool is_new = account->is_fresh || order.sequence != account->sequence;
    account->sequence = order.sequence;
    if (!order.apply || !is_new)
        return;
    account->is_fresh = false;
    account->applied_at = account->now_ms;
    account->lease_ms = order.lease_units * UINT32_C(250);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        account->ordered_ms[zone] = order.remaining_units[zone] * UINT32_C(250);
        if (order.remaining_units[zone] == 0) {
            account->on_ms[zone] = 0;
            if (account->limit_ms[zone] > 0)
                account->held &= (uint8_t)~BIT(zone);
        }
    }
}

/* These zones went off without an order. */
static void end(struct account *account, uint8_t zones)
{
    uint64_t age_ms = account->now_ms - account->applied_at;
    account->held |= zones;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        uint32_t ordered_ms = account->ordered_ms[zone];
        uint32_t least_ms = ordered_ms < account->lease_ms ? ordered_ms : account->lease_ms;
        bool is_limited = account->on_ms[zone] >= account->limit_ms[zone];
        if ((zones & BIT(zone)) && !is_limited)
            FUZZ_CHECK((age_ms + 1) * 9 / 8 >= least_ms); /* early, but not that early */
    }
}

static void pass(struct account *account, struct sl_slave *slave, uint32_t ms, uint16_t tick_ms)
{
    for (uint32_t left = ms; left > 0;) {
        uint16_t tick = account->now_ms < FINE_MS ? tick_ms : COARSE_TICK_MS;
        if (tick > left)
            tick = (uint16_t)left;
        uint8_t before = sl_slave_outputs(slave);
        sl_slave_tick(slave, tick);
        account->now_ms += tick;
        left -= tick;
        for (uint8_t zone = 0; zone < SL_ZONES; zone++)
            if (before & BIT(zone))
                account->on_ms[zone] += tick;
        uint8_t ended = before & (uint8_t)~sl_slave_outputs(slave);
        end(account, ended);
        if (ended != 0 || left == 0)
            check(account, slave);
    }
}

static void check(const struct account *account, const struct sl_slave *slave)
{
    uint8_t outputs = sl_slave_outputs(slave);
    uint64_t age_ms = account->now_ms - account->applied_at;
    uint8_t frame[SL_FRAME_LEN];
    struct sl_chip_status status;
    sl_slave_peek(slave, outputs, 0x10, frame);
    FUZZ_CHECK(sl_chip_status_decode(frame, &status) == SL_OK);
    FUZZ_CHECK(status.pins == outputs && status.version == 0x10);
    FUZZ_CHECK(((status.flags & SL_STATUS_FRESH) != 0) == account->is_fresh);

    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        bool is_on = outputs >> zone & 1, may_be_on = (account->held >> zone & 1) == 0;
        FUZZ_CHECK(is_on == (status.remaining_units[zone] > 0));
        if (is_on) {
            FUZZ_CHECK(may_be_on && !(status.latched >> zone & 1));
            FUZZ_CHECK(age_ms < account->ordered_ms[zone] && age_ms < account->lease_ms);
            FUZZ_CHECK(account->on_ms[zone] < account->limit_ms[zone]);
            FUZZ_CHECK(status.remaining_units[zone] * UINT64_C(250) <=
                       account->ordered_ms[zone] + UINT64_C(250));
        } else if (may_be_on) {
            FUZZ_CHECK(account->ordered_ms[zone] == 0); /* else it ended by itself: held */
        }
    }
}
