/* The record log on flash that obeys the rules: values come back, wear spreads, failures are borne.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "store/records.h"
#include "support/flash.h"
#include <cmocka.h>

static struct test_flash flash;
static struct sl_records records;

static int set_up(void **state)
{
    (void)state;
    test_flash_init(&flash, 2);
    test_flash_read(&flash, &records);
    return 0;
}

static void put(enum sl_record value, uint8_t fill, size_t len)
{
    uint8_t bytes[SL_RECORDS_VALUE_MAX];

    memset(bytes, fill, sizeof bytes);
    sl_records_put(&records, value, (struct sl_view){bytes, len});
}

static void expect(enum sl_record value, uint8_t fill, size_t len)
{
    uint8_t bytes[SL_RECORDS_VALUE_MAX];
    const struct sl_view kept = sl_records_get(&records, value);

    memset(bytes, fill, sizeof bytes);
    assert_int_equal(kept.len, len);
    assert_memory_equal(kept.data, bytes, len);
}

static void restart(void)
{
    test_flash_settle(&flash, &records);
    test_flash_read(&flash, &records);
}

static void values_outlast_a_restart(void **state)
{
    (void)state;
    expect(SL_RECORD_TIME, 0, 0);
    put(SL_RECORD_TIME, 0x11, 8);
    put(SL_RECORD_SESSION, 0x22, 116);
    put(SL_RECORD_KNOWN, 0x33, 32);
    restart();
    expect(SL_RECORD_TIME, 0x11, 8);
    expect(SL_RECORD_SESSION, 0x22, 116);
    expect(SL_RECORD_KNOWN, 0x33, 32);
    expect(SL_RECORD_COUNTERS, 0, 0);
    put(SL_RECORD_TIME, 0x44, 8);
    put(SL_RECORD_SESSION, 0, 0);
    restart();
    expect(SL_RECORD_TIME, 0x44, 8);
    expect(SL_RECORD_SESSION, 0, 0);
    expect(SL_RECORD_KNOWN, 0x33, 32);
}

/* docs/spec/record-log.md shows the same bytes. */
static void layout_is_as_specified(void **state)
{
    static const uint8_t sector[] = {0x00, 0x01, 0x00, 0x04, 0x41, 0xD2, 0x42, 0x8B, 0xFF, 0xFE,
                                     0xFF, 0xFB, 0xBE, 0x2D, 0xBD, 0x74, 0x00, 0x00, 0x00, 0x01};
    static const uint8_t record[] = {0x01, 0x01, 0x00, 0x08, 0xAD, 0xF2, 0x12, 0x34,
                                     0xFE, 0xFE, 0xFF, 0xF7, 0x52, 0x0D, 0xED, 0xCB,
                                     0x00, 0x00, 0x00, 0x00, 0x6B, 0x02, 0x8B, 0x00};
    const struct sl_view time = {record + 16, 8};

    (void)state;
    sl_records_put(&records, SL_RECORD_TIME, time);
    test_flash_settle(&flash, &records);
    assert_memory_equal(flash.bytes[0], sector, sizeof sector);
    assert_memory_equal(flash.bytes[0] + sizeof sector, record, sizeof record);
    assert_int_equal(flash.bytes[0][sizeof sector + sizeof record], 0xFF);
}

static void what_is_kept_already_costs_nothing(void **state)
{
    (void)state;
    put(SL_RECORD_TIME, 1, 8);
    test_flash_settle(&flash, &records);
    const unsigned programs = flash.programs;
    put(SL_RECORD_TIME, 1, 8);
    put(SL_RECORD_SESSION, 0, 0);
    test_flash_settle(&flash, &records);
    restart();
    assert_int_equal(flash.programs, programs);
    put(SL_RECORD_TIME, 2, 8);
    test_flash_settle(&flash, &records);
    assert_int_equal(flash.programs, programs + 2); /* body and header */
}

static void wrong_lengths_are_not_kept(void **state)
{
    (void)state;
    put(SL_RECORD_TIME, 1, 8);
    put(SL_RECORD_TIME, 2, 12); /* more than the list says */
    put(SL_RECORD_TIME, 3, 7);  /* not in words */
    expect(SL_RECORD_TIME, 1, 8);
}

static void without_sectors_values_live_in_ram(void **state)
{
    struct sl_records_place place;
    struct sl_records_op op;

    (void)state;
    for (uint8_t sectors = 0; sectors < 2; sectors++) { /* one sector cannot be safe */
        sl_records_init(&records, sectors);
        assert_false(sl_records_wants(&records, &place));
        put(SL_RECORD_SESSION, 5, 116);
        expect(SL_RECORD_SESSION, 5, 116);
        assert_false(sl_records_next(&records, &op));
        assert_false(sl_records_has_failed(&records));
    }
}

