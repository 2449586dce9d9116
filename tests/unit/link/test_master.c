/* The master's engine against the real chip engine: the link's state, and what is told of it. */
#include "unit/link/linked.h"

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

/* Events. */

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
        cmocka_unit_test(a_late_tick_does_what_ticks_in_time_would_have_done),
        cmocka_unit_test_setup(a_new_command_takes_old_news_back, start),
        cmocka_unit_test_setup(events_that_nobody_pulls_come_together, start),
        cmocka_unit_test_setup(the_last_word_about_the_link_is_true, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
