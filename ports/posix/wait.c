/* The loop's one sleep. */
#include "wait.h"
#include <assert.h>

void posix_wait_init(struct posix_wait *wait, sl_ms now)
{
    *wait = (struct posix_wait){.now = now, .due = now};
}

void posix_wait_for(struct posix_wait *wait, int fd, short events)
{
    if (fd < 0)
        return;
    assert(wait->len < POSIX_WAIT_MAX); /* the parts are few and known */
    wait->fds[wait->len++] = (struct pollfd){.fd = fd, .events = events};
}

void posix_wait_until(struct posix_wait *wait, sl_ms due)
{
    sl_ms_earliest(wait->now, &wait->has_due, &wait->due, due);
}

void posix_wait_sleep(struct posix_wait *wait)
{
    const int ms = wait->has_due ? (int)sl_ms_until(wait->now, wait->due) : -1;

    (void)poll(wait->fds, wait->len, ms); /* an error only ends the sleep early */
}
