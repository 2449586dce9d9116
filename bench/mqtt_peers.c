/* The paths of mqtt_paths.c through whole client libraries, on a loopback connection. callgrind
 * counts what happens inside bench_step, in the library and in the C library; the kernel is not
 * counted, and neither is waiting, nor the server, which is another process. */
#include <MQTTClient.h>
#include <arpa/inet.h>
#include <mosquitto.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUNDS  100
#define TOPIC   "irrigation/zone/on"
#define PAYLOAD "0123456789abcdef"
#define WAIT_MS 5000

typedef void step(void);
void bench_step(step *step_);

static struct {
    bool is_v5;
    const char *program;
    const char *address;
    int port;
    int order; /* what is written here the server sends to the client */
    unsigned messages, answers;
} bench;

static struct mosquitto *mosquitto;
static MQTTClient paho;

static void need(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "mqtt-peers: %s\n", what);
    exit(1);
}

__attribute__((noinline)) void bench_step(step *step_)
{
    step_();
}

/* The server: answers CONNECT and SUBSCRIBE, and sends what it is told to. */

static size_t take(int fd, uint8_t *out, size_t len)
{
    for (size_t have = 0; have < len;) {
        ssize_t n = read(fd, out + have, len - have);
        if (n <= 0)
            return 0;
        have += (size_t)n;
    }
    return len;
}

static bool answer(int client, bool is_v5)
{
    uint8_t packet[258];
    if (!take(client, packet, 2) || packet[1] > 0x7F ||
        (packet[1] && !take(client, packet + 2, packet[1])))
        return false;
    uint8_t connack[] = {0x20, is_v5 ? 3 : 2, 0, 0, 0};
    uint8_t suback[] = {0x90, is_v5 ? 4 : 3, packet[2], packet[3], is_v5 ? 0 : 1, 1};
    if (packet[0] >> 4 == 1)
        need(write(client, connack, connack[1] + 2u) > 0, "no CONNACK");
    else if (packet[0] >> 4 == 8)
        need(write(client, suback, suback[1] + 2u) > 0, "no SUBACK");
    return packet[0] >> 4 != 14;
}

static void obey(int client, int order)
{
    uint8_t bytes[64];
    ssize_t len = read(order, bytes, sizeof bytes);
    if (len <= 0)
        exit(0); /* the program has ended */
    need(write(client, bytes, (size_t)len) == len && write(order, "", 1) == 1, "not sent");
}

static void serve(int listener, int order, bool is_v5)
{
    int client = -1;
    for (;;) {
        struct pollfd fds[] = {{.fd = client < 0 ? listener : client, .events = POLLIN},
                               {.fd = order, .events = POLLIN}};
        poll(fds, 2, -1);
        if (fds[1].revents) {
            obey(client, order);
        } else if (client < 0) {
            client = accept(listener, NULL, NULL);
        } else if (!answer(client, is_v5)) {
            close(client);
            client = -1;
        }
    }
}

static void start_server(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int ends[2];
    need(listener >= 0 && bind(listener, (void *)&address, len) == 0 && listen(listener, 1) == 0 &&
             getsockname(listener, (void *)&address, &len) == 0 &&
             socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0,
         "no server");
    bench.port = ntohs(address.sin_port);
    bench.order = ends[0];
    if (fork() != 0) {
        close(ends[1]);
        close(listener);
        return;
    }
    char numbers[3][16];
    close(ends[0]);
    snprintf(numbers[0], sizeof numbers[0], "%d", listener);
    snprintf(numbers[1], sizeof numbers[1], "%d", ends[1]);
    execl(bench.program, "mqtt-peers", "serve", numbers[0], numbers[1], bench.is_v5 ? "5" : "3",
          NULL);
    _exit(1);
}

static void order(const void *packet, size_t len)
{
    uint8_t done;
    need(write(bench.order, packet, len) == (ssize_t)len && read(bench.order, &done, 1) == 1,
         "no order");
}

static void order_publish(unsigned qos)
{
    uint8_t packet[64] = {(uint8_t)(0x30 | qos << 1), 0, 0, sizeof TOPIC - 1};
    size_t len = 4;
    memcpy(packet + len, TOPIC, sizeof TOPIC - 1);
    len += sizeof TOPIC - 1;
    if (qos > 0) {
        packet[len++] = 0;
        packet[len++] = 7;
    }
    if (bench.is_v5)
        packet[len++] = 0;
    memcpy(packet + len, "2 120", 5);
    len += 5;
    packet[1] = (uint8_t)(len - 2);
    order(packet, len);
}

