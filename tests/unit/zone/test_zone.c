/* The zone rules: limits, interlock, ends, adoption; each from a clock about to wrap too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zone/zone.h"

static const sl_ms clocks[] = {0, 0x7FFFFF00, 0xFFFFFFFF - 150000, 0xFFFFFFFF - 500};
#define CLOCKS (sizeof clocks / sizeof *clocks)

static struct sl_zones make(uint8_t at_once)
{
    struct sl_zones zones;
    struct sl_zone_limits limits = {at_once, SL_ZONE_LONGEST_S, SL_ZONE_DEFAULT_S, SL_ZONES};
    assert_int_equal(sl_zone_init(&zones, limits), SL_OK);
    return zones;
}

static uint8_t on(struct sl_zones *zones, sl_ms now, uint32_t zone, uint32_t seconds)
{
    uint8_t turned_off = 0xAA;
    assert_int_equal(sl_zone_switch(zones, now, zone, seconds, &turned_off), SL_ZONE_OK);
    return turned_off;
}

static void limits_out_of_range_give_the_defaults(void **state)
{
    (void)state;
    const struct sl_zone_limits bad[] = {
        {0, 100, 10, SL_ZONES},        {9, 100, 10, SL_ZONES}, {1, 0, 0, SL_ZONES},
        {1, 14401, 10, SL_ZONES},      {1, 100, 0, SL_ZONES},  {1, 100, 101, SL_ZONES},
        {255, 65535, 65535, SL_ZONES},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sl_zones zones;
        assert_int_equal(sl_zone_init(&zones, bad[i]), SL_BAD_ARGUMENT);
        assert_int_equal(zones.limits.at_once, 1);
        assert_int_equal(zones.limits.longest_s, SL_ZONE_LONGEST_S);
        assert_int_equal(zones.limits.default_s, SL_ZONE_DEFAULT_S);
        assert_int_equal(zones.on, 0);
    }
    const struct sl_zone_limits good[] = {{1, 1, 1, SL_ZONES}, {8, 14400, 14400, SL_ZONES}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct sl_zones zones;
        assert_int_equal(sl_zone_init(&zones, good[i]), SL_OK);
        assert_int_equal(zones.limits.at_once, good[i].at_once);
        assert_int_equal(zones.limits.longest_s, good[i].longest_s);
        assert_int_equal(zones.limits.default_s, good[i].default_s);
    }
}

static void a_zone_is_on_for_exactly_its_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLOCKS; i++) {
        struct sl_zones zones = make(1);
        sl_ms now = clocks[i];
        sl_ms due;
        assert_false(sl_zone_deadline(&zones, now, &due));
        assert_int_equal(on(&zones, now, 2, 120), 0);
        assert_int_equal(zones.on, 0x04);
        assert_int_equal(sl_zone_remaining_ms(&zones, now, 2), 120000);
        assert_true(sl_zone_deadline(&zones, now, &due));
        assert_int_equal(due, now + 120000);
        assert_int_equal(sl_zone_tick(&zones, now + 119999), 0);
        assert_int_equal(sl_zone_remaining_ms(&zones, now + 119999, 2), 1);
        assert_int_equal(sl_zone_remaining_ms(&zones, now + 120000, 2), 0);
        assert_int_equal(sl_zone_tick(&zones, now + 120000), 0x04);
        assert_int_equal(sl_zone_tick(&zones, now + 120000), 0); /* extra ticks change nothing */
        assert_int_equal(zones.on, 0);
        assert_false(sl_zone_deadline(&zones, now, &due));
    }
}

static void a_late_tick_still_ends_it(void **state)
{
    (void)state;
    struct sl_zones zones = make(1);
    on(&zones, 0xFFFFFF00, 7, 1);
    assert_int_equal(sl_zone_tick(&zones, 0xFFFFFF00 + 86400000), 0x80);
}

