/* The session: opening and ending, acknowledging, back-pressure, time. */
#include "opened.h"

/* The message is acknowledged when the caller comes back, not before. */
static void test_acknowledged_after_a_look(void **state)
{
    struct fixture *f = *state;
    static const uint8_t packet[] = {0x32, 0x05, 0, 1, 'a', 0, 7, 0xD0, 0x00};
    struct sl_mqtt_event event;
    assert_int_equal(sl_mqtt_feed(&f->mqtt, f->now, packet, sizeof packet), 7);
    assert_int_equal(sl_mqtt_feed(&f->mqtt, f->now, packet + 7, 2), 0);
    assert_true(sl_mqtt_next(&f->mqtt, f->now, &event));
    assert_int_equal(event.kind, SL_MQTT_RECEIVED);
    assert_int_equal(sl_mqtt_peek(&f->mqtt).len, 0);
    assert_int_equal(sl_mqtt_feed(&f->mqtt, f->now, packet + 7, 2), 0);
    assert_false(sl_mqtt_next(&f->mqtt, f->now, &event));
    assert_int_equal(event.kind, SL_MQTT_NONE);
    assert_int_equal(sl_mqtt_peek(&f->mqtt).len, 4);
    assert_int_equal(sl_mqtt_feed(&f->mqtt, f->now, packet + 7, 2), 2);
}

/* A message that was given but not acknowledged comes again: QoS 1 twice, QoS 2 once. */
/* What gives no event is acknowledged by the call that looked at it. */
static void test_acknowledged_without_event(void **state)
{
    struct fixture *f = *state;
    static const uint8_t pubrel[] = {0x62, 0x02, 0x00, 0x07};
    struct sl_mqtt_event event;
    serve_hex(f, "34 06 00 01 61 00 07 78");
    clear_traces(f);
    assert_int_equal(sl_mqtt_feed(&f->mqtt, f->now, pubrel, sizeof pubrel), sizeof pubrel);
    assert_int_equal(sl_mqtt_peek(&f->mqtt).len, 0);
    assert_false(sl_mqtt_next(&f->mqtt, f->now, &event));
    flush(f, SIZE_MAX);
    assert_wire(f, "70020007");
}

static void test_lost_before_acknowledged(void **state)
{
    struct fixture *f = *state;
    struct sl_mqtt_event event;
    static const uint8_t qos1[] = {0x32, 0x05, 0, 1, 'a', 0, 7};
    static const uint8_t qos2[] = {0x34, 0x05, 0, 1, 'b', 0, 8};
    f->config.clean_start = false;
    sl_mqtt_feed(&f->mqtt, f->now, qos1, sizeof qos1);
    assert_true(sl_mqtt_next(&f->mqtt, f->now, &event));
    dial(f);
    serve_hex(f, "20 02 01 00 3a 05 00 01 61 00 07");
    assert_events(f, "opened 1, received a q1d -");
    sl_mqtt_feed(&f->mqtt, f->now, qos2, sizeof qos2);
    assert_true(sl_mqtt_next(&f->mqtt, f->now, &event));
    clear_traces(f);
    dial(f);
    clear_traces(f);
    serve_hex(f, "20 02 01 00 3c 05 00 01 62 00 08");
    assert_events(f, "opened 1");
    assert_wire(f, "50020008");
}

/* The largest packet taken holds for the shortest packets too, whole or in parts. */
static void test_packet_max(void **state)
{
    struct fixture *f = *state;
    f->config.packet_max = 8;
    dial(f);
    serve_hex(f, "20 02 00 00 30 06 00 01 61 62 63 64");
    assert_events(f, "opened 0, received a q0 626364");
    clear_traces(f);
    serve_hex(f, "30 07 00 01 61 62 63 64 65");
    assert_events(f, "failed 95");
    dial(f);
    serve_hex(f, "20 02 00 00");
    clear_traces(f);
    serve_hex(f, "30");
    serve_hex(f, "07");
    assert_events(f, "failed 95");
}

