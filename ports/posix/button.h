/* The reset: a GPIO line that somebody holds low while the node starts. */
#ifndef SL_POSIX_BUTTON_H
#define SL_POSIX_BUTTON_H

#include "errors.h"
#include <stdbool.h>

#define POSIX_BUTTON_HELD_MS 1000 /* low all the time for so long: no spike, and no short touch */

/* spec: CHIP:LINE. The line becomes an input with a pull-up, where the hardware has one.
 * Gives: *is_held; waits for POSIX_BUTTON_HELD_MS only while it is.
 * False: the line cannot be read, and *failure says why. */
bool posix_button_read(const char *spec, bool *is_held, struct posix_failure *failure);

#endif
