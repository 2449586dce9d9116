/* The original project's AVR on a spidev: one inverted byte (bit z = 0: relay z on) in mode 0, most
 * significant bit first.
 *
 * That chip answers nothing and keeps what it got for ever: what is `read` is what was sent. */
#ifndef SL_POSIX_RAW_BYTE_H
#define SL_POSIX_RAW_BYTE_H

#include "errors.h"
#include "outputs.h"

/* path: kept. Gives: the outputs, all off; NULL: *failure says why. */
const struct posix_outputs *posix_raw_open(const char *path, struct posix_failure *failure);

#endif
