/* One answer for each message; the same answer when it comes again. */
#include "node/enrolment.h"

static void hear(struct sl_enrolment *enrolment, sl_ms now, struct sl_view frame);
static void hear_ask(struct sl_enrolment *enrolment, sl_ms now,
                     const struct sl_enrol_message *message);
static void hear_part(struct sl_enrolment *enrolment, sl_ms now,
                      const struct sl_enrol_message *message);
static bool is_same_request(const struct sl_enrolment *enrolment,
                            const struct sl_enrol_message *message);
static void begin(struct sl_enrolment *enrolment, const struct sl_enrol_message *message);
static void make_key(struct sl_enrolment *enrolment);
static void show_key(struct sl_enrolment *enrolment);
static void complete(struct sl_enrolment *enrolment);
static enum sl_enrol_refusal check(struct sl_enrolment *enrolment, int32_t *why);
static void answer(struct sl_enrolment *enrolment, const struct sl_enrol_message *message);
static void refuse(struct sl_enrolment *enrolment, uint32_t session, enum sl_enrol_refusal refusal,
                   int32_t why);
static void forget(struct sl_enrolment *enrolment, sl_ms now);
static void end(struct sl_enrolment *enrolment);
static bool has_end(const struct sl_enrolment *enrolment);

void sl_enrolment_init(struct sl_enrolment *enrolment, sl_ms now,
                       const struct sl_enrolment_config *config,
                       const uint8_t seed[SL_ENROLMENT_SEED_LEN])
{
    memset(enrolment, 0, sizeof *enrolment);
    enrolment->config = *config;
    sl_random_init(&enrolment->random, seed, SL_ENROLMENT_SEED_LEN);
    sl_enrol_line_init(&enrolment->line);
    enrolment->due = now + config->quiet_ms;
    sl_log_push(&enrolment->log, SL_LOG_ENROL_WAITS, 0, 0);
    make_key(enrolment);
}

size_t sl_enrolment_feed(struct sl_enrolment *enrolment, sl_ms now, const uint8_t *in, size_t len)
{
    size_t used = 0;

    if (enrolment->phase == SL_ENROLMENT_ENDED)
        return len;
    if (len > 0) {
        enrolment->has_piece = true;
        enrolment->piece_due = now + SL_ENROLMENT_GAP_MS;
    }
    while (used < len && enrolment->out_len == 0 && enrolment->phase != SL_ENROLMENT_STORING) {
        struct sl_view frame;
        used += sl_enrol_line_feed(&enrolment->line, in + used, len - used, &frame);
        if (frame.len > 0)
            hear(enrolment, now, frame);
        if (enrolment->phase == SL_ENROLMENT_ENDED)
            return len;
    }
    return used;
}

struct sl_view sl_enrolment_peek(const struct sl_enrolment *enrolment)
{
    return (struct sl_view){enrolment->out + enrolment->out_at,
                            (size_t)(enrolment->out_len - enrolment->out_at)};
}

void sl_enrolment_sent(struct sl_enrolment *enrolment, size_t len)
{
    enrolment->out_at += (uint16_t)len;
    if (enrolment->out_at >= enrolment->out_len)
        enrolment->out_at = enrolment->out_len = 0;
}

bool sl_enrolment_next(struct sl_enrolment *enrolment, struct sl_enrolment_event *event)
{
    *event = (struct sl_enrolment_event){.kind = SL_ENROLMENT_NONE};
    if (sl_log_pop(&enrolment->log, &event->log)) {
        event->kind = SL_ENROLMENT_LOG;
    } else if (enrolment->has_store_event) {
        enrolment->has_store_event = false;
        event->kind = SL_ENROLMENT_STORE;
        event->image = (struct sl_view){enrolment->image, enrolment->taken};
    } else if (enrolment->has_end_event) {
        enrolment->has_end_event = false;
        event->kind = SL_ENROLMENT_FINISHED;
        event->is_stored = enrolment->taken > 0;
    }
    return event->kind != SL_ENROLMENT_NONE;
}

