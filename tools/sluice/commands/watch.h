/* The two faces of 'sluice watch': lines, and the live picture, which reads those lines. */
#ifndef SL_CLI_WATCH_H
#define SL_CLI_WATCH_H

#include "site/site.h"

/* What the lines begin with for the picture: everything that the broker kept has come. */
#define SL_WATCH_CONNECTED "connected"

struct sl_watching {
    struct sl_site site;
    struct sl_site_nodes nodes;
    const char *operator_name; /* NULL: the site's first */
    long for_s;                /* 0: until a signal */
    bool wants_json, announces;
    bool is_unread; /* stdout takes nothing more: its reader has ended, or the disk is full */
};

/* A line on stdout for every message, until a signal, the time or the end of the connection. */
enum sl_exit sl_watch_follow(struct sl_watching *watching);

/* The picture on the terminal, until a signal, q or the time. It tries again while the broker is
 * away, and ends with a failure only where trying again cannot help. */
enum sl_exit sl_watch_show(struct sl_watching *watching);

#endif
