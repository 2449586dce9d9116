/* Every kind's body is described once, for both directions. */
#include "enrol/frame.h"
#include "base/crc.h"

#define HEADER_LEN 6
#define CRC_LEN    4
#define FRAME_MAX  (HEADER_LEN + SL_ENROL_BODY_MAX + CRC_LEN)

/* So every block of COBS ends with a zero that it stands for, or with the frame: 0xFF, the code of
 * a block without one, never comes. */
_Static_assert(FRAME_MAX < 254, "a frame is one block of COBS");

static bool is_message(const struct sl_enrol_message *message);
static enum sl_status read_body(struct sl_reader *reader, struct sl_enrol_message *message);
static void write_body(struct sl_writer *writer, const struct sl_enrol_message *message);
static size_t stuff(const uint8_t *frame, size_t len, uint8_t *out);
static void take(struct sl_enrol_line *line, uint8_t byte);
static void put(struct sl_enrol_line *line, uint8_t byte);

enum sl_status sl_enrol_encode(const struct sl_enrol_message *message,
                               uint8_t out[SL_ENROL_WIRE_MAX], size_t *len)
{
    uint8_t frame[FRAME_MAX];
    struct sl_writer writer = sl_writer_init(frame, sizeof frame);

    *len = 0;
    if (!is_message(message))
        return SL_BAD_ARGUMENT;
    sl_write_u8(&writer, SL_ENROL_VERSION);
    sl_write_u8(&writer, message->kind);
    sl_write_u32(&writer, message->session);
    write_body(&writer, message);
    sl_write_u32(&writer, sl_crc32(frame, sl_writer_len(&writer)));
    *len = stuff(frame, sl_writer_len(&writer), out);
    return SL_OK;
}

enum sl_status sl_enrol_decode(struct sl_view frame, struct sl_enrol_message *message)
{
    struct sl_reader reader = sl_reader_init(frame);

    memset(message, 0, sizeof *message);
    if (frame.len < HEADER_LEN + CRC_LEN || frame.len > FRAME_MAX)
        return SL_CORRUPT;
    struct sl_reader end =
        sl_reader_init((struct sl_view){frame.data + frame.len - CRC_LEN, CRC_LEN});
    if (sl_read_u32(&end) != sl_crc32(frame.data, frame.len - CRC_LEN))
        return SL_CORRUPT;

    const uint8_t version = sl_read_u8(&reader);
    struct sl_enrol_message read = {.kind = sl_read_u8(&reader)};
    read.session = sl_read_u32(&reader);
    if (version != SL_ENROL_VERSION) {
        message->session = read.session;
        return SL_UNSUPPORTED;
    }
    struct sl_reader body = sl_reader_init(sl_read_view(&reader, frame.len - HEADER_LEN - CRC_LEN));
    const enum sl_status status = read_body(&body, &read);
    if (status == SL_OK)
        *message = read;
    return status;
}

static enum sl_status read_body(struct sl_reader *reader, struct sl_enrol_message *message)
{
    switch (message->kind) {
    case SL_ENROL_ASK:
        message->unix_s = sl_read_u64(reader);
        message->name = sl_read_view(reader, sl_reader_left(reader));
        break;
    case SL_ENROL_PART:
        message->offset = sl_read_u16(reader);
        message->total = sl_read_u16(reader);
        message->bytes = sl_read_view(reader, sl_reader_left(reader));
        break;
    case SL_ENROL_REQUEST:
        message->bytes = sl_read_view(reader, sl_reader_left(reader));
        break;
    case SL_ENROL_TAKEN:
        message->offset = sl_read_u16(reader);
        break;
    case SL_ENROL_REFUSED:
        message->refusal = sl_read_u8(reader);
        break;
    default: /* DONE and STORED have none; others is_message does not know */
        break;
    }
    return reader->failed || sl_reader_left(reader) > 0 || !is_message(message) ? SL_MALFORMED
                                                                                : SL_OK;
}

static void write_body(struct sl_writer *writer, const struct sl_enrol_message *message)
{
    switch (message->kind) {
    case SL_ENROL_ASK:
        sl_write_u64(writer, message->unix_s);
        sl_write_view(writer, message->name);
        break;
    case SL_ENROL_PART:
        sl_write_u16(writer, message->offset);
        sl_write_u16(writer, message->total);
        sl_write_view(writer, message->bytes);
        break;
    case SL_ENROL_REQUEST:
        sl_write_view(writer, message->bytes);
        break;
    case SL_ENROL_TAKEN:
        sl_write_u16(writer, message->offset);
        break;
    case SL_ENROL_REFUSED:
        sl_write_u8(writer, message->refusal);
        break;
    default:
        break;
    }
}

static bool is_message(const struct sl_enrol_message *message)
{
    switch (message->kind) {
    case SL_ENROL_ASK:
        return message->name.len >= 1 && message->name.len <= SL_NAME_MAX;
    case SL_ENROL_PART:
        return message->bytes.len >= 1 && message->bytes.len <= SL_ENROL_PART_MAX &&
               message->offset + message->bytes.len <= message->total;
    case SL_ENROL_REQUEST:
        return message->bytes.len >= 1 && message->bytes.len <= SL_ENROL_BODY_MAX;
    case SL_ENROL_REFUSED:
        return message->refusal != SL_ENROL_REFUSAL_NONE;
    case SL_ENROL_TAKEN:
    case SL_ENROL_DONE:
    case SL_ENROL_STORED:
        return true;
    default:
        return false;
    }
}

/* Each code byte tells how far the next one is; all but the last stand for a zero behind their
 * block. */
static size_t stuff(const uint8_t *frame, size_t len, uint8_t *out)
{
    size_t code_at = 1, at = 2;

    out[0] = 0;
    for (size_t i = 0; i < len; i++) {
        if (frame[i] != 0) {
            out[at++] = frame[i];
            continue;
        }
        out[code_at] = (uint8_t)(at - code_at);
        code_at = at++;
    }
    out[code_at] = (uint8_t)(at - code_at);
    out[at++] = 0;
    return at;
}

void sl_enrol_line_init(struct sl_enrol_line *line)
{
    memset(line, 0, sizeof *line);
    line->is_bad = true;
}

size_t sl_enrol_line_feed(struct sl_enrol_line *line, const uint8_t *in, size_t len,
                          struct sl_view *frame)
{
    *frame = (struct sl_view){NULL, 0};
    for (size_t i = 0; i < len; i++) {
        if (in[i] != 0) {
            take(line, in[i]);
            continue;
        }
        if (!line->is_bad && line->left == 0 && line->len > 0)
            *frame = (struct sl_view){line->bytes, line->len};
        line->len = 0;
        line->left = 0;
        line->has_zero = false;
        line->is_bad = false;
        if (frame->len > 0)
            return i + 1;
    }
    return len;
}

static void take(struct sl_enrol_line *line, uint8_t byte)
{
    if (line->left > 0) {
        line->left--;
        put(line, byte);
        return;
    }
    if (line->has_zero)
        put(line, 0);
    line->has_zero = true;
    line->left = byte - 1;
}

static void put(struct sl_enrol_line *line, uint8_t byte)
{
    line->is_bad |= line->len == sizeof line->bytes;
    if (!line->is_bad)
        line->bytes[line->len++] = byte;
}
