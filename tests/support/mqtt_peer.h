/* The broker's end of an MQTT connection in memory, scripted by a test.
 *
 * It decodes what a client sends and encodes what the test wants to answer; it has no opinion and
 * keeps no rules, so it can be as wrong as the test likes.
 */
#ifndef TEST_SUPPORT_MQTT_PEER_H
#define TEST_SUPPORT_MQTT_PEER_H

#include "base/bytes.h"

#define TEST_MQTT_CONNECT    1
#define TEST_MQTT_PUBLISH    3
#define TEST_MQTT_PUBACK     4
#define TEST_MQTT_SUBSCRIBE  8
#define TEST_MQTT_PINGREQ    12
#define TEST_MQTT_DISCONNECT 14

#define TEST_MQTT_FILTERS_MAX 16
#define TEST_MQTT_TEXT_MAX    1024

struct test_mqtt_text {
    char text[TEST_MQTT_TEXT_MAX]; /* NUL-terminated */
    size_t len;
};

/* One packet of the client; fields that do not apply are zero. */
struct test_mqtt_packet {
    uint8_t type, flags;
    uint16_t id;
    uint8_t reason; /* PUBACK, DISCONNECT */
    /* CONNECT */
    uint8_t level, connect_flags;
    uint16_t keep_alive_s;
    struct test_mqtt_text client_id, will_topic, will_payload;
    /* SUBSCRIBE */
    struct test_mqtt_text filters[TEST_MQTT_FILTERS_MAX];
    uint8_t options[TEST_MQTT_FILTERS_MAX];
    size_t filters_len;
    /* PUBLISH */
    struct test_mqtt_text topic, payload, correlation;
    uint8_t qos;
    bool retain, dup;
};

struct test_mqtt_peer {
    uint8_t level; /* of the last CONNECT: 4 or 5 */
    uint8_t in[8192];
    size_t in_len;
    uint8_t out[1 << 17];
    size_t out_len;
    uint16_t last_id;
};

/* A PUBLISH to the client; topic and payload as given, whatever they are. */
struct test_mqtt_publish {
    const char *topic;
    struct sl_view payload;
    uint8_t qos;
    bool retain, dup;
    bool has_expiry;
    uint32_t expiry_s;
    const char *response_topic; /* NULL: none */
    struct sl_view correlation;
};

void test_mqtt_peer_reset(struct test_mqtt_peer *peer);
/* Bytes of the client. */
void test_mqtt_peer_feed(struct test_mqtt_peer *peer, const uint8_t *in, size_t len);
/* The next whole packet; a malformed one ends the test program. */
bool test_mqtt_peer_next(struct test_mqtt_peer *peer, struct test_mqtt_packet *packet);

void test_mqtt_peer_raw(struct test_mqtt_peer *peer, const uint8_t *bytes, size_t len);
void test_mqtt_peer_connack(struct test_mqtt_peer *peer, uint8_t reason);
void test_mqtt_peer_suback(struct test_mqtt_peer *peer, uint16_t id, uint8_t code, size_t count);
/* A code for each filter. */
void test_mqtt_peer_suback_each(struct test_mqtt_peer *peer, uint16_t id, struct sl_view codes);
void test_mqtt_peer_puback(struct test_mqtt_peer *peer, uint16_t id, uint8_t reason);
void test_mqtt_peer_pingresp(struct test_mqtt_peer *peer);
void test_mqtt_peer_disconnect(struct test_mqtt_peer *peer, uint8_t reason);
void test_mqtt_peer_publish(struct test_mqtt_peer *peer, const struct test_mqtt_publish *publish);

/* Bytes for the client. */
struct sl_view test_mqtt_peer_peek(const struct test_mqtt_peer *peer);
void test_mqtt_peer_sent(struct test_mqtt_peer *peer, size_t len);

#endif
