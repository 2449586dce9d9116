/* The engine laws for the master: the same story gives the same frames and events at the same
 * milliseconds, whether the node polls or sleeps to the deadline, ticks once or four times, and
 * wherever its clock stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/link/wire.h"

struct way {
    sl_ms start;
    uint8_t extra_ticks;
    bool is_lazy;
};

/* One story per seed: commands, faults, resets and restarts out of the seed alone. */
static uint32_t tell(uint32_t seed, struct way way)
{
    struct test_wire wire;
    struct test_wire dice; /* its own chances, apart from those of the wire */
    test_wire_init(&wire, way.start, seed);
    test_wire_init(&dice, 0, seed + 77);
    wire.extra_ticks = way.extra_ticks;
    wire.is_lazy = way.is_lazy;
    for (int chapter = 0; chapter < 60; chapter++) {
        uint8_t zone = (uint8_t)test_wire_random(&dice, SL_ZONES);
        sl_ms due = wire.now + 1 + test_wire_random(&dice, 9000);
        switch (test_wire_random(&dice, 8)) {
        case 0:
            wire.faults.mosi_loss = (uint16_t)(test_wire_random(&dice, 3) * 500);
            wire.faults.miso_loss = (uint16_t)(test_wire_random(&dice, 3) * 500);
            wire.faults.delay_max_ms = (uint16_t)test_wire_random(&dice, 150);
            break;
        case 1:
            wire.faults = (struct test_faults){0};
            break;
        case 2:
            wire.stuck_on ^= (uint8_t)(1u << zone);
            break;
        case 3:
            test_wire_reset_chip(&wire, SL_RESET_WATCHDOG);
            break;
        case 4:
            sl_master_switch_off(&wire.master, wire.now, (uint8_t)(1u << zone));
            break;
        default:
            (void)!sl_master_switch_on(&wire.master, wire.now, zone, due);
            break;
        }
        test_wire_run(&wire, 1 + test_wire_random(&dice, 700));
    }
    return wire.trace;
}

static void every_way_of_running_gives_the_same_story(void **state)
{
    (void)state;
    const struct way ways[] = {
        {1000, 3, false},             /* extra ticks */
        {1000, 0, true},              /* only at the deadline */
        {1000, 1, true},              /* both */
        {UINT32_MAX - 500, 0, false}, /* over the wrap of the clock */
        {UINT32_MAX - 15000, 0, true},
        {INT32_MAX - 2000, 0, false},
    };
    for (uint32_t seed = 1; seed <= 40; seed++) {
        uint32_t story = tell(seed, (struct way){1000, 0, false});
        assert_int_not_equal(story, tell(seed + 1000, (struct way){1000, 0, false}));
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
            if (tell(seed, ways[i]) != story)
                fail_msg("seed %u, way %zu: another story", (unsigned)seed, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_of_running_gives_the_same_story),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
