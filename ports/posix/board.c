/* Clocks, entropy, sleep. */
#include "board.h"
#include "chip_socket.h"
#include "clock/clock.h"
#include "flash_file.h"
#include "identity_store.h"
#include "log.h"
#include "net.h"
#include "notify.h"
#include "sntp_socket.h"
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static struct {
    uint64_t floor_s;
    bool may_use_clock, has_complained;
    int signals;
} board;

void posix_board_init(uint64_t floor_s, bool may_use_clock, int signals)
{
    board.floor_s = floor_s;
    board.may_use_clock = may_use_clock;
    board.signals = signals;
}

/* Time in suspend counts, as it does for the chip; and the system's clock goes on through it, so
 * that without it the node would refuse that clock ever after. */
sl_ms sl_port_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (sl_ms)((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

bool sl_port_utc(uint64_t *unix_s, uint16_t *unix_ms)
{
    struct timespec now;

    if (!board.may_use_clock)
        return false;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec < 0 || (uint64_t)now.tv_sec + SL_CLOCK_HOLD_S < board.floor_s) {
        if (!board.has_complained)
            posix_log_failure(POSIX_ERROR(CLOCK_BEHIND), (long long)now.tv_sec,
                              (long long)board.floor_s);
        board.has_complained = true;
        return false;
    }
    board.has_complained = false;
    *unix_s = (uint64_t)now.tv_sec;
    *unix_ms = (uint16_t)(now.tv_nsec / 1000000);
    return true;
}

void sl_port_entropy(uint8_t *out, size_t len)
{
    while (len > 0) {
        const ssize_t got = getrandom(out, len, 0);
        if (got < 0 && errno != EINTR) {
            posix_log_failure(POSIX_ERROR(RANDOM_MISSING), strerror(errno));
            _exit(POSIX_EXIT_LOCAL); /* keys without entropy are no keys */
        }
        if (got > 0) {
            out += got;
            len -= (size_t)got;
        }
    }
}

void sl_port_sleep(bool has_due, sl_ms due)
{
    struct posix_wait wait;

    posix_wait_init(&wait, sl_port_now());
    if (has_due)
        posix_wait_until(&wait, due);
    posix_wait_for(&wait, board.signals, POLLIN);
    posix_net_wait(&wait);
    posix_sntp_wait(&wait);
    posix_chip_wait(&wait);
    posix_flash_wait(&wait);
    posix_identity_wait(&wait);
    posix_notify_wait(&wait);
    posix_wait_sleep(&wait);
}
