/* The record log: a few small values that survive a power cut at every instant.
 *
 * Two or more flash sectors. Values are appended to the active one; when it is full, or damaged,
 * all of them move to the next sector, so wear spreads evenly. A value counts from the instant its
 * header is whole, and its header is written last; a sector counts from the instant its first
 * record is. So whatever a cut leaves behind, the value from before or the new one is read.
 * Layout to the bit, the argument and the wear: docs/spec/record-log.md.
 *
 * Sans-I/O: at the start the port reads what `wants` names; later it carries out what `next` gives,
 * one operation at a time, and says so with `did`. All values are in RAM, so nothing is read again.
 */
#ifndef SL_STORE_RECORDS_H
#define SL_STORE_RECORDS_H

#include "store/record_format.h"

#define SL_RECORDS_SECTORS     4 /* that boards set aside; 2 are enough, more wear longer */
#define SL_RECORDS_SECTORS_MAX 16
#define SL_RECORDS_SECTOR_LEN  4096
#define SL_RECORDS_VALUE_MAX   116
#define SL_RECORDS_WINDOW_LEN  (SL_RECORD_HEADER_LEN + SL_RECORDS_VALUE_MAX)

/* value, its number and version in flash, most bytes (a multiple of 4), whether it is secret: a
 * secret is overwritten in flash as soon as a newer one stands. */
#define SL_RECORD_LIST(X)                                                                          \
    X(SL_RECORD_TIME, 1, 1, 8, false)                                                              \
    X(SL_RECORD_COUNTERS, 2, 1, 16, false)                                                         \
    X(SL_RECORD_SESSION, 3, 1, SL_RECORDS_VALUE_MAX, true)                                         \
    X(SL_RECORD_KNOWN, 4, 1, 80, false)

enum sl_record {
#define X(value, number, version, max, is_secret) value,
    SL_RECORD_LIST(X)
#undef X
        SL_RECORD_COUNT
};

/* Where each value begins in memory, and their sum. */
enum sl_record_place {
#define X(value, number, version, max, is_secret)                                                  \
    value##_PLACE, value##_LAST = value##_PLACE + (max)-1,
    SL_RECORD_LIST(X)
#undef X
        SL_RECORDS_MEMORY_LEN
};

/* Bytes of flash: offset in the sector, both multiples of 4. */
struct sl_records_place {
    uint8_t sector;
    uint16_t offset, len;
};

enum sl_records_kind {
    SL_RECORDS_ERASE,   /* the sector of place: every bit 1 */
    SL_RECORDS_PROGRAM, /* data to place: clears bits, sets none */
    SL_RECORDS_CLEAR    /* place.len zero bytes to place */
};

struct sl_records_op {
    enum sl_records_kind kind;
    struct sl_records_place place;
    const uint8_t *data; /* of PROGRAM: valid until the next call on the log */
};

/* What is done next, or is under way. */
enum sl_records_step {
    SL_RECORDS_READ_HEADS, /* the first record of each sector: which one is active? */
    SL_RECORDS_READ_VALUES,
    SL_RECORDS_READ_TAIL,   /* is the rest of the active sector free? */
    SL_RECORDS_READ_OTHERS, /* are the other sectors? */
    SL_RECORDS_REST,
    SL_RECORDS_TIDY, /* erase a sector that is not in use */
    SL_RECORDS_HIDE, /* overwrite a secret that is not in use */
    SL_RECORDS_OPEN, /* erase the sector to move to */
    SL_RECORDS_BODY, /* of a record; the sector's own is the last of a move */
    SL_RECORDS_HEADER
};

/* A value: its bytes in RAM, and where it stands in flash. */
struct sl_records_value {
    uint16_t at, moved_at; /* in the active sector, and in the target; 0: nowhere */
    uint8_t at_len, moved_len;
    uint8_t len;     /* in RAM */
    bool is_changed; /* RAM differs from the active sector */
    bool is_newer;   /* RAM has changed since the body was last given to the port */
};

struct sl_records {
    uint32_t generation; /* of the active sector */
    uint16_t end;        /* of the active sector: there the next record begins */
    uint16_t moved_end;  /* likewise of the target, once all values are in it */
    uint16_t at, hide_at;
    uint16_t untidy;    /* sectors to erase, bit s */
    uint8_t value, len; /* of the record that is being written at `at` */
    uint8_t hide_len;   /* 0: nothing to hide */
    uint8_t step;
    uint8_t sectors, active, target; /* active == sectors: there is none */
    uint8_t tried;                   /* targets of this move that failed */
    bool is_moving, is_under_way;
    bool is_spoilt;              /* the active sector takes no more: all values must move */
    bool is_blocked, has_failed; /* no sector could be written */
    struct sl_records_value values[SL_RECORD_COUNT];
    uint8_t header[SL_RECORD_HEADER_LEN],
        number[4]; /* being written; number: the target's generation */
    uint8_t memory[SL_RECORDS_MEMORY_LEN];
};

/* sectors: 2..SL_RECORDS_SECTORS_MAX, or 0: values are kept in RAM only. */
void sl_records_init(struct sl_records *records, uint8_t sectors);

/* At the start, before all else below, until false: read place, then feed it. */
bool sl_records_wants(const struct sl_records *records, struct sl_records_place *place);
/* window: the bytes of place; fewer when they could not be read. */
void sl_records_feed(struct sl_records *records, struct sl_view window);

/* The value as it was put last, in this run or an earlier one; empty: none. Valid until the next
 * put of the same. */
struct sl_view sl_records_get(const struct sl_records *records, enum sl_record value);
/* Keep bytes: at most as many as the list says, a multiple of 4; none: forget the value. Copied.
 * Bytes that are kept already cost nothing. */
void sl_records_put(struct sl_records *records, enum sl_record value, struct sl_view bytes);

/* The next operation; at most one is under way. */
bool sl_records_next(struct sl_records *records, struct sl_records_op *op);
/* It has ended. ok: carried out, and read back as asked for. */
void sl_records_did(struct sl_records *records, bool ok);

/* True once after no sector could be written; the next put tries again. */
bool sl_records_has_failed(struct sl_records *records);

/* Forget everything in RAM; flash is not touched. */
void sl_records_wipe(struct sl_records *records);

#endif