static void refusals_say_why_and_change_nothing(void **state)
{
    (void)state;
    const uint32_t no_zone[] = {8, 9, 255, 256, 258, UINT32_MAX};
    const uint32_t too_long[] = {14401, 65536, 4294968, UINT32_MAX};
    struct sl_zones zones = make(1);
    on(&zones, 0, 3, 60);
    const struct sl_zones before = zones;
    uint8_t turned_off;
    for (size_t i = 0; i < sizeof no_zone / sizeof *no_zone; i++) {
        turned_off = 0xAA;
        assert_int_equal(sl_zone_switch(&zones, 0, no_zone[i], 60, &turned_off),
                         SL_ZONE_NO_SUCH_ZONE);
        assert_int_equal(turned_off, 0);
    }
    for (size_t i = 0; i < sizeof too_long / sizeof *too_long; i++) {
        turned_off = 0xAA;
        assert_int_equal(sl_zone_switch(&zones, 0, 2, too_long[i], &turned_off), SL_ZONE_TOO_LONG);
        assert_int_equal(turned_off, 0);
    }
    assert_memory_equal(&zones, &before, sizeof zones);
}

static void a_zone_without_an_output_displaces_nothing(void **state)
{
    struct sl_zone_limits limits = {1, 300, 60, 3};
    struct sl_zones zones;
    uint8_t turned_off;

    (void)state;
    assert_int_equal(sl_zone_init(&zones, limits), SL_OK);
    on(&zones, 0, 2, 60);
    assert_int_equal(sl_zone_switch(&zones, 0, 3, 60, &turned_off), SL_ZONE_NO_OUTPUT);
    assert_int_equal(turned_off, 0);
    assert_int_equal(zones.on, 0x04);
    assert_int_equal(sl_zone_switch(&zones, 0, 3, 0, &turned_off), SL_ZONE_OK);
    limits.zones = 9;
    assert_int_equal(sl_zone_init(&zones, limits), SL_BAD_ARGUMENT);
    limits.zones = 0; /* all eight */
    assert_int_equal(sl_zone_init(&zones, limits), SL_OK);
    on(&zones, 0, 7, 60);
}

static void the_longest_time_is_the_configured_one(void **state)
{
    (void)state;
    struct sl_zones zones;
    struct sl_zone_limits limits = {1, 300, 60, SL_ZONES};
    uint8_t turned_off;
    assert_int_equal(sl_zone_init(&zones, limits), SL_OK);
    assert_int_equal(sl_zone_switch(&zones, 0, 0, 301, &turned_off), SL_ZONE_TOO_LONG);
    assert_int_equal(sl_zone_switch(&zones, 0, 0, 300, &turned_off), SL_ZONE_OK);
    assert_int_equal(sl_zone_remaining_ms(&zones, 0, 0), 300000);

    zones = make(1);
    on(&zones, 0xFFFFFF00, 0, SL_ZONE_LONGEST_S); /* 14,400,000 ms: no overflow on the way */
    assert_int_equal(sl_zone_remaining_ms(&zones, 0xFFFFFF00, 0), 14400000);
}

static void one_zone_turns_the_other_off(void **state)
{
    (void)state;
    struct sl_zones zones = make(1);
    assert_int_equal(on(&zones, 0, 1, 600), 0);
    assert_int_equal(on(&zones, 10, 2, 1), 0x02); /* also when the new one is the shorter */
    assert_int_equal(zones.on, 0x04);
    assert_int_equal(sl_zone_remaining_ms(&zones, 10, 1), 0);
}

static void those_that_end_first_give_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLOCKS; i++) {
        struct sl_zones zones = make(3);
        sl_ms now = clocks[i];
        on(&zones, now, 0, 300);
        on(&zones, now, 1, 100);
        assert_int_equal(on(&zones, now, 2, 200), 0);
        assert_int_equal(on(&zones, now, 3, 50), 0x02);
        assert_int_equal(zones.on, 0x0D);
        assert_int_equal(on(&zones, now, 4, 900), 0x08);
        assert_int_equal(on(&zones, now, 5, 900), 0x04);
        assert_int_equal(zones.on, 0x31);
    }
}

static void of_equal_ends_the_lowest_zone_gives_way(void **state)
{
    (void)state;
    struct sl_zones zones = make(2);
    on(&zones, 0, 6, 100);
    on(&zones, 0, 3, 100);
    assert_int_equal(on(&zones, 0, 7, 100), 0x08);
}

