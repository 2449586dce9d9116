/* Servers that must be refused, and inputs that must not matter: certificates, versions, missing
 * demands, garbage, damaged bytes, alerts. */
#include "tls/tls_text.h"
#include "unit/tls/fixture.h"

/* A server certificate like the honest one but for what the caller changes. */
static struct test_cert_options server_certificate(void)
{
    struct test_cert_options options = {
        .purpose = TEST_PURPOSE_SERVER,
        .common_name = SERVER_NAME,
        .dns = SERVER_NAME,
        .not_before_s = (int64_t)NOW - TEST_DAY_S,
        .not_after_s = (int64_t)NOW + TEST_DAY_S,
        .issuer = &pki.ca,
    };
    return options;
}

static void connect_to_certificate(const struct test_cert_options *certificate)
{
    struct test_tls_server_options options = honest();
    static struct test_cert cert;

    test_cert_make(&cert, certificate);
    options.certificate = &cert;
    connect_with(&options);
    test_cert_free(&cert);
}

static void test_refuses_another_name(void **state)
{
    struct test_cert_options certificate = server_certificate();
    (void)state;

    certificate.dns = "other.test";
    connect_to_certificate(&certificate);
    assert_refused(BR_ERR_X509_BAD_SERVER_NAME, SL_UNTRUSTED);
    certificate.dns = "sub.broker.test";
    connect_to_certificate(&certificate);
    assert_refused(BR_ERR_X509_BAD_SERVER_NAME, SL_UNTRUSTED);
    certificate.dns = "*.broker.test";
    connect_to_certificate(&certificate);
    assert_refused(BR_ERR_X509_BAD_SERVER_NAME, SL_UNTRUSTED);
}

/* Another device's certificate has a subject alternative name, so it is nobody's server. */
static void test_refuses_a_device_certificate_as_server(void **state)
{
    struct test_tls_server_options options = honest();
    (void)state;

    options.certificate = &pki.client;
    connect_with(&options);
    assert_refused(BR_ERR_X509_BAD_SERVER_NAME, SL_UNTRUSTED);
}

static void test_refuses_dates_around_now(void **state)
{
    struct test_cert_options certificate = server_certificate();
    (void)state;

    certificate.not_after_s = (int64_t)NOW - 1;
    connect_to_certificate(&certificate);
    assert_refused(BR_ERR_X509_EXPIRED, SL_UNTRUSTED);
    certificate = server_certificate();
    certificate.not_before_s = (int64_t)NOW + 1;
    connect_to_certificate(&certificate);
    assert_refused(BR_ERR_X509_EXPIRED, SL_UNTRUSTED);

    certificate = server_certificate(); /* the first and the last second are still good */
    certificate.not_after_s = (int64_t)NOW;
    connect_to_certificate(&certificate);
    assert_opened();
    certificate.not_before_s = (int64_t)NOW;
    certificate.not_after_s = (int64_t)NOW + 1;
    connect_to_certificate(&certificate);
    assert_opened();
}

static void test_refuses_other_issuers(void **state)
{
    struct test_cert_options certificate = server_certificate();
    struct test_pki other;
    (void)state;

    certificate.issuer = NULL; /* self-signed */
    connect_to_certificate(&certificate);
    assert_refused(BR_ERR_X509_NOT_TRUSTED, SL_UNTRUSTED);

    test_pki_make(&other, (int64_t)NOW); /* a CA of the same name with another key */
    certificate.issuer = &other.ca;
    connect_to_certificate(&certificate);
    assert_refused(BR_ERR_X509_NOT_TRUSTED, SL_UNTRUSTED);
    test_pki_free(&other);

    static struct test_cert stranger;
    struct test_cert_options ca = server_certificate();
    ca.purpose = TEST_PURPOSE_CA;
    ca.common_name = "Somebody else's CA";
    ca.dns = NULL;
    ca.issuer = NULL;
    test_cert_make(&stranger, &ca);
    certificate.issuer = &stranger;
    connect_to_certificate(&certificate);
    assert_refused(BR_ERR_X509_NOT_TRUSTED, SL_UNTRUSTED);
    test_cert_free(&stranger);
}

