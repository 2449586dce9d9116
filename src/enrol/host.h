/* The host's end of an enrolment: asks a device for its request, and gives it the grant.
 *
 *   asking --REQUEST--> ready --sl_enrol_host_grant--> sending --STORED--> ended
 *
 * Sans-I/O like every engine. What gets no answer is said again; the device answers the same. A
 * wait ends after timeout_ms in which nothing got further, whatever else comes down the line.
 */
#ifndef SL_ENROL_HOST_H
#define SL_ENROL_HOST_H

#include "base/time.h"
#include "enrol/frame.h"

#define SL_ENROL_RESEND_MS 1500 /* a small device makes a key, or checks a grant, meanwhile */

struct sl_enrol_host_config {
    struct sl_view name; /* 1..SL_NAME_MAX; outlives the host */
    uint32_t session;    /* random: what is on the line from an earlier one does not count */
    uint64_t unix_s;
    uint32_t timeout_ms; /* above SL_ENROL_RESEND_MS */
};

enum sl_enrol_host_event_kind {
    SL_ENROL_HOST_NONE,
    SL_ENROL_HOST_REQUEST,  /* request: judge it, then sl_enrol_host_grant */
    SL_ENROL_HOST_PROGRESS, /* offset: how much of the grant the device has */
    SL_ENROL_HOST_STORED,   /* the end: send what is in peek, then close */
    SL_ENROL_HOST_FAILED    /* the end: status and, with SL_REFUSED, refusal */
};

struct sl_enrol_host_event {
    enum sl_enrol_host_event_kind kind;
    struct sl_view request; /* as the device gave it, any bytes; valid as long as the host */
    uint16_t offset;
    enum sl_status status; /* SL_TIMEOUT, SL_REFUSED, SL_UNSUPPORTED (another version) */
    uint8_t refusal;
};

enum sl_enrol_host_phase {
    SL_ENROL_HOST_ASKING,
    SL_ENROL_HOST_READY,
    SL_ENROL_HOST_SENDING,
    SL_ENROL_HOST_ENDED
};

struct sl_enrol_host {
    struct sl_enrol_host_config config;
    struct sl_enrol_line line;
    enum sl_enrol_host_phase phase;
    struct sl_enrol_host_event event; /* kind NONE: there is none */
    struct sl_view grant;
    uint16_t offset;   /* of the next part */
    uint16_t farthest; /* that the device ever had */
    sl_ms resend_due, give_up_due;
    uint8_t request[SL_ENROL_BODY_MAX];
    uint8_t out[SL_ENROL_WIRE_MAX];
    uint16_t out_at, out_len;
};

void sl_enrol_host_init(struct sl_enrol_host *host, sl_ms now,
                        const struct sl_enrol_host_config *config);
/* grant: 1..65535 bytes, outlives the host. No effect unless SL_ENROL_HOST_REQUEST came. */
void sl_enrol_host_grant(struct sl_enrol_host *host, sl_ms now, struct sl_view grant);

/* Anything from the line, cut in any way. Fewer than len: pull the event first. */
size_t sl_enrol_host_feed(struct sl_enrol_host *host, sl_ms now, const uint8_t *in, size_t len);
struct sl_view sl_enrol_host_peek(const struct sl_enrol_host *host);
void sl_enrol_host_sent(struct sl_enrol_host *host, size_t len);
bool sl_enrol_host_next(struct sl_enrol_host *host, struct sl_enrol_host_event *event);
void sl_enrol_host_tick(struct sl_enrol_host *host, sl_ms now);
bool sl_enrol_host_deadline(const struct sl_enrol_host *host, sl_ms now, sl_ms *due);

#endif
