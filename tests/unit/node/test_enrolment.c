/* What a device that is enrolled takes, refuses, says and forgets; what the host makes of it. */
#include "unit/node/enrolled.h"

#define MINUTE_MS 60000

/* The certificate or grant is not what this device needs: refused, and the right one is taken. */
static void expect_refusal(struct sl_view grant, enum sl_enrol_refusal refusal)
{
    start_line();
    const struct sl_view good = line.grant;
    static uint8_t kept[SL_IDENTITY_MAX];
    memcpy(kept, good.data, good.len);
    line.grant = grant;
    run();
    assert_int_equal(line.last.kind, SL_ENROL_HOST_FAILED);
    assert_int_equal(line.last.status, SL_REFUSED);
    assert_int_equal(line.last.refusal, refusal);
    assert_int_equal(line.stores, 0);
    assert_int_equal(logged(SL_LOG_ENROL_REFUSED), 1);
    line.grant = (struct sl_view){kept, good.len};
    assert_can_be_enrolled_again(false);
}

static struct sl_view copy_of(struct sl_view view)
{
    static uint8_t copy[SL_IDENTITY_MAX];

    memcpy(copy, view.data, view.len);
    return (struct sl_view){copy, view.len};
}

static void expect_refused_grant(const struct sl_identity *grant, enum sl_enrol_refusal refusal)
{
    expect_refusal(copy_of(encode_grant(grant)), refusal);
}

static void test_a_device_is_enrolled(void **state)
{
    uint8_t fingerprint[SL_REQUEST_FINGERPRINT_LEN];
    struct sl_identity identity;
    (void)state;

    run();
    assert_enrolled();
    assert_int_equal(sl_identity_decode((struct sl_view){line.stored, line.stored_len}, &identity),
                     SL_OK);
    assert_true(sl_view_is_equal(identity.base, sl_view_text("irrigation/garden")));
    assert_true(sl_view_is_equal(identity.broker_host, sl_view_text("192.0.2.1")));
    assert_int_equal(identity.broker_port, 8883);
    assert_true(sl_view_is_equal(identity.wifi_name, sl_view_text("garden shed")));
    assert_true(identity.issued_s == NOW);

    assert_int_equal(line.logs_len, 4); /* the fingerprint at the start, and when it is asked for */
    assert_int_equal(line.logs[0].code, SL_LOG_ENROL_WAITS);
    assert_int_equal(line.logs[1].code, SL_LOG_ENROL_KEY);
    assert_int_equal(line.logs[2].code, SL_LOG_ENROL_KEY);
    assert_int_equal(line.logs[3].code, SL_LOG_ENROL_STORED);
    sl_request_fingerprint(cert.point, fingerprint);
    struct sl_reader first = sl_reader_init((struct sl_view){fingerprint, 8});
    assert_int_equal((uint32_t)line.logs[2].a, sl_read_u32(&first));
    assert_int_equal((uint32_t)line.logs[2].b, sl_read_u32(&first));
}

static void test_nothing_is_said_unasked(void **state)
{
    (void)state;
    line.cut_at[TO_DEVICE] = 0;
    for (int i = 0; i < 100; i++)
        pass(MINUTE_MS);
    assert_int_equal(line.wires[TO_HOST].len, 0);
    assert_int_equal(line.logs_len, 2);
}

/* So the fingerprint can be read before anybody asks; and no key ever stands under two names. */
static void test_the_key_is_kept_for_one_name(void **state)
{
    uint8_t points[4][SL_REQUEST_POINT_LEN];
    static const char *const names[] = {"garden", "garden", "pond", "garden"};
    (void)state;

    line.seed = 1;
    line.grant.len = 0; /* requests only */
    line.logs_len = 0;
    start_device(0);
    memcpy(points[0], line.device.expected.point, sizeof points[0]);
    for (unsigned i = 0; i < 4; i++) {
        start_host(i, names[i]);
        run();
        assert_int_equal(line.requests, i + 1);
        memcpy(points[i], line.device.expected.point, sizeof points[i]);
        assert_int_equal(logged(SL_LOG_ENROL_KEY), i + 2);
    }
    assert_memory_equal(points[0], points[1], sizeof points[0]);
    assert_memory_not_equal(points[1], points[2], sizeof points[0]);
    assert_memory_not_equal(points[2], points[3], sizeof points[0]);
    assert_memory_not_equal(points[1], points[3], sizeof points[0]);
    /* The same question gets the same answer, and is told of once. */
    start_host(3, "garden");
    run();
    assert_int_equal(logged(SL_LOG_ENROL_KEY), 5);
}

