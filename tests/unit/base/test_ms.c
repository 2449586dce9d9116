/* Instants on a clock that wraps: the same answers wherever the clock stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"

static const sl_ms clocks[] = {0,          1,          0x7FFFFFFF, 0x80000000,
                               0x80000001, 0xFFFFFC17, 0xFFFFFFFE, 0xFFFFFFFF};

static void an_instant_is_reached_from_its_own_millisecond_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        sl_ms now = clocks[i];
        assert_true(sl_ms_is_reached(now, now));
        assert_true(sl_ms_is_reached(now, now - 1));
        assert_true(sl_ms_is_reached(now, now - 0x7FFFFFFF));
        assert_false(sl_ms_is_reached(now, now + 1));
        assert_false(sl_ms_is_reached(now, now + 1000));
        assert_false(sl_ms_is_reached(now, now + 0x7FFFFFFF));
    }
}

static void time_until_is_the_distance_or_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        sl_ms now = clocks[i];
        assert_int_equal(sl_ms_until(now, now), 0);
        assert_int_equal(sl_ms_until(now, now - 1), 0);
        assert_int_equal(sl_ms_until(now, now + 1), 1);
        assert_int_equal(sl_ms_until(now, now + 14400000), 14400000);
    }
}

static void the_earliest_is_the_nearest(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        sl_ms now = clocks[i], due = 0;
        bool has = false;
        sl_ms_earliest(now, &has, &due, now + 500);
        assert_true(has);
        assert_int_equal(due, now + 500);
        sl_ms_earliest(now, &has, &due, now + 501);
        assert_int_equal(due, now + 500);
        sl_ms_earliest(now, &has, &due, now + 499);
        assert_int_equal(due, now + 499);
        sl_ms_earliest(now, &has, &due, now - 3); /* overdue comes first */
        assert_int_equal(due, now - 3);
        assert_true(has);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_instant_is_reached_from_its_own_millisecond_on),
        cmocka_unit_test(time_until_is_the_distance_or_nothing),
        cmocka_unit_test(the_earliest_is_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
