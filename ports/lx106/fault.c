#include "fault.h"
#include "semihost.h"
#include "uart.h"

#define FAULT_EXIT_CODE 70

static _Noreturn void restart(void);
static const char *text_of(uint32_t kind, uint32_t cause);

_Noreturn void lx106_fault(uint32_t kind, uint32_t cause, uint32_t address, uint32_t data)
{
    lx106_uart_text("\nfault: ");
    lx106_uart_text(text_of(kind, cause));
    lx106_uart_text(" (cause ");
    lx106_uart_number((int32_t)cause);
    lx106_uart_text(") at 0x");
    lx106_uart_hex(address);
    lx106_uart_text(", data address 0x");
    lx106_uart_hex(data);
    restart();
}

_Noreturn void lx106_give_up(const char *reason)
{
    lx106_uart_text("\nfault: ");
    lx106_uart_text(reason);
    restart();
}

/* A test program ends instead: nobody would see it start again and again. */
static _Noreturn void restart(void)
{
    if (lx106_argument_number("reboots", 0) == 0) {
        lx106_uart_text("\n");
        lx106_exit(FAULT_EXIT_CODE);
    }
    lx106_uart_text("; the board starts again\n");
    lx106_reset();
}

/* Causes: Xtensa ISA reference manual, section "Exception option", EXCCAUSE. */
static const char *text_of(uint32_t kind, uint32_t cause)
{
    if (kind == 1)
        return "the stack has reached its limit";
    if (kind == 2)
        return "NMI";
    switch (cause) {
    case 0:
        return "illegal instruction";
    case 2:
        return "instruction fetch error";
    case 3:
        return "load or store error";
    case 6:
        return "division by zero";
    case 9:
        return "unaligned load or store";
    case 20:
        return "instruction fetch prohibited";
    case 28:
        return "load prohibited";
    case 29:
        return "store prohibited";
    default:
        return "exception";
    }
}
