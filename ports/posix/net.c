/* A non-blocking socket and the way to it: resolve, connect to one address after the other. */
#include "net.h"
#include "log.h"
#include "resolver.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define IN_LEN 2048 /* a few TLS records at once */

static void advance(void);
static void connect_next(sl_ms now);
static void check_connecting(sl_ms now);
static void end(int error);

static struct {
    enum { CLOSED, RESOLVING, CONNECTING, OPEN } state;
    int fd; /* -1 unless CONNECTING or OPEN */
    int error;
    int send_error;            /* why nothing can be sent any more, 0: it can */
    size_t in_at, in_len;      /* what is left of in */
    bool is_drained, is_stuck; /* the last receive came up empty, the last send fell short */
    sl_ms due;                 /* end of the present attempt to connect */
    struct posix_addresses addresses;
    unsigned next; /* address to try */
    struct posix_resolver resolver;
    uint8_t in[IN_LEN];
} net = {.fd = -1};

void posix_net_init(void)
{
    posix_resolver_init(&net.resolver, SOCK_STREAM);
}

void sl_port_dial(struct sl_view host, uint16_t port)
{
    sl_port_hang_up();
    posix_resolver_ask(&net.resolver, sl_port_now(), host, port);
    net.state = RESOLVING;
    net.error = 0;
    advance();
}

enum sl_port_line sl_port_line(int32_t *error)
{
    advance();
    *error = net.error;
    return net.state == CLOSED ? SL_PORT_CLOSED
           : net.state == OPEN ? SL_PORT_OPEN
                               : SL_PORT_DIALLING;
}

/* What the peer sent before it left (an alert says why) is still to be received: so a failed send
 * only stops the line, and the end comes behind the last bytes. */
size_t sl_port_send(struct sl_view bytes)
{
    if (net.state != OPEN)
        return 0;
    if (net.send_error != 0)
        return bytes.len;
    const ssize_t sent = send(net.fd, bytes.data, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        net.send_error = errno;
        (void)shutdown(net.fd, SHUT_RDWR); /* also a line that still lives gets its end */
        return bytes.len;
    }
    net.is_stuck = sent < 0 || (size_t)sent < bytes.len;
    return sent < 0 ? 0 : (size_t)sent;
}

struct sl_view sl_port_receive(void)
{
    if (net.state == OPEN && net.in_at == net.in_len) {
        const ssize_t got = recv(net.fd, net.in, sizeof net.in, MSG_DONTWAIT);
        net.is_drained = got < 0;
        net.in_at = 0;
        net.in_len = got > 0 ? (size_t)got : 0;
        if (got == 0)
            end(net.send_error);
        else if (got < 0 && errno != EAGAIN && errno != EINTR)
            end(errno);
    }
    return (struct sl_view){net.in + net.in_at, net.in_len - net.in_at};
}

void sl_port_taken(size_t len)
{
    net.in_at += len;
}

void sl_port_hang_up(void)
{
    uint8_t scrap[512];
    unsigned left = 64; /* a peer that floods is not drained for ever */

    /* A close with unread input is a reset, which may overtake our own last bytes. */
    if (net.state == OPEN)
        while (left-- > 0 && recv(net.fd, scrap, sizeof scrap, MSG_DONTWAIT) > 0) {
        }
    end(0);
}

void posix_net_wait(struct posix_wait *wait)
{
    switch (net.state) {
    case CLOSED:
        break;
    case RESOLVING:
        posix_resolver_wait(&net.resolver, wait);
        break;
    case CONNECTING:
        posix_wait_for(wait, net.fd, POLLOUT);
        posix_wait_until(wait, net.due);
        break;
    case OPEN: {
        const int events = (net.is_drained ? POLLIN : 0) | (net.is_stuck ? POLLOUT : 0);
        if (events != 0) /* poll reports a hang-up even when asked for nothing */
            posix_wait_for(wait, net.fd, (short)events);
        break;
    }
    }
}

/* As far on the way to OPEN as possible without waiting. */
static void advance(void)
{
    const sl_ms now = sl_port_now();

    if (net.state == RESOLVING)
        switch (posix_resolver_take(&net.resolver, now, &net.addresses)) {
        case POSIX_RESOLVING:
            break;
        case POSIX_RESOLVED:
            net.next = 0;
            connect_next(now);
            break;
        case POSIX_UNRESOLVED:
            posix_log_failure(POSIX_ERROR(BROKER_NAME_UNKNOWN), net.resolver.question.host,
                              net.resolver.error);
            end(EHOSTUNREACH);
            break;
        }
    if (net.state == CONNECTING)
        check_connecting(now);
}

/* Begin with the next address that allows it; without one the dialling has failed. */
static void connect_next(sl_ms now)
{
    const int one = 1;
    int error = net.error != 0 ? net.error : EHOSTUNREACH;

    while (net.next < net.addresses.len) {
        const struct sockaddr *address = (const struct sockaddr *)&net.addresses.list[net.next];
        const socklen_t len = net.addresses.list_len[net.next++];

        end(0);
        net.fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (net.fd >= 0 && setsockopt(net.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
            (connect(net.fd, address, len) == 0 || errno == EINPROGRESS)) {
            net.state = CONNECTING;
            net.error = error;
            net.due = now + POSIX_CONNECT_MS;
            return;
        }
        error = errno;
    }
    end(error);
}

static void check_connecting(sl_ms now)
{
    struct pollfd fd = {.fd = net.fd, .events = POLLOUT};
    int error = 0;
    socklen_t len = sizeof error;

    if (poll(&fd, 1, 0) <= 0) {
        error = sl_ms_is_reached(now, net.due) ? ETIMEDOUT : 0;
        if (error == 0)
            return;
    } else if (getsockopt(net.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
        error = errno;
    }
    if (error != 0) {
        net.error = error;
        connect_next(now);
        return;
    }
    net.state = OPEN;
    net.error = net.send_error = 0;
    net.is_drained = net.is_stuck = false;
}

static void end(int error)
{
    if (net.fd >= 0)
        close(net.fd);
    net.fd = -1;
    net.state = CLOSED;
    net.error = error;
    net.in_at = net.in_len = 0;
}