/* The port writes nothing: acknowledgements fill their room, then input stops and nothing is lost.
 * Publishing cannot take that room. */
static void test_back_pressure(void **state)
{
    struct fixture *f = *state;
    uint16_t id;
    unsigned taken = 0;
    while (publish(f, 0, "a", "0123456789abcdef", &id) == SL_OK)
        taken++;
    assert_int_equal(taken, (OUT_LEN - SL_MQTT_RESERVE) / 21);
    static const uint8_t packet[] = {0x32, 0x05, 0, 1, 'a', 0, 7};
    unsigned given = 0;
    size_t used = sizeof packet;
    for (unsigned i = 0; i < 50 && used == sizeof packet; i++) {
        used = sl_mqtt_feed(&f->mqtt, f->now, packet, sizeof packet);
        given += pull(f);
    }
    size_t room = OUT_LEN - taken * 21;
    assert_int_equal(given, (room - 5) / 4 + 1);
    assert_int_equal(sl_mqtt_feed(&f->mqtt, f->now, packet, sizeof packet), 0);
    assert_false(pull(f));
    sl_mqtt_tick(&f->mqtt, f->now + 30000); /* the ping still finds room */
    assert_int_equal(sl_mqtt_status(&f->mqtt), SL_OK);
    clear_traces(f);
    flush(f, 1);
    unsigned acks = 0;
    for (const char *at = f->wire.at; (at = strstr(at, "40020007")) != NULL; at++)
        acks++;
    assert_int_equal(acks, given);
    assert_non_null(strstr(f->wire.at, "c000"));
    assert_int_equal(sl_mqtt_feed(&f->mqtt, f->now, packet, sizeof packet), sizeof packet);
}

static void test_no_state_means_clean_start(void **state)
{
    struct fixture *f = *state;
    /* 5.0: the state ended with the connection (session expiry 0), so Clean Start is 1 */
    f->config.clean_start = false;
    f->config.session_expiry_s = 0;
    sl_mqtt_reset(&f->mqtt);
    dial(f);
    assert_int_equal(strncmp(f->wire.at, "102000044d5154540502", 20), 0);
    serve_hex(f, "20 03 00 00 00");
    must_publish(f, 1, "one");
    flush(f, SIZE_MAX);
    clear_traces(f);
    dial(f);
    assert_int_equal(strncmp(f->wire.at, "102000044d5154540502", 20), 0);
    clear_traces(f);
    serve_hex(f, "20 03 00 00 00");
    assert_events(f, "opened 0, delivered 1 80");
    assert_wire(f, "");
    /* the server may lengthen it */
    reopen(f, "20 08 00 00 05 11 00 00 00 05");
    dial(f);
    assert_int_equal(strncmp(f->wire.at, "102000044d5154540500", 20), 0);
}

static void test_other_version_loses_state(void **state)
{
    struct fixture *f = *state;
    must_publish(f, 1, "one");
    flush(f, SIZE_MAX);
    clear_traces(f);
    f->config.version = SL_MQTT_V3;
    f->config.clean_start = false;
    dial(f);
    clear_traces(f);
    serve_hex(f, "20 02 01 00");
    assert_events(f, "opened 1, delivered 1 80");
    assert_wire(f, "");
}

