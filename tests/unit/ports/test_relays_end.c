/* The relay process killed: the node notices, and switches everything off in its place; also where
 * a parent has left SIGCHLD ignored, so that the system reaps the process by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "relay_process.h"
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TURNS 2000 /* of 1 ms */

static unsigned drives; /* of this process, not of the relays' own */
static uint8_t driven;

static bool drive(uint8_t zones)
{
    drives++;
    driven = zones;
    return true;
}

static bool read_back(uint8_t *zones)
{
    *zones = driven;
    return true;
}

static const struct posix_outputs outputs = {
    .name = "test", .zones = 0xFF, .version = 1, .drive = drive, .read = read_back};

static pid_t only_child(void)
{
    char path[64], text[32] = "";

    snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    return (pid_t)strtol(text, NULL, 10);
}

static void check_killed_process_is_noticed(void)
{
    struct posix_failure failure;

    drives = 0;
    driven = 0xFF;
    assert_true(posix_relays_start(&outputs, &failure));
    assert_true(posix_relays_are_held());
    assert_int_equal(kill(only_child(), SIGKILL), 0);
    for (int i = 0; i < TURNS && posix_relays_are_held(); i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_false(posix_relays_are_held());
    assert_int_equal(drives, 1);
    assert_int_equal(driven, 0);
}

static void a_killed_process_is_noticed(void **state)
{
    (void)state;
    signal(SIGCHLD, SIG_DFL);
    check_killed_process_is_noticed();
}

static void a_process_that_the_system_reaps_is_noticed(void **state)
{
    (void)state;
    signal(SIGCHLD, SIG_IGN);
    check_killed_process_is_noticed();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_process_is_noticed),
        cmocka_unit_test(a_process_that_the_system_reaps_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
