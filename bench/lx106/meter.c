/* The node's own program with a meter at five of its calls (linked with --wrap); nothing else
 * differs.
 *
 * A run goes through the life of a session: a full handshake; the broker restarted from outside, so
 * that it has forgotten the session but is the server we know; the connection closed in order, and
 * the session resumed; the board reset, and the session resumed. Figures go out as lines 'figure
 * NAME VALUE'. */
#include "board.h"
#include "clock.h"
#include "fault.h"
#include "net.h"
#include "port.h"
#include "stack.h"
#include "tls/tls.h"
#include "uart.h"
#include <string.h>

#define PAUSE_MS 1000 /* after a session has opened: what is to be kept reaches the flash */
#define ZONES_AT 4    /* the zones' remaining times in an order (link/frame.h) */

int __real_br_ssl_client_reset(br_ssl_client_context *client, const char *name, int resumes);
int __wrap_br_ssl_client_reset(br_ssl_client_context *client, const char *name, int resumes);
bool __real_sl_tls_next(struct sl_tls *tls, struct sl_tls_event *event);
bool __wrap_sl_tls_next(struct sl_tls *tls, struct sl_tls_event *event);
bool __real_lx106_net_poll(void);
bool __wrap_lx106_net_poll(void);
void __real_sl_port_spi_start(const uint8_t frame[SL_FRAME_LEN]);
void __wrap_sl_port_spi_start(const uint8_t frame[SL_FRAME_LEN]);
bool __real_sl_port_spi_take(uint8_t frame[SL_FRAME_LEN]);
bool __wrap_sl_port_spi_take(uint8_t frame[SL_FRAME_LEN]);

static void tell(const char *name, uint32_t counts);
static void tell_number(const char *name, uint32_t number);
static void go_on(void);

static const char *const openings[] = {"handshake_full", "handshake_known", "handshake_resumed",
                                       "handshake_resumed_after_reset"};
enum { FULL, KNOWN, RESUMED, RESUMED_AFTER_RESET };

/* Lives through our resets. */
static uint32_t stage __attribute__((section(".rig")));

static struct {
    struct sl_tls *tls;
    uint32_t opened_at; /* work done when the handshake began */
    uint32_t frame_at;  /* ... when a frame came in this turn */
    bool has_frame, has_order, is_waiting;
    bool is_exchanging; /* with the relay chip */
    sl_ms due;
} meter;

int __wrap_br_ssl_client_reset(br_ssl_client_context *client, const char *name, int resumes)
{
    meter.opened_at = lx106_board_work().worked;
    return __real_br_ssl_client_reset(client, name, resumes);
}

bool __wrap_sl_tls_next(struct sl_tls *tls, struct sl_tls_event *event)
{
    const bool has_event = __real_sl_tls_next(tls, event);

    if (has_event && event->kind == SL_TLS_OPENED) {
        if (stage <= RESUMED_AFTER_RESET) {
            tell(openings[stage], lx106_board_work().worked - meter.opened_at);
            meter.is_waiting = true;
            meter.tls = tls;
            meter.due = sl_port_now() + PAUSE_MS;
        }
        tell("longest_stretch", lx106_board_work().longest);
    }
    return has_event;
}

bool __wrap_lx106_net_poll(void)
{
    const uint32_t before = lx106_board_work().worked;
    const bool has_news = __real_lx106_net_poll();

    if (meter.is_waiting && sl_ms_is_reached(sl_port_now(), meter.due)) {
        meter.is_waiting = false;
        go_on();
    }
    meter.has_frame = has_news && !meter.is_exchanging;
    meter.frame_at = before;
    return has_news;
}

/* An order that switches a zone on, in the turn in which a frame came. Not one that had to wait
 * until the chip had answered: an exchange is under way for a small part of the time. */
void __wrap_sl_port_spi_start(const uint8_t frame[SL_FRAME_LEN])
{
    static const uint8_t zeros[2 * SL_ZONES];
    const uint32_t worked = lx106_board_work().worked;
    const bool has_order = memcmp(frame + ZONES_AT, zeros, sizeof zeros) != 0;

    if (has_order && !meter.has_order && meter.has_frame) {
        tell("segment_to_spi", worked - meter.frame_at);
        tell_number("stack_peak", lx106_stack_peak());
    }
    meter.has_order = has_order;
    meter.is_exchanging = true;
    __real_sl_port_spi_start(frame);
}

bool __wrap_sl_port_spi_take(uint8_t frame[SL_FRAME_LEN])
{
    const bool has_taken = __real_sl_port_spi_take(frame);

    if (has_taken)
        meter.is_exchanging = false;
    return has_taken;
}

/* What the next figure needs. The restart of the broker comes from outside. */
static void go_on(void)
{
    tell_number("stack_peak", lx106_stack_peak());
    tell_number("network_peak", lx106_net_peak());
    lx106_uart_text("figure ready ");
    lx106_uart_number((int32_t)++stage);
    lx106_uart_text("\n");
    if (stage == RESUMED)
        sl_tls_close(meter.tls); /* else the broker would drop the session with the line */
    else if (stage == RESUMED_AFTER_RESET)
        lx106_reset();
}

static void tell(const char *name, uint32_t counts)
{
    tell_number(name, counts * LX106_INSTRUCTIONS_PER_COUNT);
}

static void tell_number(const char *name, uint32_t number)
{
    lx106_uart_text("figure ");
    lx106_uart_text(name);
    lx106_uart_byte(' ');
    lx106_uart_number((int32_t)number);
    lx106_uart_byte('\n');
}
