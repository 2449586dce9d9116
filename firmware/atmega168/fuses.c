/* The chip's fuses, kept in the ELF: internal 8 MHz oscillator, start-up 65 ms, brown-out reset
 * below 2.7 V, watchdog that no program can switch off, EEPROM kept through a chip erase. Both
 * chips start at address 0; the brown-out level sits in another byte on the ATmega328P. */
#include <avr/io.h>

#define LOW (FUSE_CKSEL0 & FUSE_CKSEL2 & FUSE_CKSEL3 & FUSE_SUT0)

#if defined(__AVR_ATmega328P__)
#define HIGH     (FUSE_SPIEN & FUSE_WDTON & FUSE_EESAVE)
#define EXTENDED (FUSE_BODLEVEL1)
_Static_assert(HIGH == 0xC7 && EXTENDED == 0xFD, "the values docs/spec/relay-chip.md tells");
#else
#define HIGH     (FUSE_SPIEN & FUSE_WDTON & FUSE_EESAVE & FUSE_BODLEVEL1)
#define EXTENDED (FUSE_BOOTSZ0 & FUSE_BOOTSZ1)
_Static_assert(HIGH == 0xC5 && EXTENDED == 0xF9, "the values docs/spec/relay-chip.md tells");
#endif
_Static_assert(LOW == 0xE2, "the value docs/spec/relay-chip.md tells");

FUSES = {.low = LOW, .high = HIGH, .extended = EXTENDED};
