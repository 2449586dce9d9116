/* The record log: reading at the start, then appending, moving and tidying, one operation a time.
 */
#include "store/records.h"
#include "base/crc.h"

#define HEADER_LEN     16
#define NUMBER_SECTOR  0 /* the record that begins a sector; its body is the generation */
#define VERSION_SECTOR 1
#define GENERATION_LEN 4
#define FIRST_AT       (HEADER_LEN + GENERATION_LEN) /* of a sector's values */
#define HALF_LEN       8                             /* of a header; the rest is its complement */
#define SECTOR_RECORD  SL_RECORD_COUNT               /* in place of a value */
#define ERASED         0xFF

/* A header: whose, how long, and the checksum of these four bytes and the body. */
struct header {
    uint8_t number, version;
    uint16_t len;
    uint32_t crc;
};

static const struct {
    uint8_t number, version, max;
    bool is_secret;
} kinds[SL_RECORD_COUNT] = {
#define X(value, number, version, max, is_secret) {number, version, max, is_secret},
    SL_RECORD_LIST(X)
#undef X
};

static void read_head(struct sl_records *records, struct sl_view window);
static void read_value(struct sl_records *records, struct sl_view window);
static void read_tail(struct sl_records *records, struct sl_view window);
static void take_value(struct sl_records *records, const struct header *header,
                       struct sl_view body);
static void choose(struct sl_records *records);
static void begin_move(struct sl_records *records);
static void open_target(struct sl_records *records);
static void next_to_move(struct sl_records *records);
static void begin_body(struct sl_records *records);
static void written(struct sl_records *records);
static void moved(struct sl_records *records);
static void failed(struct sl_records *records);
static void encode_header(struct sl_records *records, uint8_t number, uint8_t version,
                          struct sl_view body);
static bool decode_header(struct sl_view window, struct header *header);
static uint32_t checksum(uint8_t number, uint8_t version, struct sl_view body);
static bool is_filled(struct sl_view bytes, uint8_t with);

/* Of a value, in memory. */
static size_t place_of(unsigned value)
{
    size_t place = 0;

    for (unsigned i = 0; i < value; i++)
        place += kinds[i].max;
    return place;
}

static bool is_reading(const struct sl_records *records)
{
    return records->step <= SL_RECORDS_READ_TAIL;
}

void sl_records_init(struct sl_records *records, uint8_t sectors)
{
    memset(records, 0, sizeof *records);
    if (sectors >= 2)
        records->sectors = sectors <= SL_RECORDS_SECTORS_MAX ? sectors : SL_RECORDS_SECTORS_MAX;
    records->active = records->untidy = records->sectors;
    records->end = SL_RECORDS_SECTOR_LEN;
    records->step = records->sectors == 0 ? SL_RECORDS_REST : SL_RECORDS_READ_HEADS;
}

void sl_records_wipe(struct sl_records *records)
{
    sl_wipe(records, sizeof *records);
    records->step = SL_RECORDS_REST;
}

/* Reading. */

bool sl_records_wants(const struct sl_records *records, struct sl_records_place *place)
{
    if (!is_reading(records))
        return false;
    bool is_head = records->step == SL_RECORDS_READ_HEADS;
    place->sector = is_head ? records->target : records->active;
    place->offset = is_head ? 0 : records->at;
    uint16_t left = (uint16_t)(SL_RECORDS_SECTOR_LEN - place->offset);
    place->len = left < SL_RECORDS_WINDOW_LEN ? left : SL_RECORDS_WINDOW_LEN;
    return true;
}

void sl_records_feed(struct sl_records *records, struct sl_view window)
{
    struct sl_records_place place;

    if (!sl_records_wants(records, &place))
        return;
    if (window.len > place.len)
        window.len = place.len;
    if (records->step == SL_RECORDS_READ_HEADS)
        read_head(records, window);
    else if (window.len < place.len)
        records->step = SL_RECORDS_REST; /* what cannot be read is not written to either */
    else if (records->step == SL_RECORDS_READ_VALUES)
        read_value(records, window);
    else
        read_tail(records, window);
}

/* The newest sector is the active one. Of what else there is, one sector is tidied: a cut leaves no
 * more than one behind, and a secret may be in it. */
