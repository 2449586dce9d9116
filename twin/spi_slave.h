/* The SPI slave of the ATmega168 at the level of its pins, in place of simavr's.
 *
 * simavr moves whole bytes in no time and knows neither SS, modes, collisions nor the direction of
 * MISO: against it a firmware passes that fails on a wire. Modelled is what the link uses, mode 0
 * with the most significant bit first; in any other mode the slave stays mute. Source:
 * ATmega48/88/168 data sheet, section "SPI - Serial Peripheral Interface".
 */
#ifndef SL_TWIN_SPI_SLAVE_H
#define SL_TWIN_SPI_SLAVE_H

#include "simavr.h"
#include <stdbool.h>

struct twin_spi {
    avr_t *avr;
    avr_ioport_t *port; /* port B */
    avr_int_vector_t *vector;
    bool ss, sck, mosi;  /* levels on the wires */
    bool sampled;        /* MOSI at the last rising edge */
    uint8_t shift;       /* the shift register, which a write to SPDR fills */
    uint8_t received;    /* the receive buffer, which a read of SPDR gives */
    uint8_t bits;        /* sampled of the byte that is coming in */
    bool was_flag_read;  /* SPSR was read with SPIF set: the next access to SPDR clears it */
    uint32_t overruns;   /* bytes that came before the last was fetched */
    uint32_t collisions; /* writes to SPDR in the middle of a byte */
};

/* Take the place of simavr's SPI. False: the core has none. */
bool twin_spi_attach(struct twin_spi *spi, avr_t *avr);
/* After every avr_reset. */
void twin_spi_reset(struct twin_spi *spi);

void twin_spi_set_ss(struct twin_spi *spi, bool level);
void twin_spi_set_sck(struct twin_spi *spi, bool level);
void twin_spi_set_mosi(struct twin_spi *spi, bool level);
/* What the master reads; true also where nothing drives the line (pull-up). */
bool twin_spi_miso(const struct twin_spi *spi);

#endif
