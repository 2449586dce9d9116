/* The C library's byte functions, safe on sources in flash.
 *
 * Flash gives whole words only, so this file is compiled with -mforce-l32: every load becomes one
 * of a word. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WORD sizeof(uint32_t)

typedef uint32_t __attribute__((may_alias)) word;

static int is_aligned(const void *at)
{
    return ((uintptr_t)at & (WORD - 1)) == 0;
}

/* Words all the way: where the source lies askew, each word is put together of two. An aligned word
 * may be read when any byte of it may. */
void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    uint8_t *out = to;
    const uint8_t *in = from;

    for (; len > 0 && !is_aligned(out); len--)
        *out++ = *in++;
    if (is_aligned(in)) {
        for (; len >= WORD; len -= WORD, out += WORD, in += WORD)
            *(word *)(void *)out = *(const word *)(const void *)in;
    } else if (len >= WORD) {
        const unsigned askew = (unsigned)((uintptr_t)in & (WORD - 1)) * 8;
        const word *next = (const word *)(uintptr_t)((uintptr_t)in & ~(uintptr_t)(WORD - 1));
        uint32_t low = *next++;
        for (; len >= WORD; len -= WORD, out += WORD, in += WORD) {
            const uint32_t high = *next++;
            *(word *)(void *)out = low >> askew | high << (32 - askew);
            low = high;
        }
    }
    while (len-- > 0)
        *out++ = *in++;
    return to;
}

void *memmove(void *to, const void *from, size_t len)
{
    uint8_t *out = to;
    const uint8_t *in = from;

    if ((uintptr_t)out - (uintptr_t)in >= len) /* forwards is safe, also when out lies before in */
        return memcpy(to, from, len);
    while (len-- > 0)
        out[len] = in[len];
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

    for (; len > 0; len--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

void *memchr(const void *bytes, int byte, size_t len)
{
    const uint8_t *in = bytes;

    for (; len > 0; len--, in++)
        if (*in == (uint8_t)byte)
            return (void *)(uintptr_t)in;
    return NULL;
}

size_t strlen(const char *text)
{
    const char *end = text;

    while (*end != '\0')
        end++;
    return (size_t)(end - text);
}

int strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t len)
{
    for (; len > 0; len--, a++, b++)
        if (*a != *b || *a == '\0')
            return (uint8_t)*a - (uint8_t)*b;
    return 0;
}
