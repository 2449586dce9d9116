/* What both targets of an enrolment share: scripts that put frames, good ones and others, on a
 * line. */
#ifndef SL_TESTS_FUZZ_ENROL_H
#define SL_TESTS_FUZZ_ENROL_H

#include "base/crc.h"
#include "enrol/frame.h"
#include "fuzz.h"

#define FUZZ_ENROL_RAW     0 /* length, bytes */
#define FUZZ_ENROL_MESSAGE 1 /* kind, session, what the kind has: fuzz_enrol_message */
#define FUZZ_ENROL_SEALED  2 /* length, bytes: a frame with a good checksum around them */
#define FUZZ_ENROL_TIME    3 /* 2 bytes: units of 16 ms go by */
#define FUZZ_ENROL_ANSWER  4 /* device: stored, or not; host: the grant, so long */
#define FUZZ_ENROL_PART    5 /* device: session, number: a part of a good grant */

/* bytes, length and session are the script's; a message that cannot be encoded gives no byte. */
static inline size_t fuzz_enrol_message(struct sl_reader *input, uint8_t wire[SL_ENROL_WIRE_MAX])
{
    struct sl_enrol_message message = {.kind = fuzz_u8(input), .session = fuzz_u8(input)};
    size_t len;

    switch (message.kind) {
    case SL_ENROL_ASK:
        message.unix_s = fuzz_u32(input);
        message.name = fuzz_take(input, fuzz_u8(input));
        break;
    case SL_ENROL_PART:
        message.offset = fuzz_u16(input);
        message.total = fuzz_u16(input);
        message.bytes = fuzz_take(input, fuzz_u8(input));
        break;
    case SL_ENROL_REQUEST:
        message.bytes = fuzz_take(input, fuzz_u8(input));
        break;
    case SL_ENROL_TAKEN:
        message.offset = fuzz_u16(input);
        break;
    case SL_ENROL_REFUSED:
        message.refusal = fuzz_u8(input);
        break;
    default:
        break;
    }
    if (sl_enrol_encode(&message, wire, &len) == SL_OK)
        return len;
    FUZZ_CHECK(len == 0);
    return 0;
}

/* The engines put COBS around what they encode themselves; here it is the textbook's. */
static inline size_t fuzz_enrol_seal(struct sl_view body, uint8_t wire[SL_ENROL_WIRE_MAX + 8])
{
    uint8_t frame[256 + 4];
    struct sl_writer writer = sl_writer_init(frame, sizeof frame);
    size_t code = 1, at = 2;

    sl_write_view(&writer, body);
    sl_write_u32(&writer, sl_crc32(frame, sl_writer_len(&writer)));
    if (writer.failed || sl_writer_len(&writer) > 250)
        return 0;
    wire[0] = 0;
    for (size_t i = 0; i < sl_writer_len(&writer); i++) {
        if (frame[i] != 0) {
            wire[at++] = frame[i];
            continue;
        }
        wire[code] = (uint8_t)(at - code);
        code = at++;
    }
    wire[code] = (uint8_t)(at - code);
    wire[at++] = 0;
    return at;
}

/* The bytes that this step of a script puts on the line; other steps give none. */
static inline size_t fuzz_enrol_bytes(struct sl_reader *input, uint8_t step,
                                      uint8_t wire[SL_ENROL_WIRE_MAX + 8])
{
    struct sl_view raw;

    switch (step) {
    case FUZZ_ENROL_RAW:
        raw = fuzz_take(input, fuzz_u8(input));
        if (raw.len > SL_ENROL_WIRE_MAX)
            raw.len = SL_ENROL_WIRE_MAX;
        if (raw.len > 0)
            memcpy(wire, raw.data, raw.len);
        return raw.len;
    case FUZZ_ENROL_MESSAGE:
        return fuzz_enrol_message(input, wire);
    case FUZZ_ENROL_SEALED:
        return fuzz_enrol_seal(fuzz_take(input, fuzz_u8(input)), wire);
    default:
        return 0;
    }
}

/* One whole frame, as it goes out. */
static inline struct sl_enrol_message fuzz_enrol_read(struct sl_view out,
                                                      struct sl_enrol_line *line)
{
    struct sl_enrol_message message;
    struct sl_view frame;

    sl_enrol_line_init(line);
    FUZZ_CHECK(sl_enrol_line_feed(line, out.data, out.len, &frame) == out.len);
    FUZZ_CHECK(sl_enrol_decode(frame, &message) == SL_OK);
    return message;
}

#endif
