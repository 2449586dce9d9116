#include "board.h"
#include "chip.h"
#include "clock.h"
#include "fault.h"
#include "net.h"
#include "port.h"
#include "semihost.h"
#include "uart.h"

uint32_t lx106_random(void); /* lwipopts.h asks for it */

static struct {
    bool has_utc;
    uint64_t unix_s; /* at unix_at */
    sl_ms unix_at;
    uint32_t worked_since; /* the counter when sl_port_sleep was left */
    struct lx106_stretch stretch;
} board;

/* The clock chip's own register: it runs on through our resets. */
static struct {
    uint32_t is_set;
    uint64_t unix_s;
} clock_chip __attribute__((section(".rig")));

void lx106_board_init(void)
{
    lx106_clock_init(lx106_argument_number("now", 0));
    board.has_utc = lx106_argument("epoch") != NULL;
    board.unix_s = clock_chip.is_set != 0 ? clock_chip.unix_s : lx106_argument_number("epoch", 0);
    board.unix_at = sl_port_now();
    board.worked_since = lx106_counts();
}

struct lx106_stretch lx106_board_stretch(void)
{
    return board.stretch;
}

sl_ms sl_port_now(void)
{
    return lx106_clock_now();
}

bool sl_port_utc(uint64_t *unix_s, uint16_t *unix_ms)
{
    if (!board.has_utc)
        return false;
    while (sl_port_now() - board.unix_at >= 1000) {
        board.unix_at += 1000;
        board.unix_s++;
    }
    clock_chip.unix_s = board.unix_s;
    clock_chip.is_set = 1;
    *unix_s = board.unix_s;
    *unix_ms = (uint16_t)(sl_port_now() - board.unix_at);
    return true;
}

void sl_port_entropy(uint8_t *out, size_t len)
{
    const bool is_given = lx106_argument("entropy") != NULL;
    const int32_t fd =
        is_given ? (int32_t)lx106_argument_number("entropy", 0) : lx106_host_open("/dev/urandom");

    if (lx106_host_read(fd, out, len) != (int32_t)len)
        lx106_give_up("the host gives no random bytes"); /* keys without entropy are no keys */
    if (!is_given)
        lx106_host_close(fd);
}

uint32_t lx106_random(void)
{
    uint8_t bytes[4];

    sl_port_entropy(bytes, sizeof bytes);
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Numbers only: who reads the serial line has the words (twin/board). */
void sl_port_log(const struct sl_log_event *event)
{
    lx106_uart_byte('@');
    lx106_uart_number(event->code);
    lx106_uart_byte(' ');
    lx106_uart_number(event->a);
    lx106_uart_byte(' ');
    lx106_uart_number(event->b);
    lx106_uart_byte('\n');
}

void sl_port_sleep(bool has_due, sl_ms due)
{
    const uint32_t worked = lx106_counts() - board.worked_since;

    board.stretch.turns++;
    if (worked > board.stretch.longest_counts)
        board.stretch.longest_counts = worked;
    while (!lx106_net_poll() && !lx106_chip_has_answer() &&
           !(has_due && sl_ms_is_reached(sl_port_now(), due)))
        lx106_clock_rest();
    board.worked_since = lx106_counts();
}
