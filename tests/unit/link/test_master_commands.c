/* The master's engine against the real chip engine: commands and their read-back. */
#include "unit/link/linked.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