static void test_refuses_rsa(void **state)
{
    static const enum test_key_kind kinds[] = {TEST_KEY_RSA_1024, TEST_KEY_RSA_2048};
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        struct test_cert_options certificate = server_certificate();
        certificate.key = kinds[i];
        connect_to_certificate(&certificate); /* an honest server finds no suite in common */
        assert_refused(BR_ERR_RECV_FATAL_ALERT + BR_ALERT_HANDSHAKE_FAILURE, SL_PROTOCOL);

        static struct test_cert cert; /* a dishonest one shows it for an ECDSA suite */
        struct test_tls_server_options options = honest();
        test_cert_make(&cert, &certificate);
        test_tls_server_init(&server, &options);
        server.chain[0].data = cert.der;
        server.chain[0].data_len = cert.der_len;
        test_tls_server_open(&server, 1);
        start_client(NOW, NULL);
        test_tls_pump(&client, &server, 0, &logged);
        assert_refused(BR_ERR_WRONG_KEY_USAGE, SL_UNTRUSTED);
        test_cert_free(&cert);
    }
}

static void test_refuses_a_key_that_is_not_the_certificates(void **state)
{
    struct test_tls_server_options options = honest();
    struct test_pki other;
    (void)state;

    test_pki_make(&other, (int64_t)NOW);
    options.certificate = &other.server;
    test_tls_server_init(&server, &options);
    server.chain[0].data = pki.server.der; /* stolen certificate, own key */
    server.chain[0].data_len = pki.server.der_len;
    test_tls_server_open(&server, 1);
    start_client(NOW, NULL);
    test_tls_pump(&client, &server, 0, &logged);
    assert_refused(BR_ERR_BAD_SIGNATURE, SL_UNTRUSTED);
    test_pki_free(&other);
}

/* The server's answer to the client's hello, as one block. */
static size_t first_flight(const struct test_tls_server_options *options, uint8_t *flight,
                           size_t flight_len)
{
    size_t len = 0;

    test_tls_server_init(&server, options);
    test_tls_server_open(&server, 1);
    start_client(NOW, NULL);
    struct sl_view hello = sl_tls_peek(&client);
    assert_int_equal(test_tls_server_feed(&server, hello.data, hello.len), hello.len);
    sl_tls_sent(&client, hello.len);
    for (struct sl_view out; (out = test_tls_server_peek(&server)).len > 0;) {
        assert_true(len + out.len <= flight_len);
        memcpy(flight + len, out.data, out.len);
        len += out.len;
        test_tls_server_sent(&server, out.len);
    }
    assert_true(len > 500);
    return len;
}

static void test_refuses_old_versions(void **state)
{
    static uint8_t flight[4096];
    struct test_tls_server_options options = honest();
    (void)state;

    options.version_min = BR_TLS10; /* has no suite of ours */
    options.version_max = BR_TLS11;
    connect_with(&options);
    assert_refused(BR_ERR_RECV_FATAL_ALERT + BR_ALERT_HANDSHAKE_FAILURE, SL_PROTOCOL);

    options = honest(); /* names an old version, with a suite of ours all the same */
    size_t len = first_flight(&options, flight, sizeof flight);
    for (uint8_t minor = 1; minor < 3; minor++) {
        flight[2] = flight[10] = minor; /* of the record, of the ServerHello */
        start_client(NOW, NULL);
        sl_tls_sent(&client, sl_tls_peek(&client).len);
        sl_tls_feed(&client, flight, len);
        test_tls_drain(&client, &logged);
        assert_refused(BR_ERR_UNSUPPORTED_VERSION, SL_PROTOCOL);
    }
}

static void test_refuses_a_server_that_ignores_the_fragment_length(void **state)
{
    struct test_tls_server_options options = honest();
    (void)state;

    options.ignores_fragment = true;
    connect_with(&options);
    assert_refused(SL_TLS_ERR_NO_FRAGMENT, SL_PROTOCOL);
}

static void test_refuses_a_server_that_asks_for_no_certificate(void **state)
{
    struct test_tls_server_options options = honest();
    (void)state;

    options.client_ca = NULL;
    connect_with(&options);
    assert_refused(SL_TLS_ERR_NOT_ASKED, SL_PROTOCOL);
}

