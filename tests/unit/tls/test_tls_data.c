/* Application bytes both ways, back-pressure, closing, renegotiation, and the end of it all. */
#include "unit/tls/fixture.h"

#define TEXT_LEN 5000

static uint8_t text[TEXT_LEN];

static int make_text(void **state)
{
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7 + i / 256);
    return make_pki(state);
}

static void open_honestly(void)
{
    struct test_tls_server_options options = honest();

    connect_with(&options);
    assert_opened();
    memset(&logged, 0, sizeof logged);
}

/* Everything that the server reads while the pump runs until it stands still. */
static size_t read_all(uint8_t *out, size_t out_len, size_t cut)
{
    size_t len = 0, part;

    do {
        test_tls_pump(&client, &server, cut, &logged);
        part = test_tls_server_read(&server, out + len, out_len - len);
        len += part;
    } while (part > 0);
    return len;
}

static void test_carries_data_both_ways_in_any_cut(void **state)
{
    static uint8_t received[TEXT_LEN];
    static const size_t cuts[] = {0, 1, 2, 3, 5, 29, 512, 1000};
    (void)state;

    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        open_honestly();
        for (size_t at = 0; at < TEXT_LEN;) {
            at += test_tls_server_write(&server, text + at, TEXT_LEN - at);
            test_tls_pump(&client, &server, cuts[i], &logged);
        }
        assert_int_equal(logged.plain_len, TEXT_LEN);
        assert_memory_equal(logged.plain, text, TEXT_LEN);

        size_t len = 0;
        for (size_t at = 0; at < TEXT_LEN;) {
            size_t used = sl_tls_write(&client, text + at, TEXT_LEN - at);
            assert_true(used > 0);
            at += used;
            sl_tls_flush(&client);
            len += read_all(received + len, TEXT_LEN - len, cuts[i]);
        }
        assert_int_equal(len, TEXT_LEN);
        assert_memory_equal(received, text, TEXT_LEN);
        assert_int_equal(logged.events_len, 0);
    }
}

static void test_records_keep_to_the_agreed_length(void **state)
{
    (void)state;
    open_honestly();
    assert_in_range(sl_tls_write(&client, text, TEXT_LEN), SL_TLS_FRAGMENT, SL_TLS_FRAGMENT);
    struct sl_view record = sl_tls_peek(&client);
    assert_in_range(record.len, SL_TLS_FRAGMENT, SL_TLS_OUT_LEN);
    assert_int_equal(test_tls_server_write(&server, text, TEXT_LEN), SL_TLS_FRAGMENT);
    assert_in_range(test_tls_server_peek(&server).len, SL_TLS_FRAGMENT, SL_TLS_IN_LEN);
}

static void test_small_writes_go_out_with_flush(void **state)
{
    uint8_t received[10];
    (void)state;

    open_honestly();
    assert_int_equal(sl_tls_write(&client, text, 3), 3);
    assert_int_equal(sl_tls_write(&client, text + 3, 4), 4);
    assert_int_equal(sl_tls_peek(&client).len, 0);
    sl_tls_flush(&client);
    assert_int_equal(sl_tls_peek(&client).len, 5 + 7 + 16); /* header, text, Poly1305 tag */
    assert_int_equal(read_all(received, sizeof received, 1), 7);
    assert_memory_equal(received, text, 7);
    sl_tls_flush(&client);
    assert_int_equal(sl_tls_peek(&client).len, 0); /* nothing new, no empty record */
}

