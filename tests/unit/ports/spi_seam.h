/* The seam below spi_device.c: ioctl as the linker hands it over (--wrap=ioctl).
 *
 * It plays spidev and the kernel's SPI core as Documentation/spi/spi-summary.rst and
 * include/linux/spi/spi.h describe them, on wires that the test provides. No kernel is involved:
 * what a controller's driver makes of it, only hardware can show. */
#ifndef SL_TESTS_SPI_SEAM_H
#define SL_TESTS_SPI_SEAM_H

#include <stdbool.h>
#include <stdint.h>

#define SPI_SEAM_DEVICE "/dev/null" /* something that can be opened */

struct spi_seam {
    /* The wires. */
    void (*select)(bool selected);
    uint8_t (*clock)(uint8_t out, uint32_t hz, uint8_t mode);
    void (*pause)(uint32_t us);
    int error; /* not 0: messages fail with it */

    /* What was set and done. */
    uint8_t mode, bits;
    uint32_t max_hz;
    unsigned messages;
    bool is_selected; /* chip select was left on */
};

extern struct spi_seam spi_seam;

#endif
