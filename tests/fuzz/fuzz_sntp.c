/* SNTP: the first byte chooses between one packet for the codec and a script for the engine, in
 * which datagrams, time and nonces come in any order.
 *
 * Contract of the codec: only an answer that repeats our nonce gives a time, of the era nearest to
 * the floor; a failure gives zeros. Of the engine: no time without an open request and an answer
 * that the codec takes; what it sends is its own nonce, once; extra ticks change nothing; a clock
 * just below its wrap behaves the same; it always asks again. */
#include "clock/sntp.h"
#include "fuzz.h"

#define ORIGIN_OFFSET 24
#define WRAP_START    UINT32_C(0xFFFFF000)

static void check_packet(struct sl_reader input);
static void run(struct sl_reader input, sl_ms start, bool extra_ticks, struct fuzz_trace *trace);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct fuzz_trace plain, other;
    struct sl_reader input = sl_reader_init((struct sl_view){data, len});
    if (fuzz_u8(&input) & 1) {
        check_packet(input);
        return 0;
    }
    run(input, 0, false, &plain);
    run(input, WRAP_START, true, &other);
    FUZZ_CHECK(fuzz_is_same(&plain, &other));
    return 0;
}

static void check_packet(struct sl_reader input)
{
    uint64_t floor_s = fuzz_u64(&input) >> 24; /* up to the year 36812 */
    uint64_t nonce = fuzz_u64(&input);
    struct sl_view packet = fuzz_take(&input, SIZE_MAX);
    uint64_t unix_s = 1;
    uint16_t unix_ms = 1;
    enum sl_status status = sl_sntp_decode(packet, nonce, floor_s, &unix_s, &unix_ms);
    if (status != SL_OK) {
        FUZZ_CHECK(unix_s == 0 && unix_ms == 0);
        FUZZ_CHECK(status == SL_MALFORMED || status == SL_REFUSED || status == SL_UNTRUSTED);
        return;
    }
    struct sl_reader fields = sl_reader_init(packet);
    sl_read_view(&fields, ORIGIN_OFFSET);
    FUZZ_CHECK(packet.len == SL_SNTP_LEN && nonce != 0 && sl_read_u64(&fields) == nonce);
    sl_read_u64(&fields);
    FUZZ_CHECK((uint32_t)(unix_s + UINT64_C(2208988800)) == sl_read_u32(&fields));
    uint64_t distance = unix_s > floor_s ? unix_s - floor_s : floor_s - unix_s;
    FUZZ_CHECK(distance <= UINT64_C(1) << 31 || unix_s < UINT64_C(1) << 32);
    FUZZ_CHECK(unix_ms <= 999);
}

static void drain(struct sl_sntp *sntp, sl_ms now, bool had_request, struct fuzz_trace *trace)
{
    struct sl_sntp_event event;
    while (sl_sntp_next(sntp, &event)) {
        fuzz_note_number(trace, event.kind);
        fuzz_note_number(trace, event.status);
        fuzz_note_number(trace, event.unix_s);
        fuzz_note_number(trace, event.unix_ms);
        FUZZ_CHECK(event.kind != SL_SNTP_TIME || (had_request && event.unix_ms <= 999));
        FUZZ_CHECK((event.kind == SL_SNTP_FAILED) == (event.status != SL_OK));
    }
    (void)now;
}

static void run(struct sl_reader input, sl_ms start, bool extra_ticks, struct fuzz_trace *trace)
{
    struct sl_sntp sntp;
    sl_ms now = start;
    trace->len = 0;
    sl_sntp_init(&sntp, now, UINT64_C(1795305600));
    drain(&sntp, now, false, trace);
    while (fuzz_has_more(&input)) {
        uint8_t op = fuzz_u8(&input);
        bool had_request = sntp.nonce != 0;
        if (extra_ticks)
            sl_sntp_tick(&sntp, now);
        switch (op & 7) {
        case 0:
            sl_sntp_ask(&sntp, now, fuzz_u64(&input));
            break;
        case 1: /* the request goes out */
            if (sl_sntp_peek(&sntp).len > 0) {
                uint8_t request[SL_SNTP_LEN];
                sl_sntp_encode(sntp.nonce, request);
                FUZZ_CHECK(sntp.nonce != 0 && sl_sntp_peek(&sntp).len == SL_SNTP_LEN);
                FUZZ_CHECK(memcmp(sl_sntp_peek(&sntp).data, request, SL_SNTP_LEN) == 0);
            }
            sl_sntp_sent(&sntp);
            FUZZ_CHECK(sl_sntp_peek(&sntp).len == 0);
            break;
        case 2: /* from anybody */
            sl_sntp_feed(&sntp, now, fuzz_take(&input, op >> 3));
            break;
        case 3: { /* from one who saw the request */
            uint8_t packet[SL_SNTP_LEN] = {0};
            struct sl_view bytes = fuzz_take(&input, SL_SNTP_LEN);
            if (bytes.len > 0)
                memcpy(packet, bytes.data, bytes.len);
            struct sl_writer origin = sl_writer_init(packet + ORIGIN_OFFSET, 8);
            sl_write_u64(&origin, sntp.nonce);
            sl_sntp_feed(&sntp, now, (struct sl_view){packet, sizeof packet});
            break;
        }
        case 4:
            now += fuzz_u8(&input);
            sl_sntp_tick(&sntp, now);
            break;
        case 5: { /* sleep as the port does */
            sl_ms due;
            if (sl_sntp_deadline(&sntp, now, &due)) {
                FUZZ_CHECK(sl_ms_until(now, due) <= SL_SNTP_REFRESH_MS);
                now += sl_ms_until(now, due);
            }
            sl_sntp_tick(&sntp, now);
            break;
        }
        default:
            now += fuzz_u16(&input);
            sl_sntp_tick(&sntp, now);
        }
        if (extra_ticks)
            sl_sntp_tick(&sntp, now);
        drain(&sntp, now, had_request, trace);
    }

    /* Whatever was, it asks again. */
    sl_ms due;
    for (unsigned i = 0; i < 4 && !sntp.needs_nonce; i++) {
        FUZZ_CHECK(sl_sntp_deadline(&sntp, now, &due));
        now += sl_ms_until(now, due);
        sl_sntp_tick(&sntp, now);
        drain(&sntp, now, true, trace);
    }
    FUZZ_CHECK(sntp.needs_nonce);
}
