/* What the program does when it cannot go on: it says why on the serial line and starts anew. The
 * relays are the chip's meanwhile. */
#ifndef SL_LX106_FAULT_H
#define SL_LX106_FAULT_H

#include <stdint.h>

/* From the vectors. kind: 0 an exception, 1 the stack guard, 2 NMI; address: of the instruction. */
_Noreturn void lx106_fault(uint32_t kind, uint32_t cause, uint32_t address, uint32_t data);
/* An assertion of a library that does not hold. */
_Noreturn void lx106_give_up(const char *reason);

/* The whole machine anew, as at power-on, but for what lies in flash. */
_Noreturn void lx106_reset(void);

#endif
