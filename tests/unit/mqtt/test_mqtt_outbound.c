/* What we send: publishing, the server's limits, and the store of packets. */
#include "mqtt/engine.h"
#include "opened.h"

static enum sl_status publish_message(struct fixture *f, const struct sl_mqtt_message *message)
{
    uint16_t id = 77;
    enum sl_status status = sl_mqtt_publish(&f->mqtt, f->now, message, &id);
    if (status != SL_OK)
        assert_int_equal(id, 0);
    return status;
}

static void test_publish_every_qos(void **state)
{
    struct fixture *f = *state;
    must_publish(f, 0, "0");
    must_publish(f, 1, "1");
    must_publish(f, 2, "2");
    flush(f, SIZE_MAX);
    assert_wire(f, "30060003612f6230"
                   "32080003612f62000131"
                   "34080003612f62000232");
    serve_hex(f, "40 02 00 01 50 02 00 02 70 02 00 02");
    assert_events(f, "delivered 1 00, delivered 2 00");
    assert_wire(f, "62020002");
    assert_int_equal(f->mqtt.out_used, 0);
}

static void test_publish_properties(void **state)
{
    struct fixture *f = *state;
    struct sl_mqtt_message message = {
        .topic = sl_view_text("a"),
        .payload = sl_view_text("p"),
        .retain = true,
        .has_expiry = true,
        .expiry_s = 60,
        .is_text = true,
        .response_topic = sl_view_text("r"),
        .correlation = sl_view_text("k"),
        .content_type = sl_view_text("t"),
    };
    assert_int_equal(publish_message(f, &message), SL_OK);
    flush(f, SIZE_MAX);
    assert_wire(f, "3118000161130101020000003c03000174080001720900016b70");
}

static void test_publish_bad_arguments(void **state)
{
    struct fixture *f = *state;
    static uint8_t big[70000];
    struct sl_mqtt_message good = {.topic = sl_view_text("a")};
    struct sl_mqtt_message message;
    static const char *const topics[] = {"", "a/#", "+", "\xFF", "a\xC0\x80"};
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        message = good;
        message.topic = sl_view_text(topics[i]);
        assert_int_equal(publish_message(f, &message), SL_BAD_ARGUMENT);
    }
    message = good;
    message.qos = 3;
    assert_int_equal(publish_message(f, &message), SL_BAD_ARGUMENT);
    message = good;
    message.response_topic = sl_view_text("a/#");
    assert_int_equal(publish_message(f, &message), SL_BAD_ARGUMENT);
    message = good;
    message.content_type = sl_view_text("\xFF");
    assert_int_equal(publish_message(f, &message), SL_BAD_ARGUMENT);
    message = good;
    message.correlation.data = big;
    message.correlation.len = 65536;
    assert_int_equal(publish_message(f, &message), SL_BAD_ARGUMENT);
    message = good;
    message.payload.data = big;
    message.payload.len = sizeof big;
    assert_int_equal(publish_message(f, &message), SL_TOO_LARGE);
    message.payload.len = SIZE_MAX;
    assert_int_equal(publish_message(f, &message), SL_TOO_LARGE);
    assert_int_equal(sl_mqtt_peek(&f->mqtt).len, 0);
    sl_mqtt_close(&f->mqtt);
    assert_int_equal(publish_message(f, &good), SL_BAD_STATE);
}

/* Room to the byte: the largest PUBLISH that memory.out takes, and one byte more. */
static void test_publish_fits_to_the_byte(void **state)
{
    struct fixture *f = *state;
    static uint8_t bytes[OUT_LEN];
    struct sl_mqtt_message message = {.topic = sl_view_text("a"), .payload = {bytes, 0}};
    message.payload.len = OUT_LEN - SL_MQTT_RESERVE - 3 - 3 + 1;
    assert_int_equal(publish_message(f, &message), SL_TOO_LARGE);
    message.payload.len--;
    assert_int_equal(publish_message(f, &message), SL_OK);
    message.payload.len = 0;
    assert_int_equal(publish_message(f, &message), SL_FULL);
    flush(f, 7);
    assert_int_equal(publish_message(f, &message), SL_OK);
}

