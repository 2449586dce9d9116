/* What earlier runs have kept in the state folder. */
#ifndef SL_POSIX_KEPT_RECORDS_H
#define SL_POSIX_KEPT_RECORDS_H

#include "errors.h"
#include "store/records.h"
#include <stdbool.h>

/* dir: the state folder, kept; NULL for none. is_check: look only, make and change nothing.
 * Gives: *records read; *floor_s, the larger of build time and the last trusted time.
 * Fails: false when dir cannot be used, and *failure says why. */
bool posix_records_read(struct sl_records *records, const char *dir, bool is_check,
                        uint64_t *floor_s, struct posix_failure *failure);

#endif
