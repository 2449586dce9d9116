/* The relay lines: never on without an order, off in time by the chip alone, read back at the pin.
 */
#include "bench.h"

#include <string.h>

#define ZONE    2
#define BIT     (1u << ZONE)
#define SECONDS (1000 / SL_LINK_UNIT_MS)

static const double oscillators[] = {0.9, 1.0, 1.1};

static void lines_float_then_are_high_and_never_low_before_an_order(void **state)
{
    (void)state;
    const struct twin_chip_options options = {.elf_path = bench_elf()};
    const char *error;
    struct twin_chip *chip = twin_chip_create(&options, &error);
    assert_non_null(chip);
    twin_chip_run(chip, 60 * MS);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        assert_int_equal(twin_chip_pin(chip, zone), TWIN_FLOATING);
    twin_chip_run(chip, 66 * MS);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        assert_int_equal(twin_chip_pin(chip, zone), TWIN_HIGH);
    twin_chip_run(chip, 5000 * MS);
    assert_int_equal(twin_chip_take_conducted(chip), 0);
    twin_chip_destroy(chip);
}

static void an_order_switches_one_line_and_is_read_back(void **state)
{
    (void)state;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        struct bench bench;
        bench_start(&bench, NULL);
        bench_unlatch(&bench);
        bench_order(&bench, zone, 120 * SECONDS);
        assert_int_equal(twin_chip_conducting(bench.chip), 1u << zone);
        bench_ask(&bench);
        assert_int_equal(bench.status.pins, 1u << zone);
        assert_int_equal(bench.status.remaining_units[zone], 120 * SECONDS);
        bench_order(&bench, zone, 0);
        assert_int_equal(twin_chip_conducting(bench.chip), 0);
        bench_end(&bench);
    }
}

/* The master says nothing more: not late by more than 300 ms, however wrong the oscillator is. */
static void a_zone_ends_by_itself_in_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof oscillators / sizeof oscillators[0]; i++)
        for (uint64_t seconds = 1; seconds <= 60; seconds += seconds < 4 ? 1 : 14) {
            const struct twin_chip_options options = {.oscillator = oscillators[i]};
            struct bench bench;
            bench_start(&bench, &options);
            bench_unlatch(&bench);
            uint64_t due = twin_chip_now_us(bench.chip) + seconds * 1000 * MS;
            bench_order(&bench, ZONE, (uint16_t)(seconds * SECONDS));
            assert_int_equal(twin_chip_conducting(bench.chip), BIT);
            bench_pass(&bench, seconds * 1100 + 1000);
            assert_int_equal(twin_chip_conducting(bench.chip), 0);
            assert_in_range(twin_chip_changed_us(bench.chip), due - seconds * 250 * MS,
                            due + 300 * MS);
            bench_end(&bench);
        }
}

static void a_silent_master_loses_the_lease(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof oscillators / sizeof oscillators[0]; i++) {
        const struct twin_chip_options options = {.oscillator = oscillators[i]};
        struct bench bench;
        bench_start(&bench, &options);
        bench_unlatch(&bench);
        bench.order.lease_units = 10 * SECONDS;
        uint64_t due = twin_chip_now_us(bench.chip) + 10000 * MS;
        bench_order(&bench, ZONE, 600 * SECONDS);
        bench_pass(&bench, 11000);
        assert_int_equal(twin_chip_conducting(bench.chip), 0);
        assert_in_range(twin_chip_changed_us(bench.chip), due - 2500 * MS, due + 300 * MS);
        bench_ask(&bench);
        assert_true(bench.status.flags & SL_STATUS_LEASE_ENDED);
        bench_end(&bench);
    }
}

static void a_zone_that_ended_needs_a_zero_order(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_order(&bench, ZONE, 4); /* fresh from the reset: latched */
    assert_int_equal(twin_chip_conducting(bench.chip), 0);
    bench_unlatch(&bench);
    bench_order(&bench, ZONE, 4);
    assert_int_equal(twin_chip_conducting(bench.chip), BIT);
    bench_pass(&bench, 1200);
    assert_int_equal(twin_chip_conducting(bench.chip), 0);
    bench_order(&bench, ZONE, 4);
    assert_int_equal(twin_chip_conducting(bench.chip), 0);
    bench_ask(&bench);
    assert_int_equal(bench.status.latched, BIT);
    bench_unlatch(&bench);
    bench_order(&bench, ZONE, 4);
    assert_int_equal(twin_chip_conducting(bench.chip), BIT);
    bench_end(&bench);
}

