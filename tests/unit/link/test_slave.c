/* The relay chip's engine, rule by rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link/slave.h"
#include <string.h>

#define HARD_LIMIT_MS 60000
#define VERSION       0x10

static struct sl_slave slave;
static uint8_t sequence;

static void reset(uint8_t cause)
{
    uint32_t limits[SL_ZONES];
    for (int zone = 0; zone < SL_ZONES; zone++)
        limits[zone] = HARD_LIMIT_MS;
    sl_slave_init(&slave, cause, limits);
}

static struct sl_chip_status status(void)
{
    uint8_t frame[SL_FRAME_LEN];
    struct sl_chip_status out;
    sl_slave_peek(&slave, sl_slave_outputs(&slave), VERSION, frame);
    assert_int_equal(sl_chip_status_decode(frame, &out), SL_OK);
    return out;
}

static void feed(bool apply, uint8_t lease_units, uint8_t zone, uint16_t units)
{
    struct sl_order order = {.sequence = ++sequence, .apply = apply, .lease_units = lease_units};
    order.remaining_units[zone] = units;
    uint8_t frame[SL_FRAME_LEN];
    sl_order_encode(&order, frame);
    sl_slave_feed(&slave, frame, SL_FRAME_LEN);
}

static void order(uint8_t zone, uint16_t units)
{
    feed(true, 255, zone, units);
}

/* Milliseconds until the zone goes off, ticking one by one; at most max. */
static uint32_t runs_for(uint8_t zone, uint32_t max)
{
    uint32_t ms = 0;
    while (ms < max && (sl_slave_outputs(&slave) & (1u << zone))) {
        sl_slave_tick(&slave, 1);
        ms++;
    }
    return ms;
}

/* Every test starts with a chip that has seen an order of 0 for every zone. */
static int start(void **state)
{
    (void)state;
    sequence = 100;
    reset(SL_RESET_POWER_ON);
    order(0, 0);
    return 0;
}

static void starts_closed_latched_and_fresh(void **state)
{
    (void)state;
    reset(SL_RESET_WATCHDOG | SL_RESET_BROWN_OUT);
    struct sl_chip_status now = status();
    assert_int_equal(now.pins, 0);
    assert_int_equal(now.latched, 0xFF);
    assert_int_equal(now.flags, SL_STATUS_FRESH);
    assert_int_equal(now.reset_cause, SL_RESET_WATCHDOG | SL_RESET_BROWN_OUT);
    assert_int_equal(now.sequence, 0);
    assert_int_equal(now.dropped_frames, 0);
    assert_int_equal(now.version, VERSION);
    sl_slave_tick(&slave, 1000);
    assert_int_equal(status().flags, SL_STATUS_FRESH); /* no lease was given, none can end */
}

static void after_a_reset_a_zone_needs_a_zero_first(void **state)
{
    (void)state;
    reset(SL_RESET_EXTERNAL);
    order(2, 100); /* zeros for the others, a time for zone 2 */
    assert_int_equal(sl_slave_outputs(&slave), 0);
    assert_int_equal(status().latched, 0x04);
    assert_int_equal(status().flags, 0);
    order(2, 0);
    assert_int_equal(status().latched, 0);
    order(2, 100);
    assert_int_equal(sl_slave_outputs(&slave), 0x04);
    assert_int_equal(status().remaining_units[2], 100);
}

static void an_order_switches_exactly_its_zones(void **state)
{
    (void)state;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        order(zone, 4);
        assert_int_equal(sl_slave_outputs(&slave), 1 << zone);
        struct sl_chip_status now = status();
        assert_int_equal(now.sequence, sequence);
        for (uint8_t other = 0; other < SL_ZONES; other++)
            assert_int_equal(now.remaining_units[other], other == zone ? 4 : 0);
    }
    order(0, 0);
    assert_int_equal(sl_slave_outputs(&slave), 0);
    assert_int_equal(status().latched, 0); /* ended by orders */
}

/* A spike that changes RAM must change two places before a relay moves. */
static void without_a_lease_a_flipped_count_opens_nothing(void **state)
{
    (void)state;
    reset(SL_RESET_BROWN_OUT);
    slave.remaining[5].units = 0x4000;
    assert_int_equal(sl_slave_outputs(&slave), 0);
}

