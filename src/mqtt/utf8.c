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

/* How many continuation bytes follow `lead`; 0 when they are ill-formed. */
static size_t scan_tail(uint8_t lead, const uint8_t *p, size_t left)
{
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    unsigned tail = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (left < tail)
        return 0;
    uint32_t point = lead & (0x3FU >> tail);
    for (unsigned i = 0; i < tail; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (p[i] & 0x3FU);
    }
    bool is_overlong = point >> (5 * tail + 1) == 0; /* two bytes: excluded by lead >= 0xC2 */
    bool is_surrogate = point >> 11 == 0xD800 >> 11;
    return is_overlong || is_surrogate || point > 0x10FFFF ? 0 : tail;
}

static bool scan(struct sl_view text, bool allow_wildcards)
{
    const uint8_t *p = text.data;
    size_t left = text.len;
    if (left > UINT16_MAX)
        return false;
    while (left > 0) {
        if (((uintptr_t)p & 3) == 0) {
            for (; left >= 4; p += 4, left -= 4) {
                uint32_t word;
                memcpy(&word, __builtin_assume_aligned(p, 4), 4);
                if (!is_plain_word(word))
                    break;
            }
            if (left == 0)
                break;
        }
        uint8_t c = *p++;
        left--;
        if (c >= 0x80) {
            size_t tail = scan_tail(c, p, left);
            if (tail == 0)
                return false;
            p += tail;
            left -= tail;
        } else if (c == 0 || (!allow_wildcards && (c | ('+' ^ '#')) == '+')) {
            return false;
        }
    }
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
