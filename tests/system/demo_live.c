/* The demo on a terminal: every key shows what it did, and the terminal is given back as it was.
 * usage: demo_live SLUICE SLUICE-NODE SLUICE-CHIP RELAY-CHIP-ELF */
#include "terminal.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALL_S 90 /* then SIGALRM; the demo ends with its terminal */

static char **programs;
static struct test_terminal terminal;
static char folder[64];

static void start_demo(const char *ci)
{
    const char *const args[] = {"demo",      "--node", programs[2], "--chip",
                                programs[3], "--elf",  programs[4], NULL};
    const char *const environment[] = {ci, NULL};
    test_terminal_start(&terminal, 40, 100, environment, programs[1], args);
}

/* The screen's line of a zone. */
static const char *zone_line(int zone)
{
    char mark[16];
    snprintf(mark, sizeof mark, "\n %d    ", zone);
    const char *at = strstr(test_screen(&terminal), mark);
    return at ? test_screen_row(&terminal, at + 1) : "";
}

static void wait_for_zone(int zone, const char *words, const char *more)
{
    uint64_t end = test_now_ms() + TEST_WAIT_MS;
    while (!strstr(zone_line(zone), words) || !strstr(zone_line(zone), more)) {
        if (test_now_ms() >= end)
            fail_msg("zone %d is not '%s' and '%s':\n%s", zone, words, more,
                     test_screen(&terminal));
        test_terminal_look(&terminal);
    }
}

static void press(char key)
{
    test_terminal_press(&terminal, (const char[]){key, '\0'});
}

/* A zone's key. While the command before still waits for its answer the key is refused, in words;
 * then once more. */
static void press_zone(int zone, const char *words)
{
    uint64_t end = test_now_ms() + TEST_WAIT_MS, again = 0;
    while (!strstr(test_screen(&terminal), words)) {
        if (test_now_ms() >= end)
            fail_msg("no '%s' after key %d:\n%s", words, zone, test_screen(&terminal));
        if (test_now_ms() >= again) {
            press((char)('0' + zone));
            again = test_now_ms() + 3000;
        }
        test_terminal_look(&terminal);
    }
}

/* Names of processes whose command line has the demo's folder. */
static int count_processes(void)
{
    int count = 0;
    DIR *all = opendir("/proc");
    assert_non_null(all);
    for (const struct dirent *entry = readdir(all); entry; entry = readdir(all)) {
        char path[300], words[4096];
        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        int fd = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? open(path, O_RDONLY) : -1;
        if (fd < 0)
            continue;
        ssize_t len = read(fd, words, sizeof words);
        close(fd);
        if (len > 0 && memmem(words, (size_t)len, folder, strlen(folder)))
            count++;
    }
    closedir(all);
    return count;
}

static void expect_end(void)
{
    assert_int_equal(test_terminal_expect_end(&terminal), 0);
    test_screen_expect(&terminal, "demo: ok");
    assert_int_not_equal(access(folder, F_OK), 0);
    assert_int_equal(count_processes(), 0);
    test_terminal_close(&terminal);
}

static void wait_until_it_shows(void)
{
    test_screen_expect(&terminal, "0-7 switch a zone");
    test_screen_expect(&terminal, "/tmp/sluice-demo.");
    const char *at = strstr(test_screen(&terminal), "/tmp/sluice-demo.");
    snprintf(folder, sizeof folder, "%.*s", (int)strcspn(at + 5, "/ ") + 5, at);
    test_screen_expect(&terminal, "node online");
    assert_true(test_terminal_is_raw(&terminal) && terminal.is_alternate &&
                terminal.is_cursor_hidden);
}

