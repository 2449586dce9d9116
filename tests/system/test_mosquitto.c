/* The session engine alone against the real broker, without TLS and node: every kind of packet that
 * a client may send, with all that it can carry, in both versions. The broker must understand each,
 * and find fault with none. */
#include "harness.h"
#include "mqtt/session.h"
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_MAX 32

static struct test_place place;
static struct test_process broker;
static uint16_t port;

/* What happened, as far as this test looks at it. Views are gone; topics and payloads are short. */
struct happening {
    enum sl_mqtt_event_kind kind;
    uint8_t reason;
    bool session_present;
    uint16_t id;
    uint8_t codes[4];
    size_t codes_len;
    struct sl_mqtt_message message; /* numbers and flags only */
    char topic[32], payload[32], response_topic[32], correlation[32], content_type[32];
};

struct client {
    struct sl_mqtt mqtt;
    struct sl_mqtt_config config;
    int fd;
    uint32_t skew_ms; /* a test need not wait for the keep alive */
    uint8_t in[512], out[1024];
    struct sl_mqtt_flight flights[8];
    uint16_t received[8];
    struct happening happenings[EVENTS_MAX];
    size_t happenings_len;
};

static struct client one, other;

static sl_ms now(const struct client *client)
{
    return (sl_ms)test_now_ms() + client->skew_ms;
}

static void copy(char out[32], struct sl_view view)
{
    assert_true(view.len < 32);
    memcpy(out, view.data ? (const void *)view.data : "", view.len);
    out[view.len] = '\0';
}

static void note(struct client *client, const struct sl_mqtt_event *event)
{
    assert_true(client->happenings_len < EVENTS_MAX);
    struct happening *h = &client->happenings[client->happenings_len++];
    memset(h, 0, sizeof *h);
    h->kind = event->kind;
    h->reason = event->reason;
    h->id = event->id;
    if (event->kind == SL_MQTT_OPENED)
        h->session_present = event->session_present;
    if (event->kind == SL_MQTT_SUBSCRIBED || event->kind == SL_MQTT_UNSUBSCRIBED) {
        assert_true(event->codes.len <= sizeof h->codes);
        h->codes_len = event->codes.len;
        memcpy(h->codes, event->codes.data, event->codes.len);
    }
    if (event->kind != SL_MQTT_RECEIVED)
        return;
    h->message = event->message;
    copy(h->topic, event->message.topic);
    copy(h->payload, event->message.payload);
    copy(h->response_topic, event->message.response_topic);
    copy(h->correlation, event->message.correlation);
    copy(h->content_type, event->message.content_type);
}

static void pull(struct client *client)
{
    struct sl_mqtt_event event;
    while (sl_mqtt_next(&client->mqtt, now(client), &event))
        note(client, &event);
}

static void send_all(struct client *client)
{
    struct sl_view view;
    while ((view = sl_mqtt_peek(&client->mqtt)).len > 0) {
        const ssize_t n = send(client->fd, view.data, view.len, MSG_NOSIGNAL);
        assert_true(n > 0);
        sl_mqtt_sent(&client->mqtt, now(client), (size_t)n);
        pull(client);
    }
}

/* Take what comes within ms; gives 0 when the broker closed the connection. */
static ssize_t turn(struct client *client, int ms)
{
    struct pollfd poll_fd = {.fd = client->fd, .events = POLLIN};
    uint8_t bytes[256];
    send_all(client);
    if (poll(&poll_fd, 1, ms) <= 0)
        return -1;
    const ssize_t n = recv(client->fd, bytes, sizeof bytes, 0);
    for (ssize_t used = 0; used < n;) {
        const size_t taken =
            sl_mqtt_feed(&client->mqtt, now(client), bytes + used, (size_t)(n - used));
        pull(client);
        send_all(client);
        if (taken == 0 && sl_mqtt_status(&client->mqtt) != SL_OK)
            break;
        used += (ssize_t)taken;
    }
    return n < 0 ? 0 : n;
}

/* The next happening of a kind, and forget it. */
static struct happening expect(struct client *client, enum sl_mqtt_event_kind kind)
{
    const uint64_t end = test_now_ms() + TEST_WAIT_MS;
    do {
        for (size_t i = 0; i < client->happenings_len; i++) {
            const struct happening found = client->happenings[i];
            if (found.kind != kind)
                continue;
            memmove(client->happenings + i, client->happenings + i + 1,
                    (--client->happenings_len - i) * sizeof found);
            return found;
        }
        turn(client, 50);
    } while (test_now_ms() < end && sl_mqtt_status(&client->mqtt) == SL_OK);
    test_show(&broker);
    fail_msg("no event %d; status %d, reason %02x", kind, sl_mqtt_status(&client->mqtt),
             client->mqtt.reason);
    return client->happenings[0];
}

