/* From publishing a command to the relay's pin, and to the answer that the pin was read back: real
 * Mosquitto with mutual TLS, real node, real firmware on the simulated chip at its own pace.
 *
 * Prints rows for bench/run.sh: metric, figure and target, with tabs between. */
#include "figures.h"
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REQUESTS    200
#define ANSWER_MS   5000
#define PAUSE_MS    10
#define EXCHANGE_MS 0.94 /* 26 bytes at 500 kHz with 20 us before each */
#define ZONE        2

static double answered_ms; /* 0: not yet */

static void on_message(struct mosquitto *operator_, void *context,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
    (void)operator_;
    (void)context;
    (void)properties;
    if (strcmp(message->topic, "irrigation/answer/operator") == 0 &&
        strstr(message->payload, "\"done\"") != NULL)
        answered_ms = bench_now_ms();
}

static double figure(const char *state, const char *key)
{
    const char *at = strstr(state, key);
    return at == NULL ? 0 : strtod(at + strlen(key), NULL);
}

struct sample {
    double answer_ms, pin_ms, exchanges;
};

/* One request. The chip's own clock tells how long ago its pin changed. */
static struct sample request(struct test_garden *garden, bool is_on)
{
    char payload[16];
    struct sample sample;
    double exchanges = figure(test_chip(garden, "state"), "\"exchanges\":");
    snprintf(payload, sizeof payload, "%d %d", ZONE, is_on ? 60 : 0);
    answered_ms = 0;
    double start_ms = bench_now_ms();
    test_ask(garden, "zone/on", payload, "bench");
    while (answered_ms == 0 && bench_now_ms() < start_ms + ANSWER_MS)
        mosquitto_loop(garden->operator, 100, 1);
    if (answered_ms == 0) {
        fputs("message-to-pin: no answer\n", stderr);
        exit(1);
    }
    const char *state = test_chip(garden, "state");
    double asked_ms = bench_now_ms();
    double age_ms = (figure(state, "\"time_us\":") - figure(state, "\"changed_us\":")) / 1e3;
    sample.answer_ms = answered_ms - start_ms;
    sample.pin_ms = asked_ms - age_ms - start_ms;
    sample.exchanges = figure(state, "\"exchanges\":") - exchanges;
    return sample;
}

int main(void)
{
    static struct test_garden garden;
    static double answers[REQUESTS], pins[REQUESTS];
    double exchanges = 0;

    test_garden_open(&garden);
    test_listen(&garden, 1000);
    mosquitto_message_v5_callback_set(garden.operator, on_message);
    const int one = 1; /* as sluice itself does: Nagle's algorithm would cost 40 ms */
    setsockopt(mosquitto_socket(garden.operator), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    for (int i = 0; i < REQUESTS; i++) {
        struct sample sample = request(&garden, i % 2 == 0);
        answers[i] = sample.answer_ms;
        pins[i] = sample.pin_ms;
        exchanges += sample.exchanges / REQUESTS;
        test_listen(&garden, PAUSE_MS);
    }
    bench_print_times("message to pin", pins, REQUESTS, "2 ms");
    bench_print_times("message to answer after read-back", answers, REQUESTS, "");
    printf("of this on the SPI link\t%.1f exchanges of %.2f ms\t\n", exchanges, EXCHANGE_MS);
    test_garden_close(&garden);
    return 0;
}