void sl_enrolment_stored(struct sl_enrolment *enrolment, sl_ms now, bool ok)
{
    if (enrolment->phase != SL_ENROLMENT_STORING)
        return;
    sl_wipe(enrolment->image, sizeof enrolment->image);
    if (ok) {
        sl_wipe(enrolment->key, sizeof enrolment->key);
        sl_wipe(&enrolment->line, sizeof enrolment->line); /* the grant's last bytes */
        sl_enrol_line_init(&enrolment->line);
        enrolment->phase = SL_ENROLMENT_STORED;
        enrolment->due = now + SL_ENROLMENT_LINGER_MS;
        sl_log_push(&enrolment->log, SL_LOG_ENROL_STORED, 0, 0);
        answer(enrolment,
               &(struct sl_enrol_message){.kind = SL_ENROL_STORED, .session = enrolment->session});
        return;
    }
    enrolment->taken = 0;
    enrolment->phase = SL_ENROLMENT_ASKED;
    enrolment->due = now + SL_ENROLMENT_SESSION_MS;
    refuse(enrolment, enrolment->session, SL_ENROL_REFUSAL_STORE, 0);
}

/* A frame whose end did not come would end with the first byte of the next one, whoever says that
 * and however much later. */
void sl_enrolment_tick(struct sl_enrolment *enrolment, sl_ms now)
{
    if (enrolment->has_piece && sl_ms_is_reached(now, enrolment->piece_due)) {
        enrolment->has_piece = false;
        sl_enrol_line_init(&enrolment->line);
    }
    if (!has_end(enrolment) || !sl_ms_is_reached(now, enrolment->due))
        return;
    if (enrolment->phase == SL_ENROLMENT_ASKED) {
        sl_log_push(&enrolment->log, SL_LOG_ENROL_TIMEOUT, SL_ENROLMENT_SESSION_MS / 60000, 0);
        forget(enrolment, now);
    } else {
        end(enrolment);
    }
}

bool sl_enrolment_deadline(const struct sl_enrolment *enrolment, sl_ms now, sl_ms *due)
{
    bool has_due = false;

    if (enrolment->has_piece)
        sl_ms_earliest(now, &has_due, due, enrolment->piece_due);
    if (has_end(enrolment))
        sl_ms_earliest(now, &has_due, due, enrolment->due);
    return has_due;
}

void sl_enrolment_wipe(struct sl_enrolment *enrolment)
{
    sl_wipe(enrolment, sizeof *enrolment);
}

/* What is no message is noise, and what comes from a device is an echo: neither gets an answer. */
static void hear(struct sl_enrolment *enrolment, sl_ms now, struct sl_view frame)
{
    struct sl_enrol_message message;
    const enum sl_status status = sl_enrol_decode(frame, &message);

    if (status == SL_UNSUPPORTED && enrolment->phase != SL_ENROLMENT_STORED)
        refuse(enrolment, message.session, SL_ENROL_REFUSAL_VERSION, 0);
    if (status != SL_OK)
        return;
    switch (message.kind) {
    case SL_ENROL_ASK:
        hear_ask(enrolment, now, &message);
        break;
    case SL_ENROL_PART:
        hear_part(enrolment, now, &message);
        break;
    case SL_ENROL_DONE:
        if (enrolment->phase == SL_ENROLMENT_STORED && message.session == enrolment->session)
            end(enrolment);
        break;
    default:
        break;
    }
}

