/* The device's end of an enrolment: makes a key, asks for its certificate, and takes the grant.
 *
 *   waiting --ASK--> asked --last PART, grant good--> storing --stored--> stored --> finished
 *      ^--------------' nothing heard for 10 minutes      '--not stored--> asked
 *
 * Sans-I/O like every engine. It speaks only when it is spoken to, so whoever does not start it
 * has a silent line. The private key leaves it in one piece with everything else, as the image of
 * SL_ENROLMENT_STORE: until that is stored the device is what it was before.
 *
 * Messages and conversation: docs/spec/enrolment.md.
 */
#ifndef SL_NODE_ENROLMENT_H
#define SL_NODE_ENROLMENT_H

#include "base/time.h"
#include "enrol/frame.h"
#include "node/grant.h"
#include "node/log_queue.h"
#include "store/identity.h"
#include "tls/request.h"

#define SL_ENROLMENT_SEED_LEN   48
#define SL_ENROLMENT_SESSION_MS 600000 /* of silence: people compare fingerprints meanwhile */
#define SL_ENROLMENT_GAP_MS     1000 /* between the bytes of a frame: what comes later begins anew */
#define SL_ENROLMENT_LINGER_MS  5000 /* for the host that has not heard STORED */

struct sl_enrolment_config {
    uint64_t floor_s;  /* no time below it is believed: the build's, not one that was kept */
    uint32_t quiet_ms; /* without an enrolment under way after which it is given up: for a device
                          that has an identity to go on with; 0: never */
};

enum sl_enrolment_event_kind {
    SL_ENROLMENT_NONE,
    SL_ENROLMENT_LOG,     /* log */
    SL_ENROLMENT_STORE,   /* store image in place of any other, at a stroke; then call
                             sl_enrolment_stored */
    SL_ENROLMENT_FINISHED /* is_stored: go on as the node that the image describes */
};

struct sl_enrolment_event {
    enum sl_enrolment_event_kind kind;
    struct sl_log_event log;
    struct sl_view image; /* secret; valid until sl_enrolment_stored */
    bool is_stored;
};

enum sl_enrolment_phase {
    SL_ENROLMENT_WAITING,
    SL_ENROLMENT_ASKED,
    SL_ENROLMENT_STORING,
    SL_ENROLMENT_STORED,
    SL_ENROLMENT_ENDED
};

struct sl_enrolment {
    struct sl_enrolment_config config;
    struct sl_random random;
    struct sl_enrol_line line;
    struct sl_log_queue log;
    enum sl_enrolment_phase phase;
    bool has_store_event, has_end_event;
    bool has_piece; /* of a frame, maybe: given up at piece_due */
    sl_ms piece_due;
    sl_ms due; /* of the phase's end; waiting: only with quiet_ms */

    uint32_t session;
    uint8_t name[SL_NAME_MAX];
    uint8_t key[SL_REQUEST_KEY_LEN];
    struct sl_grant_expected expected;
    uint16_t taken; /* of the grant, in image; once it is complete, of the identity */
    uint8_t image[SL_IDENTITY_MAX];
    struct sl_chain checks;

    uint8_t out[SL_ENROL_WIRE_MAX];
    uint16_t out_at, out_len;
};

/* Makes the key; it stays until an identity is stored, unless another name is asked for.
 * seed: fresh entropy from hardware. */
void sl_enrolment_init(struct sl_enrolment *enrolment, sl_ms now,
                       const struct sl_enrolment_config *config,
                       const uint8_t seed[SL_ENROLMENT_SEED_LEN]);

/* Bytes from the line, cut in any way, between anything else. Fewer than len is back-pressure:
 * pull the events, send what is in peek, then offer the rest again. */
size_t sl_enrolment_feed(struct sl_enrolment *enrolment, sl_ms now, const uint8_t *in, size_t len);
/* Bytes for the line: nothing else may come between those of one view, log text may between two. */
struct sl_view sl_enrolment_peek(const struct sl_enrolment *enrolment);
void sl_enrolment_sent(struct sl_enrolment *enrolment, size_t len);

/* Pull until false after every other call. */
bool sl_enrolment_next(struct sl_enrolment *enrolment, struct sl_enrolment_event *event);
/* Answers SL_ENROLMENT_STORE. ok: the image outlasts a power cut from now on; else what was there
 * before is as it was. No effect at any other time. */
void sl_enrolment_stored(struct sl_enrolment *enrolment, sl_ms now, bool ok);

void sl_enrolment_tick(struct sl_enrolment *enrolment, sl_ms now);
bool sl_enrolment_deadline(const struct sl_enrolment *enrolment, sl_ms now, sl_ms *due);

/* Keys and all. */
void sl_enrolment_wipe(struct sl_enrolment *enrolment);

#endif