/* The command on the screen, given to a shell, switches. */
static void the_command_shown_can_be_copied(void)
{
    char command[1024] = "";
    const char *begin = strstr(test_screen(&terminal), "mosquitto_pub $(");
    assert_non_null(begin);
    const char *end = strstr(begin, "120\"");
    assert_non_null(end);
    snprintf(command, sizeof command, "%.*s\n", (int)(end + 4 - begin), begin);
    char *zone = strstr(command, "\"2 120\"");
    assert_non_null(zone);
    zone[1] = '7';
    press_zone(2, "$ sluice off garden 2"); /* makes room: one zone at a time */
    wait_for_zone(2, "OFF", "[    ]");
    pid_t shell = fork();
    if (shell == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(shell, &status, 0), shell);
    assert_int_equal(status, 0);
    wait_for_zone(7, "ON", "[####] ON");
    press_zone(7, "$ sluice off garden 7");
    wait_for_zone(7, "OFF", "[    ]");
}

static void every_key_shows_what_it_does(void **state)
{
    (void)state;
    start_demo("CI=");
    wait_until_it_shows();
    the_command_shown_can_be_copied();

    press_zone(5, "$ sluice on garden 5 60");
    wait_for_zone(5, "low", "[####] ON");
    wait_for_zone(5, "ON ", ":");

    /* The dead node says nothing; the chip alone holds the relay for as long as its lease. */
    press('k');
    test_screen_expect(&terminal, "the node is killed");
    test_screen_expect(&terminal, "node killed");
    wait_for_zone(5, "?", "low");
    assert_null(strchr(zone_line(5), ':'));
    press('k');
    test_screen_expect(&terminal, "the node starts");
    test_screen_expect(&terminal, "node online");
    wait_for_zone(5, "ON ", ":");
    wait_for_zone(5, "low", "[####] ON");

    press('l');
    test_screen_expect(&terminal, "SPI link cut");
    press('l');
    test_screen_expect(&terminal, "SPI link up");

    test_terminal_resize(&terminal, 20, 60);
    press_zone(5, "$ sluice off garden 5");
    wait_for_zone(5, "OFF", "[    ]");
    test_terminal_resize(&terminal, 30, 100);
    wait_for_zone(5, "OFF", "[    ]");

    press('b');
    test_screen_expect(&terminal, "the broker is killed");
    test_screen_expect(&terminal, "broker killed");
    wait_for_zone(5, "?", "high");
    press('b');
    test_screen_expect(&terminal, "the broker runs");
    test_screen_expect(&terminal, "broker runs");
    assert_null(strstr(test_screen(&terminal), "Unknown reason"));

    press('q');
    expect_end();
}

static void suspended_and_continued(void **state)
{
    (void)state;
    int status = 0;
    start_demo("CI=");
    wait_until_it_shows();
    press('\032');
    test_terminal_expect_stop(&terminal);
    assert_false(test_terminal_is_raw(&terminal) || terminal.is_alternate ||
                 terminal.is_cursor_hidden);
    test_terminal_continue(&terminal);
    kill(terminal.child, SIGSTOP); /* a stop that it cannot see */
    assert_int_equal(waitpid(terminal.child, &status, WUNTRACED), terminal.child);
    test_terminal_continue(&terminal);
    press_zone(1, "$ sluice on garden 1 60");
    /* While nobody reads the screen a frame waits; a signal then must not make it an error. */
    for (int i = 0; i < 200; i++) {
        kill(terminal.child, SIGCONT);
        test_pause(5);
    }
    press('\003');
    expect_end();
}

/* Nobody sits there: the story. */
static void ci_gets_the_story(void **state)
{
    (void)state;
    start_demo("CI=true");
    test_screen_expect(&terminal, " 1  broker, relay chip");
    assert_false(terminal.is_alternate);
    kill(terminal.child, SIGTERM);
    assert_int_equal(test_terminal_expect_end(&terminal), 1);
    test_terminal_close(&terminal);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_shows_what_it_does),
        cmocka_unit_test(suspended_and_continued),
        cmocka_unit_test(ci_gets_the_story),
    };
    if (argc != 5)
        return 2;
    programs = argv;
    alarm(ALL_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