static void test_refuses_to_start_without_time_name_or_credentials(void **state)
{
    static const uint8_t seed[SL_TLS_SEED_LEN];
    struct sl_tls_credentials credentials = test_tls_credentials(&pki.ca, &pki.client);
    char long_name[257];
    (void)state;

    start_client(0, NULL);
    test_tls_drain(&client, &logged);
    assert_refused(SL_TLS_ERR_NO_TIME, SL_PROTOCOL);
    start_client(UINT64_C(253402300800), NULL);
    test_tls_drain(&client, &logged);
    assert_refused(SL_TLS_ERR_NO_TIME, SL_PROTOCOL);
    start_client(UINT64_MAX, NULL);
    test_tls_drain(&client, &logged);
    assert_refused(SL_TLS_ERR_NO_TIME, SL_PROTOCOL);

    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const char *const names[] = {NULL, "", long_name};
    for (size_t i = 0; i < 3; i++) {
        memset(&logged, 0, sizeof logged);
        sl_tls_open(&client, names[i], NOW, seed, NULL);
        test_tls_drain(&client, &logged);
        assert_refused(SL_TLS_ERR_NO_NAME, SL_PROTOCOL);
    }

    credentials.anchors_len = 0;
    assert_int_equal(sl_tls_init(&client, &credentials), SL_BAD_ARGUMENT);
    memset(&logged, 0, sizeof logged);
    sl_tls_open(&client, SERVER_NAME, NOW, seed, NULL);
    test_tls_drain(&client, &logged);
    assert_refused(SL_TLS_ERR_CREDENTIALS, SL_PROTOCOL);
}

static void test_refuses_credentials_of_a_wrong_shape(void **state)
{
    static const uint8_t zero[32];
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
                                      0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca,
                                      0xc2, 0xfc, 0x63, 0x25, 0x51}; /* n of P-256 */
    const struct sl_tls_credentials good = test_tls_credentials(&pki.ca, &pki.client);
    struct sl_tls_credentials bad[9];
    (void)state;

    for (size_t i = 0; i < 9; i++)
        bad[i] = good;
    bad[0].anchors_len = 3;
    bad[1].anchors[0].point.len = 64;
    bad[2].anchors[0].point.data = pki.ca.subject; /* 65 bytes that are no point */
    bad[3].anchors[0].subject.len = 0;
    bad[4].certificate.len = 0;
    bad[5].private_key.len = 31;
    bad[6].private_key.data = zero;
    bad[7].private_key.data = order;
    bad[8].anchors_len = 2; /* the second one is empty */
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(sl_tls_init(&client, &bad[i]), SL_BAD_ARGUMENT);
    assert_int_equal(sl_tls_init(&client, &good), SL_OK);
}

static void test_refuses_garbage(void **state)
{
    static const char *const garbage[] = {
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
        "\x20\x02\x00\x05 this is a CONNACK in the clear", "\x16\x03\x03\x7f\xff too long",
        "\x17\x03\x03\x00\x05 data"};
    (void)state;

    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        for (size_t cut = 0; cut < 4; cut++) {
            const size_t len = 5 + strlen(garbage[i] + 5);
            start_client(NOW, NULL);
            sl_tls_sent(&client, sl_tls_peek(&client).len);
            for (size_t at = 0; at < len;) {
                size_t part = cut != 0 && cut < len - at ? cut : len - at;
                size_t used = sl_tls_feed(&client, (const uint8_t *)garbage[i] + at, part);
                assert_int_equal(used, part);
                at += used;
                test_tls_drain(&client, &logged);
            }
            assert_refused(sl_tls_error(&client), SL_PROTOCOL);
            assert_in_range(sl_tls_error(&client), 1, 31);
            assert_int_equal(sl_tls_text(sl_tls_error(&client))->error, sl_tls_error(&client));
        }
    }
}

static void test_names_every_alert(void **state)
{
    (void)state;
    for (unsigned alert = 1; alert < 256; alert++) {
        const uint8_t record[] = {21, 3, 3, 0, 2, 2, (uint8_t)alert};
        start_client(NOW, NULL);
        sl_tls_sent(&client, sl_tls_peek(&client).len);
        assert_int_equal(sl_tls_feed(&client, record, sizeof record), sizeof record);
        test_tls_drain(&client, &logged);
        assert_refused((uint16_t)(BR_ERR_RECV_FATAL_ALERT + alert), SL_PROTOCOL);
    }
}

