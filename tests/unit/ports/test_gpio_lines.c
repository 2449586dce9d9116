/* Relays on GPIO lines: the real libgpiod, on gpio_seam.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "gpio_lines.h"
#include "gpio_seam.h"
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#define SPEC GPIO_SEAM_NAME ":17,27,22,5,6,13,19,26"

static const unsigned lines[] = {17, 27, 22, 5, 6, 13, 19, 26};
static const struct posix_outputs *outputs;
static struct posix_failure failure;

static int set_up(void **state)
{
    (void)state;
    gpio_seam_start();
    outputs = posix_gpio_open(SPEC, &failure);
    return outputs ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    posix_gpio_close();
    return 0;
}

static uint8_t pins(void)
{
    uint8_t zones;

    assert_true(outputs->read(&zones));
    return zones;
}

static void every_line_is_off_from_the_first_instant(void **state)
{
    (void)state;
    assert_int_not_equal(gpio_seam->handle, -1);
    assert_int_equal(gpio_seam->ever_low, 0);
    assert_int_equal(gpio_seam->ever_high, 0);
    assert_int_equal(pins(), 0);
    assert_int_equal(outputs->zones, 0xFF);
}

static void each_zone_drives_its_own_line_low(void **state)
{
    (void)state;
    for (unsigned zone = 0; zone < 8; zone++) {
        assert_true(outputs->drive((uint8_t)(1u << zone)));
        assert_int_equal(gpio_seam->low, UINT32_C(1) << lines[zone]);
        assert_int_equal(pins(), 1u << zone);
    }
    assert_true(outputs->drive(0));
    assert_int_equal(gpio_seam->low, 0);
    assert_int_equal(gpio_seam->ever_high, 0); /* off is high impedance, never driven */
}

static void one_system_call_switches_all(void **state)
{
    const unsigned before = gpio_seam->sets;

    (void)state;
    assert_true(outputs->drive(0xA5));
    assert_int_equal(gpio_seam->sets, before + 1);
    assert_int_equal(pins(), 0xA5);
}

static void what_is_read_is_the_pin(void **state)
{
    (void)state;
    assert_true(outputs->drive(0x01));
    gpio_seam->held_high = UINT32_C(1) << lines[0];
    gpio_seam->held_low = UINT32_C(1) << lines[3];
    assert_int_equal(pins(), 0x08);
}

static void what_the_kernel_refuses_is_told(void **state)
{
    uint8_t zones;

    (void)state;
    gpio_seam->error = EIO;
    assert_false(outputs->drive(1));
    assert_int_equal(errno, EIO);
    assert_false(outputs->read(&zones));
    gpio_seam->error = 0;
}

static void closing_switches_off_before_it_gives_back(void **state)
{
    (void)state;
    assert_true(outputs->drive(0xFF));
    posix_gpio_close();
    assert_int_equal(gpio_seam->low | gpio_seam->high, 0);
    assert_int_equal(gpio_seam->handle, -1);
    assert_int_equal(gpio_seam->device, -1);
}

static void refuse(const char *spec, const char *why)
{
    assert_null(posix_gpio_open(spec, &failure));
    if (!strstr(failure.line, why))
        fail_msg("%s: '%s' does not say '%s'", spec, failure.line, why);
    assert_int_equal(gpio_seam->handle, -1);
    assert_int_equal(gpio_seam->device, -1);
}

static void bad_lines_are_refused_in_words(void **state)
{
    static const char *const specs[] = {
        "",
        "gpiochip0",
        ":1",
        GPIO_SEAM_NAME ":",
        GPIO_SEAM_NAME ":1,",
        GPIO_SEAM_NAME ":,1",
        GPIO_SEAM_NAME ":1;2",
        GPIO_SEAM_NAME ":-1",
        GPIO_SEAM_NAME ": 1",
        GPIO_SEAM_NAME ":1,2,1",
        GPIO_SEAM_NAME ":99999999999999999999",
        GPIO_SEAM_NAME ":1,2,3,4,5,6,7,8,9",
        "a-path-that-is-longer-than-any-gpio-chip-has-ever-been-called-so-far:1",
    };

    (void)state;
    posix_gpio_close();
    for (unsigned i = 0; i < sizeof specs / sizeof specs[0]; i++)
        refuse(specs[i], "give CHIP:LINE[,LINE...]");
    refuse("a-chip-that-is-not:1",
           "/dev/a-chip-that-is-not: there is none (No such file or directory): 'gpiodetect' "
           "lists the chips [gpio-missing]");
    refuse(GPIO_SEAM_NAME ":1,32", "has no line 32: use 0 to 31 [gpio-line-unknown]");
    gpio_seam->used = 1u << 4;
    refuse(GPIO_SEAM_NAME ":1,4", "4 is in use by 'somebody'");
    assert_int_equal(gpio_seam->ever_low | gpio_seam->ever_high, 0);
}

static void fewer_relays_are_fewer_zones(void **state)
{
    (void)state;
    posix_gpio_close();
    outputs = posix_gpio_open("/dev/" GPIO_SEAM_NAME ":3,2", &failure);
    assert_non_null(outputs);
    assert_int_equal(outputs->zones, 0x03);
    assert_true(outputs->drive(0xFF));
    assert_int_equal(gpio_seam->low, 0x0C);
    assert_int_equal(pins(), 0x03);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_line_is_off_from_the_first_instant),
        TEST(each_zone_drives_its_own_line_low),
        TEST(one_system_call_switches_all),
        TEST(what_is_read_is_the_pin),
        TEST(what_the_kernel_refuses_is_told),
        TEST(closing_switches_off_before_it_gives_back),
        TEST(bad_lines_are_refused_in_words),
        TEST(fewer_relays_are_fewer_zones),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
