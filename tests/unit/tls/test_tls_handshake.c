/* Handshakes that must succeed: suites, curves, resumption, every cut of the bytes. */
#include "unit/tls/fixture.h"

static void test_opens_with_each_suite_and_curve(void **state)
{
    static const uint16_t suites[] = {BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
                                      BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256};
    static const int curves[] = {BR_EC_curve25519, BR_EC_secp256r1};
    (void)state;

    for (size_t i = 0; i < 4; i++) {
        struct test_tls_server_options options = honest();
        options.suite = suites[i / 2];
        options.curve = curves[i % 2];
        connect_with(&options);
        assert_opened();
        assert_false(logged.events[0].is_resumed);
        assert_int_equal(client.client.eng.session.cipher_suite, suites[i / 2]);
        assert_int_equal(br_ssl_engine_get_ecdhe_curve(&client.client.eng), curves[i % 2]);
        assert_string_equal(server.client_common_name, "garden");
    }
}

static void test_offers_nothing_but_the_profile(void **state)
{
    struct test_tls_server_options options = honest();
    (void)state;

    connect_with(&options);
    assert_int_equal(server.context.client_suites_num, 2);
    assert_int_equal(server.context.curves,
                     UINT32_C(1) << BR_EC_secp256r1 | UINT32_C(1) << BR_EC_curve25519);
    assert_int_equal(server.context.hashes, UINT32_C(1) << (8 + br_sha256_ID));
    assert_int_equal(server.context.client_max_version, BR_TLS12);
    assert_string_equal(br_ssl_engine_get_server_name(&server.context.eng), SERVER_NAME);
}

/* Each point between two bytes is one where the transport may end: nothing is open before the last
 * byte, and nothing fails by waiting. */
static void test_opens_only_with_the_last_byte(void **state)
{
    struct test_tls_server_options options = honest();
    struct sl_tls_event event;
    size_t count = 0;
    (void)state;

    test_tls_server_init(&server, &options);
    test_tls_server_open(&server, 1);
    start_client(NOW, NULL);
    for (bool has_moved = true; has_moved;) {
        struct sl_view to_server = sl_tls_peek(&client);
        size_t used = test_tls_server_feed(&server, to_server.data, to_server.len);
        sl_tls_sent(&client, used);
        has_moved = used > 0;

        struct sl_view to_client = test_tls_server_peek(&server);
        bool is_next = to_client.len > 0 && sl_tls_feed(&client, to_client.data, 1) == 1;
        if (is_next) {
            test_tls_server_sent(&server, 1);
            count++;
            has_moved = true;
        }
        assert_int_equal(sl_tls_status(&client), SL_OK);
        if (sl_tls_next(&client, &event)) {
            assert_int_equal(event.kind, SL_TLS_OPENED);
            assert_int_equal(test_tls_server_peek(&server).len, 0);
            assert_true(test_tls_server_is_open(&server));
            assert_true(count > 600);
            return;
        }
        assert_int_equal(sl_tls_write(&client, (const uint8_t *)"x", 1), 0);
        assert_int_equal(sl_tls_peek_plain(&client).len, 0);
    }
    fail_msg("the handshake stood still");
}

static void test_every_cut_gives_the_same_events(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 40; cut++) {
        struct test_tls_server_options options = honest();
        test_tls_server_init(&server, &options);
        test_tls_server_open(&server, cut);
        start_client(NOW, NULL);
        test_tls_pump(&client, &server, cut, &logged);
        assert_opened();
    }
}

static void connect_again(const struct sl_tls_session *session, size_t cut)
{
    test_tls_server_open(&server, 2);
    start_client(NOW, session);
    test_tls_pump(&client, &server, cut, &logged);
}

