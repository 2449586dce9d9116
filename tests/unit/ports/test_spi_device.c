/* The relay chip on a spidev: the node's own SPI calls, through spi_seam.h, on the wires of the
 * simulated ATmega168 with the real firmware. What is asked of the kernel is what moves the edges,
 * so a pause that is missing or a chip select that is let go shows as it would on the bench. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "chip_spi.h"
#include "link/master.h"
#include "spi_device.h"
#include "spi_seam.h"
#include "twin/chip.h"
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/spi/spidev.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOOT_US  200000
#define FRAME_MS 1 /* what an exchange takes, for the master's clock */

static struct twin_chip *chip;
static bool holds; /* the bus stands still until released is posted */
static sem_t is_held, released;

static void on_select(bool selected)
{
    twin_chip_select(chip, selected);
}

static uint8_t on_clock(uint8_t out, uint32_t hz, uint8_t mode)
{
    if (mode != SPI_MODE_0) /* the twin knows no other */
        return UINT8_MAX;
    return twin_chip_clock(chip, out, hz);
}

static void on_pause(uint32_t us)
{
    if (holds) {
        holds = false;
        sem_post(&is_held);
        sem_wait(&released);
    }
    twin_chip_run(chip, twin_chip_now_us(chip) + us);
}

static int set_up(void **state)
{
    const char *elf = getenv("SL_CHIP_ELF"), *why;
    const struct twin_chip_options options = {.elf_path = elf ? elf : SL_CHIP_ELF};
    struct posix_failure failure;

    (void)state;
    chip = twin_chip_create(&options, &why);
    if (!chip) {
        print_error("%s\n", why);
        return -1;
    }
    twin_chip_run(chip, BOOT_US);
    spi_seam = (struct spi_seam){.select = on_select, .clock = on_clock, .pause = on_pause};
    return posix_chip_spi_init(SPI_SEAM_DEVICE, &failure) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    twin_chip_destroy(chip);
    return 0;
}

static void pass_ms(uint32_t ms)
{
    twin_chip_run(chip, twin_chip_now_us(chip) + ms * 1000);
}

/* Sleep as the loop does until the exchange is over. Gives: whether there was an answer. */
static bool exchange(const uint8_t out[SL_FRAME_LEN], uint8_t in[SL_FRAME_LEN])
{
    struct posix_wait wait;

    sl_port_spi_start(out);
    posix_wait_init(&wait, 0);
    posix_chip_wait(&wait);
    posix_wait_sleep(&wait);
    return sl_port_spi_take(in);
}

static bool ask(uint8_t sequence, struct sl_chip_status *status)
{
    const struct sl_order order = {.sequence = sequence};
    uint8_t out[SL_FRAME_LEN], in[SL_FRAME_LEN];

    sl_order_encode(&order, out);
    const bool is_valid = exchange(out, in) && sl_chip_status_decode(in, status) == SL_OK;
    pass_ms(SL_MASTER_GAP_MS);
    return is_valid;
}

/* The master's whole conversation, ms by ms, as ports/run.c makes it. Gives: zones confirmed. */
static uint8_t converse(struct sl_master *master, sl_ms *now, uint32_t ms)
{
    uint8_t out[SL_FRAME_LEN], in[SL_FRAME_LEN], confirmed = 0;
    struct sl_link_event event;

    for (const sl_ms end = *now + ms; !sl_ms_is_reached(*now, end); (*now)++) {
        pass_ms(1);
        if (sl_master_peek(master, *now, out)) {
            sl_master_sent(master, *now);
            *now += FRAME_MS;
            if (exchange(out, in))
                sl_master_feed(master, *now, in, sizeof in);
        }
        while (sl_master_next(master, &event))
            if (event.kind == SL_LINK_CONFIRMED)
                confirmed |= event.zones;
    }
    return confirmed;
}

static void the_device_is_set_to_what_the_link_needs(void **state)
{
    (void)state;
    assert_int_equal(spi_seam.mode, SPI_MODE_0);
    assert_int_equal(spi_seam.bits, 8);
    assert_int_equal(spi_seam.max_hz, 500000);
}

