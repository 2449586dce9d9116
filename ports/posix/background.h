/* One job at a time in a thread of its own, for calls that may block: name resolution, fsync.
 *
 * While it is busy the job's memory belongs to the thread; before and after, to the loop. A job
 * that hangs keeps its one thread and nothing else: neither the loop nor the exit waits for it. */
#ifndef SL_POSIX_BACKGROUND_H
#define SL_POSIX_BACKGROUND_H

#include <stdbool.h>

struct posix_background {
    void (*work)(void *job);
    void *job;
    bool busy; /* the loop's view; the thread does not touch it */
    int fd;    /* eventfd, readable once the job is done. Made by the first start. */
};

/* work and job live as long as the program. */
#define POSIX_BACKGROUND_INIT(work, job)                                                           \
    {                                                                                              \
        (work), (job), false, -1                                                                   \
    }

/* Requires: not busy. False: the system gave no thread or descriptor; nothing was started. */
bool posix_background_start(struct posix_background *background);
/* After false the job's memory is the loop's again. */
bool posix_background_is_busy(struct posix_background *background);
/* Wait for the job at most ms milliseconds: only for the way out. */
void posix_background_finish(struct posix_background *background, int ms);

#endif
