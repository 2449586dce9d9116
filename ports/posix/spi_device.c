/* One SPI_IOC_MESSAGE a frame, one transfer a byte: gapless bursts are too fast for the AVR. */
#include "spi_device.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/spi/spidev.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BITS 8

static bool configure(int fd);

int posix_spi_open(const char *path, struct posix_failure *failure)
{
    const int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd >= 0 && configure(fd))
        return fd;
    posix_spi_fail(failure, path, errno);
    if (fd >= 0)
        close(fd);
    return -1;
}

bool posix_spi_fail(struct posix_failure *failure, const char *path, int error)
{
    switch (error) {
    case ENOENT:
        return posix_fail(failure, POSIX_ERROR(SPI_MISSING), path, strerror(error));
    case EACCES:
        return posix_fail(failure, POSIX_ERROR(SPI_DENIED), path, strerror(error));
    case ENOTTY:
        return posix_fail(failure, POSIX_ERROR(SPI_NO_DEVICE), path, strerror(error));
    default:
        return posix_fail(failure, POSIX_ERROR(SPI_UNFIT), path, strerror(error));
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the kernel writes to in, through an integer */
bool posix_spi_exchange(int fd, const uint8_t *out, uint8_t *in, size_t len)
{
    /* The first has no byte: only its pause, which is the lead of chip select. cs_change stays 0:
     * in the middle it would end the frame, in the last one it would keep the chip selected. */
    struct spi_ioc_transfer transfers[1 + POSIX_SPI_LEN_MAX] = {
        {.delay_usecs = POSIX_SPI_PAUSE_US}};

    assert(len >= 1 && len <= POSIX_SPI_LEN_MAX);
    for (size_t i = 0; i < len; i++)
        transfers[1 + i] = (struct spi_ioc_transfer){.tx_buf = (uintptr_t)(out + i),
                                                     .rx_buf = (uintptr_t)(in + i),
                                                     .len = 1,
                                                     .speed_hz = POSIX_SPI_HZ,
                                                     .bits_per_word = BITS,
                                                     .delay_usecs = POSIX_SPI_PAUSE_US};
    /* SPI_IOC_MESSAGE(1 + len), whose macro would make a variable-length array. */
    const int moved =
        ioctl(fd, _IOC(_IOC_WRITE, SPI_IOC_MAGIC, 0, (1 + len) * sizeof transfers[0]), transfers);
    if (moved >= 0 && (size_t)moved != len)
        errno = EIO;
    return moved >= 0 && (size_t)moved == len;
}

/* Writing the mode also clears what another program may have left: bit order, polarity of chip
 * select, three wires. */
static bool configure(int fd)
{
    const uint8_t mode = SPI_MODE_0, bits = BITS;
    const uint32_t hz = POSIX_SPI_HZ;

    return ioctl(fd, SPI_IOC_WR_MODE, &mode) >= 0 &&
           ioctl(fd, SPI_IOC_WR_BITS_PER_WORD, &bits) >= 0 &&
           ioctl(fd, SPI_IOC_WR_MAX_SPEED_HZ, &hz) >= 0;
}
