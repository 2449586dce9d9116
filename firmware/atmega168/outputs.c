/* Port D: off first of all, then as ordered, and read back at the pins. */
#include "outputs.h"

#include <avr/io.h>

#define ALL_OUTPUTS 0xFF
#define ALL_HIGH    0xFF

void outputs_close_at_reset(void) __attribute__((naked, used, section(".init1")));

/* Level before direction: the other order would drive every relay on for one instruction. */
void outputs_close_at_reset(void)
{
    PORTD = ALL_HIGH;
    DDRD = ALL_OUTPUTS;
}

void outputs_drive(uint8_t zones)
{
    PORTD = (uint8_t)~zones;
    DDRD = ALL_OUTPUTS;
}

uint8_t outputs_read(void)
{
    /* The input synchroniser is one clock behind the pin (data sheet, "Reading the Pin Value"). */
    __asm__ volatile("nop");
    return (uint8_t)(~PIND & DDRD);
}
