/* The master's engine, rule by rule, against the real chip engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/link/wire.h"
#include <string.h>

static struct test_wire wire;

static bool was_given(enum sl_link_event_kind kind, uint8_t zones)
{
    return wire.given[kind] > 0 && wire.given_zones[kind] == zones;
}

static uint32_t given_in_all(void)
{
    uint32_t count = 0;
    for (int kind = 0; kind < SL_LINK_KINDS; kind++)
        count += wire.given[kind];
    return count;
}

static void run(uint32_t ms)
{
    test_wire_run(&wire, ms);
}

static void on(uint8_t zone, uint32_t ms)
{
    assert_int_equal(sl_master_switch_on(&wire.master, wire.now, zone, wire.now + ms), SL_OK);
}

static void off(uint8_t zones)
{
    sl_master_switch_off(&wire.master, wire.now, zones);
}

static void cut(bool is_cut)
{
    wire.faults.mosi_loss = wire.faults.miso_loss = is_cut ? 1000 : 0;
}

/* Most tests start with a link that is up, on a clock that wraps within a second. */
static int start(void **state)
{
    (void)state;
    test_wire_init(&wire, 0xFFFFFFFF - 400, 1);
    run(100);
    test_wire_forget(&wire);
    return wire.master.is_up ? 0 : -1;
}

/* Start and link state. */

static void asks_before_it_orders(void **state)
{
    (void)state;
    test_wire_init(&wire, 1000, 1);
    struct sl_order order;
    for (int exchange = 0; exchange < 2; exchange++) {
        uint32_t before = wire.master.exchanges;
        while (wire.master.exchanges == before)
            run(1);
        assert_int_equal(sl_order_decode(wire.last_frame, &order), SL_OK);
        assert_false(order.apply);
        assert_false(wire.master.is_up);
    }
    run(10);
    assert_true(was_given(SL_LINK_UP, 0));
    assert_int_equal(given_in_all(), 1);     /* a fresh chip is no reset chip at first contact */
    assert_int_equal(wire.slave.latched, 0); /* but the first order has said 0 to every zone */
    assert_int_equal(wire.master.status.reset_cause, SL_RESET_POWER_ON);
}

static void nothing_is_remembered_while_the_link_is_down(void **state)
{
    (void)state;
    test_wire_init(&wire, 0, 1);
    assert_int_equal(sl_master_switch_on(&wire.master, 0, 2, 60000), SL_BAD_STATE);
    run(1000);
    assert_int_equal(test_wire_pins(&wire), 0);
    off(0x04);
    run(100);
    assert_true(was_given(SL_LINK_CONFIRMED, 0x04));
}

static void refuses_what_is_out_of_range(void **state)
{
    (void)state;
    const uint32_t longest = (uint32_t)SL_LINK_UNITS_MAX * SL_LINK_UNIT_MS;
    struct sl_master *master = &wire.master;
    assert_int_equal(sl_master_switch_on(master, wire.now, 8, wire.now + 1000), SL_BAD_ARGUMENT);
    assert_int_equal(sl_master_switch_on(master, wire.now, 255, wire.now + 1000), SL_BAD_ARGUMENT);
    assert_int_equal(sl_master_switch_on(master, wire.now, 0, wire.now), SL_BAD_ARGUMENT);
    assert_int_equal(sl_master_switch_on(master, wire.now, 0, wire.now - 1), SL_BAD_ARGUMENT);
    assert_int_equal(sl_master_switch_on(master, wire.now, 0, wire.now + longest + 1),
                     SL_BAD_ARGUMENT);
    assert_int_equal(master->wanted | master->unconfirmed, 0);
    assert_int_equal(sl_master_switch_on(master, wire.now, 0, wire.now + longest), SL_OK);
    assert_int_equal(sl_master_remaining_ms(master, wire.now, 0), longest);
    assert_int_equal(sl_master_remaining_ms(master, wire.now, 8), 0);
}

