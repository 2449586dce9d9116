/* The demo on a terminal: every key shows what it did, and the terminal is given back as it was.
 * usage: demo_live SLUICE SLUICE-NODE SLUICE-CHIP RELAY-CHIP-ELF */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS   12000
#define ALL_S     90 /* then SIGALRM; the demo ends with its terminal */
#define SHOWN_LEN (1 << 20)
#define FRAME     "\033[HSluice"

static char **programs;

static struct {
    int terminal;
    pid_t child;
    struct termios before;
    char shown[SHOWN_LEN]; /* all that came */
    size_t len;
    char folder[64];
} demo;

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void start_demo(const char *ci)
{
    struct winsize size = {.ws_row = 40, .ws_col = 100};
    memset(&demo, 0, sizeof demo);
    demo.child = forkpty(&demo.terminal, NULL, NULL, &size);
    assert_true(demo.child >= 0);
    if (demo.child == 0) {
        setenv("NO_COLOR", "1", 1);
        setenv("CI", ci, 1);
        execl(programs[1], "sluice", "demo", "--node", programs[2], "--chip", programs[3], "--elf",
              programs[4], (char *)NULL);
        _exit(127);
    }
    assert_int_equal(tcgetattr(demo.terminal, &demo.before), 0);
}

/* What came within 50 ms. */
static void look(void)
{
    struct pollfd line = {.fd = demo.terminal, .events = POLLIN};
    if (poll(&line, 1, 50) <= 0)
        return;
    assert_true(demo.len + 4096 < sizeof demo.shown);
    ssize_t got = read(demo.terminal, demo.shown + demo.len, 4096);
    if (got > 0)
        demo.len += (size_t)got;
    demo.shown[demo.len] = '\0';
}

/* The last whole screen; empty before the first. */
static char *last_frame(void)
{
    static char frame[8192];
    const char *begin = NULL, *end = NULL;
    frame[0] = '\0';
    for (const char *at = strstr(demo.shown, FRAME); at; at = strstr(at + 1, FRAME)) {
        begin = end;
        end = at;
    }
    if (begin)
        snprintf(frame, sizeof frame, "%.*s", (int)(end - begin), begin);
    return frame;
}

/* The screen's line of a zone. */
static const char *zone_line(int zone)
{
    static char line[160];
    char mark[16];
    snprintf(mark, sizeof mark, "\n %d    ", zone);
    const char *at = strstr(last_frame(), mark);
    line[0] = '\0';
    if (at)
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
    return line;
}

static void wait_for(const char *words)
{
    uint64_t end = now_ms() + WAIT_MS;
    while (!strstr(last_frame(), words)) {
        if (now_ms() >= end)
            fail_msg("'%s' is not on the screen:\n%s", words, demo.len ? last_frame() : "");
        look();
    }
}

static void wait_for_zone(int zone, const char *words, const char *more)
{
    uint64_t end = now_ms() + WAIT_MS;
    while (!strstr(zone_line(zone), words) || !strstr(zone_line(zone), more)) {
        if (now_ms() >= end)
            fail_msg("zone %d is not '%s' and '%s' but:\n%s\n%s", zone, words, more,
                     zone_line(zone), last_frame());
        look();
    }
}

static void press(char key)
{
    assert_int_equal(write(demo.terminal, &key, 1), 1);
}

/* A zone's key. While the command before still waits for its answer the key is refused, in words;
 * then once more. */
static void press_zone(int zone, const char *words)
{
    uint64_t end = now_ms() + WAIT_MS, again = 0;
    while (!strstr(last_frame(), words)) {
        if (now_ms() >= end)
            fail_msg("no '%s' after key %d:\n%s", words, zone, last_frame());
        if (now_ms() >= again) {
            press((char)('0' + zone));
            again = now_ms() + 3000;
        }
        look();
    }
}

static bool is_raw(void)
{
    struct termios now;
    assert_int_equal(tcgetattr(demo.terminal, &now), 0);
    return !(now.c_lflag & (ICANON | ECHO));
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
        if (len > 0 && memmem(words, (size_t)len, demo.folder, strlen(demo.folder)))
            count++;
    }
    closedir(all);
    return count;
}

static void expect_end(void)
{
    int status = 0;
    uint64_t end = now_ms() + WAIT_MS;
    struct termios after;

    while (waitpid(demo.child, &status, WNOHANG) == 0) {
        assert_true(now_ms() < end);
        look();
    }
    look();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_non_null(strstr(demo.shown, "\033[?25h"));
    assert_non_null(strstr(demo.shown, "demo: ok"));
    assert_int_equal(tcgetattr(demo.terminal, &after), 0);
    assert_int_equal(after.c_lflag, demo.before.c_lflag);
    assert_int_equal(after.c_iflag, demo.before.c_iflag);
    assert_memory_equal(after.c_cc, demo.before.c_cc, sizeof after.c_cc);
    assert_int_not_equal(access(demo.folder, F_OK), 0);
    assert_int_equal(count_processes(), 0);
    close(demo.terminal);
}

