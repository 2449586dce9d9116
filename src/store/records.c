/* The record log: reading at the start, then appending, moving and tidying, one operation a time.
 */
#include "store/records.h"
#include "store/record_format.h"

#define NUMBER_SECTOR  0 /* the record that begins a sector; its body is the generation */
#define VERSION_SECTOR 1
#define GENERATION_LEN 4
#define FIRST_AT       (SL_RECORD_HEADER_LEN + GENERATION_LEN) /* of a sector's values */
#define SECTOR_RECORD  SL_RECORD_COUNT                         /* in place of a value */
#define ERASED         0xFF

static const struct {
    uint8_t number, version, max, place;
    bool is_secret;
} kinds[SL_RECORD_COUNT] = {
#define X(value, number, version, max, is_secret) {number, version, max, value##_PLACE, is_secret},
    SL_RECORD_LIST(X)
#undef X
};

static void read_head(struct sl_records *records, struct sl_view window);
static bool read_value(struct sl_records *records, struct sl_view window);
static void begin_others(struct sl_records *records);
static void read_other(struct sl_records *records, bool is_free, uint16_t len);
static void take_value(struct sl_records *records, const struct sl_record_header *header,
                       struct sl_view body);
static void spoil(struct sl_records *records);
static void hide(struct sl_records *records, uint16_t at, uint8_t len);
static void choose(struct sl_records *records);
static void begin_move(struct sl_records *records);
static void open_target(struct sl_records *records);
static void next_to_move(struct sl_records *records);
static void begin_body(struct sl_records *records);
static void written(struct sl_records *records);
static void moved(struct sl_records *records);
static void failed(struct sl_records *records);

static uint8_t after(const struct sl_records *records, uint8_t sector)
{
    return (uint8_t)((sector + 1u) % records->sectors);
}

static bool is_reading(const struct sl_records *records)
{
    return records->step <= SL_RECORDS_READ_OTHERS;
}

void sl_records_init(struct sl_records *records, uint8_t sectors)
{
    memset(records, 0, sizeof *records);
    if (sectors >= 2)
        records->sectors = sectors <= SL_RECORDS_SECTORS_MAX ? sectors : SL_RECORDS_SECTORS_MAX;
    records->active = records->sectors;
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
    bool is_active =
        records->step == SL_RECORDS_READ_VALUES || records->step == SL_RECORDS_READ_TAIL;
    uint16_t left = (uint16_t)(SL_RECORDS_SECTOR_LEN - records->at);
    place->sector = is_active ? records->active : records->target;
    place->offset = records->at;
    place->len = left < SL_RECORDS_WINDOW_LEN ? left : SL_RECORDS_WINDOW_LEN;
    return true;
}

void sl_records_feed(struct sl_records *records, struct sl_view window)
{
    struct sl_records_place place;

    if (!sl_records_wants(records, &place))
        return;
    bool is_read = window.len >= place.len;
    window.len = is_read ? place.len : 0;
    bool is_free = is_read && sl_record_is_filled(window, ERASED);
    if (records->step == SL_RECORDS_READ_HEADS) {
        read_head(records, window);
        return;
    }
    if (records->step == SL_RECORDS_READ_OTHERS) {
        read_other(records, is_free, place.len);
        return;
    }
    if (records->step == SL_RECORDS_READ_VALUES) {
        if (!is_read || !read_value(records, window))
            spoil(records);
    } else {
        records->at = (uint16_t)(records->at + place.len);
        if (!is_free)
            spoil(records);
    }
    if (records->is_spoilt || records->at == SL_RECORDS_SECTOR_LEN)
        begin_others(records);
}

