/* Starts the parts of a garden, and keeps the operator's connection to the broker. */
#include "garden.h"
#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define BASE "irrigation/"

static const char *host_of(const struct test_garden *garden);
static void turn(struct test_garden *garden, int ms);
static void on_connect(struct mosquitto *operator, void * context, int code, int flags,
                       const mosquitto_property *properties);
static void on_disconnect(struct mosquitto *operator, void * context, int code,
                          const mosquitto_property *properties);
static void on_message(struct mosquitto *operator, void * context,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties);
static void publish(struct test_garden *garden, const char *topic, const void *payload, size_t len,
                    bool retain, const mosquitto_property *properties);

void test_garden_make(struct test_garden *garden, const char *host)
{
    char port[8];

    memset(garden, 0, sizeof *garden);
    garden->control = -1;
    garden->host = host;
    garden->node_program = SL_NODE;
    garden->messages = calloc(TEST_MESSAGES_MAX, sizeof *garden->messages);
    assert_non_null(garden->messages);
    test_place_make(&garden->place);
    garden->port = test_free_port();
    snprintf(port, sizeof port, "%u", garden->port);

    const struct test_path site = test_place_path(&garden->place, "site");
    const char *const init[] = {"--site",
                                site.text,
                                "init",
                                "--no-passphrase",
                                "--port",
                                port,
                                "--broker-host",
                                host_of(garden),
                                "--bind",
                                host && strchr(host, ':') ? host : "127.0.0.1",
                                NULL};
    const char *const add[] = {"--site", site.text, "node",       "add",
                               "garden", "--base",  "irrigation", NULL};
    assert_int_equal(test_run(&garden->place, "init", SL_SLUICE, init), 0);
    assert_int_equal(test_run(&garden->place, "node-add", SL_SLUICE, add), 0);
}

void test_garden_start_broker(struct test_garden *garden)
{
    const struct test_path conf = test_place_path(&garden->place, "site/broker/mosquitto.conf");
    const char *const args[] = {"-c", conf.text, NULL};

    test_start(&garden->broker, &garden->place, "broker", SL_MOSQUITTO, args, NULL);
    test_expect(&garden->broker, "running", 1);
}