/* A PUBLISH whose topic MQTT forbids (3.1.1, 3.3.2-2 and 1.5.3-1): a client must not give it to the
 * application. */

static bool is_malformed(const char *path)
{
    return strcmp(path, "wildcard") == 0 || strcmp(path, "surrogate") == 0;
}

static void order_malformed(const char *path)
{
    uint8_t packet[] = {0x30, 7, 0, 3, 'a', '/', '#', 'x', 'y', 'z'};
    static const uint8_t surrogate[] = {0xED, 0xA0, 0x80};
    if (strcmp(path, "surrogate") == 0)
        memcpy(packet + 4, surrogate, sizeof surrogate);
    if (bench.is_v5) {
        packet[1] = 8;
        packet[7] = 0; /* no properties */
    }
    order(packet, packet[1] + 2u);
}

/* libmosquitto */

static void on_answer(struct mosquitto *m, void *context, int code)
{
    (void)m;
    (void)context;
    bench.answers += code == 0;
}

static void on_suback(struct mosquitto *m, void *context, int id, int len, const int *codes)
{
    (void)m;
    (void)context;
    (void)id;
    bench.answers += len == 1 && codes[0] == 1;
}

static void on_message(struct mosquitto *m, void *context, const struct mosquitto_message *message)
{
    (void)m;
    (void)context;
    bench.messages += message->payloadlen == 5;
}

static void wait_for_input(void)
{
    struct pollfd fd = {.fd = mosquitto_socket(mosquitto), .events = POLLIN};
    need(poll(&fd, 1, WAIT_MS) == 1, "no answer");
}

static void m_read(void)
{
    need(mosquitto_loop_read(mosquitto, 1) == MOSQ_ERR_SUCCESS, "read");
}

static void m_connect(void)
{
    need(mosquitto_connect(mosquitto, bench.address, bench.port, 30) == MOSQ_ERR_SUCCESS,
         "connect");
}

static void m_publish(void)
{
    need(mosquitto_publish(mosquitto, NULL, TOPIC, sizeof PAYLOAD - 1, PAYLOAD, 0, false) ==
             MOSQ_ERR_SUCCESS,
         "publish");
}

static void m_subscribe(void)
{
    need(mosquitto_subscribe(mosquitto, NULL, TOPIC, 1) == MOSQ_ERR_SUCCESS, "subscribe");
}

static void m_answered(step *request)
{
    unsigned before = bench.answers;
    bench_step(request);
    wait_for_input();
    bench_step(m_read);
    need(bench.answers == before + 1, "not the answer expected");
}

static void on_any(struct mosquitto *m, void *context, const struct mosquitto_message *message)
{
    (void)m;
    (void)context;
    (void)message;
    bench.messages++;
}

static bool m_accepts(const char *path)
{
    mosquitto_message_callback_set(mosquitto, on_any);
    order_malformed(path);
    wait_for_input();
    const int error = mosquitto_loop_read(mosquitto, 1);
    need(error == MOSQ_ERR_SUCCESS || bench.messages == 0, "neither accepted nor refused");
    return bench.messages > 0;
}

static void m_run(const char *path)
{
    mosquitto_lib_init();
    mosquitto = mosquitto_new("garden", true, NULL);
    mosquitto_int_option(mosquitto, MOSQ_OPT_PROTOCOL_VERSION,
                         bench.is_v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
    mosquitto_will_set(mosquitto, "irrigation/availability", 7, "offline", 1, true);
    mosquitto_connect_callback_set(mosquitto, on_answer);
    mosquitto_subscribe_callback_set(mosquitto, on_suback);
    mosquitto_message_callback_set(mosquitto, on_message);
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (round == 0 || strcmp(path, "connect") == 0) {
            if (round > 0)
                mosquitto_disconnect(mosquitto);
            if (strcmp(path, "connect") == 0) {
                m_answered(m_connect);
                continue;
            }
            m_connect();
            wait_for_input();
            m_read();
        }
        if (is_malformed(path)) {
            puts(m_accepts(path) ? "accepted" : "refused");
            return;
        }
        if (strcmp(path, "out_qos0") == 0) {
            bench_step(m_publish);
        } else if (strcmp(path, "subscribe") == 0) {
            m_answered(m_subscribe);
        } else {
            order_publish(strcmp(path, "in_qos1") == 0);
            wait_for_input();
            bench_step(m_read);
            need(bench.messages == round + 1, "no message");
        }
    }
}

