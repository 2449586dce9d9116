/* The truth about the stack: painted at the start (start.S), so its peak can be read. */
#ifndef SL_LX106_STACK_H
#define SL_LX106_STACK_H

#include <stdint.h>

/* Bytes between the stack's top and the deepest word that was ever written. */
uint32_t lx106_stack_peak(void);
/* Paint again what lies below the caller, so that the peak of one piece of work can be told. */
void lx106_stack_repaint(void);

#endif