static void test_a_grant_for_somebody_else_is_refused(void **state)
{
    struct sl_identity grant = grant_of(&pki.client);
    (void)state;

    expect_refused_grant(&grant, SL_ENROL_REFUSAL_KEY); /* another key */
    grant = grant_of(&cert);
    grant.name = sl_view_text("pond");
    expect_refused_grant(&grant, SL_ENROL_REFUSAL_KEY);
    grant = grant_of(&cert);
    grant.anchors[0].point = test_cert_point(&pki.server);
    expect_refused_grant(&grant, SL_ENROL_REFUSAL_UNTRUSTED);
    grant = grant_of(&cert);
    grant.not_after_s++;
    expect_refused_grant(&grant, SL_ENROL_REFUSAL_DATES);
    grant = grant_of(&cert);
    grant.issued_s = 0;
    expect_refused_grant(&grant, SL_ENROL_REFUSAL_DATES);
}

/* The host asked for one name and brings a grant for another, certificate and all. */
static void test_another_name_than_asked_for_is_refused(void **state)
{
    (void)state;
    start_host(0x5EED0001, "pond");
    run();
    assert_int_equal(line.last.refusal, SL_ENROL_REFUSAL_KEY);
    assert_int_equal(line.stores, 0);
    assert_can_be_enrolled_again(false);
}

/* A second question is not taken before the answer to the first has gone out, and is not lost. */
static void test_an_answer_goes_out_before_the_next_question_is_heard(void **state)
{
    const struct sl_enrol_message questions[] = {
        {.kind = SL_ENROL_ASK, .session = 1, .name = sl_view_text("garden"), .unix_s = NOW},
        {.kind = SL_ENROL_ASK, .session = 2, .name = sl_view_text("Pond"), .unix_s = NOW},
    };
    const uint8_t kinds[] = {SL_ENROL_REQUEST, SL_ENROL_REFUSED};
    uint8_t wire[2 * SL_ENROL_WIRE_MAX];
    size_t len, whole, at = 0;
    (void)state;

    assert_int_equal(sl_enrol_encode(&questions[0], wire, &len), SL_OK);
    assert_int_equal(sl_enrol_encode(&questions[1], wire + len, &whole), SL_OK);
    whole += len;
    for (unsigned i = 0; i < 2; i++) {
        struct sl_enrol_line heard;
        struct sl_enrol_message answer;
        struct sl_view frame;
        at += sl_enrolment_feed(&line.device, line.now, wire + at, whole - at);
        assert_int_equal(at, i == 0 ? len : whole);
        follow_device();
        const struct sl_view out = sl_enrolment_peek(&line.device);
        assert_int_equal(sl_enrolment_feed(&line.device, line.now, wire, 1), 0);
        sl_enrolment_sent(&line.device, 1); /* nor in the middle of it */
        assert_int_equal(sl_enrolment_feed(&line.device, line.now, wire, 1), 0);
        sl_enrol_line_init(&heard);
        (void)sl_enrol_line_feed(&heard, out.data, out.len, &frame);
        assert_int_equal(sl_enrol_decode(frame, &answer), SL_OK);
        assert_int_equal(answer.kind, kinds[i]);
        assert_int_equal(answer.session, i + 1);
        sl_enrolment_sent(&line.device, out.len - 1);
        assert_int_equal(sl_enrolment_peek(&line.device).len, 0);
    }
}

