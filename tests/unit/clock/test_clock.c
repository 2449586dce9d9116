/* The trusted-time ratchet: floor, jumps, drift, wrap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "clock/clock.h"
#include <cmocka.h>

#define FLOOR UINT64_C(1795305600)
#define DAY_S UINT64_C(86400)

static struct sl_clock clock_at(uint64_t unix_s, sl_ms now)
{
    struct sl_clock clock;

    sl_clock_init(&clock, FLOOR);
    assert_int_equal(sl_clock_set(&clock, now, unix_s, 0, SL_CLOCK_SNTP), SL_OK);
    sl_clock_confirm(&clock, now);
    return clock;
}

static void test_time_is_unknown_until_set(void **state)
{
    struct sl_clock clock;
    (void)state;

    sl_clock_init(&clock, FLOOR);
    sl_clock_tick(&clock, 5000);
    assert_int_equal(sl_clock_utc(&clock, 9000), 0);
    assert_int_equal(sl_clock_floor(&clock), FLOOR);
    assert_int_equal(clock.source, SL_CLOCK_UNKNOWN);
}

static void test_first_setting_lies_between_floor_and_ten_years(void **state)
{
    const uint64_t last = FLOOR + SL_CLOCK_FIRST_JUMP_S;
    struct sl_clock clock;
    (void)state;

    sl_clock_init(&clock, FLOOR);
    assert_int_equal(sl_clock_set(&clock, 0, FLOOR - DAY_S - 1, 999, SL_CLOCK_SNTP), SL_REFUSED);
    assert_int_equal(sl_clock_set(&clock, 0, 0, 0, SL_CLOCK_SNTP), SL_REFUSED);
    assert_int_equal(sl_clock_set(&clock, 0, last + 1, 0, SL_CLOCK_SNTP), SL_REFUSED);
    assert_int_equal(sl_clock_set(&clock, 0, UINT64_MAX, 0, SL_CLOCK_SNTP), SL_REFUSED);
    assert_int_equal(sl_clock_utc(&clock, 0), 0);
    assert_int_equal(sl_clock_set(&clock, 0, FLOOR, 0, SL_CLOCK_SNTP), SL_OK);

    sl_clock_init(&clock, FLOOR);
    assert_int_equal(sl_clock_set(&clock, 0, last, 0, SL_CLOCK_SYSTEM), SL_OK);
    assert_int_equal(clock.source, SL_CLOCK_SYSTEM);
    sl_clock_init(&clock, UINT64_MAX - 5); /* a floor from a broken store must not overflow */
    assert_int_equal(sl_clock_set(&clock, 0, UINT64_MAX, 0, SL_CLOCK_SNTP), SL_OK);
    assert_int_equal(sl_clock_set(&clock, 0, FLOOR, 0, SL_CLOCK_SNTP), SL_REFUSED);
}

static void test_refuses_what_is_no_time(void **state)
{
    struct sl_clock clock;
    (void)state;

    sl_clock_init(&clock, FLOOR);
    assert_int_equal(sl_clock_set(&clock, 0, FLOOR, 1000, SL_CLOCK_SNTP), SL_BAD_ARGUMENT);
    assert_int_equal(sl_clock_set(&clock, 0, FLOOR, 0, SL_CLOCK_UNKNOWN), SL_BAD_ARGUMENT);
    assert_int_equal(sl_clock_utc(&clock, 0), 0);
}

static void test_runs_with_milliseconds(void **state)
{
    struct sl_clock clock;
    (void)state;

    sl_clock_init(&clock, FLOOR);
    assert_int_equal(sl_clock_set(&clock, 100, FLOOR, 750, SL_CLOCK_SNTP), SL_OK);
    assert_int_equal(sl_clock_utc(&clock, 349), FLOOR);
    assert_int_equal(sl_clock_utc(&clock, 350), FLOOR + 1);
    assert_int_equal(sl_clock_utc(&clock, 99), FLOOR); /* an instant before the setting */
    assert_int_equal(sl_clock_utc(&clock, 100 + 3600000), FLOOR + 3600);
}

