/* The frame codec against tests/vectors/link/frames.txt, both ways, and against damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "link/frame.h"

#define FIELDS 16 /* the most numbers a line of the file carries */

static bool parse_hex(const char *hex, uint8_t frame[SL_FRAME_LEN])
{
    if (strlen(hex) != 2 * SL_FRAME_LEN)
        return false;
    for (size_t i = 0; i < SL_FRAME_LEN; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            return false;
        frame[i] = (uint8_t)byte;
    }
    return true;
}

static size_t parse_numbers(char *text, unsigned long out[FIELDS])
{
    size_t count = 0;
    for (char *word = strtok(text, " ,\n"); word && count < FIELDS; word = strtok(NULL, " ,\n"))
        out[count++] = strtoul(word, NULL, 10);
    return count;
}

static void check_order(const uint8_t *frame, const unsigned long *n, size_t count)
{
    struct sl_order order;
    assert_int_equal(count, 11);
    assert_int_equal(sl_order_decode(frame, &order), SL_OK);
    assert_int_equal(order.sequence, n[0]);
    assert_int_equal(order.apply, n[1]);
    assert_int_equal(order.lease_units, n[2]);
    for (size_t zone = 0; zone < SL_ZONES; zone++)
        assert_int_equal(order.remaining_units[zone], n[3 + zone]);
    uint8_t again[SL_FRAME_LEN];
    sl_order_encode(&order, again);
    assert_memory_equal(again, frame, SL_FRAME_LEN);
}

static void check_status(const uint8_t *frame, const unsigned long *n, size_t count)
{
    struct sl_chip_status status;
    assert_int_equal(count, 15);
    assert_int_equal(sl_chip_status_decode(frame, &status), SL_OK);
    assert_int_equal(status.sequence, n[0]);
    assert_int_equal(status.flags, n[1]);
    assert_int_equal(status.pins, n[2]);
    for (size_t zone = 0; zone < SL_ZONES; zone++)
        assert_int_equal(status.remaining_units[zone], n[3 + zone]);
    assert_int_equal(status.latched, n[11]);
    assert_int_equal(status.reset_cause, n[12]);
    assert_int_equal(status.dropped_frames, n[13]);
    assert_int_equal(status.version, n[14]);
    uint8_t again[SL_FRAME_LEN];
    sl_chip_status_encode(&status, again);
    assert_memory_equal(again, frame, SL_FRAME_LEN);
}

static enum sl_status decode(bool is_order, const uint8_t *frame, bool *is_zero)
{
    struct sl_order order;
    struct sl_chip_status status;
    memset(&order, 0xEE, sizeof order);
    memset(&status, 0xEE, sizeof status);
    const struct sl_order no_order = {0};
    const struct sl_chip_status no_status = {0};
    enum sl_status result =
        is_order ? sl_order_decode(frame, &order) : sl_chip_status_decode(frame, &status);
    *is_zero = is_order ? order.sequence == no_order.sequence && !order.apply &&
                              order.lease_units == 0 &&
                              memcmp(order.remaining_units, no_order.remaining_units,
                                     sizeof order.remaining_units) == 0
                        : memcmp(&status, &no_status, sizeof status) == 0;
    return result;
}

static void check_refusal(bool is_order, const char *why, const uint8_t *frame)
{
    enum sl_status expected = strcmp(why, "corrupt") == 0       ? SL_CORRUPT
                              : strcmp(why, "unsupported") == 0 ? SL_UNSUPPORTED
                                                                : SL_MALFORMED;
    bool is_zero;
    assert_int_equal(decode(is_order, frame, &is_zero), expected);
    assert_true(is_zero);
}

static void agrees_with_every_vector(void **state)
{
    (void)state;
    FILE *file = fopen(SL_VECTORS "/link/frames.txt", "r");
    assert_non_null(file);
    char line[512], kind[8], why[16], hex[64];
    int lines = 0;
    while (fgets(line, sizeof line, file)) {
        int used = 0;
        if (line[0] == '#' || line[0] == '\n')
            continue;
        print_message("%s", line);
        assert_int_equal(sscanf(line, "%7s %15s %63s%n", kind, why, hex, &used), 3);
        uint8_t frame[SL_FRAME_LEN];
        assert_true(parse_hex(hex, frame));
        bool is_order = strcmp(kind, "order") == 0;
        unsigned long numbers[FIELDS] = {0};
        size_t count = parse_numbers(line + used, numbers);
        if (strcmp(why, "ok") != 0)
            check_refusal(is_order, why, frame);
        else if (is_order)
            check_order(frame, numbers, count);
        else
            check_status(frame, numbers, count);
        lines++;
    }
    fclose(file);
    assert_true(lines > 30);
}

static void make_order(uint8_t frame[SL_FRAME_LEN])
{
    struct sl_order order = {.sequence = 7, .apply = true, .lease_units = 40};
    order.remaining_units[2] = 480;
    sl_order_encode(&order, frame);
}

static void any_one_or_two_wrong_bits_are_refused(void **state)
{
    (void)state;
    uint8_t frame[SL_FRAME_LEN];
    bool is_zero;
    make_order(frame);
    for (size_t i = 0; i < SL_FRAME_LEN * 8; i++) {
        frame[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(decode(true, frame, &is_zero), SL_CORRUPT);
        for (size_t j = 0; j < i; j++) {
            frame[j / 8] ^= (uint8_t)(1u << j % 8);
            assert_int_equal(decode(true, frame, &is_zero), SL_CORRUPT);
            frame[j / 8] ^= (uint8_t)(1u << j % 8);
        }
        frame[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_int_equal(decode(true, frame, &is_zero), SL_OK);
}

static void an_ask_drops_the_flag_only(void **state)
{
    (void)state;
    struct sl_order order = {.sequence = 1, .apply = false, .lease_units = 0};
    uint8_t frame[SL_FRAME_LEN];
    sl_order_encode(&order, frame);
    order.apply = true;
    assert_int_equal(sl_order_decode(frame, &order), SL_OK);
    assert_false(order.apply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_every_vector),
        cmocka_unit_test(any_one_or_two_wrong_bits_are_refused),
        cmocka_unit_test(an_ask_drops_the_flag_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