static void the_lease_is_kept_in_range(void **state)
{
    (void)state;
    const uint32_t asked[] = {0, 999, 1000, 1001, 10000, 63750, 63751, UINT32_MAX};
    const uint8_t units[] = {4, 4, 4, 5, 40, 255, 255, 255};
    for (size_t i = 0; i < sizeof units; i++) {
        uint8_t frame[SL_FRAME_LEN];
        struct sl_order order;
        sl_master_init(&wire.master, 5, asked[i]);
        assert_true(sl_master_peek(&wire.master, 5, frame));
        assert_int_equal(sl_order_decode(frame, &order), SL_OK);
        assert_int_equal(order.lease_units, units[i]);
    }
}

static void an_order_goes_out_every_250_ms_and_not_much_oftener(void **state)
{
    (void)state;
    uint32_t before = wire.master.exchanges;
    for (int i = 0; i < 40; i++) {
        uint32_t last = wire.master.exchanges;
        run(250);
        assert_true(wire.master.exchanges > last);
    }
    assert_true(wire.master.exchanges - before <= 42);
    assert_int_equal(wire.slave.dropped_frames, 0);
    assert_int_equal(wire.master.bad_frames, 0);
}

static void silence_takes_the_link_down_and_an_answer_up_again(void **state)
{
    (void)state;
    on(2, 20000);
    run(500);
    cut(true);
    test_wire_forget(&wire);
    run(700);
    assert_int_equal(wire.given[SL_LINK_DOWN], 0);
    run(301);
    assert_true(was_given(SL_LINK_DOWN, 0));
    assert_int_equal(given_in_all(), 1); /* the confirmed want stays */
    assert_int_equal(test_wire_pins(&wire), 0x04);
    cut(false);
    run(600);
    assert_true(was_given(SL_LINK_UP, 0x04));
    uint32_t left = sl_master_remaining_ms(&wire.master, wire.now, 2);
    assert_true(left > 17400 && left <= 17900); /* the chip counted fast, the earlier end holds */
    assert_int_equal(wire.given[SL_LINK_CHIP_RESET] + wire.given[SL_LINK_ENDED], 0);
}

static void a_chip_that_talks_but_does_not_hear_is_silent(void **state)
{
    (void)state;
    wire.faults.mosi_loss = 1000;
    run(1300);
    assert_true(was_given(SL_LINK_DOWN, 0));
    uint32_t before = wire.master.exchanges;
    test_wire_forget(&wire);
    run(120000); /* longer than the sequence takes to come round */
    assert_int_equal(wire.given[SL_LINK_UP], 0);
    assert_true(wire.master.exchanges - before <= 482);
}

static void an_exchange_without_an_answer_is_given_up(void **state)
{
    (void)state;
    wire.faults.miso_loss = 1000;
    while (!wire.master.is_waiting)
        run(1);
    sl_ms due;
    assert_true(sl_master_deadline(&wire.master, wire.now, &due));
    assert_int_equal(due, wire.now + SL_MASTER_ANSWER_MS);
    run(SL_MASTER_ANSWER_MS - 1);
    assert_true(wire.master.is_waiting);
    run(1);
    assert_false(wire.master.is_waiting);
    assert_int_equal(wire.master.bad_frames, 1);
}

