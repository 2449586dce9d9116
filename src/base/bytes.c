/* Checked cursors over bytes. */
#include "base/bytes.h"

struct sl_reader sl_reader_init(struct sl_view view)
{
    struct sl_reader reader = {view.data, view.data, false};
    if (view.len > 0)
        reader.end = view.data + view.len;
    return reader;
}

size_t sl_reader_left(const struct sl_reader *reader)
{
    return reader->failed ? 0 : (size_t)(reader->end - reader->at);
}

/* The one place where reading moves on: NULL when len bytes are not there. */
static const uint8_t *take(struct sl_reader *reader, size_t len)
{
    if (sl_reader_left(reader) < len) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *data = reader->at;
    if (len > 0)
        reader->at += len;
    return data;
}

uint8_t sl_read_u8(struct sl_reader *reader)
{
    const uint8_t *p = take(reader, 1);
    return p ? p[0] : 0;
}

uint16_t sl_read_u16(struct sl_reader *reader)
{
    const uint8_t *p = take(reader, 2);
    return (uint16_t)(p ? (unsigned)p[0] << 8 | p[1] : 0u);
}

uint32_t sl_read_u32(struct sl_reader *reader)
{
    const uint8_t *p = take(reader, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

uint64_t sl_read_u64(struct sl_reader *reader)
{
    if (sl_reader_left(reader) < 8) {
        reader->failed = true;
        return 0;
    }
    uint64_t high = sl_read_u32(reader);
    return high << 32 | sl_read_u32(reader);
}

struct sl_view sl_read_view(struct sl_reader *reader, size_t len)
{
    const uint8_t *p = take(reader, len);
    struct sl_view view = {p, p ? len : 0};
    return view;
}

struct sl_writer sl_writer_init(uint8_t *buffer, size_t len)
{
    struct sl_writer writer = {buffer, buffer, buffer, false};
    if (len > 0)
        writer.end = buffer + len;
    return writer;
}

size_t sl_writer_len(const struct sl_writer *writer)
{
    return (size_t)(writer->at - writer->start);
}

/* The one place where writing moves on: NULL when len bytes have no room. */
static uint8_t *claim(struct sl_writer *writer, size_t len)
{
    if (writer->failed || (size_t)(writer->end - writer->at) < len) {
        writer->failed = true;
        return NULL;
    }
    uint8_t *data = writer->at;
    if (len > 0)
        writer->at += len;
    return data;
}

void sl_write_u8(struct sl_writer *writer, uint8_t value)
{
    uint8_t *p = claim(writer, 1);
    if (p)
        p[0] = value;
}

void sl_write_u16(struct sl_writer *writer, uint16_t value)
{
    uint8_t *p = claim(writer, 2);
    if (!p)
        return;
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

void sl_write_u32(struct sl_writer *writer, uint32_t value)
{
    uint8_t *p = claim(writer, 4);
    if (!p)
        return;
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}

void sl_write_u64(struct sl_writer *writer, uint64_t value)
{
    uint8_t *p = claim(writer, 8);
    if (!p)
        return;
    for (uint8_t i = 0; i < 8; i++)
        p[i] = (uint8_t)(value >> (8 * (7 - i)));
}

void sl_write_view(struct sl_writer *writer, struct sl_view view)
{
    uint8_t *p = claim(writer, view.len);
    if (p && view.len > 0)
        memcpy(p, view.data, view.len);
}

void sl_wipe(void *data, size_t len)
{
    volatile uint8_t *p = data;
    while (len-- > 0)
        *p++ = 0;
}
