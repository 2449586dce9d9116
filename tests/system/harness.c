/* Folders, processes and their output. */
#include "harness.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_EVERY_MS 10
#define STOP_MS       3000

static char *read_output(const struct test_process *process);
static long read_status_field(const struct test_process *process, const char *field);

void test_place_make(struct test_place *place)
{
    snprintf(place->folder, sizeof place->folder, "/tmp/sluice-test-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
}

struct test_path test_place_path(const struct test_place *place, const char *name)
{
    struct test_path path;
    const int len = snprintf(path.text, sizeof path.text, "%s/%s", place->folder, name);

    assert_true(len > 0 && (size_t)len < sizeof path.text);
    return path;
}

static void remove_at(int dir_fd, const char *name)
{
    const int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0) {
        DIR *dir = fdopendir(fd);
        struct dirent *entry;

        while (dir && (entry = readdir(dir)) != NULL)
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                remove_at(dirfd(dir), entry->d_name);
        if (dir)
            closedir(dir);
    }
    (void)unlinkat(dir_fd, name, fd >= 0 ? AT_REMOVEDIR : 0);
}

void test_place_remove(struct test_place *place)
{
    if (place->folder[0] != '\0' && !getenv("SL_TEST_KEEP"))
        remove_at(AT_FDCWD, place->folder);
    place->folder[0] = '\0';
}

void test_start(struct test_process *process, const struct test_place *place, const char *name,
                const char *program, const char *const *args, const char *environment)
{
    char file[48], *argv[TEST_ARGS_MAX + 2];
    const pid_t parent = getpid();
    size_t argc = 0;

    memset(process, 0, sizeof *process);
    snprintf(process->name, sizeof process->name, "%s", name);
    snprintf(file, sizeof file, "%s.out", process->name);
    process->output = test_place_path(place, file);
    argv[argc++] = (char *)program;
    for (; args[argc - 1]; argc++) {
        assert_true(argc <= TEST_ARGS_MAX);
        argv[argc] = (char *)args[argc - 1];
    }
    argv[argc] = NULL;

    const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int out =
        open(process->output.text, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    assert_true(in >= 0 && out >= 0);
    process->pid = fork();
    assert_true(process->pid >= 0);
    if (process->pid > 0) {
        close(in);
        close(out);
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 ||
        (environment && putenv((char *)environment) != 0))
        _exit(126);
    execvp(program, argv);
    fprintf(stderr, "%s: %s\n", program, strerror(errno));
    _exit(127);
}

int test_run(const struct test_place *place, const char *name, const char *program,
             const char *const *args)
{
    struct test_process process;

    test_start(&process, place, name, program, args, NULL);
    const int status = test_wait_exit(&process, TEST_WAIT_MS);
    test_stop(&process);
    return status;
}

void test_signal(const struct test_process *process, int signal)
{
    assert_true(process->pid > 0);
    assert_int_equal(kill(process->pid, signal), 0);
}

bool test_is_running(struct test_process *process)
{
    if (process->pid > 0 && waitpid(process->pid, &process->status, WNOHANG) == process->pid)
        process->pid = 0;
    return process->pid > 0;
}

int test_wait_exit(struct test_process *process, uint32_t ms)
{
    const uint64_t end = test_now_ms() + ms;

    while (test_is_running(process)) {
        if (test_now_ms() >= end)
            return -1;
        test_pause(LOOK_EVERY_MS);
    }
    return WIFSIGNALED(process->status) ? 128 + WTERMSIG(process->status)
                                        : WEXITSTATUS(process->status);
}

void test_stop(struct test_process *process)
{
    if (!test_is_running(process))
        return;
    kill(process->pid, SIGCONT);
    kill(process->pid, SIGTERM);
    if (test_wait_exit(process, STOP_MS) != -1)
        return;
    kill(process->pid, SIGKILL);
    waitpid(process->pid, &process->status, 0);
    process->pid = 0;
}

unsigned test_count(const struct test_process *process, const char *text)
{
    char *output = read_output(process);
    unsigned count = 0;

    for (const char *at = output; (at = strstr(at, text)) != NULL; at += strlen(text))
        count++;
    free(output);
    return count;
}

bool test_wait_for(const struct test_process *process, const char *text, unsigned count,
                   uint32_t ms)
{
    const uint64_t end = test_now_ms() + ms;

    while (test_count(process, text) < count) {
        if (test_now_ms() >= end)
            return false;
        test_pause(LOOK_EVERY_MS);
    }
    return true;
}

void test_expect_at(const struct test_process *process, const char *text, unsigned count,
                    uint32_t ms, const char *file, int line)
{
    if (test_wait_for(process, text, count, ms))
        return;
    test_show(process);
    print_error("%s: '%s' did not come (%u times) in %u ms\n", process->name, text, count, ms);
    _fail(file, line);
}

void test_show(const struct test_process *process)
{
    char *output = read_output(process);
    const size_t len = strlen(output);

    fprintf(stderr, "-- output of %s, its end:\n%s\n--\n", process->name,
            output + (len > 6000 ? len - 6000 : 0));
    free(output);
}

long test_resident_kb(const struct test_process *process)
{
    return read_status_field(process, "VmRSS:");
}

long test_wakeups(const struct test_process *process)
{
    return read_status_field(process, "voluntary_ctxt_switches:");
}

uint64_t test_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void test_pause(uint32_t ms)
{
    const struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};

    nanosleep(&pause, NULL);
}

uint16_t test_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

bool test_has_ipv6(void)
{
    const struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool has = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;

    if (fd >= 0)
        close(fd);
    return has;
}

/* From malloc; empty while there is none. NUL bytes become '?', so that a search sees all of it. */
static char *read_output(const struct test_process *process)
{
    FILE *file = fopen(process->output.text, "r");
    size_t len = 0, max = 1 << 16;
    char *text = malloc(max);

    assert_non_null(text);
    for (size_t got; file && (got = fread(text + len, 1, max - len - 1, file)) > 0;) {
        len += got;
        if (len + 1 == max) {
            text = realloc(text, max *= 2);
            assert_non_null(text);
        }
    }
    if (file)
        fclose(file);
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\0')
            text[i] = '?';
    text[len] = '\0';
    return text;
}

static long read_status_field(const struct test_process *process, const char *field)
{
    char path[40], line[256];
    long value = -1;

    snprintf(path, sizeof path, "/proc/%ld/status", (long)process->pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (value < 0 && fgets(line, sizeof line, file))
        if (strncmp(line, field, strlen(field)) == 0)
            value = strtol(line + strlen(field), NULL, 10);
    fclose(file);
    assert_true(value >= 0);
    return value;
}
