/* Words about sluice-node for people: its help, and what the manual page shares with it. */
#ifndef SL_POSIX_HELP_H
#define SL_POSIX_HELP_H

#include <stdio.h>

extern const char posix_help_summary[];
extern const char posix_help_signals[];

struct posix_help_pair {
    const char *what, *about; /* NULL at the end of a list */
};
extern const struct posix_help_pair posix_help_actions[];  /* options that are no settings */
extern const struct posix_help_pair posix_help_statuses[]; /* exit statuses */
extern const struct posix_help_pair posix_help_examples[];

void posix_help_write(FILE *out);

#endif
