/* The trusted-time floor on disk: DIR/last-time, Unix seconds in decimal. */
#ifndef SL_POSIX_TIME_FILE_H
#define SL_POSIX_TIME_FILE_H

#include "log.h"
#include "wait.h"
#include <stdbool.h>
#include <stdint.h>

/* dir: NULL for none (then nothing is kept), kept.
 * Gives: *floor_s, the larger of build time and the time stored. A damaged file is logged, and
 * replaced by the next time kept.
 * Fails: false when dir cannot be used, with one line for a person in error. */
bool posix_time_init(const char *dir, uint64_t *floor_s, char error[POSIX_ERROR_LEN]);
/* Wakes when a write has ended, and says so when it failed. */
void posix_time_wait(struct posix_wait *wait);
/* Wait for the last write, a moment at most: on the way out. */
void posix_time_finish(void);

#endif