static void read_head(struct sl_records *records, struct sl_view window)
{
    struct header header;
    bool is_sector = decode_header(window, &header) && header.number == NUMBER_SECTOR &&
                     header.version == VERSION_SECTOR && header.len == GENERATION_LEN;
    uint32_t generation = 0;

    if (is_sector) {
        struct sl_view body = {window.data + HEADER_LEN, GENERATION_LEN};
        struct sl_reader reader = sl_reader_init(body);
        generation = sl_read_u32(&reader);
        is_sector = checksum(NUMBER_SECTOR, VERSION_SECTOR, body) == header.crc;
    }
    bool has_active = records->active < records->sectors;
    if (is_sector && (!has_active || (uint32_t)(generation - records->generation) <= INT32_MAX)) {
        if (has_active)
            records->untidy = records->active;
        records->active = records->target;
        records->generation = generation;
    } else if (window.len < SL_RECORDS_WINDOW_LEN || !is_filled(window, ERASED)) {
        records->untidy = records->target;
    }
    if (++records->target < records->sectors)
        return;
    records->at = FIRST_AT;
    records->step = records->active < records->sectors ? SL_RECORDS_READ_VALUES : SL_RECORDS_REST;
}

/* Behind a header that is not whole nothing was ever written; a body that is not, is passed over:
 * it is a secret that was overwritten, or a cell that has lost its charge. */
static void read_value(struct sl_records *records, struct sl_view window)
{
    struct header header;

    if (is_filled((struct sl_view){window.data, window.len < HEADER_LEN ? window.len : HEADER_LEN},
                  ERASED)) {
        records->step = SL_RECORDS_READ_TAIL;
        return;
    }
    if (!decode_header(window, &header) ||
        header.len > SL_RECORDS_SECTOR_LEN - HEADER_LEN - records->at) {
        records->step = SL_RECORDS_REST;
        return;
    }
    if (header.len <= window.len - HEADER_LEN)
        take_value(records, &header, (struct sl_view){window.data + HEADER_LEN, header.len});
    records->at = (uint16_t)(records->at + HEADER_LEN + header.len);
    if (records->at == SL_RECORDS_SECTOR_LEN)
        records->step = SL_RECORDS_REST;
}

static void take_value(struct sl_records *records, const struct header *header, struct sl_view body)
{
    unsigned i = 0;

    while (i < SL_RECORD_COUNT && kinds[i].number != header->number)
        i++;
    if (i == SL_RECORD_COUNT || kinds[i].version != header->version || header->len > kinds[i].max)
        return;
    struct sl_records_value *value = &records->values[i];
    bool is_whole = checksum(header->number, header->version, body) == header->crc;
    if (kinds[i].is_secret && !is_whole && !is_filled(body, 0)) {
        records->hide_at = records->at;
        records->hide_len = (uint8_t)body.len;
    }
    if (!is_whole)
        return;
    if (kinds[i].is_secret && value->at_len > 0) {
        records->hide_at = value->at;
        records->hide_len = value->at_len;
    }
    value->at = records->at;
    value->len = value->at_len = (uint8_t)body.len;
    memcpy(records->memory + place_of(i), body.data, body.len);
}

static void read_tail(struct sl_records *records, struct sl_view window)
{
    if (records->end == SL_RECORDS_SECTOR_LEN)
        records->end = records->at; /* unless something stands behind it */
    records->at = (uint16_t)(records->at + window.len);
    if (!is_filled(window, ERASED))
        records->end = records->at = SL_RECORDS_SECTOR_LEN;
    if (records->at == SL_RECORDS_SECTOR_LEN)
        records->step = SL_RECORDS_REST;
}

/* Values. */

struct sl_view sl_records_get(const struct sl_records *records, enum sl_record value)
{
    return (struct sl_view){records->memory + place_of((unsigned)value),
                            records->values[value].len};
}

void sl_records_put(struct sl_records *records, enum sl_record value, struct sl_view bytes)
{
    struct sl_records_value *to = &records->values[value];
    uint8_t *memory = records->memory + place_of((unsigned)value);

    if (is_reading(records) || bytes.len > kinds[value].max || bytes.len % 4 != 0 ||
        sl_view_is_equal(bytes, sl_records_get(records, value)))
        return;
    sl_wipe(memory, to->len);
    if (bytes.len > 0)
        memcpy(memory, bytes.data, bytes.len);
    to->len = (uint8_t)bytes.len;
    to->is_changed = to->is_newer = true;
    records->is_blocked = false;
}

bool sl_records_has_failed(struct sl_records *records)
{
    bool has_failed = records->has_failed;

    records->has_failed = false;
    return has_failed;
}

/* Writing. */

