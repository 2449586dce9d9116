/* What the service manager is told: ready, what goes on, stopping; and the watchdog's food.
 *
 * The watchdog is fed from the loop that moves valves, and only while it starts exchanges with the
 * relay chip, which it does four times a second whether the chip answers or not. So a loop that
 * hangs, or turns without getting anywhere, is ended and started again.
 *
 * Source: sd_notify(3), sd_watchdog_enabled(3). Without a service manager nothing happens. */
#ifndef SL_POSIX_NOTIFY_H
#define SL_POSIX_NOTIFY_H

#include "node/node.h"
#include "wait.h"

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. */
void posix_notify_init(sl_ms now);
/* After every turn of the loop: the first one is READY=1. */
void posix_notify_turn(sl_ms now, const struct sl_node_health *health);
/* The same while there is no node yet: ready, and waiting for an enrolment on this line. */
void posix_notify_waiting(sl_ms now, const char *line);
void posix_notify_stopping(void);
/* Wakes the loop when the watchdog is to be fed. */
void posix_notify_wait(struct posix_wait *wait);

#endif
