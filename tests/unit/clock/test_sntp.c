/* The SNTP codec against its vectors; the engine's requests, retries and laws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "clock/sntp.h"
#include "support/vectors.h"
#include <cmocka.h>

#define FLOOR UINT64_C(1795305600)
#define NONCE UINT64_C(0x0123456789abcdef)

static const uint8_t good[SL_SNTP_LEN] = {
    0x24, 2,    6,    0xec, 0,    0,    2,    0,    0, 0, 3, 0, 127, 0, 0, 1, /* */
    0,    0,    0,    1,    0,    0,    0,    0,                              /* ref */
    0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,                           /* origin */
    0,    0,    0,    1,    0,    0,    0,    0,                              /* rx */
    0xee, 0xf5, 0x43, 0x80, 0x80, 0,    0,    0};                             /* tx */
#define GOOD_UNIX_S (0xeef54380u - 2208988800u)

static enum sl_status status_named(const char *name)
{
    static const struct {
        const char *name;
        enum sl_status status;
    } names[] = {{"ok", SL_OK},
                 {"malformed", SL_MALFORMED},
                 {"untrusted", SL_UNTRUSTED},
                 {"refused", SL_REFUSED}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i].name) == 0)
            return names[i].status;
    }
    fail_msg("no status '%s'", name);
    return SL_BAD_ARGUMENT;
}

static void test_decodes_vectors(void **state)
{
    struct test_vectors vectors;
    unsigned count = 0;
    (void)state;

    test_vectors_open(&vectors, SL_VECTORS "/clock/sntp.txt");
    for (; test_vectors_next(&vectors); count++) {
        uint8_t packet[100];
        uint64_t unix_s = 1;
        uint16_t unix_ms = 1;
        assert_int_equal(vectors.fields_len, 6);
        struct sl_view view = {packet, test_hex(vectors.fields[5], packet, sizeof packet)};
        enum sl_status status =
            sl_sntp_decode(view, strtoull(vectors.fields[1], NULL, 16),
                           strtoull(vectors.fields[2], NULL, 10), &unix_s, &unix_ms);
        if (status != status_named(vectors.fields[0]) ||
            unix_s != strtoull(vectors.fields[3], NULL, 10) ||
            unix_ms != strtoul(vectors.fields[4], NULL, 10))
            fail_msg("line %u: %s, %llu.%03u", vectors.line, sl_status_text(status),
                     (unsigned long long)unix_s, unix_ms);
    }
    assert_true(count >= 30);
}

static void test_request_tells_nothing_but_the_nonce(void **state)
{
    uint8_t packet[SL_SNTP_LEN];
    (void)state;

    sl_sntp_encode(NONCE, packet);
    assert_int_equal(packet[0], 0x23); /* version 4, client */
    for (size_t i = 1; i < 40; i++)
        assert_int_equal(packet[i], 0);
    assert_memory_equal(packet + 40, good + 24, 8);
}

static void expect(struct sl_sntp *sntp, enum sl_sntp_event_kind kind, struct sl_sntp_event *event)
{
    struct sl_sntp_event none;

    sl_sntp_next(sntp, event);
    assert_int_equal(event->kind, kind);
    assert_false(sl_sntp_next(sntp, &none));
}

/* A client that has just sent its request with this nonce. */
static void start(struct sl_sntp *sntp, sl_ms now)
{
    struct sl_sntp_event event;

    sl_sntp_init(sntp, now, FLOOR);
    expect(sntp, SL_SNTP_NEEDS_NONCE, &event);
    sl_sntp_ask(sntp, now, NONCE);
    assert_int_equal(sl_sntp_peek(sntp).len, SL_SNTP_LEN);
    sl_sntp_sent(sntp);
    assert_int_equal(sl_sntp_peek(sntp).len, 0);
}

static void test_answer_gives_time_with_half_the_round_trip(void **state)
{
    struct sl_sntp sntp;
    struct sl_sntp_event event;
    sl_ms due;
    (void)state;

    start(&sntp, 1000);
    sl_sntp_feed(&sntp, 2800, (struct sl_view){good, sizeof good});
    expect(&sntp, SL_SNTP_TIME, &event);
    assert_int_equal(event.unix_s, GOOD_UNIX_S + 1); /* 0.5 s + 1.8 s / 2 */
    assert_int_equal(event.unix_ms, 400);
    assert_true(sl_sntp_deadline(&sntp, 2800, &due));
    assert_int_equal(due, 2800 + SL_SNTP_REFRESH_MS);

    sl_sntp_feed(&sntp, 2900, (struct sl_view){good, sizeof good}); /* the same again: replayed */
    expect(&sntp, SL_SNTP_NONE, &event);
}

static void test_foreign_datagrams_do_not_end_a_request(void **state)
{
    struct sl_sntp sntp;
    struct sl_sntp_event event;
    uint8_t foreign[SL_SNTP_LEN];
    (void)state;

    memcpy(foreign, good, sizeof foreign);
    foreign[31] ^= 1;
    start(&sntp, 0);
    sl_sntp_feed(&sntp, 10, (struct sl_view){foreign, sizeof foreign});
    sl_sntp_feed(&sntp, 11, (struct sl_view){good, 47});
    sl_sntp_feed(&sntp, 12, (struct sl_view){NULL, 0});
    expect(&sntp, SL_SNTP_NONE, &event);
    sl_sntp_feed(&sntp, 20, (struct sl_view){good, sizeof good});
    expect(&sntp, SL_SNTP_TIME, &event);

    start(&sntp, 0); /* but the failure tells about them */
    sl_sntp_feed(&sntp, 10, (struct sl_view){foreign, sizeof foreign});
    sl_sntp_tick(&sntp, SL_SNTP_ANSWER_MS);
    expect(&sntp, SL_SNTP_FAILED, &event);
    assert_int_equal(event.status, SL_UNTRUSTED);
}

