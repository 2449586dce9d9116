/* A spidev: one chip select of this computer's SPI, timed as docs/spec/spi-link.md asks.
 *
 * Source: Linux, Documentation/spi/spidev.rst and Documentation/spi/spi-summary.rst. */
#ifndef SL_POSIX_SPI_DEVICE_H
#define SL_POSIX_SPI_DEVICE_H

#include "errors.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POSIX_SPI_HZ       500000
#define POSIX_SPI_PAUSE_US 20 /* after chip select and after every byte: the AVR's time to act */
#define POSIX_SPI_LEN_MAX  26

/* Mode 0, most significant bit first, 8 bits. Gives: a descriptor; -1: *failure says why. */
int posix_spi_open(const char *path, struct posix_failure *failure);
/* What errno after that, or after a look at the device, means. False. */
bool posix_spi_fail(struct posix_failure *failure, const char *path, int error);

/* Blocks for about 36 us a byte, and what the system adds. Chip select is held for all of it.
 * len: 1..POSIX_SPI_LEN_MAX.  False: errno; what the other side heard is unknown. */
bool posix_spi_exchange(int fd, const uint8_t *out, uint8_t *in, size_t len);

#endif
