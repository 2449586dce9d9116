/* The TCP line, name look-ups and the SNTP socket of port.h, on lwIP's raw API. */
#ifndef SL_LX106_NET_H
#define SL_LX106_NET_H

#include <stdbool.h>
#include <stdint.h>

/* lwIP, the interface and DHCP. sntp_host: NULL for none; outlives the program. */
void lx106_net_init(const char *sntp_host, uint16_t sntp_port);
/* Let the network move. True: it may have something for the node. */
bool lx106_net_poll(void);
/* Most bytes of its heap and pools that were ever in use. */
uint16_t lx106_net_peak(void);

#endif
