/* The Wi-Fi network that a device joins: from a file or the terminal, never the command line, which
 * every user of this computer can read. */
#ifndef SL_CLI_WIFI_H
#define SL_CLI_WIFI_H

#include "ca/passphrase.h"
#include "store/identity.h"

struct sl_wifi {
    char name[SL_WIFI_NAME_MAX + 1];             /* empty: none */
    char passphrase[SL_WIFI_PASSPHRASE_MAX + 1]; /* empty: an open network */
};

/* source: "-" asks on the terminal, the passphrase without echo; else a file that nobody else can
 * read, the name in its first line and the passphrase in its second. The caller wipes *wifi. */
SL_MUST_CHECK enum sl_exit sl_wifi_take(const char *source, struct sl_wifi *wifi);

#endif