/* Another session or another name begins anew. */
static void hear_ask(struct sl_enrolment *enrolment, sl_ms now,
                     const struct sl_enrol_message *message)
{
    uint8_t request[SL_REQUEST_MAX];
    size_t len;

    if (enrolment->phase == SL_ENROLMENT_STORED)
        return;
    if (!sl_identity_is_name(message->name)) {
        refuse(enrolment, message->session, SL_ENROL_REFUSAL_NAME, 0);
        return;
    }
    if (message->unix_s < enrolment->config.floor_s) {
        refuse(enrolment, message->session, SL_ENROL_REFUSAL_TIME, 0);
        return;
    }
    if (!is_same_request(enrolment, message))
        begin(enrolment, message);
    enrolment->due = now + SL_ENROLMENT_SESSION_MS;
    if (sl_request_encode(message->name, enrolment->key, request, sizeof request, &len) == SL_OK)
        answer(enrolment, &(struct sl_enrol_message){.kind = SL_ENROL_REQUEST,
                                                     .session = enrolment->session,
                                                     .bytes = {request, len}});
}

static bool is_same_request(const struct sl_enrolment *enrolment,
                            const struct sl_enrol_message *message)
{
    return enrolment->phase == SL_ENROLMENT_ASKED && enrolment->session == message->session &&
           sl_view_is_equal(message->name, enrolment->expected.name);
}

/* A key that was asked for under one name is not shown under another: one of the two certificates
 * would be for a stranger. */
static void begin(struct sl_enrolment *enrolment, const struct sl_enrol_message *message)
{
    struct sl_grant_expected *expected = &enrolment->expected;

    if (expected->name.len > 0 && !sl_view_is_equal(message->name, expected->name))
        make_key(enrolment);
    else
        show_key(enrolment);
    enrolment->phase = SL_ENROLMENT_ASKED;
    enrolment->session = message->session;
    enrolment->taken = 0;
    memcpy(enrolment->name, message->name.data, message->name.len);
    expected->name = (struct sl_view){enrolment->name, message->name.len};
    expected->unix_s = message->unix_s;
}

static void make_key(struct sl_enrolment *enrolment)
{
    sl_request_make_key(&enrolment->random, enrolment->key, enrolment->expected.point);
    show_key(enrolment);
}

static void show_key(struct sl_enrolment *enrolment)
{
    uint8_t fingerprint[SL_REQUEST_FINGERPRINT_LEN];

    sl_request_fingerprint(enrolment->expected.point, fingerprint);
    struct sl_reader first = sl_reader_init((struct sl_view){fingerprint, sizeof fingerprint});
    const int32_t a = (int32_t)sl_read_u32(&first), b = (int32_t)sl_read_u32(&first);
    sl_log_push(&enrolment->log, SL_LOG_ENROL_KEY, a, b);
}

/* The parts come in order. One that does not is answered with where to go on. */
static void hear_part(struct sl_enrolment *enrolment, sl_ms now,
                      const struct sl_enrol_message *message)
{
    const bool is_ours = message->session == enrolment->session;

    if (enrolment->phase == SL_ENROLMENT_STORED && is_ours) {
        answer(enrolment,
               &(struct sl_enrol_message){.kind = SL_ENROL_STORED, .session = enrolment->session});
        return;
    }
    if (enrolment->phase != SL_ENROLMENT_ASKED || !is_ours) {
        refuse(enrolment, message->session, SL_ENROL_REFUSAL_SESSION, 0);
        return;
    }
    enrolment->due = now + SL_ENROLMENT_SESSION_MS;
    if (message->total > SL_GRANT_MAX) {
        refuse(enrolment, message->session, SL_ENROL_REFUSAL_SIZE, message->total);
        return;
    }
    if (message->offset == enrolment->taken) {
        memcpy(enrolment->image + enrolment->taken, message->bytes.data, message->bytes.len);
        enrolment->taken += (uint16_t)message->bytes.len;
        if (enrolment->taken == message->total) {
            complete(enrolment);
            return;
        }
    }
    answer(enrolment, &(struct sl_enrol_message){.kind = SL_ENROL_TAKEN,
                                                 .session = enrolment->session,
                                                 .offset = enrolment->taken});
}

