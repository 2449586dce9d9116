/* Log lines: from a level on, to one of several places. */
#ifndef SL_POSIX_LOG_H
#define SL_POSIX_LOG_H

#include "base/bytes.h"
#include "base/log.h"
#include "errors.h"

enum posix_log_sink { /* in the order of the words of the setting 'log' */
                      POSIX_LOG_AUTO,
                      POSIX_LOG_STDERR,
                      POSIX_LOG_JOURNAL,
                      POSIX_LOG_SYSLOG,
                      POSIX_LOG_JSON
};

void posix_log_init(enum posix_log_sink sink, enum sl_log_level least);
/* From here on lines carry the node's name, where the sink has fields. At most SL_NAME_MAX bytes,
 * copied. */
void posix_log_name(struct sl_view name);
/* One line of the board's own. */
__attribute__((format(printf, 2, 3))) void posix_log(enum sl_log_level level, const char *format,
                                                     ...);
/* A failure of errors.h: as a warning if the node goes on, else as an error. */
__attribute__((format(printf, 2, 3))) void posix_log_failure(enum posix_error error,
                                                             const char *format, ...);

#endif
