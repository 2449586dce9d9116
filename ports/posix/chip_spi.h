/* The relay chip on a spidev: port.h's SPI. */
#ifndef SL_POSIX_CHIP_SPI_H
#define SL_POSIX_CHIP_SPI_H

#include "chip.h"
#include "errors.h"

/* path: kept. False: *failure says why. */
bool posix_chip_spi_init(const char *path, struct posix_failure *failure);

#endif
