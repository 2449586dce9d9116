/* Names to addresses, for the broker and for the time server. One question each, at most. */
#ifndef SL_LX106_RESOLVE_H
#define SL_LX106_RESOLVE_H

#include <lwip/ip_addr.h>
#include <stdbool.h>

enum lx106_resolved { LX106_RESOLVING, LX106_RESOLVED, LX106_UNRESOLVED };

struct lx106_question {
    enum lx106_resolved state;
    ip_addr_t address; /* when RESOLVED */
    bool is_asked;     /* lwIP holds a pointer to us */
};

/* host: a name or an IPv4 address. Addresses of the loopback mean the computer that simulates this
 * board: its own loopback is what it shows as the gateway.
 * The question must live until it is no longer RESOLVING; asked again before that, it keeps to the
 * first name. */
void lx106_resolve(struct lx106_question *question, const char *host);

#endif
