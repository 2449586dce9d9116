/* From a message to a pin and back, and what becomes of messages that are none. Real Mosquitto,
 * real node, the chip's real firmware. */
#include "garden.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIN(zone) (uint8_t)(1u << (zone))

static struct test_garden garden;

static int set_up(void **state)
{
    (void)state;
    test_garden_open(&garden);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_garden_close(&garden);
    return 0;
}

static int all_off(void **state)
{
    (void)state;
    test_say(&garden, "zone/off", "all");
    assert_true(test_wait_pins(&garden, 0, TEST_WAIT_MS));
    test_listen(&garden, 100); /* the states of this end do not belong to the next test */
    return 0;
}

static void message_reaches_the_pin_and_comes_back(void **state)
{
    const size_t from = garden.messages_len;

    (void)state;
    test_say(&garden, "zone/on", "2 120");
    assert_true(test_wait_pins(&garden, PIN(2), TEST_WAIT_MS));
    const size_t at = test_hear(&garden, from, "zone/2/state", "ON");
    assert_false(garden.messages[at].is_retained);
    test_say(&garden, "zone/status", "");
    test_hear(&garden, from, "report", "{\"zone\":2,\"state\":\"ON\",\"remaining_s\":1");
    assert_int_equal(test_heard(&garden, from, "refused", ""), 0);
    test_say(&garden, "zone/off", "2");
    assert_true(test_wait_pins(&garden, 0, TEST_WAIT_MS));
    test_hear(&garden, from, "zone/2/state", "OFF");
}

static void answer_comes_after_the_pin_was_read_back(void **state)
{
    const size_t from = garden.messages_len;

    (void)state;
    test_ask(&garden, "zone/on", "5 60", "c0ffee");
    test_hear(&garden, from, "answer/operator", "\"result\":\"done\"");
    assert_int_equal(test_pins(&garden), PIN(5)); /* at once, not after a while */
}

/* Between the order and the read-back as much time as a test can want: the chip stands still. */
static void nothing_is_done_that_was_not_read_back(void **state)
{
    const unsigned answered = test_count(&garden.node, "the relay chip answers");
    const size_t from = garden.messages_len;

    (void)state;
    test_signal(&garden.chip, SIGSTOP);
    test_ask(&garden, "zone/on", "5 60", "unread");
    const size_t at = test_hear(&garden, from, "answer/operator", "");
    test_signal(&garden.chip, SIGCONT);
    assert_null(strstr(garden.messages[at].payload, "\"result\":\"done\""));
    test_expect(&garden.node, "the relay chip answers", answered + 1);
}

static void every_command_does_what_it_says(void **state)
{
    static const struct {
        const char *topic, *payload;
        uint8_t pins;
    } steps[] = {
        {"zone/on", "0 60", PIN(0)},  {"zone/on", "7 60", PIN(7)}, /* one at a time */
        {"zone/on", "7 0", 0},        {"zone/3/set", "ON", PIN(3)}, {"zone/3/set", "OFF", 0},
        {"zone/4/set", "90", PIN(4)}, {"zone/off", "", 0},          {"zone/6/set", "30", PIN(6)},
        {"zone/off", "all", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        test_say(&garden, steps[i].topic, steps[i].payload);
        if (!test_wait_pins(&garden, steps[i].pins, 5000))
            fail_msg("%s '%s': the pins are 0x%02X, not 0x%02X", steps[i].topic, steps[i].payload,
                     test_pins(&garden), steps[i].pins);
    }
}

static void zone_ends_on_time(void **state)
{
    const size_t from = garden.messages_len;

    (void)state;
    test_say(&garden, "zone/on", "1 3");
    assert_true(test_wait_pins(&garden, PIN(1), TEST_WAIT_MS));
    const uint32_t on_ms = test_wait_off(&garden, test_chip_changed_us(&garden));
    print_message("3 s of water took %u ms\n", on_ms);
    assert_in_range(on_ms, 2500, 3000 + 300);
    test_hear(&garden, from, "zone/1/state", "OFF");
}

static const struct {
    const char *name, *topic;
    const char *payload;
    size_t len;
} bad[] = {
    {"zone 9", "zone/on", "9 60", 4},
    {"zone 8", "zone/on", "8 60", 4},
    {"a word", "zone/on", "two 120", 7},
    {"a negative time", "zone/on", "2 -5", 4},
    {"a huge time", "zone/on", "2 99999999999", 13},
    {"a wrapped time", "zone/on", "2 4294967416", 12},
    {"a wrapped zone", "zone/on", "258 60", 6},
    {"too long a time", "zone/on", "2 14401", 7},
    {"nothing", "zone/on", "", 0},
    {"no time", "zone/on", "2", 1},
    {"three numbers", "zone/on", "2 120 1", 7},
    {"binary", "zone/on", "\xFF\xFE\x00\x01\x80", 5},
    {"a number with NUL", "zone/on", "2 120\0", 6},
    {"hexadecimal", "zone/on", "0x2 120", 7},
    {"zone 9 off", "zone/off", "9", 1},
    {"a word off", "zone/off", "none", 4},
    {"set to a word", "zone/2/set", "on please", 9},
};
#define BAD (sizeof bad / sizeof bad[0])

static void bad_messages_switch_nothing_and_are_refused_in_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAD; i++) {
        const size_t from = garden.messages_len;
        test_say_bytes(&garden, bad[i].topic, bad[i].payload, bad[i].len, false);
        const size_t at = test_hear(&garden, from, "refused", bad[i].topic);
        const char *why = strstr(garden.messages[at].payload, "\"why\":\"");
        if (!why || strlen(why) < 20 || test_pins(&garden) != 0)
            fail_msg("%s: pins 0x%02X, %s", bad[i].name, test_pins(&garden),
                     garden.messages[at].payload);
    }
}

