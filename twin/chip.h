/* The relay chip, simulated: the firmware's own ELF in libsimavr, with the wires around it.
 *
 * Time is the chip's true time in microseconds since power-on; it moves only by the calls below,
 * so a test can run months of wall time or one edge. The oscillator may be off: then the firmware
 * sees more or fewer cycles in the same time. Links GPLv3 libsimavr: host programs only.
 */
#ifndef SL_TWIN_CHIP_H
#define SL_TWIN_CHIP_H

#include "base/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct twin_chip;

struct twin_chip_options {
    const char *elf_path;  /* firmware with FUSES */
    const char *mcu;       /* "atmega168" or "atmega328p"; NULL: from the ELF, else atmega168 */
    const char *vcd_path;  /* trace of the relay pins, SS and RESET; NULL: none */
    double oscillator;     /* true frequency / nominal, 0.9..1.1; 0 means 1 */
    double watchdog;       /* true / nominal period of the watchdog, 0.5..2; 0 means 1 */
    const uint8_t *eeprom; /* contents from address 0, the rest is erased; NULL: all erased */
    size_t eeprom_len;
};

enum twin_level { TWIN_LOW, TWIN_HIGH, TWIN_WEAK_HIGH, TWIN_FLOATING };

/* Powered and in reset at time 0. NULL: *error is one line for a person, good until the next call.
 */
struct twin_chip *twin_chip_create(const struct twin_chip_options *options, const char **error);
void twin_chip_destroy(struct twin_chip *chip);

uint64_t twin_chip_now_us(const struct twin_chip *chip);
/* Run until time_us; in the past: nothing. */
void twin_chip_run(struct twin_chip *chip, uint64_t time_us);
/* Make the trace file show all until now. */
void twin_chip_flush_trace(struct twin_chip *chip);

/* One SPI exchange starting now: 500 kHz, mode 0, 20 us after chip select and between bytes, 1 us
 * from the last edge of the clock to the end of chip select. Time moves on by its length.
 * len: 1..TWIN_EXCHANGE_MAX. Without power or with the link cut, in is all 0xFF. */
#define TWIN_EXCHANGE_MAX 64
void twin_chip_exchange(struct twin_chip *chip, const uint8_t *out, uint8_t *in, size_t len);

/* The same by steps, for a master with a timing of its own, on a link that is not cut: SS low or
 * high, and one byte in mode 0 at hz. Gives: the byte from MISO. */
void twin_chip_select(struct twin_chip *chip, bool selected);
uint8_t twin_chip_clock(struct twin_chip *chip, uint8_t out, uint32_t hz);

/* What the relay inputs see. A relay conducts when its line is driven TWIN_LOW. */
enum twin_level twin_chip_pin(const struct twin_chip *chip, uint8_t zone);
uint8_t twin_chip_conducting(const struct twin_chip *chip); /* bit z */
bool twin_chip_has_power(const struct twin_chip *chip);
bool twin_chip_is_link_cut(const struct twin_chip *chip);
/* Zones that conducted at any instant since the last call, bit z. */
uint8_t twin_chip_take_conducted(struct twin_chip *chip);
/* Time of the last change of any relay pin. */
uint64_t twin_chip_changed_us(const struct twin_chip *chip);

/* Faults. */
void twin_chip_set_bit_errors(struct twin_chip *chip, double per_bit, uint32_t seed);
void twin_chip_set_clock_loss(struct twin_chip *chip, double per_bit);   /* pulses of SCK */
void twin_chip_set_frame_loss(struct twin_chip *chip, double per_frame); /* SS never falls */
void twin_chip_set_link_cut(struct twin_chip *chip, bool cut);
void twin_chip_set_oscillator(struct twin_chip *chip, double ratio);
/* The relay line of the zone is held from outside at low or high, whatever the chip drives. */
void twin_chip_set_pin_stuck(struct twin_chip *chip, uint8_t zone, bool stuck, bool high);
void twin_chip_hang(struct twin_chip *chip);  /* the program loops for ever, interrupts off */
void twin_chip_reset(struct twin_chip *chip); /* a pulse on RESET */
/* The supply dips below 2.7 V for a millisecond. Without the fuse for it nothing happens here; a
 * real chip would go astray. */
void twin_chip_brown_out(struct twin_chip *chip);
/* A spike writes value into the register or RAM cell at this address of the data space. */
void twin_chip_glitch(struct twin_chip *chip, uint16_t address, uint8_t value);
void twin_chip_set_power(struct twin_chip *chip, bool on);

struct twin_chip_counts {
    uint64_t cycles;
    uint32_t resets; /* of any cause; the start at time 0 is not one */
    uint32_t watchdog_resets;
    uint32_t exchanges, overruns, collisions; /* SPI hardware's view */
    uint32_t worst_interrupt_cycles; /* from request to the first instruction of the handler */
    uint32_t worst_spi_cycles;       /* the same for a received byte, which has 20 us at most */
    uint32_t stack_max;              /* bytes of stack ever used */
    uint32_t flash_bytes, ram_bytes; /* program; variables without the stack */
    bool crashed;                    /* illegal opcode or jump out of flash: a firmware bug */
};
struct twin_chip_counts twin_chip_counts(struct twin_chip *chip);

#endif
