/* The relay chip on a spidev: port.h's SPI. */
#ifndef SL_POSIX_CHIP_SPI_H
#define SL_POSIX_CHIP_SPI_H

#include "chip.h"
#include "log.h"

/* path: kept. False: *error says why. */
bool posix_chip_spi_init(const char *path, char error[POSIX_ERROR_LEN]);

#endif
