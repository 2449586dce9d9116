/* Taking back every certificate that a node's name ever had, and proving that the broker obeys.
 *
 * Mosquitto 2.0 lets revoked clients in when it cannot read its list, and a session that is open
 * goes on. So two certificates are made in the node's name, whose keys are in no file: one is
 * revoked with the others, and shows by being refused that the broker has read the list and
 * forgotten its TLS sessions; the other is good, and its connection ends the node's.
 */
#ifndef SL_CLI_REVOKE_H
#define SL_CLI_REVOKE_H

#include "ca/crl.h"

struct sl_revocation {
    const struct sl_site *site;
    sl_name name;
    size_t revoked; /* certificates that were not on the list before */
    uint64_t list_end_s;
    struct sl_pki_pair refused, good; /* the two that visit the broker */
    bool is_running;                  /* a broker was there to be told */
};

/* Put every certificate of name but keep (NULL: none) on the list. The caller holds the site's lock
 * and calls sl_revoke_end in any case. SL_EXIT_USAGE: there never was such a node. */
SL_MUST_CHECK enum sl_exit sl_revoke_begin(const struct sl_site *site,
                                           const struct sl_authority *authority, const char *name,
                                           X509 *keep, struct sl_revocation *revocation);
/* Make a running broker read its lists, end the session that is open in this name, and prove both.
 * A broker that fails the proof is stopped. */
SL_MUST_CHECK enum sl_exit sl_revoke_enforce(struct sl_revocation *revocation);
void sl_revoke_end(struct sl_revocation *revocation);

/* What was done, a line a step. */
void sl_revoke_print(const struct sl_revocation *revocation);
/* The same as members of json: revoked, revocation_list_last_day, broker. */
struct cJSON;
void sl_revoke_describe(const struct sl_revocation *revocation, struct cJSON *json);

#endif