static void counts_down_an_eighth_fast(void **state)
{
    (void)state;
    order(3, 36); /* 9000 ms */
    assert_int_equal(runs_for(3, 20000), 8000);
    assert_int_equal(status().latched, 0x08);
    assert_int_equal(status().flags, 0);
}

static void even_a_slow_chip_ends_no_zone_late(void **state)
{
    (void)state;
    const uint16_t units[] = {1, 2, 3, 7, 40, 100, 239};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        order(1, 0);
        order(1, units[i]);
        uint32_t chip_ms = runs_for(1, 100000);
        uint32_t true_ms = (chip_ms * 10 + 8) / 9; /* its oscillator is 10 % slow */
        assert_true(true_ms <= (uint32_t)units[i] * 250);
        assert_true(true_ms * 100 >= (uint32_t)units[i] * 250 * 98);
    }
}

static void every_order_sets_the_time_right(void **state)
{
    (void)state;
    order(1, 8);
    for (uint16_t units = 8; units > 0; units--) {
        order(1, units);
        for (int ms = 0; ms < 222; ms++) { /* 250 ms by the chip's fast count */
            assert_int_equal(sl_slave_outputs(&slave), 0x02);
            sl_slave_tick(&slave, 1);
        }
    }
    order(1, 0);
    assert_int_equal(sl_slave_outputs(&slave), 0);
}

static void remaining_units_are_rounded_up(void **state)
{
    (void)state;
    order(0, 3);
    assert_int_equal(status().remaining_units[0], 3);
    sl_slave_tick(&slave, 222); /* counted as 249 */
    assert_int_equal(status().remaining_units[0], 3);
    sl_slave_tick(&slave, 1); /* 250 */
    assert_int_equal(status().remaining_units[0], 2);
    sl_slave_tick(&slave, 443);
    assert_int_equal(status().remaining_units[0], 1);
    assert_int_equal(sl_slave_outputs(&slave), 1);
    sl_slave_tick(&slave, 1);
    assert_int_equal(status().remaining_units[0], 0);
    assert_int_equal(sl_slave_outputs(&slave), 0);
}

static void the_longest_order_is_counted_to_its_end(void **state)
{
    (void)state;
    uint32_t limits[SL_ZONES];
    memset(limits, 0xFF, sizeof limits);
    sl_slave_init(&slave, 0, limits);
    order(7, 0);
    order(7, UINT16_MAX);
    uint32_t ms = 0;
    while (sl_slave_outputs(&slave)) {
        sl_slave_tick(&slave, 1000);
        ms += 1000;
        feed(true, 255, 7, status().remaining_units[7]); /* keep the lease */
    }
    /* Each order rounds up, so 65535 units last longer than 8/9 of them, but not longer than all.
     */
    assert_true(ms > 14563333 && ms <= 16384000);
}

static void a_finished_zone_stays_off_until_a_zero(void **state)
{
    (void)state;
    order(5, 2);
    runs_for(5, 1000);
    for (int i = 0; i < 5; i++) {
        order(5, 2); /* late or repeated */
        sl_slave_tick(&slave, 100);
        assert_int_equal(sl_slave_outputs(&slave), 0);
        assert_int_equal(status().latched, 0x20);
        assert_int_equal(status().remaining_units[5], 0);
    }
    order(4, 2); /* an order for another zone says 0 for this one */
    assert_int_equal(status().latched, 0);
    order(5, 2);
    assert_int_equal(sl_slave_outputs(&slave), 0x20);
}

static void the_lease_ends_everything(void **state)
{
    (void)state;
    feed(true, 36, 6, 400); /* lease 9 s, zone 100 s */
    assert_int_equal(runs_for(6, 20000), 8000);
    assert_int_equal(status().flags, SL_STATUS_LEASE_ENDED);
    assert_int_equal(status().latched, 0x40); /* the zones that were off need no zero */
    order(6, 400);
    assert_int_equal(sl_slave_outputs(&slave), 0);
    assert_int_equal(status().flags, 0); /* "since the last applied order" */
}

static void only_applied_orders_renew_the_lease(void **state)
{
    (void)state;
    feed(true, 36, 6, 400);
    for (int i = 0; i < 79; i++) {
        sl_slave_tick(&slave, 100);
        feed(false, 255, 6, 400); /* asks */
        uint8_t noise[SL_FRAME_LEN] = {0x51, 1, 1, 255};
        sl_slave_feed(&slave, noise, SL_FRAME_LEN);
        assert_int_equal(sl_slave_outputs(&slave), 0x40);
    }
    sl_slave_tick(&slave, 100);
    assert_int_equal(sl_slave_outputs(&slave), 0);
    assert_int_equal(status().flags, SL_STATUS_LEASE_ENDED);
}

