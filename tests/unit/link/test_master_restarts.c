/* The master's engine against the real chip engine: chip or node starts over. */
#include "unit/link/linked.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_reset_chip_stays_closed_until_somebody_asks, start),
        cmocka_unit_test_setup(a_reset_during_silence_is_told_too, start),
        cmocka_unit_test_setup(a_lease_that_ended_in_the_silence_ends_the_want, start),
        cmocka_unit_test_setup(a_node_that_starts_reads_the_times_back, start),
        cmocka_unit_test_setup(restarts_never_move_an_end_later, start),
        cmocka_unit_test(an_adopted_time_counts_from_the_exchange_it_answers),
        cmocka_unit_test_setup(an_old_sequence_does_not_pass_for_an_answer, start),
        cmocka_unit_test_setup(off_before_the_first_contact_is_not_forgotten, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
