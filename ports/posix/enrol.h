/* A node without an identity gets one over its serial line, and goes on as that node. */
#ifndef SL_POSIX_ENROL_H
#define SL_POSIX_ENROL_H

#include "options.h"

enum posix_enrolled {
    POSIX_ENROL_GO_ON, /* there is an identity to start with, the old one or a new one */
    POSIX_ENROL_ENDED, /* by SIGTERM or SIGINT */
    POSIX_ENROL_FAILED /* *failure says why */
};

/* Opens the line only when there is no identity, or while the reset is held; then waits for an
 * enrolment. A new identity is written beside the old one, flushed, and takes its name at a stroke;
 * the last trusted time goes, so that one that was set wrong ends with it.
 * Requires: signals as catch_signals in main.c gives them; the relays are off; the state folder is
 * this process's. */
enum posix_enrolled posix_enrol(const struct posix_options *options, int signals,
                                struct posix_failure *failure);

/* The same questions without an answer: what would --serial and --reset do? False: *failure. */
bool posix_enrol_check(const struct posix_options *options, struct posix_failure *failure);

#endif
