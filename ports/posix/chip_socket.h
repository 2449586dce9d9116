/* The relay chip behind a Unix socket, a SPI exchange a packet: docs/spec/twin-socket.md. */
#ifndef SL_POSIX_CHIP_SOCKET_H
#define SL_POSIX_CHIP_SOCKET_H

#include "chip.h"

#define POSIX_CHIP_PAUSE_MS     100 /* first pause before a new try to connect; doubles */
#define POSIX_CHIP_PAUSE_MAX_MS 2000
#define POSIX_CHIP_PACKET_LEN   (9 + SL_FRAME_LEN) /* 'X', time in us, frame */

/* sluice-chip, which may come and go. path: shorter than sun_path, kept. */
void posix_chip_socket_init(const char *path);
/* A socket that is connected already, and once lost is lost. name: for messages, kept. */
void posix_chip_socket_adopt(int fd, const char *name);

#endif
