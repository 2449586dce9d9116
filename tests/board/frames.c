/* Two datagram sockets and a thread between them. Layouts: RFC 791, 768, 9293. */
#include "frames.h"
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ETHERNET_LEN 14
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define POLL_MS      50

static void *carry(void *nothing);
static int open_end(const char *name, const char *peer_name, size_t way);
static uint16_t sum_of(uint32_t start, const uint8_t *bytes, size_t len);

static const struct test_place *place;
static struct end {
    int fd;
    struct sockaddr_un peer;
} ends[2]; /* by the way that frames leave here */
static pthread_t thread;
static atomic_bool is_running;
static _Atomic(frames_rule *) rule;

void frames_start(const struct test_place *in)
{
    place = in;
    ends[FRAMES_TO_BOARD].fd = open_end("to-board", "board", FRAMES_TO_BOARD);
    ends[FRAMES_FROM_BOARD].fd = open_end("to-net", "net", FRAMES_FROM_BOARD);
    atomic_store(&rule, NULL);
    atomic_store(&is_running, true);
    assert_int_equal(pthread_create(&thread, NULL, carry, NULL), 0);
}

void frames_stop(void)
{
    if (!atomic_exchange(&is_running, false))
        return;
    pthread_join(thread, NULL);
    close(ends[0].fd);
    close(ends[1].fd);
}

void frames_set_rule(frames_rule *next)
{
    atomic_store(&rule, next);
}

/* A full socket is a full network: what has waited for a second is lost. */
void frames_send(enum frames_way way, const uint8_t *frame, size_t len)
{
    for (int i = 0; i < 1000; i++) {
        if (sendto(ends[way].fd, frame, len, MSG_DONTWAIT, (const struct sockaddr *)&ends[way].peer,
                   sizeof ends[way].peer) >= 0)
            return;
        test_pause(1);
    }
}

const char *const *frames_args(void)
{
    static char board[3 * TEST_PATH_MAX], net[3 * TEST_PATH_MAX];
    static const char *const args[FRAMES_ARGS_LEN] = {
        "--frames", board,
        "--qemu",   "-netdev",
        "--qemu",   net,
        "--qemu",   "-netdev",
        "--qemu",   "hubport,id=a,hubid=1,netdev=net",
        "--qemu",   "-netdev",
        "--qemu",   "user,id=inside",
        "--qemu",   "-netdev",
        "--qemu",   "hubport,id=b,hubid=1,netdev=inside",
    };

    snprintf(board, sizeof board, "%s:%s", test_place_path(place, "board").text,
             test_place_path(place, "to-board").text);
    snprintf(net, sizeof net,
             "dgram,id=net,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s",
             test_place_path(place, "net").text, test_place_path(place, "to-net").text);
    return args;
}

uint16_t frames_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

void frames_set_u16(uint8_t *at, uint16_t number)
{
    at[0] = (uint8_t)(number >> 8);
    at[1] = (uint8_t)number;
}

void frames_mend_checksums(uint8_t *frame, size_t len)
{
    uint8_t *ip = frame + ETHERNET_LEN;

    if (len < ETHERNET_LEN + 20 || frames_u16(frame + 12) != 0x0800)
        return;
    const size_t header = (size_t)(ip[0] & 15) * 4, total = frames_u16(ip + 2);
    if (header < 20 || total < header || total > len - ETHERNET_LEN)
        return;
    frames_set_u16(ip + 10, 0);
    frames_set_u16(ip + 10, (uint16_t)~sum_of(0, ip, header));
    uint8_t *inner = ip + header;
    const size_t inner_len = total - header;
    if (ip[9] == PROTOCOL_UDP && inner_len >= 8)
        frames_set_u16(inner + 6, 0); /* none */
    if (ip[9] == PROTOCOL_TCP && inner_len >= 20) {
        frames_set_u16(inner + 16, 0);
        const uint32_t start = sum_of((uint32_t)(PROTOCOL_TCP + inner_len), ip + 12, 8);
        frames_set_u16(inner + 16, (uint16_t)~sum_of(start, inner, inner_len));
    }
}

static void *carry(void *nothing)
{
    uint8_t frame[FRAME_MAX];

    (void)nothing;
    while (atomic_load(&is_running)) {
        struct pollfd lines[2] = {{.fd = ends[0].fd, .events = POLLIN},
                                  {.fd = ends[1].fd, .events = POLLIN}};
        if (poll(lines, 2, POLL_MS) <= 0)
            continue;
        for (size_t i = 0; i < 2; i++) {
            if (lines[i].revents == 0)
                continue;
            /* What comes from one side leaves at the other. */
            const enum frames_way way = i == FRAMES_TO_BOARD ? FRAMES_FROM_BOARD : FRAMES_TO_BOARD;
            const ssize_t len = recv(ends[i].fd, frame, sizeof frame, 0);
            frames_rule *const now = atomic_load(&rule);
            if (len > 0 && (!now || now(way, frame, (size_t)len)))
                frames_send(way, frame, (size_t)len);
        }
    }
    return NULL;
}

static int open_end(const char *name, const char *peer_name, size_t way)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    memcpy(address.sun_path, test_place_path(place, name).text, TEST_PATH_MAX);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    ends[way].peer.sun_family = AF_UNIX;
    memcpy(ends[way].peer.sun_path, test_place_path(place, peer_name).text, TEST_PATH_MAX);
    return fd;
}

/* The sum of RFC 1071, not complemented. */
static uint16_t sum_of(uint32_t start, const uint8_t *bytes, size_t len)
{
    uint32_t sum = start;

    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}