static void all_sectors_wear_alike(void **state)
{
    (void)state;
    for (uint8_t sectors = 2; sectors <= SL_RECORDS_SECTORS_MAX; sectors++) {
        test_flash_init(&flash, sectors);
        test_flash_read(&flash, &records);
        for (unsigned i = 0; i < 150u * sectors; i++) {
            put(SL_RECORD_SESSION, (uint8_t)i, 116);
            test_flash_settle(&flash, &records);
            if (i % 13 == 0) /* restarts do not disturb the turn */
                restart();
        }
        unsigned least = UINT32_MAX, most = 0;
        for (uint8_t s = 0; s < sectors; s++) {
            least = flash.erases[s] < least ? flash.erases[s] : least;
            most = flash.erases[s] > most ? flash.erases[s] : most;
        }
        assert_true(least >= 8 && most - least <= 2); /* a turn is two erases of each */
    }
}

/* The port copies what it programs, and then takes its time. */
static void a_put_while_its_bytes_go_out_is_written_next(void **state)
{
    struct sl_records_op op;

    (void)state;
    put(SL_RECORD_KNOWN, 1, 64);
    for (unsigned calls = 0; sl_records_next(&records, &op); calls++) {
        test_flash_apply(&flash, &op);
        if (calls < 200)
            put(SL_RECORD_KNOWN, (uint8_t)(2 + calls), 32);
        sl_records_did(&records, true);
    }
    restart();
    expect(SL_RECORD_KNOWN, 201, 32);
}

static void a_superseded_secret_is_overwritten(void **state)
{
    uint8_t secret[16];

    (void)state;
    memset(secret, 0x5A, sizeof secret);
    put(SL_RECORD_SESSION, 0x5A, 116);
    test_flash_settle(&flash, &records);
    put(SL_RECORD_TIME, 1, 8);
    put(SL_RECORD_SESSION, 0, 0);
    test_flash_settle(&flash, &records);
    for (size_t at = 0; at + sizeof secret <= SL_RECORDS_SECTOR_LEN; at++)
        assert_memory_not_equal(flash.bytes[0] + at, secret, sizeof secret);
    restart();
    expect(SL_RECORD_TIME, 1, 8);
    expect(SL_RECORD_SESSION, 0, 0);
}

/* A sector that takes nothing any more, or one bit of which sticks, is passed over. */
static void worn_sectors_are_passed_over(void **state)
{
    (void)state;
    for (uint8_t worn = 0; worn < 4; worn++) {
        struct sl_records_op op;
        test_flash_init(&flash, 4);
        test_flash_read(&flash, &records);
        for (unsigned i = 0; i < 400; i++) {
            put(SL_RECORD_SESSION, (uint8_t)(i + 1), 116);
            put(SL_RECORD_TIME, (uint8_t)i, 8);
            for (unsigned ops = 0; sl_records_next(&records, &op); ops++) {
                assert_true(ops < 100);
                const bool fails = op.place.sector == worn &&
                                   (i > 100 || (op.kind != SL_RECORDS_ERASE && i % 7 == 0));
                if (!fails)
                    test_flash_apply(&flash, &op);
                else if (op.kind != SL_RECORDS_ERASE)
                    test_flash_cut(&flash, &op, i % 9);
                sl_records_did(&records, !fails);
            }
            assert_false(sl_records_has_failed(&records));
            if (i % 11 == 0) {
                test_flash_read(&flash, &records);
                expect(SL_RECORD_SESSION, (uint8_t)(i + 1), 116);
                expect(SL_RECORD_TIME, (uint8_t)i, 8);
            }
        }
    }
}

static unsigned fail_all(void)
{
    struct sl_records_op op;
    unsigned ops = 0;

    for (; sl_records_next(&records, &op); ops++) {
        assert_true(ops < 100);
        sl_records_did(&records, false);
    }
    return ops;
}

static void when_nothing_can_be_written_it_is_told_once_and_tried_again(void **state)
{
    (void)state;
    put(SL_RECORD_TIME, 1, 8);
    test_flash_settle(&flash, &records);
    put(SL_RECORD_TIME, 2, 8);
    assert_in_range(fail_all(), 2, 8);
    assert_true(sl_records_has_failed(&records));
    assert_false(sl_records_has_failed(&records));
    assert_int_equal(fail_all(), 0);
    expect(SL_RECORD_TIME, 2, 8); /* in RAM all the same */
    put(SL_RECORD_TIME, 3, 8);
    assert_in_range(fail_all(), 1, 8);
    assert_true(sl_records_has_failed(&records));
    put(SL_RECORD_TIME, 4, 8);
    restart(); /* the flash has recovered */
    expect(SL_RECORD_TIME, 4, 8);

    put(SL_RECORD_TIME, 5, 8);
    fail_all();
    test_flash_read(&flash, &records); /* it has not: the last that stood counts */
    expect(SL_RECORD_TIME, 4, 8);
}

