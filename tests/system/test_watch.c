/* sluice watch and sluice status at a terminal, with the real broker, node and chip. */
#include "garden.h"
#include "terminal.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static struct test_terminal terminal;

static void start_watch(const struct test_garden *garden, int rows, int columns,
                        const char *const *environment, const char *option)
{
    const struct test_path site = test_place_path(&garden->place, "site");
    const char *const args[] = {"--site", site.text, "watch", option, NULL};
    test_terminal_start(&terminal, rows, columns, environment, SL_SLUICE, args);
}

static void expect_picture(const struct test_garden *garden)
{
    (void)garden;
    test_screen_expect(&terminal, " connected");
    test_screen_expect(&terminal, "garden  online");
    test_screen_expect(&terminal, "chip up");
    assert_true(test_terminal_is_raw(&terminal) && terminal.is_alternate &&
                terminal.is_cursor_hidden);
}

static void quit(void)
{
    test_terminal_press(&terminal, "q");
    assert_int_equal(test_terminal_expect_end(&terminal), 0);
    test_terminal_close(&terminal);
}

static int bar_len(const char *row)
{
    int len = 0;
    for (; *row != '\0'; row++)
        len += *row == '#' || *row == '=';
    return len;
}

static void the_picture(void **state)
{
    (void)state;
    struct test_garden garden;
    test_garden_open(&garden);
    start_watch(&garden, 40, 100, NULL, NULL);
    expect_picture(&garden);
    test_screen_expect(&terminal, "certificate ");
    test_screen_expect(&terminal, "days left, until 20");
    test_screen_expect(&terminal, "time system");
    test_screen_expect(&terminal, "last reset power-on");
    assert_true(terminal.has_utf8 && !terminal.has_colour);

    /* A bar that runs down by itself: a running zone is reported once a minute only. */
    test_say(&garden, "zone/on", "2 25");
    test_screen_expect(&terminal, " of 0:25");
    test_screen_expect(&terminal, "garden  zone 2 ON");
    int first = bar_len(test_screen_row(&terminal, " of 0:25"));
    assert_true(first > 30);
    for (uint64_t end = test_now_ms() + TEST_WAIT_MS;
         bar_len(test_screen_row(&terminal, " of 0:25")) > first - 4;) {
        if (test_now_ms() >= end)
            fail_msg("the bar stands still:\n%s", test_screen(&terminal));
        test_terminal_look(&terminal);
    }
    test_say(&garden, "zone/off", "2");
    test_screen_expect(&terminal, "garden  zone 2 OFF");
    test_screen_expect_gone(&terminal, " of 0:25");

    test_say(&garden, "zone/on", "9 5");
    test_screen_expect(&terminal, "last refusals ---");
    test_screen_expect(&terminal, "garden  refused zone/on: zone 9 does not exist");

    /* The picture follows the terminal's size; test_terminal_resize looks outside of it. */
    static const struct {
        int rows, columns;
    } sizes[] = {{10, 40}, {60, 200}, {4, 10}, {24, 80}, {1, 1}, {40, 100}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        test_terminal_resize(&terminal, sizes[i].rows, sizes[i].columns);
        if (sizes[i].rows >= 10)
            test_screen_expect(&terminal, "garden  online");
    }
    size_t clears = terminal.clears;
    test_terminal_press(&terminal, "?");
    test_screen_expect(&terminal, "Ctrl-Z       suspend");
    test_terminal_press(&terminal, "\033");
    test_screen_expect(&terminal, "garden  online");
    test_terminal_press(&terminal, "\033[B\033[6~\033[A\033[5~\033[F\033[H\033[1;5Cx\xff");
    test_screen_expect(&terminal, "garden  online");
    assert_int_equal(terminal.clears, clears); /* nothing flickers */
    test_terminal_press(&terminal, "\014");
    for (uint64_t end = test_now_ms() + TEST_WAIT_MS; terminal.clears == clears;) {
        assert_true(test_now_ms() < end);
        test_terminal_look(&terminal);
    }
    test_screen_expect(&terminal, "garden  online");
    quit();
    test_garden_close(&garden);
}

static void node_and_broker_come_and_go(void **state)
{
    (void)state;
    struct test_garden garden;
    test_garden_open(&garden);
    start_watch(&garden, 40, 100, NULL, NULL);
    expect_picture(&garden);
    test_say(&garden, "zone/on", "3 600");
    test_screen_expect(&terminal, " of 10:00");

    test_signal(&garden.node, SIGKILL);
    test_stop(&garden.node);
    test_screen_expect(&terminal, "garden  offline  since");
    test_screen_expect(&terminal, "of 10:00  last known");
    test_garden_start_node(&garden, NULL);
    test_screen_expect(&terminal, "garden  online  since");
    test_screen_expect(&terminal, "the node started anew");

    test_signal(&garden.broker, SIGKILL);
    test_stop(&garden.broker);
    test_screen_expect(&terminal, "broker away, trying again");
    test_screen_expect(&terminal, "last known online");
    test_screen_expect(&terminal, "nothing listens at 127.0.0.1"); /* it did */
    test_terminal_press(&terminal, "?");
    test_screen_expect(&terminal, "Ctrl-Z       suspend");
    test_terminal_press(&terminal, "?");
    test_garden_start_broker(&garden);
    test_screen_expect(&terminal, "connected to the broker again");
    test_screen_expect_gone(&terminal, "broker away, trying again");

    kill(terminal.child, SIGTERM);
    assert_int_equal(test_terminal_expect_end(&terminal), 0);
    test_terminal_close(&terminal);
    test_garden_close(&garden);
}

