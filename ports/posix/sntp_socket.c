/* A connected UDP socket, so that only the server's own datagrams arrive. A server that does not
 * answer is asked at its next address; after the last one its name is looked up anew. */
#include "sntp_socket.h"
#include "log.h"
#include "resolver.h"
#include <unistd.h>

#define LOOK_UP_PAUSE_MS 10000 /* after a look-up that failed */

static bool connect_next(void);
static void advance(sl_ms now);

static struct {
    const char *host; /* NULL: no server */
    uint16_t port;
    int fd;
    bool is_resolving;
    bool is_unanswered; /* the last datagram got no answer yet */
    bool is_paused;
    sl_ms pause_due;
    struct posix_addresses addresses;
    unsigned next;
    struct posix_resolver resolver;
} sntp = {.fd = -1};

void posix_sntp_init(const char *host, uint16_t port)
{
    sntp.host = host;
    sntp.port = port;
    posix_resolver_init(&sntp.resolver, SOCK_DGRAM);
}

bool sl_port_sntp_send(struct sl_view datagram)
{
    const sl_ms now = sl_port_now();

    if (!sntp.host)
        return false;
    if (sntp.fd >= 0 && sntp.is_unanswered) {
        close(sntp.fd);
        sntp.fd = -1;
    }
    if (sntp.fd < 0 && !connect_next()) {
        const bool may_ask = !sntp.is_paused || sl_ms_is_reached(now, sntp.pause_due);
        if (!sntp.is_resolving && may_ask) {
            posix_resolver_ask(&sntp.resolver, now, sl_view_text(sntp.host), sntp.port);
            sntp.is_resolving = true;
        }
        advance(now);
        if (!connect_next())
            return false; /* the node comes again, at the latest when it gives this request up */
    }
    sntp.is_unanswered = true;
    /* A datagram may be lost anywhere: one that did not leave counts as lost. */
    (void)!send(sntp.fd, datagram.data, datagram.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return true;
}

size_t sl_port_sntp_receive(uint8_t *out, size_t len)
{
    advance(sl_port_now());
    if (sntp.fd < 0)
        return 0;
    const ssize_t got = recv(sntp.fd, out, len, MSG_DONTWAIT);
    if (got <= 0)
        return 0;
    sntp.is_unanswered = false;
    return (size_t)got;
}

void posix_sntp_wait(struct posix_wait *wait)
{
    posix_wait_for(wait, sntp.fd, POLLIN);
    if (sntp.is_resolving)
        posix_resolver_wait(&sntp.resolver, wait);
}

static bool connect_next(void)
{
    while (sntp.next < sntp.addresses.len) {
        const struct sockaddr *address = (const struct sockaddr *)&sntp.addresses.list[sntp.next];
        const socklen_t len = sntp.addresses.list_len[sntp.next++];

        sntp.fd = socket(address->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (sntp.fd >= 0 && connect(sntp.fd, address, len) == 0)
            return true;
        if (sntp.fd >= 0)
            close(sntp.fd);
        sntp.fd = -1;
    }
    return false;
}

static void advance(sl_ms now)
{
    if (!sntp.is_resolving)
        return;
    switch (posix_resolver_take(&sntp.resolver, now, &sntp.addresses)) {
    case POSIX_RESOLVING:
        return;
    case POSIX_RESOLVED:
        sntp.next = 0;
        sntp.is_paused = false;
        break;
    case POSIX_UNRESOLVED:
        posix_log_failure(POSIX_ERROR(SERVER_NAME_UNKNOWN), sntp.host, sntp.resolver.error);
        sntp.is_paused = true;
        sntp.pause_due = now + LOOK_UP_PAUSE_MS;
        break;
    }
    sntp.is_resolving = false;
}
