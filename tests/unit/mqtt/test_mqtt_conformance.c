/* Statements of MQTT 3.1.1 and 5.0 that no vector holds, in the order of the standard's sections;
 * docs/conformance.md names the test of every statement. */
#include "opened.h"

static bool is_v5(const struct fixture *f)
{
    return f->config.version == SL_MQTT_V5;
}

static void connack(struct fixture *f, bool session_present)
{
    uint8_t packet[] = {0x20, 2, session_present, 0, 0};
    packet[1] = is_v5(f) ? 3 : 2;
    serve(f, packet, is_v5(f) ? 5 : 4);
}

/* Drop the open session's state, and begin one that outlives its connection. */
static void reopen_lasting(struct fixture *f)
{
    sl_mqtt_reset(&f->mqtt);
    f->config.clean_start = false;
    dial(f);
    connack(f, false);
    clear_traces(f);
}

/* A PUBLISH from the server: topic "a", payload "b". */
static void serve_publish(struct fixture *f, uint8_t first, uint8_t id)
{
    const uint8_t v3[] = {first, 6, 0, 1, 'a', 0, id, 'b'};
    const uint8_t v5[] = {first, 7, 0, 1, 'a', 0, id, 0, 'b'};
    serve(f, is_v5(f) ? v5 : v3, is_v5(f) ? sizeof v5 : sizeof v3);
}

/* 2.2.1, 2.3.1 of 3.1.1: packet identifiers */

static uint16_t publish_from_1(struct fixture *f, uint8_t qos)
{
    uint16_t id;
    f->mqtt.last_id = 0; /* the first that is free */
    assert_int_equal(publish(f, qos, "a", "b", &id), SL_OK);
    flush(f, SIZE_MAX);
    return id;
}

/* An identifier is taken until PUBACK, PUBCOMP, SUBACK or UNSUBACK, and free from then on. */
static void test_identifier_is_free_after_its_end(void **state)
{
    struct fixture *f = *state;
    must_subscribe(f, "a");
    must_unsubscribe(f, "a");
    flush(f, SIZE_MAX);
    assert_int_equal(publish_from_1(f, 2), 3);
    serve_hex(f, is_v5(f) ? "90 04 00 01 00 00" : "90 03 00 01 00");
    assert_int_equal(publish_from_1(f, 1), 1);
    serve_hex(f, is_v5(f) ? "b0 04 00 02 00 00" : "b0 02 00 02");
    serve_hex(f, "50 02 00 03"); /* PUBREC is not the end */
    assert_int_equal(publish_from_1(f, 1), 2);
    assert_int_equal(publish_from_1(f, 1), 4);
    serve_hex(f, "70 02 00 03 40 02 00 01");
    assert_int_equal(publish_from_1(f, 2), 1);
    assert_int_equal(publish_from_1(f, 2), 3);
}

/* 3.1 CONNECT */

static void assert_nothing_can_be_asked(struct fixture *f)
{
    struct sl_mqtt_filter filter = {.filter = sl_view_text("a")};
    uint16_t id;
    for (uint8_t qos = 0; qos <= 2; qos++)
        assert_int_equal(publish(f, qos, "a", "b", &id), SL_BAD_STATE);
    assert_int_equal(sl_mqtt_subscribe(&f->mqtt, f->now, &filter, 1, &id), SL_BAD_STATE);
    assert_int_equal(sl_mqtt_unsubscribe(&f->mqtt, f->now, &filter.filter, 1, &id), SL_BAD_STATE);
    f->now += 9000;
    sl_mqtt_tick(&f->mqtt, f->now);
}

/* CONNECT is the first packet and, until CONNACK, the only one: of a new session, and of one that
 * has packets to send again. */
