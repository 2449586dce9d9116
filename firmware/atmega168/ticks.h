/* Time: milliseconds of the chip's own oscillator, by timer 0. */
#ifndef RELAY_CHIP_TICKS_H
#define RELAY_CHIP_TICKS_H

#include <stdbool.h>
#include <stdint.h>

/* Set the timer. Safe to repeat at any time: it heals registers that were disturbed. */
void ticks_configure(void);

/* Milliseconds since the last call. The watchdog ends a pause of 256 ms or more before it could
 * wrap. */
uint8_t ticks_take(void);

/* ticks_take would give something. Interrupts may be off. */
bool ticks_are_waiting(void);

#endif