static void answers_that_are_late_short_or_garbage_are_not_believed(void **state)
{
    (void)state;
    uint8_t frame[SL_FRAME_LEN];
    uint8_t lie[SL_FRAME_LEN];
    struct sl_chip_status status = wire.master.status;
    status.pins = 0xFF;
    sl_chip_status_encode(&status, lie);
    while (wire.master.is_waiting)
        run(1);
    wire.is_node_asleep = true; /* from here on the test is the node */
    run(SL_LINK_PERIOD_MS);
    assert_true(sl_master_peek(&wire.master, wire.now, frame));
    sl_master_feed(&wire.master, wire.now, lie, SL_FRAME_LEN); /* before anything was sent */
    assert_int_equal(wire.master.status.pins, 0);
    const size_t lengths[] = {0, 1, 25, 27};
    for (size_t i = 0; i < 4; i++) {
        sl_master_sent(&wire.master, wire.now);
        uint32_t bad = wire.master.bad_frames;
        sl_master_feed(&wire.master, wire.now, lengths[i] ? lie : NULL, lengths[i]);
        assert_false(wire.master.is_waiting);
        assert_int_equal(wire.master.bad_frames, bad + 1);
    }
    sl_master_sent(&wire.master, wire.now);
    lie[25] ^= 1;
    sl_master_feed(&wire.master, wire.now, lie, SL_FRAME_LEN);
    lie[25] ^= 1;
    sl_master_sent(&wire.master, wire.now);
    sl_master_feed(&wire.master, wire.now + SL_MASTER_ANSWER_MS, lie, SL_FRAME_LEN); /* late */
    assert_int_equal(wire.master.status.pins, 0);
    assert_int_equal(wire.master.bad_frames, 6);
}

/* Commands and their read-back. */

static void on_is_confirmed_when_the_pin_was_read(void **state)
{
    (void)state;
    on(2, 120000);
    run(2);
    assert_int_equal(test_wire_pins(&wire), 0x04);
    assert_int_equal(given_in_all(), 0); /* not before the read-back */
    assert_int_equal(wire.master.status.pins, 0);
    run(4);
    assert_true(was_given(SL_LINK_CONFIRMED, 0x04));
    assert_true(was_given(SL_LINK_PINS, 0x04));
    assert_int_equal(wire.master.status.pins, 0x04);
    assert_int_equal(wire.master.status.remaining_units[2], 480);
    run(10000);
    assert_int_equal(given_in_all(), 2);
}

static void off_is_confirmed_too_also_for_a_zone_that_is_off(void **state)
{
    (void)state;
    on(2, 60000);
    run(100);
    test_wire_forget(&wire);
    off(0x06);
    run(10);
    assert_true(was_given(SL_LINK_CONFIRMED, 0x06));
    assert_true(was_given(SL_LINK_PINS, 0x04));
    assert_int_equal(test_wire_pins(&wire), 0);
    assert_int_equal(wire.given[SL_LINK_ENDED], 0);
    off(0);
    run(300);
    assert_int_equal(given_in_all(), 2);
}

static void times_are_rounded_up_to_units(void **state)
{
    (void)state;
    const uint32_t ms[] = {1, 249, 250, 251, 500, 501, 120000, 16383750};
    const uint16_t units[] = {1, 1, 1, 2, 2, 3, 480, 65535};
    for (size_t i = 0; i < sizeof ms / sizeof *ms; i++) {
        uint8_t frame[SL_FRAME_LEN];
        struct sl_order order;
        run(50);
        while (wire.master.is_waiting)
            run(1);
        run(SL_MASTER_GAP_MS);
        on(5, ms[i]);
        assert_true(sl_master_peek(&wire.master, wire.now, frame));
        assert_int_equal(sl_order_decode(frame, &order), SL_OK);
        assert_int_equal(order.remaining_units[5], units[i]);
        off(0x20);
    }
}

static void at_its_end_a_zone_is_ordered_off_and_read_back(void **state)
{
    (void)state;
    on(4, 1100);
    run(1000);
    test_wire_forget(&wire);
    run(100);
    assert_int_equal(test_wire_pins(&wire), 0x10); /* the order is just leaving */
    run(1);
    assert_int_equal(test_wire_pins(&wire), 0);
    run(10);
    assert_true(was_given(SL_LINK_ENDED, 0x10));
    assert_true(was_given(SL_LINK_PINS, 0x10));
    assert_int_equal(given_in_all(), 2);
    assert_int_equal(sl_master_remaining_ms(&wire.master, wire.now, 4), 0);
}

