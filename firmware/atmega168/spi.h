/* The SPI slave: whole frames between two edges of SS, in both directions.
 *
 * Wiring: SS PB2, MOSI PB3, MISO PB4, SCK PB5; mode 0, MSB first. A frame is received into one
 * buffer while the last one waits in the other, and a status is sent from one while the next one is
 * written into the other, so neither direction ever shows half a frame.
 */
#ifndef RELAY_CHIP_SPI_H
#define RELAY_CHIP_SPI_H

#include <stdbool.h>
#include <stdint.h>

/* Set the pins and the SPI. Safe to repeat at any time, also during a frame: it heals registers
 * that were disturbed. */
void spi_configure(void);

/* A frame has ended and waits. Interrupts may be off. */
bool spi_has_frame(void);

/* The frame that waits and its length in bytes: SL_FRAME_LEN, less, or SL_FRAME_LEN + 1 for any
 * longer one. Valid until spi_release_frame; while it waits, a further frame is lost, which its
 * sender sees by the sequence. Requires: spi_has_frame. */
const uint8_t *spi_frame(uint8_t *len);
void spi_release_frame(void);

/* SS is low: a frame is coming in and a status going out. */
bool spi_is_selected(void);

/* Where to write the next status, and the call that makes it the one to send from the next frame
 * on. False: a frame has begun meanwhile; write again after it. */
uint8_t *spi_next_status(void);
bool spi_publish_status(void);

#endif