static void test_full_buffers_push_back(void **state)
{
    (void)state;
    open_honestly();
    for (size_t at = 0; at < 2 * SL_TLS_FRAGMENT;) {
        size_t used = test_tls_server_write(&server, text + at, 2 * SL_TLS_FRAGMENT - at);
        struct sl_view out = test_tls_server_peek(&server);
        if (at == 0) {
            assert_int_equal(sl_tls_feed(&client, out.data, out.len), out.len);
            assert_int_equal(sl_tls_peek_plain(&client).len, SL_TLS_FRAGMENT);
            test_tls_server_sent(&server, out.len);
        } else { /* the second record has no room before the first is taken */
            assert_int_equal(sl_tls_feed(&client, out.data, out.len), 0);
            sl_tls_taken(&client, SL_TLS_FRAGMENT - 1);
            assert_int_equal(sl_tls_feed(&client, out.data, out.len), 0);
            assert_int_equal(sl_tls_peek_plain(&client).len, 1);
            sl_tls_taken(&client, 2); /* more than there is: no effect */
            assert_int_equal(sl_tls_peek_plain(&client).len, 1);
            sl_tls_taken(&client, 1);
            assert_int_equal(sl_tls_feed(&client, out.data, out.len), out.len);
            assert_memory_equal(sl_tls_peek_plain(&client).data, text + at, SL_TLS_FRAGMENT);
        }
        at += used;
    }

    assert_int_equal(sl_tls_write(&client, text, TEXT_LEN), SL_TLS_FRAGMENT);
    assert_int_equal(sl_tls_write(&client, text, 1), 0);
    size_t record = sl_tls_peek(&client).len;
    sl_tls_sent(&client, record + 1); /* more than there is: no effect */
    assert_int_equal(sl_tls_peek(&client).len, record);
    sl_tls_sent(&client, record - 1);
    assert_int_equal(sl_tls_write(&client, text, 1), 0);
    sl_tls_sent(&client, 1);
    assert_int_equal(sl_tls_write(&client, text, 1), 1);
}

static void test_peer_closes_in_order(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < 8; cut++) {
        open_honestly();
        test_tls_server_write(&server, text, 10);
        test_tls_server_close(&server);
        test_tls_pump(&client, &server, cut, &logged);
        assert_int_equal(logged.plain_len, 10); /* what came before is not lost */
        assert_int_equal(logged.events_len, 1);
        assert_int_equal(logged.events[0].kind, SL_TLS_CLOSED);
        assert_int_equal(sl_tls_status(&client), SL_CLOSED);
        assert_int_equal(sl_tls_error(&client), 0);
        assert_true(test_tls_server_is_closed(&server)); /* it got our answer */
        assert_int_equal(test_tls_server_error(&server), 0);
        assert_int_equal(sl_tls_write(&client, text, 1), 0);
    }
}

static void test_we_close_in_order(void **state)
{
    uint8_t received[10];
    (void)state;

    open_honestly();
    assert_int_equal(sl_tls_write(&client, text, 5), 5);
    sl_tls_flush(&client);
    assert_int_equal(read_all(received, sizeof received, 0), 5);
    test_tls_server_write(&server, text, 10); /* on its way when we close: dropped */
    sl_tls_close(&client);
    assert_int_equal(sl_tls_write(&client, text, 1), 0);
    assert_int_equal(sl_tls_status(&client), SL_OK);
    test_tls_pump(&client, &server, 1, &logged);
    assert_int_equal(logged.plain_len, 0);
    assert_int_equal(logged.events_len, 1);
    assert_int_equal(logged.events[0].kind, SL_TLS_CLOSED);
    assert_true(test_tls_server_is_closed(&server));
}

static void test_close_has_no_effect_unless_open(void **state)
{
    struct test_tls_server_options options = honest();
    (void)state;

    test_tls_server_init(&server, &options);
    test_tls_server_open(&server, 1);
    start_client(NOW, NULL);
    sl_tls_close(&client); /* in the handshake */
    test_tls_pump(&client, &server, 0, &logged);
    assert_opened();

    test_tls_server_close(&server);
    test_tls_pump(&client, &server, 0, &logged);
    assert_int_equal(sl_tls_status(&client), SL_CLOSED);
    sl_tls_close(&client); /* after the end */
    assert_int_equal(sl_tls_status(&client), SL_CLOSED);
    assert_int_equal(sl_tls_peek(&client).len, 0);

    sl_tls_reset(&client);
    sl_tls_close(&client); /* before the beginning */
    assert_int_equal(sl_tls_status(&client), SL_OK);
}