static void a_zone_that_is_on_gets_a_new_time_without_a_gap(void **state)
{
    (void)state;
    on(1, 2000);
    run(1900);
    test_wire_forget(&wire);
    on(1, 5000);
    for (int ms = 0; ms < 4960; ms++) {
        run(1);
        assert_int_equal(test_wire_pins(&wire), 0x02);
    }
    assert_true(was_given(SL_LINK_CONFIRMED, 0x02));
    run(20);
    assert_int_equal(test_wire_pins(&wire), 0);
}

static void a_latched_zone_is_zeroed_first(void **state)
{
    (void)state;
    wire.slave.latched = 0x08;
    on(3, 10000);
    run(20);
    assert_true(was_given(SL_LINK_CONFIRMED, 0x08));
    assert_int_equal(test_wire_pins(&wire), 0x08);
    assert_int_equal(wire.given[SL_LINK_ENDED], 0);
}

static void a_zone_that_the_chip_never_opens_is_given_up(void **state)
{
    (void)state;
    wire.slave.hard_limit_ms[3] = 0;
    wire.slave.latched = 0x08;
    on(3, 10000);
    run(300);
    assert_true(was_given(SL_LINK_UNCONFIRMED, 0x08));
    assert_int_equal(given_in_all(), 1);
    assert_int_equal(wire.master.wanted, 0);
}

static void what_the_chip_ended_stays_ended(void **state)
{
    (void)state;
    on(3, 100000);
    run(100);
    test_wire_forget(&wire);
    run(TEST_HARD_LIMIT_MS + 500);
    assert_true(was_given(SL_LINK_ENDED, 0x08));
    assert_true(was_given(SL_LINK_PINS, 0x08));
    assert_int_equal(given_in_all(), 2);
    run(5000);
    assert_int_equal(test_wire_pins(&wire), 0);
    assert_int_equal(wire.slave.latched, 0);
    on(3, 1000); /* until somebody asks again */
    run(20);
    assert_int_equal(test_wire_pins(&wire), 0x08);
}

static void a_pin_that_does_not_follow_is_reported_and_ordered_off(void **state)
{
    (void)state;
    wire.stuck_off = 0x04;
    on(2, 60000);
    run(200);
    assert_true(was_given(SL_LINK_UNCONFIRMED, 0x04));
    assert_int_equal(wire.given[SL_LINK_CONFIRMED], 0);
    assert_int_equal(sl_slave_outputs(&wire.slave), 0);
    wire.stuck_off = 0; /* it must not come on by itself now */
    run(2000);
    assert_int_equal(test_wire_pins(&wire), 0);
    assert_int_equal(given_in_all(), 1);
}

static void a_pin_that_stays_on_is_reported_once_for_each_command(void **state)
{
    (void)state;
    on(2, 60000);
    run(100);
    wire.stuck_on = 0x04;
    test_wire_forget(&wire);
    off(0x04);
    run(3000);
    assert_true(was_given(SL_LINK_UNCONFIRMED, 0x04));
    assert_int_equal(given_in_all(), 1);
    assert_int_equal(sl_slave_outputs(&wire.slave), 0);
    off(0x04);
    run(3000);
    assert_int_equal(wire.given[SL_LINK_UNCONFIRMED], 2);
    wire.stuck_on = 0;
    run(600);
    assert_true(was_given(SL_LINK_PINS, 0x04));
    assert_int_equal(given_in_all(), 3);
}

static void a_pin_that_nobody_asked_for_is_noticed_in_bounded_time(void **state)
{
    (void)state;
    for (int round = 1; round <= 2; round++) {
        test_wire_forget(&wire);
        wire.stuck_on = 0x81;
        run(SL_MASTER_DOUBT_MS - 10);
        assert_int_equal(wire.given[SL_LINK_UNCONFIRMED], 0);
        run(2 * SL_LINK_PERIOD_MS + 20);
        assert_true(was_given(SL_LINK_PINS, 0x81));
        assert_true(was_given(SL_LINK_UNCONFIRMED, 0x81));
        run(5000);
        assert_int_equal(given_in_all(), 2); /* once per change */
        wire.stuck_on = 0;
        run(1000);
    }
}

