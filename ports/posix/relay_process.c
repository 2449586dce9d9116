/* The loop of firmware/atmega168/main.c, with a socket for its SPI. */
#include "relay_process.h"
#include "chip_socket.h"
#include "link/slave.h"
#include "log.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESS_NAME "sluice-relays"
#define STOP_MS      500

struct relays {
    const struct posix_outputs *outputs;
    int fd;
    struct sl_slave slave;
    uint64_t ticked_ms;
};

static _Noreturn void be_the_chip(int fd, const struct posix_outputs *outputs);
static void pass_time(struct relays *relays);
static bool take_packets(struct relays *relays, bool *is_over);
static bool answer(struct relays *relays, uint8_t packet[POSIX_CHIP_PACKET_LEN]);
static uint64_t now_ms(void);

static struct { /* in the node */
    const struct posix_outputs *outputs;
    pid_t pid; /* 0: none, or ended */
    int fd;
    bool is_silent, is_closed; /* closed: from here, since it fell silent */
    sl_ms silent_due;          /* valid while silent: the end of its lease */
} held;

bool posix_relays_start(const struct posix_outputs *outputs, struct posix_failure *failure)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return posix_fail(failure, POSIX_ERROR(RELAYS_NO_SOCKET), strerror(errno));
    held.pid = fork();
    if (held.pid == 0) {
        close(ends[0]);
        be_the_chip(ends[1], outputs);
    }
    close(ends[1]);
    if (held.pid < 0) {
        posix_fail(failure, POSIX_ERROR(RELAYS_NO_PROCESS), strerror(errno));
        held.pid = 0;
        close(ends[0]);
        return false;
    }
    held.outputs = outputs;
    held.fd = ends[0];
    posix_chip_socket_adopt(ends[0], PROCESS_NAME);
    return true;
}

bool posix_relays_are_held(void)
{
    int status;

    if (!held.outputs)
        return true;
    /* An error says that the system has reaped it. */
    if (held.pid > 0 && waitpid(held.pid, &status, WNOHANG) == 0)
        return true;
    if (held.pid > 0)
        (void)held.outputs->drive(0); /* the descriptors are ours too */
    held.pid = 0;
    return false;
}

/* When it goes on, its engine first counts the time that went by, and so finds its lease over. */
void posix_relays_watch(sl_ms now, bool is_link_up, uint32_t lease_ms)
{
    if (!held.outputs || held.pid == 0)
        return;
    if (is_link_up || !held.is_silent) {
        held.is_silent = !is_link_up;
        held.is_closed = false;
        held.silent_due = now + lease_ms;
    } else if (!held.is_closed && sl_ms_is_reached(now, held.silent_due)) {
        held.is_closed = true;
        if (held.outputs->drive(0))
            posix_log_failure(POSIX_ERROR(RELAYS_SILENT));
        else
            posix_log_failure(POSIX_ERROR(RELAYS_STUCK), strerror(errno));
    }
}

/* The end of the packets is the order to end; its own end of the socket closes when it has. */
void posix_relays_stop(void)
{
    uint8_t packet[POSIX_CHIP_PACKET_LEN];
    const uint64_t due_ms = now_ms() + STOP_MS;
    bool has_ended = false;

    if (!held.outputs || held.pid == 0)
        return;
    shutdown(held.fd, SHUT_WR);
    for (uint64_t now = now_ms(); now < due_ms && !has_ended; now = now_ms()) {
        struct pollfd end = {.fd = held.fd, .events = POLLIN};
        has_ended = poll(&end, 1, (int)(due_ms - now)) == 1 &&
                    recv(held.fd, packet, sizeof packet, MSG_DONTWAIT) == 0;
    }
    (void)held.outputs->drive(0); /* should it have hung */
    (void)waitpid(held.pid, NULL, has_ended ? 0 : WNOHANG);
    held.pid = 0;
}

bool posix_relays_run(int fd, const struct posix_outputs *outputs)
{
    struct relays relays = {.outputs = outputs, .fd = fd, .ticked_ms = now_ms()};
    uint32_t hard_limit_ms[SL_ZONES];
    bool is_over = false, works = true;

    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        hard_limit_ms[zone] = outputs->zones >> zone & 1 ? SL_SLAVE_HARD_LIMIT_MS : 0;
    sl_slave_init(&relays.slave, SL_RESET_POWER_ON, hard_limit_ms);
    while (works && !is_over) {
        struct pollfd packets = {.fd = fd, .events = POLLIN};
        (void)poll(&packets, 1, sl_slave_outputs(&relays.slave) ? POSIX_RELAY_TICK_MS : -1);
        pass_time(&relays);
        works = take_packets(&relays, &is_over) && outputs->drive(sl_slave_outputs(&relays.slave));
    }
    if (!works)
        posix_log_failure(POSIX_ERROR(RELAYS_FAILED), outputs->name, strerror(errno));
    return outputs->drive(0) && works;
}

/* No signal is for it: it ends when the node does, so that a node told to stop can still switch its
 * zones off in order. SIGKILL is what remains. */
static _Noreturn void be_the_chip(int fd, const struct posix_outputs *outputs)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    (void)prctl(PR_SET_NAME, PROCESS_NAME);
    _exit(posix_relays_run(fd, outputs) ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* A long sleep is counted whole, in steps that the engine takes. */
static void pass_time(struct relays *relays)
{
    const uint64_t now = now_ms();

    while (relays->ticked_ms < now) {
        const uint64_t left_ms = now - relays->ticked_ms;
        const uint16_t step_ms = left_ms > UINT16_MAX ? UINT16_MAX : (uint16_t)left_ms;
        sl_slave_tick(&relays->slave, step_ms);
        relays->ticked_ms += step_ms;
    }
}

static bool take_packets(struct relays *relays, bool *is_over)
{
    uint8_t packet[POSIX_CHIP_PACKET_LEN + 1];

    for (;;) {
        const ssize_t got = recv(relays->fd, packet, sizeof packet, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (got != POSIX_CHIP_PACKET_LEN || packet[0] != 'X') {
            *is_over = true;
            return true;
        }
        if (!answer(relays, packet))
            return false;
    }
}

/* As on the wire: the status that goes out is from before the order that comes in. */
static bool answer(struct relays *relays, uint8_t packet[POSIX_CHIP_PACKET_LEN])
{
    uint8_t *frame = packet + POSIX_CHIP_PACKET_LEN - SL_FRAME_LEN, order[SL_FRAME_LEN];
    uint8_t pins;

    if (!relays->outputs->read(&pins))
        return false;
    memcpy(order, frame, sizeof order);
    sl_slave_peek(&relays->slave, pins, relays->outputs->version, frame);
    sl_slave_feed(&relays->slave, order, sizeof order);
    if (!relays->outputs->drive(sl_slave_outputs(&relays->slave)))
        return false;
    (void)send(relays->fd, packet, POSIX_CHIP_PACKET_LEN, MSG_NOSIGNAL | MSG_DONTWAIT);
    return true;
}

/* Time in suspend counts: a relay must not outlive it. */
static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
