/* From the calendar to a new identity in use, with the old one in hand until then. */
#include "node/renewal.h"

#define PART_HEAD 4 /* offset, whole length */

static void start_asking(struct sl_renewal *renewal);
static void ask_later(struct sl_renewal *renewal, sl_ms now);
static void pause_longer(struct sl_renewal *renewal, sl_ms now);
static void go_back(struct sl_renewal *renewal, sl_ms now, struct sl_trouble trouble);
static enum sl_refusal take_part(struct sl_renewal *renewal, struct sl_view part, uint32_t *number);
static enum sl_refusal take_grant(struct sl_renewal *renewal, uint64_t unix_s,
                                  struct sl_chain *scratch, uint32_t *number);
static uint64_t due_s(const struct sl_identity *identity);
static void order(struct sl_renewal *renewal, enum sl_identity_op op);

static struct sl_identity_slot *new_slot(const struct sl_renewal *renewal)
{
    return &renewal->slots[1 - renewal->in_use];
}

static const struct sl_identity *old_identity(const struct sl_renewal *renewal)
{
    return &renewal->slots[renewal->in_use].identity;
}

static void wait_until(struct sl_renewal *renewal, sl_ms due)
{
    renewal->has_due = true;
    renewal->due = due;
}

void sl_renewal_init(struct sl_renewal *renewal, struct sl_identity_slot *slots, bool has_candidate,
                     struct sl_random *random, struct sl_log_queue *log)
{
    memset(renewal, 0, sizeof *renewal);
    renewal->slots = slots;
    renewal->random = random;
    renewal->log = log;
    renewal->pause_s = SL_RENEWAL_FIRST_S;
    if (slots != NULL && has_candidate) {
        renewal->stage = SL_RENEWAL_TRYING;
        sl_log_push(log, SL_LOG_RENEWAL_TRIES, 0, 0);
    }
}

const struct sl_identity *sl_renewal_identity(const struct sl_renewal *renewal)
{
    if (renewal->slots == NULL)
        return NULL;
    return sl_renewal_is_trying(renewal) ? &new_slot(renewal)->identity : old_identity(renewal);
}

bool sl_renewal_is_trying(const struct sl_renewal *renewal)
{
    return renewal->stage >= SL_RENEWAL_TRYING;
}

bool sl_renewal_looks(const struct sl_renewal *renewal)
{
    return renewal->slots != NULL && renewal->stage == SL_RENEWAL_IDLE && !renewal->has_due;
}

void sl_renewal_tick(struct sl_renewal *renewal, sl_ms now, uint64_t unix_s)
{
    if (renewal->slots == NULL)
        return;
    const bool is_over = renewal->has_due && sl_ms_is_reached(now, renewal->due);
    if (is_over)
        renewal->has_due = false;
    if (renewal->stage == SL_RENEWAL_IDLE && !renewal->has_due && unix_s != 0) {
        if (unix_s >= due_s(old_identity(renewal)))
            start_asking(renewal);
        else
            wait_until(renewal, now + SL_RENEWAL_LOOK_MS);
    } else if (renewal->stage == SL_RENEWAL_ASKING && is_over) {
        start_asking(renewal);
    } else if (renewal->stage == SL_RENEWAL_ADOPTING && is_over) {
        order(renewal, SL_IDENTITY_ADOPT);
    }
}

void sl_renewal_deadline(const struct sl_renewal *renewal, sl_ms now, bool *has, sl_ms *due)
{
    if (renewal->has_due)
        sl_ms_earliest(now, has, due, renewal->due);
}

/* --- asking --------------------------------------------------------------------------------- */

/* Two thirds of the way from its issue to its end. */
static uint64_t due_s(const struct sl_identity *identity)
{
    const uint64_t end_s = identity->not_after_s;
    const uint64_t life_s = identity->issued_s != 0     ? end_s - identity->issued_s
                            : end_s > SL_RENEWAL_LIFE_S ? SL_RENEWAL_LIFE_S
                                                        : end_s;

    return end_s - life_s / 3;
}

enum sl_refusal sl_renewal_ask(struct sl_renewal *renewal, sl_ms now)
{
    (void)now;
    if (renewal->slots == NULL)
        return SL_REFUSAL_RENEWAL;
    if (renewal->stage <= SL_RENEWAL_ASKING) { /* else it is under way */
        renewal->pause_s = SL_RENEWAL_FIRST_S;
        start_asking(renewal);
    }
    return SL_REFUSAL_NONE;
}

/* The same key until it has its certificate: an answer that was lost is found again. */
static void start_asking(struct sl_renewal *renewal)
{
    uint8_t point[SL_REQUEST_POINT_LEN];

    if (!renewal->has_key)
        sl_request_make_key(renewal->random, renewal->key, point);
    renewal->has_key = true;
    renewal->wants_request = true;
    renewal->has_due = false;
    renewal->stage = SL_RENEWAL_ASKING;
}