void test_garden_start_chip(struct test_garden *garden)
{
    const struct test_path spi = test_place_path(&garden->place, "spi");
    const struct test_path control = test_place_path(&garden->place, "control");
    const char *const args[] = {"--elf",     SL_CHIP_ELF,  "--spi", spi.text,
                                "--control", control.text, NULL};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval limit = {.tv_sec = 5};
    const uint64_t end = test_now_ms() + TEST_WAIT_MS;

    if (garden->control >= 0)
        close(garden->control);
    test_start(&garden->chip, &garden->place, "chip", SL_CHIP, args, NULL);
    memcpy(address.sun_path, control.text, sizeof control.text);
    garden->control = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_true(garden->control >= 0);
    setsockopt(garden->control, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    while (connect(garden->control, (const struct sockaddr *)&address, sizeof address) != 0) {
        if (test_now_ms() >= end || !test_is_running(&garden->chip)) {
            test_show(&garden->chip);
            fail_msg("sluice-chip does not listen: %s", strerror(errno));
        }
        test_pause(10);
    }
}

void test_garden_start_node(struct test_garden *garden, const char *const *extra)
{
    const struct test_path identity = test_place_path(&garden->place, "site/nodes/garden/identity");
    const struct test_path spi = test_place_path(&garden->place, "spi");
    const char *args[TEST_ARGS_MAX] = {"--identity", identity.text, "--chip",
                                       spi.text,     "--log-level", "debug"};
    size_t len = 6;

    for (; extra && *extra; extra++) {
        assert_true(len < TEST_ARGS_MAX - 1);
        args[len++] = *extra;
    }
    args[len] = NULL;
    test_start(&garden->node, &garden->place, "node", garden->node_program, args, NULL);
}

void test_garden_connect(struct test_garden *garden)
{
    const struct test_path ca = test_place_path(&garden->place, "site/ca/certificate.pem");
    const struct test_path certificate =
        test_place_path(&garden->place, "site/operators/operator/certificate.pem");
    const struct test_path key = test_place_path(&garden->place, "site/operators/operator/key.pem");

    mosquitto_lib_init();
    garden->operator= mosquitto_new("operator", true, garden);
    assert_non_null(garden->operator);
    mosquitto_int_option(garden->operator, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_connect_v5_callback_set(garden->operator, on_connect);
    mosquitto_disconnect_v5_callback_set(garden->operator, on_disconnect);
    mosquitto_message_v5_callback_set(garden->operator, on_message);
    assert_int_equal(
        mosquitto_tls_set(garden->operator, ca.text, NULL, certificate.text, key.text, NULL),
        MOSQ_ERR_SUCCESS);
    if (garden->has_own_way)
        mosquitto_tls_insecure_set(garden->operator, true); /* an address is no name */
    assert_int_equal(mosquitto_connect(garden->operator,
                                       garden->has_own_way ? "127.0.0.1" : host_of(garden),
                                       garden->port, 60),
                     MOSQ_ERR_SUCCESS);
    const uint64_t end = test_now_ms() + TEST_WAIT_MS;
    while (!garden->is_connected && test_now_ms() < end)
        turn(garden, 50);
    assert_true(garden->is_connected);
}

void test_garden_open(struct test_garden *garden)
{
    test_garden_make(garden, NULL);
    test_garden_start_broker(garden);
    test_garden_start_chip(garden);
    test_garden_connect(garden);
    test_garden_start_node(garden, NULL);
    test_hear(garden, 0, "availability", "online");
    test_expect(&garden->node, "the relay chip answers", 1);
}

void test_garden_close(struct test_garden *garden)
{
    if (garden->operator)
        mosquitto_destroy(garden->operator);
    if (garden->control >= 0)
        close(garden->control);
    test_stop(&garden->node);
    test_stop(&garden->chip);
    test_stop(&garden->broker);
    test_place_remove(&garden->place);
    free(garden->messages);
    memset(garden, 0, sizeof *garden);
    garden->control = -1;
}

void test_say(struct test_garden *garden, const char *topic, const char *payload)
{
    publish(garden, topic, payload, strlen(payload), false, NULL);
}

void test_say_bytes(struct test_garden *garden, const char *topic, const void *payload, size_t len,
                    bool retain)
{
    publish(garden, topic, payload, len, retain, NULL);
}

void test_ask(struct test_garden *garden, const char *topic, const char *payload,
              const char *correlation)
{
    mosquitto_property *properties = NULL;

    assert_int_equal(mosquitto_property_add_string(&properties, MQTT_PROP_RESPONSE_TOPIC,
                                                   BASE "answer/operator"),
                     MOSQ_ERR_SUCCESS);
    assert_int_equal(mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA,
                                                   correlation, (uint16_t)strlen(correlation)),
                     MOSQ_ERR_SUCCESS);
    publish(garden, topic, payload, strlen(payload), false, properties);
    mosquitto_property_free_all(&properties);
}

void test_listen(struct test_garden *garden, uint32_t ms)
{
    const uint64_t end = test_now_ms() + ms;

    for (uint64_t now = test_now_ms(); now < end; now = test_now_ms())
        turn(garden, end - now < 50 ? (int)(end - now) : 50);
}

static bool is_match(const struct test_message *message, const char *topic, const char *text)
{
    return strcmp(message->topic, topic) == 0 && strstr(message->payload, text) != NULL;
}

size_t test_hear_at(struct test_garden *garden, size_t from, const char *topic, const char *text,
                    uint32_t ms, const char *file, int line)
{
    const uint64_t end = test_now_ms() + ms;

    for (size_t i = from;;) {
        for (; i < garden->messages_len; i++)
            if (is_match(&garden->messages[i], topic, text))
                return i;
        if (test_now_ms() >= end)
            break;
        turn(garden, 20);
    }
    for (size_t i = from; i < garden->messages_len; i++)
        print_error("heard %s: %s\n", garden->messages[i].topic, garden->messages[i].payload);
    test_show(&garden->node);
    print_error("'%s' did not come on %s in %u ms\n", text, topic, ms);
    _fail(file, line);
    return SIZE_MAX;
}

unsigned test_heard(const struct test_garden *garden, size_t from, const char *topic,
                    const char *text)
{
    unsigned count = 0;

    for (size_t i = from; i < garden->messages_len; i++)
        count += is_match(&garden->messages[i], topic, text);
    return count;
}

const char *test_chip(struct test_garden *garden, const char *command)
{
    static char answer[4096];

    assert_int_equal(send(garden->control, command, strlen(command), MSG_NOSIGNAL),
                     strlen(command));
    const ssize_t len = recv(garden->control, answer, sizeof answer - 1, 0);
    assert_true(len > 0);
    answer[len] = '\0';
    if (strncmp(answer, "error", 5) == 0)
        fail_msg("sluice-chip: %s: %s", command, answer);
    return answer;
}

/* A number in the chip's state. */
static uint64_t read_state(struct test_garden *garden, const char *name_and_colon)
{
    const char *at = strstr(test_chip(garden, "state"), name_and_colon);

    assert_non_null(at);
    return strtoull(at + strlen(name_and_colon), NULL, 10);
}

uint8_t test_pins(struct test_garden *garden)
{
    return (uint8_t)read_state(garden, "\"conducting\":");
}

uint64_t test_chip_now_us(struct test_garden *garden)
{
    return read_state(garden, "\"time_us\":");
}

uint64_t test_chip_changed_us(struct test_garden *garden)
{
    return read_state(garden, "\"changed_us\":");
}

uint32_t test_wait_off(struct test_garden *garden, uint64_t start_us)
{
    assert_true(test_wait_pins(garden, 0, TEST_WAIT_MS));
    return (uint32_t)((test_chip_changed_us(garden) - start_us) / 1000);
}

bool test_wait_pins(struct test_garden *garden, uint8_t pins, uint32_t ms)
{
    const uint64_t end = test_now_ms() + ms;

    while (test_pins(garden) != pins) {
        if (test_now_ms() >= end)
            return false;
        turn(garden, 10);
    }
    return true;
}

static const char *host_of(const struct test_garden *garden)
{
    return garden->host ? garden->host : "127.0.0.1";
}

/* A lost connection is made again in the next turn. */
static void turn(struct test_garden *garden, int ms)
{
    if (!garden->operator) {
        test_pause((uint32_t)ms);
    } else if (mosquitto_loop(garden->operator, ms, 1) != MOSQ_ERR_SUCCESS) {
        test_pause((uint32_t)ms);
        (void)mosquitto_reconnect(garden->operator);
    }
}

static void on_connect(struct mosquitto *operator, void * context, int code, int flags,
                       const mosquitto_property *properties)
{
    struct test_garden *garden = context;

    (void)flags, (void)properties;
    if (code != 0)
        return;
    garden->is_connected = true;
    mosquitto_subscribe(operator, NULL, BASE "#", 1);
}

static void on_disconnect(struct mosquitto *operator, void * context, int code,
                          const mosquitto_property *properties)
{
    (void)operator,(void) code, (void)properties;
    ((struct test_garden *)context)->is_connected = false;
}

static void on_message(struct mosquitto *operator, void * context,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
    struct test_garden *garden = context;

    (void)operator,(void) properties;
    if (garden->messages_len == TEST_MESSAGES_MAX ||
        strncmp(message->topic, BASE, strlen(BASE)) != 0)
        return;
    struct test_message *kept = &garden->messages[garden->messages_len++];
    snprintf(kept->topic, sizeof kept->topic, "%s", message->topic + strlen(BASE));
    snprintf(kept->payload, sizeof kept->payload, "%.*s", message->payloadlen,
             message->payload ? (const char *)message->payload : "");
    kept->is_retained = message->retain;
}

static void publish(struct test_garden *garden, const char *topic, const void *payload, size_t len,
                    bool retain, const mosquitto_property *properties)
{
    char full[128];
    const uint64_t end = test_now_ms() + TEST_WAIT_MS;

    snprintf(full, sizeof full, BASE "%s", topic);
    while (!garden->is_connected && test_now_ms() < end)
        turn(garden, 20);
    assert_int_equal(mosquitto_publish_v5(garden->operator, NULL, full, (int)len, payload, 1,
                                          retain, properties),
                     MOSQ_ERR_SUCCESS);
    while (mosquitto_want_write(garden->operator))
        turn(garden, 0);
}
