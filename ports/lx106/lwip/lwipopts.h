/* lwIP as small as one TLS connection, DHCP, DNS and SNTP need it (options: lwip/opt.h).
 *
 * The receive window is what the pool can hold of full segments; a TLS record is 597 bytes at most
 * on its way out, so two segments of it may be in flight. */
#ifndef SL_LX106_LWIPOPTS_H
#define SL_LX106_LWIPOPTS_H

#define LWIP_NO_CTYPE_H       1 /* its table is read by bytes */
#define NO_SYS                1
#define SYS_LIGHTWEIGHT_PROT  0
#define LWIP_NETCONN          0
#define LWIP_SOCKET           0
#define LWIP_RAW              0
#define LWIP_IPV4             1
#define LWIP_IPV6             0
#define LWIP_ICMP             1
#define LWIP_UDP              1
#define LWIP_TCP              1
#define LWIP_DHCP             1
#define LWIP_DNS              1
#define LWIP_NETIF_HOSTNAME   0
#define LWIP_CHKSUM_ALGORITHM 3

/* No fragments: nothing that Sluice speaks is larger than a frame. */
#define IP_REASSEMBLY 0
#define IP_FRAG       0

#define MEM_ALIGNMENT           4
#define TCP_MSS                 536
#define TCP_WND                 (4 * TCP_MSS)
#define TCP_SND_BUF             (2 * TCP_MSS)
#define TCP_SND_QUEUELEN        6
#define TCP_QUEUE_OOSEQ         0
#define MEM_SIZE                (TCP_SND_BUF + 1200)
#define MEMP_NUM_TCP_SEG        6
#define MEMP_NUM_TCP_PCB        1 /* none is left when the next one is dialled: net.c */
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define MEMP_NUM_UDP_PCB        3 /* DHCP, DNS, SNTP */
#define MEMP_NUM_PBUF           4
#define PBUF_POOL_SIZE          6
#define PBUF_POOL_BUFSIZE       LWIP_MEM_ALIGN_SIZE(TCP_MSS + 40 + PBUF_LINK_HLEN)
#define ARP_TABLE_SIZE          4
#define ARP_QUEUEING            0
#define DNS_TABLE_SIZE          1
#define DNS_MAX_SERVERS         1

/* Numbers that a stranger must not guess: of connections, ports, queries. */
#include <stdint.h>
uint32_t lx106_random(void);
#define LWIP_RAND()                                                     lx106_random()
#define LWIP_HOOK_TCP_ISN(local_ip, local_port, remote_ip, remote_port) lx106_random()

/* Peaks of the heap and of every pool, for the report. */
#define LWIP_STATS   1
#define LINK_STATS   0
#define ETHARP_STATS 0
#define IP_STATS     0
#define IPFRAG_STATS 0
#define ICMP_STATS   0
#define UDP_STATS    0
#define TCP_STATS    0
#define SYS_STATS    0
#define MEM_STATS    1
#define MEMP_STATS   1

#endif