static void the_terminal_is_given_back(void **state)
{
    (void)state;
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    static const char *const for_s[] = {"--for=2", NULL};
    struct test_garden garden;
    test_garden_open(&garden);
    for (size_t i = 0; i < 4; i++) {
        start_watch(&garden, 24, 80, NULL, NULL);
        expect_picture(&garden);
        kill(terminal.child, signals[i]);
        assert_int_equal(test_terminal_expect_end(&terminal), 0);
        test_terminal_close(&terminal);
    }
    start_watch(&garden, 24, 80, NULL, for_s[0]);
    test_screen_expect(&terminal, "sluice watch");
    assert_int_equal(test_terminal_expect_end(&terminal), 0);
    test_terminal_close(&terminal);

    start_watch(&garden, 24, 80, NULL, NULL);
    expect_picture(&garden);
    test_terminal_press(&terminal, "\032");
    test_terminal_expect_stop(&terminal);
    assert_false(test_terminal_is_raw(&terminal) || terminal.is_alternate ||
                 terminal.is_cursor_hidden);
    test_terminal_continue(&terminal);
    test_screen_expect(&terminal, "garden  online");

    /* A second one cannot help itself: the broker keeps one connection a certificate. */
    struct test_terminal first = terminal;
    start_watch(&garden, 24, 80, NULL, NULL);
    assert_int_equal(test_terminal_expect_end(&terminal), 1);
    test_screen_expect(&terminal, "another command is connected as operator-watch");
    test_terminal_close(&terminal);
    terminal = first;
    test_terminal_press(&terminal, "\003");
    assert_int_equal(test_terminal_expect_end(&terminal), 0);
    test_terminal_close(&terminal);
    test_garden_close(&garden);
}

/* Without a person at a screen: lines, as in a pipe. */
static void lines_where_no_picture_can_be(void **state)
{
    (void)state;
    static const char *const dumb[] = {"TERM=dumb", NULL}, *const c[] = {"LC_ALL=C", NULL},
                             *const colour[] = {"NO_COLOR=", NULL};
    struct test_garden garden;
    test_garden_open(&garden);
    start_watch(&garden, 24, 80, dumb, NULL);
    test_screen_expect(&terminal, "garden: online (kept)");
    assert_false(terminal.is_alternate || terminal.has_colour);
    kill(terminal.child, SIGTERM);
    assert_int_equal(test_terminal_expect_end(&terminal), 0);
    test_terminal_close(&terminal);

    start_watch(&garden, 24, 80, NULL, "--plain");
    test_screen_expect(&terminal, "garden: online (kept)");
    assert_false(terminal.is_alternate);
    test_terminal_close(&terminal);

    start_watch(&garden, 24, 80, c, NULL);
    expect_picture(&garden);
    assert_false(terminal.has_utf8);
    quit();

    start_watch(&garden, 24, 80, colour, NULL);
    expect_picture(&garden);
    assert_true(terminal.has_colour);
    quit();

    const struct test_path site = test_place_path(&garden.place, "site");
    const char *const piped[] = {"--site", site.text, "watch", NULL};
    struct test_process watch;
    test_start(&watch, &garden.place, "watch", SL_SLUICE, piped, "TERM=xterm");
    test_expect(&watch, "garden: online (kept)\n", 1);
    assert_int_equal(test_count(&watch, "\033"), 0);
    test_stop(&watch);
    test_garden_close(&garden);
}

