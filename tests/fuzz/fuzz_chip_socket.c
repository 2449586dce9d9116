/* What answers on the socket of the relay chip (docs/spec/twin-socket.md): packets of any content
 * and length, too many, too few, too late, and an end at any moment.
 *
 * Contract: what is sent is the order under its header, two unanswered ones at most; an answer is
 * given only to an order, is the last packet of as many as there were orders, and none that came
 * before its order was made; after one packet of another shape, or the end, nothing is given. */
#include "chip_socket.h"
#include "fuzz.h"
#include "log.h"
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET_LEN  POSIX_CHIP_PACKET_LEN
#define HEADER_LEN  (PACKET_LEN - SL_FRAME_LEN)
#define PACKETS_MAX 40 /* under way at once: fewer than the 64 that are dropped unread */

/* What lies in the socket, as a second account of it. */
struct packet {
    uint8_t mark;
    bool is_good;
};

struct account {
    int peer;
    struct packet packets[PACKETS_MAX];
    unsigned packets_len;
    unsigned open; /* orders without an answer */
    bool is_lost;
};

static void order(struct account *account, uint8_t mark);
static void answer(struct account *account, uint8_t mark, struct sl_view bytes, bool is_good);
static void take(struct account *account);

/* The parts of the board that chip_socket.c asks for. */
sl_ms sl_port_now(void)
{
    return 0;
}

void posix_log(enum sl_log_level level, const char *format, ...)
{
    (void)level, (void)format;
}

void posix_log_failure(enum posix_error error, const char *format, ...)
{
    (void)error, (void)format;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct sl_reader input = sl_reader_init((struct sl_view){data, len});
    struct account account = {.peer = -1};
    int ends[2];

    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) == 0);
    account.peer = ends[1];
    posix_chip_socket_adopt(ends[0], "test");
    for (uint8_t mark = 1; fuzz_has_more(&input); mark++) {
        uint8_t op = fuzz_u8(&input);
        switch (op & 7) {
        case 0:
        case 1:
            order(&account, mark);
            break;
        case 2:
        case 3:
            answer(&account, mark, (struct sl_view){NULL, 0}, true);
            break;
        case 4: {
            size_t packet_len = (op >> 3) + 32u * (fuzz_u8(&input) & 1u);
            answer(&account, mark, fuzz_take(&input, packet_len), false);
            break;
        }
        case 5:
            if (op >> 3 == 0 && account.peer >= 0) {
                close(account.peer);
                account.peer = -1;
            }
            break;
        default:
            take(&account);
        }
    }
    close(account.peer);
    account.peer = -1;
    for (unsigned i = 0; i <= PACKETS_MAX; i++)
        take(&account);
    return 0;
}

static void forget_first(struct account *account)
{
    account->packets_len--;
    memmove(account->packets, account->packets + 1, account->packets_len * sizeof(struct packet));
}

static void order(struct account *account, uint8_t mark)
{
    uint8_t frame[SL_FRAME_LEN], packet[PACKET_LEN + 1];
    memset(frame, mark, sizeof frame);
    sl_port_spi_start(frame);
    bool is_sent = !account->is_lost && account->open < 2;
    if (is_sent && account->open == 0) /* what nobody asked for */
        account->packets_len = 0;
    if (is_sent && account->peer < 0) {
        account->is_lost = true;
        account->open = 0;
        return;
    }
    if (account->peer < 0)
        return;
    ssize_t got = recv(account->peer, packet, sizeof packet, MSG_DONTWAIT);
    FUZZ_CHECK(is_sent ? got == PACKET_LEN && packet[0] == 'X' : got <= 0);
    FUZZ_CHECK(!is_sent || memcmp(packet + HEADER_LEN, frame, SL_FRAME_LEN) == 0);
    account->open += is_sent;
}

static void answer(struct account *account, uint8_t mark, struct sl_view bytes, bool is_good)
{
    uint8_t good[PACKET_LEN] = {'X'};
    memset(good + HEADER_LEN, mark, SL_FRAME_LEN);
    if (is_good)
        bytes = (struct sl_view){good, sizeof good};
    if (account->peer < 0 || account->packets_len == PACKETS_MAX)
        return;
    const void *data = bytes.len > 0 ? (const void *)bytes.data : "";
    if (send(account->peer, data, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)bytes.len)
        return;
    struct packet *packet = &account->packets[account->packets_len++];
    packet->is_good = bytes.len == PACKET_LEN && bytes.data[0] == 'X';
    packet->mark = packet->is_good ? bytes.data[PACKET_LEN - 1] : 0;
}

static void take(struct account *account)
{
    uint8_t frame[SL_FRAME_LEN] = {0};
    bool is_given = sl_port_spi_take(frame), expects = false;
    uint8_t mark = 0;
    while (!account->is_lost && account->open > 0 && !expects) {
        if (account->packets_len == 0) {
            account->is_lost = account->peer < 0;
            break;
        }
        struct packet packet = account->packets[0];
        forget_first(account);
        account->is_lost = !packet.is_good;
        mark = packet.mark;
        expects = packet.is_good && --account->open == 0;
    }
    FUZZ_CHECK(is_given == expects);
    FUZZ_CHECK(!is_given || frame[SL_FRAME_LEN - 1] == mark);
}