static void test_kiss_of_death_backs_off(void **state)
{
    struct sl_sntp sntp;
    struct sl_sntp_event event;
    uint8_t kiss[SL_SNTP_LEN];
    sl_ms due;
    (void)state;

    memcpy(kiss, good, sizeof kiss);
    kiss[1] = 0;
    start(&sntp, 0);
    sl_sntp_feed(&sntp, 10, (struct sl_view){kiss, sizeof kiss});
    expect(&sntp, SL_SNTP_FAILED, &event);
    assert_int_equal(event.status, SL_REFUSED);
    assert_true(sl_sntp_deadline(&sntp, 10, &due));
    assert_int_equal(due, 10 + SL_SNTP_RETRY_MS);
}

/* Silence for a day: what happens, with a tick at every deadline and extra ticks between, and
 * the clock starting at base. Gives a digest of all events and their instants after base. */
static uint64_t silence(sl_ms base, bool has_extra_ticks)
{
    struct sl_sntp sntp;
    struct sl_sntp_event event;
    uint64_t digest = 0, nonce = NONCE;
    uint32_t after = 0;

    sl_sntp_init(&sntp, base, FLOOR);
    while (after < 86400000u) {
        while (sl_sntp_next(&sntp, &event)) {
            digest = digest * 31 + (uint64_t)event.kind * 7 + event.status + after;
            if (event.kind == SL_SNTP_NEEDS_NONCE)
                sl_sntp_ask(&sntp, base + after, nonce++);
        }
        sl_ms due;
        assert_true(sl_sntp_deadline(&sntp, base + after, &due));
        uint32_t wait = sl_ms_until(base + after, due);
        assert_in_range(wait, 1, SL_SNTP_RETRY_MAX_MS);
        if (has_extra_ticks) {
            sl_sntp_tick(&sntp, base + after);
            sl_sntp_tick(&sntp, base + after + wait / 2);
            sl_sntp_tick(&sntp, base + after + wait - 1);
            assert_false(sl_sntp_next(&sntp, &event));
        }
        after += wait;
        sl_sntp_tick(&sntp, base + after);
        if (has_extra_ticks)
            sl_sntp_tick(&sntp, base + after);
    }
    assert_int_equal(sntp.pause_ms, SL_SNTP_RETRY_MAX_MS);
    return digest;
}

static void test_laws_of_ticks_and_wrap(void **state)
{
    (void)state;
    uint64_t plain = silence(0, false);
    assert_true(plain == silence(0, true));
    assert_true(plain == silence(UINT32_MAX - 1000, false));
    assert_true(plain == silence(UINT32_MAX - 50000000, true));
}

static void test_each_retry_has_its_own_nonce(void **state)
{
    struct sl_sntp sntp;
    struct sl_sntp_event event;
    (void)state;

    start(&sntp, 0);
    sl_sntp_tick(&sntp, SL_SNTP_ANSWER_MS);
    expect(&sntp, SL_SNTP_FAILED, &event);
    assert_int_equal(event.status, SL_TIMEOUT);
    sl_sntp_feed(&sntp, SL_SNTP_ANSWER_MS, (struct sl_view){good, sizeof good}); /* too late */
    expect(&sntp, SL_SNTP_NONE, &event);
    sl_sntp_tick(&sntp, SL_SNTP_ANSWER_MS + SL_SNTP_RETRY_MS);
    expect(&sntp, SL_SNTP_NEEDS_NONCE, &event);
    sl_sntp_ask(&sntp, SL_SNTP_ANSWER_MS + SL_SNTP_RETRY_MS, 0);
    assert_int_equal(sl_sntp_peek(&sntp).len, 0); /* zero is no nonce */
    sl_sntp_ask(&sntp, SL_SNTP_ANSWER_MS + SL_SNTP_RETRY_MS, NONCE + 1);
    sl_sntp_ask(&sntp, SL_SNTP_ANSWER_MS + SL_SNTP_RETRY_MS, NONCE); /* not now: one is open */
    sl_sntp_feed(&sntp, SL_SNTP_ANSWER_MS + SL_SNTP_RETRY_MS + 1,
                 (struct sl_view){good, sizeof good}); /* answers the request before */
    expect(&sntp, SL_SNTP_NONE, &event);
}

static void test_late_answer_without_tick_is_too_late(void **state)
{
    struct sl_sntp sntp;
    struct sl_sntp_event event;
    (void)state;

    start(&sntp, 0);
    sl_sntp_feed(&sntp, SL_SNTP_ANSWER_MS, (struct sl_view){good, sizeof good});
    expect(&sntp, SL_SNTP_FAILED, &event);
    assert_int_equal(event.status, SL_TIMEOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decodes_vectors),
        cmocka_unit_test(test_request_tells_nothing_but_the_nonce),
        cmocka_unit_test(test_answer_gives_time_with_half_the_round_trip),
        cmocka_unit_test(test_foreign_datagrams_do_not_end_a_request),
        cmocka_unit_test(test_kiss_of_death_backs_off),
        cmocka_unit_test(test_laws_of_ticks_and_wrap),
        cmocka_unit_test(test_each_retry_has_its_own_nonce),
        cmocka_unit_test(test_late_answer_without_tick_is_too_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