static void test_a_damaged_grant_is_refused(void **state)
{
    static uint8_t damaged[SL_IDENTITY_MAX];
    const size_t len = line.grant.len;
    (void)state;

    for (size_t byte = 0; byte < len; byte += 37) {
        start_line();
        memcpy(damaged, line.grant.data, len);
        damaged[byte] ^= 0x10;
        expect_refusal((struct sl_view){damaged, len}, SL_ENROL_REFUSAL_DAMAGED);
    }
    expect_refusal((struct sl_view){damaged, 1}, SL_ENROL_REFUSAL_DAMAGED);
    /* An identity with a private key is no grant. */
    run();
    memcpy(damaged, line.stored, line.stored_len);
    const size_t stored_len = line.stored_len;
    assert_true(stored_len <= SL_GRANT_MAX);
    expect_refusal((struct sl_view){damaged, stored_len}, SL_ENROL_REFUSAL_DAMAGED);
}

static void test_a_grant_that_is_too_large_is_refused(void **state)
{
    static uint8_t large[65535];
    (void)state;

    expect_refusal((struct sl_view){large, sizeof large}, SL_ENROL_REFUSAL_SIZE);
    expect_refusal((struct sl_view){large, SL_GRANT_MAX + 1}, SL_ENROL_REFUSAL_SIZE);
    expect_refusal((struct sl_view){large, SL_GRANT_MAX}, SL_ENROL_REFUSAL_DAMAGED);
}

/* One message to the device, as from a host. Gives: its answer; kind 0: none. */
static struct sl_enrol_message say(const struct sl_enrol_message *message)
{
    static struct sl_enrol_line heard;
    struct sl_enrol_message answer = {.kind = 0};
    uint8_t wire[SL_ENROL_WIRE_MAX];
    struct sl_view frame;
    size_t len;

    assert_int_equal(sl_enrol_encode(message, wire, &len), SL_OK);
    assert_int_equal(sl_enrolment_feed(&line.device, line.now, wire, len), len);
    follow_device();
    const struct sl_view out = sl_enrolment_peek(&line.device);
    sl_enrol_line_init(&heard);
    (void)sl_enrol_line_feed(&heard, out.data, out.len, &frame);
    if (frame.len > 0)
        assert_int_equal(sl_enrol_decode(frame, &answer), SL_OK);
    sl_enrolment_sent(&line.device, out.len);
    return answer;
}

static void test_bad_names_and_times_are_refused(void **state)
{
    static const char *const names[] = {"Garden",   "-garden",       "gar den",
                                        "garden/1", "g\xC3\xA4rten", "#"};
    struct sl_enrol_message ask = {.kind = SL_ENROL_ASK, .session = 9, .unix_s = NOW};
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ask.name = sl_view_text(names[i]);
        const struct sl_enrol_message answer = say(&ask);
        assert_int_equal(answer.kind, SL_ENROL_REFUSED);
        assert_int_equal(answer.refusal, SL_ENROL_REFUSAL_NAME);
        assert_int_equal(answer.session, 9);
    }
    ask.name = sl_view_text("garden");
    ask.unix_s = NOW - YEARS - 1;
    assert_int_equal(say(&ask).refusal, SL_ENROL_REFUSAL_TIME);
    ask.unix_s = 0;
    assert_int_equal(say(&ask).refusal, SL_ENROL_REFUSAL_TIME);
    assert_int_equal(logged(SL_LOG_ENROL_KEY), 1); /* that of the start */
    ask.unix_s = NOW - YEARS;
    assert_int_equal(say(&ask).kind, SL_ENROL_REQUEST);
}

