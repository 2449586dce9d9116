/* The broker stands still, dies, comes back: zones end on time, the node comes back. */
#include "garden.h"
#include <signal.h>
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

static void check_zone_ends(uint32_t ms)
{
    const uint32_t on_ms = test_wait_off(&garden, test_chip_changed_us(&garden));

    print_message("%u ms of water took %u ms\n", ms, on_ms);
    assert_in_range(on_ms, ms - 500, ms + 300);
}

/* Everything is sent, nothing is answered. The loop goes on, the keep alive ends the wait, and once
 * the broker moves again the node is back. */
static void broker_that_stands_still(void **state)
{
    (void)state;
    test_say(&garden, "zone/on", "2 3");
    assert_true(test_wait_pins(&garden, PIN(2), TEST_WAIT_MS));
    test_signal(&garden.broker, SIGSTOP);
    check_zone_ends(3000);
    test_signal(&garden.node, SIGUSR1);
    assert_true(test_wait_for(&garden.node, "report: {", 1, 1000));
    test_expect_at(&garden.node, "next attempt in", 1, 60000, __FILE__, __LINE__);
    test_expect_at(&garden.node, "next attempt in", 2, 60000, __FILE__, __LINE__);
    const size_t from = garden.messages_len;
    test_signal(&garden.broker, SIGCONT);
    test_hear_at(&garden, from, "availability", "online", 90000, __FILE__, __LINE__);
}

static void broker_that_dies_and_comes_back(void **state)
{
    (void)state;
    test_say(&garden, "zone/on", "5 4");
    assert_true(test_wait_pins(&garden, PIN(5), TEST_WAIT_MS));
    test_signal(&garden.broker, SIGKILL);
    (void)test_wait_exit(&garden.broker, TEST_WAIT_MS);
    test_expect(&garden.node, "the connection to the broker ended", 1);
    test_expect(&garden.node, "cannot reach the broker", 1);
    check_zone_ends(4000);
    const size_t from = garden.messages_len;
    test_garden_start_broker(&garden);
    test_hear(&garden, from, "availability", "online");
    test_hear(&garden, from, "zone/5/state", "OFF");
    test_say(&garden, "zone/on", "1 30");
    assert_true(test_wait_pins(&garden, PIN(1), TEST_WAIT_MS));
}

/* A command of the time when nobody listened is not carried out later. */
static void missed_command_stays_missed(void **state)
{
    (void)state;
    test_signal(&garden.node, SIGKILL);
    (void)test_wait_exit(&garden.node, TEST_WAIT_MS);
    test_say(&garden, "zone/on", "2 120");
    test_listen(&garden, 300);
    const size_t from = garden.messages_len;
    test_garden_start_node(&garden, NULL);
    test_hear(&garden, from, "availability", "online");
    test_listen(&garden, 700);
    assert_int_equal(test_pins(&garden), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(broker_that_stands_still),
        TEST(broker_that_dies_and_comes_back),
        TEST(missed_command_stays_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