/* The newest sector is the active one. */
static void read_head(struct sl_records *records, struct sl_view window)
{
    struct sl_record_header header;

    if (sl_record_decode(window, &header) && header.number == NUMBER_SECTOR &&
        header.version == VERSION_SECTOR && header.len == GENERATION_LEN) {
        struct sl_view body = {window.data + SL_RECORD_HEADER_LEN, GENERATION_LEN};
        struct sl_reader reader = sl_reader_init(body);
        uint32_t generation = sl_read_u32(&reader);
        bool is_newest = records->active == records->sectors ||
                         (uint32_t)(generation - records->generation) <= INT32_MAX;
        if (is_newest && sl_record_is_whole(&header, body)) {
            records->active = records->target;
            records->generation = generation;
        }
    }
    if (++records->target < records->sectors)
        return;
    if (records->active == records->sectors) {
        begin_others(records);
        return;
    }
    records->at = FIRST_AT;
    records->step = SL_RECORDS_READ_VALUES;
}

/* Behind a header that is not whole nothing was ever written; a body that is not, is passed over:
 * it is a secret that was overwritten, or a cell that has lost its charge. */
static bool read_value(struct sl_records *records, struct sl_view window)
{
    const uint16_t left = (uint16_t)(SL_RECORDS_SECTOR_LEN - records->at);
    struct sl_view start = {window.data, SL_RECORD_HEADER_LEN};
    struct sl_record_header header;

    if (left < SL_RECORD_HEADER_LEN)
        start.len = left;
    if (sl_record_is_filled(start, ERASED)) {
        records->end = records->at;
        records->step = SL_RECORDS_READ_TAIL;
        return true;
    }
    if (!sl_record_decode(window, &header) || header.len > left - SL_RECORD_HEADER_LEN)
        return false;
    if (header.len <= window.len - SL_RECORD_HEADER_LEN)
        take_value(records, &header,
                   (struct sl_view){window.data + SL_RECORD_HEADER_LEN, header.len});
    records->at = (uint16_t)(records->at + SL_RECORD_HEADER_LEN + header.len);
    return true;
}

static void take_value(struct sl_records *records, const struct sl_record_header *header,
                       struct sl_view body)
{
    unsigned i = 0;

    while (i < SL_RECORD_COUNT && kinds[i].number != header->number)
        i++;
    if (i == SL_RECORD_COUNT || kinds[i].version != header->version || header->len > kinds[i].max)
        return;
    struct sl_records_value *value = &records->values[i];
    if (!sl_record_is_whole(header, body)) {
        if (kinds[i].is_secret && !sl_record_is_filled(body, 0))
            hide(records, records->at, (uint8_t)body.len);
        return;
    }
    if (kinds[i].is_secret)
        hide(records, value->at, value->at_len);
    value->at = records->at;
    value->len = value->at_len = (uint8_t)body.len;
    if (body.len > 0)
        memcpy(records->memory + kinds[i].place, body.data, body.len);
}

static void hide(struct sl_records *records, uint16_t at, uint8_t len)
{
    if (len == 0)
        return;
    records->hide_at = at;
    records->hide_len = len;
}

static void begin_others(struct sl_records *records)
{
    records->step = SL_RECORDS_READ_OTHERS;
    records->target = records->active == 0 ? 1 : 0;
    records->at = 0;
}

/* A move or a tidying that was cut short has left something there, and a secret may be in it. */
static void read_other(struct sl_records *records, bool is_free, uint16_t len)
{
    records->at = (uint16_t)(records->at + len);
    if (!is_free)
        records->untidy |= (uint16_t)(1u << records->target);
    if (is_free && records->at < SL_RECORDS_SECTOR_LEN)
        return;
    records->at = 0;
    if (++records->target == records->active)
        records->target++;
    if (records->target >= records->sectors)
        records->step = SL_RECORDS_REST;
}

/* The active sector cannot be trusted with more: everything moves, at once, since what a cut has
 * half written may be a secret, and may read otherwise tomorrow. */
static void spoil(struct sl_records *records)
{
    records->is_spoilt = true;
    records->end = SL_RECORDS_SECTOR_LEN;
}

/* Values. */

struct sl_view sl_records_get(const struct sl_records *records, enum sl_record value)
{
    return (struct sl_view){records->memory + kinds[value].place, records->values[value].len};
}

