/* The datagrams of port.h's SNTP: to one server, found by name, and back from it alone. */
#ifndef SL_LX106_SNTP_H
#define SL_LX106_SNTP_H

#include <stdint.h>

/* host: NULL for none. */
void lx106_sntp_init(const char *host, uint16_t port);

#endif