static void test_later_jumps_are_limited(void **state)
{
    const uint64_t start = FLOOR + 30 * DAY_S;
    (void)state;

    struct sl_clock clock = clock_at(start, 0);
    assert_int_equal(sl_clock_set(&clock, 0, start + 61, 0, SL_CLOCK_SNTP), SL_REFUSED);
    assert_int_equal(sl_clock_set(&clock, 0, start - 61, 0, SL_CLOCK_SNTP), SL_REFUSED);
    assert_int_equal(sl_clock_utc(&clock, 0), start);
    assert_int_equal(sl_clock_set(&clock, 0, start + 60, 0, SL_CLOCK_SNTP), SL_OK);
    assert_int_equal(sl_clock_set(&clock, 0, start, 0, SL_CLOCK_SNTP), SL_OK);

    /* A day of drift at 500 ppm is 43 s more. */
    const sl_ms day = (sl_ms)(DAY_S * 1000);
    assert_int_equal(sl_clock_set(&clock, day, start + DAY_S + 104, 0, SL_CLOCK_SNTP), SL_REFUSED);
    assert_int_equal(sl_clock_set(&clock, day, start + DAY_S - 104, 0, SL_CLOCK_SNTP), SL_REFUSED);
    assert_int_equal(sl_clock_set(&clock, day, start + DAY_S + 103, 0, SL_CLOCK_SNTP), SL_OK);
    assert_int_equal(sl_clock_set(&clock, day, start + DAY_S + 103 + 61, 0, SL_CLOCK_SNTP),
                     SL_REFUSED); /* the drift was used up */
}

static void test_the_boards_own_clock_may_step(void **state)
{
    const uint64_t start = FLOOR + 30 * DAY_S;
    (void)state;

    struct sl_clock clock = clock_at(start, 0);
    assert_int_equal(sl_clock_set(&clock, 0, start + 3 * DAY_S, 0, SL_CLOCK_SYSTEM), SL_OK);
    assert_int_equal(sl_clock_utc(&clock, 0), start + 3 * DAY_S);
    assert_int_equal(sl_clock_set(&clock, 0, start, 0, SL_CLOCK_SYSTEM), SL_OK);
    assert_int_equal(sl_clock_set(&clock, 0, FLOOR - 1, 0, SL_CLOCK_SYSTEM), SL_REFUSED);
    assert_int_equal(sl_clock_set(&clock, 0, FLOOR + 3661 * DAY_S, 0, SL_CLOCK_SYSTEM), SL_REFUSED);
}

/* A source that lies once, or a clock that is put right after the start. */
static void test_a_source_alone_moves_no_floor_and_may_be_replaced(void **state)
{
    struct sl_clock clock;
    (void)state;

    sl_clock_init(&clock, FLOOR);
    sl_clock_confirm(&clock, 0); /* nothing to confirm */
    assert_int_equal(sl_clock_set(&clock, 0, FLOOR + 3650 * DAY_S, 0, SL_CLOCK_SNTP), SL_OK);
    sl_clock_tick(&clock, 1000);
    assert_int_equal(sl_clock_floor(&clock), FLOOR);
    assert_int_equal(sl_clock_set(&clock, 1000, FLOOR - DAY_S - 1, 0, SL_CLOCK_SNTP), SL_REFUSED);
    assert_int_equal(sl_clock_set(&clock, 1000, FLOOR + DAY_S, 0, SL_CLOCK_SNTP), SL_OK);
    assert_int_equal(sl_clock_utc(&clock, 1000), FLOOR + DAY_S);
    sl_clock_confirm(&clock, 3000);
    assert_int_equal(sl_clock_floor(&clock), FLOOR + DAY_S + 2);
    assert_int_equal(sl_clock_set(&clock, 3000, FLOOR + 3650 * DAY_S, 0, SL_CLOCK_SNTP),
                     SL_REFUSED);
}

