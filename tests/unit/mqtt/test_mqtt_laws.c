/* The laws of every engine, on every vector: any way of cutting the input gives the same events and
 * the same bytes out; extra ticks change nothing; a clock just below its wrap behaves the same;
 * nothing comes after a failure. And deterministic mutations of valid streams: no crash, and the
 * contract is kept. */
#include "vectors.h"

typedef void (*feeder)(struct fixture *f, const struct vector *vector, size_t parameter);

/* Gives 1 when it went another way than the vector says. */
static unsigned run(const struct vector *vector, sl_ms now, feeder feed, size_t parameter)
{
    bool is_right;
    struct fixture f;
    vector_setup(&f, vector, now);
    feed(&f, vector, parameter);
    is_right = strcmp(f.events.at, vector->events) == 0 && strcmp(f.wire.at, vector->wire) == 0;
    if (!is_right)
        print_error("'%s' (cut %zu): events '%s', not '%s'; wire '%s', not '%s'\n", vector->name,
                    parameter, f.events.at, vector->events, f.wire.at, vector->wire);
    fixture_free(&f);
    return is_right ? 0 : 1;
}

/* Run a feeder with parameters 0..last(vector) on every vector. */
static void run_all(feeder feed, sl_ms now, size_t (*last)(const struct vector *vector))
{
    struct vector vector;
    unsigned count = 0;
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof vector_files / sizeof vector_files[0]; i++) {
        FILE *file = fopen(vector_files[i], "r");
        assert_non_null(file);
        for (; vector_read(file, &vector); count++) {
            for (size_t parameter = 0; parameter <= last(&vector); parameter++)
                wrong += run(&vector, now, feed, parameter);
        }
        fclose(file);
    }
    assert_int_equal(wrong, 0);
    assert_true(count > 200);
}

static size_t last_none(const struct vector *vector)
{
    (void)vector;
    return 0;
}

static size_t last_byte(const struct vector *vector)
{
    return vector->len;
}

static size_t last_pattern(const struct vector *vector)
{
    return vector->len <= 10 ? ((size_t)1 << vector->len) - 1 : 0;
}

static void feed_whole(struct fixture *f, const struct vector *vector, size_t parameter)
{
    (void)parameter;
    serve(f, vector->bytes, vector->len);
}

static void feed_bytewise(struct fixture *f, const struct vector *vector, size_t parameter)
{
    (void)parameter;
    for (size_t i = 0; i < vector->len; i++)
        serve(f, vector->bytes + i, 1);
}

static void feed_two_parts(struct fixture *f, const struct vector *vector, size_t cut)
{
    serve(f, vector->bytes, cut);
    serve(f, vector->bytes + cut, vector->len - cut);
}

/* Cut before byte i wherever bit i is set; only short vectors are cut. */
static void feed_pattern(struct fixture *f, const struct vector *vector, size_t pattern)
{
    size_t start = 0;
    for (size_t i = 1; i <= vector->len; i++) {
        if (i < vector->len && (i > 10 || !(pattern >> i & 1)))
            continue;
        serve(f, vector->bytes + start, i - start);
        start = i;
    }
}

static void feed_with_ticks(struct fixture *f, const struct vector *vector, size_t parameter)
{
    (void)parameter;
    for (size_t i = 0; i < vector->len; i++) {
        sl_mqtt_tick(&f->mqtt, f->now);
        pull(f);
        sl_mqtt_tick(&f->mqtt, ++f->now);
        serve(f, vector->bytes + i, 1);
    }
    sl_mqtt_tick(&f->mqtt, f->now);
    pull(f);
    flush(f, 1);
}

/* After the vector, whatever may come: a failed or ended session gives and sends nothing more. */
static void feed_and_go_on(struct fixture *f, const struct vector *vector, size_t parameter)
{
    static const uint8_t more[] = {0x30, 0x05, 0x00, 0x01, 'a', 0x00, 'b', 0xE0, 0x00, 0x00};
    uint16_t id;
    (void)parameter;
    serve(f, vector->bytes, vector->len);
    if (sl_mqtt_status(&f->mqtt) == SL_OK)
        return;
    assert_int_equal(sl_mqtt_feed(&f->mqtt, f->now, more, sizeof more), 0);
    assert_int_equal(publish(f, 0, "a", "b", &id), SL_BAD_STATE);
    sl_ms due;
    assert_false(sl_mqtt_deadline(&f->mqtt, f->now, &due));
    sl_mqtt_tick(&f->mqtt, f->now + 100000);
    sl_mqtt_disconnect(&f->mqtt, f->now, 0);
    pull(f);
    flush(f, SIZE_MAX);
}

static void test_vectors_whole(void **state)
{
    (void)state;
    run_all(feed_whole, 1000, last_none);
}

static void test_vectors_bytewise(void **state)
{
    (void)state;
    run_all(feed_bytewise, 1000, last_none);
}

static void test_vectors_in_two_parts(void **state)
{
    (void)state;
    run_all(feed_two_parts, 1000, last_byte);
}

static void test_vectors_in_every_way(void **state)
{
    (void)state;
    run_all(feed_pattern, 1000, last_pattern);
}

static void test_vectors_with_ticks(void **state)
{
    (void)state;
    run_all(feed_with_ticks, 1000, last_none);
}

static void test_vectors_over_the_wrap(void **state)
{
    (void)state;
    for (sl_ms below = 0; below <= 60; below += 5)
        run_all(feed_with_ticks, UINT32_MAX - below, last_none);
}

static void test_nothing_after_the_end(void **state)
{
    (void)state;
    run_all(feed_and_go_on, 1000, last_none);
}

static unsigned said[16];

