/* A child process whose output is read line by line while something else goes on. */
#ifndef SL_CLI_LINES_H
#define SL_CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SL_LINE_MAX 16384 /* a longer line is dropped whole */

struct sl_lines {
    pid_t child; /* 0: none */
    int fd;      /* for poll; -1: none */
    char text[SL_LINE_MAX];
    size_t len;
    bool is_dropping, is_over;
};

#define SL_LINES_NONE                                                                              \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* Read what is there, once poll says so. False at the end of its output. */
bool sl_lines_read(struct sl_lines *lines);
/* The next whole line without its end, cleaned for a terminal; false: none yet. */
bool sl_lines_next(struct sl_lines *lines, char *line, size_t line_len);
/* End the child, if there is one and it does not end by itself after the end of its output, and
 * forget it. Gives: its exit code, -1 when it was ended. */
int sl_lines_end(struct sl_lines *lines);

#endif
