/* A passphrase typed at a terminal: never seen, and the terminal is as before whatever happens. */
#include "terminal.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct test_terminal terminal;
static struct test_place place;

static int set_up(void **state)
{
    (void)state;
    test_place_make(&place);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_terminal_close(&terminal);
    test_place_remove(&place);
    return 0;
}

static void start(const char *one, const char *two, const char *three)
{
    const struct test_path site = test_place_path(&place, "site");
    const char *const args[] = {"--site", site.text, one, two, three, NULL};
    test_terminal_start(&terminal, 24, 160, NULL, SL_SLUICE, args);
}

/* Wait for the question and for silence: what is typed before is thrown away. */
static void type(const char *question, const char *keys)
{
    struct termios modes;
    test_screen_expect(&terminal, question);
    assert_int_equal(tcgetattr(terminal.fd, &modes), 0);
    assert_int_equal(modes.c_lflag & ECHO, 0);
    test_terminal_press(&terminal, keys);
}

static bool is_there(const char *name)
{
    struct stat about;
    return stat(test_place_path(&place, name).text, &about) == 0;
}

static void init_asks_twice_and_shows_nothing(void **state)
{
    (void)state;
    start("init", NULL, NULL);
    type("New passphrase for the new CA's key:", "correct horse\n");
    type("The same again:", "correct horse\n");
    test_screen_expect(&terminal, "the CA's key is locked by the passphrase");
    assert_null(strstr(test_screen(&terminal), "horse"));
    assert_int_equal(test_terminal_expect_end(&terminal), 0);
    test_terminal_close(&terminal);

    start("node", "add", "garden");
    type("Passphrase for the CA's key of", "correct mule\n");
    test_screen_expect(&terminal, "[passphrase-wrong]");
    assert_int_equal(test_terminal_expect_end(&terminal), 1);
    assert_false(is_there("site/nodes/garden"));
    test_terminal_close(&terminal);

    start("node", "add", "garden");
    type("Passphrase for the CA's key of", "correct horse\n");
    test_screen_expect(&terminal, "node garden is made");
    assert_null(strstr(test_screen(&terminal), "horse"));
    assert_int_equal(test_terminal_expect_end(&terminal), 0);
}

static void two_different_ones_make_no_site(void **state)
{
    (void)state;
    start("init", NULL, NULL);
    type("New passphrase", "correct horse\n");
    type("The same again:", "correct hose\n");
    test_screen_expect(&terminal, "[passphrase-differs]");
    assert_int_equal(test_terminal_expect_end(&terminal), 2);
    assert_false(is_there("site"));
}

static void a_short_one_makes_no_site(void **state)
{
    (void)state;
    start("init", NULL, NULL);
    type("New passphrase", "horse\n");
    test_screen_expect(&terminal, "[passphrase-short]");
    assert_int_equal(test_terminal_expect_end(&terminal), 2);
    assert_false(is_there("site"));
}

static void ctrl_c_leaves_the_terminal_and_no_site(void **state)
{
    (void)state;
    start("init", NULL, NULL);
    type("New passphrase", "corr\003");
    assert_int_equal(test_terminal_expect_end(&terminal), 128 + SIGINT);
    assert_false(is_there("site"));
    test_terminal_close(&terminal);
    start("init", NULL, NULL);
    test_screen_expect(&terminal, "New passphrase");
    assert_int_equal(kill(terminal.child, SIGTERM), 0);
    assert_int_equal(test_terminal_expect_end(&terminal), 128 + SIGTERM);
    assert_false(is_there("site"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(init_asks_twice_and_shows_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_different_ones_make_no_site, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_short_one_makes_no_site, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ctrl_c_leaves_the_terminal_and_no_site, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
