/* One scan for UTF-8 and wildcards: four bytes at a time while nothing in them needs a closer look.
 */
#include "mqtt/utf8.h"

#define EACH_BYTE(x) (UINT32_C(0x01010101) * (x))

/* Every ASCII character from here on is plain: '-', '/', digits, letters. */
#define PLAIN_MIN '-'

/* True when none of four bytes is below PLAIN_MIN or above 0x7F. A borrow runs upwards from a byte
 * that is too low already, so no byte is missed. */
static inline bool is_plain_word(uint32_t word)
{
    return (((word - EACH_BYTE(PLAIN_MIN)) | word) & EACH_BYTE(0x80)) == 0;
}

static bool is_aligned(const uint8_t *p)
{
    return ((uintptr_t)p & 3) == 0;
}

/* The first byte that needs a closer look, or end. */
static const uint8_t *skip_plain(const uint8_t *p, const uint8_t *end)
{
    for (; p != end; p++) {
        if (is_aligned(p)) {
            for (; end - p >= 4; p += 4) {
                uint32_t word;
                memcpy(&word, __builtin_assume_aligned(p, 4), 4);
                if (!is_plain_word(word))
                    break;
            }
            if (p == end)
                break;
        }
        if ((unsigned)*p - PLAIN_MIN > 0x7F - PLAIN_MIN)
            break;
    }
    return p;
}

/* Apart, so that the registers it needs are saved for it alone. */
static __attribute__((noinline)) uint8_t scan_slowly(const uint8_t *p, const uint8_t *end)
{
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

uint8_t sl_utf8_check(const uint8_t *text, size_t len)
{
    const uint8_t *end = text + len;
    if (len > UINT16_MAX)
        return SL_MQTT_REASON_MALFORMED;
    text = skip_plain(text, end);
    if (text == end)
        return SL_MQTT_REASON_SUCCESS;
    return scan_slowly(text, end);
}