static void a_zone_goes_on_and_off_and_is_read_back(void **state)
{
    struct sl_master master;
    sl_ms now = UINT32_MAX - 500;

    (void)state;
    sl_master_init(&master, now, SL_LINK_LEASE_MS);
    (void)converse(&master, &now, 300);
    assert_true(master.is_up);
    assert_int_equal(sl_master_switch_on(&master, now, 3, now + 5000), SL_OK);
    assert_int_equal(converse(&master, &now, 100), 0x08);
    assert_int_equal(twin_chip_conducting(chip), 0x08);
    sl_master_switch_off(&master, now, 0x08);
    assert_int_equal(converse(&master, &now, 100), 0x08);
    assert_int_equal(twin_chip_conducting(chip), 0);
    assert_int_equal(master.bad_frames, 0);
}

static void no_frame_of_two_thousand_is_bad(void **state)
{
    struct sl_chip_status status;
    unsigned bad = 0;

    (void)state;
    (void)ask(0, &status);
    for (unsigned i = 1; i <= 2000; i++) {
        if (!ask((uint8_t)i, &status) || status.sequence != (uint8_t)(i - 1))
            bad++;
        pass_ms(i % 3); /* against the chip's tick, at every angle */
    }
    assert_int_equal(bad, 0);
    assert_int_equal(status.dropped_frames, 0);
    assert_int_equal(twin_chip_counts(chip).overruns, 0);
    assert_int_equal(twin_chip_counts(chip).collisions, 0);
    assert_false(spi_seam.is_selected);
}

static void the_pauses_are_as_long_as_the_link_asks(void **state)
{
    struct sl_chip_status status;
    const uint64_t before = twin_chip_now_us(chip);

    (void)state;
    (void)ask(1, &status);
    /* Lead, 26 bytes of 16 us and a pause each; the step of the twin's clock may be lost in each.
     */
    const uint64_t took = twin_chip_now_us(chip) - before - SL_MASTER_GAP_MS * 1000;
    assert_in_range(took, 26 * 16 + 27 * 19, 26 * 16 + 27 * 21);
    assert_int_equal(spi_seam.messages, 1);
}

static void a_failed_exchange_has_no_answer(void **state)
{
    struct sl_chip_status status;

    (void)state;
    spi_seam.error = EIO;
    assert_false(ask(1, &status));
    assert_false(ask(2, &status));
    spi_seam.error = 0;
    assert_true(ask(3, &status));
    assert_int_equal(status.sequence, 0); /* nothing of the failed ones reached the chip */
}

static void a_bus_that_stands_still_holds_nobody_up(void **state)
{
    uint8_t out[SL_FRAME_LEN], in[SL_FRAME_LEN];
    struct sl_chip_status status;

    (void)state;
    assert_true(ask(1, &status));
    sl_order_encode(&(struct sl_order){.sequence = 2}, out);
    holds = true;
    sl_port_spi_start(out);
    sem_wait(&is_held);
    assert_false(sl_port_spi_take(in));
    sl_order_encode(&(struct sl_order){.sequence = 3}, out);
    sl_port_spi_start(out); /* the node gave the first one up */
    assert_false(sl_port_spi_take(in));
    sem_post(&released);

    struct posix_wait wait;
    posix_wait_init(&wait, 0);
    posix_chip_wait(&wait);
    posix_wait_sleep(&wait);
    assert_false(sl_port_spi_take(in)); /* nobody asks for that answer any more */
    pass_ms(SL_MASTER_GAP_MS);
    assert_true(ask(4, &status));
    assert_int_equal(status.sequence, 2); /* 3 was lost, as on a bus */
    assert_int_equal(spi_seam.messages, 3);
}

static void what_is_no_spidev_is_refused_in_words(void **state)
{
    struct posix_failure failure;

    (void)state;
    assert_int_equal(posix_spi_open("/dev/spidev.that.is.not", &failure), -1);
    assert_non_null(strstr(failure.line, "/dev/spidev.that.is.not"));
    assert_non_null(strstr(failure.line, "dtparam=spi=on"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_device_is_set_to_what_the_link_needs),
        TEST(a_zone_goes_on_and_off_and_is_read_back),
        TEST(no_frame_of_two_thousand_is_bad),
        TEST(the_pauses_are_as_long_as_the_link_asks),
        TEST(a_failed_exchange_has_no_answer),
        TEST(a_bus_that_stands_still_holds_nobody_up),
        TEST(what_is_no_spidev_is_refused_in_words),
    };
#undef TEST
    sem_init(&is_held, 0, 0);
    sem_init(&released, 0, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
