/* A transport in memory between the TLS client engine and the test server, cut as the test says. */
#ifndef TEST_SUPPORT_TLS_PUMP_H
#define TEST_SUPPORT_TLS_PUMP_H

#include "support/tls_server.h"
#include "tls/tls.h"

/* What came out of the client while the pump ran. */
struct test_tls_log {
    struct sl_tls_event events[8];
    size_t events_len;
    uint8_t plain[8192]; /* plaintext that the client received */
    size_t plain_len;
};

/* Move bytes both ways, at most cut bytes at a time (0: as they come), until nothing moves.
 * The client's events and plaintext go to log. */
void test_tls_pump(struct sl_tls *client, struct test_tls_server *server, size_t cut,
                   struct test_tls_log *log);

/* Pull the client's events and plaintext into log; true when there were any. */
bool test_tls_drain(struct sl_tls *client, struct test_tls_log *log);

/* Credentials of the client certificate, with one trust anchor. */
struct sl_tls_credentials test_tls_credentials(const struct test_cert *ca,
                                               const struct test_cert *client);

#endif
