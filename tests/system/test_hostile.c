/* Hostile brokers: each breaks one rule, and the node refuses it in words, sends no MQTT before
 * both sides are authenticated, and comes back ever more slowly. All of them run at the same time.
 */
#include "harness.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGS_MAX 6

struct rule {
    const char *name;
    const char *args[ARGS_MAX];
    const char *words; /* in the node's log */
    bool is_after_tls; /* authentication is over when the rule is broken */
};

static const struct rule rules[] = {
    {"expired", {"--certificate", "expired"}, "is not valid on this date", false},
    {"not-yet-valid", {"--certificate", "not-yet-valid"}, "is not valid on this date", false},
    {"wrong-name", {"--certificate", "wrong-name"}, "is for another name", false},
    {"self-signed", {"--certificate", "self-signed"}, "was not signed by this site's CA", false},
    {"wrong-ca", {"--certificate", "wrong-ca"}, "was not signed by this site's CA", false},
    {"rsa-1024", {"--certificate", "rsa-1024"}, "no TLS setting in common", false},
    {"tls-1.1", {"--tls-1.1"}, "no TLS setting in common", false},
    {"no-fragment", {"--no-fragment"}, "did not agree to records of 512 bytes", false},
    {"no-request", {"--no-request"}, "did not ask for our certificate", false},
    {"garbage", {"--transport", "garbage"}, "does not speak TLS 1.2", false},
    {"silent", {"--transport", "silent"}, "did not finish the TLS handshake in", false},
    {"dumb", {"--manner", "dumb"}, "did not answer CONNECT in", true},
    {"half-connack", {"--manner", "half-connack"}, "did not answer CONNECT in", true},
    {"no-suback", {"--manner", "no-suback"}, "did not answer SUBSCRIBE in", true},
    {"refuses", {"--manner", "refuses"}, "the broker refused the session", true},
    {"kicks", {"--manner", "kicks"}, "the connection to the broker ended", true},
    {"breaks-mqtt", {"--manner", "breaks-mqtt"}, "broke the MQTT protocol", true},
    {"half-publish", {"--manner", "half-publish"}, "did not acknowledge a message in", true},
};
#define RULES (sizeof rules / sizeof rules[0])

static struct test_place place;
static struct test_process brokers[RULES], nodes[RULES];

static void start(const struct rule *rule, struct test_process *broker, struct test_process *node)
{
    char name[40];
    snprintf(name, sizeof name, "%s.id", rule->name);
    const struct test_path identity = test_place_path(&place, name);
    const struct test_path chip = test_place_path(&place, "no-chip");
    const char *broker_args[ARGS_MAX + 3] = {"--identity", identity.text};
    const char *const node_args[] = {"--identity",  identity.text, "--chip", chip.text,
                                     "--log-level", "debug",       NULL};

    for (size_t i = 0; i < ARGS_MAX && rule->args[i]; i++)
        broker_args[2 + i] = rule->args[i];
    snprintf(name, sizeof name, "broker-%s", rule->name);
    test_start(broker, &place, name, SL_HOSTILE_BROKER, broker_args, NULL);
    test_expect(broker, "port ", 1);
    snprintf(name, sizeof name, "node-%s", rule->name);
    test_start(node, &place, name, SL_NODE, node_args, NULL);
}

static int set_up(void **state)
{
    (void)state;
    test_place_make(&place);
    for (size_t i = 0; i < RULES; i++)
        start(&rules[i], &brokers[i], &nodes[i]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < RULES; i++)
        if (test_is_running(&nodes[i]))
            kill(nodes[i].pid, SIGKILL); /* whether it ends in order is another test's matter */
    for (size_t i = 0; i < RULES; i++) {
        test_stop(&nodes[i]);
        test_stop(&brokers[i]);
    }
    test_place_remove(&place);
    return 0;
}

/* The n-th pause lies in 0..2^n s: full jitter below a ceiling that doubles. */
static void check_pauses(const struct test_process *node)
{
    char line[1024];
    unsigned n = 0;
    FILE *log = fopen(node->output.text, "r");

    assert_non_null(log);
    while (fgets(line, sizeof line, log)) {
        const char *at = strstr(line, "next attempt in ");
        if (!at)
            continue;
        const unsigned long pause_ms = strtoul(at + strlen("next attempt in "), NULL, 10);
        const unsigned long ceiling_ms = n < 8 ? 1000ul << n : 300000;
        if (pause_ms > ceiling_ms)
            fail_msg("%s: pause %u is %lu ms, above %lu", node->name, n, pause_ms, ceiling_ms);
        n++;
    }
    fclose(log);
    assert_in_range(n, 1, 14); /* in the minute that this test takes */
}

static void every_broken_rule_is_refused_in_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < RULES; i++) {
        test_expect_at(&nodes[i], rules[i].words, 1, 75000, rules[i].name, __LINE__);
        test_expect(&nodes[i], "next attempt in", 1);
    }
}

static void the_report_says_it_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < RULES; i++) {
        test_signal(&nodes[i], SIGUSR1);
        test_expect(&nodes[i], "report: {", 1);
        /* The broker's, which stands before the memory; a renewal has one of its own. */
        assert_int_equal(test_count(&nodes[i], "\"last_error\":\"\"},\"memory\""), 0);
    }
}

static void nothing_is_said_before_authentication(void **state)
{
    (void)state;
    for (size_t i = 0; i < RULES; i++) {
        assert_true(test_count(&brokers[i], "connection 1\n") == 1);
        /* In this order: the nodes go on trying while we count. */
        const unsigned all = test_count(&brokers[i], "first byte");
        assert_in_range(test_count(&brokers[i], "first byte 0x16"), all, all + 1);
        if (rules[i].is_after_tls)
            assert_true(test_count(&brokers[i], "mqtt CONNECT") > 0);
        else if (test_count(&brokers[i], "mqtt ") > 0)
            fail_msg("%s: MQTT was sent to it", rules[i].name);
    }
}

static void the_pauses_grow(void **state)
{
    (void)state;
    for (size_t i = 0; i < RULES; i++)
        check_pauses(&nodes[i]);
}

static void no_node_has_ended(void **state)
{
    (void)state;
    for (size_t i = 0; i < RULES; i++)
        if (!test_is_running(&nodes[i])) {
            test_show(&nodes[i]);
            fail_msg("%s: the node has ended", rules[i].name);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_broken_rule_is_refused_in_words),
        cmocka_unit_test(the_report_says_it_too),
        cmocka_unit_test(nothing_is_said_before_authentication),
        cmocka_unit_test(the_pauses_grow),
        cmocka_unit_test(no_node_has_ended),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
