/* Both ends of an enrolment on one serial line, in virtual time, and what may happen to its bytes.
 */
#ifndef TEST_UNIT_NODE_ENROLLED_H
#define TEST_UNIT_NODE_ENROLLED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "enrol/host.h"
#include "node/enrolment.h"
#include "support/pki.h"
#include <cmocka.h>
#include <string.h>

#define NOW       UINT64_C(1795305600)
#define YEARS     UINT64_C(31536000)
#define LINE_MAX  16384
#define LOGS_MAX  16
#define TURNS_MAX 20000 /* of a conversation: more say that it never ends */

enum { TO_DEVICE, TO_HOST };

struct wire {
    uint8_t bytes[LINE_MAX]; /* everything that was put on it */
    size_t len, at;
};

struct test_line {
    struct sl_enrolment device;
    struct sl_enrol_host host;
    struct wire wires[2];
    sl_ms now;
    struct sl_view grant;
    uint8_t seed;

    /* What happens. Numbers count the bytes of one direction from 0 on; SIZE_MAX: never. */
    size_t piece;                    /* bytes that arrive together */
    size_t cut_at[2];                /* from here on nothing arrives */
    size_t flip_at[2];               /* a bit of this one is flipped: */
    size_t drop_at[2], double_at[2]; /* this one is lost, comes twice */
    uint8_t bit;
    const char *text; /* comes in front of every frame, to the host */
    bool has_extra_ticks, is_storing_bad, is_echoing;

    /* What happened. */
    uint8_t stored[SL_IDENTITY_MAX];
    size_t stored_len;
    unsigned stores, requests;
    bool has_ended[2]; /* device: SL_ENROLMENT_FINISHED; host: STORED or FAILED */
    bool is_finished_stored;
    struct sl_enrol_host_event last; /* of the host */
    struct sl_log_event logs[LOGS_MAX];
    unsigned logs_len;
};

static struct test_line line;
static struct test_pki pki;
static struct test_cert cert; /* of the key that the device makes */

/* The device draws the key of a certificate that was made before. */
static void give_key(const br_prng_class **self, void *out, size_t len)
{
    (void)self;
    assert_int_equal(len, TEST_KEY_LEN);
    memcpy(out, cert.private_key, len);
}

static void start_device(uint32_t quiet_ms)
{
    static const br_prng_class known = {.generate = give_key};
    const struct sl_enrolment_config config = {.floor_s = NOW - YEARS, .quiet_ms = quiet_ms};
    uint8_t seed[SL_ENROLMENT_SEED_LEN];

    memset(seed, line.seed, sizeof seed);
    sl_enrolment_init(&line.device, line.now, &config, seed);
    if (line.seed == 0) {
        line.device.random.drbg.vtable = &known;
        sl_request_make_key(&line.device.random, line.device.key, line.device.expected.point);
    }
    line.has_ended[TO_DEVICE] = false;
}

static void start_host(uint32_t session, const char *name)
{
    const struct sl_enrol_host_config config = {
        .name = sl_view_text(name), .session = session, .unix_s = NOW, .timeout_ms = 10000};

    sl_enrol_host_init(&line.host, line.now, &config);
    line.has_ended[TO_HOST] = false;
    line.last = (struct sl_enrol_host_event){.kind = SL_ENROL_HOST_NONE};
}

static struct sl_identity grant_of(const struct test_cert *certificate)
{
    return (struct sl_identity){
        .name = sl_view_text("garden"),
        .base = sl_view_text("irrigation/garden"),
        .broker_host = sl_view_text("192.0.2.1"),
        .broker_port = 8883,
        .server_name = sl_view_text("broker.test"),
        .anchors = {{test_cert_subject(&pki.ca), test_cert_point(&pki.ca)}},
        .anchors_len = 1,
        .certificate = test_cert_der(certificate),
        .not_after_s = NOW + 3 * YEARS,
        .issued_s = NOW,
        .wifi_name = sl_view_text("garden shed"),
        .wifi_passphrase = sl_view_text("correct horse"),
    };
}

