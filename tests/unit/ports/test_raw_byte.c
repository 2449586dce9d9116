/* The original project's byte, on spi_seam.h: what goes over the wires. The firmware that takes it
 * is not ours and was not run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "link/frame.h"
#include "raw_byte.h"
#include "spi_seam.h"
#include <cmocka.h>
#include <errno.h>
#include <string.h>

static uint8_t heard[4]; /* of one frame */
static unsigned heard_len, frames;

static void on_select(bool selected)
{
    if (selected)
        heard_len = 0;
    else
        frames++;
}

static uint8_t on_clock(uint8_t out, uint32_t hz, uint8_t mode)
{
    assert_int_equal(mode, 0);
    assert_in_range(hz, 1, 500000);
    assert_in_range(heard_len, 0, sizeof heard - 1);
    heard[heard_len++] = out;
    return UINT8_MAX; /* nothing drives MISO */
}

static void on_pause(uint32_t us)
{
    assert_in_range(us, 20, 1000);
}

static const struct posix_outputs *open_raw(void)
{
    struct posix_failure failure;

    spi_seam = (struct spi_seam){.select = on_select, .clock = on_clock, .pause = on_pause};
    frames = 0;
    return posix_raw_open(SPI_SEAM_DEVICE, &failure);
}

static void assert_heard(unsigned frame, uint8_t byte)
{
    assert_int_equal(frames, frame);
    assert_int_equal(heard_len, 1);
    assert_int_equal(heard[0], byte);
}

static void every_relay_is_off_at_the_start(void **state)
{
    (void)state;
    assert_non_null(open_raw());
    assert_heard(1, 0xFF);
}

static void a_relay_that_is_on_is_a_zero(void **state)
{
    const struct posix_outputs *raw = open_raw();

    (void)state;
    for (unsigned zone = 0; zone < 8; zone++) {
        assert_true(raw->drive((uint8_t)(1u << zone)));
        assert_heard(2 + zone, (uint8_t) ~(1u << zone));
    }
}

static void what_is_read_is_what_was_sent_and_says_so(void **state)
{
    const struct posix_outputs *raw = open_raw();
    uint8_t zones = 0xFF;

    (void)state;
    assert_int_equal(raw->version, SL_CHIP_VERSION_BLIND);
    assert_true(raw->read(&zones) && zones == 0);
    assert_true(raw->drive(0x42));
    assert_true(raw->read(&zones) && zones == 0x42);
    spi_seam.error = EIO;
    assert_false(raw->drive(0x01));
    assert_true(raw->read(&zones) && zones == 0x42);
}

static void a_bus_that_takes_nothing_is_refused_in_words(void **state)
{
    struct posix_failure failure;

    (void)state;
    spi_seam.error = EIO;
    assert_null(posix_raw_open(SPI_SEAM_DEVICE, &failure));
    assert_non_null(
        strstr(failure.line, SPI_SEAM_DEVICE ": no byte could be sent (Input/output error)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_relay_is_off_at_the_start),
        cmocka_unit_test(a_relay_that_is_on_is_a_zero),
        cmocka_unit_test(what_is_read_is_what_was_sent_and_says_so),
        cmocka_unit_test(a_bus_that_takes_nothing_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
