/* One SPI exchange a packet. The simulated chip may come and go; while it is away exchanges have no
 * answer, which the node takes for what it is: a link that is down. */
#include "chip_socket.h"
#include "log.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PACKET_LEN POSIX_CHIP_PACKET_LEN
#define HEADER_LEN (PACKET_LEN - SL_FRAME_LEN)
#define OPEN_MAX   2 /* a chip program that stands still must not find old orders later */

static void start(const uint8_t frame[SL_FRAME_LEN]);
static bool take(uint8_t frame[SL_FRAME_LEN]);
static void wait_for(struct posix_wait *wait);
static bool is_connected(void);
static void forget_stray_answers(void);
static void note_answer(void);
static void lose(int error);
static uint64_t now_us(void);

static struct {
    const char *name; /* of what answers */
    const char *path; /* NULL: adopted, cannot be connected again */
    int fd;
    unsigned open_exchanges; /* answers still to come; only the last one counts */
    bool has_answered;       /* since it was connected */
    bool is_paused, is_reported;
    sl_ms pause_due;
    uint32_t pause_ms;
} chip = {.fd = -1, .pause_ms = POSIX_CHIP_PAUSE_MS};

static const struct posix_chip kind = {start, take, wait_for};

void posix_chip_socket_init(const char *path)
{
    chip.name = chip.path = path;
    posix_chip_use(&kind);
}

void posix_chip_socket_adopt(int fd, const char *name)
{
    if (chip.fd >= 0)
        close(chip.fd);
    chip.name = name;
    chip.path = NULL;
    chip.fd = fd;
    chip.open_exchanges = 0;
    chip.is_reported = false;
    posix_chip_use(&kind);
}

static void start(const uint8_t frame[SL_FRAME_LEN])
{
    uint8_t packet[PACKET_LEN];
    struct sl_writer writer = sl_writer_init(packet, sizeof packet);

    if (!is_connected() || chip.open_exchanges >= OPEN_MAX)
        return;
    if (chip.open_exchanges == 0)
        forget_stray_answers();
    sl_write_u8(&writer, 'X');
    sl_write_u64(&writer, now_us());
    sl_write_view(&writer, (struct sl_view){frame, SL_FRAME_LEN});
    const ssize_t sent = send(chip.fd, packet, sizeof packet, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent == (ssize_t)sizeof packet)
        chip.open_exchanges++;
    else if (errno != EAGAIN && errno != EINTR) /* else: lost on the way, as on a real bus */
        lose(errno);
}

static bool take(uint8_t frame[SL_FRAME_LEN])
{
    uint8_t packet[PACKET_LEN + 1];

    while (chip.open_exchanges > 0) {
        const ssize_t got = recv(chip.fd, packet, sizeof packet, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        if (got <= 0) {
            lose(got == 0 ? 0 : errno);
            return false;
        }
        if (got != PACKET_LEN || packet[0] != 'X') {
            lose(EPROTO);
            return false;
        }
        note_answer();
        if (--chip.open_exchanges == 0) {
            memcpy(frame, packet + HEADER_LEN, SL_FRAME_LEN);
            return true;
        }
    }
    return false;
}

static void wait_for(struct posix_wait *wait)
{
    if (chip.open_exchanges > 0)
        posix_wait_for(wait, chip.fd, POLLIN);
}

/* Connects when it is time to. A Unix socket accepts or refuses at once. */
static bool is_connected(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const sl_ms now = sl_port_now();

    if (chip.fd >= 0)
        return true;
    if (!chip.path || (chip.is_paused && !sl_ms_is_reached(now, chip.pause_due)))
        return false;
    strncpy(address.sun_path, chip.path, sizeof address.sun_path - 1);
    chip.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (chip.fd < 0 || connect(chip.fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        lose(errno);
        return false;
    }
    chip.has_answered = false;
    return true;
}

/* Nothing was asked, so what lies here is an answer given twice: taken for the next one, it would
 * show every order the state before it, from then on. */
static void forget_stray_answers(void)
{
    uint8_t packet[PACKET_LEN];
    unsigned left = 64; /* a chip that floods is not heard for ever */

    /* An empty packet is 0 as well as the end: neither stops it. */
    while (left-- > 0 && recv(chip.fd, packet, sizeof packet, MSG_DONTWAIT) >= 0) {
    }
}

/* Not the connection but its first answer shows that we are heard. */
static void note_answer(void)
{
    if (chip.has_answered)
        return;
    if (chip.is_reported)
        posix_log(SL_LOG_INFO, "the chip's socket %s is there", chip.name);
    chip.has_answered = true;
    chip.is_paused = chip.is_reported = false;
    chip.pause_ms = POSIX_CHIP_PAUSE_MS;
}

/* Says so once; then silence until it is back. */
static void lose(int error)
{
    const bool is_turned_away = chip.path && chip.fd >= 0 && !chip.has_answered &&
                                (error == 0 || error == ECONNRESET || error == EPIPE);
    const char *cause = error == 0 ? "closed by the chip" : strerror(error);

    if (!chip.is_reported && is_turned_away)
        posix_log_failure(POSIX_ERROR(CHIP_TAKEN), chip.name);
    else if (!chip.is_reported && chip.path)
        posix_log_failure(POSIX_ERROR(CHIP_AWAY), chip.name, cause, chip.path);
    else if (!chip.is_reported)
        posix_log_failure(POSIX_ERROR(RELAYS_LOST), chip.name, cause);
    chip.is_reported = true;
    if (chip.fd >= 0)
        close(chip.fd);
    chip.fd = -1;
    chip.open_exchanges = 0;
    chip.is_paused = true;
    chip.pause_due = sl_port_now() + chip.pause_ms;
    chip.pause_ms =
        2 * chip.pause_ms < POSIX_CHIP_PAUSE_MAX_MS ? 2 * chip.pause_ms : POSIX_CHIP_PAUSE_MAX_MS;
}

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}