static void test_resumes_in_a_new_engine(void **state)
{
    struct test_tls_server_options options = honest();
    struct sl_tls_session session;
    (void)state;

    connect_with(&options);
    assert_opened();
    sl_tls_save(&client, &session);
    assert_true(session.is_valid);

    for (size_t cut = 0; cut < 20; cut++) {
        memset(&client, 0xaa, sizeof client); /* after a reboot */
        connect_again(&session, cut);
        assert_opened();
        assert_true(logged.events[0].is_resumed);
        struct sl_tls_session again;
        sl_tls_save(&client, &again);
        assert_memory_equal(again.parameters.master_secret, session.parameters.master_secret, 48);
    }
}

/* In a resumption our Finished is the last message. Bytes that follow the server's at once must not
 * be looked at before it is out, or the events would depend on how the input was cut. */
static void test_events_after_resumption_do_not_depend_on_cuts(void **state)
{
    static uint8_t flight[1024];
    struct test_tls_server_options options = honest();
    struct sl_tls_session session;
    (void)state;

    connect_with(&options);
    sl_tls_save(&client, &session);
    for (size_t cut = 1; cut <= sizeof flight; cut *= 2) {
        test_tls_server_open(&server, 2);
        start_client(NOW, &session);
        struct sl_view hello = sl_tls_peek(&client);
        test_tls_server_feed(&server, hello.data, hello.len);
        sl_tls_sent(&client, hello.len);
        size_t len = 0;
        for (struct sl_view out; (out = test_tls_server_peek(&server)).len > 0;) {
            memcpy(flight + len, out.data, out.len);
            len += out.len;
            test_tls_server_sent(&server, out.len);
        }
        memset(flight + len, 0x99, 20); /* no record begins like this */
        len += 20;
        for (size_t at = 0; at < len;) {
            at += sl_tls_feed(&client, flight + at, len - at < cut ? len - at : cut);
            sl_tls_sent(&client, sl_tls_peek(&client).len);
            test_tls_drain(&client, &logged);
        }
        assert_int_equal(logged.events_len, 2);
        assert_int_equal(logged.events[0].kind, SL_TLS_OPENED);
        assert_int_equal(logged.events[1].kind, SL_TLS_FAILED);
    }
}

static void test_falls_back_to_a_full_handshake(void **state)
{
    struct test_tls_server_options options = honest();
    struct sl_tls_session session;
    (void)state;

    connect_with(&options);
    sl_tls_save(&client, &session);
    test_tls_server_init(&server, &options); /* a server that knows nothing */
    connect_again(&session, 0);
    assert_opened();
    assert_false(logged.events[0].is_resumed);
    assert_string_equal(server.client_common_name, "garden");
}

static void test_wrong_master_secret_does_not_resume(void **state)
{
    struct test_tls_server_options options = honest();
    struct sl_tls_session session;
    (void)state;

    connect_with(&options);
    sl_tls_save(&client, &session);
    session.parameters.master_secret[0] ^= 1;
    connect_again(&session, 0);
    assert_refused(BR_ERR_BAD_MAC, SL_PROTOCOL);
}

static void test_unusable_sessions_are_not_offered(void **state)
{
    struct test_tls_server_options options = honest();
    struct sl_tls_session good, session;
    (void)state;

    connect_with(&options);
    sl_tls_save(&client, &good);
    for (unsigned i = 0; i < 4; i++) {
        session = good;
        if (i == 0)
            session.is_valid = false;
        else if (i == 1)
            session.parameters.session_id_len = 0;
        else if (i == 2)
            session.parameters.session_id_len = 33; /* would read beyond */
        else
            session.parameters.version = BR_TLS11;
        connect_again(&session, 0);
        assert_opened();
        assert_false(logged.events[0].is_resumed);
    }
}

static void test_saves_nothing_before_it_is_open(void **state)
{
    static const struct sl_tls_session none;
    struct test_tls_server_options options = honest();
    struct sl_tls_session session;
    (void)state;

    start_client(NOW, NULL);
    sl_tls_save(&client, &session);
    assert_memory_equal(&session, &none, sizeof none);

    options.client_ca = NULL; /* refused at the very end, with a session that exists */
    connect_with(&options);
    sl_tls_save(&client, &session);
    assert_memory_equal(&session, &none, sizeof none);
}