static void a_pin_that_fails_later_ends_its_watering(void **state)
{
    (void)state;
    on(6, 60000);
    run(1000);
    test_wire_forget(&wire);
    wire.stuck_off = 0x40;
    run(1100);
    assert_true(was_given(SL_LINK_UNCONFIRMED, 0x40));
    assert_int_equal(sl_slave_outputs(&wire.slave), 0);
    assert_int_equal(wire.master.wanted, 0);
}

static void a_change_that_meets_a_broken_link_ends_unconfirmed_and_off(void **state)
{
    (void)state;
    wire.faults.miso_loss = 1000;
    on(2, 60000);
    run(1300);
    assert_true(was_given(SL_LINK_UNCONFIRMED, 0x04));
    assert_int_equal(wire.given[SL_LINK_DOWN], 1);
    run(100);
    assert_int_equal(test_wire_pins(&wire), 0); /* nothing to keep: zeros, even unheard */
    wire.faults.miso_loss = 0;
    run(600);
    assert_true(was_given(SL_LINK_UP, 0));
    assert_int_equal(test_wire_pins(&wire), 0);
}

static void off_while_the_link_is_down_is_done_when_it_is_back(void **state)
{
    (void)state;
    on(2, 60000);
    on(3, 60000);
    run(100);
    cut(true);
    run(1300);
    test_wire_forget(&wire);
    off(0x04);
    run(1);
    assert_true(was_given(SL_LINK_UNCONFIRMED, 0x04)); /* at once: nobody can read the pin */
    cut(false);
    run(600);
    assert_true(was_given(SL_LINK_UP, 0x08));
    assert_int_equal(test_wire_pins(&wire), 0x08);
}

static void an_end_while_the_link_is_down_is_unconfirmed(void **state)
{
    (void)state;
    on(2, 3000);
    run(1000);
    cut(true);
    test_wire_forget(&wire);
    run(2100);
    assert_true(was_given(SL_LINK_UNCONFIRMED, 0x04));
    assert_int_equal(test_wire_pins(&wire), 0); /* the chip counted down by itself */
    cut(false);
    run(600);
    assert_true(was_given(SL_LINK_UP, 0));
    assert_true(was_given(SL_LINK_PINS, 0x04));
}

static void a_want_that_ends_before_its_read_back_is_unconfirmed(void **state)
{
    (void)state;
    wire.faults.miso_loss = 1000;
    on(2, 300);
    run(301);
    assert_true(was_given(SL_LINK_UNCONFIRMED, 0x04));
    wire.faults.miso_loss = 0;
    run(200);
    assert_true(was_given(SL_LINK_ENDED, 0x04));
    assert_int_equal(wire.given[SL_LINK_CONFIRMED], 0);
}

/* Chip and node start over. */

static void a_reset_chip_stays_closed_until_somebody_asks(void **state)
{
    (void)state;
    const uint8_t causes[] = {SL_RESET_WATCHDOG, SL_RESET_WATCHDOG, SL_RESET_BROWN_OUT};
    for (size_t i = 0; i < sizeof causes; i++) {
        on(2, 50000);
        run(1000);
        test_wire_forget(&wire);
        test_wire_reset_chip(&wire, causes[i]);
        run(600);
        assert_true(was_given(SL_LINK_CHIP_RESET, 0x04));
        assert_true(was_given(SL_LINK_ENDED, 0x04));
        assert_int_equal(wire.given[SL_LINK_CHIP_RESET], 1);
        assert_int_equal(wire.master.status.reset_cause, causes[i]);
        run(10000);
        assert_int_equal(test_wire_pins(&wire), 0);
        assert_int_equal(wire.given[SL_LINK_CHIP_RESET], 1);
    }
}

