/* The node and its network, with a broker that serves: names that do not resolve, IPv6, and how
 * little the loop turns while nothing happens. */
#include "garden.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* The look-up hangs for ever; the loop goes on, and the end does not wait for it. */
static void hanging_resolver_holds_nothing_up(void **state)
{
    struct test_place place;
    struct test_process broker, node;

    (void)state;
    test_place_make(&place);
    const struct test_path identity = test_place_path(&place, "identity");
    const char *const broker_args[] = {"--identity", identity.text, "--host", "broker.invalid",
                                       NULL};
    const char *const node_args[] = {"--identity", identity.text, "--chip", "no-chip", NULL};
    test_start(&broker, &place, "broker", SL_HOSTILE_BROKER, broker_args, NULL);
    test_expect(&broker, "port ", 1);

    test_start(&node, &place, "node", SL_NODE, node_args, "LD_PRELOAD=" SL_SLOW_NAMES);
    test_expect(&node, "started", 1);
    test_pause(500);
    test_signal(&node, SIGUSR1); /* answered while the look-up hangs */
    assert_true(test_wait_for(&node, "report: {", 1, 1000));
    test_expect(&node, "the resolver did not answer in time", 1);
    test_expect(&node, "cannot reach the broker", 1);
    test_expect(&node, "the resolver did not answer in time", 2); /* and again, in one thread */
    test_signal(&node, SIGTERM);
    assert_int_equal(test_wait_exit(&node, 4000), 0);
    test_stop(&broker);
    test_place_remove(&place);
}

/* An address literal is dialled although the resolver hangs. */
static void address_needs_no_resolver(void **state)
{
    struct test_place place;
    struct test_process broker, node;

    (void)state;
    test_place_make(&place);
    const struct test_path identity = test_place_path(&place, "identity");
    const char *const broker_args[] = {"--identity", identity.text, NULL};
    const char *const node_args[] = {"--identity", identity.text, "--chip", "no-chip", NULL};
    test_start(&broker, &place, "broker", SL_HOSTILE_BROKER, broker_args, NULL);
    test_expect(&broker, "port ", 1);
    test_start(&node, &place, "node", SL_NODE, node_args, "LD_PRELOAD=" SL_SLOW_NAMES);
    test_expect(&broker, "availability online", 1);
    test_stop(&node);
    test_stop(&broker);
    test_place_remove(&place);
}

/* Nobody listens at the first address: the next one is tried, without a pause. */
static void names_are_tried_address_by_address(void **state)
{
    struct test_place place;
    struct test_process broker, node;

    (void)state;
    test_place_make(&place);
    const struct test_path identity = test_place_path(&place, "identity");
    const char *const broker_args[] = {"--identity", identity.text, "--host", "two.invalid", NULL};
    const char *const node_args[] = {"--identity", identity.text, "--chip", "no-chip", NULL};
    test_start(&broker, &place, "broker", SL_HOSTILE_BROKER, broker_args, NULL);
    test_expect(&broker, "port ", 1);
    test_start(&node, &place, "node", SL_NODE, node_args, "LD_PRELOAD=" SL_SLOW_NAMES);
    test_expect(&broker, "availability online", 1);
    assert_int_equal(test_count(&node, "next attempt"), 0);
    test_stop(&node);
    test_stop(&broker);
    test_place_remove(&place);
}

static void old_broker_is_served_with_3_1_1(void **state)
{
    struct test_place place;
    struct test_process broker, node;

    (void)state;
    test_place_make(&place);
    const struct test_path identity = test_place_path(&place, "identity");
    const char *const broker_args[] = {"--identity", identity.text, "--manner", "old",
                                       "--send",     "retained",    NULL};
    const char *const node_args[] = {"--identity", identity.text, "--chip", "no-chip", NULL};
    test_start(&broker, &place, "broker", SL_HOSTILE_BROKER, broker_args, NULL);
    test_expect(&broker, "port ", 1);
    test_start(&node, &place, "node", SL_NODE, node_args, NULL);
    test_expect(&broker, "mqtt CONNECT 5", 1);
    test_expect(&broker, "mqtt CONNECT 4", 1);
    test_expect(&broker, "availability online", 1);
    test_expect(&broker, "irrigation/refused", 1);
    test_signal(&node, SIGTERM);
    test_expect(&broker, "availability offline", 1); /* 3.1.1 has no DISCONNECT with will */
    assert_int_equal(test_wait_exit(&node, TEST_WAIT_MS), 0);
    test_stop(&broker);
    test_place_remove(&place);
}

static void ipv6_works(void **state)
{
    struct test_garden garden;

    (void)state;
    if (!test_has_ipv6()) {
        print_message("no IPv6 on this machine's loopback\n");
        skip();
    }
    test_garden_make(&garden, "::1");
    test_garden_start_broker(&garden);
    test_garden_connect(&garden);
    test_garden_start_node(&garden, NULL);
    test_hear(&garden, 0, "availability", "online");
    test_garden_close(&garden);
}

/* The identity of another site: this broker is a stranger to it. */
static void foreign_identity_trusts_nobody(void **state)
{
    struct test_garden garden;
    struct test_process node;
    char port[8];

    (void)state;
    test_garden_make(&garden, NULL);
    test_garden_start_broker(&garden);
    snprintf(port, sizeof port, "%u", garden.port);
    const struct test_path site = test_place_path(&garden.place, "other");
    const struct test_path identity = test_place_path(&garden.place, "other/nodes/garden/identity");
    const char *const init[] = {"--site", site.text, "init", "--no-passphrase", NULL};
    const char *const add[] = {"--site", site.text, "node", "add", "garden", "--port", port, NULL};
    const char *const args[] = {"--identity", identity.text, "--chip", "no-chip", NULL};
    assert_int_equal(test_run(&garden.place, "init", SL_SLUICE, init), 0);
    assert_int_equal(test_run(&garden.place, "add", SL_SLUICE, add), 0);
    test_start(&node, &garden.place, "foreign", SL_NODE, args, NULL);
    test_expect(&node, "was not signed by this site's CA", 1);
    assert_int_equal(test_count(&garden.broker, "New client connected"), 0);
    test_stop(&node);
    test_garden_close(&garden);
}

/* Idle, with broker and chip: the loop wakes for the link's exchanges and for nothing else. A busy
 * loop would not sleep at all, or wake without end. */
static void idle_loop_sleeps(void **state)
{
    struct test_garden garden;

    (void)state;
    test_garden_open(&garden);
    test_listen(&garden, 1000);
    const long before = test_wakeups(&garden.node);
    test_listen(&garden, 5000);
    const long wakeups = test_wakeups(&garden.node) - before;
    print_message("idle: %ld wake-ups in 5 s\n", wakeups);
    assert_in_range(wakeups, 10, 150); /* 4 exchanges a second, each started and answered */
    test_garden_close(&garden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hanging_resolver_holds_nothing_up),
        cmocka_unit_test(address_needs_no_resolver),
        cmocka_unit_test(names_are_tried_address_by_address),
        cmocka_unit_test(old_broker_is_served_with_3_1_1),
        cmocka_unit_test(ipv6_works),
        cmocka_unit_test(foreign_identity_trusts_nobody),
        cmocka_unit_test(idle_loop_sleeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
