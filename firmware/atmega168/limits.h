/* The hard limit of every zone, from the EEPROM: docs/spec/relay-chip.md. */
#ifndef RELAY_CHIP_LIMITS_H
#define RELAY_CHIP_LIMITS_H

#include "base/limits.h"
#include <stdint.h>

void limits_read(uint32_t hard_limit_ms[SL_ZONES]);

#endif