/* A transport that just ends looks like silence: no SL_TLS_CLOSED, so the caller knows. */
static void test_cut_off_is_not_closed(void **state)
{
    (void)state;
    open_honestly();
    test_tls_server_write(&server, text, 10);
    struct sl_view out = test_tls_server_peek(&server);
    sl_tls_feed(&client, out.data, out.len - 1);
    test_tls_drain(&client, &logged);
    assert_int_equal(logged.plain_len, 0); /* not a byte of an unproven record */
    assert_int_equal(logged.events_len, 0);
    assert_int_equal(sl_tls_status(&client), SL_OK);
}

static void test_no_changed_bit_of_a_record_gets_through(void **state)
{
    static struct sl_tls before;
    uint8_t record[64];
    (void)state;

    open_honestly();
    test_tls_server_write(&server, text, 12);
    struct sl_view out = test_tls_server_peek(&server);
    assert_true(out.len <= sizeof record);
    memcpy(record, out.data, out.len);
    memcpy(&before, &client, sizeof before);
    for (size_t bit = 0; bit < 8 * out.len; bit++) {
        memcpy(&client, &before, sizeof before);
        memset(&logged, 0, sizeof logged);
        record[bit / 8] ^= (uint8_t)(1u << bit % 8);
        sl_tls_feed(&client, record, out.len);
        record[bit / 8] ^= (uint8_t)(1u << bit % 8);
        test_tls_drain(&client, &logged);
        assert_int_equal(logged.plain_len, 0);
        if (logged.events_len > 0) /* else the length grew, and the rest is awaited */
            assert_refused(sl_tls_error(&client), SL_PROTOCOL);
        else
            assert_in_range(bit / 8, 3, 4);
    }
    memcpy(&client, &before, sizeof before);
    sl_tls_feed(&client, record, out.len);
    test_tls_drain(&client, &logged);
    assert_int_equal(logged.plain_len, 12);
}

static void test_replayed_record_is_refused(void **state)
{
    uint8_t record[64];
    (void)state;

    open_honestly();
    test_tls_server_write(&server, text, 12);
    struct sl_view out = test_tls_server_peek(&server);
    memcpy(record, out.data, out.len);
    sl_tls_feed(&client, record, out.len);
    test_tls_drain(&client, &logged);
    assert_int_equal(logged.plain_len, 12);
    sl_tls_feed(&client, record, out.len);
    test_tls_drain(&client, &logged);
    assert_int_equal(logged.plain_len, 12);
    assert_refused(BR_ERR_BAD_MAC, SL_PROTOCOL);
}

static void test_renegotiation_is_refused_and_changes_nothing(void **state)
{
    (void)state;

    open_honestly();
    const uint8_t *secret = client.client.eng.session.master_secret;
    uint8_t before[48];
    memcpy(before, secret, sizeof before);
    assert_true(br_ssl_engine_renegotiate(&server.context.eng));
    test_tls_pump(&client, &server, 0, &logged);
    assert_memory_equal(secret, before, sizeof before);
    assert_int_equal(test_tls_server_error(&server),
                     BR_ERR_RECV_FATAL_ALERT + BR_ALERT_NO_RENEGOTIATION);
    assert_int_equal(sl_tls_status(&client), SL_OK);
    assert_int_equal(sl_tls_write(&client, text, 4), 4);
    assert_int_equal(logged.events_len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_carries_data_both_ways_in_any_cut),
        cmocka_unit_test(test_records_keep_to_the_agreed_length),
        cmocka_unit_test(test_small_writes_go_out_with_flush),
        cmocka_unit_test(test_full_buffers_push_back),
        cmocka_unit_test(test_peer_closes_in_order),
        cmocka_unit_test(test_we_close_in_order),
        cmocka_unit_test(test_close_has_no_effect_unless_open),
        cmocka_unit_test(test_cut_off_is_not_closed),
        cmocka_unit_test(test_no_changed_bit_of_a_record_gets_through),
        cmocka_unit_test(test_replayed_record_is_refused),
        cmocka_unit_test(test_renegotiation_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, make_text, free_pki);
}