static void test_connect_comes_first(void **state)
{
    struct fixture *f = *state;
    reopen_lasting(f);
    for (unsigned i = 0; i < 2; i++) {
        sl_mqtt_close(&f->mqtt);
        assert_nothing_can_be_asked(f);
        assert_int_equal(sl_mqtt_peek(&f->mqtt).len, 0);
        dial_unsent(f);
        assert_nothing_can_be_asked(f);
        struct sl_view view = sl_mqtt_peek(&f->mqtt);
        assert_int_equal(view.data[0], 0x10);
        assert_int_equal(view.len, 2u + view.data[1]); /* and nothing behind it */
        flush(f, SIZE_MAX);
        connack(f, i > 0);
        must_publish(f, 1, "x");
        must_publish(f, 2, "y");
        flush(f, SIZE_MAX);
    }
}

/* What is left of a will without a topic shows nowhere. */
static void test_no_will_leaves_no_trace(void **state)
{
    struct fixture *f = *state;
    dial(f);
    char plain[sizeof f->wire.at];
    memcpy(plain, f->wire.at, f->wire.len + 1);
    clear_traces(f);
    f->config.will = (struct sl_mqtt_message){.payload = sl_view_text("off"),
                                              .qos = 2,
                                              .retain = true,
                                              .is_text = true,
                                              .content_type = sl_view_text("t")};
    dial(f);
    assert_wire(f, plain);
}

static void test_bad_will_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const topics[] = {"a/#", "+", "\xFF", "a\xED\xA0\x80"};
    const struct sl_mqtt_message good = {.topic = sl_view_text("a"), .qos = 2};
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        f->config.will = good;
        f->config.will.topic = sl_view_text(topics[i]);
        assert_int_equal(sl_mqtt_open(&f->mqtt, f->now, &f->config), SL_BAD_ARGUMENT);
    }
    f->config.will = good;
    f->config.will.qos = 3;
    assert_int_equal(sl_mqtt_open(&f->mqtt, f->now, &f->config), SL_BAD_ARGUMENT);
    f->config.will = good;
    f->config.will.response_topic = sl_view_text("a/+");
    assert_int_equal(sl_mqtt_open(&f->mqtt, f->now, &f->config), SL_BAD_ARGUMENT);
    f->config.will = good;
    assert_int_equal(sl_mqtt_open(&f->mqtt, f->now, &f->config), SL_OK);
}

/* A clean start leaves nothing of the session before: no packet is sent again, no identifier is
 * known, and nobody is told. */
static void test_clean_start_discards_the_session(void **state)
{
    struct fixture *f = *state;
    reopen_lasting(f);
    must_publish(f, 1, "x");
    must_publish(f, 2, "y");
    must_publish(f, 2, "z");
    flush(f, SIZE_MAX);
    serve_hex(f, "50 02 00 03");
    serve_publish(f, 0x34, 7);
    f->config.clean_start = true;
    dial(f);
    clear_traces(f);
    connack(f, false);
    assert_events(f, "opened 0");
    assert_wire(f, "");
    serve_publish(f, 0x34, 7);
    assert_events(f, "received a q2 62");
}

/* An answer is waited for no longer than the keep alive, so that the gap between two packets of
 * ours never exceeds it. */
static void test_short_keep_alive(void **state)
{
    struct fixture *f = *state;
    sl_ms due;
    f->config.keep_alive_s = 3;
    dial(f);
    assert_true(sl_mqtt_deadline(&f->mqtt, f->now, &due));
    assert_int_equal(due, f->now + 3000);
    connack(f, false);
    clear_traces(f);
    f->now += 3000;
    sl_mqtt_tick(&f->mqtt, f->now);
    flush(f, SIZE_MAX);
    assert_wire(f, "c000");
    assert_true(sl_mqtt_deadline(&f->mqtt, f->now, &due));
    assert_int_equal(due, f->now + 3000);
    f->now += 2999;
    serve_hex(f, "d0 00");
    f->now++;
    sl_mqtt_tick(&f->mqtt, f->now);
    flush(f, SIZE_MAX);
    assert_wire(f, "c000");
    f->now += 3000;
    sl_mqtt_tick(&f->mqtt, f->now);
    pull(f);
    assert_events(f, "failed 80");
}

/* 3.3 PUBLISH */

