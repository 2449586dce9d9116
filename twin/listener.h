/* A Unix socket to listen on: a file of mode 0600 that is there as long as the program is. */
#ifndef SL_TWIN_LISTENER_H
#define SL_TWIN_LISTENER_H

#include <stdbool.h>

struct twin_listener {
    const char *path; /* not copied */
    int fd;
};

/* SOCK_SEQPACKET, non-blocking. A socket file that nobody listens on is replaced; anything else at
 * the path is left alone. False: one line for a person was printed on stderr. */
bool twin_listener_open(struct twin_listener *listener, const char *path);
/* Close it and remove the file. */
void twin_listener_close(struct twin_listener *listener);
/* A new connection, non-blocking; -1 when there is none. */
int twin_listener_accept(const struct twin_listener *listener);

#endif
