/* The whole path with the node on the virtual ESP8266: Mosquitto, sluice-board, sluice-chip with
 * its firmware. */
#include "garden.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define PIN(zone) (uint8_t)(1u << (zone))
#define DAY_MS    86400000u

static struct test_garden garden;

static int set_up(void **state)
{
    (void)state;
    test_garden_make(&garden, NULL);
    garden.node_program = SL_BOARD_PROGRAM;
    test_garden_start_broker(&garden);
    test_garden_start_chip(&garden);
    test_garden_connect(&garden);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_garden_close(&garden);
    return 0;
}

/* extra: NAME=VALUE for the board's program. */
static size_t start_node(const char *elf, const char *first, const char *second)
{
    const char *args[] = {"--elf", elf,    "--state", garden.place.folder, "--set", first,
                          "--set", second, NULL};
    const size_t from = garden.messages_len;

    if (!first)
        args[4] = NULL;
    test_garden_start_node(&garden, args);
    test_hear(&garden, from, "availability", "online");
    test_hear(&garden, from, "report", "\"link\":\"up\"");
    return from;
}

static void stop_node(void)
{
    const size_t from = garden.messages_len;

    test_stop(&garden.node);
    test_hear_at(&garden, from, "availability", "offline", 60000, __FILE__, __LINE__);
}

static void command_is_answered_after_read_back(void **state)
{
    (void)state;
    size_t from = start_node(SL_BOARD_ELF, NULL, NULL);
    test_ask(&garden, "zone/on", "2 120", "a-board");
    test_hear(&garden, from, "answer/operator", "done");
    assert_int_equal(test_pins(&garden), PIN(2));
    test_hear(&garden, from, "zone/2/state", "ON");
    from = garden.messages_len;
    test_ask(&garden, "zone/on", "9 10", "no-zone");
    test_hear(&garden, from, "answer/operator", "refused");
    test_say(&garden, "zone/off", "all");
    assert_true(test_wait_pins(&garden, 0, TEST_WAIT_MS));
    test_say(&garden, "zone/status", "");
    test_hear(&garden, from, "report", "\"stack_max\":");
}

static void broker_dies_and_comes_back(void **state)
{
    (void)state;
    test_say(&garden, "zone/on", "5 3");
    assert_true(test_wait_pins(&garden, PIN(5), TEST_WAIT_MS));
    test_signal(&garden.broker, SIGKILL);
    (void)test_wait_exit(&garden.broker, TEST_WAIT_MS);
    test_expect(&garden.node, "cannot reach the broker", 1);
    assert_in_range(test_wait_off(&garden, test_chip_changed_us(&garden)), 2500, 3300);
    const size_t from = garden.messages_len;
    test_garden_start_broker(&garden);
    test_hear_at(&garden, from, "availability", "online", 60000, __FILE__, __LINE__);
    stop_node();
}

/* The clock wraps 4 s after the start, in the middle of a watering. */
static void clock_wraps(void **state)
{
    (void)state;
    start_node(SL_BOARD_ELF, "now=4294963296", "x=y");
    test_say(&garden, "zone/on", "3 5");
    assert_true(test_wait_pins(&garden, PIN(3), TEST_WAIT_MS));
    assert_in_range(test_wait_off(&garden, test_chip_changed_us(&garden)), 4500, 5300);
    const size_t from = garden.messages_len;
    test_ask(&garden, "zone/on", "4 1", "after");
    test_hear(&garden, from, "answer/operator", "done");
    assert_int_equal(test_count(&garden.node, "connected"), 1);
    stop_node();
}

/* From the fault to the next start, as the log's times tell: both lines are there before anybody
 * has to look. */
static unsigned restart_ms(void)
{
    FILE *log = fopen(garden.node.output.text, "r");
    char line[400];
    unsigned fault = 0, start = 0, hours, minutes, seconds, ms;

    assert_non_null(log);
    while (fgets(line, sizeof line, log)) {
        if (sscanf(line, "%*4u-%*2u-%*2uT%2u:%2u:%2u.%3uZ", &hours, &minutes, &seconds, &ms) != 4)
            continue;
        const unsigned at = ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
        if (strstr(line, "fault: "))
            fault = at;
        if (strstr(line, " on lx106"))
            start = at;
    }
    fclose(log);
    return (start + DAY_MS - fault) % DAY_MS;
}