/* DUP is not passed on with a message that came with it. */
static void test_dup_is_not_passed_on(void **state)
{
    struct fixture *f = *state;
    struct sl_mqtt_event event;
    uint16_t id;
    static const uint8_t v3[] = {0x3A, 5, 0, 1, 'a', 0, 7};
    static const uint8_t v5[] = {0x3A, 6, 0, 1, 'a', 0, 7, 0};
    sl_mqtt_feed(&f->mqtt, f->now, is_v5(f) ? v5 : v3, is_v5(f) ? sizeof v5 : sizeof v3);
    assert_true(sl_mqtt_next(&f->mqtt, f->now, &event));
    assert_true(event.message.dup);
    for (uint8_t qos = 0; qos <= 2; qos++) {
        event.message.qos = qos;
        assert_int_equal(sl_mqtt_publish(&f->mqtt, f->now, &event.message, &id), SL_OK);
    }
    flush(f, SIZE_MAX);
    assert_wire(f, is_v5(f) ? "30040001610032060001610001003406000161000200"
                            : "30030001613205000161000134050001610002");
}

/* 3.8 SUBSCRIBE, 3.10 UNSUBSCRIBE */

static void test_bad_filters_are_refused(void **state)
{
    struct fixture *f = *state;
    static struct sl_mqtt_filter many[256];
    static struct sl_view views[256];
    const struct sl_view bad[] = {
        sl_view_text(""),
        sl_view_text("a#"),
        sl_view_text("#/a"),
        sl_view_text("a+/b"),
        sl_view_text("\xFF"),
        sl_view_text("\xED\xA0\x80"),
        {(const uint8_t *)"a\0b", 3},
    };
    uint16_t id;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sl_mqtt_filter filter = {.filter = bad[i]};
        assert_int_equal(sl_mqtt_subscribe(&f->mqtt, f->now, &filter, 1, &id), SL_BAD_ARGUMENT);
        assert_int_equal(sl_mqtt_unsubscribe(&f->mqtt, f->now, &bad[i], 1, &id), SL_BAD_ARGUMENT);
    }
    for (size_t i = 0; i < 256; i++)
        many[i].filter = views[i] = sl_view_text("a");
    static const size_t counts[] = {0, 256};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(sl_mqtt_subscribe(&f->mqtt, f->now, many, counts[i], &id),
                         SL_BAD_ARGUMENT);
        assert_int_equal(sl_mqtt_unsubscribe(&f->mqtt, f->now, views, counts[i], &id),
                         SL_BAD_ARGUMENT);
    }
    assert_int_equal(sl_mqtt_peek(&f->mqtt).len, 0);
}

/* 4.4: nothing is sent again while the connection lasts, however long no answer comes. */
static void test_nothing_is_sent_twice(void **state)
{
    struct fixture *f = *state;
    must_publish(f, 1, "x");
    must_publish(f, 2, "y");
    must_publish(f, 2, "z");
    flush(f, SIZE_MAX);
    serve_hex(f, "50 02 00 03");
    clear_traces(f);
    for (unsigned i = 0; i < 20; i++) {
        f->now += 30000;
        sl_mqtt_tick(&f->mqtt, f->now);
        flush(f, SIZE_MAX);
        assert_wire(f, "c000");
        serve_hex(f, "d0 00");
    }
    assert_events(f, "");
    assert_wire(f, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_identifier_is_free_after_its_end, v3),
        WITH(test_identifier_is_free_after_its_end, v5),
        WITH(test_connect_comes_first, v3),
        WITH(test_connect_comes_first, v5),
        WITH(test_no_will_leaves_no_trace, v3),
        WITH(test_no_will_leaves_no_trace, v5),
        WITH(test_bad_will_is_refused, v3),
        WITH(test_bad_will_is_refused, v5),
        WITH(test_clean_start_discards_the_session, v3),
        WITH(test_clean_start_discards_the_session, v5),
        WITH(test_short_keep_alive, v3),
        WITH(test_short_keep_alive, v5),
        WITH(test_dup_is_not_passed_on, v3),
        WITH(test_dup_is_not_passed_on, v5),
        WITH(test_bad_filters_are_refused, v3),
        WITH(test_bad_filters_are_refused, v5),
        WITH(test_nothing_is_sent_twice, v3),
        WITH(test_nothing_is_sent_twice, v5),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
