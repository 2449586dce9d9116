/* Back-off: full jitter between zero and a ceiling that doubles from 1 s to 5 min. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/backoff.h"

#define RUNS  4000
#define TURNS 12

static void pauses_are_uniform_below_a_doubling_ceiling(void **state)
{
    static const uint32_t ceilings[TURNS] = {1000,  2000,   4000,   8000,   16000,  32000,
                                             64000, 128000, 256000, 300000, 300000, 300000};
    uint64_t sum[TURNS] = {0};
    uint32_t least[TURNS], most[TURNS] = {0}, quarters[TURNS][4] = {{0}};
    struct sl_random random;
    const uint8_t seed[32] = {1};
    (void)state;
    sl_random_init(&random, seed, sizeof seed);
    for (int turn = 0; turn < TURNS; turn++)
        least[turn] = UINT32_MAX;
    for (int run = 0; run < RUNS; run++) {
        struct sl_backoff backoff;
        sl_backoff_reset(&backoff);
        for (int turn = 0; turn < TURNS; turn++) {
            uint32_t pause = sl_backoff_next_ms(&backoff, &random);
            assert_true(pause <= ceilings[turn]);
            sum[turn] += pause;
            least[turn] = pause < least[turn] ? pause : least[turn];
            most[turn] = pause > most[turn] ? pause : most[turn];
            uint32_t quarter = (uint32_t)((uint64_t)pause * 4 / (ceilings[turn] + 1));
            quarters[turn][quarter]++;
        }
    }
    for (int turn = 0; turn < TURNS; turn++) {
        double mean = (double)sum[turn] / RUNS / ceilings[turn];
        assert_true(mean > 0.46 && mean < 0.54);
        assert_true(least[turn] < ceilings[turn] / 100);
        assert_true(most[turn] > ceilings[turn] - ceilings[turn] / 100);
        for (int quarter = 0; quarter < 4; quarter++)
            assert_in_range(quarters[turn][quarter], RUNS / 4 - RUNS / 20, RUNS / 4 + RUNS / 20);
    }
}

static void reset_starts_small_again(void **state)
{
    struct sl_random random;
    struct sl_backoff backoff;
    const uint8_t seed[32] = {2};
    (void)state;
    sl_random_init(&random, seed, sizeof seed);
    sl_backoff_reset(&backoff);
    for (int turn = 0; turn < 100; turn++)
        (void)sl_backoff_next_ms(&backoff, &random);
    sl_backoff_reset(&backoff);
    assert_true(sl_backoff_next_ms(&backoff, &random) <= SL_BACKOFF_FIRST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_are_uniform_below_a_doubling_ceiling),
        cmocka_unit_test(reset_starts_small_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
