/* One scan for UTF-8 and wildcards: four bytes at a time while they are plain ASCII. */
#include "mqtt/utf8.h"

#define EACH_BYTE(x) (UINT32_C(0x01010101) * (x))

/* True when none of four bytes is NUL, above 0x7F, '+' or '#'. '+' | 8 == '#' | 8 == '+', so one
 * test finds both. A borrow runs upwards from a byte that is zero already: no byte is missed. */
static inline bool is_plain_word(uint32_t word)
{
    uint32_t wildcard = (word | EACH_BYTE('+' ^ '#')) ^ EACH_BYTE('+');
    return (((word - EACH_BYTE(1)) | word | (wildcard - EACH_BYTE(1))) & EACH_BYTE(0x80)) == 0;
}

/* Length of the character of two to four bytes at p; 0 when it is ill-formed. */
static size_t scan_wide(const uint8_t *p, size_t left)
{
    uint8_t lead = *p;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    unsigned tail = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (left <= tail)
        return 0;
    uint32_t point = lead & (0x3FU >> tail);
    for (unsigned i = 1; i <= tail; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (p[i] & 0x3FU);
    }
    bool is_overlong = point >> (5 * tail + 1) == 0; /* two bytes: excluded by lead >= 0xC2 */
    bool is_surrogate = point >> 11 == 0xD800 >> 11;
    return is_overlong || is_surrogate || point > 0x10FFFF ? 0 : tail + 1;
}

static bool is_aligned(const uint8_t *p)
{
    return ((uintptr_t)p & 3) == 0;
}

static bool scan(struct sl_view text, bool allow_wildcards)
{
    const uint8_t *p = text.data;
    if (text.len == 0 || text.len > UINT16_MAX)
        return text.len == 0;
    const uint8_t *end = p + text.len;
    do {
        if (is_aligned(p)) {
            for (; end - p >= 4; p += 4) {
                uint32_t word;
                memcpy(&word, __builtin_assume_aligned(p, 4), 4);
                if (!is_plain_word(word))
                    break;
            }
        }
        if (p == end)
            break;
        uint8_t c = *p;
        size_t step = 1;
        if ((uint8_t)(c - 1) >= 0x7F) /* NUL, or more than ASCII */
            step = scan_wide(p, (size_t)(end - p));
        else if (!allow_wildcards && (c | ('+' ^ '#')) == '+')
            return false;
        if (step == 0)
            return false;
        p += step;
    } while (p != end);
    return true;
}

bool sl_utf8_is_valid(struct sl_view text)
{
    return scan(text, true);
}

bool sl_utf8_is_plain(struct sl_view text)
{
    return scan(text, false);
}
