/* spidev's ioctls; every other one goes to the system. */
#include "spi_seam.h"
#include <errno.h>
#include <linux/spi/spidev.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#define CS_CHANGE_US 10 /* how long the kernel deselects for cs_change */

int __real_ioctl(int fd, unsigned long request, void *argument);
int __wrap_ioctl(int fd, unsigned long request, ...);
static int run_message(const struct spi_ioc_transfer *transfers, size_t len);
static void run_transfer(const struct spi_ioc_transfer *transfer);

struct spi_seam spi_seam;

int __wrap_ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;

    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (_IOC_TYPE(request) != SPI_IOC_MAGIC)
        return __real_ioctl(fd, request, argument);
    switch (request) {
    case SPI_IOC_WR_MODE:
        memcpy(&spi_seam.mode, argument, 1);
        return 0;
    case SPI_IOC_WR_BITS_PER_WORD:
        memcpy(&spi_seam.bits, argument, 1);
        return 0;
    case SPI_IOC_WR_MAX_SPEED_HZ:
        memcpy(&spi_seam.max_hz, argument, sizeof spi_seam.max_hz);
        return 0;
    default:
        break;
    }
    const size_t len = _IOC_SIZE(request) / sizeof(struct spi_ioc_transfer);
    if (_IOC_NR(request) == 0 && _IOC_SIZE(request) % sizeof(struct spi_ioc_transfer) == 0)
        return run_message(argument, len);
    errno = ENOTTY;
    return -1;
}

/* Chip select falls before the first transfer. It rises after one with cs_change, for a moment, and
 * at the end, unless the last one has cs_change: then it stays low. */
static int run_message(const struct spi_ioc_transfer *transfers, size_t len)
{
    int moved = 0;

    spi_seam.messages++;
    if (spi_seam.error != 0) {
        errno = spi_seam.error;
        return -1;
    }
    spi_seam.is_selected = true;
    spi_seam.select(true);
    for (size_t i = 0; i < len; i++) {
        run_transfer(&transfers[i]);
        moved += (int)transfers[i].len;
        if (transfers[i].cs_change && i + 1 < len) {
            spi_seam.select(false);
            spi_seam.pause(CS_CHANGE_US);
            spi_seam.select(true);
        }
    }
    if (len > 0 && transfers[len - 1].cs_change)
        return moved;
    spi_seam.is_selected = false;
    spi_seam.select(false);
    return moved;
}

/* The words of one transfer follow each other without a pause. */
static void run_transfer(const struct spi_ioc_transfer *transfer)
{
    const uint8_t *out = (const uint8_t *)(uintptr_t)transfer->tx_buf;
    uint8_t *in = (uint8_t *)(uintptr_t)transfer->rx_buf;
    const uint32_t hz = transfer->speed_hz && transfer->speed_hz < spi_seam.max_hz
                            ? transfer->speed_hz
                            : spi_seam.max_hz;

    for (size_t i = 0; i < transfer->len; i++) {
        const uint8_t got = spi_seam.clock(out ? out[i] : 0, hz, spi_seam.mode);
        if (in)
            in[i] = got;
    }
    spi_seam.pause(transfer->delay_usecs);
}
