/* NOR flash in memory. */
#include "support/flash.h"
#include <stdio.h>
#include <stdlib.h>

#define SETTLE_MAX 1000 /* operations: more never wait */

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
