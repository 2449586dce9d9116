/* Without a chip an order is lost, as on a bus with nobody at its end. */
#include "wire.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PACKET_MAX 128
#define PAUSE_MS   100

static void lose(struct board_wire *wire, uint64_t now_ms);

void board_wire_init(struct board_wire *wire, int board, const char *path)
{
    *wire = (struct board_wire){.board = board, .chip = -1, .path = path};
}

void board_wire_tick(struct board_wire *wire, uint64_t now_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (wire->chip >= 0 || now_ms < wire->due_ms)
        return;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", wire->path);
    wire->chip = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (wire->chip < 0 ||
        connect(wire->chip, (const struct sockaddr *)&address, sizeof address) != 0) {
        if (!wire->is_reported)
            fprintf(stderr,
                    "sluice-board: the chip's socket %s: %s; start sluice-chip with --spi\n",
                    wire->path, strerror(errno));
        wire->is_reported = true;
        lose(wire, now_ms);
    } else {
        wire->is_reported = false;
    }
}

bool board_wire_carry(struct board_wire *wire, uint64_t now_ms)
{
    uint8_t packet[PACKET_MAX];
    ssize_t len = recv(wire->board, packet, sizeof packet, MSG_DONTWAIT);

    if (len == 0)
        return false;
    if (len > 0 && wire->chip >= 0 &&
        send(wire->chip, packet, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
        lose(wire, now_ms);
    if (wire->chip < 0)
        return true;
    len = recv(wire->chip, packet, sizeof packet, MSG_DONTWAIT);
    if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR))
        lose(wire, now_ms);
    else if (len > 0)
        (void)!send(wire->board, packet, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
    return true;
}

static void lose(struct board_wire *wire, uint64_t now_ms)
{
    if (wire->chip >= 0)
        close(wire->chip);
    wire->chip = -1;
    wire->due_ms = now_ms + PAUSE_MS;
}