static void test_server_limits(void **state)
{
    struct fixture *f = *state;
    struct sl_mqtt_message message = {.topic = sl_view_text("a"), .payload = sl_view_text("b")};
    uint16_t id;
    /* maximum packet size 8, QoS 1, no retain, no wildcards, server keep alive 10 */
    reopen(f, "20 11 00 00 0e 27 00 00 00 08 24 01 25 00 28 00 13 00 0a");
    const struct sl_mqtt_limits *limits = sl_mqtt_limits(&f->mqtt);
    assert_int_equal(limits->packet_max, 8);
    assert_int_equal(limits->qos_max, 1);
    assert_int_equal(limits->keep_alive_s, 10);
    assert_int_equal(limits->receive_max, 65535);
    assert_int_equal(limits->session_expiry_s, 3600);
    assert_false(limits->retain_available || limits->wildcard_available);

    assert_int_equal(publish_message(f, &message), SL_OK);
    message.payload = sl_view_text("bcd");
    assert_int_equal(publish_message(f, &message), SL_TOO_LARGE);
    message.payload = sl_view_text("b");
    message.qos = 2;
    assert_int_equal(publish_message(f, &message), SL_REFUSED);
    message.qos = 0;
    message.retain = true;
    assert_int_equal(publish_message(f, &message), SL_REFUSED);
    struct sl_mqtt_filter filter = {.filter = sl_view_text("#")};
    assert_int_equal(sl_mqtt_subscribe(&f->mqtt, f->now, &filter, 1, &id), SL_REFUSED);
    filter.filter = sl_view_text("ab");
    assert_int_equal(sl_mqtt_subscribe(&f->mqtt, f->now, &filter, 1, &id), SL_TOO_LARGE);
    sl_ms due;
    assert_true(sl_mqtt_deadline(&f->mqtt, f->now, &due));
    assert_int_equal(due, f->now + 10000);
    /* the next connection starts from the defaults again */
    reopen(f, "20 03 00 00 00");
    assert_int_equal(limits->packet_max, 0);
    assert_int_equal(limits->qos_max, 2);
    assert_int_equal(limits->keep_alive_s, 30);
}

static void test_receive_maximum_of_the_server(void **state)
{
    struct fixture *f = *state;
    uint16_t id;
    reopen(f, "20 06 00 00 03 21 00 02");
    must_publish(f, 1, "x");
    must_publish(f, 2, "y");
    assert_int_equal(publish(f, 1, "a", "z", &id), SL_FULL);
    assert_int_equal(publish(f, 0, "a", "z", &id), SL_OK); /* QoS 0 does not count */
    must_subscribe(f, "a");
    flush(f, SIZE_MAX);
    serve_hex(f, "50 02 00 02"); /* PUBREC frees nothing yet */
    assert_int_equal(publish(f, 1, "a", "z", &id), SL_FULL);
    serve_hex(f, "70 02 00 02");
    must_publish(f, 1, "z");
    assert_int_equal(publish(f, 1, "a", "z", &id), SL_FULL);
    flush(f, SIZE_MAX);
    serve_hex(f, "50 03 00 04 00"); /* a PUBREC for QoS 1 */
    assert_events(f, "delivered 2 00, failed 82");
}

static void test_flights_are_bounded(void **state)
{
    struct fixture *f = *state;
    uint16_t id;
    for (unsigned i = 0; i < FLIGHTS_LEN; i++)
        must_publish(f, 1, "x");
    assert_int_equal(publish(f, 1, "a", "z", &id), SL_FULL);
    struct sl_view filter = sl_view_text("a");
    assert_int_equal(sl_mqtt_unsubscribe(&f->mqtt, f->now, &filter, 1, &id), SL_FULL);
    assert_int_equal(id, 0);
}

/* Identifiers skip 0 and those in use. */
static void test_identifiers_wrap(void **state)
{
    struct fixture *f = *state;
    uint16_t id;
    must_publish(f, 1, "keep");
    f->mqtt.last_id = 65534;
    assert_int_equal(publish(f, 1, "a", "b", &id), SL_OK);
    assert_int_equal(id, 65535);
    assert_int_equal(publish(f, 1, "a", "b", &id), SL_OK);
    assert_int_equal(id, 2);
}

static void test_subscribe(void **state)
{
    struct fixture *f = *state;
    uint16_t id;
    struct sl_mqtt_filter filters[] = {
        {.filter = sl_view_text("a/#"), .qos = 2, .no_local = true, .retain_handling = 2},
        {.filter = sl_view_text("+"), .qos = 1, .retain_as_published = true, .retain_handling = 1},
    };
    struct sl_view views[] = {sl_view_text("a/#"), sl_view_text("+")};
    assert_int_equal(sl_mqtt_subscribe(&f->mqtt, f->now, filters, 2, &id), SL_OK);
    assert_int_equal(sl_mqtt_unsubscribe(&f->mqtt, f->now, views, 2, &id), SL_OK);
    flush(f, 1);
    assert_wire(f, f->config.version == SL_MQTT_V5 ? "820d0001000003612f23260001"
                                                     "2b19"
                                                     "a20b0002000003612f2300012b"
                                                   : "820c00010003612f23020001"
                                                     "2b01"
                                                     "a20a00020003612f2300012b");
    assert_int_equal(sl_mqtt_subscribe(&f->mqtt, f->now, filters, 0, &id), SL_BAD_ARGUMENT);
    filters[1].qos = 3;
    assert_int_equal(sl_mqtt_subscribe(&f->mqtt, f->now, filters, 2, &id), SL_BAD_ARGUMENT);
    filters[1].qos = 0;
    filters[1].retain_handling = 3;
    assert_int_equal(sl_mqtt_subscribe(&f->mqtt, f->now, filters, 2, &id), SL_BAD_ARGUMENT);
    views[1] = sl_view_text("a#");
    assert_int_equal(sl_mqtt_unsubscribe(&f->mqtt, f->now, views, 2, &id), SL_BAD_ARGUMENT);
}

