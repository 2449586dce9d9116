/* What system tests stand on: real programs in a temporary folder, with an end to every wait.
 *
 * Whatever the harness itself cannot do (no port, no folder, a program that does not start) fails
 * the running test. Programs die with the test program, whatever happens to it.
 */
#ifndef TEST_SYSTEM_HARNESS_H
#define TEST_SYSTEM_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#define TEST_PATH_MAX 108 /* fits a Unix socket's address */
#define TEST_ARGS_MAX 40

/* Generous: a wait that is met ends at once, and a machine may be busy. */
#define TEST_WAIT_MS 60000

/* A temporary folder, removed with everything in it. */
struct test_place {
    char folder[64];
};
void test_place_make(struct test_place *place);
void test_place_remove(struct test_place *place);
/* folder/name */
struct test_path {
    char text[TEST_PATH_MAX];
};
struct test_path test_place_path(const struct test_place *place, const char *name);

/* A program whose output goes to a file. */
struct test_process {
    pid_t pid;  /* 0: not running */
    int status; /* as waitpid gives it, once it has ended */
    char name[32];
    struct test_path output;
};
/* args: without argv[0], NULL at the end; environment: "NAME=value" added, or NULL. Output goes
 * to <name>.out in the place, anew at every start. */
void test_start(struct test_process *process, const struct test_place *place, const char *name,
                const char *program, const char *const *args, const char *environment);
/* Run to the end; gives the exit status, -1 when it did not end by itself in time. */
int test_run(const struct test_place *place, const char *name, const char *program,
             const char *const *args);
void test_signal(const struct test_process *process, int signal);
/* Gives: the exit status; 128 + n when ended by signal n; -1 when it still runs after ms. */
int test_wait_exit(struct test_process *process, uint32_t ms);
/* End it, if it runs. */
void test_stop(struct test_process *process);
bool test_is_running(struct test_process *process);

/* Output so far: is text in it, how often, and wait until it is there count times. */
unsigned test_count(const struct test_process *process, const char *text);
bool test_wait_for(const struct test_process *process, const char *text, unsigned count,
                   uint32_t ms);
/* As above, but fail the test and show the output when it does not come. */
#define test_expect(process, text, count)                                                          \
    test_expect_at((process), (text), (count), TEST_WAIT_MS, __FILE__, __LINE__)
void test_expect_at(const struct test_process *process, const char *text, unsigned count,
                    uint32_t ms, const char *file, int line);
void test_show(const struct test_process *process);

/* Figures of a running process, from /proc. */
long test_resident_kb(const struct test_process *process);
long test_wakeups(const struct test_process *process); /* voluntary context switches */

uint64_t test_now_ms(void);
void test_pause(uint32_t ms);
uint16_t test_free_port(void);
bool test_has_ipv6(void);

#endif