/* mosquitto_pub with the operator's certificate, as the original project's quick test has it. It
 * takes the operator's place at the broker for a moment: one certificate, one connection. */
static void run_mosquitto_pub(const char *option, const char *value)
{
    const struct test_path ca = test_place_path(&garden.place, "site/ca/certificate.pem");
    const struct test_path certificate =
        test_place_path(&garden.place, "site/operators/operator/certificate.pem");
    const struct test_path key = test_place_path(&garden.place, "site/operators/operator/key.pem");
    char port[8];
    const char *const args[] = {"-h",       "127.0.0.1", "-p",      port,
                                "--cafile", ca.text,     "--cert",  certificate.text,
                                "--key",    key.text,    "-V",      "mqttv311",
                                "-i",       "operator",  "--topic", "irrigation/zone/on",
                                option,     value,       NULL};

    snprintf(port, sizeof port, "%u", garden.port);
    (void)test_run(&garden.place, "mosquitto_pub", "mosquitto_pub", args);
}

static void quick_test_of_the_original_project_works(void **state)
{
    (void)state;
    run_mosquitto_pub("-m", "2 120");
    assert_true(test_wait_pins(&garden, PIN(2), TEST_WAIT_MS));
}

/* Larger than the node's packet memory; then larger than what the broker takes, so that the sender
 * is thrown out and the node is none the wiser. */
static void large_messages_switch_nothing(void **state)
{
    static const uint8_t zeros[4096];
    const struct test_path file = test_place_path(&garden.place, "zeros");
    const size_t from = garden.messages_len;

    (void)state;
    test_say_bytes(&garden, "zone/on", zeros, 4000, false);
    test_hear(&garden, from, "refused", "longer than any command");
    FILE *out = fopen(file.text, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(zeros, 1, sizeof zeros, out), sizeof zeros);
    fclose(out);
    run_mosquitto_pub("-f", file.text);
    test_listen(&garden, 200);
    assert_int_equal(test_pins(&garden), 0);
    test_say(&garden, "zone/on", "2 30");
    assert_true(test_wait_pins(&garden, PIN(2), TEST_WAIT_MS));
}

static void retained_command_is_not_carried_out(void **state)
{
    (void)state;
    test_stop(&garden.node);
    test_say_bytes(&garden, "zone/on", "2 120", 5, true);
    test_listen(&garden, 200);
    const size_t from = garden.messages_len;
    test_garden_start_node(&garden, NULL);
    test_hear(&garden, from, "availability", "online");
    /* Whether the broker holds it back on the node's wish or the node refuses it: no pin moves. */
    for (int i = 0; i < 50; i++) {
        assert_int_equal(test_pins(&garden), 0);
        test_listen(&garden, 20);
    }
    assert_int_equal(test_heard(&garden, from, "zone/2/state", "ON"), 0);
    test_say_bytes(&garden, "zone/on", "", 0, true);
    test_listen(&garden, 200);
}

/* Published while the node listens: a broker would clear the flag unless asked to keep it. */
static void live_retained_command_is_refused_in_words(void **state)
{
    (void)state;
    const size_t from = garden.messages_len;
    test_say_bytes(&garden, "zone/on", "2 120", 5, true);
    test_hear(&garden, from, "refused", "retained");
    assert_int_equal(test_pins(&garden), 0);
    assert_int_equal(test_heard(&garden, from, "zone/2/state", "ON"), 0);
    test_say_bytes(&garden, "zone/on", "", 0, true);
    test_listen(&garden, 200);
}

static void a_thousand_bad_messages_leave_no_trace(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3 * BAD; i++)
        test_say_bytes(&garden, bad[i % BAD].topic, bad[i % BAD].payload, bad[i % BAD].len, false);
    test_listen(&garden, 1000);
    const long before_kb = test_resident_kb(&garden.node);
    for (size_t i = 0; i < 1000; i++) {
        test_say_bytes(&garden, bad[i % BAD].topic, bad[i % BAD].payload, bad[i % BAD].len, false);
        if (i % 50 == 0)
            test_listen(&garden, 50); /* below the broker's queue limit */
    }
    const size_t from = garden.messages_len;
    test_ask(&garden, "zone/on", "5 30", "last");
    test_hear(&garden, from, "answer/operator", "");
    assert_int_equal(test_pins(&garden), PIN(5));
    const long after_kb = test_resident_kb(&garden.node);
    print_message("resident: %ld kB before, %ld kB after 1000 bad messages\n", before_kb, after_kb);
    assert_true(after_kb <= before_kb);
}

#define TEST(name) cmocka_unit_test_teardown(name, all_off)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(message_reaches_the_pin_and_comes_back),
        TEST(answer_comes_after_the_pin_was_read_back),
        TEST(nothing_is_done_that_was_not_read_back),
        TEST(every_command_does_what_it_says),
        TEST(zone_ends_on_time),
        TEST(bad_messages_switch_nothing_and_are_refused_in_words),
        TEST(quick_test_of_the_original_project_works),
        TEST(large_messages_switch_nothing),
        TEST(retained_command_is_not_carried_out),
        TEST(live_retained_command_is_refused_in_words),
        TEST(a_thousand_bad_messages_leave_no_trace),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