/* A short write may end at any byte, with kept, passing and control packets in any mix. */
static void test_partial_writes(void **state)
{
    struct fixture *f = *state;
    char whole[sizeof f->wire.at] = "";
    for (size_t step = 40; step > 0; step--) {
        reopen(f, "20 02 00 00");
        f->mqtt.last_id = 0;
        must_publish(f, 1, "one");
        must_publish(f, 0, "two");
        must_publish(f, 2, "three");
        serve_hex(f, ""); /* flushes everything */
        clear_traces(f);
        f->mqtt.last_id = 10;
        must_publish(f, 0, "four");
        must_publish(f, 1, "five");
        must_publish(f, 0, "six");
        size_t mixed = sl_mqtt_peek(&f->mqtt).len;
        for (size_t done = 0; done < mixed; done += step) {
            struct sl_view view = sl_mqtt_peek(&f->mqtt);
            if (view.len > step)
                view.len = step;
            text_add_hex(&f->wire, view);
            sl_mqtt_sent(&f->mqtt, f->now, view.len);
        }
        if (step == 40)
            memcpy(whole, f->wire.at, f->wire.len + 1);
        assert_string_equal(f->wire.at, whole);
        clear_traces(f);
        serve_hex(f, "50 02 00 02 40 02 00 0b 70 02 00 02 40 02 00 01");
        assert_events(f, "delivered 11 00, delivered 2 00, delivered 1 00");
        assert_wire(f, "62020002");
        assert_int_equal(f->mqtt.out_used, 0);
    }
}

/* The transport dies after any number of bytes: the resumed stream is whole again. */
static void test_resume_after_any_byte(void **state)
{
    struct fixture *f = *state;
    for (size_t cut = 0; cut < 60; cut++) {
        sl_mqtt_reset(&f->mqtt);
        f->config.clean_start = false;
        reopen(f, "20 02 00 00");
        must_publish(f, 0, "gone");
        must_publish(f, 1, "one");
        must_publish(f, 0, "gone");
        must_publish(f, 2, "two");
        for (size_t done = 0; done < cut && sl_mqtt_peek(&f->mqtt).len > 0; done++)
            sl_mqtt_sent(&f->mqtt, f->now, 1);
        sl_mqtt_close(&f->mqtt);
        assert_int_equal(sl_mqtt_peek(&f->mqtt).len, 0);
        dial(f);
        clear_traces(f);
        serve_hex(f, "20 02 01 00");
        assert_events(f, "opened 1");
        assert_wire(f, "3a0a0003612f6200016f6e65"
                       "3c0a0003612f62000274776f");
    }
}

static void test_answer_before_the_question(void **state)
{
    struct fixture *f = *state;
    must_publish(f, 1, "one");
    sl_mqtt_sent(&f->mqtt, f->now, sl_mqtt_peek(&f->mqtt).len - 1);
    static const uint8_t puback[] = {0x40, 0x02, 0, 1};
    sl_mqtt_feed(&f->mqtt, f->now, puback, sizeof puback);
    pull(f);
    assert_events(f, "failed 82");
    assert_int_equal(sl_mqtt_open(&f->mqtt, f->now, &f->config), SL_OK);
    static const uint8_t connack[] = {0x20, 0x02, 0, 0};
    sl_mqtt_feed(&f->mqtt, f->now, connack, sizeof connack);
    pull(f);
    assert_events(f, "failed 82");
}

/* Lost messages keep their identifiers until they were reported; new ones may be queued. */
static void test_lost_ids_are_not_reused(void **state)
{
    struct fixture *f = *state;
    struct sl_mqtt_event event;
    uint16_t id;
    must_publish(f, 1, "one");
    must_publish(f, 1, "two");
    flush(f, SIZE_MAX);
    f->config.clean_start = false;
    dial(f);
    static const uint8_t connack[] = {0x20, 0x03, 0, 0, 0};
    sl_mqtt_feed(&f->mqtt, f->now, connack, sizeof connack);
    assert_true(sl_mqtt_next(&f->mqtt, f->now, &event));
    f->mqtt.last_id = 0;
    assert_int_equal(publish(f, 1, "a/b", "new", &id), SL_OK);
    assert_int_equal(id, 3);
    clear_traces(f);
    pull(f);
    assert_events(f, "delivered 1 80, delivered 2 80");
    flush(f, SIZE_MAX);
    serve_hex(f, "40 02 00 03");
    assert_events(f, "delivered 3 00");
}

