/* The relay chip as this board reaches it: port.h's SPI calls go to the kind chosen at the start.
 *
 *   chip_socket.h    the simulated chip, by Unix socket
 *   chip_spi.h       the real one, by spidev
 *   relay_process.h  none: relays at this computer's own outputs, held by a process of their own
 */
#ifndef SL_POSIX_CHIP_H
#define SL_POSIX_CHIP_H

#include "port.h"
#include "wait.h"

struct posix_chip {
    void (*start)(const uint8_t frame[SL_FRAME_LEN]); /* as sl_port_spi_start */
    bool (*take)(uint8_t frame[SL_FRAME_LEN]);        /* as sl_port_spi_take */
    void (*wait)(struct posix_wait *wait);
};

/* chip: lives as long as the program. Before the first SPI call. */
void posix_chip_use(const struct posix_chip *chip);
void posix_chip_wait(struct posix_wait *wait);

#endif
