/* The power fails at every operation of a long history, in every way that flash can be left behind;
 * and again while the log recovers. Each value must read as before or as it was put, never as
 * anything else, and what is no longer in use must not be readable in flash. */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "store/records.h"
#include "support/flash.h"
#include <cmocka.h>
#include <stdio.h>

#define STEPS     90 /* of the history: several moves with two sectors */
#define PIECE_LEN 16 /* of a secret that must not be found */
#ifndef STRIDE
#define STRIDE 1 /* every cut; a slow processor's test takes each so-many-th */
#endif

static const uint8_t lengths[SL_RECORD_COUNT] = {[SL_RECORD_TIME] = 8,
                                                 [SL_RECORD_COUNTERS] = 16,
                                                 [SL_RECORD_SESSION] = 116,
                                                 [SL_RECORD_KNOWN] = 80};

/* How often each value was put: this makes its bytes. */
struct history {
    unsigned puts[SL_RECORD_COUNT];
};

static unsigned cuts, moves;

/* The nth put of a value; some are shorter, some forget it. */
static struct sl_view bytes_of(unsigned value, unsigned n, uint8_t out[SL_RECORDS_VALUE_MAX])
{
    size_t len = lengths[value];

    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)((n * 167 + value * 41 + i * 31) ^ (n >> 3) ^ (i * n >> 2));
    if (n == 0 || (value == SL_RECORD_SESSION && n % 5 == 0))
        len = 0;
    if (value == SL_RECORD_KNOWN && n % 2 == 1)
        len = 32;
    return (struct sl_view){out, len};
}

static bool reads(const struct sl_records *records, unsigned value, unsigned n)
{
    uint8_t bytes[SL_RECORDS_VALUE_MAX];

    return sl_view_is_equal(sl_records_get(records, (enum sl_record)value),
                            bytes_of(value, n, bytes));
}

/* Step number step puts one value, or several at once. */
static void put(struct sl_records *records, struct history *history, unsigned step)
{
    static const uint8_t puts[] = {1 << SL_RECORD_TIME | 1 << SL_RECORD_COUNTERS,
                                   1 << SL_RECORD_SESSION,
                                   1 << SL_RECORD_TIME,
                                   1 << SL_RECORD_SESSION | 1 << SL_RECORD_KNOWN,
                                   1 << SL_RECORD_COUNTERS,
                                   1 << SL_RECORD_SESSION | 1 << SL_RECORD_TIME};
    uint8_t bytes[SL_RECORDS_VALUE_MAX];

    for (unsigned value = 0; value < SL_RECORD_COUNT; value++)
        if ((puts[step % sizeof puts] >> value & 1) != 0)
            sl_records_put(records, (enum sl_record)value,
                           bytes_of(value, ++history->puts[value], bytes));
}

/* Gives: the history that the log has in fact: of each value, before or after. */
static struct history check_either(const struct sl_records *records, const struct history *before,
                                   const struct history *after, const char *when, unsigned step,
                                   unsigned cut)
{
    struct history found = *before;

    for (unsigned value = 0; value < SL_RECORD_COUNT; value++) {
        if (reads(records, value, after->puts[value]))
            found.puts[value] = after->puts[value];
        else if (!reads(records, value, before->puts[value]))
            fail_msg("%s, step %u, cut %u: value %u is neither old nor new", when, step, cut,
                     value);
    }
    return found;
}

/* At rest no earlier session may be left in flash, whole or in part. */
static void check_secrets(const struct test_flash *flash, unsigned now, unsigned newest,
                          const char *when, unsigned step, unsigned cut)
{
    uint8_t bytes[SL_RECORDS_VALUE_MAX];

    for (unsigned n = now > 2 ? now - 2 : 1; n <= newest; n++) {
        const struct sl_view secret = bytes_of(SL_RECORD_SESSION, n, bytes);
        if (n == now || secret.len == 0)
            continue;
        for (size_t at = 0; at < secret.len; at += secret.len - PIECE_LEN)
            if (memmem(flash->bytes, (size_t)flash->sectors * SL_RECORDS_SECTOR_LEN,
                       secret.data + at, PIECE_LEN) != NULL)
                fail_msg("%s, step %u, cut %u: session %u can be read, %u counts", when, step, cut,
                         n, now);
    }
}

