/* What every fuzz target shares: the entry point, checks that hold in every build, and a reader
 * that never runs dry (it gives zeros), so that every input is a whole script. */
#ifndef SL_TESTS_FUZZ_H
#define SL_TESTS_FUZZ_H

#include "base/bytes.h"
#include <stdio.h>
#include <stdlib.h>

/* The contract is broken when a condition is not met. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: contract broken: %s\n", __FILE__, __LINE__, #condition);       \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* One input. Called by libFuzzer, or by replay.c for every file. Gives 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static inline bool fuzz_has_more(const struct sl_reader *input)
{
    return input->at < input->end;
}

/* The next len bytes, or what is left of them. */
static inline struct sl_view fuzz_take(struct sl_reader *input, size_t len)
{
    size_t left = sl_reader_left(input);
    struct sl_view view = {input->at, len < left ? len : left};
    input->at += view.len;
    return view;
}

static inline uint8_t fuzz_u8(struct sl_reader *input)
{
    return fuzz_has_more(input) ? *input->at++ : 0;
}

static inline uint16_t fuzz_u16(struct sl_reader *input)
{
    uint8_t high = fuzz_u8(input);
    return (uint16_t)(high << 8 | fuzz_u8(input));
}

static inline uint32_t fuzz_u32(struct sl_reader *input)
{
    uint32_t high = fuzz_u16(input);
    return high << 16 | fuzz_u16(input);
}

static inline uint64_t fuzz_u64(struct sl_reader *input)
{
    uint64_t high = fuzz_u32(input);
    return high << 32 | fuzz_u32(input);
}

static inline bool fuzz_is_within(struct sl_view part, struct sl_view whole)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static inline bool fuzz_is_zero(const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    size_t i = 0;
    while (i < len && at[i] == 0)
        i++;
    return i == len;
}

/* What came out of an engine, as bytes: two runs that must behave alike have equal traces. What
 * does not fit is not compared. */
struct fuzz_trace {
    uint8_t bytes[1 << 16];
    size_t len;
};

static inline void fuzz_note(struct fuzz_trace *trace, const void *bytes, size_t len)
{
    size_t room = sizeof trace->bytes - trace->len;
    if (len > room)
        len = room;
    if (len > 0)
        memcpy(trace->bytes + trace->len, bytes, len);
    trace->len += len;
}

static inline void fuzz_note_number(struct fuzz_trace *trace, uint64_t number)
{
    fuzz_note(trace, &number, sizeof number);
}

static inline void fuzz_note_view(struct fuzz_trace *trace, struct sl_view view)
{
    fuzz_note_number(trace, view.len);
    fuzz_note(trace, view.data, view.len);
}

static inline bool fuzz_is_same(const struct fuzz_trace *a, const struct fuzz_trace *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

#endif
