/* A relay chip made of a process: src/link/slave.c in front of this computer's own outputs.
 *
 * It is forked before the node has read a key, and speaks the SPI socket's packets with it
 * (docs/spec/twin-socket.md). So countdown, lease, limits and read-back are those of the real chip,
 * and a node that hangs, crashes or is killed holds no relay: when one of the two processes ends,
 * the other one switches everything off. What the chip does better: docs/adr/0006. */
#ifndef SL_POSIX_RELAY_PROCESS_H
#define SL_POSIX_RELAY_PROCESS_H

#include "base/time.h"
#include "errors.h"
#include "outputs.h"

#define POSIX_RELAY_TICK_MS 10 /* of the countdowns, while something is on */

/* Start it, and use it as the chip. outputs: open, off, kept.
 * Requires: no other thread yet. False: *failure says why. */
bool posix_relays_start(const struct posix_outputs *outputs, struct posix_failure *failure);
/* False: it was started and has ended; everything is off, and it does not come back. */
bool posix_relays_are_held(void);
/* In every turn of the loop. A process that was silent for the lease has closed everything, unless
 * it is stopped or hangs: then everything is switched off from here. */
void posix_relays_watch(sl_ms now, bool is_link_up, uint32_t lease_ms);
/* Everything off, and the process ended; waits for it at most half a second. Also when it was never
 * started. */
void posix_relays_stop(void);

/* What runs in the process: packets on fd until the other end closes, then everything off.
 * False: the outputs failed, and the log says why. */
bool posix_relays_run(int fd, const struct posix_outputs *outputs);

#endif
