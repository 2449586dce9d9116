/* One message at a time, said until it is answered. */
#include "enrol/host.h"

static void hear(struct sl_enrol_host *host, sl_ms now, struct sl_view frame);
static void hear_taken(struct sl_enrol_host *host, sl_ms now, uint16_t offset);
static void say(struct sl_enrol_host *host, sl_ms now);
static void put(struct sl_enrol_host *host, const struct sl_enrol_message *message);
static uint16_t part_len(const struct sl_enrol_host *host);
static void get_further(struct sl_enrol_host *host, sl_ms now);
static void fail(struct sl_enrol_host *host, enum sl_status status, uint8_t refusal);
static bool is_waiting(const struct sl_enrol_host *host);

void sl_enrol_host_init(struct sl_enrol_host *host, sl_ms now,
                        const struct sl_enrol_host_config *config)
{
    memset(host, 0, sizeof *host);
    host->config = *config;
    sl_enrol_line_init(&host->line);
    get_further(host, now);
    say(host, now);
}

void sl_enrol_host_grant(struct sl_enrol_host *host, sl_ms now, struct sl_view grant)
{
    if (host->phase != SL_ENROL_HOST_READY)
        return;
    host->phase = SL_ENROL_HOST_SENDING;
    host->grant = grant;
    get_further(host, now);
    say(host, now);
}

size_t sl_enrol_host_feed(struct sl_enrol_host *host, sl_ms now, const uint8_t *in, size_t len)
{
    size_t used = 0;

    while (used < len && host->event.kind == SL_ENROL_HOST_NONE) {
        struct sl_view frame;
        used += sl_enrol_line_feed(&host->line, in + used, len - used, &frame);
        if (frame.len > 0 && host->phase != SL_ENROL_HOST_ENDED)
            hear(host, now, frame);
    }
    return used;
}

struct sl_view sl_enrol_host_peek(const struct sl_enrol_host *host)
{
    return (struct sl_view){host->out + host->out_at, (size_t)(host->out_len - host->out_at)};
}

void sl_enrol_host_sent(struct sl_enrol_host *host, size_t len)
{
    host->out_at += (uint16_t)len;
    if (host->out_at >= host->out_len)
        host->out_at = host->out_len = 0;
}

bool sl_enrol_host_next(struct sl_enrol_host *host, struct sl_enrol_host_event *event)
{
    *event = host->event;
    host->event = (struct sl_enrol_host_event){.kind = SL_ENROL_HOST_NONE};
    return event->kind != SL_ENROL_HOST_NONE;
}

/* A message that is still on its way out is not begun again. */
void sl_enrol_host_tick(struct sl_enrol_host *host, sl_ms now)
{
    if (!is_waiting(host))
        return;
    if (sl_ms_is_reached(now, host->give_up_due))
        fail(host, SL_TIMEOUT, SL_ENROL_REFUSAL_NONE);
    else if (sl_ms_is_reached(now, host->resend_due))
        say(host, now);
}

bool sl_enrol_host_deadline(const struct sl_enrol_host *host, sl_ms now, sl_ms *due)
{
    bool has_due = false;

    if (!is_waiting(host))
        return false;
    sl_ms_earliest(now, &has_due, due, host->give_up_due);
    sl_ms_earliest(now, &has_due, due, host->resend_due);
    return true;
}

/* Noise, echoes and what belongs to another session say nothing. */
static void hear(struct sl_enrol_host *host, sl_ms now, struct sl_view frame)
{
    struct sl_enrol_message message;
    const enum sl_status status = sl_enrol_decode(frame, &message);

    if ((status != SL_OK && status != SL_UNSUPPORTED) || message.session != host->config.session)
        return;
    if (status == SL_UNSUPPORTED) {
        fail(host, SL_UNSUPPORTED, SL_ENROL_REFUSAL_NONE);
        return;
    }
    switch (message.kind) {
    case SL_ENROL_REQUEST:
        if (host->phase != SL_ENROL_HOST_ASKING)
            return;
        memcpy(host->request, message.bytes.data, message.bytes.len);
        host->phase = SL_ENROL_HOST_READY;
        host->out_at = host->out_len = 0;
        host->event = (struct sl_enrol_host_event){.kind = SL_ENROL_HOST_REQUEST,
                                                   .request = {host->request, message.bytes.len}};
        break;
    case SL_ENROL_TAKEN:
        if (host->phase == SL_ENROL_HOST_SENDING)
            hear_taken(host, now, message.offset);
        break;
    case SL_ENROL_STORED:
        if (host->phase != SL_ENROL_HOST_SENDING)
            return;
        host->phase = SL_ENROL_HOST_ENDED;
        put(host,
            &(struct sl_enrol_message){.kind = SL_ENROL_DONE, .session = host->config.session});
        host->event = (struct sl_enrol_host_event){.kind = SL_ENROL_HOST_STORED};
        break;
    case SL_ENROL_REFUSED:
        if (host->phase != SL_ENROL_HOST_READY)
            fail(host, SL_REFUSED, message.refusal);
        break;
    default:
        break;
    }
}

/* The answer to the part that was said last lets the next one go. Any other may be the second to
 * an earlier part, which said the same twice: it only tells where to go on when it is time to say
 * something again, so answers never multiply. */
static void hear_taken(struct sl_enrol_host *host, sl_ms now, uint16_t offset)
{
    const uint16_t expected = (uint16_t)(host->offset + part_len(host));

    if (offset >= host->grant.len)
        return;
    host->offset = offset;
    if (offset != expected)
        return;
    if (offset > host->farthest) {
        host->farthest = offset;
        get_further(host, now);
        host->event =
            (struct sl_enrol_host_event){.kind = SL_ENROL_HOST_PROGRESS, .offset = offset};
    }
    say(host, now);
}

static void say(struct sl_enrol_host *host, sl_ms now)
{
    struct sl_enrol_message message = {.session = host->config.session};

    host->resend_due = now + SL_ENROL_RESEND_MS;
    if (host->out_at > 0)
        return;
    if (host->phase == SL_ENROL_HOST_ASKING) {
        message.kind = SL_ENROL_ASK;
        message.name = host->config.name;
        message.unix_s = host->config.unix_s;
    } else {
        message.kind = SL_ENROL_PART;
        message.offset = host->offset;
        message.total = (uint16_t)host->grant.len;
        message.bytes = (struct sl_view){host->grant.data + host->offset, part_len(host)};
    }
    put(host, &message);
}

static void put(struct sl_enrol_host *host, const struct sl_enrol_message *message)
{
    size_t len;

    (void)!sl_enrol_encode(message, host->out, &len); /* none where it is not possible */
    host->out_at = 0;
    host->out_len = (uint16_t)len;
}

static uint16_t part_len(const struct sl_enrol_host *host)
{
    const size_t left = host->grant.len - host->offset;

    return (uint16_t)(left < SL_ENROL_PART_MAX ? left : SL_ENROL_PART_MAX);
}

static void get_further(struct sl_enrol_host *host, sl_ms now)
{
    host->give_up_due = now + host->config.timeout_ms;
}

static void fail(struct sl_enrol_host *host, enum sl_status status, uint8_t refusal)
{
    host->phase = SL_ENROL_HOST_ENDED;
    host->out_at = host->out_len = 0;
    host->event = (struct sl_enrol_host_event){
        .kind = SL_ENROL_HOST_FAILED, .status = status, .refusal = refusal};
}

static bool is_waiting(const struct sl_enrol_host *host)
{
    return host->phase == SL_ENROL_HOST_ASKING || host->phase == SL_ENROL_HOST_SENDING;
}
