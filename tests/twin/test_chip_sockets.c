/* The program sluice-chip and its two sockets: docs/spec/twin-socket.md. */
#define _GNU_SOURCE
#include "bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HEADER     9
#define ANSWER_MAX 1100
#define PATIENCE   500 /* tries of 10 ms until the program listens */

struct program {
    char folder[32], spi_path[64], control_path[64];
    pid_t pid;
    int spi, control;
};

static int try_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    struct timeval patience = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static int connect_to(const char *path)
{
    for (int i = 0; i < PATIENCE; i++) {
        int fd = try_connect(path);
        if (fd >= 0)
            return fd;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    fail_msg("%s: nobody listens", path);
    return -1;
}

static pid_t spawn(const struct program *program, const char *mode)
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(126);
        execl(SL_CHIP_PROGRAM, "sluice-chip", "--elf", bench_elf(), "--spi", program->spi_path,
              "--control", program->control_path, mode, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static void start(struct program *program, const char *mode)
{
    snprintf(program->folder, sizeof program->folder, "/tmp/sluice-chip-XXXXXX");
    assert_non_null(mkdtemp(program->folder));
    snprintf(program->spi_path, sizeof program->spi_path, "%s/spi", program->folder);
    snprintf(program->control_path, sizeof program->control_path, "%s/control", program->folder);
    program->pid = spawn(program, mode);
    program->control = connect_to(program->control_path);
    program->spi = connect_to(program->spi_path);
}

static int exit_code(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The program has ended by itself with code 0 and left nothing behind. */
static void expect_end(struct program *program)
{
    assert_int_equal(exit_code(program->pid), 0);
    close(program->control);
    close(program->spi);
    assert_int_equal(access(program->spi_path, F_OK), -1);
    assert_int_equal(access(program->control_path, F_OK), -1);
    assert_int_equal(rmdir(program->folder), 0);
}

static const char *command(const struct program *program, const char *line)
{
    static char answer[ANSWER_MAX];
    assert_int_equal(send(program->control, line, strlen(line), MSG_NOSIGNAL), strlen(line));
    ssize_t len = recv(program->control, answer, sizeof answer - 1, 0);
    assert_true(len > 0);
    answer[len] = 0;
    return answer;
}

static void expect_in(const char *answer, const char *part)
{
    if (strstr(answer, part) == NULL)
        fail_msg("no %s in %s", part, answer);
}

/* One exchange; gives the chip's time at its end. */
static uint64_t exchange(const struct program *program, uint64_t time_us, const uint8_t *out,
                         uint8_t *in, size_t len)
{
    uint8_t message[HEADER + TWIN_EXCHANGE_MAX] = {'X'};
    for (int i = 0; i < 8; i++)
        message[1 + i] = (uint8_t)(time_us >> (56 - 8 * i));
    memcpy(message + HEADER, out, len);
    assert_int_equal(send(program->spi, message, HEADER + len, MSG_NOSIGNAL), HEADER + len);
    assert_int_equal(recv(program->spi, message, sizeof message, 0), HEADER + len);
    assert_int_equal(message[0], 'X');
    memcpy(in, message + HEADER, len);
    uint64_t end_us = 0;
    for (int i = 0; i < 8; i++)
        end_us = end_us << 8 | message[1 + i];
    return end_us;
}

static uint64_t order(const struct program *program, uint64_t time_us, uint16_t units)
{
    static uint8_t sequence;
    sequence++;
    struct sl_order order = {.sequence = sequence, .apply = true, .lease_units = 40};
    uint8_t out[SL_FRAME_LEN], in[SL_FRAME_LEN];
    order.remaining_units[2] = units;
    sl_order_encode(&order, out);
    return exchange(program, time_us, out, in, sizeof out);
}

static void virtual_time_moves_with_the_messages_only(void **state)
{
    (void)state;
    struct program program;
    start(&program, "--virtual");
    struct stat info;
    assert_int_equal(stat(program.spi_path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(stat(program.control_path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);

    expect_in(command(&program, "state"), "{\"time_us\":0,\"conducting\":0,\"pins\":[\"floating\"");
    expect_in(command(&program, "run 200"), "\"pins\":[\"high\",\"high\"");
    assert_in_range(order(&program, 300000, 0), 300900, 301100);
    assert_in_range(order(&program, 310000, 40), 310900, 311100);
    command(&program, "run 2");
    expect_in(command(&program, "state"), "\"conducting\":4,");
    expect_in(command(&program, "state"), "\"pins\":[\"high\",\"high\",\"low\",");
    expect_in(command(&program, "state\n"), "\"exchanges\":2,");
    expect_in(command(&program, "run 9000"), "\"conducting\":0,");
    assert_string_equal(command(&program, "quit"), "ok");
    expect_end(&program);
}

static void faults_come_and_go(void **state)
{
    (void)state;
    struct program program;
    start(&program, "--virtual");
    command(&program, "run 200");
    order(&program, 0, 0);
    command(&program, "run 5");
    order(&program, 0, 400);
    expect_in(command(&program, "run 5"), "\"conducting\":4,");
    assert_string_equal(command(&program, "hang"), "ok");
    expect_in(command(&program, "run 70"), "\"conducting\":0,");
    expect_in(command(&program, "state"), "\"watchdog_resets\":1,");
    assert_string_equal(command(&program, "stuck 7 low"), "ok");
    expect_in(command(&program, "state"), "\"conducting\":128,");
    assert_string_equal(command(&program, "free 7"), "ok");
    expect_in(command(&program, "state"), "\"conducting\":0,");
    assert_string_equal(command(&program, "cut"), "ok");
    expect_in(command(&program, "state"), "\"link\":\"cut\"");
    uint8_t out[4] = {0}, in[4];
    exchange(&program, 0, out, in, sizeof in);
    assert_memory_equal(in, "\xFF\xFF\xFF\xFF", 4);
    assert_string_equal(command(&program, "join"), "ok");
    assert_string_equal(command(&program, "power off"), "ok");
    expect_in(command(&program, "state"), "\"powered\":false");
    expect_in(command(&program, "state"), "\"pins\":[\"floating\"");
    assert_string_equal(command(&program, "power on"), "ok");
    assert_string_equal(command(&program, "bit-errors 0.001"), "ok");
    assert_string_equal(command(&program, "frame-loss 0.5"), "ok");
    assert_string_equal(command(&program, "oscillator -10"), "ok");
    assert_string_equal(command(&program, "reset"), "ok");
    assert_string_equal(command(&program, "brown-out"), "ok");
    expect_in(command(&program, "run 300"), "\"powered\":true,\"link\":\"up\",\"resets\":");
    command(&program, "quit");
    expect_end(&program);
}

static void nonsense_is_refused_with_what_is_allowed(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "jump",     "state 1",       "run",          "run -1",          "run nan",
        "run 1e30", "run 5x",        "bit-errors 2", "bit-errors",      "stuck 8 low",
        "stuck 2",  "stuck 2 lowly", "free",         "free 22",         "oscillator 11",
        "power",    "power maybe",   "hang up",      "statestatestate",
    };
    struct program program;
    start(&program, "--virtual");
    char line[300];
    memset(line, 'a', sizeof line - 1);
    line[sizeof line - 1] = 0;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        expect_in(command(&program, lines[i]), "error: ");
    expect_in(command(&program, line), "error: unknown command; use state, run MS, ");
    expect_in(command(&program, "state"), "{\"time_us\":0,");

    /* A node that does not speak the protocol, or asks for a century, loses its connection. */
    static const struct {
        const char *bytes;
        size_t len;
    } messages[] = {
        {"X", 1}, {"X12345678", 9}, {"Y123456789", 10}, {"X\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF!", 10}};
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        char answer[8];
        send(program.spi, messages[i].bytes, messages[i].len, MSG_NOSIGNAL);
        assert_int_equal(recv(program.spi, answer, sizeof answer, 0), 0);
        close(program.spi);
        program.spi = connect_to(program.spi_path);
    }
    order(&program, 0, 0);
    command(&program, "quit");
    expect_end(&program);
}

static void a_second_node_is_turned_away_and_a_next_one_served(void **state)
{
    (void)state;
    struct program program;
    start(&program, "--virtual");
    order(&program, 0, 0);
    int second = connect_to(program.spi_path);
    char answer[8];
    assert_true(recv(second, answer, sizeof answer, 0) <= 0);
    close(second);
    order(&program, 0, 0);
    close(program.spi);
    program.spi = connect_to(program.spi_path);
    order(&program, 0, 0);
    command(&program, "quit");
    expect_end(&program);
}

static void a_path_in_use_is_left_alone_and_a_dead_one_taken(void **state)
{
    (void)state;
    struct program program;
    start(&program, "--virtual");
    assert_int_equal(exit_code(spawn(&program, "--virtual")), 1);
    expect_in(command(&program, "state"), "\"time_us\":0,");

    kill(program.pid, SIGKILL);
    waitpid(program.pid, NULL, 0);
    close(program.control);
    close(program.spi);
    program.pid = spawn(&program, "--virtual");
    program.control = connect_to(program.control_path);
    program.spi = connect_to(program.spi_path);
    command(&program, "quit");
    assert_int_equal(exit_code(program.pid), 0);
    close(program.control);
    close(program.spi);

    FILE *file = fopen(program.spi_path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(exit_code(spawn(&program, "--virtual")), 1);
    assert_int_equal(unlink(program.spi_path), 0);
    assert_int_equal(rmdir(program.folder), 0);
}

/* Paced by the clock: the answers come, the time does not run ahead, a signal ends it cleanly. */
static void its_own_pace_is_the_clocks(void **state)
{
    (void)state;
    struct program program;
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    start(&program, "--oscillator=0");
    expect_in(command(&program, "run 5"), "error: run: ");
    uint64_t end_us = 0;
    for (int i = 0; i < 100; i++)
        end_us = order(&program, 0, 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    int64_t wall_us =
        (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
    assert_true(end_us >= 100 * 1900);
    assert_true((int64_t)end_us <= wall_us + 2000);
    kill(program.pid, SIGTERM);
    expect_end(&program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(virtual_time_moves_with_the_messages_only),
        cmocka_unit_test(faults_come_and_go),
        cmocka_unit_test(nonsense_is_refused_with_what_is_allowed),
        cmocka_unit_test(a_second_node_is_turned_away_and_a_next_one_served),
        cmocka_unit_test(a_path_in_use_is_left_alone_and_a_dead_one_taken),
        cmocka_unit_test(its_own_pace_is_the_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
