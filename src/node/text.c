/* Bounded text and JSON. */
#include "node/text.h"

void sl_text_add(struct sl_writer *writer, const char *text)
{
    sl_write_view(writer, sl_view_text(text));
}

void sl_text_add_number(struct sl_writer *writer, uint64_t number)
{
    uint8_t digits[20]; /* of 2^64 - 1 */
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    sl_write_view(writer, (struct sl_view){digits + at, sizeof digits - at});
}

void sl_text_add_string(struct sl_writer *writer, struct sl_view bytes)
{
    static const char hex[] = "0123456789abcdef";
    sl_write_u8(writer, '"');
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t byte = bytes.data[i];
        if (byte < 0x20) {
            sl_text_add(writer, "\\u00");
            sl_write_u8(writer, (uint8_t)hex[byte >> 4]);
            sl_write_u8(writer, (uint8_t)hex[byte & 15]);
        } else if (byte > 0x7E) {
            sl_write_u8(writer, '?');
        } else {
            if (byte == '"' || byte == '\\')
                sl_write_u8(writer, '\\');
            sl_write_u8(writer, byte);
        }
    }
    sl_write_u8(writer, '"');
}

static void add_two_digits(struct sl_writer *writer, uint32_t number)
{
    sl_write_u8(writer, (uint8_t)('0' + number / 10 % 10));
    sl_write_u8(writer, (uint8_t)('0' + number % 10));
}

static bool is_leap(uint32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

void sl_text_add_date(struct sl_writer *writer, uint64_t unix_s)
{
    static const uint8_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const uint64_t last = UINT64_C(253402300799); /* 9999-12-31T23:59:59Z */
    uint32_t day = (uint32_t)((unix_s < last ? unix_s : last) / 86400);

    /* Year by year: at most 8,029 turns, once per report, and nothing to get wrong. */
    uint32_t year = 1970;
    for (uint32_t len; day >= (len = is_leap(year) ? 366 : 365); year++)
        day -= len;
    uint32_t month = 0;
    for (uint32_t len; day >= (len = month_days[month] + (month == 1 && is_leap(year) ? 1u : 0u));
         month++)
        day -= len;

    add_two_digits(writer, year / 100);
    add_two_digits(writer, year % 100);
    sl_write_u8(writer, '-');
    add_two_digits(writer, month + 1);
    sl_write_u8(writer, '-');
    add_two_digits(writer, day + 1);
}