static struct sl_view encode_grant(const struct sl_identity *grant)
{
    static uint8_t image[SL_IDENTITY_MAX];
    size_t len;

    assert_int_equal(sl_grant_encode(grant, image, sizeof image, &len), SL_OK);
    test_cert_seal(&pki.ca, image, len);
    return (struct sl_view){image, len};
}

/* A new line with both ends of it. */
static void start_line(void)
{
    const struct sl_identity grant = grant_of(&cert);

    memset(&line, 0, sizeof line);
    line.piece = SIZE_MAX;
    for (int way = 0; way < 2; way++)
        line.cut_at[way] = line.flip_at[way] = line.drop_at[way] = line.double_at[way] = SIZE_MAX;
    line.grant = encode_grant(&grant);
    start_device(0);
    start_host(0x5EED0001, "garden");
}

static void put(int way, const uint8_t *bytes, size_t len)
{
    struct wire *wire = &line.wires[way];

    for (size_t i = 0; i < len; i++) {
        const size_t number = wire->len;
        assert_true(wire->len < LINE_MAX);
        wire->bytes[wire->len++] = bytes[i];
        if (number == line.flip_at[way])
            wire->bytes[number] ^= (uint8_t)(1u << line.bit);
        if (number == line.drop_at[way]) {
            line.drop_at[way] = SIZE_MAX;
            wire->len--;
        } else if (number == line.double_at[way]) {
            line.double_at[way] = SIZE_MAX;
            i--;
        }
    }
    if (wire->len > line.cut_at[way])
        wire->len = line.cut_at[way];
}

static void put_text(const char *text)
{
    if (text)
        put(TO_HOST, (const uint8_t *)text, strlen(text));
}

static void follow_device(void)
{
    struct sl_enrolment_event event;

    while (sl_enrolment_next(&line.device, &event)) {
        assert_false(line.has_ended[TO_DEVICE]);
        switch (event.kind) {
        case SL_ENROLMENT_LOG:
            assert_true(line.logs_len < LOGS_MAX);
            line.logs[line.logs_len++] = event.log;
            break;
        case SL_ENROLMENT_STORE:
            line.stores++;
            if (!line.is_storing_bad) {
                memcpy(line.stored, event.image.data, event.image.len);
                line.stored_len = event.image.len;
            }
            sl_enrolment_stored(&line.device, line.now, !line.is_storing_bad);
            break;
        case SL_ENROLMENT_FINISHED:
            line.has_ended[TO_DEVICE] = true;
            line.is_finished_stored = event.is_stored;
            break;
        case SL_ENROLMENT_NONE:
            break;
        }
    }
}

static void follow_host(void)
{
    struct sl_enrol_host_event event;

    while (sl_enrol_host_next(&line.host, &event)) {
        assert_false(line.has_ended[TO_HOST]);
        line.last = event;
        line.requests += event.kind == SL_ENROL_HOST_REQUEST;
        if (event.kind == SL_ENROL_HOST_REQUEST && line.grant.len > 0)
            sl_enrol_host_grant(&line.host, line.now, line.grant);
        line.has_ended[TO_HOST] =
            event.kind == SL_ENROL_HOST_STORED || event.kind == SL_ENROL_HOST_FAILED;
    }
}

/* True: a byte moved. */
static bool move(void)
{
    bool moved = false;

    for (int way = 0; way < 2; way++) {
        const struct sl_view out =
            way == TO_DEVICE ? sl_enrol_host_peek(&line.host) : sl_enrolment_peek(&line.device);
        const size_t sent = out.len < line.piece ? out.len : line.piece;
        if (sent > 0 && way == TO_HOST && out.data[0] == 0)
            put_text(line.text);
        put(way, out.data, sent);
        if (line.is_echoing)
            put(!way, out.data, sent);
        if (way == TO_DEVICE)
            sl_enrol_host_sent(&line.host, sent);
        else
            sl_enrolment_sent(&line.device, sent);

        struct wire *wire = &line.wires[way];
        size_t len = wire->len - wire->at;
        len = len < line.piece ? len : line.piece;
        const uint8_t *in = wire->bytes + wire->at;
        const size_t used = way == TO_DEVICE ? sl_enrolment_feed(&line.device, line.now, in, len)
                                             : sl_enrol_host_feed(&line.host, line.now, in, len);
        wire->at += used;
        moved |= sent > 0 || used > 0;
        follow_device();
        follow_host();
    }
    return moved;
}