struct sl_view sl_renewal_request(const struct sl_renewal *renewal, uint8_t out[SL_REQUEST_MAX])
{
    size_t len = 0;

    if (!renewal->wants_request || sl_request_encode(old_identity(renewal)->name, renewal->key, out,
                                                     SL_REQUEST_MAX, &len) != SL_OK)
        len = 0;
    return (struct sl_view){out, len};
}

void sl_renewal_requested(struct sl_renewal *renewal, sl_ms now)
{
    renewal->wants_request = false;
    ask_later(renewal, now);
    sl_log_push(renewal->log, SL_LOG_RENEWAL_ASKS, (int32_t)((renewal->due - now) / 1000), 0);
}

static void ask_later(struct sl_renewal *renewal, sl_ms now)
{
    pause_longer(renewal, now);
    renewal->stage = SL_RENEWAL_ASKING;
}

/* Anywhere in the second half of the pause, so that a site's nodes do not ask in step. */
static void pause_longer(struct sl_renewal *renewal, sl_ms now)
{
    const uint32_t half_ms = renewal->pause_s * 500;

    wait_until(renewal, now + half_ms + sl_random_below(renewal->random, half_ms + 1));
    renewal->pause_s *= 2;
    if (renewal->pause_s > SL_RENEWAL_LONGEST_S)
        renewal->pause_s = SL_RENEWAL_LONGEST_S;
}

/* --- the grant ------------------------------------------------------------------------------ */

enum sl_refusal sl_renewal_feed(struct sl_renewal *renewal, struct sl_view part, uint64_t unix_s,
                                struct sl_chain *scratch, uint32_t *number)
{
    *number = 0;
    if (renewal->slots == NULL)
        return SL_REFUSAL_RENEWAL;
    if (renewal->stage != SL_RENEWAL_ASKING || !renewal->has_key)
        return SL_REFUSAL_GRANT_UNASKED;
    enum sl_refusal refusal = take_part(renewal, part, number);
    if (refusal == SL_REFUSAL_NONE && renewal->have < renewal->total)
        return SL_REFUSAL_NONE;
    if (refusal == SL_REFUSAL_NONE)
        refusal = take_grant(renewal, unix_s, scratch, number);
    if (refusal != SL_REFUSAL_NONE) {
        renewal->have = renewal->total = 0;
        sl_wipe(new_slot(renewal), sizeof *renewal->slots);
    }
    return refusal;
}

static enum sl_refusal take_part(struct sl_renewal *renewal, struct sl_view part, uint32_t *number)
{
    struct sl_reader reader = sl_reader_init(part);
    const uint16_t offset = sl_read_u16(&reader), total = sl_read_u16(&reader);
    const size_t len = sl_reader_left(&reader);

    if (offset == 0) {
        renewal->have = 0;
        renewal->total = total;
    }
    if (reader.failed || len == 0 || len > SL_RENEWAL_PART_MAX || offset != renewal->have ||
        total != renewal->total || len > (size_t)(total - offset))
        return SL_REFUSAL_GRANT_PART;
    if (total > SL_GRANT_MAX) {
        *number = SL_GRANT_MAX;
        return SL_REFUSAL_GRANT_TOO_LARGE;
    }
    memcpy(new_slot(renewal)->image + offset, part.data + PART_HEAD, len);
    renewal->have = (uint16_t)(renewal->have + len);
    return SL_REFUSAL_NONE;
}

/* A whole grant becomes the new identity, or is refused. */
static enum sl_refusal take_grant(struct sl_renewal *renewal, uint64_t unix_s,
                                  struct sl_chain *scratch, uint32_t *number)
{
    struct sl_identity_slot *slot = new_slot(renewal);
    const struct sl_identity *old = old_identity(renewal);
    struct sl_grant_expected expected = {
        .name = old->name, .unix_s = unix_s, .issued_s = old->issued_s, .trusted = old};
    size_t len = renewal->have;
    const struct sl_view image = {slot->image, len};
    enum sl_status status = sl_grant_decode(image, &slot->identity);

    if (status != SL_OK)
        return status == SL_UNSUPPORTED ? SL_REFUSAL_GRANT_VERSION : SL_REFUSAL_GRANT_DAMAGED;
    if (!sl_request_point(renewal->key, expected.point))
        return SL_REFUSAL_GRANT_KEY;
    const enum sl_refusal refusal =
        sl_grant_check(image, &slot->identity, &expected, scratch, number);
    if (refusal != SL_REFUSAL_NONE)
        return refusal;
    status = sl_grant_complete(slot->image, sizeof slot->image, &len, renewal->key, old);
    if (status == SL_OK)
        status = sl_identity_decode((struct sl_view){slot->image, len}, &slot->identity);
    if (status != SL_OK)
        return SL_REFUSAL_GRANT_DAMAGED;
    renewal->total = (uint16_t)len;
    renewal->stage = SL_RENEWAL_STORING;
    renewal->failure = SL_RENEWAL_FAILURE_NONE; /* what comes now is of this one */
    renewal->wants_request = renewal->has_due = false;
    order(renewal, SL_IDENTITY_TRY);
    return SL_REFUSAL_NONE;
}

