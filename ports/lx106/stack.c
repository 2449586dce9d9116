#include "stack.h"
#include "fault.h"
#include <stdbool.h>

/* DBREAKC: Xtensa ISA reference manual, section "Debug option". */
#define GUARD_STORES 0x80000000u
#define GUARD_MASK   0x00u /* none of the low six address bits counts: 64 bytes */

/* The linker script's: addresses in one memory. The limit is a multiple of 64. */
extern uint32_t lx106_stack_shadow[], lx106_stack_limit[], lx106_stack_top[];

/* For start.S too. A word that no program writes by chance. */
extern const uint32_t lx106_stack_paint;
const uint32_t lx106_stack_paint = 0x5ac3a55a;

static bool is_painted(uintptr_t address)
{
    return *(const uint32_t *)address == lx106_stack_paint;
}

void lx106_stack_guard(void)
{
    __asm__ volatile("wsr %0, dbreaka0" ::"a"(lx106_stack_limit));
    __asm__ volatile("wsr %0, dbreakc0; isync" ::"a"(GUARD_STORES | GUARD_MASK));
}

void lx106_stack_check(void)
{
    for (uintptr_t at = (uintptr_t)lx106_stack_shadow; at <= (uintptr_t)lx106_stack_limit; at += 4)
        if (!is_painted(at))
            lx106_give_up("the stack has been below its limit");
}

uint32_t lx106_stack_peak(void)
{
    const uintptr_t top = (uintptr_t)lx106_stack_top;
    uintptr_t at = (uintptr_t)lx106_stack_limit;

    while (at < top && is_painted(at))
        at += 4;
    return (uint32_t)(top - at);
}
