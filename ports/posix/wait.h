/* What the loop sleeps for: each part of the board adds its file descriptors and deadlines. */
#ifndef SL_POSIX_WAIT_H
#define SL_POSIX_WAIT_H

#include "base/time.h"
#include <poll.h>

#define POSIX_WAIT_MAX 8

struct posix_wait {
    sl_ms now, due;
    bool has_due;
    struct pollfd fds[POSIX_WAIT_MAX];
    nfds_t len;
};

void posix_wait_init(struct posix_wait *wait, sl_ms now);
/* Wake when fd is ready for events (POLLIN, POLLOUT); fd below 0: nothing. At most POSIX_WAIT_MAX.
 */
void posix_wait_for(struct posix_wait *wait, int fd, short events);
void posix_wait_until(struct posix_wait *wait, sl_ms due);
/* Sleep. What woke it is not said: each part looks at its own descriptor. */
void posix_wait_sleep(struct posix_wait *wait);

#endif
