/* Relays without a relay chip: the node's own SPI calls, the relay process, the real libgpiod on
 * gpio_seam.h. Real time goes by here, so what is waited for has a wide limit, and nothing depends
 * on when within it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "chip.h"
#include "gpio_lines.h"
#include "gpio_seam.h"
#include "link/master.h"
#include "relay_process.h"
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 10000
#define LINES   ((1u << 10) | (1u << 11) | (1u << 12)) /* zones 0 to 2 */

static struct sl_master master;
static uint8_t confirmed, unconfirmed, ended, ran; /* zones; ran: by the status */

static void start_relays(void)
{
    struct posix_failure failure;
    const struct posix_outputs *outputs = posix_gpio_open(GPIO_SEAM_NAME ":10,11,12", &failure);

    assert_non_null(outputs);
    assert_true(posix_relays_start(outputs, &failure));
    sl_master_init(&master, sl_port_now(), SL_MASTER_LEASE_MIN_MS);
}

static int set_up(void **state)
{
    (void)state;
    gpio_seam_start();
    start_relays();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    posix_relays_stop();
    posix_gpio_close();
    assert_int_equal(gpio_seam->low | gpio_seam->ever_high, 0);
    return 0;
}

static void pass_a_ms(void)
{
    const struct timespec ms = {.tv_nsec = 1000000};

    nanosleep(&ms, NULL);
}

/* One turn of the node's loop. */
static void turn(void)
{
    uint8_t frame[SL_FRAME_LEN];
    struct sl_link_event event;

    if (sl_port_spi_take(frame))
        sl_master_feed(&master, sl_port_now(), frame, sizeof frame);
    if (sl_master_peek(&master, sl_port_now(), frame)) {
        sl_master_sent(&master, sl_port_now());
        sl_port_spi_start(frame);
    }
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        if (master.status.remaining_units[zone] > 0)
            ran |= (uint8_t)(1u << zone);
    while (sl_master_next(&master, &event)) {
        if (event.kind == SL_LINK_CONFIRMED)
            confirmed |= event.zones;
        if (event.kind == SL_LINK_UNCONFIRMED)
            unconfirmed |= event.zones;
        if (event.kind == SL_LINK_ENDED)
            ended |= event.zones;
    }
    pass_a_ms();
}

static void connect_link(void)
{
    for (int ms = 0; ms < WAIT_MS && !master.is_up; ms++)
        turn();
    assert_true(master.is_up);
}

static void switch_on(uint8_t zone, uint32_t ms)
{
    confirmed = unconfirmed = ended = ran = 0;
    const sl_ms now = sl_port_now();
    assert_int_equal(sl_master_switch_on(&master, now, zone, now + ms), SL_OK);
    for (int i = 0; i < WAIT_MS && (confirmed | unconfirmed) == 0; i++)
        turn();
}

static void wait_until_off(void)
{
    for (int ms = 0; ms < WAIT_MS && gpio_seam->low != 0; ms++)
        pass_a_ms();
    assert_int_equal(gpio_seam->low, 0);
}

static void a_zone_goes_on_is_read_back_and_ends(void **state)
{
    (void)state;
    connect_link();
    assert_int_equal(master.status.version, 1);
    switch_on(1, 300);
    assert_int_equal(confirmed, 0x02);
    assert_int_equal(gpio_seam->low, 1u << 11);
    for (int ms = 0; ms < WAIT_MS && gpio_seam->low != 0; ms++)
        turn();
    assert_int_equal(gpio_seam->low, 0);
    assert_int_equal(gpio_seam->ever_low, 1u << 11);
}

static void a_zone_without_a_relay_is_never_confirmed(void **state)
{
    (void)state;
    connect_link();
    switch_on(7, 5000);
    assert_int_equal(unconfirmed, 0x80);
    assert_int_equal(ran, 0);
    assert_int_equal(gpio_seam->ever_low, 0);
}

