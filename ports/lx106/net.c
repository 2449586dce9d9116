/* One TCP connection: wait for an address, look the name up, connect.
 *
 * Bytes that came lie in lwIP's buffers until they are asked for; only then the window opens again,
 * so that back-pressure reaches the broker. */
#include "net.h"
#include "ethernet.h"
#include "port.h"
#include "resolve.h"
#include "sntp.h"
#include <lwip/dhcp.h>
#include <lwip/init.h>
#include <lwip/memp.h>
#include <lwip/priv/memp_priv.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/stats.h>
#include <lwip/sys.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <string.h>

/* The numbers that the words for log events know (those of Linux). */
enum {
    NO_MEMORY = 12,
    RESET = 104,
    ABORTED = 103,
    TIMED_OUT = 110,
    REFUSED = 111,
    UNREACHABLE = 113
};

static void advance(void);
static void connect(void);
static void end(int32_t error);
static void drop_first(void);
static void forget_input(void);
static err_t on_connected(void *argument, struct tcp_pcb *pcb, err_t error);
static err_t on_received(void *argument, struct tcp_pcb *pcb, struct pbuf *bytes, err_t error);
static err_t on_sent(void *argument, struct tcp_pcb *pcb, uint16_t len);
static void on_failed(void *argument, err_t error);

static struct {
    enum { IDLE, ADDRESSING, RESOLVING, DIALLING, CONNECTED } state;
    struct tcp_pcb *pcb; /* from DIALLING on, until it fails */
    int32_t error;
    bool has_ended; /* the peer has closed; what it sent before may still be here */
    bool has_news;
    struct pbuf *in; /* a chain; its first in_at bytes are taken */
    uint16_t in_at;
    uint16_t port;
    struct lx106_question question;
    char host[SL_HOST_MAX + 1];
} net;

void lx106_net_init(const char *sntp_host, uint16_t sntp_port)
{
    lwip_init();
    lx106_ethernet_init();
    lx106_sntp_init(sntp_host, sntp_port);
}

bool lx106_net_poll(void)
{
    const bool has_frames = lx106_ethernet_poll();

    sys_check_timeouts();
    const bool has_news = net.has_news || has_frames;
    net.has_news = false;
    return has_news;
}

uint16_t lx106_net_peak(void)
{
    uint32_t peak = lwip_stats.mem.max;

    for (unsigned i = 0; i < MEMP_MAX; i++)
        peak += (uint32_t)memp_pools[i]->stats->max * memp_pools[i]->size;
    return (uint16_t)peak;
}

/* lwIP asks for it (lwip/sys.h). */
u32_t sys_now(void)
{
    return sl_port_now();
}

void sl_port_dial(struct sl_view host, uint16_t port)
{
    sl_port_hang_up();
    if (host.len > SL_HOST_MAX) {
        net.error = UNREACHABLE;
        return;
    }
    memcpy(net.host, host.data, host.len);
    net.host[host.len] = '\0';
    net.port = port;
    net.error = 0;
    net.state = ADDRESSING;
    advance();
}

enum sl_port_line sl_port_line(int32_t *error)
{
    advance();
    *error = net.error;
    return net.state == IDLE        ? SL_PORT_CLOSED
           : net.state == CONNECTED ? SL_PORT_OPEN
                                    : SL_PORT_DIALLING;
}

size_t sl_port_send(struct sl_view bytes)
{
    if (net.state != CONNECTED)
        return 0;
    if (!net.pcb)
        return bytes.len;
    const uint16_t room = tcp_sndbuf(net.pcb);
    const uint16_t len = bytes.len < room ? (uint16_t)bytes.len : room;
    if (len == 0 || tcp_write(net.pcb, bytes.data, len, TCP_WRITE_FLAG_COPY) != ERR_OK)
        return 0; /* on_sent tells when there is room again */
    (void)tcp_output(net.pcb);
    return len;
}

struct sl_view sl_port_receive(void)
{
    struct sl_view view = {NULL, 0};

    if (net.state != CONNECTED)
        return view;
    while (net.in && net.in_at >= net.in->len)
        drop_first();
    if (net.in) {
        view.data = (const uint8_t *)net.in->payload + net.in_at;
        view.len = (size_t)(net.in->len - net.in_at);
    } else if (net.has_ended || !net.pcb) {
        end(net.error);
    }
    return view;
}

