/* The configuration file: lines of "key = value", the keys of settings.h.
 *
 *   # starts a comment, at the beginning of a line or value, or after a blank
 *   Blanks around key and value do not count; values stand without quotes.
 *   Each key at most once; a line has at most POSIX_CONFIG_LINE_MAX bytes, the file
 *   POSIX_CONFIG_MAX. */
#ifndef SL_POSIX_CONFIG_FILE_H
#define SL_POSIX_CONFIG_FILE_H

#include "base/bytes.h"
#include "errors.h"
#include "settings.h"

#define POSIX_CONFIG_MAX      16384
#define POSIX_CONFIG_LINE_MAX POSIX_VALUE_MAX

/* Adds what bytes say to *values. Pure. name: for messages, kept as values->file.
 * False: *failure says why, in printable ASCII after name, and *values is unchanged. */
bool posix_config_parse(struct posix_values *values, const char *name, struct sl_view bytes,
                        struct posix_failure *failure);

/* The same from a regular file that not everybody may write. */
bool posix_config_read(struct posix_values *values, const char *path,
                       struct posix_failure *failure);

#endif