static void test_parts_of_another_session_and_out_of_order(void **state)
{
    const struct sl_enrol_message ask = {
        .kind = SL_ENROL_ASK, .session = 9, .unix_s = NOW, .name = sl_view_text("garden")};
    struct sl_enrol_message part = {.kind = SL_ENROL_PART,
                                    .session = 9,
                                    .total = (uint16_t)line.grant.len,
                                    .bytes = {line.grant.data, 10}};
    (void)state;

    assert_int_equal(say(&part).refusal, SL_ENROL_REFUSAL_SESSION); /* nobody has asked */
    assert_int_equal(say(&ask).kind, SL_ENROL_REQUEST);
    part.session = 8;
    assert_int_equal(say(&part).refusal, SL_ENROL_REFUSAL_SESSION);
    part.session = 9;
    part.offset = 10;
    assert_int_equal(say(&part).offset, 0); /* a gap: from the start, please */
    part.offset = 0;
    assert_int_equal(say(&part).offset, 10);
    assert_int_equal(say(&part).offset, 10); /* the same once more */
    part.offset = 5;
    assert_int_equal(say(&part).offset, 10);
    assert_int_equal(say(&ask).kind, SL_ENROL_REQUEST); /* a late repetition takes nothing back */
    part.offset = 10;
    part.bytes.data = line.grant.data + 10;
    assert_int_equal(say(&part).offset, 20);
    const struct sl_enrol_message other = {
        .kind = SL_ENROL_ASK, .session = 10, .unix_s = NOW, .name = sl_view_text("garden")};
    assert_int_equal(say(&other).session, 10);
    assert_int_equal(say(&part).refusal, SL_ENROL_REFUSAL_SESSION); /* that one is over */
    assert_int_equal(line.stores, 0);
}

static void test_another_version_is_refused_by_both(void **state)
{
    /* ASK of version 2, checksum and all; bytes of a frame that may be anything. */
    static const uint8_t ask[] = {2, 1, 0, 0, 0, 9, 'x'};
    uint8_t wire[32], crc[4];
    struct sl_writer writer = sl_writer_init(crc, sizeof crc);
    size_t len = 0;
    (void)state;

    uint32_t sum = 0xFFFFFFFF;
    for (size_t i = 0; i < sizeof ask; i++)
        for (int bit = 0; bit < 8; bit++)
            sum = (sum ^ (uint32_t)(ask[i] >> bit)) & 1 ? sum >> 1 ^ 0xEDB88320 : sum >> 1;
    sl_write_u32(&writer, ~sum);
    const uint8_t frame[] = {0, 3, 2, 1, 1, 1, 7, 9, 'x', crc[0], crc[1], crc[2], crc[3], 0};
    for (size_t i = 0; i < sizeof frame; i++)
        wire[len++] = frame[i];
    assert_int_not_equal(crc[0], 0);
    assert_int_not_equal(crc[1], 0);
    assert_int_not_equal(crc[2], 0);
    assert_int_not_equal(crc[3], 0);

    assert_int_equal(sl_enrolment_feed(&line.device, line.now, wire, len), len);
    struct sl_enrol_line heard;
    struct sl_enrol_message answer;
    struct sl_view view;
    const struct sl_view out = sl_enrolment_peek(&line.device);
    sl_enrol_line_init(&heard);
    (void)sl_enrol_line_feed(&heard, out.data, out.len, &view);
    assert_int_equal(sl_enrol_decode(view, &answer), SL_OK);
    assert_int_equal(answer.refusal, SL_ENROL_REFUSAL_VERSION);
    assert_int_equal(answer.session, 9);

    line.cut_at[TO_DEVICE] = 0;
    start_host(9, "garden");
    line.grant.len = 0;
    put(TO_HOST, wire, len);
    run();
    assert_int_equal(line.last.kind, SL_ENROL_HOST_FAILED);
    assert_int_equal(line.last.status, SL_UNSUPPORTED);
}

