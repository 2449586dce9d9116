/* Brokers that break a rule, and networks without one: the board refuses and tells, in the same
 * words as sluice-node. */
#include "harness.h"
#include <stdio.h>

#define ARGS_MAX 4

static const struct rule {
    const char *name;
    const char *args[ARGS_MAX];
    const char *words; /* in the board's log */
} rules[] = {
    {"no-fragment", {"--no-fragment"}, "did not agree to records of 512 bytes"},
    {"wrong-name", {"--certificate", "wrong-name"}, "is for another name"},
    {"expired", {"--certificate", "expired"}, "is not valid on this date"},
    {"wrong-ca", {"--certificate", "wrong-ca"}, "was not signed by this site's CA"},
    {"stalls", {"--transport", "silent"}, "did not finish the TLS handshake in"},
    {"no-such-name", {"--host", "broker.invalid"}, "cannot reach the broker"},
};
#define RULES (sizeof rules / sizeof rules[0])

static struct test_place place;
static struct test_process brokers[RULES], boards[RULES];

static int set_up(void **state)
{
    (void)state;
    test_place_make(&place);
    for (size_t i = 0; i < RULES; i++) {
        char name[40];
        snprintf(name, sizeof name, "%s.id", rules[i].name);
        const struct test_path identity = test_place_path(&place, name);
        const char *broker_args[ARGS_MAX + 3] = {"--identity", identity.text};
        const char *const board_args[] = {"--identity", identity.text, NULL};
        for (size_t j = 0; j < ARGS_MAX && rules[i].args[j]; j++)
            broker_args[2 + j] = rules[i].args[j];
        snprintf(name, sizeof name, "broker-%s", rules[i].name);
        test_start(&brokers[i], &place, name, SL_HOSTILE_BROKER, broker_args, NULL);
        test_expect(&brokers[i], "port ", 1);
        snprintf(name, sizeof name, "board-%s", rules[i].name);
        test_start(&boards[i], &place, name, SL_BOARD_PROGRAM, board_args, NULL);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < RULES; i++) {
        test_stop(&boards[i]);
        test_stop(&brokers[i]);
    }
    test_place_remove(&place);
    return 0;
}

static void every_broken_rule_is_refused_in_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < RULES; i++) {
        test_expect_at(&boards[i], rules[i].words, 1, 75000, rules[i].name, __LINE__);
        test_expect(&boards[i], "next attempt in", 1);
        assert_int_equal(test_count(&brokers[i], "mqtt "), 0);
        assert_int_equal(test_count(&boards[i], "fault"), 0);
        assert_true(test_is_running(&boards[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_broken_rule_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
