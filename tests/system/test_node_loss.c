/* The node ends, is killed, comes back: what the chip does, and what the broker says. */
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

static void sigterm_closes_the_valves_and_says_offline(void **state)
{
    (void)state;
    test_say(&garden, "zone/on", "2 120");
    assert_true(test_wait_pins(&garden, PIN(2), TEST_WAIT_MS));
    const size_t from = garden.messages_len;
    test_signal(&garden.node, SIGTERM);
    assert_int_equal(test_wait_exit(&garden.node, 4000), 0);
    assert_int_equal(test_pins(&garden), 0);
    test_hear(&garden, from, "availability", "offline");
    test_hear(&garden, from, "zone/2/state", "OFF");
    assert_int_equal(test_count(&garden.node, "stopped: every zone is off"), 1);
}

static void killed_node_leaves_the_chip_to_finish(void **state)
{
    (void)state;
    test_say(&garden, "zone/on", "4 4");
    assert_true(test_wait_pins(&garden, PIN(4), TEST_WAIT_MS));
    const uint64_t start_us = test_chip_changed_us(&garden);
    const size_t from = garden.messages_len;
    test_signal(&garden.node, SIGKILL);
    test_hear(&garden, from, "availability", "offline"); /* the will */
    const uint32_t on_ms = test_wait_off(&garden, start_us);
    print_message("4 s of water without a node took %u ms\n", on_ms);
    /* The chip counts 1/8 fast, so that its oscillator may be slow: docs/spec/spi-link.md. */
    assert_in_range(on_ms, 3000, 4000 + 300);
}

static void restarted_node_reads_the_remaining_time_back(void **state)
{
    (void)state;
    test_say(&garden, "zone/on", "3 8");
    assert_true(test_wait_pins(&garden, PIN(3), TEST_WAIT_MS));
    const uint64_t start_us = test_chip_changed_us(&garden);
    test_listen(&garden, 1000);
    test_signal(&garden.node, SIGKILL);
    (void)test_wait_exit(&garden.node, TEST_WAIT_MS);
    const size_t from = garden.messages_len;
    test_garden_start_node(&garden, NULL);
    test_hear(&garden, from, "availability", "online");
    test_hear(&garden, from, "zone/3/state", "ON");
    test_say(&garden, "zone/status", "");
    test_hear(&garden, from, "report", "{\"zone\":3,\"state\":\"ON\",\"remaining_s\":");
    assert_int_equal(test_pins(&garden), PIN(3));
    const uint32_t on_ms = test_wait_off(&garden, start_us);
    print_message("8 s of water over a restart took %u ms\n", on_ms);
    assert_in_range(on_ms, 6000, 8000 + 300); /* never longer; the 1/8 while nobody ordered */
    test_hear(&garden, from, "zone/3/state", "OFF");
}

/* A node that stands still is no node: the lease ends, everything closes. */
static void stopped_node_loses_its_lease(void **state)
{
    const char *const short_lease[] = {"--lease", "2", NULL};

    (void)state;
    test_stop(&garden.node);
    const size_t from = garden.messages_len;
    test_garden_start_node(&garden, short_lease);
    test_hear(&garden, from, "availability", "online");
    test_expect(&garden.node, "the relay chip answers", 1);
    test_say(&garden, "zone/on", "6 60");
    assert_true(test_wait_pins(&garden, PIN(6), TEST_WAIT_MS));
    const uint64_t start_us = test_chip_now_us(&garden);
    test_signal(&garden.node, SIGSTOP);
    const uint32_t lease_ms = test_wait_off(&garden, start_us);
    print_message("a lease of 2 s ended after %u ms\n", lease_ms);
    assert_in_range(lease_ms, 1000, 2000 + 300);
    test_signal(&garden.node, SIGCONT);
    test_listen(&garden, 2000);
    assert_int_equal(test_pins(&garden), 0); /* what the chip ended stays ended */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sigterm_closes_the_valves_and_says_offline),
        TEST(killed_node_leaves_the_chip_to_finish),
        TEST(restarted_node_reads_the_remaining_time_back),
        TEST(stopped_node_loses_its_lease),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
