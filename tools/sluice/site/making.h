/* A place for a node in a site, filled at a stroke: what 'node add' and 'node enrol' share. */
#ifndef SL_CLI_MAKING_H
#define SL_CLI_MAKING_H

#include "ca/revoke.h"

struct sl_making_wish {
    const char *name, *base, *host; /* base, host NULL: as it was, or the usual */
    uint16_t port;                  /* the broker's; 0: as it was, or the site's */
    bool may_replace;               /* a node of that name, which is shut out */
    bool is_enrolment;              /* may also replace one whose device did not confirm */
};

struct sl_making {
    struct sl_site site;
    struct sl_site_nodes nodes;
    struct sl_site_node node; /* as it will be */
    bool is_locked, is_replacing;
    struct sl_revocation revocation; /* name: empty when nothing had to be revoked */
};

/* Check the wish, and hold the site's lock until sl_making_end, which is called in any case. */
SL_MUST_CHECK enum sl_exit sl_making_begin(const char *root, const struct sl_making_wish *wish,
                                           struct sl_making *making);

/* Puts a node's files into folder, completes making->node. Gives: *certificate. */
typedef enum sl_exit (*sl_making_fill)(struct sl_making *making,
                                       const struct sl_authority *authority, const char *folder,
                                       void *context, X509 **certificate);
/* The folder is built under a hidden name and appears whole; one before it goes at that moment.
 * What the name had before is revoked first: whatever fails then, a device that was lost stays out.
 * A running broker is told of it, and tried. */
SL_MUST_CHECK enum sl_exit sl_making_carry_out(struct sl_making *making, sl_making_fill fill,
                                               void *context);
/* Give a folder that is filled and flushed its name; the broker's list comes first. */
SL_MUST_CHECK enum sl_exit sl_making_publish(struct sl_making *making, const char *temporary);
void sl_making_end(struct sl_making *making);

#endif
