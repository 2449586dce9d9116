#include "stack.h"

#define RED_ZONE 64 /* below the caller's frame: our own */

/* The linker script's. */
extern uint32_t lx106_stack_limit[], lx106_stack_top[];

/* For start.S too. A word that no program writes by chance. */
extern const uint32_t lx106_stack_paint;
const uint32_t lx106_stack_paint = 0x5ac3a55a;

uint32_t lx106_stack_peak(void)
{
    const uint32_t *word = lx106_stack_limit;

    while (word < lx106_stack_top && *word == lx106_stack_paint)
        word++;
    return (uint32_t)((uintptr_t)lx106_stack_top - (uintptr_t)word);
}

void lx106_stack_repaint(void)
{
    uintptr_t sp;

    __asm__ volatile("mov %0, sp" : "=a"(sp));
    for (uint32_t *word = lx106_stack_limit; (uintptr_t)word < sp - RED_ZONE; word++)
        *word = lx106_stack_paint;
}