static void an_ask_changes_nothing_but_the_sequence(void **state)
{
    (void)state;
    order(1, 40);
    feed(false, 255, 2, 40);
    assert_int_equal(sl_slave_outputs(&slave), 0x02);
    assert_int_equal(status().remaining_units[1], 40);
    assert_int_equal(status().sequence, sequence);
    reset(0);
    feed(false, 255, 2, 40);
    assert_int_equal(status().flags, SL_STATUS_FRESH);
    assert_int_equal(status().latched, 0xFF);
}

static void a_repeated_sequence_is_answered_but_not_applied(void **state)
{
    (void)state;
    feed(true, 36, 6, 20); /* 5 s */
    sequence--;
    for (int i = 0; i < 100; i++) { /* a master stuck on one buffer */
        sl_slave_tick(&slave, 50);
        feed(true, 36, 6, 20);
        sequence--;
    }
    assert_int_equal(sl_slave_outputs(&slave), 0);
    assert_int_equal(status().dropped_frames, 0);
    assert_int_equal(status().sequence, (uint8_t)(sequence + 1));
}

static void the_first_order_may_have_any_sequence(void **state)
{
    (void)state;
    reset(0);
    sequence = 255; /* the next is 0, which a fresh chip reports */
    order(0, 0);
    assert_int_equal(status().flags, 0);
}

static void the_hard_limit_counts_real_time_and_refreshes_do_not_extend_it(void **state)
{
    (void)state;
    uint32_t ms = 0;
    while (sl_slave_outputs(&slave) || ms == 0) {
        if (ms % 250 == 0)
            order(0, 1000);
        sl_slave_tick(&slave, 1);
        ms++;
        assert_true(ms <= HARD_LIMIT_MS);
    }
    assert_int_equal(ms, HARD_LIMIT_MS);
    assert_int_equal(status().flags, SL_STATUS_HARD_LIMIT);
    assert_int_equal(status().latched, 1);
    order(0, 1000);
    assert_int_equal(sl_slave_outputs(&slave), 0);
    assert_int_equal(status().flags, SL_STATUS_HARD_LIMIT); /* until it is zeroed */
    order(1, 10);
    assert_int_equal(status().flags, 0);
    order(0, 1000);
    assert_int_equal(sl_slave_outputs(&slave), 1);
    sl_slave_tick(&slave, 1000);
    assert_int_equal(sl_slave_outputs(&slave), 1); /* the count began anew */
}

static void hard_limits_are_per_zone_and_0_closes_for_good(void **state)
{
    (void)state;
    const uint32_t limits[SL_ZONES] = {0, 500, 1000, 1000, 1000, 1000, 1000, 1000};
    sl_slave_init(&slave, 0, limits);
    order(0, 0);
    assert_int_equal(status().latched, 0x01);
    struct sl_order all = {.sequence = ++sequence, .apply = true, .lease_units = 255};
    for (int zone = 0; zone < SL_ZONES; zone++)
        all.remaining_units[zone] = 100;
    uint8_t frame[SL_FRAME_LEN];
    sl_order_encode(&all, frame);
    sl_slave_feed(&slave, frame, SL_FRAME_LEN);
    assert_int_equal(sl_slave_outputs(&slave), 0xFE);
    sl_slave_tick(&slave, 499);
    assert_int_equal(sl_slave_outputs(&slave), 0xFE);
    sl_slave_tick(&slave, 1);
    assert_int_equal(sl_slave_outputs(&slave), 0xFC);
    sl_slave_tick(&slave, 500);
    assert_int_equal(sl_slave_outputs(&slave), 0);
}

static void the_default_limit_lets_four_hours_pass(void **state)
{
    (void)state;
    assert_true(SL_SLAVE_HARD_LIMIT_MS >= 14400000u / 10 * 11); /* on a chip 10 % fast */
    assert_true(SL_SLAVE_HARD_LIMIT_MS <= (uint32_t)SL_LINK_UNITS_MAX * SL_LINK_UNIT_MS);
}

