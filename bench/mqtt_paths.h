/* The paths of an MQTT client that are worth counting, a function each: callgrind counts them on
 * this computer (mqtt_host.c), QEMU on the ESP8266's core (lx106/main.c).
 *
 * The transport is memory: packets are given whole, and what wants out is taken where it lies.
 * Counted is what the protocol costs, from the call with the packet to the event with its views,
 * the C library's copying included. */
#ifndef SL_BENCH_MQTT_PATHS_H
#define SL_BENCH_MQTT_PATHS_H

#include "mqtt/session.h"

struct bench_client {
    struct sl_mqtt mqtt;
    struct sl_mqtt_config config;
    struct sl_mqtt_message message; /* what it publishes */
    struct sl_mqtt_filter filter;
    struct sl_mqtt_event event;
    const uint8_t *packet; /* what the server sends on this path */
    size_t packet_len;
    size_t used;   /* of it */
    bool is_event; /* what the last sl_mqtt_next gave */
    enum sl_status status;
    _Alignas(4) uint8_t in[384];
    _Alignas(4) uint8_t out[1408];
    struct sl_mqtt_flight flights[10];
    uint16_t received[4];
};

typedef void bench_path(struct bench_client *client);

bench_path bench_nothing; /* what calling a path costs */
bench_path bench_in_qos0; /* 27 bytes in 3.1.1: parsed, wholly validated, given */
bench_path bench_in_qos1; /* the same, and PUBACK is out */
bench_path bench_out_qos0;
bench_path bench_subscribe; /* and SUBACK */
bench_path bench_connect;   /* and CONNACK */

struct bench_case {
    const char *name;
    bench_path *path;
    uint8_t version; /* enum sl_mqtt_version */
    bool has_will;
};

#define BENCH_CASES 11
extern const struct bench_case bench_cases[BENCH_CASES];

/* The session as the path expects it before every round: save client->mqtt, and put it back. */
void bench_prepare(struct bench_client *client, const struct bench_case *which);
/* Did the last round do what it is there for? */
bool bench_is_right(struct bench_client *client, const struct bench_case *which);

#endif
