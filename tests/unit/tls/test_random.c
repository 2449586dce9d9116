/* The generator gives the published bytes, and numbers without bias. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/random.h"
#include <cmocka.h>
#include <string.h>

/* RFC 6979, appendix A.1.2, shows the generator's state at work: seed is private key and hash,
 * the outputs are the candidates for k. */
static void test_gives_the_published_bytes(void **state)
{
    static const uint8_t seed[] = {0x00, 0x9A, 0x4D, 0x67, 0x92, 0x29, 0x5A, 0x7F, 0x73, 0x0F, 0xC3,
                                   0xF2, 0xB4, 0x9C, 0xBC, 0x0F, 0x62, 0xE8, 0x62, 0x27, 0x2F, 0x01,
                                   0x79, 0x5E, 0xDF, 0x0D, 0x54, 0xDB, 0x76, 0x0F, 0x15, 0x6D, 0x0D,
                                   0xAC, 0x04, 0xC0, 0x32, 0x2B, 0x3A, 0x20, 0x42, 0x24};
    static const uint8_t first[] = {0x93, 0x05, 0xA4, 0x6D, 0xE7, 0xFF, 0x8E, 0xB1,
                                    0x07, 0x19, 0x4D, 0xEB, 0xD3, 0xFD, 0x48, 0xAA,
                                    0x20, 0xD5, 0xE7, 0x65, 0x6C, 0xBE, 0x0E, 0xA6,
                                    0x9D, 0x2A, 0x8D, 0x4E, 0x7C, 0x67, 0x31, 0x4A};
    static const uint8_t second[] = {0xC7, 0x0C, 0x78, 0x60, 0x8A, 0x3B, 0x5B, 0xE9,
                                     0x28, 0x9B, 0xE9, 0x0E, 0xF6, 0xE8, 0x1A, 0x9E,
                                     0x2C, 0x15, 0x16, 0xD5, 0x75, 0x1D, 0x2F, 0x75,
                                     0xF5, 0x00, 0x33, 0xE4, 0x5F, 0x73, 0xBD, 0xEB};
    struct sl_random random;
    uint8_t out[32];
    (void)state;

    sl_random_init(&random, seed, sizeof seed);
    sl_random_read(&random, out, sizeof out);
    assert_memory_equal(out, first, sizeof out);
    sl_random_read(&random, out, sizeof out);
    assert_memory_equal(out, second, sizeof out);
}

static void test_numbers_stay_below_the_limit_and_reach_all_values(void **state)
{
    static const uint32_t limits[] = {1, 2, 3, 7, 10, 64};
    struct sl_random random;
    (void)state;

    sl_random_init(&random, (const uint8_t *)"seed", 4);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        unsigned counts[64] = {0};
        for (unsigned round = 0; round < 100 * limits[i]; round++) {
            uint32_t number = sl_random_below(&random, limits[i]);
            assert_true(number < limits[i]);
            counts[number]++;
        }
        for (uint32_t value = 0; value < limits[i]; value++)
            assert_in_range(counts[value], 50, 150);
    }
}

/* With a limit of 3 * 2^30, a plain remainder would be twice as often in the lowest third. */
static void test_numbers_have_no_modulo_bias(void **state)
{
    const uint32_t third = UINT32_C(1) << 30;
    unsigned low = 0;
    struct sl_random random;
    (void)state;

    sl_random_init(&random, (const uint8_t *)"seed", 4);
    for (unsigned round = 0; round < 3000; round++)
        low += sl_random_below(&random, 3 * third) < third;
    assert_in_range(low, 900, 1100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gives_the_published_bytes),
        cmocka_unit_test(test_numbers_stay_below_the_limit_and_reach_all_values),
        cmocka_unit_test(test_numbers_have_no_modulo_bias),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
