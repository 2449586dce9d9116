/* --check-config: everything that can be checked without moving anything. */
#ifndef SL_POSIX_CHECK_H
#define SL_POSIX_CHECK_H

#include "options.h"

/* Prints what would be used on stdout, and each thing that is wrong on stderr.
 * Requires: no core file can be written, since the identity is read. False: something is wrong. */
bool posix_check(const struct posix_options *options, const struct posix_values *values);

#endif