/* A server that goes away in the handshake, in order: closed, never open. */
static void test_closed_in_the_handshake_is_closed(void **state)
{
    static const uint8_t close_notify[] = {21, 3, 3, 0, 2, 1, BR_ALERT_CLOSE_NOTIFY};
    (void)state;

    start_client(NOW, NULL);
    sl_tls_sent(&client, sl_tls_peek(&client).len);
    assert_int_equal(sl_tls_feed(&client, close_notify, sizeof close_notify), sizeof close_notify);
    assert_int_equal(sl_tls_peek(&client).len, sizeof close_notify); /* ours in return */
    sl_tls_sent(&client, sizeof close_notify);
    test_tls_drain(&client, &logged);
    assert_int_equal(logged.events_len, 1);
    assert_int_equal(logged.events[0].kind, SL_TLS_CLOSED);
    assert_int_equal(sl_tls_status(&client), SL_CLOSED);
}

/* The server refuses our certificate: as Mosquitto does, it answers with an alert in the clear. */
static void test_says_why_the_server_refused_our_certificate(void **state)
{
    static const uint8_t unknown_ca[] = {21, 3, 3, 0, 2, 2, BR_ALERT_UNKNOWN_CA};
    struct test_tls_server_options options = honest();
    struct test_pki other;
    (void)state;

    test_pki_make(&other, (int64_t)NOW);
    options.client_ca = &other.ca;
    connect_with(&options);
    assert_int_equal(test_tls_server_error(&server), BR_ERR_X509_NOT_TRUSTED);
    assert_int_equal(logged.events_len, 0);
    while (sl_tls_peek(&client).len > 0) /* what a closed server does not read any more */
        sl_tls_sent(&client, sl_tls_peek(&client).len);
    sl_tls_feed(&client, unknown_ca, sizeof unknown_ca);
    test_tls_drain(&client, &logged);
    assert_refused(BR_ERR_RECV_FATAL_ALERT + BR_ALERT_UNKNOWN_CA, SL_PROTOCOL);
    assert_non_null(strstr(sl_tls_text(sl_tls_error(&client))->what, "CA of our certificate"));
    test_pki_free(&other);
}

/* One bit of the server's first flight is wrong: whatever comes after, nothing opens. The client is
 * put back each time, so that all damage is done to one handshake. */
static void test_no_damaged_bit_leads_to_an_open_connection(void **state)
{
    static struct sl_tls before;
    static uint8_t flight[4096];
    struct test_tls_server_options options = honest();
    (void)state;

    size_t len = first_flight(&options, flight, sizeof flight);
    memcpy(&before, &client, sizeof before);

    for (size_t i = 0; i < len; i++) {
        memcpy(&client, &before, sizeof before);
        memset(&logged, 0, sizeof logged);
        flight[i] ^= (uint8_t)(1u << i % 8);
        sl_tls_feed(&client, flight, len);
        flight[i] ^= (uint8_t)(1u << i % 8);
        test_tls_drain(&client, &logged);
        if (logged.events_len > 0)
            assert_refused(sl_tls_error(&client), sl_tls_status(&client));
    }
    memcpy(&client, &before, sizeof before); /* undamaged, the very same bytes are good */
    sl_tls_feed(&client, flight, len);
    test_tls_pump(&client, &server, 0, &logged);
    assert_int_equal(logged.events[logged.events_len - 1].kind, SL_TLS_OPENED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refuses_another_name),
        cmocka_unit_test(test_refuses_a_device_certificate_as_server),
        cmocka_unit_test(test_refuses_dates_around_now),
        cmocka_unit_test(test_refuses_other_issuers),
        cmocka_unit_test(test_refuses_rsa),
        cmocka_unit_test(test_refuses_a_key_that_is_not_the_certificates),
        cmocka_unit_test(test_refuses_old_versions),
        cmocka_unit_test(test_refuses_a_server_that_ignores_the_fragment_length),
        cmocka_unit_test(test_refuses_a_server_that_asks_for_no_certificate),
        cmocka_unit_test(test_refuses_to_start_without_time_name_or_credentials),
        cmocka_unit_test(test_refuses_credentials_of_a_wrong_shape),
        cmocka_unit_test(test_refuses_garbage),
        cmocka_unit_test(test_names_every_alert),
        cmocka_unit_test(test_closed_in_the_handshake_is_closed),
        cmocka_unit_test(test_says_why_the_server_refused_our_certificate),
        cmocka_unit_test(test_no_damaged_bit_leads_to_an_open_connection),
    };
    return cmocka_run_group_tests(tests, make_pki, free_pki);
}
