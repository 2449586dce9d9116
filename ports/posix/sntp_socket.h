/* Datagrams to and from the SNTP server, port.h's way. */
#ifndef SL_POSIX_SNTP_SOCKET_H
#define SL_POSIX_SNTP_SOCKET_H

#include "port.h"
#include "wait.h"

/* host: NULL for none; else 1..SL_HOST_MAX bytes, kept. */
void posix_sntp_init(const char *host, uint16_t port);
void posix_sntp_wait(struct posix_wait *wait);

#endif
