/* SNTP v4 client (RFC 4330, RFC 5905): one request at a time, every field checked.
 *
 * The transmit timestamp of a request is random; only an answer that repeats it as its origin
 * timestamp is looked at, so a blind sender cannot answer for the server.
 */
#ifndef SL_CLOCK_SNTP_H
#define SL_CLOCK_SNTP_H

#include "base/bytes.h"
#include "base/status.h"
#include "base/time.h"

#define SL_SNTP_LEN          48
#define SL_SNTP_ANSWER_MS    2000 /* wait for one answer */
#define SL_SNTP_RETRY_MS     4000 /* first pause after a failure; doubles */
#define SL_SNTP_RETRY_MAX_MS 600000
#define SL_SNTP_REFRESH_MS   3600000 /* between successful answers */

/* Request with nonce as transmit timestamp. nonce: random, not zero. */
void sl_sntp_encode(uint64_t nonce, uint8_t packet[SL_SNTP_LEN]);

/* Check an answer. Gives UTC of the server's transmit timestamp: of all eras that one
 * nearest to floor_s.
 * Fails: SL_MALFORMED (length, mode, version, zero timestamp), SL_REFUSED (kiss-o'-death, stratum
 * 0 or above 15, leap 3 = unsynchronised, root delay or dispersion of 1 s or more),
 * SL_UNTRUSTED (origin timestamp is not our nonce). On failure outputs are 0. */
SL_MUST_CHECK enum sl_status sl_sntp_decode(struct sl_view packet, uint64_t nonce, uint64_t floor_s,
                                            uint64_t *unix_s, uint16_t *unix_ms);

enum sl_sntp_event_kind {
    SL_SNTP_NONE,
    SL_SNTP_NEEDS_NONCE, /* time to ask: call sl_sntp_ask with fresh randomness */
    SL_SNTP_TIME,        /* unix_s, unix_ms: half of the round trip is added */
    SL_SNTP_FAILED       /* status: why; the engine tries again by itself */
};

struct sl_sntp_event {
    enum sl_sntp_event_kind kind;
    enum sl_status status;
    uint64_t unix_s;
    uint16_t unix_ms;
};

struct sl_sntp {
    uint64_t nonce; /* 0: no request is open */
    uint64_t floor_s;
    sl_ms asked_at, due;
    uint32_t pause_ms;     /* after the next failure */
    enum sl_status reason; /* why the open request would fail now */
    uint8_t packet[SL_SNTP_LEN];
    bool has_packet, needs_nonce;
    struct sl_sntp_event event;
};

/* Asks at once: SL_SNTP_NEEDS_NONCE is the first event. */
void sl_sntp_init(struct sl_sntp *sntp, sl_ms now, uint64_t floor_s);
/* Answers SL_SNTP_NEEDS_NONCE; no effect at any other time, or with nonce 0. */
void sl_sntp_ask(struct sl_sntp *sntp, sl_ms now, uint64_t nonce);
/* The request to send as one datagram; empty when there is none. */
struct sl_view sl_sntp_peek(const struct sl_sntp *sntp);
void sl_sntp_sent(struct sl_sntp *sntp);
/* One whole datagram, from anybody. */
void sl_sntp_feed(struct sl_sntp *sntp, sl_ms now, struct sl_view datagram);
bool sl_sntp_next(struct sl_sntp *sntp, struct sl_sntp_event *event);
void sl_sntp_tick(struct sl_sntp *sntp, sl_ms now);
bool sl_sntp_deadline(const struct sl_sntp *sntp, sl_ms now, sl_ms *due);

#endif
