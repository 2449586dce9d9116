#include "sntp.h"
#include "clock/sntp.h"
#include "ethernet.h"
#include "port.h"
#include "resolve.h"
#include <lwip/udp.h>
#include <string.h>

static void on_received(void *argument, struct udp_pcb *pcb, struct pbuf *bytes,
                        const ip_addr_t *from, uint16_t port);
static bool send(struct sl_view datagram);

static struct {
    const char *host; /* NULL: no server */
    uint16_t port;
    struct udp_pcb *pcb;
    struct lx106_question question;
    bool is_known; /* the address, and the socket is connected to it */
    bool is_unanswered;
    uint8_t in[SL_SNTP_LEN + 1]; /* one more than an answer may have: a longer one shows */
    uint8_t in_len;
} sntp;

void lx106_sntp_init(const char *host, uint16_t port)
{
    sntp.host = host;
    sntp.port = port;
    sntp.question.state = LX106_UNRESOLVED;
    sntp.pcb = host ? udp_new() : NULL;
    if (sntp.pcb)
        udp_recv(sntp.pcb, on_received, NULL);
}

/* A server that did not answer is looked up anew: it may have moved. */
bool sl_port_sntp_send(struct sl_view datagram)
{
    if (!sntp.pcb || !lx106_ethernet_has_address())
        return false;
    if (sntp.is_unanswered)
        sntp.is_known = sntp.is_unanswered = false;
    if (!sntp.is_known) {
        if (sntp.question.state != LX106_RESOLVED)
            lx106_resolve(&sntp.question, sntp.host);
        if (sntp.question.state != LX106_RESOLVED)
            return false; /* the node comes again */
        sntp.question.state = LX106_UNRESOLVED;
        if (udp_connect(sntp.pcb, &sntp.question.address, sntp.port) != ERR_OK)
            return false;
        sntp.is_known = true;
    }
    sntp.is_unanswered = true;
    return send(datagram);
}

size_t sl_port_sntp_receive(uint8_t *out, size_t len)
{
    const size_t got = sntp.in_len < len ? sntp.in_len : len;

    memcpy(out, sntp.in, got);
    sntp.in_len = 0;
    if (got > 0)
        sntp.is_unanswered = false;
    return got;
}

static bool send(struct sl_view datagram)
{
    struct pbuf *bytes = pbuf_alloc(PBUF_TRANSPORT, (uint16_t)datagram.len, PBUF_RAM);

    if (!bytes)
        return false;
    (void)pbuf_take(bytes, datagram.data, (uint16_t)datagram.len);
    (void)udp_send(sntp.pcb, bytes); /* one that did not leave counts as lost */
    pbuf_free(bytes);
    return true;
}

static void on_received(void *argument, struct udp_pcb *pcb, struct pbuf *bytes,
                        const ip_addr_t *from, uint16_t port)
{
    (void)argument;
    (void)pcb;
    (void)from;
    (void)port;
    sntp.in_len = (uint8_t)pbuf_copy_partial(bytes, sntp.in, sizeof sntp.in, 0);
    pbuf_free(bytes);
}
