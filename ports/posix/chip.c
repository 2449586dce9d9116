/* One chip a board. */
#include "chip.h"

static const struct posix_chip *chip;

void posix_chip_use(const struct posix_chip *kind)
{
    chip = kind;
}

void sl_port_spi_start(const uint8_t frame[SL_FRAME_LEN])
{
    chip->start(frame);
}

bool sl_port_spi_take(uint8_t frame[SL_FRAME_LEN])
{
    return chip->take(frame);
}

void posix_chip_wait(struct posix_wait *wait)
{
    chip->wait(wait);
}