static void a_reset_during_silence_is_told_too(void **state)
{
    (void)state;
    on(2, 50000);
    run(1000);
    cut(true);
    run(2000);
    test_wire_forget(&wire);
    test_wire_reset_chip(&wire, SL_RESET_POWER_ON);
    cut(false);
    run(600);
    assert_true(was_given(SL_LINK_CHIP_RESET, 0x04));
    assert_true(was_given(SL_LINK_UP, 0));
    assert_true(was_given(SL_LINK_ENDED, 0x04));
    run(5000);
    assert_int_equal(test_wire_pins(&wire), 0);
}

static void a_lease_that_ended_in_the_silence_ends_the_want(void **state)
{
    (void)state;
    on(2, 50000);
    run(1000);
    cut(true);
    run(SL_LINK_LEASE_MS);
    assert_int_equal(test_wire_pins(&wire), 0);
    test_wire_forget(&wire);
    cut(false);
    run(600);
    assert_true(was_given(SL_LINK_UP, 0));
    assert_true(was_given(SL_LINK_ENDED, 0x04));
    run(2000);
    assert_int_equal(test_wire_pins(&wire), 0);
}

static void a_node_that_starts_reads_the_times_back(void **state)
{
    (void)state;
    on(2, 30000);
    on(7, 50000);
    run(1000);
    sl_ms due = wire.now + 29000;
    wire.is_node_asleep = true; /* the old node is dead: the status at the chip grows old */
    test_wire_run(&wire, 4000);
    wire.is_node_asleep = false;
    test_wire_restart_node(&wire);
    test_wire_forget(&wire);
    for (int ms = 0; ms < 300; ms++) {
        run(1);
        assert_int_equal(test_wire_pins(&wire), 0x84); /* and no pin so much as blinks */
    }
    assert_true(was_given(SL_LINK_UP, 0x84));
    sl_ms adopted = wire.now + sl_master_remaining_ms(&wire.master, wire.now, 2);
    assert_true(sl_ms_is_reached(due, adopted));
    assert_true(due - adopted < 1500); /* 0.5 s of rounding, 4 s counted an eighth fast */
    run(100000);
    assert_int_equal(test_wire_pins(&wire), 0);
}

static void restarts_never_move_an_end_later(void **state)
{
    (void)state;
    on(2, 20000);
    sl_ms due = wire.now + 20000;
    for (int i = 0; i < 300 && test_wire_pins(&wire); i++) {
        run(61);
        test_wire_restart_node(&wire);
        wire.clock_permille = 900;
    }
    run(20);
    while (test_wire_pins(&wire))
        run(1);
    assert_true(sl_ms_is_reached(due, wire.now));
}

static void an_adopted_time_counts_from_the_exchange_it_answers(void **state)
{
    (void)state;
    uint8_t frame[SL_FRAME_LEN];
    struct sl_master master;
    struct sl_chip_status status = {.sequence = 77, .pins = 0x04};
    status.remaining_units[2] = 100;
    sl_master_init(&master, 0, SL_LINK_LEASE_MS);
    for (sl_ms now = 0; now < 184; now += 92) { /* two slow exchanges */
        assert_true(sl_master_peek(&master, now, frame));
        sl_master_sent(&master, now);
        sl_chip_status_encode(&status, frame);
        sl_master_feed(&master, now + 90, frame, SL_FRAME_LEN);
        status.sequence = master.sequence;
    }
    assert_true(master.is_up);
    assert_int_equal(sl_master_remaining_ms(&master, 182, 2), 100 * 250 - 500 - 182);
}

static void a_late_tick_does_what_ticks_in_time_would_have_done(void **state)
{
    (void)state;
    for (uint32_t late = 1; late < 1500; late += 7) {
        start(NULL);
        on(2, 400);
        run(350);
        on(3, 60000);
        wire.faults.miso_loss = 1000;
        while (!wire.master.is_waiting)
            run(1);
        struct sl_master in_time = wire.master, at_once = wire.master;
        for (uint32_t ms = 1; ms <= late; ms++)
            sl_master_tick(&in_time, wire.now + ms);
        sl_master_tick(&at_once, wire.now + late);
        struct sl_link_event a, b;
        do {
            assert_int_equal(sl_master_next(&in_time, &a), sl_master_next(&at_once, &b));
            assert_int_equal(a.kind, b.kind);
            assert_int_equal(a.zones, b.zones);
        } while (a.kind != SL_LINK_NONE);
        uint8_t one[SL_FRAME_LEN] = {0}, other[SL_FRAME_LEN] = {0};
        assert_int_equal(sl_master_peek(&in_time, wire.now + late, one),
                         sl_master_peek(&at_once, wire.now + late, other));
        assert_memory_equal(one, other, SL_FRAME_LEN);
        assert_memory_equal(in_time.tries, at_once.tries, sizeof in_time.tries);
    }
}

