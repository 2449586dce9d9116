/* A garden: a site made by sluice, Mosquitto, sluice-chip with the real firmware, sluice-node, and
 * an operator who listens to everything. Base topic "irrigation", as in the original project.
 */
#ifndef TEST_SYSTEM_GARDEN_H
#define TEST_SYSTEM_GARDEN_H

#include "harness.h"

#define TEST_MESSAGES_MAX 4096

struct test_message {
    char topic[64]; /* below the base */
    char payload[1500];
    bool is_retained;
};

struct test_garden {
    struct test_place place;
    uint16_t port;
    const char *host; /* what the node and the operator dial; NULL: 127.0.0.1 */
    bool has_own_way; /* the operator dials 127.0.0.1, whatever the broker's name is */
    struct test_process broker, chip, node;
    struct mosquitto *operator;
    const char *node_program; /* SL_NODE after make */
    bool is_connected;
    struct test_message *messages; /* in the order of their coming */
    size_t messages_len;
    int control; /* the chip's control socket, -1 */
};

/* The parts, one by one. make: the site only. */
void test_garden_make(struct test_garden *garden, const char *host);
void test_garden_start_broker(struct test_garden *garden);
void test_garden_start_chip(struct test_garden *garden);
/* extra: more options, NULL at the end; or NULL. Log level is debug. */
void test_garden_start_node(struct test_garden *garden, const char *const *extra);
/* The operator's connection; it comes back by itself. */
void test_garden_connect(struct test_garden *garden);
/* All of them, until the node is online and the chip answers. */
void test_garden_open(struct test_garden *garden);
void test_garden_close(struct test_garden *garden);

/* Publish with QoS 1 below the base. */
void test_say(struct test_garden *garden, const char *topic, const char *payload);
void test_say_bytes(struct test_garden *garden, const char *topic, const void *payload, size_t len,
                    bool retain);
/* With MQTT 5 response topic (answer/operator) and correlation data. */
void test_ask(struct test_garden *garden, const char *topic, const char *payload,
              const char *correlation);

/* Let messages come for ms. */
void test_listen(struct test_garden *garden, uint32_t ms);
/* A message number from or later on topic with text in its payload. Gives: its number, or fails
 * the test. */
#define test_hear(garden, from, topic, text)                                                       \
    test_hear_at((garden), (from), (topic), (text), TEST_WAIT_MS, __FILE__, __LINE__)
size_t test_hear_at(struct test_garden *garden, size_t from, const char *topic, const char *text,
                    uint32_t ms, const char *file, int line);
/* How many came from number from on. */
unsigned test_heard(const struct test_garden *garden, size_t from, const char *topic,
                    const char *text);

/* One line to the chip's control socket; the answer is valid until the next one. */
const char *test_chip(struct test_garden *garden, const char *command);
/* Relays that conduct at this moment, bit z. */
uint8_t test_pins(struct test_garden *garden);
/* Wait until the pins are so, while messages come. False: they were not in time. */
bool test_wait_pins(struct test_garden *garden, uint8_t pins, uint32_t ms);

/* The chip's own time, in which durations are exact however late a busy machine lets us look: now,
 * and when a relay pin changed last. */
uint64_t test_chip_now_us(struct test_garden *garden);
uint64_t test_chip_changed_us(struct test_garden *garden);
/* Wait until every relay is off. Gives: ms of the chip's time from start_us to the end. */
uint32_t test_wait_off(struct test_garden *garden, uint64_t start_us);

#endif