static void tick(void)
{
    sl_enrolment_tick(&line.device, line.now);
    sl_enrol_host_tick(&line.host, line.now);
    follow_device();
    follow_host();
}

static void pass(uint32_t ms)
{
    line.now += ms;
    tick();
    while (move()) {
    }
}

/* Until the host's end, and everything after it that takes no time. */
static void run(void)
{
    follow_device();
    for (unsigned turn = 0; !line.has_ended[TO_HOST]; turn++) {
        sl_ms due = 0;
        assert_true(turn < TURNS_MAX);
        if (line.has_extra_ticks)
            tick();
        if (move())
            continue;
        if (!sl_enrol_host_deadline(&line.host, line.now, &due))
            break; /* it waits for a person */
        line.now += sl_ms_until(line.now, due);
        tick();
    }
    while (move()) {
    }
}

static unsigned logged(enum sl_log_code code)
{
    unsigned count = 0;

    for (unsigned i = 0; i < line.logs_len; i++)
        count += line.logs[i].code == code;
    return count;
}

/* What is stored is nothing, or the whole identity of this grant and this device's key. */
static void assert_whole_or_nothing(void)
{
    struct sl_identity identity;

    if (line.stored_len == 0)
        return;
    assert_int_equal(sl_identity_decode((struct sl_view){line.stored, line.stored_len}, &identity),
                     SL_OK);
    assert_true(sl_view_is_equal(identity.name, sl_view_text("garden")));
    assert_true(sl_view_is_equal(identity.private_key, test_cert_private_key(&cert)));
    assert_true(sl_view_is_equal(identity.certificate, test_cert_der(&cert)));
    assert_true(sl_view_is_equal(identity.wifi_passphrase, sl_view_text("correct horse")));
}

static void assert_enrolled(void)
{
    assert_int_equal(line.last.kind, SL_ENROL_HOST_STORED);
    assert_int_equal(line.stores, 1);
    assert_true(line.stored_len > 0);
    assert_whole_or_nothing();
    assert_true(line.has_ended[TO_DEVICE] && line.is_finished_stored);
    assert_int_equal(line.requests, 1);
    assert_int_equal(logged(SL_LOG_ENROL_STORED), 1);
}

/* From here the line is whole again; as the person does, who tries again. */
static void assert_can_be_enrolled_again(bool with_restart)
{
    for (int way = 0; way < 2; way++) {
        line.cut_at[way] = line.flip_at[way] = SIZE_MAX;
        line.wires[way].len = line.wires[way].at = 0;
    }
    line.stores = line.requests = line.logs_len = 0;
    if (with_restart)
        start_device(0);
    start_host(0x5EED0002, "garden");
    run();
    assert_enrolled();
}

static int start_pki(void **state)
{
    const struct test_cert_options options = {.purpose = TEST_PURPOSE_CLIENT,
                                              .common_name = "garden",
                                              .dns = "garden.device.invalid",
                                              .not_before_s = (int64_t)NOW - TEST_DAY_S,
                                              .not_after_s = (int64_t)(NOW + 3 * YEARS),
                                              .issuer = &pki.ca};
    (void)state;
    test_pki_make(&pki, (int64_t)NOW);
    test_cert_make(&cert, &options);
    return 0;
}

static int end_pki(void **state)
{
    (void)state;
    test_pki_free(&pki);
    test_cert_free(&cert);
    return 0;
}

static int start_each(void **state)
{
    (void)state;
    start_line();
    return 0;
}

#endif