static void dial(struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client->fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(sl_mqtt_open(&client->mqtt, now(client), &client->config), SL_OK);
}

static void cut(struct client *client)
{
    close(client->fd);
    sl_mqtt_close(&client->mqtt);
}

static void start(struct client *client, enum sl_mqtt_version version, const char *name)
{
    memset(client, 0, sizeof *client);
    const struct sl_mqtt_memory memory = {.in = client->in,
                                          .in_len = sizeof client->in,
                                          .out = client->out,
                                          .out_len = sizeof client->out,
                                          .flights = client->flights,
                                          .flights_len = 8,
                                          .received = client->received,
                                          .received_len = 8};
    client->config = (struct sl_mqtt_config){.version = version,
                                             .keep_alive_s = 30,
                                             .session_expiry_s = 60,
                                             .client_id = sl_view_text(name)};
    sl_mqtt_init(&client->mqtt, &memory);
}

/* A message with all that it can carry. */
static struct sl_mqtt_message full_message(const char *topic, const char *payload, uint8_t qos)
{
    return (struct sl_mqtt_message){
        .topic = sl_view_text(topic),
        .payload = sl_view_text(payload),
        .qos = qos,
        .is_text = true,
        .has_expiry = true,
        .expiry_s = 3600,
        .response_topic = sl_view_text("answer/here"),
        .correlation = sl_view_text("k-1"),
        .content_type = sl_view_text("text/plain"),
    };
}

static void assert_full(const struct happening *h, enum sl_mqtt_version version, const char *topic,
                        const char *payload, uint8_t qos)
{
    const bool is_v5 = version == SL_MQTT_V5;
    assert_string_equal(h->topic, topic);
    assert_string_equal(h->payload, payload);
    assert_int_equal(h->message.qos, qos);
    assert_string_equal(h->response_topic, is_v5 ? "answer/here" : "");
    assert_string_equal(h->correlation, is_v5 ? "k-1" : "");
    assert_string_equal(h->content_type, is_v5 ? "text/plain" : "");
    assert_int_equal(h->message.is_text, is_v5);
    assert_int_equal(h->message.has_expiry, is_v5);
    if (is_v5)
        assert_in_range(h->message.expiry_s, 3500, 3600);
}

static void publish(struct client *client, const struct sl_mqtt_message *message)
{
    uint16_t id;
    assert_int_equal(sl_mqtt_publish(&client->mqtt, now(client), message, &id), SL_OK);
}

static void subscribe_and_hear(enum sl_mqtt_version version)
{
    const char *const payloads[] = {"zero", "one", "two"};
    struct sl_mqtt_filter filters[] = {
        {.filter = sl_view_text("conformance/#"), .qos = 2, .retain_as_published = true},
        {.filter = sl_view_text("+/elsewhere"), .qos = 1, .no_local = true, .retain_handling = 2},
        {.filter = sl_view_text("$SYS/broker/version"), .retain_handling = 1},
    };
    uint16_t id;
    assert_int_equal(sl_mqtt_subscribe(&one.mqtt, now(&one), filters, 3, &id), SL_OK);
    const struct happening granted = expect(&one, SL_MQTT_SUBSCRIBED);
    assert_int_equal(granted.id, id);
    assert_int_equal(granted.codes_len, 3);
    assert_memory_equal(granted.codes, "\2\1\0", 3);
    const struct happening told = expect(&one, SL_MQTT_RECEIVED);
    assert_string_equal(told.topic, "$SYS/broker/version");
    assert_true(told.message.retain);
    for (uint8_t qos = 0; qos <= 2; qos++) {
        const struct sl_mqtt_message message =
            full_message("conformance/\xC3\xA4", payloads[qos], qos);
        publish(&one, &message);
    }
    for (uint8_t qos = 1; qos <= 2; qos++)
        assert_int_equal(expect(&one, SL_MQTT_DELIVERED).reason, 0);
    for (uint8_t i = 0; i <= 2; i++) {
        const struct happening heard = expect(&one, SL_MQTT_RECEIVED);
        const uint8_t qos = heard.payload[0] == 'z' ? 0 : heard.payload[0] == 'o' ? 1 : 2;
        assert_full(&heard, version, "conformance/\xC3\xA4", payloads[qos], qos);
    }
}

static void ping(void)
{
    one.skew_ms += 30000;
    sl_mqtt_tick(&one.mqtt, now(&one));
    assert_true(one.mqtt.is_waiting);
    const uint64_t end = test_now_ms() + TEST_WAIT_MS;
    while (one.mqtt.is_waiting && test_now_ms() < end)
        turn(&one, 50);
    assert_false(one.mqtt.is_waiting);
    assert_int_equal(sl_mqtt_status(&one.mqtt), SL_OK);
}

/* The line is cut while QoS 1 and QoS 2 are on their way: both are there after resuming, the QoS 2
 * message once. */
