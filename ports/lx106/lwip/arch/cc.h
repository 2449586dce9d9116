/* lwIP's view of the compiler and the processor (contract: lwip/arch.h). */
#ifndef SL_LX106_ARCH_CC_H
#define SL_LX106_ARCH_CC_H

#include "fault.h"

#define BYTE_ORDER            LITTLE_ENDIAN
#define LWIP_NO_UNISTD_H      1
#define LWIP_PLATFORM_DIAG(x) ((void)0)
/* Its texts would take 7 KB: the address in the word of the fault tells the same. */
#define LWIP_PLATFORM_ASSERT(x) lx106_give_up("lwIP does not understand itself")

#endif
