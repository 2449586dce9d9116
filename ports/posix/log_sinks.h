/* Where log lines can go. Nothing here blocks, and no connection is kept: a journal or syslog that
 * was away gets the next line.
 *
 * Sources: systemd's "Native Journal Protocol"; sd-daemon(3) for <N>; RFC 3164 for syslog. */
#ifndef SL_POSIX_LOG_SINKS_H
#define SL_POSIX_LOG_SINKS_H

#include "base/log.h"
#include <stdbool.h>

struct posix_log_line {
    enum sl_log_level level;
    const char *text;
    const struct sl_log_event *event; /* NULL: a line of the board's own */
    const char *node;                 /* the node's name; empty: not known yet */
    unsigned long lost;               /* lines before this one that were not taken */
};

/* False: the line was not taken. */
typedef bool (*posix_log_write)(const struct posix_log_line *line);

/* As text: with time and level, or with <N> when stderr is the journal's, which has its own time.
 */
bool posix_log_write_stderr(const struct posix_log_line *line);
/* One object a line, on stderr. */
bool posix_log_write_json(const struct posix_log_line *line);
/* With fields: SLUICE_NODE, SLUICE_EVENT, SLUICE_EVENT_CODE, SLUICE_A, SLUICE_B. */
bool posix_log_write_journal(const struct posix_log_line *line);
/* To /dev/log, facility daemon: the text, then node, event and numbers as key=value. */
bool posix_log_write_syslog(const struct posix_log_line *line);

/* Is stderr a stream of the journal (JOURNAL_STREAM)? */
bool posix_log_is_in_journal(void);

#endif
