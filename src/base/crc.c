/* Bitwise checksums: no table, because the AVR has 1 KB of RAM and the inputs are short. */
#include "base/crc.h"

uint16_t sl_crc16(const uint8_t *data, size_t len)
{
    uint16_t crc = 0;
    while (len-- > 0) {
        /* One byte at a time without a loop over its bits: x^16 + x^12 + x^5 + 1 folds a byte in
         * three shifts. This is what keeps the relay chip's answer within one frame interval. */
        uint8_t x = (uint8_t)((uint8_t)(crc >> 8) ^ *data++);
        x ^= (uint8_t)(x >> 4);
        crc = (uint16_t)((uint16_t)(crc << 8) ^ (uint16_t)((uint16_t)x << 12) ^
                         (uint16_t)((uint16_t)x << 5) ^ x);
    }
    return crc;
}

uint32_t sl_crc32(const uint8_t *data, size_t len)
{
    return sl_crc32_more(0, data, len);
}

uint32_t sl_crc32_more(uint32_t crc, const uint8_t *data, size_t len)
{
    crc = ~crc;
    while (len-- > 0) {
        crc ^= *data++;
        for (uint8_t bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (UINT32_C(0xEDB88320) & (0u - (crc & 1u)));
    }
    return ~crc;
}
