/* From publishing a command to the relay's pin, and to the answer that the pin was read back: real
 * Mosquitto with mutual TLS, real node, real firmware on the simulated chip at its own pace.
 *
 * Prints rows for bench/run.sh: metric, figure and target, with tabs between. */
#include "garden.h"
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define REQUESTS    200
#define ANSWER_MS   5000
#define PAUSE_MS    10
#define IDLE_S      5
#define EXCHANGE_MS 0.94 /* 26 bytes at 500 kHz with 20 us before each */
#define ZONE        2

static double answered_ms; /* 0: not yet */

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void on_message(struct mosquitto *operator_, void *context,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
    (void)operator_;
    (void)context;
    (void)properties;
    if (strcmp(message->topic, "irrigation/answer/operator") == 0 &&
        strstr(message->payload, "\"done\"") != NULL)
        answered_ms = now_ms();
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
    double start_ms = now_ms();
    test_ask(garden, "zone/on", payload, "bench");
    while (answered_ms == 0 && now_ms() < start_ms + ANSWER_MS)
        mosquitto_loop(garden->operator, 100, 1);
    if (answered_ms == 0) {
        fputs("message-to-pin: no answer\n", stderr);
        exit(1);
    }
    const char *state = test_chip(garden, "state");
    double asked_ms = now_ms();
    double age_ms = (figure(state, "\"time_us\":") - figure(state, "\"changed_us\":")) / 1e3;
    sample.answer_ms = answered_ms - start_ms;
    sample.pin_ms = asked_ms - age_ms - start_ms;
    sample.exchanges = figure(state, "\"exchanges\":") - exchanges;
    return sample;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_times(const char *what, double *times, const char *target)
{
    qsort(times, REQUESTS, sizeof *times, compare);
    printf("%s, median\t%.2f ms\t%s\n", what, times[REQUESTS / 2], target);
    printf("%s, 99 %% within\t%.2f ms\t\n", what, times[REQUESTS * 99 / 100]);
}

/* What the scheduler counted (Linux, Documentation/scheduler/sched-stats). */
static double cpu_ms(const struct test_process *process)
{
    char path[64], line[128] = "";
    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)process->pid);
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(line, sizeof line, file) == NULL)
        fputs("message-to-pin: /proc does not tell the processor time\n", stderr);
    if (file != NULL)
        fclose(file);
    return strtod(line, NULL) / 1e6; /* the first number, in nanoseconds */
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
    print_times("message to pin", pins, "2 ms");
    print_times("message to answer after read-back", answers, "");
    printf("of this on the SPI link\t%.1f exchanges of %.2f ms\t\n", exchanges, EXCHANGE_MS);

    double before_ms = cpu_ms(&garden.node);
    long wakeups = test_wakeups(&garden.node);
    test_listen(&garden, IDLE_S * 1000);
    printf("idle node, processor\t%.2f %%\t\n",
           (cpu_ms(&garden.node) - before_ms) / (IDLE_S * 1000) * 100);
    printf("idle node, wake-ups\t%.1f /s\t\n",
           (double)(test_wakeups(&garden.node) - wakeups) / IDLE_S);
    printf("idle node, resident memory\t%ld KB\t\n", test_resident_kb(&garden.node));
    test_garden_close(&garden);
    return 0;
}