/* --- what the board keeps ------------------------------------------------------------------- */

static void order(struct sl_renewal *renewal, enum sl_identity_op op)
{
    renewal->has_op = true;
    renewal->op = (uint8_t)op;
}

bool sl_renewal_next(struct sl_renewal *renewal, enum sl_identity_op *op, struct sl_view *image)
{
    if (!renewal->has_op || renewal->is_storing)
        return false;
    renewal->has_op = false;
    renewal->is_storing = true;
    *op = (enum sl_identity_op)renewal->op;
    *image = (struct sl_view){NULL, 0};
    if (*op == SL_IDENTITY_TRY)
        *image = (struct sl_view){new_slot(renewal)->image, renewal->total};
    return true;
}

void sl_renewal_did(struct sl_renewal *renewal, sl_ms now, bool ok)
{
    if (!renewal->is_storing)
        return;
    renewal->is_storing = false;
    if (renewal->has_op)
        return; /* overtaken: what counts is what the next one gives */
    if (!ok && renewal->stage >= SL_RENEWAL_STORING) {
        renewal->failure = SL_RENEWAL_FAILURE_STORE;
        sl_log_push(renewal->log, SL_LOG_RENEWAL_UNKEPT, 0, 0);
    }
    if (renewal->stage == SL_RENEWAL_STORING && ok) {
        renewal->stage = SL_RENEWAL_PARTING;
        wait_until(renewal, now + SL_RENEWAL_PART_MS);
    } else if (renewal->stage == SL_RENEWAL_STORING) {
        renewal->have = renewal->total = 0;
        sl_wipe(new_slot(renewal), sizeof *renewal->slots);
        ask_later(renewal, now); /* with the same key: the same certificate will do */
    } else if (renewal->stage == SL_RENEWAL_ADOPTING && ok) {
        sl_wipe(&renewal->slots[renewal->in_use], sizeof *renewal->slots);
        sl_wipe(renewal->key, sizeof renewal->key);
        renewal->in_use = (uint8_t)(1 - renewal->in_use);
        renewal->has_key = false;
        renewal->have = renewal->total = 0;
        renewal->pause_s = SL_RENEWAL_FIRST_S;
        renewal->failure = SL_RENEWAL_FAILURE_NONE;
        renewal->stage = SL_RENEWAL_IDLE;
        wait_until(renewal, now + SL_RENEWAL_LOOK_MS); /* if it is due already, too */
        sl_log_push(renewal->log, SL_LOG_RENEWED, 0, 0);
    } else if (renewal->stage == SL_RENEWAL_ADOPTING) {
        pause_longer(renewal, now); /* it works meanwhile */
    }
}

/* --- the new connection --------------------------------------------------------------------- */

bool sl_renewal_part(struct sl_renewal *renewal, bool is_quiet)
{
    if (renewal->stage != SL_RENEWAL_PARTING || (!is_quiet && renewal->has_due))
        return false;
    renewal->stage = SL_RENEWAL_TRYING;
    renewal->tries = 0;
    renewal->has_due = false;
    sl_log_push(renewal->log, SL_LOG_RENEWAL_TRIES, 0, 0);
    return true;
}

void sl_renewal_opened(struct sl_renewal *renewal)
{
    if (renewal->stage == SL_RENEWAL_TRYING) {
        renewal->stage = SL_RENEWAL_ADOPTING;
        renewal->pause_s = SL_RENEWAL_FIRST_S;
        order(renewal, SL_IDENTITY_ADOPT);
    } else if (renewal->stage == SL_RENEWAL_ASKING && renewal->has_key) {
        renewal->wants_request = true; /* the last one, or its answer, may be lost */
    }
}

bool sl_renewal_failed(struct sl_renewal *renewal, sl_ms now, struct sl_trouble trouble)
{
    if (renewal->stage != SL_RENEWAL_TRYING || ++renewal->tries < SL_RENEWAL_TRIES)
        return false;
    go_back(renewal, now, trouble);
    return true;
}

/* The old identity goes on. The next attempt has a new key: nobody knows what was wrong. */
static void go_back(struct sl_renewal *renewal, sl_ms now, struct sl_trouble trouble)
{
    sl_wipe(new_slot(renewal), sizeof *renewal->slots);
    sl_wipe(renewal->key, sizeof renewal->key);
    renewal->has_key = false;
    renewal->have = renewal->total = 0;
    renewal->failure = SL_RENEWAL_FAILURE_TRY;
    renewal->trouble = trouble;
    order(renewal, SL_IDENTITY_DROP);
    ask_later(renewal, now);
    sl_log_push(renewal->log, SL_LOG_RENEWAL_FAILED, (int32_t)((renewal->due - now) / 1000), 0);
}