static void wait_until_it_shows(void)
{
    wait_for("0-7 switch a zone");
    const char *at = strstr(demo.shown, "/tmp/sluice-demo.");
    assert_non_null(at);
    snprintf(demo.folder, sizeof demo.folder, "%.*s", (int)strcspn(at + 5, "/ ") + 5, at);
    wait_for("node online");
    assert_true(is_raw());
}

/* The command on the screen, given to a shell, switches. */
static void the_command_shown_can_be_copied(void)
{
    char command[512] = "";
    char *line = strstr(last_frame(), "mosquitto_pub $(");
    assert_non_null(line);
    for (int i = 0; i < 3; i++) {
        char *end = strstr(line, "\033[K\r\n");
        assert_non_null(end);
        size_t len = strlen(command);
        snprintf(command + len, sizeof command - len, "%.*s\n", (int)(end - line), line);
        line = end + 5;
    }
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
    start_demo("");
    wait_until_it_shows();
    the_command_shown_can_be_copied();

    press_zone(5, "$ sluice on garden 5 60");
    wait_for_zone(5, "low", "[####] ON");
    wait_for_zone(5, "ON ", ":");

    /* The dead node says nothing; the chip alone holds the relay for as long as its lease. */
    press('k');
    wait_for("the node is killed");
    wait_for("node killed");
    wait_for_zone(5, "?", "low");
    assert_null(strchr(zone_line(5), ':'));
    press('k');
    wait_for("the node starts");
    wait_for("node online");
    wait_for_zone(5, "ON ", ":");
    wait_for_zone(5, "low", "[####] ON");

    press('l');
    wait_for("SPI link cut");
    press('l');
    wait_for("SPI link up");

    const struct winsize small = {.ws_row = 12, .ws_col = 60};
    assert_int_equal(ioctl(demo.terminal, TIOCSWINSZ, &small), 0);
    press_zone(5, "$ sluice off garden 5");
    wait_for_zone(5, "OFF", "[    ]");

    press('b');
    wait_for("the broker is killed");
    wait_for("broker killed");
    wait_for_zone(5, "?", "high");
    press('b');
    wait_for("the broker runs");
    wait_for("broker runs");
    assert_null(strstr(demo.shown, "Unknown reason"));

    press('q');
    expect_end();
}

/* As a shell does it: its own modes while the demo is stopped. */
static void continue_demo(void)
{
    uint64_t end = now_ms() + WAIT_MS;
    assert_int_equal(tcsetattr(demo.terminal, TCSANOW, &demo.before), 0);
    kill(demo.child, SIGCONT);
    for (; !is_raw(); look())
        assert_true(now_ms() < end);
}

static void suspended_and_continued(void **state)
{
    (void)state;
    int status = 0;
    start_demo("");
    wait_until_it_shows();
    press('\032');
    uint64_t end = now_ms() + WAIT_MS;
    while (waitpid(demo.child, &status, WNOHANG | WUNTRACED) == 0) {
        assert_true(now_ms() < end);
        look();
    }
    assert_true(WIFSTOPPED(status));
    assert_false(is_raw());
    continue_demo();
    kill(demo.child, SIGSTOP); /* a stop that it cannot see */
    assert_int_equal(waitpid(demo.child, &status, WUNTRACED), demo.child);
    continue_demo();
    press_zone(1, "$ sluice on garden 1 60");
    /* While nobody reads the screen a frame waits; a signal then must not make it an error. */
    for (int i = 0; i < 200; i++) {
        kill(demo.child, SIGCONT);
        (void)poll(NULL, 0, 5);
    }
    press('\003');
    expect_end();
}

/* Nobody sits there: the story. */
static void ci_gets_the_story(void **state)
{
    (void)state;
    start_demo("true");
    for (uint64_t end = now_ms() + WAIT_MS; !strstr(demo.shown, " 1  broker, relay chip"); look())
        assert_true(now_ms() < end);
    assert_null(strstr(demo.shown, "\033[H"));
    kill(demo.child, SIGTERM);
    int status = 0;
    assert_int_equal(waitpid(demo.child, &status, 0), demo.child);
    assert_int_equal(WEXITSTATUS(status), 1);
    close(demo.terminal);
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
