/* Two scans for UTF-8 and wildcards: a quick look, four bytes at a time, and an exact one. */
#include "mqtt/utf8.h"

#define EACH_BYTE(x) (UINT32_C(0x01010101) * (x))

/* Every ASCII character from here on is plain: '-', '/', digits, letters. */
#define PLAIN_MIN '-'

static inline bool is_plain(uint8_t c)
{
    return (unsigned)c - PLAIN_MIN <= 0x7F - PLAIN_MIN;
}

/* True when none of four bytes is below PLAIN_MIN or above 0x7F. A borrow runs upwards from a byte
 * that is too low already, so no byte is missed. */
static inline bool is_plain_word(const uint8_t *p)
{
    uint32_t word;
    memcpy(&word, __builtin_assume_aligned(p, 4), 4);
    return (((word - EACH_BYTE(PLAIN_MIN)) | word) & EACH_BYTE(0x80)) == 0;
}

bool sl_utf8_is_simple(const uint8_t *p, size_t len)
{
    const uint8_t *end = p + len;
    uintptr_t last_word = (uintptr_t)end & ~(uintptr_t)3;
    if (len >> 16 != 0)
        return false;
    for (; p != end && ((uintptr_t)p & 3) != 0; p++) {
        if (!is_plain(*p))
            return false;
    }
    for (; (uintptr_t)p < last_word; p += 4) {
        if (!is_plain_word(p))
            return false;
    }
    for (; p != end; p++) {
        if (!is_plain(*p))
            return false;
    }
    return true;
}

uint8_t sl_utf8_check(const uint8_t *p, size_t len)
{
    const uint8_t *end = p + len;
    if (len > UINT16_MAX)
        return SL_MQTT_REASON_MALFORMED;
    uint8_t found = SL_MQTT_REASON_SUCCESS;
    while (p != end) {
        unsigned c = *p++;
        if (c == '+' || c == '#')
            found = SL_MQTT_REASON_BAD_TOPIC;
        if (c - 1 < 0x7F)
            continue;
        if (c < 0xC2 || c > 0xF4)
            return SL_MQTT_REASON_MALFORMED;
        unsigned tail = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
        uint32_t point = c & (0x3FU >> tail);
        for (unsigned i = tail; i > 0; i--) {
            if (p == end || (*p & 0xC0) != 0x80)
                return SL_MQTT_REASON_MALFORMED;
            point = point << 6 | (*p++ & 0x3F);
        }
        /* Overlong (two bytes: excluded by c >= 0xC2), a surrogate, or beyond Unicode. */
        if (point >> (5 * tail + 1) == 0 || point >> 11 == 0xD800 >> 11 || point > 0x10FFFF)
            return SL_MQTT_REASON_MALFORMED;
    }
    return found;
}