static void test_keep_alive(void **state)
{
    struct fixture *f = *state;
    sl_ms start = f->now;
    sl_ms due;
    assert_true(sl_mqtt_deadline(&f->mqtt, f->now, &due));
    assert_int_equal((uint32_t)(due - start), 30000);
    f->now = start + 29999;
    sl_mqtt_tick(&f->mqtt, f->now);
    assert_int_equal(sl_mqtt_peek(&f->mqtt).len, 0);
    f->now = start + 30000;
    sl_mqtt_tick(&f->mqtt, f->now);
    sl_mqtt_tick(&f->mqtt, f->now);
    flush(f, SIZE_MAX);
    assert_wire(f, "c000");
    assert_true(sl_mqtt_deadline(&f->mqtt, f->now, &due));
    assert_int_equal((uint32_t)(due - f->now), SL_MQTT_ANSWER_MS);
    f->now += 5000;
    serve_hex(f, "d0 00");
    assert_true(sl_mqtt_deadline(&f->mqtt, f->now, &due));
    assert_int_equal((uint32_t)(due - start), 60000); /* last sent at 30000 */
    f->now = start + 60000;
    sl_mqtt_tick(&f->mqtt, f->now);
    f->now += SL_MQTT_ANSWER_MS - 1;
    sl_mqtt_tick(&f->mqtt, f->now);
    assert_int_equal(sl_mqtt_status(&f->mqtt), SL_OK);
    f->now++;
    sl_mqtt_tick(&f->mqtt, f->now);
    assert_int_equal(sl_mqtt_status(&f->mqtt), SL_TIMEOUT);
    pull(f);
    assert_events(f, "failed 80");
    assert_false(sl_mqtt_deadline(&f->mqtt, f->now, &due));
}

/* A server that takes everything and says nothing is found out. */
/* The server counts from our last packet, and that is CONNECT: CONNACK is none of ours. */
static void test_keep_alive_from_connect(void **state)
{
    struct fixture *f = *state;
    sl_ms due;
    dial(f);
    sl_ms sent_at = f->now;
    f->now += 5000;
    serve_hex(f, "20 02 00 00");
    assert_events(f, "opened 0");
    assert_true(sl_mqtt_deadline(&f->mqtt, f->now, &due));
    assert_int_equal(due, sent_at + 30000);
}

static void test_silent_server(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 3; i++) {
        f->now += 10000;
        must_publish(f, 0, "x");
        sl_mqtt_tick(&f->mqtt, f->now);
        flush(f, SIZE_MAX);
    }
    assert_non_null(strstr(f->wire.at, "c000"));
    f->now += SL_MQTT_ANSWER_MS;
    sl_mqtt_tick(&f->mqtt, f->now);
    assert_int_equal(sl_mqtt_status(&f->mqtt), SL_TIMEOUT);
}

static void test_keep_alive_off(void **state)
{
    struct fixture *f = *state;
    sl_ms due;
    f->config.keep_alive_s = 0;
    reopen(f, f->config.version == SL_MQTT_V5 ? "20 03 00 00 00" : "20 02 00 00");
    assert_false(sl_mqtt_deadline(&f->mqtt, f->now, &due));
    sl_mqtt_tick(&f->mqtt, f->now + 1000000);
    assert_int_equal(sl_mqtt_peek(&f->mqtt).len, 0);
}

static void test_no_connack(void **state)
{
    struct fixture *f = *state;
    dial(f);
    clear_traces(f);
    f->now += SL_MQTT_ANSWER_MS - 1;
    sl_mqtt_tick(&f->mqtt, f->now);
    assert_int_equal(sl_mqtt_status(&f->mqtt), SL_OK);
    f->now++;
    sl_mqtt_tick(&f->mqtt, f->now);
    pull(f);
    flush(f, SIZE_MAX);
    assert_events(f, "failed 80");
    assert_wire(f, f->config.version == SL_MQTT_V5 ? "e00180" : "");
}

/* The same story from any start of the clock, over its wrap too. */
static void test_time_over_the_wrap(void **state)
{
    (void)state;
    static const uint32_t below[] = {0, 1, 9999, 10000, 29999, 30000, 30001, 45000};
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++) {
        struct fixture f;
        void *p = &f;
        fixture_init(&f, SL_MQTT_V5, UINT32_MAX - below[i]);
        open_plain(&f);
        test_keep_alive(&p);
        test_no_connack(&p);
        fixture_free(&f);
    }
}

