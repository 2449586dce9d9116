/* The network interface: an OpenCores Ethernet controller, polled, under lwIP.
 *
 * It stands where the real board has its radio. Frames lie in the controller's own memory until
 * lwIP has room for them; when it has not, they are dropped, as a radio would.
 */
#ifndef SL_LX106_ETHERNET_H
#define SL_LX106_ETHERNET_H

#include <stdbool.h>
#include <stdint.h>

/* Adds the interface to lwIP and starts DHCP. */
void lx106_ethernet_init(void);
/* Hands the frames that have come to lwIP. True: there were some. */
bool lx106_ethernet_poll(void);
bool lx106_ethernet_has_address(void);
/* The router's address, in network order; it is the simulating computer's own. */
uint32_t lx106_ethernet_gateway(void);

struct lx106_ethernet_counts {
    uint32_t received, sent, dropped;
};
struct lx106_ethernet_counts lx106_ethernet_counts(void);

#endif