static void bad_frames_change_a_counter_that_stops_at_255(void **state)
{
    (void)state;
    order(1, 40);
    const struct sl_slave before = slave;
    uint8_t frame[SL_FRAME_LEN] = {0};
    struct sl_order good = {.sequence = 1, .apply = true, .lease_units = 40};
    sl_slave_feed(&slave, frame, SL_FRAME_LEN);
    sl_slave_feed(&slave, frame, 0);
    sl_order_encode(&good, frame);
    sl_slave_feed(&slave, frame, SL_FRAME_LEN - 1);
    sl_slave_feed(&slave, frame, SL_FRAME_LEN + 1);
    frame[25] ^= 1;
    sl_slave_feed(&slave, frame, SL_FRAME_LEN);
    assert_int_equal(status().dropped_frames, 5);
    slave.dropped_frames = 0;
    assert_memory_equal(&slave, &before, sizeof slave);
    for (int i = 0; i < 300; i++)
        sl_slave_feed(&slave, frame, SL_FRAME_LEN);
    assert_int_equal(status().dropped_frames, 255);
}

static void any_way_of_cutting_the_time_gives_the_same(void **state)
{
    (void)state;
    for (uint16_t cut = 1; cut <= 1000; cut = (uint16_t)(cut < 20 ? cut + 1 : cut * 2)) {
        start(NULL);
        order(2, 40);
        struct sl_slave whole = slave;
        for (uint16_t done = 0; done < 8000;) {
            uint16_t step = (uint16_t)(8000 - done < cut ? 8000 - done : cut);
            sl_slave_tick(&slave, step);
            sl_slave_tick(&slave, 0);
            done = (uint16_t)(done + step);
        }
        sl_slave_tick(&whole, 8000);
        assert_memory_equal(&slave, &whole, sizeof slave);
        assert_int_equal(status().remaining_units[2], 4);
    }
    sl_slave_tick(&slave, UINT16_MAX); /* any value is safe */
    assert_int_equal(sl_slave_outputs(&slave), 0);
}

static void pins_are_what_the_caller_read(void **state)
{
    (void)state;
    uint8_t frame[SL_FRAME_LEN];
    struct sl_chip_status out;
    order(2, 40);
    sl_slave_peek(&slave, 0x81, VERSION, frame);
    assert_int_equal(sl_chip_status_decode(frame, &out), SL_OK);
    assert_int_equal(out.pins, 0x81);
    assert_int_equal(out.remaining_units[2], 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(starts_closed_latched_and_fresh, start),
        cmocka_unit_test_setup(after_a_reset_a_zone_needs_a_zero_first, start),
        cmocka_unit_test_setup(an_order_switches_exactly_its_zones, start),
        cmocka_unit_test_setup(counts_down_an_eighth_fast, start),
        cmocka_unit_test_setup(even_a_slow_chip_ends_no_zone_late, start),
        cmocka_unit_test_setup(every_order_sets_the_time_right, start),
        cmocka_unit_test_setup(remaining_units_are_rounded_up, start),
        cmocka_unit_test_setup(the_longest_order_is_counted_to_its_end, start),
        cmocka_unit_test_setup(a_finished_zone_stays_off_until_a_zero, start),
        cmocka_unit_test_setup(the_lease_ends_everything, start),
        cmocka_unit_test_setup(only_applied_orders_renew_the_lease, start),
        cmocka_unit_test_setup(an_ask_changes_nothing_but_the_sequence, start),
        cmocka_unit_test_setup(a_repeated_sequence_is_answered_but_not_applied, start),
        cmocka_unit_test_setup(the_first_order_may_have_any_sequence, start),
        cmocka_unit_test_setup(the_hard_limit_counts_real_time_and_refreshes_do_not_extend_it,
                               start),
        cmocka_unit_test_setup(hard_limits_are_per_zone_and_0_closes_for_good, start),
        cmocka_unit_test_setup(the_default_limit_lets_four_hours_pass, start),
        cmocka_unit_test_setup(bad_frames_change_a_counter_that_stops_at_255, start),
        cmocka_unit_test_setup(any_way_of_cutting_the_time_gives_the_same, start),
        cmocka_unit_test_setup(pins_are_what_the_caller_read, start),
        cmocka_unit_test_setup(without_a_lease_a_flipped_count_opens_nothing, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
