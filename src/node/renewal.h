/* Renewal: a new key and certificate in the place of old ones, over the connection that is there.
 *
 *   idle --two thirds of its life, or asked--> asking --grant--> storing --> parting --> trying
 *     ^                                          ^                                         |  |
 *     |                                          '------- dropped: the old one goes on ----'  |
 *     '------------------------------ adopting: it takes the old one's place -----------------'
 *
 * Two identities, one in use and one that is tried. The old one is given up only when the new one
 * has opened a session, and kept by the board until then; whatever fails, it goes on with the old
 * one and asks again later. Sans-I/O: what is to be stored is pulled (next), its end told (did).
 */
#ifndef SL_NODE_RENEWAL_H
#define SL_NODE_RENEWAL_H

#include "base/time.h"
#include "node/grant.h"
#include "node/log_queue.h"
#include "node/trouble.h"
#include "tls/request.h"

#define SL_RENEWAL_LIFE_S    (UINT64_C(1095) * 86400) /* of a certificate that tells no issue */
#define SL_RENEWAL_PART_MAX  256                      /* bytes of a grant in one message */
#define SL_RENEWAL_FIRST_S   60                       /* least pause before it asks again */
#define SL_RENEWAL_LONGEST_S 86400
#define SL_RENEWAL_LOOK_MS   600000 /* between two looks at the calendar */
#define SL_RENEWAL_TRIES     3      /* connections with the new identity */
#define SL_RENEWAL_PART_MS   3000   /* at most, for what is under way on the old connection */

enum sl_renewal_stage {
    SL_RENEWAL_IDLE,
    SL_RENEWAL_ASKING,  /* a request is to be sent, or was */
    SL_RENEWAL_STORING, /* the grant was good: the board keeps the new identity */
    SL_RENEWAL_PARTING, /* kept: the connection may end */
    SL_RENEWAL_TRYING,  /* connections use the new identity */
    SL_RENEWAL_ADOPTING /* it has opened a session: the board puts it in the old one's place */
};

/* What has gone wrong last. */
enum sl_renewal_failure {
    SL_RENEWAL_FAILURE_NONE,
    SL_RENEWAL_FAILURE_STORE, /* the board could not store it */
    SL_RENEWAL_FAILURE_TRY    /* trouble: of the last connection with it */
};

struct sl_renewal {
    struct sl_identity_slot *slots; /* two; NULL: nothing is ever renewed */
    struct sl_random *random;
    struct sl_log_queue *log;
    uint8_t in_use; /* of the slots */
    uint8_t stage;
    uint8_t failure, tries;
    bool has_key;       /* of this request */
    bool wants_request; /* as soon as it can be sent */
    bool has_op, is_storing;
    uint8_t op; /* that the board is to carry out */
    bool has_due;
    sl_ms due; /* idle: look at the calendar; asking: ask again; parting: end of the wait; adopting:
                  store again */
    uint32_t pause_s;     /* before the next time */
    uint16_t have, total; /* bytes of the grant; of the new identity's image */
    struct sl_trouble trouble;
    uint8_t key[SL_REQUEST_KEY_LEN];
};

/* slots: two, the first with the identity in use; or NULL. has_candidate: the second holds one that
 * was kept but not adopted when the board lost its power: it is tried first. All outlive it. */
void sl_renewal_init(struct sl_renewal *renewal, struct sl_identity_slot *slots, bool has_candidate,
                     struct sl_random *random, struct sl_log_queue *log);

/* The identity to use now: NULL without slots. */
const struct sl_identity *sl_renewal_identity(const struct sl_renewal *renewal);
/* True while that is not yet the one in use. */
bool sl_renewal_is_trying(const struct sl_renewal *renewal);

/* unix_s: 0 while it is not known, and when it is not looked at (looks: it costs divisions). */
bool sl_renewal_looks(const struct sl_renewal *renewal);
void sl_renewal_tick(struct sl_renewal *renewal, sl_ms now, uint64_t unix_s);
void sl_renewal_deadline(const struct sl_renewal *renewal, sl_ms now, bool *has, sl_ms *due);

/* Somebody wants a renewal. Fails: SL_REFUSAL_RENEWAL (no slots). */
enum sl_refusal sl_renewal_ask(struct sl_renewal *renewal, sl_ms now);
/* One part of a grant. scratch: as sl_grant_check. Whatever is refused changes nothing. */
enum sl_refusal sl_renewal_feed(struct sl_renewal *renewal, struct sl_view part, uint64_t unix_s,
                                struct sl_chain *scratch, uint32_t *number);

/* The request that wants out, in out; empty: none. requested: it was taken for sending. */
struct sl_view sl_renewal_request(const struct sl_renewal *renewal, uint8_t out[SL_REQUEST_MAX]);
void sl_renewal_requested(struct sl_renewal *renewal, sl_ms now);

/* The connection, always with sl_renewal_identity; these change which one that is.
 * part: a new identity is there, and nothing is under way (is_quiet) or it has waited long enough.
 * opened: a session is. failed: an attempt or a session has ended. True: use another one now. */
SL_MUST_CHECK bool sl_renewal_part(struct sl_renewal *renewal, bool is_quiet);
void sl_renewal_opened(struct sl_renewal *renewal);
SL_MUST_CHECK bool sl_renewal_failed(struct sl_renewal *renewal, sl_ms now,
                                     struct sl_trouble trouble);

/* The next operation on what the board keeps, one at a time; image: of SL_IDENTITY_TRY, stays as it
 * is until did. False: none. ok: it was carried out. */
bool sl_renewal_next(struct sl_renewal *renewal, enum sl_identity_op *op, struct sl_view *image);
void sl_renewal_did(struct sl_renewal *renewal, sl_ms now, bool ok);

#endif
