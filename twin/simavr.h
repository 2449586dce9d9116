/* libsimavr's headers, and the data-space addresses of the registers that the twin models itself.
 *
 * The addresses are those of the ATmega48/88/168/328 family (data sheet, "Register Summary"); both
 * chips of the project share them.
 */
#ifndef SL_TWIN_SIMAVR_H
#define SL_TWIN_SIMAVR_H

#include <simavr/avr_eeprom.h>
#include <simavr/avr_extint.h>
#include <simavr/avr_ioport.h>
#include <simavr/avr_watchdog.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_cycle_timers.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_interrupts.h>
#include <stddef.h>

#define TWIN_PINB   0x23
#define TWIN_DDRB   0x24
#define TWIN_PORTB  0x25
#define TWIN_PIND   0x29
#define TWIN_DDRD   0x2A
#define TWIN_PORTD  0x2B
#define TWIN_SPCR   0x4C
#define TWIN_SPSR   0x4D
#define TWIN_SPDR   0x4E
#define TWIN_MCUSR  0x54
#define TWIN_WDTCSR 0x60
#define TWIN_PRR    0x64
#define TWIN_RAM    0x100 /* first byte of the SRAM */

#define TWIN_SPI_VECTOR 17

#define TWIN_CYCLES_PER_US 8.0 /* nominal: 8 MHz */

/* The callbacks of one register, as simavr keeps them. avr_register_io_read/write cannot replace
 * one that is taken, so the twin writes the slot itself. */
static inline void twin_register_replace(avr_t *avr, uint16_t address, avr_io_read_t read,
                                         avr_io_write_t write, void *param)
{
    if (read != NULL) {
        avr->io[AVR_DATA_TO_IO(address)].r.c = read;
        avr->io[AVR_DATA_TO_IO(address)].r.param = param;
    }
    if (write != NULL) {
        avr->io[AVR_DATA_TO_IO(address)].w.c = write;
        avr->io[AVR_DATA_TO_IO(address)].w.param = param;
    }
}

#endif