/* Paho, the synchronous client */

static void p_connect(void)
{
    MQTTClient_willOptions will = MQTTClient_willOptions_initializer;
    will.topicName = "irrigation/availability";
    will.message = "offline";
    will.qos = 1;
    will.retained = 1;
    if (bench.is_v5) {
        MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer5;
        options.cleanstart = 1;
        options.keepAliveInterval = 30;
        options.will = &will;
        need(MQTTClient_connect5(paho, &options, NULL, NULL).reasonCode == MQTTREASONCODE_SUCCESS,
             "connect");
    } else {
        MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
        options.MQTTVersion = MQTTVERSION_3_1_1;
        options.cleansession = 1;
        options.keepAliveInterval = 30;
        options.will = &will;
        need(MQTTClient_connect(paho, &options) == MQTTCLIENT_SUCCESS, "connect");
    }
}

static void p_publish(void)
{
    if (bench.is_v5)
        need(MQTTClient_publish5(paho, TOPIC, sizeof PAYLOAD - 1, PAYLOAD, 0, 0, NULL, NULL)
                     .reasonCode == MQTTREASONCODE_SUCCESS,
             "publish");
    else
        need(MQTTClient_publish(paho, TOPIC, sizeof PAYLOAD - 1, PAYLOAD, 0, 0, NULL) ==
                 MQTTCLIENT_SUCCESS,
             "publish");
}

static void p_subscribe(void)
{
    if (bench.is_v5)
        need(MQTTClient_subscribe5(paho, TOPIC, 1, NULL, NULL).reasonCode ==
                 MQTTREASONCODE_GRANTED_QOS_1,
             "subscribe");
    else
        need(MQTTClient_subscribe(paho, TOPIC, 1) == MQTTCLIENT_SUCCESS, "subscribe");
}

static void p_receive(void)
{
    char *topic = NULL;
    int len = 0;
    MQTTClient_message *message = NULL;
    need(MQTTClient_receive(paho, &topic, &len, &message, WAIT_MS) == MQTTCLIENT_SUCCESS &&
             message != NULL,
         "receive");
    bench.messages += message->payloadlen == 5;
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
}

static bool p_accepts(const char *path)
{
    char *topic = NULL;
    int len = 0;
    MQTTClient_message *message = NULL;
    order_malformed(path);
    (void)MQTTClient_receive(paho, &topic, &len, &message, 500);
    const bool is_given = message != NULL;
    if (is_given) {
        MQTTClient_freeMessage(&message);
        MQTTClient_free(topic);
    }
    return is_given;
}

static void p_run(const char *path)
{
    char uri[96];
    MQTTClient_createOptions options = MQTTClient_createOptions_initializer;
    options.MQTTVersion = bench.is_v5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    snprintf(uri, sizeof uri, "tcp://%s:%d", bench.address, bench.port);
    need(MQTTClient_createWithOptions(&paho, uri, "garden", MQTTCLIENT_PERSISTENCE_NONE, NULL,
                                      &options) == 0,
         "create");
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (strcmp(path, "connect") == 0) {
            bench_step(p_connect);
            MQTTClient_disconnect(paho, 0);
            continue;
        }
        if (round == 0)
            p_connect();
        if (is_malformed(path)) {
            puts(p_accepts(path) ? "accepted" : "refused");
            return;
        }
        if (strcmp(path, "out_qos0") == 0) {
            bench_step(p_publish);
        } else if (strcmp(path, "subscribe") == 0) {
            bench_step(p_subscribe);
        } else {
            order_publish(strcmp(path, "in_qos1") == 0);
            bench_step(p_receive);
            need(bench.messages == round + 1, "no message");
        }
    }
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "serve") == 0) {
        serve((int)strtol(argv[2], NULL, 10), (int)strtol(argv[3], NULL, 10), argv[4][0] == '5');
        return 0;
    }
    if (argc != 4) {
        fputs(
            "usage: mqtt-peers mosquitto|paho 3|5 in_qos0|in_qos1|out_qos0|subscribe|connect\n"
            "callgrind counts bench_step; the path is taken 100 times\n"
            "wildcard|surrogate: a PUBLISH with that in its topic is \"accepted\" or \"refused\"\n",
            stderr);
        return 2;
    }
    bench.program = argv[0];
    bench.address = "127.0.0.1";
    bench.is_v5 = argv[2][0] == '5';
    start_server();
    if (strcmp(argv[1], "paho") == 0)
        p_run(argv[3]);
    else
        m_run(argv[3]);
    return 0;
}
