/* Keys and requests: the bytes of one, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/request.h"
#include <cmocka.h>

/* The order of P-256, n (SEC 2, section 2.4.2). */
static const uint8_t order[SL_REQUEST_KEY_LEN] = {
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};

static struct sl_random random_from(const char *seed)
{
    struct sl_random random;

    sl_random_init(&random, (const uint8_t *)seed, strlen(seed));
    return random;
}

/* RFC 6979 leaves nothing to chance, so every processor gives these bytes; 'openssl req -verify'
 * and 'openssl pkey -pubin -outform DER | sha256sum' have judged them. */
static void test_the_same_key_and_name_give_the_same_bytes(void **state)
{
    static const uint8_t expected[] = {
        0x30, 0x81, 0xCA, 0x30, 0x73, 0x02, 0x01, 0x00, 0x30, 0x11, 0x31, 0x0F, 0x30, 0x0D, 0x06,
        0x03, 0x55, 0x04, 0x03, 0x0C, 0x06, 0x67, 0x61, 0x72, 0x64, 0x65, 0x6E, 0x30, 0x59, 0x30,
        0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
        0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x51, 0x5C, 0x3D, 0x6E, 0xB9, 0xE3,
        0x96, 0xB9, 0x04, 0xD3, 0xFE, 0xCA, 0x7F, 0x54, 0xFD, 0xCD, 0x0C, 0xC1, 0xE9, 0x97, 0xBF,
        0x37, 0x5D, 0xCA, 0x51, 0x5A, 0xD0, 0xA6, 0xC3, 0xB4, 0x03, 0x5F, 0x45, 0x36, 0xBE, 0x3A,
        0x50, 0xF3, 0x18, 0xFB, 0xF9, 0xA5, 0x47, 0x59, 0x02, 0xA2, 0x21, 0x50, 0x2B, 0xEF, 0x0D,
        0x57, 0xE0, 0x8C, 0x53, 0xB2, 0xCC, 0x0A, 0x56, 0xF1, 0x7D, 0x9F, 0x93, 0x54, 0xA0, 0x00,
        0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02, 0x03, 0x47, 0x00,
        0x30, 0x44, 0x02, 0x20, 0x05, 0xC5, 0xD2, 0x53, 0xCF, 0x70, 0xD0, 0xD7, 0x41, 0x5D, 0x12,
        0x17, 0xE7, 0x4F, 0xD7, 0x6C, 0xE1, 0x36, 0x56, 0x63, 0x55, 0x6E, 0x83, 0x0F, 0x91, 0xDD,
        0x95, 0x92, 0xC0, 0x81, 0xFD, 0x71, 0x02, 0x20, 0x35, 0xE9, 0x8B, 0xBF, 0x9B, 0x41, 0x01,
        0x54, 0x99, 0xD5, 0x27, 0xB3, 0x1A, 0x27, 0x10, 0x54, 0xAD, 0x19, 0x7A, 0x93, 0xD0, 0xC3,
        0xF7, 0x09, 0x86, 0xBC, 0xBA, 0x3D, 0x52, 0xF2, 0x67, 0x75};
    static const uint8_t expected_print[SL_REQUEST_FINGERPRINT_LEN] = {
        0xF1, 0xD5, 0x94, 0x49, 0xB7, 0x27, 0x16, 0x5D, 0xE7, 0x32, 0xBF,
        0x28, 0x33, 0x38, 0x12, 0x2B, 0x99, 0x62, 0x8A, 0x61, 0x59, 0x18,
        0xFE, 0xDC, 0x67, 0xD8, 0x78, 0xFF, 0xFC, 0xF4, 0x7D, 0xA7};
    uint8_t key[SL_REQUEST_KEY_LEN], point[SL_REQUEST_POINT_LEN], out[SL_REQUEST_MAX];
    uint8_t fingerprint[SL_REQUEST_FINGERPRINT_LEN];
    size_t len;
    (void)state;

    for (uint8_t i = 0; i < sizeof key; i++)
        key[i] = i + 1;
    assert_int_equal(sl_request_encode(sl_view_text("garden"), key, out, sizeof out, &len), SL_OK);
    assert_int_equal(len, sizeof expected);
    assert_memory_equal(out, expected, len);
    assert_true(sl_request_point(key, point));
    sl_request_fingerprint(point, fingerprint);
    assert_memory_equal(fingerprint, expected_print, sizeof fingerprint);
}

static void test_no_key_outside_the_curves_range(void **state)
{
    uint8_t key[SL_REQUEST_KEY_LEN] = {0}, point[SL_REQUEST_POINT_LEN], out[SL_REQUEST_MAX];
    static const uint8_t zeros[SL_REQUEST_POINT_LEN];
    size_t len = 7;
    (void)state;

    assert_false(sl_request_point(key, point));
    assert_memory_equal(point, zeros, sizeof zeros);
    assert_int_equal(sl_request_encode(sl_view_text("garden"), key, out, sizeof out, &len),
                     SL_BAD_ARGUMENT);
    assert_int_equal(len, 0);

    memcpy(key, order, sizeof key);
    assert_false(sl_request_point(key, point));
    key[SL_REQUEST_KEY_LEN - 1]++;
    assert_false(sl_request_point(key, point));
    memset(key, 0xFF, sizeof key);
    assert_false(sl_request_point(key, point));
    memcpy(key, order, sizeof key);
    key[SL_REQUEST_KEY_LEN - 1]--; /* n - 1 is the last key there is; its point is -G */
    assert_true(sl_request_point(key, point));
    memset(key, 0, sizeof key);
    key[SL_REQUEST_KEY_LEN - 1] = 1;
    uint8_t generator[SL_REQUEST_POINT_LEN];
    assert_true(sl_request_point(key, generator));
    assert_memory_equal(point, generator, 33); /* the same x */
}

static void test_bounds_of_name_and_room(void **state)
{
    struct sl_random random = random_from("bounds");
    uint8_t key[SL_REQUEST_KEY_LEN], point[SL_REQUEST_POINT_LEN], out[SL_REQUEST_MAX];
    size_t len, whole;
    (void)state;

    sl_request_make_key(&random, key, point);
    assert_int_equal(sl_request_encode(sl_view_text(""), key, out, sizeof out, &len),
                     SL_BAD_ARGUMENT);
    assert_int_equal(
        sl_request_encode(sl_view_text("abcdefghijklmnopqrstuvwx"), key, out, sizeof out, &len),
        SL_BAD_ARGUMENT);
    assert_int_equal(sl_request_encode(sl_view_text("garden"), key, out, sizeof out, &whole),
                     SL_OK);
    for (size_t room = 0; room < whole; room++) {
        memset(out, 0x5A, sizeof out);
        assert_int_equal(sl_request_encode(sl_view_text("garden"), key, out, room, &len),
                         SL_TOO_LARGE);
        assert_int_equal(len, 0);
        for (size_t i = 0; i < sizeof out; i++)
            assert_int_equal(out[i], 0x5A);
    }
    assert_int_equal(sl_request_encode(sl_view_text("garden"), key, out, whole, &len), SL_OK);
    assert_int_equal(len, whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_key_and_name_give_the_same_bytes),
        cmocka_unit_test(test_no_key_outside_the_curves_range),
        cmocka_unit_test(test_bounds_of_name_and_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
