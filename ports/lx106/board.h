/* The rest of port.h: time, entropy, sleep, the log. */
#ifndef SL_LX106_BOARD_H
#define SL_LX106_BOARD_H

#include "node/node.h"
#include <stdint.h>

/* Arguments: now=MS starts the clock there; epoch=SECONDS is what a clock chip would tell at the
 * start (none: the time comes by SNTP); entropy=DESCRIPTOR gives random bytes (none: the host's
 * generator). */
void lx106_board_init(void);

/* The reset button is held (argument button=1), at the power-on: later resets do not count. */
bool lx106_board_button(void);

/* For the node's reports: not older than a second. */
const struct sl_memory_marks *lx106_board_marks(void);

/* What the processor did, in counts of LX106_INSTRUCTIONS_PER_COUNT instructions: turns in which
 * the network had nothing, and rest, are left out. */
struct lx106_work {
    uint32_t worked;  /* since the start; wraps */
    uint32_t longest; /* stretch between two calls of sl_port_sleep */
};
struct lx106_work lx106_board_work(void);

#endif
