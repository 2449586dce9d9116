/* The TCP connection to the broker: port.h's line, over IPv4 or IPv6.
 *
 * Addresses of a name are tried in turn, each for POSIX_CONNECT_MS at most. */
#ifndef SL_POSIX_NET_H
#define SL_POSIX_NET_H

#include "port.h"
#include "wait.h"

#define POSIX_CONNECT_MS 5000

void posix_net_init(void);
/* Wakes for input only after a receive came up empty, for output only after a send fell short:
 * whoever leaves bytes there on purpose is not woken for them over and over. */
void posix_net_wait(struct posix_wait *wait);

#endif