static void an_old_sequence_does_not_pass_for_an_answer(void **state)
{
    (void)state;
    for (unsigned last = 0; last < 256; last++) {
        start(NULL);
        on(2, 40000);
        run(1000);
        /* The dead node's last sequence may be any, also the one that the new node begins with. */
        uint8_t frame[SL_FRAME_LEN];
        struct sl_order order = {.sequence = (uint8_t)last, .apply = true, .lease_units = 40};
        order.remaining_units[2] = 156;
        wire.slave.sequence = (uint8_t)(last + 1);
        sl_order_encode(&order, frame);
        sl_slave_feed(&wire.slave, frame, SL_FRAME_LEN);
        sl_slave_peek(&wire.slave, 0x04, 0x10, wire.status);
        wire.is_node_asleep = true;
        test_wire_run(&wire, 5000);
        wire.is_node_asleep = false;
        test_wire_restart_node(&wire);
        run(600);
        uint32_t left = sl_master_remaining_ms(&wire.master, wire.now, 2);
        assert_true(left > 30000 && left <= 34000);
    }
}

static void off_before_the_first_contact_is_not_forgotten(void **state)
{
    (void)state;
    on(2, 50000);
    on(3, 50000);
    run(1000);
    test_wire_restart_node(&wire);
    test_wire_forget(&wire);
    off(0x04);
    run(1);
    assert_true(was_given(SL_LINK_UNCONFIRMED, 0x04));
    run(20);
    assert_true(was_given(SL_LINK_UP, 0x08));
    assert_int_equal(test_wire_pins(&wire), 0x08);

    test_wire_restart_node(&wire);
    wire.faults.miso_loss = 1000;
    off(0xFF); /* nothing to keep: zeros go out although nobody answers */
    run(10);
    assert_int_equal(test_wire_pins(&wire), 0);
}

/* Events. */

static void a_new_command_takes_old_news_back(void **state)
{
    (void)state;
    struct sl_link_event event;
    on(2, 60000);
    for (int ms = 0; ms < 20; ms++)
        test_wire_step(&wire); /* CONFIRMED waits, nobody pulls */
    off(0x04);
    assert_true(sl_master_next(&wire.master, &event));
    assert_int_equal(event.kind, SL_LINK_PINS);
    assert_false(sl_master_next(&wire.master, &event));
    assert_int_equal(event.kind, SL_LINK_NONE);
    run(20);
    assert_true(was_given(SL_LINK_CONFIRMED, 0x04));
}

static void events_that_nobody_pulls_come_together(void **state)
{
    (void)state;
    struct sl_link_event event;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        on(zone, 60000);
        for (int ms = 0; ms < 20; ms++)
            test_wire_step(&wire);
    }
    assert_true(sl_master_next(&wire.master, &event));
    assert_int_equal(event.kind, SL_LINK_PINS);
    assert_int_equal(event.zones, 0xFF);
    assert_true(sl_master_next(&wire.master, &event));
    assert_int_equal(event.kind, SL_LINK_CONFIRMED);
    assert_int_equal(event.zones, 0xFF);
    assert_false(sl_master_next(&wire.master, &event));
}

