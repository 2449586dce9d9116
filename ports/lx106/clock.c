#include "clock.h"

#define TICK_INTERRUPT (1u << 6) /* CCOMPARE0's */

static struct {
    sl_ms now;
    uint32_t counted; /* the counter at now */
} clock;

void lx106_clock_init(sl_ms start)
{
    clock.now = start;
    clock.counted = lx106_counts();
    uint32_t tick;
    do { /* until it lies ahead: start.S, at user_exception */
        tick = lx106_counts() + LX106_COUNTS_PER_MS;
        __asm__ volatile("wsr %0, ccompare0; esync" ::"a"(tick));
    } while (tick - lx106_counts() - 1 >= LX106_COUNTS_PER_MS);
    __asm__ volatile("wsr %0, intenable; rsync" ::"a"(TICK_INTERRUPT));
}

sl_ms lx106_clock_now(void)
{
    /* Asked so often that a division would cost more. */
    while (lx106_counts() - clock.counted >= LX106_COUNTS_PER_MS) {
        clock.now++;
        clock.counted += LX106_COUNTS_PER_MS;
    }
    return clock.now;
}

void lx106_clock_rest(void)
{
    __asm__ volatile("waiti 0" ::: "memory");
}
