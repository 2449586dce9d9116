/* The configuration file: lines of "key = value", the keys of settings.h.
 *
 *   # starts a comment, at the beginning of a line or value, or after a blank
 *   Blanks around key and value do not count; values stand without quotes.
 *   Each key at most once; a line has at most POSIX_CONFIG_LINE_MAX bytes, the file
 *   POSIX_CONFIG_MAX. */
#ifndef SL_POSIX_CONFIG_FILE_H
#define SL_POSIX_CONFIG_FILE_H

#include "base/bytes.h"
#include "log.h"
#include "settings.h"

#define POSIX_CONFIG_MAX      16384
#define POSIX_CONFIG_LINE_MAX POSIX_VALUE_MAX

enum posix_config_result {
    POSIX_CONFIG_READ,
    POSIX_CONFIG_WRONG,  /* what it says: file, line and what is allowed are in error */
    POSIX_CONFIG_NO_FILE /* the file itself: missing, unreadable, not a regular one */
};

/* Adds what bytes say to *values. Pure. name: for messages, kept as values->file.
 * False: *error has one line of printable ASCII (after name), and *values is unchanged. */
bool posix_config_parse(struct posix_values *values, const char *name, struct sl_view bytes,
                        char error[POSIX_ERROR_LEN]);

/* The same from a regular file that not everybody may write. */
enum posix_config_result posix_config_read(struct posix_values *values, const char *path,
                                           char error[POSIX_ERROR_LEN]);

#endif