static void test_corrections_never_go_below_the_floor(void **state)
{
    (void)state;
    struct sl_clock clock = clock_at(FLOOR + 10, 0);

    assert_int_equal(sl_clock_set(&clock, 0, FLOOR - 1, 0, SL_CLOCK_SNTP), SL_REFUSED);
    assert_int_equal(sl_clock_set(&clock, 0, FLOOR, 0, SL_CLOCK_SNTP), SL_OK);
    assert_int_equal(sl_clock_floor(&clock), FLOOR + 10); /* to be stored: never goes back */
}

/* The clock was a day ahead when the floor was stored, and was put right since. */
static void test_a_time_just_below_the_floor_is_held_there(void **state)
{
    struct sl_clock clock;
    const sl_ms hour = 3600000;
    (void)state;

    sl_clock_init(&clock, FLOOR);
    assert_int_equal(sl_clock_set(&clock, 0, FLOOR - DAY_S, 500, SL_CLOCK_SNTP), SL_OK);
    assert_true(clock.is_held);
    assert_int_equal(sl_clock_utc(&clock, 499), FLOOR);
    for (sl_ms now = hour; now <= 23 * hour; now += hour) {
        sl_clock_confirm(&clock, now); /* else the floor would run away from the source */
        assert_int_equal(sl_clock_utc(&clock, now), FLOOR + 3600);
        assert_int_equal(sl_clock_set(&clock, now, FLOOR - DAY_S + now / 1000, 0, SL_CLOCK_SNTP),
                         SL_OK);
        assert_int_equal(sl_clock_utc(&clock, now), FLOOR);
        assert_int_equal(sl_clock_floor(&clock), FLOOR);
    }
    assert_int_equal(sl_clock_set(&clock, 24 * hour, FLOOR + 1, 250, SL_CLOCK_SNTP), SL_OK);
    assert_false(clock.is_held);
    assert_int_equal(sl_clock_utc(&clock, 24 * hour + 750), FLOOR + 2);
    sl_clock_confirm(&clock, 24 * hour);
    assert_int_equal(sl_clock_floor(&clock), FLOOR + 1);
    assert_int_equal(sl_clock_set(&clock, 24 * hour, FLOOR - 1, 0, SL_CLOCK_SNTP), SL_REFUSED);
}

/* Sixty days with ticks at this distance: the counter wraps on the way. */
static void run_sixty_days(sl_ms base, uint32_t step_ms)
{
    struct sl_clock clock = clock_at(FLOOR, base);
    uint64_t after_ms = 0, floor_before = FLOOR;

    while (after_ms < 60 * DAY_S * 1000) {
        after_ms += step_ms;
        sl_ms now = base + (sl_ms)after_ms;
        assert_int_equal(sl_clock_utc(&clock, now), FLOOR + after_ms / 1000);
        sl_clock_tick(&clock, now);
        sl_clock_tick(&clock, now);
        assert_int_equal(sl_clock_utc(&clock, now), FLOOR + after_ms / 1000);
        assert_int_equal(sl_clock_floor(&clock), FLOOR + after_ms / 1000);
        assert_true(sl_clock_floor(&clock) >= floor_before);
        floor_before = sl_clock_floor(&clock);
    }
}

static void test_laws_of_ticks_and_wrap(void **state)
{
    (void)state;
    run_sixty_days(0, 86400000);
    run_sixty_days(0, 777777);
    run_sixty_days(UINT32_MAX - 500, 86400000);
    run_sixty_days(UINT32_MAX - 500, 3599999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_is_unknown_until_set),
        cmocka_unit_test(test_first_setting_lies_between_floor_and_ten_years),
        cmocka_unit_test(test_refuses_what_is_no_time),
        cmocka_unit_test(test_runs_with_milliseconds),
        cmocka_unit_test(test_later_jumps_are_limited),
        cmocka_unit_test(test_the_boards_own_clock_may_step),
        cmocka_unit_test(test_a_source_alone_moves_no_floor_and_may_be_replaced),
        cmocka_unit_test(test_corrections_never_go_below_the_floor),
        cmocka_unit_test(test_a_time_just_below_the_floor_is_held_there),
        cmocka_unit_test(test_laws_of_ticks_and_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
