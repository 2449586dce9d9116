/* Whatever stops the program or the supply: relays off at once, everything latched, cause told. */
#include "bench.h"

#define ZONE        2
#define BIT         (1u << ZONE)
#define WATCHDOG_MS 64 /* nominal period */

static void start_with_a_zone_on(struct bench *bench, const struct twin_chip_options *options)
{
    bench_start(bench, options);
    bench_unlatch(bench);
    bench_order(bench, ZONE, 4000);
    assert_int_equal(twin_chip_conducting(bench->chip), BIT);
}

/* After a reset: nothing conducts, the same order does nothing, the cause is told. */
static void expect_closed(struct bench *bench, uint8_t cause)
{
    bench_pass(bench, BOOT_MS);
    twin_chip_take_conducted(bench->chip);
    bench_ask(bench);
    assert_int_equal(bench->status.reset_cause, cause);
    assert_int_equal(bench->status.latched, 0xFF);
    bench_order(bench, ZONE, 4000);
    bench_pass(bench, 100);
    assert_int_equal(twin_chip_take_conducted(bench->chip), 0);
    assert_int_equal(twin_chip_counts(bench->chip).resets, 1);
    bench_unlatch(bench);
    bench_order(bench, ZONE, 4000);
    assert_int_equal(twin_chip_conducting(bench->chip), BIT);
}

static void a_start_tells_power_on(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_ask(&bench);
    assert_int_equal(bench.status.reset_cause, SL_RESET_POWER_ON);
    assert_true(bench.status.flags & SL_STATUS_FRESH);
    assert_int_equal(bench.status.latched, 0xFF);
    bench_end(&bench);
}

/* The watchdog has its own oscillator: the time is its period, however wrong either clock is. */
static void a_hung_program_is_reset_and_all_is_off(void **state)
{
    (void)state;
    static const double ratios[] = {0.8, 1.0, 1.2};
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 3; k++) {
            const struct twin_chip_options options = {.watchdog = ratios[i],
                                                      .oscillator = 0.9 + 0.1 * (double)k};
            struct bench bench;
            start_with_a_zone_on(&bench, &options);
            twin_chip_hang(bench.chip);
            bench_pass(&bench, (uint64_t)(WATCHDOG_MS * ratios[i]) - 5);
            assert_int_equal(twin_chip_conducting(bench.chip), BIT);
            bench_pass(&bench, 10);
            assert_int_equal(twin_chip_conducting(bench.chip), 0);
            expect_closed(&bench, SL_RESET_WATCHDOG);
            assert_int_equal(twin_chip_counts(bench.chip).watchdog_resets, 1);
            bench_end(&bench);
        }
}

/* The loop still turns and frames still come, but time stands still: only a counted millisecond may
 * feed the watchdog. */
static void a_dead_timer_leads_to_a_reset(void **state)
{
    (void)state;
    static const uint16_t registers[] = {0x45 /* TCCR0B */, 0x6E /* TIMSK0 */};
    for (size_t i = 0; i < 2; i++) {
        struct bench bench;
        start_with_a_zone_on(&bench, NULL);
        twin_chip_glitch(bench.chip, registers[i], 0);
        for (int n = 0; n < 25 && twin_chip_counts(bench.chip).resets == 0; n++)
            bench_order(&bench, ZONE, 4000);
        assert_int_equal(twin_chip_conducting(bench.chip), 0);
        expect_closed(&bench, SL_RESET_WATCHDOG);
        bench_end(&bench);
    }
}

/* Even the timed sequence that switches a watchdog off does nothing against the fuse WDTON. */
static void no_program_can_switch_the_watchdog_off(void **state)
{
    (void)state;
    const uint16_t watchdog_control = 0x60;
    struct bench bench;
    start_with_a_zone_on(&bench, NULL);
    twin_chip_glitch(bench.chip, watchdog_control, 0x18); /* WDCE, WDE */
    twin_chip_glitch(bench.chip, watchdog_control, 0x00);
    twin_chip_hang(bench.chip);
    bench_pass(&bench, WATCHDOG_MS + 5);
    assert_int_equal(twin_chip_conducting(bench.chip), 0);
    expect_closed(&bench, SL_RESET_WATCHDOG);
    bench_end(&bench);
}

static void a_pulse_on_reset_closes_everything(void **state)
{
    (void)state;
    struct bench bench;
    start_with_a_zone_on(&bench, NULL);
    twin_chip_reset(bench.chip);
    assert_int_equal(twin_chip_pin(bench.chip, ZONE), TWIN_FLOATING);
    expect_closed(&bench, SL_RESET_EXTERNAL);
    bench_end(&bench);
}

static void a_dip_of_the_supply_closes_everything(void **state)
{
    (void)state;
    struct bench bench;
    start_with_a_zone_on(&bench, NULL);
    twin_chip_brown_out(bench.chip);
    assert_int_equal(twin_chip_conducting(bench.chip), 0);
    expect_closed(&bench, SL_RESET_BROWN_OUT);
    bench_end(&bench);
}

static void a_power_cut_closes_everything(void **state)
{
    (void)state;
    struct bench bench;
    start_with_a_zone_on(&bench, NULL);
    twin_chip_set_power(bench.chip, false);
    assert_int_equal(twin_chip_pin(bench.chip, ZONE), TWIN_FLOATING);
    bench_send(&bench);
    assert_false(bench.has_status);
    bench_pass(&bench, 3000);
    assert_int_equal(twin_chip_conducting(bench.chip), 0);
    twin_chip_set_power(bench.chip, true);
    bench_pass(&bench, BOOT_MS);
    bench_ask(&bench);
    assert_int_equal(bench.status.reset_cause, SL_RESET_POWER_ON);
    assert_int_equal(bench.status.latched, 0xFF);
    bench_end(&bench);
}

/* Any reset at many phases of the work: no relay is on at any instant after it. */
static void a_reset_at_any_moment_never_switches_on(void **state)
{
    (void)state;
    struct bench bench;
    start_with_a_zone_on(&bench, NULL);
    for (unsigned n = 0; n < 200; n++) {
        twin_chip_run(bench.chip, twin_chip_now_us(bench.chip) + 37 * n);
        switch (n % 3) {
        case 0:
            twin_chip_reset(bench.chip);
            break;
        case 1:
            twin_chip_hang(bench.chip);
            bench_pass(&bench, WATCHDOG_MS + 1);
            break;
        default:
            twin_chip_brown_out(bench.chip);
            break;
        }
        twin_chip_take_conducted(bench.chip);
        bench_pass(&bench, BOOT_MS);
        bench_order(&bench, ZONE, 400);
        assert_int_equal(twin_chip_take_conducted(bench.chip), 0);
        bench_unlatch(&bench);
        bench_order(&bench, ZONE, 400);
        assert_int_equal(twin_chip_conducting(bench.chip), BIT);
    }
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_tells_power_on),
        cmocka_unit_test(a_hung_program_is_reset_and_all_is_off),
        cmocka_unit_test(a_dead_timer_leads_to_a_reset),
        cmocka_unit_test(no_program_can_switch_the_watchdog_off),
        cmocka_unit_test(a_pulse_on_reset_closes_everything),
        cmocka_unit_test(a_dip_of_the_supply_closes_everything),
        cmocka_unit_test(a_power_cut_closes_everything),
        cmocka_unit_test(a_reset_at_any_moment_never_switches_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