static void test_disconnect(void **state)
{
    struct fixture *f = *state;
    bool is_v5 = f->config.version == SL_MQTT_V5;
    must_publish(f, 0, "x");
    sl_mqtt_disconnect(&f->mqtt, f->now, 0);
    assert_int_equal(sl_mqtt_status(&f->mqtt), SL_CLOSED);
    sl_mqtt_disconnect(&f->mqtt, f->now, 0);
    flush(f, 3);
    assert_wire(f, is_v5 ? "30070003612f620078e00100" : "30060003612f6278e000");
    assert_false(pull(f));
    reopen(f, is_v5 ? "20 03 00 00 00" : "20 02 00 00");
    sl_mqtt_disconnect(&f->mqtt, f->now, SL_MQTT_REASON_DISCONNECT_WITH_WILL);
    flush(f, SIZE_MAX);
    assert_wire(f, is_v5 ? "e00104" : "");
}

static void test_open_bad_arguments(void **state)
{
    struct fixture *f = *state;
    static uint8_t big[65536];
    struct sl_mqtt_config good = f->config;
    static const char *const ids[] = {"", "\xFF", "a-name-of-twenty-four-by"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        f->config.client_id = sl_view_text(ids[i]);
        assert_int_equal(sl_mqtt_open(&f->mqtt, f->now, &f->config), SL_BAD_ARGUMENT);
    }
    f->config = good;
    f->config.version = (enum sl_mqtt_version)3;
    assert_int_equal(sl_mqtt_open(&f->mqtt, f->now, &f->config), SL_BAD_ARGUMENT);
    f->config = good;
    f->config.will.topic = sl_view_text("a/#");
    assert_int_equal(sl_mqtt_open(&f->mqtt, f->now, &f->config), SL_BAD_ARGUMENT);
    f->config.will.topic = sl_view_text("a");
    f->config.will.payload.data = big;
    f->config.will.payload.len = sizeof big;
    assert_int_equal(sl_mqtt_open(&f->mqtt, f->now, &f->config), SL_BAD_ARGUMENT);
    f->config.will.payload.len = OUT_LEN;
    assert_int_equal(sl_mqtt_open(&f->mqtt, f->now, &f->config), SL_FULL);
    assert_int_equal(sl_mqtt_status(&f->mqtt), SL_CLOSED);
    assert_int_equal(sl_mqtt_peek(&f->mqtt).len, 0);
    f->config = good;
    f->mqtt.memory.received_len = 0;
    assert_int_equal(sl_mqtt_open(&f->mqtt, f->now, &f->config), SL_BAD_ARGUMENT);
}

static void test_reset(void **state)
{
    struct fixture *f = *state;
    must_publish(f, 1, "x");
    sl_mqtt_reset(&f->mqtt);
    assert_int_equal(sl_mqtt_status(&f->mqtt), SL_CLOSED);
    assert_int_equal(sl_mqtt_peek(&f->mqtt).len, 0);
    assert_false(pull(f));
    reopen(f, f->config.version == SL_MQTT_V5 ? "20 03 00 00 00" : "20 02 00 00");
    must_publish(f, 1, "x");
    assert_int_equal(f->mqtt.last_id, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_acknowledged_after_a_look, v3),
        WITH(test_acknowledged_without_event, v3),
        WITH(test_lost_before_acknowledged, v3),
        WITH(test_packet_max, v3),
        WITH(test_back_pressure, v3),
        WITH(test_no_state_means_clean_start, v5),
        WITH(test_other_version_loses_state, v5),
        WITH(test_keep_alive, v3),
        WITH(test_keep_alive, v5),
        WITH(test_keep_alive_from_connect, v3),
        WITH(test_silent_server, v5),
        WITH(test_keep_alive_off, v3),
        WITH(test_no_connack, v3),
        WITH(test_no_connack, v5),
        WITH(test_time_over_the_wrap, v5),
        WITH(test_disconnect, v3),
        WITH(test_disconnect, v5),
        WITH(test_open_bad_arguments, v5),
        WITH(test_reset, v3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
