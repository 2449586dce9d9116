/* The node's end of the SPI link: a script of commands, time and answers from a chip that is
 * honest (link/slave.c itself), forged under a right checksum, or noise.
 *
 * Contract: every order decodes; it orders a zone on only until the caller's time, or a time that
 * the chip named before the first command; UP and DOWN take turns; a command is confirmed once at
 * most, and is settled within seconds when the chip falls silent; there is always a next exchange,
 * within a quarter of a second. Extra ticks change nothing; a clock just below its wrap behaves the
 * same. */
#include "base/crc.h"
#include "fuzz.h"
#include "link/master.h"
#include "link/slave.h"

#define BIT(zone)    (1u << (zone))
#define WRAP_START   UINT32_C(0xFFFFF000)
#define LATEST(a, b) ((a) > (b) ? (a) : (b))

struct run {
    struct sl_master master;
    struct sl_slave chip;
    sl_ms start;
    uint64_t now_ms;              /* since the start */
    bool extra_ticks, is_lazy;    /* is_lazy: events are pulled only now and then */
    uint64_t may_until[SL_ZONES]; /* a zone may be ordered on until then */
    bool is_up, was_up;
    uint8_t unsettled;            /* zones with a command that was neither confirmed nor given up */
    uint8_t answer[SL_FRAME_LEN]; /* what the honest chip says in the next exchange */
    struct fuzz_trace *trace;
};

static void play(struct run *run, struct sl_reader input);
static void command(struct run *run, uint8_t zone, uint8_t units);
static void exchange(struct run *run, const uint8_t *answer, size_t len, bool is_honest);
static void pass(struct run *run, uint32_t ms);
static void drain(struct run *run);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct fuzz_trace plain, other;
    static struct run run;
    struct sl_reader input = sl_reader_init((struct sl_view){data, len});

    run = (struct run){.trace = &plain};
    play(&run, input);
    run = (struct run){.trace = &other, .start = WRAP_START, .extra_ticks = true};
    play(&run, input);
    FUZZ_CHECK(fuzz_is_same(&plain, &other));
    return 0;
}

static sl_ms now(const struct run *run)
{
    return run->start + (sl_ms)run->now_ms;
}

static void play(struct run *run, struct sl_reader input)
{
    uint32_t limits[SL_ZONES];
    uint8_t frame[SL_FRAME_LEN];
    struct sl_view bytes;

    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        limits[zone] = SL_SLAVE_HARD_LIMIT_MS;
    run->trace->len = 0;
    sl_slave_init(&run->chip, SL_RESET_POWER_ON, limits);
    sl_slave_peek(&run->chip, 0, 0x10, run->answer);
    uint8_t options = fuzz_u8(&input);
    run->is_lazy = options & 1;
    sl_master_init(&run->master, now(run), options * UINT32_C(300));
    while (fuzz_has_more(&input)) {
        if (run->extra_ticks)
            sl_master_tick(&run->master, now(run));
        uint8_t op = fuzz_u8(&input);
        switch (op & 7) {
        case 0: /* the honest chip, op / 8 exchanges in a row */
            for (unsigned i = 0; i <= op >> 3; i++)
                exchange(run, run->answer, SL_FRAME_LEN, true);
            break;
        case 1: /* noise */
            bytes = fuzz_take(&input, fuzz_u8(&input));
            exchange(run, bytes.data, bytes.len, false);
            break;
        case 2: /* forged: a status as it likes, with the sequence that is waited for or another */
            memset(frame, 0, sizeof frame);
            bytes = fuzz_take(&input, SL_FRAME_LEN - 2);
            if (bytes.len > 0)
                memcpy(frame, bytes.data, bytes.len);
            frame[0] = 0xA1;
            if (op & 8)
                frame[1] = run->master.sequence;
            struct sl_writer crc = sl_writer_init(frame + SL_FRAME_LEN - 2, 2);
            sl_write_u16(&crc, sl_crc16(frame, SL_FRAME_LEN - 2));
            exchange(run, frame, sizeof frame, false);
            break;
        case 3:
            command(run, op >> 3 & 7, fuzz_u8(&input));
            break;
        case 4: {
            uint8_t zones = fuzz_u8(&input);
            for (uint8_t zone = 0; zone < SL_ZONES; zone++)
                if (zones & BIT(zone))
                    run->may_until[zone] = 0;
            run->unsettled |= zones;
            sl_master_switch_off(&run->master, now(run), zones);
            break;
        }
        case 5:
            pass(run, fuzz_u8(&input));
            break;
        case 6:
            pass(run, fuzz_u16(&input) & 0x3FFF);
            break;
        default: /* the chip was reset, or turned round its pins */
            if (op & 8)
                sl_slave_init(&run->chip, op >> 4, limits);
            sl_slave_peek(&run->chip, sl_slave_outputs(&run->chip) ^ fuzz_u8(&input), 0x10,
                          run->answer);
        }
        if (!run->is_lazy || op >= 0xC0)
            drain(run);
    }
    run->is_lazy = false;
    for (unsigned i = 0; i < 8; i++) { /* silence */
        pass(run, 200);
        exchange(run, NULL, 0, false);
        drain(run);
    }
    FUZZ_CHECK(!run->is_up && run->unsettled == 0);
}

