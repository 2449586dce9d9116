/* The relay chip behind a Unix socket (sluice-chip): port.h's SPI, docs/spec/twin-socket.md. */
#ifndef SL_POSIX_CHIP_SOCKET_H
#define SL_POSIX_CHIP_SOCKET_H

#include "port.h"
#include "wait.h"

#define POSIX_CHIP_PAUSE_MS     100 /* first pause before a new try to connect; doubles */
#define POSIX_CHIP_PAUSE_MAX_MS 2000

/* path: shorter than sun_path, kept. */
void posix_chip_init(const char *path);
void posix_chip_wait(struct posix_wait *wait);

#endif
