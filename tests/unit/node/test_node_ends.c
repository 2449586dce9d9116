/* A node that stops, and one that starts where another has stopped. */
#include "bench.h"

static void a_restarted_node_takes_over_what_runs(void **state)
{
    (void)state;
    rig_say(rig, "zone/on", "2 120");
    rig_run(rig, 60000);
    struct sl_slave chip = rig->chip;
    sl_ms now = rig->now;
    rig->pki = pki;
    rig_start(rig, now);
    rig->chip = chip;
    rig->chip_at = now;
    rig_run(rig, 100);
    rig_set_time(rig);
    rig_run(rig, 100);
    assert_int_equal(rig_pins(rig), 0x04);
    assert_string_equal(rig_last(rig, "zone/2/state")->payload, "ON");
    assert_non_null(
        strstr(rig_last(rig, "report")->payload, "\"state\":\"ON\",\"remaining_s\":60"));
    rig_run(rig, 60500);
    assert_int_equal(rig_pins(rig), 0);
    assert_string_equal(rig_last(rig, "zone/2/state")->payload, "OFF");
}

static void stopping_closes_says_so_and_leaves(void **state)
{
    (void)state;
    rig_say(rig, "zone/on", "2 120");
    rig_run(rig, 500);
    rig_forget(rig);
    sl_node_stop(&rig->node, rig->now);
    rig_run(rig, 200);
    assert_true(rig->has_finished);
    assert_int_equal(rig_pins(rig), 0);
    assert_string_equal(rig_last(rig, "zone/2/state")->payload, "OFF");
    const struct rig_heard *availability = rig_last(rig, "availability");
    assert_string_equal(availability->payload, "offline");
    assert_true(availability->retain);
    assert_true(rig->has_disconnect);
    assert_int_equal(rig->disconnect, 0);
    assert_int_equal(rig->hang_ups, 1);
    assert_int_equal(rig_logged(rig, SL_LOG_STOPPED), 1);
    struct sl_node_event event;
    sl_node_tick(&rig->node, rig->now + 100000);
    assert_false(sl_node_next(&rig->node, rig->now + 100000, &event));
}

static void stopping_waits_three_seconds_at_most(void **state)
{
    (void)state;
    rig_say(rig, "zone/on", "2 120");
    rig_run(rig, 500);
    rig_forget(rig);
    rig->is_frozen = true; /* the broker hangs */
    sl_node_stop(&rig->node, rig->now);
    rig_run(rig, 2900);
    assert_false(rig->has_finished);
    assert_int_equal(rig_pins(rig), 0);
    rig_run(rig, 200);
    assert_true(rig->has_finished);

    rig->pki = pki;
    rig_connect(rig, 1000);
    rig_say(rig, "zone/on", "2 120");
    rig_run(rig, 500);
    rig->stuck_on = 0x04; /* the pin does not go off */
    sl_node_stop(&rig->node, rig->now);
    rig_run(rig, 3100);
    assert_true(rig->has_finished);
    assert_int_equal(rig_logged(rig, SL_LOG_STOPPED_UNSURE), 1);
}

static void stopping_without_broker_or_chip_is_quick(void **state)
{
    (void)state;
    rig->pki = pki;
    rig_start(rig, 1000);
    rig->is_chip_cut = true;
    rig_run(rig, 100);
    sl_node_stop(&rig->node, rig->now);
    rig_turn(rig);
    assert_true(rig->has_finished);
    assert_int_equal(rig->dials, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FROM_SESSION(a_restarted_node_takes_over_what_runs),
        FROM_SESSION(stopping_closes_says_so_and_leaves),
        FROM_SESSION(stopping_waits_three_seconds_at_most),
        FROM_SESSION(stopping_without_broker_or_chip_is_quick),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
