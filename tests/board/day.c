/* The node's own program with a clock that leaps over its idle time, so that a day passes in
 * seconds; the relay chip is its engine (src/link/slave.c), in here.
 *   leap-ms=N     a rest leaps N ms instead of waiting for the tick, unless somebody owes an answer
 *   command-s=N   every N s the clock waits until the network has brought something: a command */
#include "chip.h"
#include "clock.h"
#include "link/slave.h"
#include "run.h"
#include "semihost.h"
#include "uart.h"
#include <lwip/memp.h>
#include <lwip/priv/memp_priv.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/stats.h>
#include <netif/ethernet.h>

#define COMMAND_LEN 120 /* of a frame, at least */
#define HOUR_MS     3600000u

sl_ms __real_lx106_clock_now(void);
sl_ms __wrap_lx106_clock_now(void);
void __real_lx106_clock_rest(void);
void __wrap_lx106_clock_rest(void);
err_t __real_ethernet_input(struct pbuf *frame, struct netif *netif);
err_t __wrap_ethernet_input(struct pbuf *frame, struct netif *netif);
void __real_sl_run_sleep(struct sl_run *run);
void __wrap_sl_run_sleep(struct sl_run *run);
void __wrap_sl_port_spi_start(const uint8_t frame[SL_FRAME_LEN]);
bool __wrap_sl_port_spi_take(uint8_t frame[SL_FRAME_LEN]);

static bool is_owed(void);
static void tell_pools(void);

static struct {
    sl_ms leapt;
    const struct sl_node *node;
    sl_ms command_due, hour_due;
    bool has_started;
} day;

static struct {
    struct sl_slave slave;
    sl_ms at;
    uint8_t answer[SL_FRAME_LEN];
    bool is_running, has_answer;
} relays;

sl_ms __wrap_lx106_clock_now(void)
{
    return __real_lx106_clock_now() + day.leapt;
}

void __wrap_lx106_clock_rest(void)
{
    const uint32_t leap_ms = lx106_argument_number("leap-ms", 0);
    const uint32_t command_ms = lx106_argument_number("command-s", 0) * 1000;
    const sl_ms now = __wrap_lx106_clock_now();

    if (!day.has_started) {
        day.has_started = true;
        day.command_due = now + command_ms;
        day.hour_due = now + HOUR_MS;
    }
    if (is_owed() || (command_ms > 0 && sl_ms_is_reached(now, day.command_due))) {
        __real_lx106_clock_rest();
        return;
    }
    day.leapt += leap_ms;
    if (sl_ms_is_reached(now, day.hour_due)) {
        day.hour_due += HOUR_MS;
        tell_pools();
    }
}

err_t __wrap_ethernet_input(struct pbuf *frame, struct netif *netif)
{
    if (frame->tot_len > COMMAND_LEN)
        day.command_due = __wrap_lx106_clock_now() + lx106_argument_number("command-s", 0) * 1000;
    return __real_ethernet_input(frame, netif);
}

void __wrap_sl_run_sleep(struct sl_run *run)
{
    day.node = run->node;
    __real_sl_run_sleep(run);
}

/* Something is on its way to the broker or back, however long a busy computer takes for it. */
static bool is_owed(void)
{
    const struct sl_mqtt *mqtt = &day.node->connection.mqtt;
    const struct tcp_pcb *pcb = tcp_active_pcbs;

    return !sl_node_health(day.node).is_connected || mqtt->is_waiting || mqtt->flights_used > 0 ||
           !pcb || pcb->unsent || pcb->unacked;
}

void __wrap_sl_port_spi_start(const uint8_t frame[SL_FRAME_LEN])
{
    static const uint32_t limits[SL_ZONES] = {
        [0 ... SL_ZONES - 1] = SL_SLAVE_HARD_LIMIT_MS,
    };
    const sl_ms now = __wrap_lx106_clock_now();

    if (!relays.is_running) {
        sl_slave_init(&relays.slave, SL_RESET_POWER_ON, limits);
        relays.is_running = true;
        relays.at = now;
    }
    sl_slave_tick(&relays.slave, (uint16_t)(now - relays.at)); /* orders come every 250 ms */
    relays.at = now;
    sl_slave_peek(&relays.slave, sl_slave_outputs(&relays.slave), 0x01, relays.answer);
    sl_slave_feed(&relays.slave, frame, SL_FRAME_LEN);
    relays.has_answer = true;
}

bool __wrap_sl_port_spi_take(uint8_t frame[SL_FRAME_LEN])
{
    if (!relays.has_answer)
        return false;
    memcpy(frame, relays.answer, SL_FRAME_LEN);
    relays.has_answer = false;
    return true;
}

static void tell(const char *name, uint32_t number)
{
    lx106_uart_text(name);
    lx106_uart_number((int32_t)number);
}

/* What is in use at a quiet moment, and what ever was. */
static void tell_pools(void)
{
    uint32_t used = 0, peak = 0, failed = lwip_stats.mem.err;

    for (unsigned i = 0; i < MEMP_MAX; i++) {
        used += memp_pools[i]->stats->used;
        peak += memp_pools[i]->stats->max;
        failed += memp_pools[i]->stats->err;
    }
    tell("pools: heap ", lwip_stats.mem.used);
    tell(" used ", used);
    tell(" peak ", peak);
    tell(" failed ", failed);
    lx106_uart_byte('\n');
}