static void feed_and_count(struct fixture *f, const struct vector *vector, size_t parameter)
{
    (void)parameter;
    serve(f, vector->bytes, vector->len);
    for (size_t type = 0; type < 16; type++)
        said[type] += f->legal.seen[type];
}

/* legal.h reads along with every test; here, that it has read every kind of packet, and a will and
 * a message with all that they can carry. */
static void test_everything_said_is_legal(void **state)
{
    static const uint8_t of_a_client[] = {1, 3, 4, 5, 6, 7, 8, 10, 12, 14};
    (void)state;
    memset(said, 0, sizeof said);
    run_all(feed_and_count, 1000, last_none);
    for (size_t i = 0; i < sizeof of_a_client; i++)
        assert_true(said[of_a_client[i]] > 0);
    for (enum sl_mqtt_version version = SL_MQTT_V3; version <= SL_MQTT_V5; version++) {
        struct fixture f;
        struct sl_mqtt_message message = {
            .topic = sl_view_text("\xC3\xA4/\xE2\x82\xAC/\xF0\x9F\x98\x80"),
            .payload = sl_view_text("p"),
            .retain = true,
            .has_expiry = true,
            .expiry_s = 60,
            .is_text = true,
            .response_topic = sl_view_text("r"),
            .correlation = sl_view_text("k"),
            .content_type = sl_view_text("t"),
        };
        uint16_t id;
        fixture_init(&f, version, 1000);
        f.config.will = message;
        open_plain(&f);
        for (message.qos = 0; message.qos <= 2; message.qos++)
            assert_int_equal(sl_mqtt_publish(&f.mqtt, f.now, &message, &id), SL_OK);
        flush(&f, 3);
        assert_int_equal(f.legal.seen[SL_MQTT_PUBLISH], 3);
        fixture_free(&f);
    }
}

/* xorshift32: the same mutations on every run. */
static uint32_t random_state;

static uint32_t next_random(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % below;
}

static void mutate(struct vector *vector)
{
    uint32_t times = 1 + next_random(3);
    while (times-- > 0 && vector->len > 0) {
        size_t at = next_random((uint32_t)vector->len);
        switch (next_random(5)) {
        case 0:
            vector->bytes[at] ^= (uint8_t)(1U << next_random(8));
            break;
        case 1:
            vector->bytes[at] = (uint8_t)next_random(256);
            break;
        case 2: /* take a byte out */
            memmove(vector->bytes + at, vector->bytes + at + 1, vector->len - at - 1);
            vector->len--;
            break;
        case 3: /* put one in */
            if (vector->len == sizeof vector->bytes)
                break;
            memmove(vector->bytes + at + 1, vector->bytes + at, vector->len - at);
            vector->bytes[at] = (uint8_t)next_random(256);
            vector->len++;
            break;
        default: /* say it twice */
            if (vector->len * 2 > sizeof vector->bytes)
                break;
            memcpy(vector->bytes + vector->len, vector->bytes, vector->len);
            vector->len *= 2;
            break;
        }
    }
}

/* What must hold whatever came: at most one end, and last; the status goes with it; no message that
 * breaks a rule gets out. */
static void check_contract(struct fixture *f)
{
    unsigned ends = 0;
    struct sl_mqtt_event event;
    for (unsigned i = 0; i < 4; i++) {
        while (sl_mqtt_next(&f->mqtt, f->now, &event))
            fail_msg("an event after the last one");
    }
    const char *at = f->events.at;
    const char *last = at;
    for (; (at = strstr(at, "failed ")) != NULL; last = at++)
        ends++;
    assert_true(ends <= 1);
    if (ends == 1)
        assert_int_equal(strlen(last), strlen("failed 81"));
    bool is_over =
        ends == 1 || strstr(f->events.at, "dropped ") || strstr(f->events.at, "refused ");
    assert_int_equal(is_over, sl_mqtt_status(&f->mqtt) != SL_OK);
    assert_true(f->mqtt.received_used <= RECEIVED_LEN);
    assert_true(f->mqtt.flights_used <= FLIGHTS_LEN);
    assert_true(f->mqtt.out_sent <= f->mqtt.out_used && f->mqtt.out_used <= OUT_LEN);
}

static void test_mutations(void **state)
{
    static struct vector vectors[400];
    size_t count = 0;
    (void)state;
    for (size_t i = 0; i < sizeof vector_files / sizeof vector_files[0]; i++) {
        FILE *file = fopen(vector_files[i], "r");
        assert_non_null(file);
        while (count < 400 && vector_read(file, &vectors[count]))
            count++;
        fclose(file);
    }
    random_state = 0x51C1CE;
    for (unsigned i = 0; i < 20000; i++) {
        struct vector vector = vectors[i % count];
        struct fixture whole, bytewise;
        mutate(&vector);
        vector_setup(&whole, &vector, 5);
        vector_setup(&bytewise, &vector, 5);
        serve(&whole, vector.bytes, vector.len);
        feed_bytewise(&bytewise, &vector, 0);
        check_contract(&whole);
        check_contract(&bytewise);
        assert_string_equal(whole.events.at, bytewise.events.at);
        assert_string_equal(whole.wire.at, bytewise.wire.at);
        fixture_free(&whole);
        fixture_free(&bytewise);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_whole),
        cmocka_unit_test(test_vectors_bytewise),
        cmocka_unit_test(test_vectors_in_two_parts),
        cmocka_unit_test(test_vectors_in_every_way),
        cmocka_unit_test(test_vectors_with_ticks),
        cmocka_unit_test(test_vectors_over_the_wrap),
        cmocka_unit_test(test_nothing_after_the_end),
        cmocka_unit_test(test_everything_said_is_legal),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
