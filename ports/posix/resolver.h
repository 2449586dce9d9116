/* Names to addresses without blocking the loop.
 *
 * Address literals are answered at once; names by getaddrinfo in a background thread. A look-up
 * that hangs is given up after POSIX_RESOLVE_MS, and no second one starts before it has ended. */
#ifndef SL_POSIX_RESOLVER_H
#define SL_POSIX_RESOLVER_H

#include "background.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/time.h"
#include "wait.h"
#include <netdb.h>
#include <sys/socket.h>

#define POSIX_RESOLVE_MS    10000
#define POSIX_ADDRESSES_MAX 8

struct posix_addresses {
    struct sockaddr_storage list[POSIX_ADDRESSES_MAX];
    socklen_t list_len[POSIX_ADDRESSES_MAX];
    unsigned len;
};

enum posix_resolved { POSIX_RESOLVING, POSIX_RESOLVED, POSIX_UNRESOLVED };

struct posix_question {
    unsigned number; /* tells the answer to this question from a late one to another */
    int type;        /* SOCK_STREAM or SOCK_DGRAM */
    char host[SL_HOST_MAX + 1];
    char port[6];
};

struct posix_resolver {
    struct posix_question question; /* the last one */
    sl_ms due;
    struct { /* the thread's while it is busy */
        struct posix_question question;
        struct posix_addresses addresses;
        int error; /* EAI_* */
    } job;
    struct posix_background background;
    const char *error; /* why, for a person; valid after POSIX_UNRESOLVED */
};

/* Requires: *resolver lives as long as the program. */
void posix_resolver_init(struct posix_resolver *resolver, int type);
/* Ask for host (1..SL_HOST_MAX bytes); the question before it is forgotten. */
void posix_resolver_ask(struct posix_resolver *resolver, sl_ms now, struct sl_view host,
                        uint16_t port);
/* The answer to the last question. Gives: *addresses, len 1 or more, when resolved. */
enum posix_resolved posix_resolver_take(struct posix_resolver *resolver, sl_ms now,
                                        struct posix_addresses *addresses);
/* For whoever waits for an answer and calls take at every wake. */
void posix_resolver_wait(struct posix_resolver *resolver, struct posix_wait *wait);

#endif
