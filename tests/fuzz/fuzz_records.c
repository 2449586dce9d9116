/* The record log on flash with anything in it.
 *
 * An input is a script: sectors, then what stands in flash, then what is put. Steps:
 *   00 s oo n bytes   bytes at offset oo of sector s, as they come
 *   01 s oo v n body  a record with a right header: number and version from v
 *   02 s gggg         the head of a sector, right, with generation g (first byte: 00 or ff only)
 *   03 v n bytes      put a value (the flash is read before the first of these)
 *   04 n              n operations are carried out, then the power fails
 *   05                the operation that comes next fails
 *
 * Contract: reading ends; a value is one whose header and checksum stand in flash, found by a
 * second reader; coming to rest ends, changes no value, and obeys the rules of flash; what was put
 * and came to rest is read again. */
#include "base/crc.h"
#include "fuzz.h"
#include "store/records.h"
#include "support/flash.h"

#define READS_MAX (SL_RECORDS_SECTORS_MAX * SL_RECORDS_SECTOR_LEN / SL_RECORD_HEADER_LEN)

static const uint8_t numbers[SL_RECORD_COUNT] = {1, 2, 3, 4};
static struct test_flash flash;
static struct sl_records records;

static void fill(struct sl_reader *input, uint8_t step);
static void read_again(void);
static void check_found(void);
static bool stands(const uint8_t *sector, unsigned value, struct sl_view bytes);
static void rest(void);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct sl_reader input = sl_reader_init((struct sl_view){data, len});
    struct sl_records_op op;
    bool is_read = false;

    test_flash_init(&flash, (uint8_t)(2 + fuzz_u8(&input) % 3));
    while (fuzz_has_more(&input)) {
        const uint8_t step = fuzz_u8(&input) % 6;
        if (step < 3) {
            if (!is_read)
                fill(&input, step);
            continue;
        }
        if (!is_read) {
            read_again();
            check_found();
        }
        is_read = true;
        if (step == 3) {
            const enum sl_record value = (enum sl_record)(fuzz_u8(&input) % SL_RECORD_COUNT);
            sl_records_put(&records, value, fuzz_take(&input, fuzz_u8(&input)));
        } else if (step == 4) {
            for (uint8_t n = fuzz_u8(&input); n > 0 && sl_records_next(&records, &op); n--) {
                test_flash_apply(&flash, &op);
                sl_records_did(&records, true);
            }
            read_again();
            check_found();
        } else if (sl_records_next(&records, &op)) {
            sl_records_did(&records, false);
        }
    }
    if (!is_read) {
        read_again();
        check_found();
    }
    rest();
    return 0;
}

static void fill(struct sl_reader *input, uint8_t step)
{
    uint8_t *sector = flash.bytes[fuzz_u8(input) % flash.sectors];

    if (step == 2) {
        const uint8_t *number = sector + SL_RECORD_HEADER_LEN;
        const struct sl_view generation = fuzz_take(input, 4);
        memcpy(sector + SL_RECORD_HEADER_LEN, generation.data, generation.len);
        /* No log holds generations that lie half the circle apart. */
        sector[SL_RECORD_HEADER_LEN] = sector[SL_RECORD_HEADER_LEN] < 0x80 ? 0 : 0xFF;
        sl_record_encode(sector, 0, 1, (struct sl_view){number, 4});
        return;
    }
    const uint16_t at = fuzz_u16(input) % SL_RECORDS_SECTOR_LEN;
    const uint8_t kind = step == 1 ? fuzz_u8(input) : 0;
    const struct sl_view bytes = fuzz_take(input, fuzz_u8(input));
    const size_t head = step == 1 ? SL_RECORD_HEADER_LEN : 0;
    const bool is_head = step == 1 && at == 0 && (kind & 7) == 0; /* step 2 makes these */
    if (is_head || at + head + bytes.len > SL_RECORDS_SECTOR_LEN)
        return;
    if (step == 1)
        sl_record_encode(sector + at, kind & 7, 1 + (kind >> 7), bytes);
    if (bytes.len > 0)
        memcpy(sector + at + head, bytes.data, bytes.len);
}

/* As a port does at the start, and in a bounded number of windows. */
static void read_again(void)
{
    struct sl_records_place place;
    unsigned reads = 0;

    sl_records_init(&records, flash.sectors);
    while (sl_records_wants(&records, &place)) {
        FUZZ_CHECK(++reads <= READS_MAX && place.sector < flash.sectors && place.len > 0);
        FUZZ_CHECK(place.offset + place.len <= SL_RECORDS_SECTOR_LEN);
        uint8_t *window = malloc(place.len); /* so that reading beyond it is seen */
        FUZZ_CHECK(window != NULL);
        memcpy(window, flash.bytes[place.sector] + place.offset, place.len);
        sl_records_feed(&records, (struct sl_view){window, place.len});
        free(window);
    }
}

static void check_found(void)
{
    for (unsigned value = 0; value < SL_RECORD_COUNT; value++) {
        const struct sl_view bytes = sl_records_get(&records, (enum sl_record)value);
        bool is_found = bytes.len == 0;
        for (uint8_t s = 0; s < flash.sectors && !is_found; s++)
            is_found = stands(flash.bytes[s], value, bytes);
        FUZZ_CHECK(is_found);
    }
}

/* Looks at every word of a sector, whatever the order of records in it. */
static bool stands(const uint8_t *sector, unsigned value, struct sl_view bytes)
{
    const uint8_t start[4] = {numbers[value], 1, 0, (uint8_t)bytes.len};
    uint8_t record[4 + 255];

    memcpy(record, start, sizeof start);
    memcpy(record + sizeof start, bytes.data, bytes.len);
    const uint32_t crc = sl_crc32(record, sizeof start + bytes.len);
    for (size_t at = 0; at + 16 + bytes.len <= SL_RECORDS_SECTOR_LEN; at += 4) {
        const uint8_t *header = sector + at;
        bool is_header = memcmp(header, start, sizeof start) == 0 && header[4] == crc >> 24 &&
                         header[5] == (crc >> 16 & 0xFF) && header[6] == (crc >> 8 & 0xFF) &&
                         header[7] == (crc & 0xFF);
        for (size_t i = 0; i < 8; i++)
            is_header = is_header && (header[i] ^ header[8 + i]) == 0xFF;
        if (is_header && memcmp(header + 16, bytes.data, bytes.len) == 0)
            return true;
    }
    return false;
}

/* Everything is carried out, then the power fails: all is as it was in RAM. */
static void rest(void)
{
    uint8_t before[SL_RECORD_COUNT][SL_RECORDS_VALUE_MAX];
    size_t lens[SL_RECORD_COUNT];

    const uint8_t other[4] = {(uint8_t) ~*sl_records_get(&records, SL_RECORD_TIME).data};
    sl_records_put(&records, SL_RECORD_TIME, (struct sl_view){other, sizeof other});
    for (unsigned value = 0; value < SL_RECORD_COUNT; value++) {
        const struct sl_view bytes = sl_records_get(&records, (enum sl_record)value);
        FUZZ_CHECK(bytes.len <= SL_RECORDS_VALUE_MAX && bytes.len % 4 == 0);
        memcpy(before[value], bytes.data, lens[value] = bytes.len);
    }
    test_flash_settle(&flash, &records);
    for (unsigned start = 0; start < 2; start++) {
        for (unsigned value = 0; value < SL_RECORD_COUNT; value++)
            FUZZ_CHECK(sl_view_is_equal(sl_records_get(&records, (enum sl_record)value),
                                        (struct sl_view){before[value], lens[value]}));
        read_again();
    }
}