/* A table of all, a page about one; on a terminal and in a pipe. */
static void status_of_one_and_of_all(void **state)
{
    (void)state;
    struct test_garden garden;
    test_garden_make(&garden, NULL);
    const struct test_path site = test_place_path(&garden.place, "site");
    const char *const pond[] = {"--site", site.text, "node", "add", "pond", NULL};
    const char *const page[] = {"--site", site.text, "status", "garden", NULL};
    const char *const table[] = {"--site", site.text, "status", NULL};
    const char *const json[] = {"--site", site.text, "status", "garden", "--json", NULL};
    assert_int_equal(test_run(&garden.place, "add", SL_SLUICE, pond), 0);
    test_garden_start_broker(&garden);
    test_garden_start_chip(&garden);
    test_garden_connect(&garden);
    test_garden_start_node(&garden, NULL);
    test_expect(&garden.node, "the relay chip answers", 1);
    test_hear(&garden, 0, "availability", "online");
    test_say(&garden, "zone/on", "4 7200");
    assert_true(test_wait_pins(&garden, 1u << 4, TEST_WAIT_MS));
    /* From here on the test's own connection, with the same certificate, stays away. */

    struct test_process status;
    test_start(&status, &garden.place, "page", SL_SLUICE, page, NULL);
    assert_int_equal(test_wait_exit(&status, TEST_WAIT_MS), 0);
    assert_int_equal(test_count(&status, "garden  online  up "), 1);
    assert_int_equal(test_count(&status, "\n  4 ON  ##"), 1);
    assert_int_equal(test_count(&status, " of 2:00:00\n"), 1);
    assert_int_equal(test_count(&status, "\n  5 OFF\n"), 1);
    assert_int_equal(test_count(&status, "\n  topics irrigation/...  its broker 127.0.0.1:"), 1);
    assert_int_equal(test_count(&status, "\033"), 0);
    test_start(&status, &garden.place, "table", SL_SLUICE, table, NULL);
    assert_int_equal(test_wait_exit(&status, TEST_WAIT_MS), 3); /* pond is not there */
    assert_int_equal(test_count(&status, "\ngarden  online     "), 1);
    assert_int_equal(test_count(&status, "\npond    offline    -        -      -         20"), 1);
    test_start(&status, &garden.place, "json", SL_SLUICE, json, NULL);
    assert_int_equal(test_wait_exit(&status, TEST_WAIT_MS), 0);
    assert_int_equal(test_count(&status, "{\"nodes\":[{\"name\":\"garden\""), 1);

    static const char *const colour[] = {"NO_COLOR=", NULL};
    test_terminal_start(&terminal, 24, 60, colour, SL_SLUICE, page);
    assert_int_equal(test_terminal_expect_end(&terminal), 0);
    test_screen_expect(&terminal, "garden  online");
    assert_true(terminal.has_colour && terminal.has_utf8);
    test_terminal_close(&terminal);
    test_garden_close(&garden);
}

static void say_as_garden(struct test_garden *garden, const char *topic, const char *kept,
                          const char *payload)
{
    const struct test_path site = test_place_path(&garden->place, "site");
    const struct test_path file = test_place_path(&garden->place, "payload");
    char port[8], whole_topic[64];
    snprintf(port, sizeof port, "%u", garden->port);
    snprintf(whole_topic, sizeof whole_topic, "irrigation/%s", topic);
    FILE *out = fopen(file.text, "w");
    assert_non_null(out);
    fputs(payload, out);
    assert_int_equal(fclose(out), 0);
    const char *const args[] = {SL_SYSTEM_TESTS "/say_as.sh",
                                site.text,
                                "garden",
                                port,
                                whole_topic,
                                file.text,
                                kept,
                                NULL};
    assert_int_equal(test_run(&garden->place, "say-as", "sh", args), 0);
}

/* Orders to the terminal from somebody who is let in: shown as text, to the picture and to the
 * page of status. The terminal of this test fails on every order that is none of ours. */
static void orders_from_the_network_stay_text(void **state)
{
    (void)state;
    static const char orders[] = "\033[2J\033[31m\033]0;owned\007\302\2332J";
    struct test_garden garden;
    test_garden_make(&garden, NULL);
    test_garden_start_broker(&garden);
    start_watch(&garden, 40, 100, NULL, NULL);
    test_screen_expect(&terminal, " connected");
    size_t clears = terminal.clears;
    say_as_garden(&garden, "availability", "-r", orders);
    test_screen_expect(&terminal, "garden  ?[2J?[31m");
    say_as_garden(&garden, "zone/1/state", "-r", orders);
    say_as_garden(&garden, "refused", "", orders);
    test_screen_expect(&terminal, "refused ?: no reason given");
    say_as_garden(&garden, "refused", "",
                  "{\"topic\":\"\\u001b[2J\",\"why\":\"\\u001b]0;owned\\u0007\\u009b2J\"}");
    test_screen_expect(&terminal, "refused ?[2J: ?]0;owned???2J");
    say_as_garden(
        &garden, "report", "-r",
        "{\"version\":\"\\u001b[2J\",\"zones\":[{\"zone\":2,\"state\":\"ON\","
        "\"remaining_s\":1e9}],\"chip\":{\"link\":\"\\u001b[2J\",\"reset\":[\"\\u001b[2J\"]}}");
    test_screen_expect(&terminal, "version ?[2J");
    test_screen_expect(&terminal, "of 24:00:00");
    assert_int_equal(terminal.clears, clears);
    assert_false(terminal.has_colour);
    quit();
    test_garden_close(&garden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_picture),
        cmocka_unit_test(node_and_broker_come_and_go),
        cmocka_unit_test(the_terminal_is_given_back),
        cmocka_unit_test(lines_where_no_picture_can_be),
        cmocka_unit_test(status_of_one_and_of_all),
        cmocka_unit_test(orders_from_the_network_stay_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
