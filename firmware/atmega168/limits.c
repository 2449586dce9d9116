/* EEPROM bytes 0..15: eight little-endian 16-bit numbers, the minutes of zones 0..7. */
#include "limits.h"

#include "link/slave.h"
#include <avr/eeprom.h>

#define ERASED      0xFFFF
#define MINUTES_MAX 273 /* what a remaining time of 16 bits can hold */

void limits_read(uint32_t hard_limit_ms[SL_ZONES])
{
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        uint16_t minutes = eeprom_read_word((const uint16_t *)(uintptr_t)(2u * zone));
        if (minutes == ERASED)
            hard_limit_ms[zone] = SL_SLAVE_HARD_LIMIT_MS;
        else
            hard_limit_ms[zone] = UINT32_C(60000) * (minutes > MINUTES_MAX ? MINUTES_MAX : minutes);
    }
}
