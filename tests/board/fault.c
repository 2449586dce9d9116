/* Faults, one a run (argument fault=KIND): the board must say which, and where, and end with 70. */
#include "fault.h"
#include "semihost.h"
#include "stack.h"
#include "uart.h"
#include <string.h>

void lx106_main(void);
void tests_fault_here(void); /* an address to be found in what is said */

static volatile uint32_t sink;

__attribute__((noinline)) void tests_fault_here(void)
{
    __asm__ volatile("ill");
}

/* Frame by frame, as a loop that calls too deep. */
__attribute__((noinline)) static uint32_t sink_deeper(uint32_t depth)
{
    volatile uint32_t frame[8];

    for (unsigned i = 0; i < 8; i++)
        frame[i] = depth;
    return depth == 0 ? frame[0] : sink_deeper(depth - 1) + frame[depth % 8];
}

/* One frame that is larger than the guard, and writes only at its far end. */
__attribute__((noinline)) static void leap(void)
{
    volatile uint8_t frame[6912 + 512];

    frame[0] = 1;
    sink = frame[0];
}

void lx106_main(void)
{
    lx106_semihost_init();
    lx106_stack_guard();
    const char *kind = lx106_argument("fault");

    if (!kind || strcmp(kind, "none") == 0) {
        sink = sink_deeper(40); /* within the stack */
        lx106_stack_check();
        lx106_uart_text("well\n");
        lx106_exit(0);
    }
    if (strcmp(kind, "illegal") == 0)
        tests_fault_here();
    if (strcmp(kind, "stack") == 0)
        sink = sink_deeper(100000);
    if (strcmp(kind, "leap") == 0) {
        leap();
        lx106_stack_check();
    }
    if (strcmp(kind, "load") == 0)
        sink = *(volatile uint32_t *)(uintptr_t)(sink + 0x60000001); /* not aligned */
    lx106_uart_text("no fault\n");
    lx106_exit(1);
}
