/* The Linux board as a whole: its clocks, entropy and sleep. */
#ifndef SL_POSIX_BOARD_H
#define SL_POSIX_BOARD_H

#include <stdbool.h>
#include <stdint.h>

/* floor_s: the system's clock is believed at or above it; may_use_clock: at all.
 * signals: a descriptor that wakes the sleep too. */
void posix_board_init(uint64_t floor_s, bool may_use_clock, int signals);

#endif
