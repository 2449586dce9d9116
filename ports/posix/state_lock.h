/* One node a state folder: two would write each other's files. */
#ifndef SL_POSIX_STATE_LOCK_H
#define SL_POSIX_STATE_LOCK_H

#include "errors.h"
#include <stdbool.h>

/* Holds DIR/lock until the program ends, however it ends. dir: NULL for none.
 * Requires: the relay process is started already, so that it does not hold the lock too.
 * False: *failure names who holds it, or what is wrong with the folder. */
bool posix_state_lock(const char *dir, struct posix_failure *failure);

#endif