/* A later version's values and kinds are passed over, not misread. */
static void unknown_records_are_passed_over(void **state)
{
    uint8_t *at = flash.bytes[0] + 20;
    static const uint8_t body[200] = {1, 2, 3};

    (void)state;
    put(SL_RECORD_TIME, 1, 8);
    test_flash_settle(&flash, &records);
    at += 16 + 8;
    sl_record_encode(at, 77, 1, (struct sl_view){body, sizeof body});
    memcpy(at + 16, body, sizeof body);
    at += 16 + sizeof body;
    sl_record_encode(at, 1, 2, (struct sl_view){body, 8}); /* the time, in a shape to come */
    memcpy(at + 16, body, 8);
    at += 16 + 8;
    sl_record_encode(at, 4, 1, (struct sl_view){body, 32});
    memcpy(at + 16, body, 32);
    test_flash_read(&flash, &records);
    expect(SL_RECORD_TIME, 1, 8);
    assert_memory_equal(sl_records_get(&records, SL_RECORD_KNOWN).data, body, 32);
}

static void a_lost_charge_costs_one_value_at_most(void **state)
{
    (void)state;
    put(SL_RECORD_TIME, 1, 8);
    test_flash_settle(&flash, &records);
    put(SL_RECORD_KNOWN, 7, 64);
    test_flash_settle(&flash, &records);
    put(SL_RECORD_TIME, 2, 8);
    test_flash_settle(&flash, &records);
    for (size_t bit = 0; bit < 8 * 8; bit++) {
        const size_t at = 20 + 24 + 80 + 16 + bit / 8; /* in the second time */
        flash.bytes[0][at] ^= (uint8_t)(1u << bit % 8);
        test_flash_read(&flash, &records);
        expect(SL_RECORD_TIME, 1, 8);
        expect(SL_RECORD_KNOWN, 7, 64);
        flash.bytes[0][at] ^= (uint8_t)(1u << bit % 8);
    }
}

static void a_sector_that_cannot_be_read_is_left(void **state)
{
    struct sl_records_place place;

    (void)state;
    put(SL_RECORD_TIME, 1, 8);
    test_flash_settle(&flash, &records);
    sl_records_init(&records, 2);
    while (sl_records_wants(&records, &place))
        sl_records_feed(&records, (struct sl_view){NULL, 0});
    expect(SL_RECORD_TIME, 0, 0);
    put(SL_RECORD_TIME, 2, 8);
    restart();
    expect(SL_RECORD_TIME, 2, 8);
}

static void write_head(uint8_t sector, uint32_t generation)
{
    uint8_t number[4];
    struct sl_writer writer = sl_writer_init(number, sizeof number);

    sl_write_u32(&writer, generation);
    sl_record_encode(flash.bytes[sector], 0, 1, (struct sl_view){number, 4});
    memcpy(flash.bytes[sector] + 16, number, 4);
}

/* The newer of two sectors counts, the other one is erased; by distance, so the count may wrap. */
static void the_newest_sector_counts(void **state)
{
    (void)state;
    for (uint8_t newer = 0; newer < 2; newer++)
        for (uint32_t generation = UINT32_MAX - 2; generation != 3; generation++) {
            test_flash_init(&flash, 2);
            write_head(newer, generation + 1);
            write_head(1 - newer, generation);
            sl_record_encode(flash.bytes[newer] + 20, 4, 1, (struct sl_view){NULL, 0});
            test_flash_read(&flash, &records);
            assert_int_equal(records.active, newer);
            restart();
            assert_int_equal(records.active, newer);
            assert_int_equal(flash.erases[1 - newer], 1);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(values_outlast_a_restart, set_up),
        cmocka_unit_test_setup(layout_is_as_specified, set_up),
        cmocka_unit_test_setup(what_is_kept_already_costs_nothing, set_up),
        cmocka_unit_test_setup(wrong_lengths_are_not_kept, set_up),
        cmocka_unit_test_setup(without_sectors_values_live_in_ram, set_up),
        cmocka_unit_test_setup(all_sectors_wear_alike, set_up),
        cmocka_unit_test_setup(a_put_while_its_bytes_go_out_is_written_next, set_up),
        cmocka_unit_test_setup(a_superseded_secret_is_overwritten, set_up),
        cmocka_unit_test_setup(worn_sectors_are_passed_over, set_up),
        cmocka_unit_test_setup(when_nothing_can_be_written_it_is_told_once_and_tried_again, set_up),
        cmocka_unit_test_setup(unknown_records_are_passed_over, set_up),
        cmocka_unit_test_setup(a_lost_charge_costs_one_value_at_most, set_up),
        cmocka_unit_test_setup(a_sector_that_cannot_be_read_is_left, set_up),
        cmocka_unit_test_setup(the_newest_sector_counts, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
