/* The checksums against their published check values and properties. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc.h"

static const uint8_t *text(const char *s)
{
    return (const uint8_t *)s;
}

static void crc16_is_xmodem(void **state)
{
    (void)state;
    assert_int_equal(sl_crc16(text("123456789"), 9), 0x31C3);
    assert_int_equal(sl_crc16(text("A"), 1), 0x58E5);
    assert_int_equal(sl_crc16(NULL, 0), 0);
    const uint8_t zeros[24] = {0};
    assert_int_equal(sl_crc16(zeros, sizeof zeros), 0); /* why a frame needs a first byte */
}

/* The fast form against the definition, bit by bit. */
static uint16_t crc16_by_the_book(const uint8_t *data, size_t len)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < len; i++) {
        crc ^= (uint32_t)data[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc << 1) ^ (crc & 0x8000 ? 0x11021 : 0);
    }
    return (uint16_t)crc;
}

static void crc16_is_the_polynomial_for_every_byte_and_state(void **state)
{
    (void)state;
    for (uint32_t word = 0; word <= 0xFFFFFF; word += 7) {
        const uint8_t data[3] = {(uint8_t)(word >> 16), (uint8_t)(word >> 8), (uint8_t)word};
        assert_int_equal(sl_crc16(data, 3), crc16_by_the_book(data, 3));
    }
}

static void crc16_finds_every_error_of_one_to_three_bits_in_a_frame(void **state)
{
    (void)state;
    enum { BITS = 26 * 8 };
    /* By linearity an error goes unseen when its own checksum, CRC bits included, is 0. */
    uint16_t of_bit[BITS];
    for (int i = 0; i < BITS; i++) {
        uint8_t frame[26] = {0};
        frame[i / 8] = (uint8_t)(0x80 >> (i % 8));
        of_bit[i] = sl_crc16(frame, 26);
        assert_int_not_equal(of_bit[i], 0);
    }
    for (int i = 0; i < BITS; i++)
        for (int j = i + 1; j < BITS; j++) {
            assert_int_not_equal(of_bit[i], of_bit[j]);
            for (int k = j + 1; k < BITS; k++)
                if ((of_bit[i] ^ of_bit[j]) == of_bit[k])
                    fail_msg("bits %d, %d and %d cancel", i, j, k);
        }
}

static void crc32_is_iso_hdlc(void **state)
{
    (void)state;
    assert_true(sl_crc32(text("123456789"), 9) == UINT32_C(0xCBF43926));
    assert_true(sl_crc32(NULL, 0) == 0);
    const uint8_t zeros[4] = {0};
    assert_true(sl_crc32(zeros, 4) == UINT32_C(0x2144DF1C));
    const char *fox = "The quick brown fox jumps over the lazy dog";
    assert_true(sl_crc32(text(fox), strlen(fox)) == UINT32_C(0x414FA339));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc16_is_xmodem),
        cmocka_unit_test(crc16_is_the_polynomial_for_every_byte_and_state),
        cmocka_unit_test(crc16_finds_every_error_of_one_to_three_bits_in_a_frame),
        cmocka_unit_test(crc32_is_iso_hdlc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
