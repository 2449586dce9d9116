/* The record log's flash on Linux: DIR/records, its sectors one after another, mode 0600 because a
 * TLS session secret is in it. */
#ifndef SL_POSIX_FLASH_FILE_H
#define SL_POSIX_FLASH_FILE_H

#include "errors.h"
#include "wait.h"
#include <stdbool.h>
#include <stdint.h>

/* dir: NULL for none, kept. is_check: nothing is made.
 * Gives: *sectors for sl_records_init: 0 without a file, and when it cannot be made (this is
 * logged). A file that is damaged, or that others can reach, is logged and replaced.
 * Fails: false when dir cannot be used, and *failure says why. */
bool posix_flash_init(const char *dir, bool is_check, uint8_t *sectors,
                      struct posix_failure *failure);
/* Up to 0.1.0 DIR/last-time held the trusted-time floor.
 * Gives: that time, 0 for none. Removes the file when kept_s, from the records, has reached it. */
uint64_t posix_flash_old_time(uint64_t kept_s);
/* Remove what is kept in dir; before posix_flash_init. NULL: there is none. */
void posix_flash_forget(const char *dir);
/* Wakes when an operation has ended. */
void posix_flash_wait(struct posix_wait *wait);
/* Wait for the operation under way, at most ms milliseconds: on the way out. */
void posix_flash_finish(int ms);

#endif