bool sl_records_next(struct sl_records *records, struct sl_records_op *op)
{
    if (is_reading(records) || records->is_under_way || records->sectors == 0)
        return false;
    if (records->step == SL_RECORDS_REST)
        choose(records);
    if (records->step == SL_RECORDS_REST)
        return false;

    *op = (struct sl_records_op){.kind = SL_RECORDS_ERASE};
    op->place.sector = records->is_moving ? records->target : records->active;
    if (records->step == SL_RECORDS_TIDY) {
        op->place.sector = records->untidy;
    } else if (records->step == SL_RECORDS_HIDE) {
        op->kind = SL_RECORDS_CLEAR;
        op->place.offset = (uint16_t)(records->hide_at + HEADER_LEN);
        op->place.len = records->hide_len;
    } else if (records->step == SL_RECORDS_BODY) {
        begin_body(records);
        op->kind = SL_RECORDS_PROGRAM;
        op->place.offset = (uint16_t)(records->at + HEADER_LEN);
        op->place.len = records->len;
        op->data = records->value == SECTOR_RECORD ? records->number
                                                   : records->memory + place_of(records->value);
    } else if (records->step == SL_RECORDS_HEADER) {
        op->kind = SL_RECORDS_PROGRAM;
        op->place.offset = records->at;
        op->place.len = HEADER_LEN;
        op->data = records->header;
    }
    records->is_under_way = true;
    return true;
}

void sl_records_did(struct sl_records *records, bool ok)
{
    if (!records->is_under_way)
        return;
    records->is_under_way = false;
    if (!ok) {
        failed(records);
        return;
    }
    switch ((enum sl_records_step)records->step) {
    case SL_RECORDS_TIDY:
        records->untidy = records->sectors;
        records->step = SL_RECORDS_REST;
        break;
    case SL_RECORDS_HIDE:
        records->hide_len = 0;
        records->step = SL_RECORDS_REST;
        break;
    case SL_RECORDS_OPEN:
        open_target(records);
        break;
    case SL_RECORDS_BODY:
        records->step = SL_RECORDS_HEADER;
        break;
    case SL_RECORDS_HEADER:
        written(records);
        break;
    case SL_RECORDS_READ_HEADS:
    case SL_RECORDS_READ_VALUES:
    case SL_RECORDS_READ_TAIL:
    case SL_RECORDS_REST:
        break;
    }
}

/* What has waited: secrets that are no longer in use first. */
static void choose(struct sl_records *records)
{
    unsigned i = 0;

    if (records->untidy < records->sectors) {
        records->step = SL_RECORDS_TIDY;
        return;
    }
    if (records->hide_len > 0) {
        records->step = SL_RECORDS_HIDE;
        return;
    }
    while (i < SL_RECORD_COUNT && !records->values[i].is_changed)
        i++;
    if (i == SL_RECORD_COUNT || records->is_blocked)
        return;
    records->value = (uint8_t)i;
    records->at = records->end;
    if (records->end + HEADER_LEN + records->values[i].len > SL_RECORDS_SECTOR_LEN) {
        begin_move(records);
    } else if (records->values[i].len > 0) {
        records->step = SL_RECORDS_BODY;
    } else {
        begin_body(records); /* which is empty: the value is forgotten */
        records->step = SL_RECORDS_HEADER;
    }
}

static void begin_move(struct sl_records *records)
{
    records->is_moving = true;
    records->tried = 0;
    records->target = records->active < records->sectors
                          ? (uint8_t)((records->active + 1) % records->sectors)
                          : 0;
    records->step = SL_RECORDS_OPEN;
}

static void open_target(struct sl_records *records)
{
    struct sl_writer writer = sl_writer_init(records->number, sizeof records->number);

    sl_write_u32(&writer, records->generation + 1);
    for (unsigned i = 0; i < SL_RECORD_COUNT; i++) {
        records->values[i].is_newer = false;
        records->values[i].moved_at = records->values[i].moved_len = 0;
    }
    records->at = FIRST_AT;
    records->value = 0;
    next_to_move(records);
}

/* Forgotten values are not moved. The sector's own record comes last: it makes the rest count. */
static void next_to_move(struct sl_records *records)
{
    while (records->value < SL_RECORD_COUNT && records->values[records->value].len == 0)
        records->value++;
    if (records->value == SECTOR_RECORD) {
        records->moved_end = records->at;
        records->at = 0;
    }
    records->step = SL_RECORDS_BODY;
}

/* The bytes that go out now are the ones that the header will speak for, whatever is put until
 * then. */
