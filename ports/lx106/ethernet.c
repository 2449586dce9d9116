/* Registers and descriptors: OpenCores, "Ethernet IP Core Specification", revision 1.19, sections 3
 * and 4.2; addresses: QEMU's kc705. */
#include "ethernet.h"
#include <lwip/dhcp.h>
#include <lwip/etharp.h>
#include <lwip/netif.h>
#include <netif/ethernet.h>
#include <string.h>

#define REGISTERS   ((volatile uint32_t *)0x9d030000)
#define DESCRIPTORS ((volatile struct descriptor *)0x9d030400)
#define MEMORY      0x9d800000u

enum { MODE = 0, INTERRUPTS = 2, FRAME_LENS = 6, TRANSMITTERS = 8, ADDRESS_LOW = 16, ADDRESS_HIGH };

#define MODE_RECEIVE  0x0001u
#define MODE_TRANSMIT 0x0002u
#define MODE_RESET    0x0800u
#define MODE_CRC      0x2000u
#define MODE_PAD      0x8000u

#define OWN       0x8000u /* receive: empty; transmit: to be sent */
#define LAST      0x2000u /* the ring begins anew behind it */
#define SEND_PAD  0x1000u
#define SEND_CRC  0x0800u
#define LEN_SHIFT 16

#define RECEIVERS  8
#define BUFFER_LEN 1536
#define FRAME_MIN  64
#define CRC_LEN    4

struct descriptor {
    uint32_t state, address;
};

static err_t init(struct netif *netif);
static err_t send(struct netif *netif, struct pbuf *frame);
static void give_back(uint8_t receiver);
static void *buffer_of(uint8_t index);

static struct netif netif;
static struct lx106_ethernet_counts counts;
static uint8_t next; /* receiver whose turn it is */

void lx106_ethernet_init(void)
{
    netif_add_noaddr(&netif, NULL, init, ethernet_input);
    netif_set_default(&netif);
    netif_set_up(&netif);
    dhcp_start(&netif);
}

bool lx106_ethernet_poll(void)
{
    bool has_come = false;

    for (uint8_t turn = 0; turn < RECEIVERS; turn++) {
        const uint32_t state = DESCRIPTORS[1 + next].state;
        if ((state & OWN) != 0)
            break;
        const uint32_t whole = state >> LEN_SHIFT;
        const uint16_t len = (uint16_t)(whole > CRC_LEN ? whole - CRC_LEN : 0);
        struct pbuf *frame =
            len > 0 && len <= BUFFER_LEN ? pbuf_alloc(PBUF_RAW, len, PBUF_POOL) : NULL;
        if (frame)
            (void)pbuf_take(frame, buffer_of((uint8_t)(1 + next)), len);
        give_back(next);
        next = (uint8_t)((next + 1) % RECEIVERS);
        has_come = true;
        if (!frame)
            counts.dropped++;
        else if (netif.input(frame, &netif) != ERR_OK)
            pbuf_free(frame);
        counts.received++;
    }
    return has_come;
}

bool lx106_ethernet_has_address(void)
{
    return dhcp_supplied_address(&netif) != 0;
}

uint32_t lx106_ethernet_gateway(void)
{
    return netif_ip4_gw(&netif)->addr;
}

struct lx106_ethernet_counts lx106_ethernet_counts(void)
{
    return counts;
}

static err_t init(struct netif *interface)
{
    static const uint8_t address[ETH_HWADDR_LEN] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

    interface->name[0] = 'e';
    interface->name[1] = 'n';
    interface->output = etharp_output;
    interface->linkoutput = send;
    interface->mtu = 1500;
    interface->hwaddr_len = sizeof address;
    memcpy(interface->hwaddr, address, sizeof address);
    interface->flags =
        NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;

    next = 0;
    REGISTERS[MODE] = MODE_RESET;
    REGISTERS[MODE] = 0;
    REGISTERS[TRANSMITTERS] = 1;
    REGISTERS[FRAME_LENS] = (uint32_t)FRAME_MIN << LEN_SHIFT | BUFFER_LEN;
    REGISTERS[INTERRUPTS] = 0;
    REGISTERS[ADDRESS_LOW] = (uint32_t)address[2] << 24 | (uint32_t)address[3] << 16 |
                             (uint32_t)address[4] << 8 | address[5];
    REGISTERS[ADDRESS_HIGH] = (uint32_t)address[0] << 8 | address[1];
    DESCRIPTORS[0].state = LAST;
    for (uint8_t i = 0; i < RECEIVERS; i++) {
        DESCRIPTORS[1 + i].address = (uint32_t)buffer_of((uint8_t)(1 + i));
        give_back(i);
    }
    REGISTERS[MODE] = MODE_PAD | MODE_CRC | MODE_TRANSMIT;
    REGISTERS[MODE] = MODE_PAD | MODE_CRC | MODE_TRANSMIT | MODE_RECEIVE;
    return ERR_OK;
}

static err_t send(struct netif *interface, struct pbuf *frame)
{
    (void)interface;
    if ((DESCRIPTORS[0].state & OWN) != 0 || frame->tot_len > BUFFER_LEN)
        return ERR_IF;
    (void)pbuf_copy_partial(frame, buffer_of(0), frame->tot_len, 0);
    DESCRIPTORS[0].address = (uint32_t)buffer_of(0);
    DESCRIPTORS[0].state = (uint32_t)frame->tot_len << LEN_SHIFT | OWN | LAST | SEND_PAD | SEND_CRC;
    counts.sent++;
    return ERR_OK;
}

static void give_back(uint8_t receiver)
{
    DESCRIPTORS[1 + receiver].state = OWN | (receiver == RECEIVERS - 1 ? LAST : 0);
}

static void *buffer_of(uint8_t index)
{
    return (void *)(MEMORY + (uint32_t)index * BUFFER_LEN);
}