static void test_trusts_either_of_two_anchors(void **state)
{
    struct test_tls_server_options options = honest();
    static const uint8_t seed[SL_TLS_SEED_LEN];
    struct test_pki other;
    (void)state;

    test_pki_make(&other, (int64_t)NOW);
    for (size_t i = 0; i < 2; i++) {
        struct sl_tls_credentials credentials = test_tls_credentials(&other.ca, &pki.client);
        credentials.anchors_len = 2;
        credentials.anchors[1 - i] = credentials.anchors[0];
        credentials.anchors[i].subject = test_cert_subject(&pki.ca);
        credentials.anchors[i].point = test_cert_point(&pki.ca);
        assert_int_equal(sl_tls_init(&client, &credentials), SL_OK);
        test_tls_server_init(&server, &options);
        test_tls_server_open(&server, 1);
        memset(&logged, 0, sizeof logged);
        sl_tls_open(&client, SERVER_NAME, NOW, seed, NULL);
        test_tls_pump(&client, &server, 0, &logged);
        assert_opened();
    }
    test_pki_free(&other);
}

static bool contains(const void *memory, size_t len, const void *part, size_t part_len)
{
    for (size_t i = 0; i + part_len <= len; i++) {
        if (memcmp((const uint8_t *)memory + i, part, part_len) == 0)
            return true;
    }
    return false;
}

/* The keys of either direction come of one key block, which is kept for no longer than that takes.
 */
static void test_forgets_the_key_block_once_both_use_it(void **state)
{
    static const uint8_t zeros[SL_TLS_KEYS_LEN];
    struct test_tls_server_options options = honest();
    (void)state;

    for (int suite = 0; suite < 2; suite++) {
        options.suite = suite == 0 ? BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
                                   : BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
        connect_with(&options);
        assert_opened();
        assert_int_equal(client.keys_len, 0);
        assert_memory_equal(client.keys, zeros, sizeof client.keys);
    }
}

static void test_reset_forgets_every_secret(void **state)
{
    struct test_tls_server_options options = honest();
    struct sl_tls_session session;
    struct sl_tls_event event;
    (void)state;

    connect_with(&options);
    sl_tls_save(&client, &session);
    const uint8_t *secret = session.parameters.master_secret;
    assert_true(contains(&client, sizeof client, secret, 48));
    sl_tls_reset(&client);
    assert_false(contains(&client, sizeof client, secret, 8));
    assert_false(sl_tls_next(&client, &event));
    assert_int_equal(sl_tls_status(&client), SL_OK);
    assert_int_equal(sl_tls_peek(&client).len, 0);
    assert_int_equal(sl_tls_feed(&client, (const uint8_t *)"stale", 5), 5);

    static const uint8_t seed[SL_TLS_SEED_LEN];
    memset(&logged, 0, sizeof logged);
    test_tls_server_open(&server, 3);
    sl_tls_open(&client, SERVER_NAME, NOW, seed, NULL); /* the credentials are still there */
    test_tls_pump(&client, &server, 0, &logged);
    assert_opened();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens_with_each_suite_and_curve),
        cmocka_unit_test(test_offers_nothing_but_the_profile),
        cmocka_unit_test(test_opens_only_with_the_last_byte),
        cmocka_unit_test(test_every_cut_gives_the_same_events),
        cmocka_unit_test(test_resumes_in_a_new_engine),
        cmocka_unit_test(test_events_after_resumption_do_not_depend_on_cuts),
        cmocka_unit_test(test_falls_back_to_a_full_handshake),
        cmocka_unit_test(test_wrong_master_secret_does_not_resume),
        cmocka_unit_test(test_unusable_sessions_are_not_offered),
        cmocka_unit_test(test_saves_nothing_before_it_is_open),
        cmocka_unit_test(test_trusts_either_of_two_anchors),
        cmocka_unit_test(test_forgets_the_key_block_once_both_use_it),
        cmocka_unit_test(test_reset_forgets_every_secret),
    };
    return cmocka_run_group_tests(tests, make_pki, free_pki);
}
