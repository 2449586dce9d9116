/* The rest of port.h: time, entropy, sleep, the log. */
#ifndef SL_LX106_BOARD_H
#define SL_LX106_BOARD_H

#include <stdint.h>

/* Arguments: now=MS starts the clock there; epoch=SECONDS is what a clock chip would tell at the
 * start (none: the time comes by SNTP); entropy=DESCRIPTOR gives random bytes (none: the host's
 * generator). */
void lx106_board_init(void);

/* The longest time that the node worked without coming back to sl_port_sleep, in instructions, and
 * the number of times it came back. */
struct lx106_stretch {
    uint32_t longest_counts; /* of LX106_INSTRUCTIONS_PER_COUNT each */
    uint32_t turns;
};
struct lx106_stretch lx106_board_stretch(void);

#endif
