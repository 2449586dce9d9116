#include "stack.h"
#include "fault.h"

/* DBREAKC: Xtensa ISA reference manual, section "Debug option". */
#define GUARD_STORES 0x80000000u
#define GUARD_MASK   0x00u /* none of the low six address bits counts: 64 bytes */

/* The linker script's; the limit is a multiple of 64. */
extern uint32_t lx106_stack_shadow[], lx106_stack_limit[], lx106_stack_top[];

/* For start.S too. A word that no program writes by chance. */
extern const uint32_t lx106_stack_paint;
const uint32_t lx106_stack_paint = 0x5ac3a55a;

void lx106_stack_guard(void)
{
    __asm__ volatile("wsr %0, dbreaka0" ::"a"(lx106_stack_limit));
    __asm__ volatile("wsr %0, dbreakc0; isync" ::"a"(GUARD_STORES | GUARD_MASK));
}

void lx106_stack_check(void)
{
    for (const uint32_t *word = lx106_stack_shadow; word <= lx106_stack_limit; word++)
        if (*word != lx106_stack_paint)
            lx106_give_up("the stack has been below its limit");
}

uint32_t lx106_stack_peak(void)
{
    const uint32_t *word = lx106_stack_limit;

    while (word < lx106_stack_top && *word == lx106_stack_paint)
        word++;
    return (uint32_t)((uintptr_t)lx106_stack_top - (uintptr_t)word);
}