/* The whole grant is there: it becomes an identity, or nothing of it stays. */
static void complete(struct sl_enrolment *enrolment)
{
    int32_t why = 0;
    const enum sl_enrol_refusal refusal = check(enrolment, &why);

    if (refusal == SL_ENROL_REFUSAL_NONE) {
        enrolment->phase = SL_ENROLMENT_STORING;
        enrolment->has_store_event = true;
        return;
    }
    sl_wipe(enrolment->image, sizeof enrolment->image);
    enrolment->taken = 0;
    refuse(enrolment, enrolment->session, refusal, why);
}

static enum sl_enrol_refusal check(struct sl_enrolment *enrolment, int32_t *why)
{
    struct sl_identity grant;
    size_t len = enrolment->taken;
    const struct sl_view image = {enrolment->image, len};
    uint32_t number;

    if (sl_grant_decode(image, &grant) != SL_OK)
        return SL_ENROL_REFUSAL_DAMAGED;
    const enum sl_refusal refusal =
        sl_grant_check(image, &grant, &enrolment->expected, &enrolment->checks, &number);
    *why = (int32_t)refusal;
    switch ((unsigned)refusal) {
    case SL_REFUSAL_NONE:
        break;
    case SL_REFUSAL_GRANT_NAME:
    case SL_REFUSAL_GRANT_KEY:
    case SL_REFUSAL_GRANT_CURVE:
        return SL_ENROL_REFUSAL_KEY;
    case SL_REFUSAL_GRANT_DATES:
    case SL_REFUSAL_GRANT_OLD:
        return SL_ENROL_REFUSAL_DATES;
    default:
        return SL_ENROL_REFUSAL_UNTRUSTED;
    }
    if (sl_grant_complete(enrolment->image, sizeof enrolment->image, &len, enrolment->key, NULL) !=
        SL_OK)
        return SL_ENROL_REFUSAL_SIZE;
    enrolment->taken = (uint16_t)len;
    return SL_ENROL_REFUSAL_NONE;
}

static void answer(struct sl_enrolment *enrolment, const struct sl_enrol_message *message)
{
    size_t len;

    (void)!sl_enrol_encode(message, enrolment->out, &len); /* none where it is not possible */
    enrolment->out_at = 0;
    enrolment->out_len = (uint16_t)len;
}

static void refuse(struct sl_enrolment *enrolment, uint32_t session, enum sl_enrol_refusal refusal,
                   int32_t why)
{
    sl_log_push(&enrolment->log, SL_LOG_ENROL_REFUSED, (int32_t)refusal, why);
    answer(enrolment, &(struct sl_enrol_message){.kind = SL_ENROL_REFUSED,
                                                 .session = session,
                                                 .refusal = (uint8_t)refusal});
}

/* As if nobody had asked; the key stays, its fingerprint may be on somebody's screen. */
static void forget(struct sl_enrolment *enrolment, sl_ms now)
{
    sl_wipe(enrolment->image, sizeof enrolment->image);
    sl_wipe(&enrolment->line, sizeof enrolment->line);
    sl_enrol_line_init(&enrolment->line);
    enrolment->taken = 0;
    enrolment->out_at = enrolment->out_len = 0;
    enrolment->phase = SL_ENROLMENT_WAITING;
    enrolment->due = now + enrolment->config.quiet_ms;
}

/* taken stays: it says whether an identity was stored. */
static void end(struct sl_enrolment *enrolment)
{
    enrolment->has_piece = false;
    enrolment->phase = SL_ENROLMENT_ENDED;
    enrolment->out_at = enrolment->out_len = 0;
    enrolment->has_end_event = true;
}

/* Does the phase end by itself, at due? */
static bool has_end(const struct sl_enrolment *enrolment)
{
    switch (enrolment->phase) {
    case SL_ENROLMENT_WAITING:
        return enrolment->config.quiet_ms > 0;
    case SL_ENROLMENT_ASKED:
    case SL_ENROLMENT_STORED:
        return true;
    case SL_ENROLMENT_STORING:
    case SL_ENROLMENT_ENDED:
        return false;
    }
    return false;
}