/* The power comes back: read, judge, come to rest, read again. Gives what the log has. */
static struct history recover(struct test_flash *flash, const struct history *before,
                              const struct history *after, const char *when, unsigned step,
                              unsigned cut)
{
    struct sl_records records;

    test_flash_read(flash, &records);
    struct history found = check_either(&records, before, after, when, step, cut);
    test_flash_settle(flash, &records);
    check_either(&records, &found, &found, when, step, cut);
    check_secrets(flash, found.puts[SL_RECORD_SESSION], after->puts[SL_RECORD_SESSION], when, step,
                  cut);
    test_flash_read(flash, &records);
    check_either(&records, &found, &found, when, step, cut);
    cuts++;
    return found;
}

/* As recover, but the power fails again at every operation of it, in each of a few ways. */
static void recover_twice(const struct test_flash *flash, const struct history *before,
                          const struct history *after, unsigned step, unsigned cut)
{
    static struct test_flash at, dark;
    struct sl_records records;
    struct sl_records_op op;
    struct history wanted = *after;

    at = *flash;
    test_flash_read(&at, &records);
    const struct history found = check_either(&records, before, after, "first cut", step, cut);
    wanted = found;
    put(&records, &wanted, step + 1);
    while (sl_records_next(&records, &op)) {
        const unsigned ways = test_flash_cuts(&at, &op);
        for (unsigned i = 0; i < 6; i++) {
            dark = at;
            test_flash_cut(&dark, &op, i == 5 ? ways - 1 : (cut * 7 + i * ways / 5) % ways);
            recover(&dark, &found, &wanted, "second cut", step, i);
        }
        test_flash_apply(&at, &op);
        sl_records_did(&records, true);
    }
    check_either(&records, &wanted, &wanted, "after the first cut", step, cut);
}

static void every_cut_leaves_old_or_new(void **state)
{
    static struct test_flash flash, dark;
    struct sl_records records;
    struct sl_records_op op;
    struct history before = {{0}}, after = {{0}};

    (void)state;
    test_flash_init(&flash, 2);
    test_flash_read(&flash, &records);
    for (unsigned step = 0; step < STEPS; step++) {
        put(&records, &after, step);
        while (sl_records_next(&records, &op)) {
            const unsigned ways = test_flash_cuts(&flash, &op);
            for (unsigned cut = step % STRIDE; cut < ways; cut += STRIDE) {
                dark = flash;
                test_flash_cut(&dark, &op, cut);
                recover(&dark, &before, &after, "cut", step, cut);
            }
            test_flash_apply(&flash, &op);
            sl_records_did(&records, true);
        }
        check_either(&records, &after, &after, "no cut", step, 0);
        check_secrets(&flash, after.puts[SL_RECORD_SESSION], after.puts[SL_RECORD_SESSION],
                      "no cut", step, 0);
        before = after;
    }
    moves = flash.erases[0] + flash.erases[1];
    assert_true(moves >= 5); /* three moves: each sector was filled, left and tidied */
}

static void a_second_cut_while_recovering_leaves_old_or_new(void **state)
{
    static struct test_flash flash, dark;
    struct sl_records records;
    struct sl_records_op op;
    struct history before = {{0}}, after = {{0}};

    (void)state;
    test_flash_init(&flash, 3);
    test_flash_read(&flash, &records);
    for (unsigned step = 0; step < STEPS; step++) {
        put(&records, &after, step);
        while (sl_records_next(&records, &op)) {
            const unsigned ways = test_flash_cuts(&flash, &op);
            for (unsigned i = 0; i < 6 && step % STRIDE == 0; i++) {
                const unsigned cut = i == 5 ? ways - 1 : (step * 5 + i * ways / 5) % ways;
                dark = flash;
                test_flash_cut(&dark, &op, cut);
                recover_twice(&dark, &before, &after, step, cut);
            }
            test_flash_apply(&flash, &op);
            sl_records_did(&records, true);
        }
        before = after;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_leaves_old_or_new),
        cmocka_unit_test(a_second_cut_while_recovering_leaves_old_or_new),
    };
    const int failures = cmocka_run_group_tests(tests, NULL, NULL);
    printf("%u power cuts, %u erases\n", cuts, moves);
    return failures;
}