void sl_port_taken(size_t len)
{
    net.in_at = (uint16_t)(net.in_at + len);
    if (net.pcb)
        tcp_recved(net.pcb, (uint16_t)len);
}

static void drop_first(void)
{
    struct pbuf *const rest = net.in->next;

    net.in_at = (uint16_t)(net.in_at - net.in->len);
    if (rest)
        pbuf_ref(rest);
    pbuf_free(net.in);
    net.in = rest;
}

void sl_port_hang_up(void)
{
    end(0);
}

/* As far on the way to CONNECTED as possible without waiting. The node gives up when it takes long.
 */
static void advance(void)
{
    if (net.state == ADDRESSING && lx106_ethernet_has_address()) {
        net.state = RESOLVING;
        lx106_resolve(&net.question, net.host);
    }
    if (net.state != RESOLVING)
        return;
    switch (net.question.state) {
    case LX106_RESOLVING:
        break;
    case LX106_RESOLVED:
        connect();
        break;
    case LX106_UNRESOLVED:
        end(UNREACHABLE);
        break;
    }
}

/* One connection at a time: one before it whose peer has never taken its end would stay for
 * minutes.
 */
static void connect(void)
{
    while (tcp_active_pcbs)
        tcp_abort(tcp_active_pcbs);
    while (tcp_tw_pcbs)
        tcp_abort(tcp_tw_pcbs);
    net.pcb = tcp_new();
    if (!net.pcb) {
        end(NO_MEMORY);
        return;
    }
    tcp_recv(net.pcb, on_received);
    tcp_sent(net.pcb, on_sent);
    tcp_err(net.pcb, on_failed);
    tcp_nagle_disable(net.pcb);
    net.has_ended = false;
    net.state = DIALLING;
    if (tcp_connect(net.pcb, &net.question.address, net.port, on_connected) != ERR_OK)
        end(UNREACHABLE);
}

static void end(int32_t error)
{
    struct tcp_pcb *pcb = net.pcb;

    net.error = error;
    net.pcb = NULL;
    net.has_ended = false;
    if (pcb) {
        tcp_recv(pcb, NULL);
        tcp_sent(pcb, NULL);
        tcp_err(pcb, NULL);
        /* A close with unread input is a reset, which may overtake our own last bytes. */
        if (net.in)
            tcp_recved(pcb, (uint16_t)(net.in->tot_len - net.in_at));
        if (net.state != CONNECTED || tcp_close(pcb) != ERR_OK)
            tcp_abort(pcb);
    }
    forget_input();
    net.state = IDLE;
}

static void forget_input(void)
{
    if (net.in)
        pbuf_free(net.in);
    net.in = NULL;
    net.in_at = 0;
}

static err_t on_connected(void *argument, struct tcp_pcb *pcb, err_t error)
{
    (void)argument;
    (void)pcb;
    (void)error; /* lwIP 2.1.3, tcp.h: always ERR_OK */
    net.state = CONNECTED;
    net.has_news = true;
    return ERR_OK;
}

static err_t on_received(void *argument, struct tcp_pcb *pcb, struct pbuf *bytes, err_t error)
{
    (void)argument;
    (void)pcb;
    (void)error;
    net.has_news = true;
    if (!bytes)
        net.has_ended = true;
    else if (net.in)
        pbuf_cat(net.in, bytes);
    else
        net.in = bytes;
    return ERR_OK;
}

static err_t on_sent(void *argument, struct tcp_pcb *pcb, uint16_t len)
{
    (void)argument;
    (void)pcb;
    (void)len;
    net.has_news = true;
    return ERR_OK;
}

/* lwIP has freed the pcb. Bytes that came before are still to be taken. */
static void on_failed(void *argument, err_t error)
{
    (void)argument;
    net.pcb = NULL;
    net.has_news = true;
    switch (error) {
    case ERR_RST:
        net.error = net.state == DIALLING ? REFUSED : RESET;
        break;
    case ERR_ABRT:
        net.error = net.state == DIALLING ? TIMED_OUT : ABORTED;
        break;
    default:
        net.error = ABORTED;
        break;
    }
    if (net.state == DIALLING)
        net.state = IDLE;
}
