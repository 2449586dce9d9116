/* The paths of an MQTT client that are worth counting, one function each, run ROUNDS times:
 * callgrind counts the instructions of the function named on the command line (bench/run.sh). */
#include "mqtt/session.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 1000

/* Called from one place, and yet not inlined: callgrind knows them by name. */
#define PATH __attribute__((noinline)) void

struct client {
    struct sl_mqtt mqtt;
    struct sl_mqtt_config config;
    uint8_t in[384], out[1408];
    struct sl_mqtt_flight flights[10];
    uint16_t received[4];
};

void bench_in_qos0(struct client *client, const uint8_t *packet, size_t len);
void bench_in_qos1(struct client *client, const uint8_t *packet, size_t len);
void bench_out_qos0(struct client *client);
void bench_connect(struct client *client, const uint8_t *connack, size_t len);

static void need(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "mqtt-paths: %s\n", what);
    exit(1);
}

static void send_all(struct client *client)
{
    struct sl_view out;
    while ((out = sl_mqtt_peek(&client->mqtt)).len > 0)
        sl_mqtt_sent(&client->mqtt, 0, out.len);
}

static void receive(struct client *client, const uint8_t *packet, size_t len,
                    enum sl_mqtt_event_kind kind)
{
    struct sl_mqtt_event event;
    for (size_t used = 0; used < len;)
        used += sl_mqtt_feed(&client->mqtt, 0, packet + used, len - used);
    need(sl_mqtt_next(&client->mqtt, 0, &event) && event.kind == kind, "not the event expected");
}

/* Parsed, wholly validated, given to the caller. */
PATH bench_in_qos0(struct client *client, const uint8_t *packet, size_t len)
{
    receive(client, packet, len, SL_MQTT_RECEIVED);
}

/* The same, and PUBACK is out. */
PATH bench_in_qos1(struct client *client, const uint8_t *packet, size_t len)
{
    struct sl_mqtt_event event;
    receive(client, packet, len, SL_MQTT_RECEIVED);
    need(!sl_mqtt_next(&client->mqtt, 0, &event), "an event too many");
    send_all(client);
}

PATH bench_out_qos0(struct client *client)
{
    const struct sl_mqtt_message message = {.topic = sl_view_text("garden/zone/on"),
                                            .payload = sl_view_text("0123456789abcdef")};
    uint16_t id;
    need(sl_mqtt_publish(&client->mqtt, 0, &message, &id) == SL_OK, "publish");
    send_all(client);
}

PATH bench_connect(struct client *client, const uint8_t *connack, size_t len)
{
    need(sl_mqtt_open(&client->mqtt, 0, &client->config) == SL_OK, "open");
    send_all(client);
    receive(client, connack, len, SL_MQTT_OPENED);
}

static void start(struct client *client, enum sl_mqtt_version version)
{
    memset(client, 0, sizeof *client);
    const struct sl_mqtt_memory memory = {
        .in = client->in,
        .in_len = sizeof client->in,
        .out = client->out,
        .out_len = sizeof client->out,
        .flights = client->flights,
        .flights_len = sizeof client->flights / sizeof client->flights[0],
        .received = client->received,
        .received_len = sizeof client->received / sizeof client->received[0],
    };
    sl_mqtt_init(&client->mqtt, &memory);
    client->config = (struct sl_mqtt_config){
        .version = version,
        .clean_start = true,
        .keep_alive_s = 30,
        .packet_max = 16384,
        .client_id = sl_view_text("garden"),
        .will = {.topic = sl_view_text("irrigation/availability"),
                 .payload = sl_view_text("offline"),
                 .qos = 1,
                 .retain = true},
    };
}

/* A PUBLISH of `2 120` to irrigation/zone/on: 27 bytes at QoS 0 in MQTT 3.1.1. */
static size_t write_publish(uint8_t *out, enum sl_mqtt_version version, uint8_t qos)
{
    struct sl_writer writer = sl_writer_init(out, 64);
    struct sl_view topic = sl_view_text("irrigation/zone/on"), payload = sl_view_text("2 120");
    bool has_properties = version == SL_MQTT_V5;
    sl_write_u8(&writer, (uint8_t)(0x30 | qos << 1));
    sl_write_u8(&writer,
                (uint8_t)(2 + topic.len + (qos > 0 ? 2u : 0u) + has_properties + payload.len));
    sl_write_u16(&writer, (uint16_t)topic.len);
    sl_write_view(&writer, topic);
    if (qos > 0)
        sl_write_u16(&writer, 7);
    if (has_properties)
        sl_write_u8(&writer, 0);
    sl_write_view(&writer, payload);
    return sl_writer_len(&writer);
}

int main(int argc, char **argv)
{
    static struct client client;
    static const uint8_t connack[] = {0x20, 3, 0, 0, 0};
    uint8_t connack_v3[] = {0x20, 2, 0, 0};
    uint8_t packet[64];
    if (argc != 3) {
        fputs("usage: mqtt-paths 3|5 in_qos0|in_qos1|out_qos0|connect\n"
              "callgrind counts bench_<path>, which runs 1000 times\n",
              stderr);
        return 2;
    }
    bool is_5 = argv[1][0] == '5';
    enum sl_mqtt_version version = is_5 ? SL_MQTT_V5 : SL_MQTT_V3;
    const uint8_t *welcome = is_5 ? connack : connack_v3;
    size_t welcome_len = is_5 ? sizeof connack : sizeof connack_v3;
    const char *path = argv[2];
    start(&client, version);
    if (strcmp(path, "connect") != 0) {
        need(sl_mqtt_open(&client.mqtt, 0, &client.config) == SL_OK, "open");
        send_all(&client);
        receive(&client, welcome, welcome_len, SL_MQTT_OPENED);
    }
    for (int round = 0; round < ROUNDS; round++) {
        if (strcmp(path, "in_qos0") == 0)
            bench_in_qos0(&client, packet, write_publish(packet, version, 0));
        else if (strcmp(path, "in_qos1") == 0)
            bench_in_qos1(&client, packet, write_publish(packet, version, 1));
        else if (strcmp(path, "out_qos0") == 0)
            bench_out_qos0(&client);
        else if (strcmp(path, "connect") == 0)
            bench_connect(&client, welcome, welcome_len);
        else
            need(false, "no such path");
        if (strcmp(path, "connect") == 0)
            sl_mqtt_close(&client.mqtt);
    }
    return 0;
}
