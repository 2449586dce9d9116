/* One datagram to a Unix socket, without waiting: how a service manager, the journal and syslog are
 * told things. */
#ifndef SL_POSIX_DATAGRAM_H
#define SL_POSIX_DATAGRAM_H

#include "base/bytes.h"

/* path: of the socket; '@' at its start: a name in Linux' abstract space. False: it did not go. */
bool posix_datagram_send(const char *path, struct sl_view bytes);

#endif