static void the_last_word_about_the_link_is_true(void **state)
{
    (void)state;
    for (int changes = 1; changes <= 6; changes++) {
        start(NULL);
        struct sl_link_event event;
        bool believed = true;
        for (int i = 1; i <= changes; i++) {
            cut(i % 2 == 1);
            for (int ms = 0; ms < 1400; ms++)
                test_wire_step(&wire);
        }
        while (sl_master_next(&wire.master, &event)) {
            if (event.kind == SL_LINK_UP)
                believed = true;
            if (event.kind == SL_LINK_DOWN)
                believed = false;
        }
        assert_int_equal(believed, wire.master.is_up);
        assert_int_equal(wire.master.is_up, changes % 2 == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_before_it_orders),
        cmocka_unit_test(nothing_is_remembered_while_the_link_is_down),
        cmocka_unit_test_setup(refuses_what_is_out_of_range, start),
        cmocka_unit_test(the_lease_is_kept_in_range),
        cmocka_unit_test_setup(an_order_goes_out_every_250_ms_and_not_much_oftener, start),
        cmocka_unit_test_setup(silence_takes_the_link_down_and_an_answer_up_again, start),
        cmocka_unit_test_setup(a_chip_that_talks_but_does_not_hear_is_silent, start),
        cmocka_unit_test_setup(an_exchange_without_an_answer_is_given_up, start),
        cmocka_unit_test_setup(answers_that_are_late_short_or_garbage_are_not_believed, start),
        cmocka_unit_test_setup(on_is_confirmed_when_the_pin_was_read, start),
        cmocka_unit_test_setup(off_is_confirmed_too_also_for_a_zone_that_is_off, start),
        cmocka_unit_test_setup(times_are_rounded_up_to_units, start),
        cmocka_unit_test_setup(at_its_end_a_zone_is_ordered_off_and_read_back, start),
        cmocka_unit_test_setup(a_zone_that_is_on_gets_a_new_time_without_a_gap, start),
        cmocka_unit_test_setup(a_latched_zone_is_zeroed_first, start),
        cmocka_unit_test_setup(a_zone_that_the_chip_never_opens_is_given_up, start),
        cmocka_unit_test_setup(what_the_chip_ended_stays_ended, start),
        cmocka_unit_test_setup(a_pin_that_does_not_follow_is_reported_and_ordered_off, start),
        cmocka_unit_test_setup(a_pin_that_stays_on_is_reported_once_for_each_command, start),
        cmocka_unit_test_setup(a_pin_that_nobody_asked_for_is_noticed_in_bounded_time, start),
        cmocka_unit_test_setup(a_pin_that_fails_later_ends_its_watering, start),
        cmocka_unit_test_setup(a_change_that_meets_a_broken_link_ends_unconfirmed_and_off, start),
        cmocka_unit_test_setup(off_while_the_link_is_down_is_done_when_it_is_back, start),
        cmocka_unit_test_setup(an_end_while_the_link_is_down_is_unconfirmed, start),
        cmocka_unit_test_setup(a_want_that_ends_before_its_read_back_is_unconfirmed, start),
        cmocka_unit_test_setup(a_reset_chip_stays_closed_until_somebody_asks, start),
        cmocka_unit_test_setup(a_reset_during_silence_is_told_too, start),
        cmocka_unit_test_setup(a_lease_that_ended_in_the_silence_ends_the_want, start),
        cmocka_unit_test_setup(a_node_that_starts_reads_the_times_back, start),
        cmocka_unit_test_setup(restarts_never_move_an_end_later, start),
        cmocka_unit_test(an_adopted_time_counts_from_the_exchange_it_answers),
        cmocka_unit_test(a_late_tick_does_what_ticks_in_time_would_have_done),
        cmocka_unit_test_setup(an_old_sequence_does_not_pass_for_an_answer, start),
        cmocka_unit_test_setup(off_before_the_first_contact_is_not_forgotten, start),
        cmocka_unit_test_setup(a_new_command_takes_old_news_back, start),
        cmocka_unit_test_setup(events_that_nobody_pulls_come_together, start),
        cmocka_unit_test_setup(the_last_word_about_the_link_is_true, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
