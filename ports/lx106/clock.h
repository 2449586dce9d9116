/* Time and instructions, both from the processor's cycle counter.
 *
 * A millisecond is 40,000 counts. Under QEMU's -icount shift=0 the counter advances once in 25
 * instructions, exactly: instruction counts are true then, while time passes as on a processor of
 * 1000 million instructions a second.
 */
#ifndef SL_LX106_CLOCK_H
#define SL_LX106_CLOCK_H

#include "base/time.h"

#define LX106_COUNTS_PER_MS          40000u
#define LX106_INSTRUCTIONS_PER_COUNT 25u

/* Starts the clock at start, and a tick every millisecond. */
void lx106_clock_init(sl_ms start);
/* To be asked at least once in 107 s. */
sl_ms lx106_clock_now(void);
/* Rest until the next tick. */
void lx106_clock_rest(void);

/* The counter itself: differences count instructions. */
static inline uint32_t lx106_counts(void)
{
    uint32_t counts;

    __asm__ volatile("rsr %0, ccount" : "=a"(counts)::"memory");
    return counts;
}

/* Exactly 2 n + 1 instructions, to check the counter with. */
void lx106_spin(uint32_t n);

#endif