static void a_node_that_stands_still_loses_the_lease(void **state)
{
    (void)state;
    connect_link();
    switch_on(0, 60000);
    assert_int_equal(confirmed, 0x01);
    wait_until_off();
    assert_int_equal(ended, 0);
    for (int ms = 0; ms < WAIT_MS && ended == 0; ms++)
        turn();
    assert_int_equal(ended, 0x01);
    assert_int_equal(gpio_seam->low, 0);
}

/* The node is a child of the test here, and the relays' process a child of that; the test takes
 * over an orphan so that it can see its end. */
static void a_killed_node_leaves_everything_off(void **state)
{
    int status;

    (void)state;
    posix_relays_stop();
    posix_gpio_close();
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    const pid_t node = fork();
    if (node == 0) {
        start_relays();
        connect_link();
        switch_on(2, 60000);
        for (;;)
            turn();
    }
    for (int ms = 0; ms < WAIT_MS && gpio_seam->low == 0; ms++)
        pass_a_ms();
    assert_int_equal(gpio_seam->low, 1u << 12);
    assert_int_equal(kill(node, SIGKILL), 0);
    assert_int_equal(waitpid(node, &status, 0), node);
    pid_t orphan = 0;
    for (int ms = 0; ms < WAIT_MS && (orphan = waitpid(-1, &status, WNOHANG)) == 0; ms++)
        pass_a_ms();
    assert_true(orphan > 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(gpio_seam->low, 0);
}

static void a_stopped_node_takes_its_relays_along(void **state)
{
    (void)state;
    connect_link();
    switch_on(0, 60000);
    assert_int_equal(gpio_seam->low, 1u << 10);
    posix_relays_stop();
    assert_int_equal(gpio_seam->low, 0);
    posix_relays_stop(); /* twice is once */
    assert_int_equal(wait(NULL), -1);
    assert_int_equal(errno, ECHILD);
}

static pid_t relay_process(void)
{
    char path[64], text[32] = "";

    snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    return (pid_t)strtol(text, NULL, 10);
}

/* Not ended, so nothing tells but its silence. What it finds when it goes on switches nothing on.
 */
static void a_process_that_stands_still_loses_its_relays(void **state)
{
    (void)state;
    connect_link();
    switch_on(0, 60000);
    assert_int_equal(gpio_seam->low, 1u << 10);
    const pid_t process = relay_process();
    assert_int_equal(kill(process, SIGSTOP), 0);
    for (int ms = 0; ms < WAIT_MS && master.is_up; ms++) {
        posix_relays_watch(sl_port_now(), master.is_up, SL_MASTER_LEASE_MIN_MS);
        turn();
    }
    assert_int_equal(gpio_seam->low, 1u << 10);
    for (int ms = 0; ms < WAIT_MS && gpio_seam->low != 0; ms++) {
        posix_relays_watch(sl_port_now(), master.is_up, SL_MASTER_LEASE_MIN_MS);
        turn();
    }
    assert_int_equal(gpio_seam->low, 0);
    gpio_seam->ever_low = 0;
    assert_int_equal(kill(process, SIGCONT), 0);
    connect_link();
    assert_int_equal(gpio_seam->ever_low, 0);
    switch_on(1, 60000);
    assert_int_equal(confirmed, 0x02);
}

static void outputs_that_fail_end_the_process(void **state)
{
    (void)state;
    connect_link();
    switch_on(0, 60000);
    gpio_seam->error = EIO;
    for (int ms = 0; ms < WAIT_MS && posix_relays_are_held(); ms++)
        turn();
    assert_false(posix_relays_are_held());
    gpio_seam->error = 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_zone_goes_on_is_read_back_and_ends),
        TEST(a_zone_without_a_relay_is_never_confirmed),
        TEST(a_node_that_stands_still_loses_the_lease),
        TEST(a_killed_node_leaves_everything_off),
        TEST(a_stopped_node_takes_its_relays_along),
        TEST(a_process_that_stands_still_loses_its_relays),
        TEST(outputs_that_fail_end_the_process),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