static void resume(enum sl_mqtt_version version)
{
    struct sl_mqtt_message message = full_message("conformance/cut", "two", 2);
    publish(&one, &message);
    message = full_message("conformance/cut", "one", 1);
    publish(&one, &message);
    send_all(&one);
    cut(&one);
    dial(&one);
    assert_true(expect(&one, SL_MQTT_OPENED).session_present);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(expect(&one, SL_MQTT_DELIVERED).reason, 0);
    unsigned twos = 0;
    message = full_message("conformance/last", "end", 0);
    publish(&one, &message);
    for (;;) {
        const struct happening heard = expect(&one, SL_MQTT_RECEIVED);
        if (strcmp(heard.payload, "end") == 0)
            break;
        assert_full(&heard, version, "conformance/cut", heard.payload,
                    strcmp(heard.payload, "two") == 0 ? 2 : 1);
        twos += strcmp(heard.payload, "two") == 0;
    }
    assert_int_equal(twos, 1);
}

static void unsubscribe(enum sl_mqtt_version version)
{
    struct sl_view filters[] = {sl_view_text("+/elsewhere"), sl_view_text("never/asked")};
    uint16_t id;
    assert_int_equal(sl_mqtt_unsubscribe(&one.mqtt, now(&one), filters, 2, &id), SL_OK);
    const struct happening done = expect(&one, SL_MQTT_UNSUBSCRIBED);
    assert_int_equal(done.id, id);
    assert_int_equal(done.codes_len, version == SL_MQTT_V5 ? 2 : 0);
    if (version == SL_MQTT_V5)
        assert_memory_equal(done.codes, "\x00\x11", 2);
}

/* The will comes out as it went in: by DISCONNECT 0x04, in 3.1.1 by closing the connection. */
static void leave_a_will(enum sl_mqtt_version version)
{
    start(&other, version, "other");
    other.config.clean_start = true;
    other.config.will = full_message("conformance/will", "gone", 2);
    dial(&other);
    assert_false(expect(&other, SL_MQTT_OPENED).session_present);
    sl_mqtt_disconnect(&other.mqtt, now(&other), 0x04);
    send_all(&other);
    cut(&other);
    const struct happening heard = expect(&one, SL_MQTT_RECEIVED);
    assert_full(&heard, version, "conformance/will", "gone", 2);
}

/* After DISCONNECT the broker closes, and has found no fault. */
static void leave(void)
{
    const uint64_t end = test_now_ms() + TEST_WAIT_MS;
    sl_mqtt_disconnect(&one.mqtt, now(&one), 0);
    while (turn(&one, 50) != 0)
        assert_true(test_now_ms() < end);
    cut(&one);
    test_expect(&broker, "Client one disconnected.", 1);
}

static void story(enum sl_mqtt_version version)
{
    const char *const faults[] = {"protocol error", "malformed", "Malformed", "Bad",     "bad ",
                                  "invalid",        "Invalid",   "oversize",  "exceeded"};
    start(&one, version, "one");
    one.config.will = full_message("conformance/will", "not this one", 1);
    one.config.clean_start = true; /* nothing of an earlier story */
    dial(&one);
    expect(&one, SL_MQTT_OPENED);
    leave();
    one.config.clean_start = false;
    one.config.will.topic.len = 0; /* the line will be cut */
    dial(&one);
    expect(&one, SL_MQTT_OPENED);
    subscribe_and_hear(version);
    ping();
    resume(version);
    unsubscribe(version);
    leave_a_will(version);
    leave();
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        assert_int_equal(test_count(&broker, faults[i]), 0);
}

static void every_kind_of_packet_in_3_1_1(void **state)
{
    (void)state;
    story(SL_MQTT_V3);
}

static void every_kind_of_packet_in_5_0(void **state)
{
    (void)state;
    story(SL_MQTT_V5);
}

static int start_broker(void **state)
{
    (void)state;
    test_place_make(&place);
    port = test_free_port();
    const struct test_path conf = test_place_path(&place, "mosquitto.conf");
    FILE *file = fopen(conf.text, "w");
    assert_non_null(file);
    fprintf(file,
            "listener %u 127.0.0.1\nallow_anonymous true\nlog_dest stderr\nlog_type all\n"
            "set_tcp_nodelay true\n",
            port);
    assert_int_equal(fclose(file), 0);
    const char *const args[] = {"-c", conf.text, NULL};
    test_start(&broker, &place, "broker", SL_MOSQUITTO, args, NULL);
    test_expect(&broker, "running", 1);
    return 0;
}

static int stop_broker(void **state)
{
    (void)state;
    test_stop(&broker);
    test_place_remove(&place);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_broker, stop_broker)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_packet_in_3_1_1),
        TEST(every_kind_of_packet_in_5_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
