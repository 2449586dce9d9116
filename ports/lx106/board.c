#include "board.h"
#include "chip.h"
#include "clock.h"
#include "fault.h"
#include "net.h"
#include "port.h"
#include "semihost.h"
#include "stack.h"
#include "uart.h"

uint32_t lx106_random(void); /* lwipopts.h asks for it */

static void turn_clock_chip(void);
static void look_after_memory(void);

static struct {
    bool has_utc;
    sl_ms clock_chip_at;
    struct sl_memory_marks marks;
    uint32_t rested;     /* counts, in all */
    uint32_t left_sleep; /* the counter then */
    uint32_t longest;
} board;

/* The clock chip: it runs on through our resets. */
static struct {
    uint32_t is_set;
    uint64_t unix_s; /* at clock_chip_at */
} clock_chip __attribute__((section(".rig")));

static uint32_t was_button_seen __attribute__((section(".rig")));

void lx106_board_init(void)
{
    lx106_clock_init(lx106_argument_number("now", 0));
    board.has_utc = lx106_argument("epoch") != NULL;
    if (clock_chip.is_set == 0)
        clock_chip.unix_s = lx106_argument_number("epoch", 0);
    clock_chip.is_set = 1;
    board.clock_chip_at = sl_port_now();
    board.left_sleep = board.rested = lx106_counts();
}

bool lx106_board_button(void)
{
    const bool is_held = lx106_argument_number("button", 0) != 0 && !was_button_seen;

    was_button_seen = 1;
    return is_held;
}

const struct sl_memory_marks *lx106_board_marks(void)
{
    return &board.marks;
}

struct lx106_work lx106_board_work(void)
{
    return (struct lx106_work){lx106_counts() - board.rested, board.longest};
}

sl_ms sl_port_now(void)
{
    return lx106_clock_now();
}

bool sl_port_utc(uint64_t *unix_s, uint16_t *unix_ms)
{
    if (!board.has_utc)
        return false;
    turn_clock_chip();
    *unix_s = clock_chip.unix_s;
    *unix_ms = (uint16_t)(sl_port_now() - board.clock_chip_at);
    return true;
}

static void turn_clock_chip(void)
{
    while (sl_port_now() - board.clock_chip_at >= 1000) {
        board.clock_chip_at += 1000;
        clock_chip.unix_s++;
        look_after_memory();
    }
}

static void look_after_memory(void)
{
    lx106_stack_check();
    board.marks.stack_max = (uint16_t)lx106_stack_peak();
    board.marks.network_max = lx106_net_peak();
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
    lx106_uart_hex(event->code);
    lx106_uart_byte(' ');
    lx106_uart_hex((uint32_t)event->a);
    lx106_uart_byte(' ');
    lx106_uart_hex((uint32_t)event->b);
    lx106_uart_byte('\n');
}

void sl_port_sleep(bool has_due, sl_ms due)
{
    uint32_t turn = lx106_counts();

    if (turn - board.left_sleep > board.longest)
        board.longest = turn - board.left_sleep;
    while (!lx106_net_poll() && !lx106_chip_has_answer() &&
           !(has_due && sl_ms_is_reached(sl_port_now(), due))) {
        lx106_clock_rest();
        turn_clock_chip();
        board.rested += lx106_counts() - turn;
        turn = lx106_counts();
    }
    board.left_sleep = lx106_counts();
}
