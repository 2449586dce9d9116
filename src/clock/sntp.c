/* SNTP v4: the packet's codec, then the engine that asks and asks again. */
#include "clock/sntp.h"

#define VERSION        4
#define MODE_CLIENT    3
#define MODE_SERVER    4
#define LEAP_ALARM     3 /* the server's clock is not synchronised */
#define STRATUM_MAX    15
#define ONE_SECOND     UINT32_C(0x10000)    /* in NTP short format, 16.16 */
#define UNIX_EPOCH_NTP UINT64_C(2208988800) /* 1970 in seconds since 1900 */
#define NONCE_OFFSET   40                   /* transmit timestamp */

static uint64_t choose_era(uint32_t ntp_s, uint64_t floor_s);
static void succeed(struct sl_sntp *sntp, sl_ms now, uint64_t unix_s, uint16_t unix_ms);
static void fail(struct sl_sntp *sntp, sl_ms now, enum sl_status status);
static void close_request(struct sl_sntp *sntp);

void sl_sntp_encode(uint64_t nonce, uint8_t packet[SL_SNTP_LEN])
{
    struct sl_writer writer = sl_writer_init(packet + NONCE_OFFSET, SL_SNTP_LEN - NONCE_OFFSET);

    memset(packet, 0, SL_SNTP_LEN);
    packet[0] = VERSION << 3 | MODE_CLIENT;
    sl_write_u64(&writer, nonce);
}

enum sl_status sl_sntp_decode(struct sl_view packet, uint64_t nonce, uint64_t floor_s,
                              uint64_t *unix_s, uint16_t *unix_ms)
{
    struct sl_reader reader = sl_reader_init(packet);

    *unix_s = 0;
    *unix_ms = 0;
    uint8_t head = sl_read_u8(&reader);
    uint8_t stratum = sl_read_u8(&reader);
    sl_read_u16(&reader); /* poll, precision */
    uint32_t root_delay = sl_read_u32(&reader);
    uint32_t root_dispersion = sl_read_u32(&reader);
    sl_read_u32(&reader); /* reference identifier */
    sl_read_u64(&reader); /* reference timestamp */
    uint64_t origin = sl_read_u64(&reader);
    sl_read_u64(&reader); /* receive timestamp */
    uint32_t transmit_s = sl_read_u32(&reader);
    uint32_t transmit_fraction = sl_read_u32(&reader);

    if (packet.len != SL_SNTP_LEN || (head & 7) != MODE_SERVER || (head >> 3 & 7) != VERSION)
        return SL_MALFORMED;
    if (nonce == 0 || origin != nonce)
        return SL_UNTRUSTED;
    if (head >> 6 == LEAP_ALARM || stratum == 0 || stratum > STRATUM_MAX ||
        root_delay >= ONE_SECOND || root_dispersion >= ONE_SECOND)
        return SL_REFUSED;
    if (transmit_s == 0 && transmit_fraction == 0)
        return SL_MALFORMED;
    *unix_s = choose_era(transmit_s, floor_s);
    *unix_ms = (uint16_t)((uint64_t)transmit_fraction * 1000 >> 32);
    return SL_OK;
}

void sl_sntp_init(struct sl_sntp *sntp, sl_ms now, uint64_t floor_s)
{
    *sntp = (struct sl_sntp){.floor_s = floor_s, .due = now, .pause_ms = SL_SNTP_RETRY_MS};
    sl_sntp_tick(sntp, now);
}

void sl_sntp_ask(struct sl_sntp *sntp, sl_ms now, uint64_t nonce)
{
    if (!sntp->needs_nonce || nonce == 0)
        return;
    sntp->needs_nonce = false;
    sntp->nonce = nonce;
    sntp->asked_at = now;
    sntp->due = now + SL_SNTP_ANSWER_MS;
    sntp->reason = SL_TIMEOUT;
    sl_sntp_encode(nonce, sntp->packet);
    sntp->has_packet = true;
}