static void a_zone_that_is_on_gets_the_new_time(void **state)
{
    (void)state;
    struct sl_zones zones = make(2);
    on(&zones, 0, 0, 100);
    on(&zones, 0, 1, 100);
    assert_int_equal(on(&zones, 5000, 0, 10), 0); /* shorter, and nobody gives way */
    assert_int_equal(sl_zone_remaining_ms(&zones, 5000, 0), 10000);
    assert_int_equal(on(&zones, 6000, 0, 1000), 0);
    assert_int_equal(sl_zone_remaining_ms(&zones, 6000, 0), 1000000);
    assert_int_equal(sl_zone_remaining_ms(&zones, 6000, 1), 94000);
}

static void zero_seconds_is_off(void **state)
{
    (void)state;
    struct sl_zones zones = make(8);
    on(&zones, 0, 4, 100);
    on(&zones, 0, 5, 100);
    assert_int_equal(on(&zones, 1, 4, 0), 0x10);
    assert_int_equal(zones.on, 0x20);
    assert_int_equal(on(&zones, 1, 4, 0), 0); /* it was off already */
    assert_int_equal(zones.on, 0x20);
}

static void all_eight_may_run_together(void **state)
{
    (void)state;
    struct sl_zones zones = make(8);
    for (uint32_t zone = 0; zone < 8; zone++)
        assert_int_equal(on(&zones, 0, zone, 10 + zone), 0);
    assert_int_equal(zones.on, 0xFF);
    sl_ms due;
    assert_true(sl_zone_deadline(&zones, 0, &due));
    assert_int_equal(due, 10000);
    assert_int_equal(sl_zone_tick(&zones, 12000), 0x07);
    assert_true(sl_zone_deadline(&zones, 12000, &due));
    assert_int_equal(due, 13000);
    sl_zone_clear(&zones, 0xF0);
    assert_int_equal(zones.on, 0x08);
}

static void adoption_takes_the_chips_time_up_to_the_longest(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLOCKS; i++) {
        sl_ms now = clocks[i];
        struct sl_zones zones;
        struct sl_zone_limits limits = {1, 300, 60, SL_ZONES};
        assert_int_equal(sl_zone_init(&zones, limits), SL_OK);
        sl_zone_adopt(&zones, now, 2, 1750);
        assert_int_equal(sl_zone_remaining_ms(&zones, now, 2), 1750);
        sl_zone_adopt(&zones, now, 3, UINT32_MAX);
        assert_int_equal(sl_zone_remaining_ms(&zones, now, 3), 300000);
        assert_int_equal(zones.on, 0x0C); /* as it is, until somebody switches ... */
        assert_int_equal(on(&zones, now, 4, 10), 0x0C);
        sl_zone_adopt(&zones, now, 4, 0);
        assert_int_equal(zones.on, 0);
        sl_zone_adopt(&zones, now, 8, 1000);
        assert_int_equal(zones.on, 0);
    }
}

static void a_zone_out_of_range_has_no_time(void **state)
{
    (void)state;
    struct sl_zones zones = make(8);
    for (uint32_t zone = 0; zone < 8; zone++)
        on(&zones, 0, zone, 100);
    assert_int_equal(sl_zone_remaining_ms(&zones, 0, 8), 0);
    assert_int_equal(sl_zone_remaining_ms(&zones, 0, 255), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_out_of_range_give_the_defaults),
        cmocka_unit_test(a_zone_is_on_for_exactly_its_time),
        cmocka_unit_test(a_late_tick_still_ends_it),
        cmocka_unit_test(refusals_say_why_and_change_nothing),
        cmocka_unit_test(a_zone_without_an_output_displaces_nothing),
        cmocka_unit_test(the_longest_time_is_the_configured_one),
        cmocka_unit_test(one_zone_turns_the_other_off),
        cmocka_unit_test(those_that_end_first_give_way),
        cmocka_unit_test(of_equal_ends_the_lowest_zone_gives_way),
        cmocka_unit_test(a_zone_that_is_on_gets_the_new_time),
        cmocka_unit_test(zero_seconds_is_off),
        cmocka_unit_test(all_eight_may_run_together),
        cmocka_unit_test(adoption_takes_the_chips_time_up_to_the_longest),
        cmocka_unit_test(a_zone_out_of_range_has_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
