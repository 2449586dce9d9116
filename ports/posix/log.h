/* Log lines on stderr: UTC, level, one line an event. */
#ifndef SL_POSIX_LOG_H
#define SL_POSIX_LOG_H

#include "base/log.h"

/* Room for one line that says why the program cannot start. */
#define POSIX_ERROR_LEN 512

void posix_log_init(enum sl_log_level least);
/* One line of the board's own. */
__attribute__((format(printf, 2, 3))) void posix_log(enum sl_log_level level, const char *format,
                                                     ...);

#endif
