/* One client, one server, one set of certificates: what the TLS tests start from. */
#ifndef TEST_TLS_FIXTURE_H
#define TEST_TLS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "support/tls_pump.h"
#include <cmocka.h>

#define NOW         UINT64_C(1800000000) /* 2027-01-15 */
#define SERVER_NAME "broker.test"

static struct test_pki pki;
static struct test_tls_server server;
static struct sl_tls client;
static struct test_tls_log logged;

static int make_pki(void **state)
{
    (void)state;
    test_pki_make(&pki, (int64_t)NOW);
    return 0;
}

static int free_pki(void **state)
{
    (void)state;
    test_pki_free(&pki);
    return 0;
}

/* The honest server; a test changes what it is about. */
static inline struct test_tls_server_options honest(void)
{
    struct test_tls_server_options options = {
        .certificate = &pki.server, .client_ca = &pki.ca, .unix_s = NOW, .has_cache = true};
    return options;
}

static inline void start_client(uint64_t unix_s, const struct sl_tls_session *session)
{
    static const uint8_t seed[SL_TLS_SEED_LEN] = {42};
    struct sl_tls_credentials credentials = test_tls_credentials(&pki.ca, &pki.client);

    memset(&logged, 0, sizeof logged);
    assert_int_equal(sl_tls_init(&client, &credentials), SL_OK);
    sl_tls_open(&client, SERVER_NAME, unix_s, seed, session);
}

/* A whole handshake with a server that behaves as options say. */
static inline void connect_with(const struct test_tls_server_options *options)
{
    test_tls_server_init(&server, options);
    test_tls_server_open(&server, 1);
    start_client(NOW, NULL);
    test_tls_pump(&client, &server, 0, &logged);
}

static inline void assert_opened(void)
{
    assert_int_equal(sl_tls_error(&client), 0);
    assert_int_equal(logged.events_len, 1);
    assert_int_equal(logged.events[0].kind, SL_TLS_OPENED);
    assert_int_equal(sl_tls_status(&client), SL_OK);
    assert_true(test_tls_server_is_open(&server));
}

/* Refused before anything was open, with this error, and for good. */
static inline void assert_refused(uint16_t error, enum sl_status status)
{
    struct sl_tls_event event;

    assert_int_equal(sl_tls_error(&client), error);
    assert_int_equal(sl_tls_status(&client), status);
    assert_int_equal(logged.events_len, 1);
    assert_int_equal(logged.events[0].kind, SL_TLS_FAILED);
    assert_int_equal(sl_tls_write(&client, (const uint8_t *)"x", 1), 0);
    assert_int_equal(sl_tls_peek_plain(&client).len, 0);
    assert_int_equal(sl_tls_peek(&client).len, 0);
    assert_int_equal(sl_tls_feed(&client, (const uint8_t *)"more", 4), 4);
    assert_false(sl_tls_next(&client, &event));
}

#endif