static void test_ten_silent_minutes_end_a_session(void **state)
{
    (void)state;

    line.grant.len = 0; /* somebody compares fingerprints, and goes away */
    run();
    assert_int_equal(line.last.kind, SL_ENROL_HOST_REQUEST);
    pass(SL_ENROLMENT_SESSION_MS - 1);
    assert_int_equal(logged(SL_LOG_ENROL_TIMEOUT), 0);
    pass(1);
    assert_int_equal(logged(SL_LOG_ENROL_TIMEOUT), 1);
    const struct sl_identity grant = grant_of(&cert);
    sl_enrol_host_grant(&line.host, line.now, encode_grant(&grant));
    run();
    assert_int_equal(line.last.kind, SL_ENROL_HOST_FAILED);
    assert_int_equal(line.last.refusal, SL_ENROL_REFUSAL_SESSION);
    line.grant = encode_grant(&grant);
    assert_can_be_enrolled_again(false);
}

static void test_a_device_with_an_identity_gives_up_waiting(void **state)
{
    (void)state;
    line.cut_at[TO_DEVICE] = 0;
    start_device(5 * MINUTE_MS);
    pass(5 * MINUTE_MS - 1);
    assert_false(line.has_ended[TO_DEVICE]);
    pass(1);
    assert_true(line.has_ended[TO_DEVICE]);
    assert_false(line.is_finished_stored);
    pass(SL_ENROLMENT_SESSION_MS); /* and nothing after the end */
    const uint8_t bytes[] = {0, 1, 2, 3};
    assert_int_equal(sl_enrolment_feed(&line.device, line.now, bytes, 4), 4);
    assert_int_equal(sl_enrolment_peek(&line.device).len, 0);

    /* An enrolment that is under way is not given up, but by its own silence. */
    start_line();
    start_device(5 * MINUTE_MS);
    line.grant.len = 0;
    run();
    pass(SL_ENROLMENT_SESSION_MS - 1);
    assert_false(line.has_ended[TO_DEVICE]);
    pass(1);
    assert_false(line.has_ended[TO_DEVICE]);
    pass(5 * MINUTE_MS);
    assert_true(line.has_ended[TO_DEVICE]);
    assert_int_equal(line.stores, 0);
}

static void test_a_store_that_fails_is_told_and_can_be_repeated(void **state)
{
    (void)state;
    line.is_storing_bad = true;
    run();
    assert_int_equal(line.last.refusal, SL_ENROL_REFUSAL_STORE);
    assert_int_equal(line.stores, 1);
    assert_false(line.has_ended[TO_DEVICE]);
    line.is_storing_bad = false;
    assert_can_be_enrolled_again(false);
}

/* The event is given once; until it is answered the device takes nothing, and says nothing. */
static void test_nothing_moves_while_the_identity_is_stored(void **state)
{
    struct sl_enrolment_event event;
    const uint8_t bytes[] = {0, 1, 2, 3};
    bool has_store = false;
    (void)state;

    for (unsigned turn = 0; turn < 100 && !has_store; turn++) {
        const struct sl_view out = sl_enrol_host_peek(&line.host);
        size_t used = sl_enrolment_feed(&line.device, 0, out.data, out.len);
        sl_enrol_host_sent(&line.host, used);
        while (sl_enrolment_next(&line.device, &event))
            has_store |= event.kind == SL_ENROLMENT_STORE;
        const struct sl_view in = sl_enrolment_peek(&line.device);
        used = sl_enrol_host_feed(&line.host, 0, in.data, in.len);
        sl_enrolment_sent(&line.device, used);
        follow_host();
    }
    assert_true(has_store);
    assert_int_equal(sl_enrolment_feed(&line.device, 0, bytes, sizeof bytes), 0);
    assert_int_equal(sl_enrolment_peek(&line.device).len, 0);
    sl_enrolment_tick(&line.device, 100 * MINUTE_MS);
    assert_false(sl_enrolment_next(&line.device, &event));
    sl_enrolment_stored(&line.device, 0, true);
    assert_true(sl_enrolment_peek(&line.device).len > 0);
    sl_enrolment_stored(&line.device, 0, false); /* too late to change anything */
    follow_device();
    run();
    assert_int_equal(line.last.kind, SL_ENROL_HOST_STORED);
    assert_true(line.is_finished_stored);
}

