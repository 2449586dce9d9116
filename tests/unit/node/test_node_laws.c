/* The laws of engines, for the whole node: one story, told with every cut, with ticks too many, and
 * by clocks about to wrap. */
#include "bench.h"

#include <errno.h>

static void tell_story(sl_ms at, size_t cut, bool ticks_extra)
{
    rig->pki = pki;
    rig_start(rig, at);
    rig->cut = cut;
    rig->ticks_extra = ticks_extra;
    rig_run(rig, 100);
    rig_set_time(rig);
    rig_run(rig, 100);
    rig_ask(rig, "zone/on", "2 120", "site/answer");
    rig_run(rig, 20000);
    rig_ask(rig, "zone/on", "9 120", "site/answer");
    rig_ask(rig, "zone/on", "5 3", "site/answer");
    rig_run(rig, 5000);
    test_mqtt_peer_publish(&rig->peer, &(struct test_mqtt_publish){.topic = RIG_BASE "/zone/on",
                                                                   .payload = sl_view_text("1 30"),
                                                                   .qos = 1});
    test_mqtt_peer_disconnect(&rig->peer, 0x8B);
    rig_run(rig, 100);
    rig->is_chip_cut = true;
    rig_run(rig, 3000);
    rig->is_chip_cut = false;
    rig_run(rig, 40000);
    sl_node_stop(&rig->node, rig->now);
    rig_run(rig, 4000);
}

static void the_laws_hold(void **state)
{
    static const struct {
        sl_ms at;
        size_t cut;
        bool ticks_extra;
    } ways[] = {
        {1000, 1, false},
        {1000, 2, false},
        {1000, 7, true},
        {1000, 64, false},
        {1000, 700, true},
        {0xFFFFFFFF - 50, 0, true},
        {0xFFFFFFFF - 20000, 0, false},
        {0xFFFFFFFF - 30000, 5, false},
        {0x7FFFFFFF - 150, 0, true},
    };
    (void)state;
    tell_story(1000, 0, false);
    size_t heard_len = rig->heard_len, logs_len = rig->logs_len;
    struct rig_heard *heard = malloc(heard_len * sizeof *heard);
    struct sl_log_event *logs = malloc(logs_len * sizeof *logs);
    assert_true(heard != NULL && logs != NULL);
    memcpy(heard, rig->heard, heard_len * sizeof *heard);
    memcpy(logs, rig->logs, logs_len * sizeof *logs);
    assert_true(rig->has_finished);
    assert_true(heard_len > 30 && logs_len > 10);
    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
        tell_story(ways[way].at, ways[way].cut, ways[way].ticks_extra);
        assert_true(rig->has_finished);
        for (size_t i = 0; i < logs_len && i < rig->logs_len; i++) {
            assert_int_equal(rig->logs[i].code, logs[i].code);
            assert_int_equal(rig->logs[i].a, logs[i].a);
        }
        assert_int_equal(rig->logs_len, logs_len);
        for (size_t i = 0; i < heard_len && i < rig->heard_len; i++) {
            assert_string_equal(rig->heard[i].topic, heard[i].topic);
            assert_string_equal(rig->heard[i].payload, heard[i].payload);
        }
        assert_int_equal(rig->heard_len, heard_len);
    }
    free(heard);
    free(logs);
}

/* After its end a session says nothing more, whatever comes in. */
static void nothing_after_the_end(void **state)
{
    uint8_t noise[300];
    (void)state;
    rig_kick(rig);
    rig_forget(rig);
    memset(noise, 0x30, sizeof noise);
    assert_int_equal(sl_node_feed(&rig->node, rig->now, noise, sizeof noise), sizeof noise);
    sl_node_hung_up(&rig->node, rig->now, EIO);
    sl_node_dialled(&rig->node, rig->now);
    struct sl_node_event event;
    assert_false(sl_node_next(&rig->node, rig->now, &event));
    assert_int_equal(sl_node_peek(&rig->node, rig->now).len, 0);
}

static void bad_configurations_do_not_start(void **state)
{
    const uint8_t seed[SL_NODE_SEED_LEN] = {1};
    struct sl_node_config config = rig->node.config, bad;
    struct sl_identity identity = rig->identity;
    (void)state;
    bad = config;
    bad.lease_ms = 0;
    assert_int_equal(sl_node_init(&rig->node, 0, &bad, seed), SL_BAD_ARGUMENT);
    bad = config;
    bad.limits.at_once = 9;
    assert_int_equal(sl_node_init(&rig->node, 0, &bad, seed), SL_BAD_ARGUMENT);
    bad = config;
    identity.private_key.len = 31;
    bad.identity = &identity;
    assert_int_equal(sl_node_init(&rig->node, 0, &bad, seed), SL_BAD_ARGUMENT);
    assert_int_equal(sl_node_init(&rig->node, 0, &config, seed), SL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FROM_START(the_laws_hold),
        FROM_SESSION(nothing_after_the_end),
        FROM_START(bad_configurations_do_not_start),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
