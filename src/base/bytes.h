/* Views of bytes, and cursors that check every step.
 *
 * A cursor remembers its first failure: a decoder reads all its fields and asks once at the end.
 * Multi-byte integers are big-endian, as in MQTT, TLS, SNTP and Sluice's own formats.
 */
#ifndef SL_BASE_BYTES_H
#define SL_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that somebody else owns. data may be NULL only when len is 0. */
struct sl_view {
    const uint8_t *data;
    size_t len;
};

/* The bytes of a C string without its terminator. */
static inline struct sl_view sl_view_text(const char *text)
{
    struct sl_view view = {(const uint8_t *)text, strlen(text)};
    return view;
}

static inline bool sl_view_is_equal(struct sl_view a, struct sl_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Reads forward. After a failure every read gives zeros and failed stays true. */
struct sl_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

struct sl_reader sl_reader_init(struct sl_view view);
size_t sl_reader_left(const struct sl_reader *reader);
uint8_t sl_read_u8(struct sl_reader *reader);
uint16_t sl_read_u16(struct sl_reader *reader);
uint32_t sl_read_u32(struct sl_reader *reader);
uint64_t sl_read_u64(struct sl_reader *reader);
/* The next len bytes; an empty view on failure. */
struct sl_view sl_read_view(struct sl_reader *reader, size_t len);

/* Writes forward. A write that does not fit writes nothing and sets failed; later ones are void. */
struct sl_writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool failed;
};

struct sl_writer sl_writer_init(uint8_t *buffer, size_t len);
size_t sl_writer_len(const struct sl_writer *writer);
void sl_write_u8(struct sl_writer *writer, uint8_t value);
void sl_write_u16(struct sl_writer *writer, uint16_t value);
void sl_write_u32(struct sl_writer *writer, uint32_t value);
void sl_write_u64(struct sl_writer *writer, uint64_t value);
void sl_write_view(struct sl_writer *writer, struct sl_view view);

/* Overwrite with zeros in a way the compiler keeps: for keys and session secrets. */
void sl_wipe(void *data, size_t len);

#endif
