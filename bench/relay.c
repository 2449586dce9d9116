/* Chunks in, a mark, the same chunks out. */
#include "relay.h"
#include "figures.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void mark(struct bench_relay *relay, enum bench_mark_kind kind, size_t len)
{
    pthread_mutex_lock(&relay->lock);
    if (relay->len < BENCH_MARKS_MAX)
        relay->marks[relay->len++] = (struct bench_mark){kind, bench_now_ms(), len};
    pthread_mutex_unlock(&relay->lock);
}

/* Packets stay packets on SOCK_SEQPACKET: one read, one write. */
static bool pass(struct bench_relay *relay, int from, int to, enum bench_mark_kind kind)
{
    char bytes[16384];
    const ssize_t len = read(from, bytes, sizeof bytes);
    if (len <= 0)
        return false;
    mark(relay, kind, (size_t)len);
    for (ssize_t done = 0; done < len;) {
        const ssize_t n = send(to, bytes + done, (size_t)(len - done), MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        done += n;
    }
    return true;
}

static void serve(struct bench_relay *relay, int client, int server)
{
    const int one = 1; /* what was not held back may not be held back here; TCP only */
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    mark(relay, BENCH_OPENED, 0);
    for (bool is_open = true; is_open;) {
        struct pollfd fds[] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return;
        if (fds[0].revents != 0)
            is_open = pass(relay, client, server, BENCH_UP);
        if (is_open && fds[1].revents != 0)
            is_open = pass(relay, server, client, BENCH_DOWN);
    }
}

static void *run(void *context)
{
    struct bench_relay *relay = context;
    int type = 0;
    socklen_t len = sizeof type;
    getsockopt(relay->listener, SOL_SOCKET, SO_TYPE, &type, &len);
    for (;;) {
        const int client = accept(relay->listener, NULL, NULL);
        if (client < 0)
            continue;
        const int server = socket(relay->to.ss_family, type | SOCK_CLOEXEC, 0);
        if (server >= 0 && connect(server, (const struct sockaddr *)&relay->to, relay->to_len) == 0)
            serve(relay, client, server);
        close(server);
        close(client);
    }
    return NULL;
}

bool bench_relay_start(struct bench_relay *relay, int listener, const struct sockaddr *to,
                       socklen_t to_len)
{
    memset(relay, 0, sizeof *relay);
    relay->listener = listener;
    memcpy(&relay->to, to, to_len);
    relay->to_len = to_len;
    pthread_mutex_init(&relay->lock, NULL);
    if (listener >= 0 && listen(listener, 4) == 0 &&
        pthread_create(&relay->thread, NULL, run, relay) == 0)
        return true;
    fprintf(stderr, "bench: no relay: %s\n", strerror(errno));
    return false;
}

size_t bench_relay_take(struct bench_relay *relay, struct bench_mark marks[BENCH_MARKS_MAX])
{
    pthread_mutex_lock(&relay->lock);
    const size_t len = relay->len;
    memcpy(marks, relay->marks, len * sizeof *marks);
    relay->len = 0;
    pthread_mutex_unlock(&relay->lock);
    return len;
}