static void test_no_secret_stays_behind(void **state)
{
    const struct sl_view key = test_cert_private_key(&cert);
    const uint8_t *bytes = (const uint8_t *)&line.device;
    (void)state;

    run();
    assert_enrolled();
    for (size_t at = 0; at + key.len <= sizeof line.device; at++)
        assert_memory_not_equal(bytes + at, key.data, key.len);
    for (size_t at = 0; at + 13 <= sizeof line.device; at++)
        assert_memory_not_equal(bytes + at, "correct horse", 13);
    sl_enrolment_wipe(&line.device);
    static const struct sl_enrolment nothing;
    assert_memory_equal(&line.device, &nothing, sizeof nothing);
}

static void test_the_host_gives_up_in_time(void **state)
{
    (void)state;
    line.cut_at[TO_DEVICE] = 0;
    run();
    assert_int_equal(line.last.kind, SL_ENROL_HOST_FAILED);
    assert_int_equal(line.last.status, SL_TIMEOUT);
    assert_int_equal(line.now, 10000);

    /* A device that takes the same part for ever gets nobody further. */
    start_line();
    const struct sl_enrol_message request = {
        .kind = SL_ENROL_REQUEST, .session = 0x5EED0001, .bytes = {line.grant.data, 200}};
    const struct sl_enrol_message taken = {.kind = SL_ENROL_TAKEN, .session = 0x5EED0001};
    uint8_t wire[SL_ENROL_WIRE_MAX];
    size_t len;
    assert_int_equal(sl_enrol_encode(&request, wire, &len), SL_OK);
    assert_int_equal(sl_enrol_host_feed(&line.host, line.now, wire, len), len);
    follow_host();
    assert_int_equal(line.last.kind, SL_ENROL_HOST_REQUEST);
    assert_int_equal(sl_enrol_encode(&taken, wire, &len), SL_OK);
    for (unsigned turn = 0; !line.has_ended[TO_HOST]; turn++) {
        assert_in_range(turn, 0, 200);
        sl_enrol_host_sent(&line.host, sl_enrol_host_peek(&line.host).len);
        assert_int_equal(sl_enrol_host_feed(&line.host, line.now, wire, len), len);
        line.now += 100;
        sl_enrol_host_tick(&line.host, line.now);
        follow_host();
    }
    assert_int_equal(line.last.status, SL_TIMEOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_device_is_enrolled, start_each),
        cmocka_unit_test_setup(test_nothing_is_said_unasked, start_each),
        cmocka_unit_test_setup(test_the_key_is_kept_for_one_name, start_each),
        cmocka_unit_test_setup(test_a_grant_for_somebody_else_is_refused, start_each),
        cmocka_unit_test_setup(test_another_name_than_asked_for_is_refused, start_each),
        cmocka_unit_test_setup(test_a_damaged_grant_is_refused, start_each),
        cmocka_unit_test_setup(test_a_grant_that_is_too_large_is_refused, start_each),
        cmocka_unit_test_setup(test_bad_names_and_times_are_refused, start_each),
        cmocka_unit_test_setup(test_parts_of_another_session_and_out_of_order, start_each),
        cmocka_unit_test_setup(test_an_answer_goes_out_before_the_next_question_is_heard,
                               start_each),
        cmocka_unit_test_setup(test_another_version_is_refused_by_both, start_each),
        cmocka_unit_test_setup(test_ten_silent_minutes_end_a_session, start_each),
        cmocka_unit_test_setup(test_a_device_with_an_identity_gives_up_waiting, start_each),
        cmocka_unit_test_setup(test_a_store_that_fails_is_told_and_can_be_repeated, start_each),
        cmocka_unit_test_setup(test_nothing_moves_while_the_identity_is_stored, start_each),
        cmocka_unit_test_setup(test_no_secret_stays_behind, start_each),
        cmocka_unit_test_setup(test_the_host_gives_up_in_time, start_each),
    };
    return cmocka_run_group_tests(tests, start_pki, end_pki);
}