/* A fault says what and where; the board starts again within a second, the watering goes on, and
 * the TLS session from before is resumed. */
static void fault_restarts_the_board(void **state)
{
    (void)state;
    size_t from = start_node(SL_FAULTY_ELF, "fault=illegal", "x=y");
    test_say(&garden, "zone/on", "6 60");
    assert_true(test_wait_pins(&garden, PIN(6), TEST_WAIT_MS));
    test_expect(&garden.node, "fault: illegal instruction (cause 0) at 0x402", 1);
    test_expect(&garden.node, "sluice 0.1.0 on lx106", 2);
    assert_in_range(restart_ms(), 0, 999);
    from = garden.messages_len;
    test_hear_at(&garden, from, "report", "\"connects\":1", 30000, __FILE__, __LINE__);
    assert_int_equal(test_pins(&garden), PIN(6));
    test_say(&garden, "zone/status", "");
    test_hear(&garden, from, "report", "\"tls\":\"resumed\"");
    test_hear(&garden, from, "report", "{\"zone\":6,\"state\":\"ON\"");
    test_say(&garden, "zone/off", "all");
    assert_true(test_wait_pins(&garden, 0, TEST_WAIT_MS));
    stop_node();
}

static void full_stack_restarts_the_board(void **state)
{
    (void)state;
    (void)start_node(SL_FAULTY_ELF, "fault=stack", "x=y");
    test_say(&garden, "zone/on", "6 2");
    test_expect(&garden.node, "fault: the stack has reached its limit (cause ", 1);
    test_expect(&garden.node, "sluice 0.1.0 on lx106", 2);
    assert_in_range(restart_ms(), 0, 999);
    test_expect(&garden.node, "connected", 2);
    stop_node();
}

/* The same flash with another identity: the session and what was known of the broker are not used.
 */
static void another_identity_starts_anew(void **state)
{
    (void)state;
    const struct test_path site = test_place_path(&garden.place, "site");
    const char *const replace[] = {"--site", site.text,    "node",      "add", "garden",
                                   "--base", "irrigation", "--replace", NULL};

    (void)start_node(SL_BOARD_ELF, NULL, NULL);
    stop_node();
    (void)start_node(SL_BOARD_ELF, NULL, NULL);
    test_expect(&garden.node, "connected: MQTT protocol level 5", 1);
    assert_int_equal(test_count(&garden.node, "full TLS handshake"), 0);
    stop_node();
    (void)test_run(&garden.place, "replace", SL_SLUICE, replace);
    (void)start_node(SL_BOARD_ELF, NULL, NULL);
    test_expect(&garden.node, "connected: MQTT protocol level 5, full TLS handshake", 1);
    assert_int_equal(test_count(&garden.node, "connected: "), 1);
    stop_node();
}

/* Every tenth frame is lost on its way in and out, as many come twice, as many too late. TCP may
 * need longer than the node waits, and then a command is lost with its connection: as an operator
 * would, we say it again. */
static void segments_are_lost_doubled_and_overtaken(void **state)
{
    (void)state;
    (void)start_node(SL_FAULTY_ELF, "noise=10", "x=y");
    for (int i = 0; i < 5; i++) {
        const uint8_t wanted = i % 2 == 0 ? PIN(1) : 0;
        bool is_done = false;
        for (int said = 0; said < 8 && !is_done; said++) {
            test_ask(&garden, "zone/on", wanted ? "1 60" : "1 0", "noisy");
            is_done = test_wait_pins(&garden, wanted, 10000);
        }
        assert_true(is_done);
    }
    assert_int_equal(test_count(&garden.node, "fault"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_is_answered_after_read_back),
        cmocka_unit_test(broker_dies_and_comes_back),
        cmocka_unit_test(clock_wraps),
        cmocka_unit_test(fault_restarts_the_board),
        cmocka_unit_test(full_stack_restarts_the_board),
        cmocka_unit_test(another_identity_starts_anew),
        cmocka_unit_test(segments_are_lost_doubled_and_overtaken),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