/* The master would like a zone for ever; the EEPROM says one minute for zone 2, never for zone 5.
 */
static void the_hard_limit_of_the_eeprom_holds(void **state)
{
    (void)state;
    uint8_t minutes[2 * SL_ZONES];
    memset(minutes, 0xFF, sizeof minutes);
    minutes[2 * ZONE] = 1;
    minutes[2 * ZONE + 1] = 0;
    minutes[2 * 5] = minutes[2 * 5 + 1] = 0;
    const struct twin_chip_options options = {.eeprom = minutes, .eeprom_len = sizeof minutes};
    struct bench bench;
    bench_start(&bench, &options);
    bench_unlatch(&bench);
    uint64_t started = twin_chip_now_us(bench.chip);
    bench.order.remaining_units[1] = 40;
    bench.order.remaining_units[ZONE] = 40;
    bench.order.remaining_units[5] = 40;
    uint64_t ended = 0;
    while (twin_chip_now_us(bench.chip) < started + 70000 * MS) {
        bench_send(&bench);
        bench_pass(&bench, 240);
        if (ended == 0 && (twin_chip_conducting(bench.chip) & BIT) == 0)
            ended = twin_chip_changed_us(bench.chip);
    }
    assert_in_range(ended, started + 59900 * MS, started + 60300 * MS);
    assert_int_equal(twin_chip_conducting(bench.chip), 1u << 1);
    assert_int_equal(twin_chip_take_conducted(bench.chip), BIT | 1u << 1);
    bench_ask(&bench);
    assert_true(bench.status.flags & SL_STATUS_HARD_LIMIT);
    bench_end(&bench);
}

static void a_stuck_line_is_seen_in_the_read_back(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_unlatch(&bench);
    twin_chip_set_pin_stuck(bench.chip, 6, true, false);
    bench_pass(&bench, 5);
    bench_ask(&bench);
    assert_int_equal(bench.status.pins, 1u << 6);
    twin_chip_set_pin_stuck(bench.chip, 6, false, false);
    twin_chip_set_pin_stuck(bench.chip, ZONE, true, true);
    bench_order(&bench, ZONE, 40);
    bench_ask(&bench);
    assert_int_equal(bench.status.pins, 0);
    assert_int_equal(bench.status.remaining_units[ZONE], 40);
    twin_chip_set_pin_stuck(bench.chip, ZONE, false, false);
    bench_pass(&bench, 5);
    bench_ask(&bench);
    assert_int_equal(bench.status.pins, BIT);
    bench_end(&bench);
}

/* Data-space addresses: every register that the relays or the link depend on. */
static void a_disturbed_register_is_right_again(void **state)
{
    (void)state;
    static const uint16_t registers[] = {0x24, 0x25, 0x2A, 0x2B, 0x4C, 0x64, 0x68, 0x6B};
    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++)
        for (unsigned value = 0; value <= 0xFF; value += 0x33) {
            struct bench bench;
            bench_start(&bench, NULL);
            bench_unlatch(&bench);
            bench_order(&bench, ZONE, 400);
            twin_chip_glitch(bench.chip, registers[i], (uint8_t)value);
            bench_pass(&bench, 3);
            assert_int_equal(twin_chip_conducting(bench.chip), BIT);
            /* One frame may be lost; the link is there again with the next. */
            bench_send(&bench);
            bench_ask(&bench);
            assert_int_equal(bench.status.pins, BIT);
            assert_int_equal(twin_chip_counts(bench.chip).resets, 0);
            bench_end(&bench);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_float_then_are_high_and_never_low_before_an_order),
        cmocka_unit_test(an_order_switches_one_line_and_is_read_back),
        cmocka_unit_test(a_zone_ends_by_itself_in_time),
        cmocka_unit_test(a_silent_master_loses_the_lease),
        cmocka_unit_test(a_zone_that_ended_needs_a_zero_order),
        cmocka_unit_test(the_hard_limit_of_the_eeprom_holds),
        cmocka_unit_test(a_stuck_line_is_seen_in_the_read_back),
        cmocka_unit_test(a_disturbed_register_is_right_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