static void command(struct run *run, uint8_t zone, uint8_t units)
{
    uint32_t ms = units * UINT32_C(97);
    enum sl_status status = sl_master_switch_on(&run->master, now(run), zone, now(run) + ms);
    fuzz_note_number(run->trace, status);
    FUZZ_CHECK((status == SL_BAD_ARGUMENT) == (ms == 0));
    if (status != SL_OK)
        return;
    run->may_until[zone] = run->now_ms + ms;
    run->unsettled |= (uint8_t)BIT(zone);
}

/* What the order may say, and what the honest chip does with it. */
static void check_order(struct run *run, const uint8_t frame[SL_FRAME_LEN])
{
    struct sl_order order;
    FUZZ_CHECK(sl_order_decode(frame, &order) == SL_OK);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        uint64_t ms = order.remaining_units[zone] * UINT64_C(250);
        FUZZ_CHECK(ms == 0 || (order.apply && run->was_up));
        FUZZ_CHECK(ms == 0 || run->now_ms + ms < run->may_until[zone] + 250);
    }
    fuzz_note(run->trace, frame, SL_FRAME_LEN);
}

/* Times that the chip named may be adopted at the first contact. */
static void allow_adoption(struct run *run, const uint8_t *answer, size_t len)
{
    struct sl_chip_status status;
    if (run->was_up || len != SL_FRAME_LEN || sl_chip_status_decode(answer, &status) != SL_OK)
        return;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        uint64_t until = run->now_ms + status.remaining_units[zone] * UINT64_C(250);
        if (!(run->unsettled & BIT(zone)))
            run->may_until[zone] = LATEST(run->may_until[zone], until);
    }
}

static void exchange(struct run *run, const uint8_t *answer, size_t len, bool is_honest)
{
    uint8_t order[SL_FRAME_LEN];
    unsigned wakes = 0;
    while (!sl_master_peek(&run->master, now(run), order)) { /* the end of a zone wakes it too */
        sl_ms due;
        FUZZ_CHECK(sl_master_deadline(&run->master, now(run), &due));
        FUZZ_CHECK(sl_ms_until(now(run), due) <= SL_LINK_PERIOD_MS && ++wakes < 20);
        pass(run, sl_ms_until(now(run), due));
    }
    check_order(run, order);
    sl_master_sent(&run->master, now(run));
    allow_adoption(run, answer, len);
    sl_master_feed(&run->master, now(run), answer, len);
    if (is_honest) {
        sl_slave_feed(&run->chip, order, SL_FRAME_LEN);
        sl_slave_peek(&run->chip, sl_slave_outputs(&run->chip), 0x10, run->answer);
    }
    run->was_up = run->was_up || run->master.is_up;
    if (!run->is_lazy)
        drain(run);
}

static void pass(struct run *run, uint32_t ms)
{
    for (uint32_t left = ms; left > 0;) {
        uint32_t step = left < 250 ? left : 250;
        run->now_ms += step;
        left -= step;
        sl_slave_tick(&run->chip, (uint16_t)step);
        sl_master_tick(&run->master, now(run));
        if (run->extra_ticks)
            sl_master_tick(&run->master, now(run));
    }
    sl_slave_peek(&run->chip, sl_slave_outputs(&run->chip), 0x10, run->answer);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        FUZZ_CHECK(run->now_ms + sl_master_remaining_ms(&run->master, now(run), zone) <=
                       run->may_until[zone] ||
                   sl_master_remaining_ms(&run->master, now(run), zone) == 0);
}

static void drain(struct run *run)
{
    struct sl_link_event event;
    while (sl_master_next(&run->master, &event)) {
        fuzz_note_number(run->trace, event.kind);
        fuzz_note_number(run->trace, event.zones);
        FUZZ_CHECK(event.kind > SL_LINK_NONE && event.kind < SL_LINK_KINDS);
        bool may_be_empty = event.kind == SL_LINK_DOWN || event.kind == SL_LINK_UP ||
                            event.kind == SL_LINK_CHIP_RESET;
        FUZZ_CHECK(event.zones != 0 || may_be_empty);
        FUZZ_CHECK(event.kind != SL_LINK_UP || !run->is_up);
        FUZZ_CHECK(event.kind != SL_LINK_DOWN || run->is_up);
        if (event.kind == SL_LINK_UP || event.kind == SL_LINK_DOWN)
            run->is_up = event.kind == SL_LINK_UP;
        run->was_up = run->was_up || run->is_up;
        if (event.kind == SL_LINK_CONFIRMED)
            FUZZ_CHECK((event.zones & ~run->unsettled) == 0);
        if (event.kind >= SL_LINK_CONFIRMED)
            run->unsettled &= (uint8_t)~event.zones;
    }
    FUZZ_CHECK(event.kind == SL_LINK_NONE && event.zones == 0);
    FUZZ_CHECK(run->master.is_up == run->is_up);
}
