/* A transport in memory between the TLS client engine and the test server. */
#include "support/tls_pump.h"

static bool carry_to_server(struct sl_tls *client, struct test_tls_server *server, size_t cut);
static bool carry_to_client(struct sl_tls *client, struct test_tls_server *server, size_t cut);

void test_tls_pump(struct sl_tls *client, struct test_tls_server *server, size_t cut,
                   struct test_tls_log *log)
{
    bool has_moved = true;

    while (has_moved) {
        has_moved = carry_to_server(client, server, cut);
        has_moved |= carry_to_client(client, server, cut);
        has_moved |= test_tls_drain(client, log);
    }
}

bool test_tls_drain(struct sl_tls *client, struct test_tls_log *log)
{
    bool has_moved = false;
    struct sl_tls_event event;

    while (sl_tls_next(client, &event)) {
        if (log->events_len < sizeof log->events / sizeof log->events[0])
            log->events[log->events_len++] = event;
        has_moved = true;
    }
    for (;;) {
        struct sl_view plain = sl_tls_peek_plain(client);
        size_t room = sizeof log->plain - log->plain_len;
        size_t part = plain.len < room ? plain.len : room;
        if (part == 0)
            return has_moved;
        memcpy(log->plain + log->plain_len, plain.data, part);
        log->plain_len += part;
        sl_tls_taken(client, part);
        has_moved = true;
    }
}

struct sl_tls_credentials test_tls_credentials(const struct test_cert *ca,
                                               const struct test_cert *client)
{
    struct sl_tls_credentials credentials = {
        .anchors = {{test_cert_subject(ca), test_cert_point(ca)}},
        .anchors_len = 1,
        .certificate = test_cert_der(client),
        .private_key = test_cert_private_key(client),
    };
    return credentials;
}

static size_t shorten(size_t len, size_t cut)
{
    return cut != 0 && len > cut ? cut : len;
}

static bool carry_to_server(struct sl_tls *client, struct test_tls_server *server, size_t cut)
{
    struct sl_view out = sl_tls_peek(client);
    size_t used = test_tls_server_feed(server, out.data, shorten(out.len, cut));

    sl_tls_sent(client, used);
    return used > 0;
}

static bool carry_to_client(struct sl_tls *client, struct test_tls_server *server, size_t cut)
{
    struct sl_view out = test_tls_server_peek(server);
    size_t used = sl_tls_feed(client, out.data, shorten(out.len, cut));

    test_tls_server_sent(server, used);
    return used > 0;
}
