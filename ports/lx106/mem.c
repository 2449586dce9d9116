/* The C library's byte functions, safe on sources in flash.
 *
 * From 0x40000000 on there are whole words only (IRAM, flash); RAM, below it, may be loaded as one
 * likes, which takes a sixth of the instructions. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WORD       sizeof(uint32_t)
#define WORDS_ONLY UINT32_C(0x40000000)
#define COPY_MIN   8 /* bytes for which words pay off */

typedef uint32_t __attribute__((may_alias)) word;

static inline bool is_aligned(const void *at)
{
    return ((uintptr_t)at & (WORD - 1)) == 0;
}

static inline bool is_words_only(const void *at)
{
    return (uintptr_t)at >= WORDS_ONLY;
}

/* An aligned word may be read when any byte of it may. */
static inline const word *word_of(const uint8_t *at)
{
    return (const word *)((uintptr_t)at & ~(uintptr_t)(WORD - 1));
}

static inline unsigned shift_of(const uint8_t *at)
{
    return (unsigned)((uintptr_t)at & (WORD - 1)) * 8;
}

static inline uint8_t byte_at(const uint8_t *at)
{
    return (uint8_t)(*word_of(at) >> shift_of(at));
}

static inline void copy_bytes(uint8_t *out, const uint8_t *in, size_t len)
{
    if (is_words_only(in))
        for (; len > 0; len--)
            *out++ = byte_at(in++);
    else
        for (; len > 0; len--)
            *out++ = *in++;
}

/* Words all the way: where the source lies askew, each word is put together of two. */
void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    uint8_t *out = to;
    const uint8_t *in = from;

    if (len >= COPY_MIN) {
        const size_t head = (WORD - (uintptr_t)out) & (WORD - 1);
        copy_bytes(out, in, head);
        out += head;
        in += head;
        len -= head;
        const word *next = word_of(in);
        word *at = (word *)(void *)out;
        in += len & ~(WORD - 1);
        if (is_aligned(in)) {
            for (; len >= 4 * WORD; len -= 4 * WORD, at += 4, next += 4) {
                at[0] = next[0];
                at[1] = next[1];
                at[2] = next[2];
                at[3] = next[3];
            }
            for (; len >= WORD; len -= WORD)
                *at++ = *next++;
        } else {
            const unsigned askew = shift_of(in);
            uint32_t low = *next++;
            for (; len >= WORD; len -= WORD) {
                const uint32_t high = *next++;
                *at++ = low >> askew | high << (32 - askew);
                low = high;
            }
        }
        out = (uint8_t *)at;
    }
    copy_bytes(out, in, len);
    return to;
}

void *memmove(void *to, const void *from, size_t len)
{
    uint8_t *out = to;
    const uint8_t *in = from;

    if ((uintptr_t)out - (uintptr_t)in >= len) /* forwards is safe, also when out lies before in */
        return memcpy(to, from, len);
    while (len-- > 0)
        out[len] = byte_at(in + len);
    return to;
}

void *memset(void *to, int byte, size_t len)
{
    const uint32_t four = (uint8_t)byte * UINT32_C(0x01010101);
    uint8_t *out = to;

    for (; len > 0 && !is_aligned(out); len--)
        *out++ = (uint8_t)byte;
    for (; len >= WORD; len -= WORD, out += WORD)
        *(word *)(void *)out = four;
    while (len-- > 0)
        *out++ = (uint8_t)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const uint8_t *x = a, *y = b;

    if (is_words_only(x) || is_words_only(y)) {
        for (; len > 0; len--, x++, y++)
            if (byte_at(x) != byte_at(y))
                return byte_at(x) - byte_at(y);
    } else {
        for (; len > 0; len--, x++, y++)
            if (*x != *y)
                return *x - *y;
    }
    return 0;
}

void *memchr(const void *bytes, int byte, size_t len)
{
    const uint8_t *in = bytes;

    for (; len > 0; len--, in++)
        if (byte_at(in) == (uint8_t)byte)
            return (void *)(uintptr_t)in;
    return NULL;
}

size_t strlen(const char *text)
{
    const uint8_t *const start = (const uint8_t *)text, *end = start;

    while (byte_at(end) != '\0')
        end++;
    return (size_t)(end - start);
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, PTRDIFF_MAX);
}

int strncmp(const char *a, const char *b, size_t len)
{
    const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;

    for (; len > 0; len--, x++, y++)
        if (byte_at(x) != byte_at(y) || byte_at(x) == '\0')
            return byte_at(x) - byte_at(y);
    return 0;
}
