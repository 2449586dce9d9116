/* The truth about the stack: painted at the start (start.S), so its peak can be read. */
#ifndef SL_LX106_STACK_H
#define SL_LX106_STACK_H

#include <stdint.h>

/* Stop the program (lx106_fault) when its stack is full: from here on the processor itself watches
 * the last 64 bytes. A frame that leaps over them is found by lx106_stack_check. */
void lx106_stack_guard(void);
/* Stops the program when something was written in the 1 KB below the stack. */
void lx106_stack_check(void);

/* Bytes between the stack's top and the deepest word that was ever written. */
uint32_t lx106_stack_peak(void);
#endif
