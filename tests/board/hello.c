/* What every program on the board stands on: the start, arithmetic, the clock, the counter. */
#include "clock.h"
#include "semihost.h"
#include "stack.h"
#include "uart.h"
#include <string.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            lx106_uart_text("failed: " #condition "\n");                                           \
            lx106_exit(1);                                                                         \
        }                                                                                          \
    } while (0)

void lx106_main(void);

static uint32_t preset = 0x12345678, zeroed;

/* The compiler must not know what it divides. */
static uint64_t blind(uint64_t number)
{
    volatile uint64_t copy = number;

    return copy;
}

static void check_arithmetic(void)
{
    CHECK((uint32_t)blind(1000000007) / (uint32_t)blind(97) == 10309278);
    CHECK((uint32_t)blind(1000000007) % (uint32_t)blind(97) == 41);
    CHECK((uint32_t)blind(UINT32_MAX) / (uint32_t)blind(UINT32_MAX) == 1);
    CHECK((int32_t)blind(7) / (int32_t)blind((uint64_t)-2) == -3);
    CHECK((int32_t)blind((uint64_t)-7) / (int32_t)blind(2) == -3);
    CHECK(blind(0xfedcba9876543210) * blind(0x123456789abcdef) == 0x2236d88fe5618cf0);
    CHECK(blind(UINT64_MAX) / blind(10) == 1844674407370955161);
    CHECK(blind(UINT64_MAX) % blind(UINT64_MAX - 1) == 1);
    CHECK((uint64_t)(uint32_t)blind(UINT32_MAX) * (uint32_t)blind(UINT32_MAX) ==
          0xfffffffe00000001);
    CHECK((int64_t)blind((uint64_t)-90000000000) / (int64_t)blind(9) == -10000000000);
}

static void check_memory(void)
{
    char text[16] = "0123456789";

    CHECK(preset == 0x12345678 && zeroed == 0);
    memmove(text + 1, text, 10);
    CHECK(memcmp(text, "00123456789", 11) == 0);
    memmove(text, text + 1, 10);
    CHECK(memcmp(text, "0123456789", 10) == 0);
    memset(text + 1, 'x', 7);
    CHECK(strcmp(text, "0xxxxxxx899") == 0 && strlen(text) == 11);
    CHECK(memchr(text, '8', 11) == text + 8 && strncmp("abc", "abd", 2) == 0);
}

/* Every way that both ends can lie to words, and every short length, over and under each other. */
static void check_copies(void)
{
    uint8_t bytes[48];

    for (unsigned to = 4; to < 12; to++)
        for (unsigned from = 4; from < 12; from++)
            for (unsigned len = 0; len < 24; len++) {
                for (unsigned i = 0; i < sizeof bytes; i++)
                    bytes[i] = (uint8_t)(i * 7);
                memmove(bytes + to, bytes + from, len);
                for (unsigned i = 0; i < sizeof bytes; i++) {
                    const bool is_copy = i >= to && i < to + len;
                    CHECK(bytes[i] == (uint8_t)((is_copy ? i - to + from : i) * 7));
                }
            }
}

static void check_clock(void)
{
    const uint32_t before = lx106_counts();
    lx106_spin(5000000);
    const uint32_t counts = lx106_counts() - before;
    /* Ten million instructions, and a few to ask. */
    CHECK(counts >= 400000 && counts <= 400000 + 2);

    const sl_ms start = UINT32_MAX - 10; /* over the wrap */
    lx106_clock_init(start);
    while (lx106_clock_now() - start < 50)
        lx106_clock_rest();
    CHECK(lx106_clock_now() - start < 60);
}

/* For a time, and end (late_tick.sh). */
static void rest(uint32_t ms)
{
    if (ms == 0)
        return;
    lx106_clock_init(0);
    while (lx106_clock_now() < ms)
        lx106_clock_rest();
    lx106_exit(0);
}

void lx106_main(void)
{
    lx106_semihost_init();
    rest(lx106_argument_number("rest-ms", 0));
    check_arithmetic();
    check_memory();
    check_copies();
    check_clock();
    CHECK(lx106_stack_peak() > 32 && lx106_stack_peak() < 4096);
    lx106_uart_text("hello from the lx106, stack ");
    lx106_uart_number((int32_t)lx106_stack_peak());
    lx106_uart_text("\n");
    lx106_exit((int)lx106_argument_number("exit", 0));
}
