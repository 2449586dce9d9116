/* The chip and its wires in trouble. Whatever happens: no relay is on that was not asked for, and
 * none stays on past its deadline plus 300 ms. */
#include "garden.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define PIN(zone) (uint8_t)(1u << (zone))
#define LATE_MS   300

static struct test_garden garden;

static int set_up(void **state)
{
    static const char *const short_lease[] = {"--lease", "2", NULL};

    (void)state;
    test_garden_make(&garden, NULL);
    test_garden_start_broker(&garden);
    test_garden_start_chip(&garden);
    test_garden_connect(&garden);
    test_garden_start_node(&garden, short_lease);
    test_hear(&garden, 0, "availability", "online");
    test_expect(&garden.node, "the relay chip answers", 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_garden_close(&garden);
    return 0;
}

/* Look at the pins for ms: never another relay than allowed. */
static void watch(uint8_t allowed, uint32_t ms)
{
    const uint64_t end = test_now_ms() + ms;

    while (test_now_ms() < end) {
        const uint8_t pins = test_pins(&garden);
        if ((pins & ~allowed) != 0)
            fail_msg("pins 0x%02X, but only 0x%02X were asked for", pins, allowed);
        test_listen(&garden, 5);
    }
}

/* A zone for 3 s under this fault: it comes on, and ends in time. */
static void check_zone_under(const char *fault)
{
    if (fault)
        (void)test_chip(&garden, fault);
    const uint64_t start_us = test_chip_now_us(&garden);
    test_say(&garden, "zone/on", "2 3");
    assert_true(test_wait_pins(&garden, PIN(2), TEST_WAIT_MS));
    const uint64_t on_us = test_chip_changed_us(&garden);
    watch(PIN(2), 3500);
    const uint32_t on_ms = test_wait_off(&garden, on_us);
    print_message("on after %u ms, for %u ms\n", (unsigned)((on_us - start_us) / 1000), on_ms);
    assert_in_range(on_ms, 2000, 3000 + LATE_MS);
    watch(0, 500);
}

/* After this fault every zone is off within ms and stays off, until a new command. */
static void check_all_off_after(const char *fault, const char *mend, uint32_t ms)
{
    test_say(&garden, "zone/on", "2 120");
    assert_true(test_wait_pins(&garden, PIN(2), TEST_WAIT_MS));
    test_hear(&garden, 0, "zone/2/state", "ON");
    const size_t from = garden.messages_len;
    const uint64_t start_us = test_chip_now_us(&garden);
    (void)test_chip(&garden, fault);
    assert_in_range(test_wait_off(&garden, start_us), 0, ms);
    test_listen(&garden, 300);
    if (mend)
        (void)test_chip(&garden, mend);
    watch(0, 2000);
    test_hear(&garden, from, "zone/2/state", "OFF");
    test_say(&garden, "zone/on", "3 60");
    assert_true(test_wait_pins(&garden, PIN(3), TEST_WAIT_MS));
}

static void check_reset_cause(const char *cause)
{
    const size_t from = garden.messages_len;

    test_say(&garden, "zone/status", "");
    test_hear(&garden, from, "report", cause);
}

static void zone_without_faults(void **state)
{
    (void)state;
    check_zone_under(NULL);
}

static void bit_errors(void **state)
{
    (void)state;
    check_zone_under("bit-errors 0.001");
}

static void lost_frames(void **state)
{
    (void)state;
    check_zone_under("frame-loss 0.5");
}

static void slow_oscillator(void **state)
{
    (void)state;
    check_zone_under("oscillator -10");
}

static void fast_oscillator(void **state)
{
    (void)state;
    check_zone_under("oscillator 10");
}

/* The wires are cut while the zone is on: the lease ends it, and joining does not bring it back. */
static void cut_link(void **state)
{
    (void)state;
    check_all_off_after("cut", "join", 2000 + LATE_MS);
    assert_true(test_count(&garden.node, "the relay chip does not answer") >= 1);
}

static void command_while_cut_is_refused(void **state)
{
    (void)state;
    (void)test_chip(&garden, "cut");
    test_expect(&garden.node, "the relay chip does not answer", 1);
    const size_t from = garden.messages_len;
    test_say(&garden, "zone/on", "2 120");
    test_hear(&garden, from, "refused", "the relay chip does not answer");
    (void)test_chip(&garden, "join");
    test_expect(&garden.node, "the relay chip answers", 2);
    watch(0, 500);
}

static void hung_chip(void **state)
{
    (void)state;
    check_all_off_after("hang", NULL, 1000);
    check_reset_cause("\"reset\":[\"watchdog\"]");
}

static void reset_chip(void **state)
{
    (void)state;
    check_all_off_after("reset", NULL, 200);
    check_reset_cause("\"reset\":[\"external\"]");
}

static void brown_out(void **state)
{
    (void)state;
    check_all_off_after("brown-out", NULL, 200);
    check_reset_cause("\"reset\":[\"brown-out\"]");
}

static void power_cut(void **state)
{
    (void)state;
    check_all_off_after("power off", "power on", 200);
    check_reset_cause("\"reset\":[\"power-on\"");
}

/* 'done' is said of a pin that was read back, and of no other. */
static void relay_that_does_not_follow_is_told(void **state)
{
    const size_t from = garden.messages_len;

    (void)state;
    (void)test_chip(&garden, "stuck 2 high");
    test_ask(&garden, "zone/on", "2 60", "stuck");
    test_hear(&garden, from, "answer/operator", "\"result\":\"unconfirmed\"");
    test_expect(&garden.node, "the pins did not follow", 1);
    assert_int_equal(test_heard(&garden, from, "answer/operator", "\"result\":\"done\""), 0);
    assert_int_equal(test_heard(&garden, from, "zone/2/state", "ON"), 0);
    (void)test_chip(&garden, "free 2");
    test_ask(&garden, "zone/on", "2 60", "free");
    test_hear(&garden, from, "answer/operator", "\"result\":\"done\"");
    assert_int_equal(test_pins(&garden), PIN(2));
}

/* The program behind the socket dies and comes back: a chip after power-on. */
static void chip_program_comes_back(void **state)
{
    (void)state;
    test_say(&garden, "zone/on", "2 120");
    assert_true(test_wait_pins(&garden, PIN(2), TEST_WAIT_MS));
    (void)test_chip(&garden, "quit");
    (void)test_wait_exit(&garden.chip, TEST_WAIT_MS);
    test_expect(&garden.node, "[chip-away]", 1);
    test_expect(&garden.node, "the relay chip does not answer", 1);
    test_garden_start_chip(&garden);
    test_expect(&garden.node, "is there", 1);
    test_expect(&garden.node, "the relay chip answers", 2);
    watch(0, 500);
    test_say(&garden, "zone/on", "3 60");
    assert_true(test_wait_pins(&garden, PIN(3), TEST_WAIT_MS));
}

/* ... stands still, and finds none of the orders of that time when it goes on. */
static void chip_program_stands_still(void **state)
{
    (void)state;
    test_say(&garden, "zone/on", "2 120");
    assert_true(test_wait_pins(&garden, PIN(2), TEST_WAIT_MS));
    test_signal(&garden.chip, SIGSTOP);
    test_expect(&garden.node, "the relay chip does not answer", 1);
    test_say(&garden, "zone/on", "4 60");
    test_expect(&garden.node, "refused a command", 1);
    test_listen(&garden, 3000); /* longer than the lease */
    test_signal(&garden.chip, SIGCONT);
    test_expect(&garden.node, "the relay chip answers", 2);
    watch(0, 500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(zone_without_faults),
        TEST(bit_errors),
        TEST(lost_frames),
        TEST(slow_oscillator),
        TEST(fast_oscillator),
        TEST(cut_link),
        TEST(command_while_cut_is_refused),
        TEST(hung_chip),
        TEST(reset_chip),
        TEST(brown_out),
        TEST(power_cut),
        TEST(relay_that_does_not_follow_is_told),
        TEST(chip_program_comes_back),
        TEST(chip_program_stands_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
