/* NOR flash in memory. */
#include "support/flash.h"
#include <stdio.h>
#include <stdlib.h>

#define SETTLE_MAX 1000 /* operations: more never wait */

/* Bits of a word that were reached before it went dark. */
static const uint32_t partly[] = {0, 1, 0x80000000, 0x55555555, 0xAAAAAAAA, 0xFFFF0000, 0xFFFFFFFE};
enum { PARTS = sizeof partly / sizeof partly[0], MIXTURES = 6, STRIDE = 256, FIRST_WORDS = 40 };

static void require(bool is_kept, const char *rule)
{
    if (is_kept)
        return;
    fprintf(stderr, "flash: %s\n", rule);
    abort();
}

void test_flash_init(struct test_flash *flash, uint8_t sectors)
{
    memset(flash, 0, sizeof *flash);
    memset(flash->bytes, 0xFF, sizeof flash->bytes);
    flash->sectors = sectors;
}

void test_flash_read(const struct test_flash *flash, struct sl_records *records)
{
    struct sl_records_place place;

    sl_records_init(records, flash->sectors);
    while (sl_records_wants(records, &place)) {
        require(place.sector < flash->sectors && place.len > 0 &&
                    place.offset + place.len <= SL_RECORDS_SECTOR_LEN,
                "reads beyond its sectors");
        sl_records_feed(records,
                        (struct sl_view){flash->bytes[place.sector] + place.offset, place.len});
    }
}

void test_flash_apply(struct test_flash *flash, const struct sl_records_op *op)
{
    require(op->place.sector < flash->sectors, "no such sector");
    uint8_t *to = flash->bytes[op->place.sector] + op->place.offset;

    if (op->kind == SL_RECORDS_ERASE) {
        require(op->place.offset == 0, "erases a part of a sector");
        memset(to, 0xFF, SL_RECORDS_SECTOR_LEN);
        flash->erases[op->place.sector]++;
        return;
    }
    require(op->place.offset % 4 == 0 && op->place.len % 4 == 0, "not in words");
    require(op->place.len > 0 && op->place.offset + op->place.len <= SL_RECORDS_SECTOR_LEN,
            "beyond the sector");
    for (uint16_t i = 0; i < op->place.len; i++) {
        const uint8_t byte = op->kind == SL_RECORDS_CLEAR ? 0 : op->data[i];
        require((to[i] & byte) == byte, "sets a bit without erasing");
        to[i] = byte;
    }
    flash->programs++;
}

void test_flash_settle(struct test_flash *flash, struct sl_records *records)
{
    struct sl_records_op op;

    for (unsigned i = 0; sl_records_next(records, &op); i++) {
        require(i < SETTLE_MAX, "the log never comes to rest");
        test_flash_apply(flash, &op);
        sl_records_did(records, true);
    }
}

static uint32_t mix(uint32_t seed)
{
    seed = (seed ^ seed >> 16) * 0x45D9F3Bu;
    seed = (seed ^ seed >> 16) * 0x45D9F3Bu;
    return seed ^ seed >> 16;
}

unsigned test_flash_cuts(const struct test_flash *flash, const struct sl_records_op *op)
{
    (void)flash;
    if (op->kind == SL_RECORDS_ERASE)
        return FIRST_WORDS + 2 * SL_RECORDS_SECTOR_LEN / STRIDE + MIXTURES + 1;
    return op->place.len / 4u * PARTS + MIXTURES + 1;
}

/* Erased so far, from the front; what comes later is as it was, or programmed to zeros before. */
static void cut_erase(uint8_t *sector, unsigned cut)
{
    const unsigned strides = SL_RECORDS_SECTOR_LEN / STRIDE;
    size_t done = 0;

    if (cut < FIRST_WORDS) {
        done = (size_t)4 * cut;
    } else if (cut < FIRST_WORDS + 2 * strides) {
        const unsigned stride = (cut - FIRST_WORDS) / 2;
        done = (size_t)STRIDE * stride;
        if (cut % 2 == 0)
            memset(sector + done, 0, SL_RECORDS_SECTOR_LEN - done);
    } else {
        for (size_t i = 0; i < SL_RECORDS_SECTOR_LEN; i++)
            sector[i] |= (uint8_t)mix((uint32_t)i * 64 + cut);
    }
    memset(sector, 0xFF, done);
}

void test_flash_cut(struct test_flash *flash, const struct sl_records_op *op, unsigned cut)
{
    const unsigned words = op->place.len / 4u;
    uint8_t *to = flash->bytes[op->place.sector] + op->place.offset;
    uint8_t before[SL_RECORDS_SECTOR_LEN];

    if (cut == test_flash_cuts(flash, op) - 1) {
        test_flash_apply(flash, op);
    } else if (op->kind == SL_RECORDS_ERASE) {
        cut_erase(to, cut);
    } else {
        memcpy(before, to, op->place.len);
        test_flash_apply(flash, op);
        for (unsigned word = 0; word < words; word++) {
            uint32_t reached = word < cut / PARTS   ? UINT32_MAX
                               : word > cut / PARTS ? 0
                                                    : partly[cut % PARTS];
            if (cut >= words * PARTS)
                reached = mix(word * 64 + cut);
            for (unsigned i = 0; i < 4; i++)
                to[4 * word + i] =
                    (uint8_t)(to[4 * word + i] | (before[4 * word + i] & ~(reached >> 8 * i)));
        }
    }
}
