/* One loop over the sockets. Between messages the chip is run up to the wall clock in steps of
 * 20 ms; a message finds it there at once, because the steps only save catching up. */
#define _GNU_SOURCE
#include "server.h"

#include "command.h"
#include "listener.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX  16
#define PACE_US      20000
#define FLUSH_US     1000000 /* the trace file on disk is no older */
#define SS_HIGH_US   1000    /* least pause between frames: docs/spec/spi-link.md */
#define FRAME_HEADER 9       /* 'X' and the time */
#define MESSAGE_MAX  (FRAME_HEADER + TWIN_EXCHANGE_MAX)

struct server {
    struct twin_chip *chip;
    bool is_virtual;
    bool is_done;
    uint64_t wall_start_us, flushed_us;
    uint64_t exchange_due_us; /* chip time before which no further frame may begin */
    struct twin_listener spi, control;
    int node;                 /* -1: none */
    int clients[CLIENTS_MAX]; /* -1: free */
};

static volatile sig_atomic_t was_signalled;

static void serve(struct server *server, const sigset_t *unblocked);
static uint64_t wall_us(const struct server *server);
static void keep_pace(struct server *server);
static bool wait_us(const struct server *server, uint64_t *us);
static void take_node(struct server *server);
static void take_client(struct server *server, int *client);
static void accept_node(struct server *server);
static void accept_client(struct server *server);

static void note_signal(int number)
{
    (void)number;
    was_signalled = 1;
}

int twin_server_run(struct twin_chip *chip, const struct twin_server_options *options)
{
    struct server server = {.chip = chip, .is_virtual = options->is_virtual, .node = -1};
    for (int i = 0; i < CLIENTS_MAX; i++)
        server.clients[i] = -1;

    /* Signals are let through only while waiting, so none is missed between test and wait. */
    sigset_t blocked, unblocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, &unblocked);
    sigdelset(&unblocked, SIGTERM);
    sigdelset(&unblocked, SIGINT);
    struct sigaction action = {.sa_handler = note_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);

    if (!twin_listener_open(&server.spi, options->spi_path))
        return 1;
    if (!twin_listener_open(&server.control, options->control_path)) {
        twin_listener_close(&server.spi);
        return 1;
    }
    server.wall_start_us = wall_us(&server);
    while (!server.is_done && !was_signalled)
        serve(&server, &unblocked);

    twin_listener_close(&server.spi);
    twin_listener_close(&server.control);
    if (server.node >= 0)
        close(server.node);
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (server.clients[i] >= 0)
            close(server.clients[i]);
    return 0;
}

/* One turn: wait, then answer everybody who has spoken. */
static void serve(struct server *server, const sigset_t *unblocked)
{
    struct pollfd polled[3 + CLIENTS_MAX];
    keep_pace(server);
    uint64_t us;
    bool is_node_due = wait_us(server, &us);
    polled[0] = (struct pollfd){.fd = server->spi.fd, .events = POLLIN};
    polled[1] = (struct pollfd){.fd = server->control.fd, .events = POLLIN};
    polled[2] = (struct pollfd){.fd = is_node_due ? server->node : -1, .events = POLLIN};
    for (int i = 0; i < CLIENTS_MAX; i++)
        polled[3 + i] = (struct pollfd){.fd = server->clients[i], .events = POLLIN};

    struct timespec timeout = {.tv_sec = (time_t)(us / 1000000),
                               .tv_nsec = (long)(us % 1000000 * 1000)};
    if (ppoll(polled, 3 + CLIENTS_MAX, server->is_virtual ? NULL : &timeout, unblocked) <= 0)
        return;
    keep_pace(server);
    if (polled[2].revents != 0)
        take_node(server);
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (polled[3 + i].revents != 0)
            take_client(server, &server->clients[i]);
    if (polled[0].revents != 0)
        accept_node(server);
    if (polled[1].revents != 0)
        accept_client(server);
}

static uint64_t wall_us(const struct server *server)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 - server->wall_start_us;
}

static void keep_pace(struct server *server)
{
    if (server->is_virtual)
        return;
    uint64_t now = wall_us(server);
    twin_chip_run(server->chip, now);
    if (now - server->flushed_us >= FLUSH_US) {
        server->flushed_us = now;
        twin_chip_flush_trace(server->chip);
    }
}

/* How long to sleep; whether the node may be heard meanwhile. An exchange takes the chip a little
 * ahead of the wall clock, and the next one waits until both have met again. */
static bool wait_us(const struct server *server, uint64_t *us)
{
    *us = PACE_US;
    if (server->is_virtual)
        return true;
    uint64_t now = wall_us(server);
    if (now >= server->exchange_due_us)
        return true;
    *us = server->exchange_due_us - now;
    return false;
}

static void drop(int *fd)
{
    close(*fd);
    *fd = -1;
}

static void send_or_drop(int *fd, const void *message, size_t len)
{
    if (send(*fd, message, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
        drop(fd);
}

/* An exchange. A message that is none ends the connection: its sender is no node. */
static void take_node(struct server *server)
{
    uint8_t message[MESSAGE_MAX];
    ssize_t got = recv(server->node, message, sizeof message, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= FRAME_HEADER || got > MESSAGE_MAX || message[0] != 'X') {
        drop(&server->node);
        return;
    }
    uint64_t time_us = 0;
    for (int i = 1; i < FRAME_HEADER; i++)
        time_us = time_us << 8 | message[i];
    uint64_t now = twin_chip_now_us(server->chip);
    if (server->is_virtual && time_us > now) {
        if (time_us - now > TWIN_STEP_MAX_US) {
            drop(&server->node);
            return;
        }
        twin_chip_run(server->chip, time_us);
    }

    uint8_t answer[MESSAGE_MAX] = {'X'};
    size_t len = (size_t)got - FRAME_HEADER;
    twin_chip_exchange(server->chip, message + FRAME_HEADER, answer + FRAME_HEADER, len);
    now = twin_chip_now_us(server->chip);
    server->exchange_due_us = now + SS_HIGH_US;
    for (int i = 1; i < FRAME_HEADER; i++)
        answer[i] = (uint8_t)(now >> (8 * (FRAME_HEADER - 1 - i)));
    send_or_drop(&server->node, answer, FRAME_HEADER + len);
}

static void take_client(struct server *server, int *client)
{
    char line[TWIN_LINE_MAX + 1];
    char answer[TWIN_ANSWER_MAX];
    ssize_t got = recv(*client, line, sizeof line - 1, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        drop(client);
        return;
    }
    size_t len = (size_t)got < sizeof line ? (size_t)got : 0; /* too long: no command */
    line[len] = 0;
    line[strcspn(line, "\r\n")] = 0;
    if (twin_command_run(server->chip, server->is_virtual, line, answer))
        server->is_done = true;
    send_or_drop(client, answer, strlen(answer));
}

static void accept_node(struct server *server)
{
    int fd = twin_listener_accept(&server->spi);
    if (fd < 0)
        return;
    if (server->node >= 0)
        close(fd); /* a bus has one master */
    else
        server->node = fd;
}

static void accept_client(struct server *server)
{
    int fd = twin_listener_accept(&server->control);
    if (fd < 0)
        return;
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (server->clients[i] < 0) {
            server->clients[i] = fd;
            return;
        }
    close(fd);
}
