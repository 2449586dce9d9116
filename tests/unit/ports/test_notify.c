/* What a service manager hears: a real datagram socket in its place. */
#include "notify.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/sluice-notify-XXXXXX", heard[256];
static int manager;

/* The next datagram; "" when there is none. */
static const char *hear(void)
{
    const ssize_t len = recv(manager, heard, sizeof heard - 1, MSG_DONTWAIT);

    heard[len > 0 ? len : 0] = '\0';
    return heard;
}

static void listen_at(const char *name, size_t name_len)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memcpy(address.sun_path, name, name_len);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(manager >= 0);
    assert_int_equal(bind(manager, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name_len)),
                     0);
}

static int set_up(void **state)
{
    char path[64];

    (void)state;
    strcpy(strrchr(folder, '-'), "-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/notify", folder);
    listen_at(path, strlen(path));
    setenv("NOTIFY_SOCKET", path, 1);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return 0;
}

static int tear_down(void **state)
{
    char path[64];

    (void)state;
    close(manager);
    snprintf(path, sizeof path, "%s/notify", folder);
    unlink(path);
    return rmdir(folder);
}

static void ready_comes_once_and_status_with_every_change(void **state)
{
    struct sl_node_health health = {.is_link_up = true};

    (void)state;
    posix_notify_init(0);
    assert_string_equal(hear(), "");
    for (sl_ms now = 0; now < 5000; now += 250)
        posix_notify_turn(now, &health);
    assert_string_equal(hear(), "READY=1");
    assert_string_equal(hear(), "STATUS=not connected to the broker; the relay chip answers");
    assert_string_equal(hear(), "");
    health.is_connected = true;
    posix_notify_turn(5000, &health);
    assert_string_equal(hear(), "STATUS=connected to the broker; the relay chip answers");
    health.is_link_up = false;
    posix_notify_turn(5001, &health);
    assert_string_equal(hear(), "STATUS=connected to the broker; the relay chip does not answer");
    health.is_connected = false;
    health.has_ended = true;
    posix_notify_turn(5002, &health);
    assert_string_equal(hear(), "STATUS=not connected to the broker, the certificate has ended; "
                                "the relay chip does not answer");
    posix_notify_stopping();
    assert_non_null(strstr(hear(), "STOPPING=1\n"));
    assert_string_equal(hear(), "");
}

/* Turns alone are no progress: exchanges with the relay chip are. */
static void the_watchdog_is_fed_at_half_its_time_while_exchanges_go_on(void **state)
{
    const sl_ms start = UINT32_MAX - 700; /* the clock wraps on the way */
    struct sl_node_health health = {.exchanges = 0};
    struct posix_wait wait;
    unsigned fed = 0;

    (void)state;
    setenv("WATCHDOG_USEC", "1000000", 1);
    posix_notify_init(start);
    posix_wait_init(&wait, start);
    posix_notify_wait(&wait);
    assert_true(wait.has_due);
    assert_int_equal(sl_ms_until(start, wait.due), 500);
    for (uint32_t ms = 0; ms <= 2000; ms += 100, health.exchanges++)
        posix_notify_turn(start + ms, &health);
    while (hear()[0] != '\0')
        fed += strcmp(heard, "WATCHDOG=1") == 0;
    assert_int_equal(fed, 4);
    for (uint32_t ms = 2100; ms <= 2500; ms += 100)
        posix_notify_turn(start + ms, &health);
    assert_string_equal(hear(), "WATCHDOG=1"); /* for the last exchange */
    for (uint32_t ms = 2600; ms <= 9000; ms += 100)
        posix_notify_turn(start + ms, &health);
    assert_string_equal(hear(), "");
    health.exchanges++;
    posix_notify_turn(start + 9500, &health);
    assert_string_equal(hear(), "WATCHDOG=1");
}

static void a_watchdog_for_another_process_is_not_ours(void **state)
{
    const struct sl_node_health health = {.exchanges = 1};
    char pid[24];

    (void)state;
    setenv("WATCHDOG_USEC", "1000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    posix_notify_init(0);
    posix_notify_turn(1000, &health);
    while (hear()[0] != '\0')
        assert_string_not_equal(heard, "WATCHDOG=1");
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    posix_notify_init(0);
    posix_notify_turn(1000, &health);
    assert_string_equal(hear(), "READY=1");
    (void)hear();
    assert_string_equal(hear(), "WATCHDOG=1");
}

static void a_name_in_abstract_space_is_reached(void **state)
{
    const struct sl_node_health health = {.exchanges = 1};
    char name[64];

    (void)state;
    close(manager);
    const int len = snprintf(name, sizeof name, "@%s", folder);
    setenv("NOTIFY_SOCKET", name, 1);
    name[0] = '\0';
    listen_at(name, (size_t)len);
    posix_notify_init(0);
    posix_notify_turn(0, &health);
    assert_string_equal(hear(), "READY=1");
}

/* Nobody listens, or the queue is full: the loop goes on. */
static void nothing_waits_for_a_service_manager(void **state)
{
    struct sl_node_health health = {.exchanges = 1};

    (void)state;
    setenv("WATCHDOG_USEC", "2000", 1);
    posix_notify_init(0);
    for (sl_ms now = 0; now < 20000; now++, health.exchanges++)
        posix_notify_turn(now, &health);
    assert_string_equal(hear(), "READY=1");
    unsetenv("NOTIFY_SOCKET");
    posix_notify_init(0);
    posix_notify_turn(0, &health);
    posix_notify_stopping();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ready_comes_once_and_status_with_every_change, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_watchdog_is_fed_at_half_its_time_while_exchanges_go_on,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_watchdog_for_another_process_is_not_ours, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_name_in_abstract_space_is_reached, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_waits_for_a_service_manager, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
