/* What a node keeps over restarts: the values of the record log and their shapes.
 *
 * TLS session and known server are bound to server name, trust anchors and own certificate: with
 * any of them changed they are forgotten. Layout: docs/spec/record-log.md. Promises: SECURITY.md.
 */
#ifndef SL_NODE_KEPT_H
#define SL_NODE_KEPT_H

#include "store/identity.h"
#include "store/records.h"
#include "tls/tls.h"

/* A session is not resumed later than this after the full handshake that made it, nor after the end
 * of the server's certificates. Mosquitto forgets it after two hours, too. */
#define SL_KEPT_SESSION_S 7200

/* The last trusted time, Unix seconds; 0: none is kept. */
uint64_t sl_kept_time(const struct sl_records *records);
void sl_keep_time(struct sl_records *records, uint64_t unix_s);

/* What happened since the node was new; each stops at its largest value. */
struct sl_counters {
    uint32_t starts;     /* of this software */
    uint32_t sessions;   /* with the broker */
    uint32_t handshakes; /* full ones */
    uint32_t switched;   /* zones switched on */
};
struct sl_counters sl_kept_counters(const struct sl_records *records);
void sl_keep_counters(struct sl_records *records, const struct sl_counters *counters);

/* At the start: forget what belongs to another identity. */
void sl_kept_check(struct sl_records *records, const struct sl_identity *identity);

/* The session that may be resumed at unix_s. Gives: *left_s, how much longer.
 * False: there is none; one that may not be resumed any more is forgotten. */
bool sl_kept_session(struct sl_records *records, uint64_t unix_s, struct sl_tls_session *session,
                     uint32_t *left_s);
/* made_s: when the full handshake was. One without an end is not kept. */
void sl_keep_session(struct sl_records *records, const struct sl_identity *identity,
                     const struct sl_tls_session *session, uint64_t made_s);
void sl_kept_forget_session(struct sl_records *records);

/* Signatures of the server's certificates that were verified; none: all zeros. */
struct sl_tls_known sl_kept_known(const struct sl_records *records);
void sl_keep_known(struct sl_records *records, const struct sl_identity *identity,
                   const struct sl_tls_known *known);

#endif