static void begin_body(struct sl_records *records)
{
    if (records->value == SECTOR_RECORD) {
        records->len = GENERATION_LEN;
        encode_header(records, NUMBER_SECTOR, VERSION_SECTOR,
                      (struct sl_view){records->number, GENERATION_LEN});
        return;
    }
    const unsigned i = records->value;
    records->values[i].is_newer = false;
    records->len = records->values[i].len;
    encode_header(records, kinds[i].number, kinds[i].version,
                  sl_records_get(records, (enum sl_record)i));
}

/* A header is whole: the record counts. */
static void written(struct sl_records *records)
{
    if (records->value == SECTOR_RECORD) {
        moved(records);
        return;
    }
    struct sl_records_value *value = &records->values[records->value];
    uint16_t end = (uint16_t)(records->at + HEADER_LEN + records->len);

    if (records->is_moving) {
        value->moved_at = records->at;
        value->moved_len = records->len;
        records->at = end;
        records->value++;
        next_to_move(records);
        return;
    }
    if (kinds[records->value].is_secret && value->at_len > 0) {
        records->hide_at = value->at;
        records->hide_len = value->at_len;
    }
    value->at = records->at;
    value->at_len = records->len;
    value->is_changed = value->is_newer;
    records->end = end;
    records->step = SL_RECORDS_REST;
}

static void moved(struct sl_records *records)
{
    records->untidy = records->active;
    records->active = records->target;
    records->generation++;
    records->end = records->moved_end;
    records->hide_len = 0; /* the whole sector goes */
    for (unsigned i = 0; i < SL_RECORD_COUNT; i++) {
        struct sl_records_value *value = &records->values[i];
        value->at = value->moved_at;
        value->at_len = value->moved_len;
        value->is_changed = value->is_newer;
    }
    records->is_moving = false;
    records->step = SL_RECORDS_REST;
}

/* A sector that does not take what it is given is left for another; the active one is never
 * erased before that has worked. */
static void failed(struct sl_records *records)
{
    const enum sl_records_step step = (enum sl_records_step)records->step;

    records->step = SL_RECORDS_REST;
    if (step == SL_RECORDS_TIDY) {
        records->untidy = records->sectors; /* it is erased again before it is used */
        return;
    }
    if (!records->is_moving) {
        records->end = SL_RECORDS_SECTOR_LEN;
        for (unsigned i = 0; i < SL_RECORD_COUNT && step == SL_RECORDS_HIDE; i++)
            records->values[i].is_changed |= kinds[i].is_secret; /* a move hides it, too */
        records->hide_len = 0;
        return;
    }
    bool has_active = records->active < records->sectors;
    if (++records->tried < records->sectors - (has_active ? 1 : 0)) {
        do {
            records->target = (uint8_t)((records->target + 1) % records->sectors);
        } while (records->target == records->active);
        records->step = SL_RECORDS_OPEN;
        return;
    }
    records->is_moving = false;
    records->is_blocked = records->has_failed = true;
}

/* The format. */

static void encode_header(struct sl_records *records, uint8_t number, uint8_t version,
                          struct sl_view body)
{
    struct sl_writer writer = sl_writer_init(records->header, sizeof records->header);

    sl_write_u8(&writer, number);
    sl_write_u8(&writer, version);
    sl_write_u16(&writer, (uint16_t)body.len);
    sl_write_u32(&writer, checksum(number, version, body));
    for (size_t i = 0; i < HALF_LEN; i++)
        sl_write_u8(&writer, (uint8_t)~records->header[i]);
}

/* Bits that are not programmed yet are ones in both halves, so no part of a header is a header. */
static bool decode_header(struct sl_view window, struct header *header)
{
    struct sl_reader reader = sl_reader_init(window);

    header->number = sl_read_u8(&reader);
    header->version = sl_read_u8(&reader);
    header->len = sl_read_u16(&reader);
    header->crc = sl_read_u32(&reader);
    if (window.len < HEADER_LEN || header->len % 4 != 0)
        return false;
    for (size_t i = 0; i < HALF_LEN; i++)
        if ((window.data[i] ^ window.data[HALF_LEN + i]) != ERASED)
            return false;
    return true;
}

static uint32_t checksum(uint8_t number, uint8_t version, struct sl_view body)
{
    const uint8_t start[4] = {number, version, (uint8_t)(body.len >> 8), (uint8_t)body.len};

    return sl_crc32_more(sl_crc32(start, sizeof start), body.data, body.len);
}

static bool is_filled(struct sl_view bytes, uint8_t with)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i] != with)
            return false;
    return true;
}