struct sl_view sl_sntp_peek(const struct sl_sntp *sntp)
{
    return (struct sl_view){sntp->packet, sntp->has_packet ? SL_SNTP_LEN : 0};
}

void sl_sntp_sent(struct sl_sntp *sntp)
{
    sntp->has_packet = false;
}

/* Anybody can send a datagram. One without our nonce proves nothing, so the wait goes on; at its
 * end the failure names what was wrong with the last one. */
void sl_sntp_feed(struct sl_sntp *sntp, sl_ms now, struct sl_view datagram)
{
    uint64_t unix_s;
    uint16_t unix_ms;

    sl_sntp_tick(sntp, now);
    if (sntp->nonce == 0)
        return;
    enum sl_status status = sl_sntp_decode(datagram, sntp->nonce, sntp->floor_s, &unix_s, &unix_ms);
    if (status == SL_OK)
        succeed(sntp, now, unix_s, unix_ms);
    else if (status == SL_REFUSED)
        fail(sntp, now, status);
    else
        sntp->reason = status;
}

bool sl_sntp_next(struct sl_sntp *sntp, struct sl_sntp_event *event)
{
    *event = sntp->event;
    sntp->event = (struct sl_sntp_event){.kind = SL_SNTP_NONE};
    return event->kind != SL_SNTP_NONE;
}

void sl_sntp_tick(struct sl_sntp *sntp, sl_ms now)
{
    if (sntp->needs_nonce || !sl_ms_is_reached(now, sntp->due))
        return;
    if (sntp->nonce != 0) {
        fail(sntp, now, sntp->reason);
    } else if (sntp->event.kind == SL_SNTP_NONE) {
        sntp->needs_nonce = true;
        sntp->event.kind = SL_SNTP_NEEDS_NONCE;
    }
}

bool sl_sntp_deadline(const struct sl_sntp *sntp, sl_ms now, sl_ms *due)
{
    bool has_due = false;

    if (!sntp->needs_nonce)
        sl_ms_earliest(now, &has_due, due, sntp->due);
    return has_due;
}

/* NTP seconds wrap every 136 years (2036 first): of all instants that they can mean, the one
 * nearest to the floor. */
static uint64_t choose_era(uint32_t ntp_s, uint64_t floor_s)
{
    uint32_t ahead = ntp_s - (uint32_t)(floor_s + UNIX_EPOCH_NTP);
    uint64_t behind = (UINT64_C(1) << 32) - ahead;

    return ahead < UINT32_C(0x80000000) || floor_s < behind ? floor_s + ahead : floor_s - behind;
}

/* The answer left the server about half a round trip ago. The round trip is below
 * SL_SNTP_ANSWER_MS: a later answer finds its request closed. */
static void succeed(struct sl_sntp *sntp, sl_ms now, uint64_t unix_s, uint16_t unix_ms)
{
    uint32_t ms = unix_ms + (now - sntp->asked_at) / 2;

    close_request(sntp);
    sntp->due = now + SL_SNTP_REFRESH_MS;
    sntp->pause_ms = SL_SNTP_RETRY_MS;
    sntp->event = (struct sl_sntp_event){
        .kind = SL_SNTP_TIME, .unix_s = unix_s + ms / 1000, .unix_ms = (uint16_t)(ms % 1000)};
}

static void fail(struct sl_sntp *sntp, sl_ms now, enum sl_status status)
{
    close_request(sntp);
    sntp->due = now + sntp->pause_ms;
    sntp->pause_ms =
        sntp->pause_ms > SL_SNTP_RETRY_MAX_MS / 2 ? SL_SNTP_RETRY_MAX_MS : 2 * sntp->pause_ms;
    sntp->event = (struct sl_sntp_event){.kind = SL_SNTP_FAILED, .status = status};
}

static void close_request(struct sl_sntp *sntp)
{
    sntp->nonce = 0;
    sntp->has_packet = false;
}
