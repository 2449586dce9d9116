/* Messages that an honest broker would not deliver so: retained, expired, twice, huge. The chip is
 * the real one, so that its pins say whether anything was switched. */
#include "garden.h"
#include <signal.h>
#include <string.h>

#define PIN(zone) (uint8_t)(1u << (zone))

static struct test_garden garden; /* the chip and the node; the broker is the hostile one */

static void start(const char *const *messages)
{
    const char *broker_args[TEST_ARGS_MAX] = {"--identity"};
    size_t len = 2;

    memset(&garden, 0, sizeof garden);
    garden.control = -1;
    test_place_make(&garden.place);
    test_garden_start_chip(&garden);
    const struct test_path identity = test_place_path(&garden.place, "identity");
    const struct test_path spi = test_place_path(&garden.place, "spi");
    const char *const node_args[] = {"--identity", identity.text, "--chip", spi.text, NULL};
    broker_args[1] = identity.text;
    for (; *messages; messages++) {
        broker_args[len++] = "--send";
        broker_args[len++] = *messages;
    }
    test_start(&garden.broker, &garden.place, "broker", SL_HOSTILE_BROKER, broker_args, NULL);
    test_expect(&garden.broker, "port ", 1);
    /* Stopped, so that the link to the chip is up before the messages come. */
    test_signal(&garden.broker, SIGSTOP);
    test_start(&garden.node, &garden.place, "node", SL_NODE, node_args, NULL);
    test_expect(&garden.node, "the relay chip answers", 1);
    test_signal(&garden.broker, SIGCONT);
}

static int tear_down(void **state)
{
    (void)state;
    test_garden_close(&garden);
    return 0;
}

/* So that the tests below are able to fail. */
static void plain_message_switches(void **state)
{
    (void)state;
    start((const char *const[]){"plain", NULL});
    assert_true(test_wait_pins(&garden, PIN(2), TEST_WAIT_MS));
    assert_int_equal(test_count(&garden.broker, "irrigation/refused"), 0);
    test_expect(&garden.broker, "irrigation/zone/2/state ON", 1);
}

static void check_refused(const char *message, const char *words)
{
    start((const char *const[]){message, NULL});
    test_expect(&garden.broker, "irrigation/refused", 1);
    test_expect(&garden.broker, words, 1);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(test_pins(&garden), 0);
        test_pause(10);
    }
    assert_int_equal(test_count(&garden.broker, "/state ON"), 0);
}

static void retained_message_is_refused(void **state)
{
    (void)state;
    check_refused("retained", "a retained command is not carried out");
}

static void expired_message_is_refused(void **state)
{
    (void)state;
    check_refused("expired", "expired before it arrived");
}

static void huge_message_is_refused(void **state)
{
    (void)state;
    check_refused("huge", "longer than any command");
}

static void duplicate_is_carried_out_once(void **state)
{
    (void)state;
    start((const char *const[]){"duplicate", NULL});
    assert_true(test_wait_pins(&garden, PIN(2), TEST_WAIT_MS));
    test_expect(&garden.broker, "mqtt PUBREC", 2);
    test_expect(&garden.broker, "mqtt PUBCOMP", 1);
    assert_int_equal(test_count(&garden.node, "zone 2 on"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(plain_message_switches, tear_down),
        cmocka_unit_test_teardown(retained_message_is_refused, tear_down),
        cmocka_unit_test_teardown(expired_message_is_refused, tear_down),
        cmocka_unit_test_teardown(huge_message_is_refused, tear_down),
        cmocka_unit_test_teardown(duplicate_is_carried_out_once, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