/* Whatever the mix of calls: the store stays in order and within its memory. */
static void check_store(const struct fixture *f)
{
    const struct sl_mqtt *mqtt = &f->mqtt;
    size_t end = 0;
    assert_true(mqtt->out_sent <= mqtt->out_used && mqtt->out_used <= OUT_LEN);
    for (size_t i = 0; i < mqtt->flights_used; i++) {
        assert_true(f->flights[i].offset >= end);
        end = (size_t)f->flights[i].offset + f->flights[i].len;
        if (f->flights[i].len > 0) { /* PUBLISH or PUBREL with this id */
            const uint8_t *packet = f->out + f->flights[i].offset;
            bool is_pubrel = packet[0] == 0x62;
            assert_true(is_pubrel || packet[0] >> 4 == SL_MQTT_PUBLISH);
            const uint8_t *id = packet + (is_pubrel ? 2 : 7);
            assert_int_equal(id[0] << 8 | id[1], f->flights[i].id);
        }
    }
    assert_true(end <= mqtt->out_used);
}

static uint32_t random_state = 7;

static uint32_t next_random(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % below;
}

/* Answer a flight as an honest server might. */
static void answer(struct fixture *f)
{
    if (f->mqtt.flights_used == 0 || !f->mqtt.is_open)
        return;
    const struct sl_mqtt_flight *flight = &f->flights[next_random((uint32_t)f->mqtt.flights_used)];
    if ((size_t)flight->offset + flight->len > f->mqtt.out_sent)
        return;
    if (flight->state == SL_FLIGHT_LOST)
        return;
    uint8_t packet[] = {(uint8_t)(flight->state << 4), 2, (uint8_t)(flight->id >> 8),
                        (uint8_t)flight->id,           0, 0};
    size_t len = 4;
    if (packet[0] >= 0x90) { /* SUBACK, UNSUBACK: properties and one code */
        packet[1] = 4;
        len = 6;
    }
    for (size_t used = 0; used < len;) {
        used += sl_mqtt_feed(&f->mqtt, f->now, packet + used, len - used);
        if (!pull(f) && used < len)
            sl_mqtt_sent(&f->mqtt, f->now, 3);
    }
}

static void must_be_ok_or_full(enum sl_status status)
{
    assert_true(status == SL_OK || status == SL_FULL);
}

static void test_long_mixed_story(void **state)
{
    struct fixture *f = *state;
    struct sl_view filter = sl_view_text("a/#");
    uint16_t id;
    for (unsigned i = 0; i < 30000; i++) {
        uint32_t what = next_random(40);
        if (what < 8)
            must_be_ok_or_full(
                publish(f, (uint8_t)next_random(3), "a/b", &"0123456789"[next_random(10)], &id));
        else if (what < 10)
            must_be_ok_or_full(sl_mqtt_unsubscribe(&f->mqtt, f->now, &filter, 1, &id));
        else if (what < 24)
            sl_mqtt_sent(&f->mqtt, f->now, next_random(20));
        else if (what < 36)
            answer(f);
        else if (what < 39) {
            static const uint8_t pubrel[] = {0x62, 0x02, 0x00, 0x55};
            size_t used = 0;
            while (used < sizeof pubrel) {
                used += sl_mqtt_feed(&f->mqtt, f->now, pubrel + used, sizeof pubrel - used);
                pull(f);
                if (used < sizeof pubrel)
                    sl_mqtt_sent(&f->mqtt, f->now, 3);
            }
        } else { /* the transport is lost; resumed with a small receive maximum */
            f->config.clean_start = false;
            dial(f);
            static const uint8_t connack[] = {0x20, 0x06, 1, 0, 3, 0x21, 0, 2};
            sl_mqtt_feed(&f->mqtt, f->now, connack, sizeof connack);
            pull(f);
        }
        clear_traces(f);
        assert_int_equal(sl_mqtt_status(&f->mqtt), SL_OK);
        check_store(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_publish_every_qos, v3),
        WITH(test_publish_properties, v5),
        WITH(test_publish_bad_arguments, v3),
        WITH(test_publish_bad_arguments, v5),
        WITH(test_publish_fits_to_the_byte, v3),
        WITH(test_server_limits, v5),
        WITH(test_receive_maximum_of_the_server, v5),
        WITH(test_flights_are_bounded, v3),
        WITH(test_identifiers_wrap, v3),
        WITH(test_subscribe, v3),
        WITH(test_subscribe, v5),
        WITH(test_partial_writes, v3),
        WITH(test_resume_after_any_byte, v3),
        WITH(test_answer_before_the_question, v3),
        WITH(test_lost_ids_are_not_reused, v5),
        WITH(test_long_mixed_story, v5),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