void sl_records_put(struct sl_records *records, enum sl_record value, struct sl_view bytes)
{
    struct sl_records_value *to = &records->values[value];
    uint8_t *memory = records->memory + kinds[value].place;

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
        op->place.sector = records->target;
    } else if (records->step == SL_RECORDS_HIDE) {
        op->kind = SL_RECORDS_CLEAR;
        op->place.offset = (uint16_t)(records->hide_at + SL_RECORD_HEADER_LEN);
        op->place.len = records->hide_len;
    } else if (records->step == SL_RECORDS_BODY) {
        begin_body(records);
        op->kind = SL_RECORDS_PROGRAM;
        op->place.offset = (uint16_t)(records->at + SL_RECORD_HEADER_LEN);
        op->place.len = records->len;
        op->data = records->value == SECTOR_RECORD ? records->number
                                                   : records->memory + kinds[records->value].place;
    } else if (records->step == SL_RECORDS_HEADER) {
        op->kind = SL_RECORDS_PROGRAM;
        op->place.offset = records->at;
        op->place.len = SL_RECORD_HEADER_LEN;
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
        records->untidy &= (uint16_t) ~(1u << records->target);
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
    case SL_RECORDS_READ_OTHERS:
    case SL_RECORDS_REST:
        break;
    }
}

/* What has waited: secrets that are no longer in use first. */
static void choose(struct sl_records *records)
{
    unsigned i = 0;

    if (records->untidy != 0) {
        records->target = 0;
        while ((records->untidy & 1u << records->target) == 0)
            records->target++;
        records->step = SL_RECORDS_TIDY;
        return;
    }
    if (records->is_spoilt) {
        if (!records->is_blocked)
            begin_move(records);
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
    if (records->end + SL_RECORD_HEADER_LEN + records->values[i].len > SL_RECORDS_SECTOR_LEN) {
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
    records->target = records->active < records->sectors ? after(records, records->active) : 0;
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
        sl_record_encode(records->header, NUMBER_SECTOR, VERSION_SECTOR,
                         (struct sl_view){records->number, GENERATION_LEN});
        return;
    }
    const unsigned i = records->value;
    records->values[i].is_newer = false;
    records->len = records->values[i].len;
    sl_record_encode(records->header, kinds[i].number, kinds[i].version,
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
    uint16_t end = (uint16_t)(records->at + SL_RECORD_HEADER_LEN + records->len);

    if (records->is_moving) {
        value->moved_at = records->at;
        value->moved_len = records->len;
        records->at = end;
        records->value++;
        next_to_move(records);
        return;
    }
    if (kinds[records->value].is_secret)
        hide(records, value->at, value->at_len);
    value->at = records->at;
    value->at_len = records->len;
    value->is_changed = value->is_newer;
    records->end = end;
    records->step = SL_RECORDS_REST;
}

static void moved(struct sl_records *records)
{
    if (records->active < records->sectors)
        records->untidy |= (uint16_t)(1u << records->active);
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
    records->is_moving = records->is_spoilt = false;
    records->step = SL_RECORDS_REST;
}

/* A sector that does not take what it is given is left for another; the active one is never
 * erased before that has worked. */
static void failed(struct sl_records *records)
{
    const enum sl_records_step step = (enum sl_records_step)records->step;

    records->step = SL_RECORDS_REST;
    if (step == SL_RECORDS_TIDY) {
        records->untidy &= (uint16_t) ~(1u << records->target); /* erased again before it is used */
        return;
    }
    if (!records->is_moving) {
        spoil(records);
        return;
    }
    records->untidy |= (uint16_t)(1u << records->target);
    bool has_active = records->active < records->sectors;
    if (++records->tried < records->sectors - (has_active ? 1 : 0)) {
        records->target = after(records, records->target);
        records->step = SL_RECORDS_OPEN;
        return;
    }
    records->is_moving = false;
    records->is_blocked = records->has_failed = true;
}
