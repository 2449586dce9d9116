/* The reset at the start: the real libgpiod, on gpio_seam.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "button.h"
#include "gpio_seam.h"
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#define SPEC GPIO_SEAM_NAME ":3"
#define LINE (UINT32_C(1) << 3)

static struct posix_failure failure;

static void let_go(int number)
{
    (void)number;
    gpio_seam->held_low = 0;
}

static int set_up(void **state)
{
    (void)state;
    gpio_seam_start();
    return 0;
}

static void a_line_that_nobody_holds_is_no_reset(void **state)
{
    bool is_held = true;
    (void)state;

    gpio_seam->held_low = ~LINE; /* others do not count */
    assert_true(posix_button_read(SPEC, &is_held, &failure));
    assert_false(is_held);
    assert_int_equal(gpio_seam->ever_low, 0); /* an input */
    assert_int_equal(gpio_seam->handle, -1);  /* and given back */
    assert_int_equal(gpio_seam->device, -1);
}

static void a_line_held_all_the_time_is_one(void **state)
{
    bool is_held = false;
    (void)state;

    gpio_seam->held_low = LINE;
    assert_true(posix_button_read(SPEC, &is_held, &failure));
    assert_true(is_held);
    assert_int_equal(gpio_seam->handle, -1);
}

static void a_short_touch_is_none(void **state)
{
    const struct itimerval soon = {.it_value = {.tv_usec = POSIX_BUTTON_HELD_MS * 1000 / 4}};
    bool is_held = true;
    (void)state;

    signal(SIGALRM, let_go);
    gpio_seam->held_low = LINE;
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
    assert_true(posix_button_read(SPEC, &is_held, &failure));
    assert_false(is_held);
}

static void a_line_that_cannot_be_read_is_told(void **state)
{
    bool is_held = true;
    (void)state;

    gpio_seam->error = EIO;
    assert_false(posix_button_read(SPEC, &is_held, &failure));
    assert_false(is_held);
    assert_non_null(strstr(failure.line, "reset " SPEC));
    gpio_seam->error = 0;
    gpio_seam->used = LINE;
    assert_false(posix_button_read(SPEC, &is_held, &failure));
    assert_false(posix_button_read(GPIO_SEAM_NAME ":99", &is_held, &failure));
    assert_non_null(strstr(failure.line, "has no line 99"));
    assert_false(posix_button_read("no-such-chip:3", &is_held, &failure));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_line_that_nobody_holds_is_no_reset, set_up),
        cmocka_unit_test_setup(a_line_held_all_the_time_is_one, set_up),
        cmocka_unit_test_setup(a_short_touch_is_none, set_up),
        cmocka_unit_test_setup(a_line_that_cannot_be_read_is_told, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
