/* The paths, and what the server says on them. */
#include "mqtt_paths.h"

const struct bench_case bench_cases[BENCH_CASES] = {
    {"in_qos0_v3", bench_in_qos0, SL_MQTT_V3, false},
    {"in_qos0_v5", bench_in_qos0, SL_MQTT_V5, false},
    {"in_qos1_v3", bench_in_qos1, SL_MQTT_V3, false},
    {"in_qos1_v5", bench_in_qos1, SL_MQTT_V5, false},
    {"out_qos0_v3", bench_out_qos0, SL_MQTT_V3, false},
    {"out_qos0_v5", bench_out_qos0, SL_MQTT_V5, false},
    {"subscribe_v3", bench_subscribe, SL_MQTT_V3, false},
    {"subscribe_v5", bench_subscribe, SL_MQTT_V5, false},
    {"connect_v3", bench_connect, SL_MQTT_V3, false},
    {"connect_will_v3", bench_connect, SL_MQTT_V3, true},
    {"connect_will_v5", bench_connect, SL_MQTT_V5, true},
};

static _Alignas(4) const uint8_t connack_v3[] = {0x20, 2, 0, 0};
static _Alignas(4) const uint8_t connack_v5[] = {0x20, 3, 0, 0, 0};
static _Alignas(4) const uint8_t suback_v3[] = {0x90, 3, 0, 1, 1};
static _Alignas(4) const uint8_t suback_v5[] = {0x90, 4, 0, 1, 0, 1};

#define TOPIC "irrigation/zone/on"

/* What is given and what is sent starts on a word, as in a buffer of its own. */
static _Alignas(4) const uint8_t topic[] = TOPIC;
static _Alignas(4) const uint8_t payload[] = "0123456789abcdef";
static _Alignas(4) const uint8_t client_id[] = "garden";
static _Alignas(4) const uint8_t will_topic[] = "irrigation/availability";
static _Alignas(4) const uint8_t will_payload[] = "offline";
#define VIEW(text) ((struct sl_view){(text), sizeof(text) - 1})

/* `2 120` to TOPIC: 27 bytes at QoS 0 in 3.1.1. */
static _Alignas(4) const uint8_t qos0_v3[] = "\x30\x19\x00\x12" TOPIC "2 120";
static _Alignas(4) const uint8_t qos0_v5[] = "\x30\x1A\x00\x12" TOPIC "\x00"
                                             "2 120";
static _Alignas(4) const uint8_t qos1_v3[] = "\x32\x1B\x00\x12" TOPIC "\x00\x07"
                                             "2 120";
static _Alignas(4) const uint8_t qos1_v5[] = "\x32\x1C\x00\x12" TOPIC "\x00\x07\x00"
                                             "2 120";

static inline __attribute__((always_inline)) void send_all(struct bench_client *client)
{
    size_t len = sl_mqtt_peek(&client->mqtt).len;
    sl_mqtt_sent(&client->mqtt, 0, len);
}

static inline __attribute__((always_inline)) void receive(struct bench_client *client)
{
    client->used = sl_mqtt_feed(&client->mqtt, 0, client->packet, client->packet_len);
    client->is_event = sl_mqtt_next(&client->mqtt, 0, &client->event);
}

void bench_nothing(struct bench_client *client)
{
    (void)client;
}

void bench_in_qos0(struct bench_client *client)
{
    receive(client);
}

void bench_in_qos1(struct bench_client *client)
{
    receive(client);
    client->is_event = sl_mqtt_next(&client->mqtt, 0, &client->event);
    send_all(client);
}

void bench_out_qos0(struct bench_client *client)
{
    uint16_t id;
    client->status = sl_mqtt_publish(&client->mqtt, 0, &client->message, &id);
    send_all(client);
}

void bench_subscribe(struct bench_client *client)
{
    uint16_t id;
    client->status = sl_mqtt_subscribe(&client->mqtt, 0, &client->filter, 1, &id);
    send_all(client);
    receive(client);
}

void bench_connect(struct bench_client *client)
{
    client->status = sl_mqtt_open(&client->mqtt, 0, &client->config);
    send_all(client);
    receive(client);
}

bool bench_is_right(struct bench_client *client, const struct bench_case *which)
{
    enum sl_mqtt_event_kind kind = which->path == bench_connect     ? SL_MQTT_OPENED
                                   : which->path == bench_subscribe ? SL_MQTT_SUBSCRIBED
                                   : which->path == bench_in_qos0   ? SL_MQTT_RECEIVED
                                                                    : SL_MQTT_NONE;
    return client->status == SL_OK && client->used == client->packet_len &&
           client->is_event == (kind != SL_MQTT_NONE) && client->event.kind == kind &&
           sl_mqtt_peek(&client->mqtt).len == 0 && sl_mqtt_status(&client->mqtt) == SL_OK &&
           (kind != SL_MQTT_RECEIVED ||
            (sl_view_is_equal(client->event.message.topic, client->message.topic) &&
             client->event.message.payload.len == 5));
}

static void serve(struct bench_client *client, const uint8_t *packet, size_t len)
{
    client->packet = packet;
    client->packet_len = len;
}

void bench_prepare(struct bench_client *client, const struct bench_case *which)
{
    bool is_v5 = which->version == SL_MQTT_V5;
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
        .version = (enum sl_mqtt_version)which->version,
        .clean_start = true,
        .keep_alive_s = 30,
        .packet_max = 16384,
        .client_id = VIEW(client_id),
    };
    if (which->has_will)
        client->config.will = (struct sl_mqtt_message){
            .topic = VIEW(will_topic),
            .payload = VIEW(will_payload),
            .qos = 1,
            .retain = true,
        };
    client->message = (struct sl_mqtt_message){.topic = VIEW(topic), .payload = VIEW(payload)};
    client->filter = (struct sl_mqtt_filter){.filter = VIEW(topic), .qos = 1};

    if (is_v5)
        serve(client, connack_v5, sizeof connack_v5);
    else
        serve(client, connack_v3, sizeof connack_v3);
    if (which->path == bench_connect)
        return;
    bench_connect(client);
    client->event.kind = SL_MQTT_NONE;
    client->is_event = false;
    client->used = 0;
    serve(client, NULL, 0);
    if (which->path == bench_in_qos0 && is_v5)
        serve(client, qos0_v5, sizeof qos0_v5 - 1);
    else if (which->path == bench_in_qos0)
        serve(client, qos0_v3, sizeof qos0_v3 - 1);
    else if (which->path == bench_in_qos1 && is_v5)
        serve(client, qos1_v5, sizeof qos1_v5 - 1);
    else if (which->path == bench_in_qos1)
        serve(client, qos1_v3, sizeof qos1_v3 - 1);
    else if (which->path == bench_subscribe && is_v5)
        serve(client, suback_v5, sizeof suback_v5);
    else if (which->path == bench_subscribe)
        serve(client, suback_v3, sizeof suback_v3);
}
