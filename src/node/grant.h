/* Is a grant ours? The checks before a node makes its identity of it: when it renews itself, and
 * when it is enrolled.
 *
 * Nothing that a grant says is believed for its checksum. An authority that the device trusts must
 * have sealed it whole, so that who carries it can change nothing. Its certificate must carry the
 * point of the key that this device has made, in P-256; lead to one of the grant's trust anchors;
 * be valid now; be made for this name; and end when the grant says.
 */
#ifndef SL_NODE_GRANT_H
#define SL_NODE_GRANT_H

#include "node/command.h"
#include "store/identity.h"
#include "tls/chain.h"

#define SL_GRANT_POINT_LEN 65

/* What the device knows by itself. */
struct sl_grant_expected {
    struct sl_view name;               /* empty: it has none yet, and takes the grant's */
    uint8_t point[SL_GRANT_POINT_LEN]; /* of its new key */
    uint64_t unix_s;                   /* the time; 0: not known, then as of the issue */
    uint64_t issued_s;                 /* of the identity in use: the grant must be later */
    const struct sl_identity
        *trusted; /* its anchors seal: the identity in use. NULL: there is none,
                     and a person at the line vouches: the grant's own do */
};

/* grant: what image decodes to.
 * scratch: memory for the check, nothing of it counts afterwards; 3 KB that the TLS engine does not
 * need while no handshake is under way.
 * Gives: SL_REFUSAL_NONE when all is good, else why not, with *number for its words.
 * Source: RFC 5280, section 6.1, as far as BearSSL's minimal engine goes. */
SL_MUST_CHECK enum sl_refusal sl_grant_check(struct sl_view image, const struct sl_identity *grant,
                                             const struct sl_grant_expected *expected,
                                             struct sl_chain *scratch, uint32_t *number);

#endif
