/* The byte is sent at every drive, so a chip that was reset is right again at the next. */
#include "raw_byte.h"
#include "link/frame.h"
#include "spi_device.h"
#include <errno.h>
#include <string.h>

#define ALL_ZONES 0xFF

static bool drive(uint8_t zones);
static bool read_back(uint8_t *zones);

static int fd = -1;
static uint8_t sent;
static struct posix_outputs outputs = {
    .zones = ALL_ZONES, .version = SL_CHIP_VERSION_BLIND, .drive = drive, .read = read_back};

const struct posix_outputs *posix_raw_open(const char *path, struct posix_failure *failure)
{
    fd = posix_spi_open(path, failure);
    if (fd < 0)
        return NULL;
    if (!drive(0)) {
        posix_fail(failure, POSIX_ERROR(SPI_UNSENT), path, strerror(errno));
        return NULL;
    }
    outputs.name = path;
    return &outputs;
}

static bool drive(uint8_t zones)
{
    const uint8_t out = (uint8_t)~zones;
    uint8_t in;

    if (!posix_spi_exchange(fd, &out, &in, 1))
        return false;
    sent = zones;
    return true;
}

static bool read_back(uint8_t *zones)
{
    *zones = sent;
    return true;
}
