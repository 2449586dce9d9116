/* The node's own program under bad luck, at calls that are wrapped when it is linked:
 *   fault=illegal|stack   once, a second after a zone was switched on
 *   noise=PERCENT         of the frames from and to the network are lost, as many doubled, as many
 *                         overtaken by the next one
 *   minute-ms=MS          DHCP's minutes pass so fast
 *   pools=1               says ten times a second how many bytes lwIP has given out, how many
 * elements of each pool and how much of its heap that is, and how many frames have come
 */
#include "clock.h"
#include "ethernet.h"
#include "run.h"
#include "semihost.h"
#include "uart.h"
#include <lwip/dhcp.h>
#include <lwip/etharp.h>
#include <lwip/stats.h>
#include <netif/ethernet.h>
#include <string.h>

void __real_sl_run_sleep(struct sl_run *run);
void __wrap_sl_run_sleep(struct sl_run *run);
bool __real_lx106_net_poll(void);
bool __wrap_lx106_net_poll(void);
err_t __real_ethernet_input(struct pbuf *frame, struct netif *netif);
err_t __wrap_ethernet_input(struct pbuf *frame, struct netif *netif);
err_t __real_etharp_output(struct netif *netif, struct pbuf *packet, const ip4_addr_t *to);
err_t __wrap_etharp_output(struct netif *netif, struct pbuf *packet, const ip4_addr_t *to);

static bool is_time_for_a_fault(void);
static void break_down(const char *kind);
static bool is_over(uint32_t ms, sl_ms *since);
static void tell_pools(void);
static uint32_t dice(void);

/* Lives through our resets: a fault comes once. */
static uint32_t has_been_faulty __attribute__((section(".rig")));

static struct pbuf *late; /* to be overtaken */
static const struct sl_node *node;

void __wrap_sl_run_sleep(struct sl_run *run)
{
    node = run->node;
    __real_sl_run_sleep(run);
}

bool __wrap_lx106_net_poll(void)
{
    const char *fault = lx106_argument("fault");

    if (fault && has_been_faulty == 0 && is_time_for_a_fault()) {
        has_been_faulty = 1;
        break_down(fault);
    }
    static sl_ms minute, told;
    const uint32_t minute_ms = lx106_argument_number("minute-ms", 0);
    if (minute_ms != 0 && is_over(minute_ms, &minute))
        dhcp_coarse_tmr();
    if (lx106_argument("pools") && is_over(100, &told))
        tell_pools();
    return __real_lx106_net_poll();
}

err_t __wrap_ethernet_input(struct pbuf *frame, struct netif *netif)
{
    const uint32_t noise = lx106_argument_number("noise", 0), fate = dice();

    if (noise == 0)
        return __real_ethernet_input(frame, netif);
    if (fate < noise) {
        pbuf_free(frame);
        return ERR_OK;
    }
    if (fate < 2 * noise) {
        struct pbuf *twin = pbuf_clone(PBUF_RAW, PBUF_POOL, frame);
        if (twin && __real_ethernet_input(twin, netif) != ERR_OK)
            pbuf_free(twin);
    }
    if (fate >= 2 * noise && fate < 3 * noise && !late) {
        late = frame;
        return ERR_OK;
    }
    const err_t result = __real_ethernet_input(frame, netif);
    if (late) {
        struct pbuf *overtaken = late;
        late = NULL;
        if (__real_ethernet_input(overtaken, netif) != ERR_OK)
            pbuf_free(overtaken);
    }
    return result;
}

err_t __wrap_etharp_output(struct netif *netif, struct pbuf *packet, const ip4_addr_t *to)
{
    const uint32_t noise = lx106_argument_number("noise", 0);

    return noise != 0 && dice() < noise ? ERR_OK : __real_etharp_output(netif, packet, to);
}

static bool is_over(uint32_t ms, sl_ms *since)
{
    if (lx106_clock_now() - *since < ms)
        return false;
    *since = lx106_clock_now();
    return true;
}

static void tell_pools(void)
{
    uint32_t used = lwip_stats.mem.used;

    for (unsigned i = 0; i < MEMP_MAX; i++)
        used += (uint32_t)memp_pools[i]->stats->used * memp_pools[i]->size;
    lx106_uart_text("pools ");
    lx106_uart_number((int32_t)used);
    lx106_uart_text(" of");
    for (unsigned i = 0; i < MEMP_MAX; i++) {
        lx106_uart_byte(' ');
        lx106_uart_number(memp_pools[i]->stats->used);
    }
    lx106_uart_text(" heap ");
    lx106_uart_number((int32_t)lwip_stats.mem.used);
    lx106_uart_text(" frames ");
    lx106_uart_number((int32_t)lx106_ethernet_counts().received);
    lx106_uart_text("\n");
}

static uint32_t overflow(uint32_t depth)
{
    volatile uint32_t frame[8];

    for (unsigned i = 0; i < 8; i++)
        frame[i] = depth;
    return depth == 0 ? frame[0] : overflow(depth - 1) + frame[depth % 8];
}

/* Counted in what has happened, so that a slow computer changes nothing. */
static bool is_time_for_a_fault(void)
{
    static bool is_counted, is_on;
    static uint32_t switched; /* in earlier runs */
    static sl_ms since;

    if (!node)
        return false;
    if (!is_counted)
        switched = sl_node_health(node).counters.switched;
    is_counted = true;
    if (!is_on && sl_node_health(node).counters.switched > switched) {
        is_on = true;
        since = lx106_clock_now();
    }
    return is_on && lx106_clock_now() - since >= 1000;
}

static void break_down(const char *kind)
{
    if (strcmp(kind, "stack") == 0)
        (void)overflow(100000);
    else
        __asm__ volatile("ill");
}

/* 0..99, the same in every run. */
static uint32_t dice(void)
{
    static uint32_t state = 1;

    state = state * 1664525u + 1013904223u;
    return (state >> 16) % 100;
}
