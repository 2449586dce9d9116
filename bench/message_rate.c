/* How many commands a second the node keeps up with, and what it costs: idle, and at that rate.
 *
 * Several connections publish to real Mosquitto with mutual TLS. Every command asks for an answer
 * with its own number as correlation data, so a command that is lost anywhere (in the broker's
 * queue, in the node, on the way back) is an answer that does not come. The node keeps up with a
 * rate when every command is answered once, each within LATE_MS; a rate that is too high shows as
 * answers that come ever later, since the node takes nothing from the broker while it has no room
 * for an answer, and, once the broker's queue is full (QoS 1), as answers that never come.
 *
 * Prints rows for bench/run.sh. */
#include "figures.h"
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PUBLISHERS   4
#define ZONES        8 /* more than wait for an answer at once: none overtakes itself */
#define IDLE_S       5
#define TRIAL_S      1
#define SUSTAINED_S  5
#define LATE_MS      250
#define QUIET_MS     300 /* with no answer: there are none left */
#define GIVE_UP_MS   8000
#define LOWEST_RATE  80
#define HIGHEST_RATE 10240 /* a broker on two cores ends connections beyond it */
#define BISECTIONS   4
#define COMMANDS_MAX (HIGHEST_RATE * SUSTAINED_S)
#define ANSWERS      "irrigation/answer/operator"

struct command {
    const char *name, *topic;
    int qos;
    bool is_switching; /* a zone, each in turn; "done" is the only answer that counts */
};

enum verdict { KEPT_UP, PUBLISHERS_LATE, LOST, TWICE, NOT_DONE, LATE };
static const char *const verdicts[] = {
    [KEPT_UP] = "nothing, it is the highest tried",
    [PUBLISHERS_LATE] = "the publishers' own limit",
    [LOST] = "answers missing",
    [TWICE] = "answers twice",
    [NOT_DONE] = "a command overtaken by the next before it was read back",
    [LATE] = "answers late",
};

enum { NODE, BROKER, CHIP, SELF, PROCESSES };

struct trial {
    unsigned sent, answered, done, twice;
    unsigned oldest;          /* of those not answered */
    double worst_ms, last_ms; /* from publishing to answer; when the last one came */
    double cpu[PROCESSES];    /* percent of a core */
    double wakeups;           /* of the node, a second */
    enum verdict verdict;
};

static struct {
    struct test_garden garden;
    struct mosquitto *listener, *publishers[PUBLISHERS];
    bool is_subscribed;
    struct trial trial;
    unsigned first; /* the number of the trial's first command */
    double sent_ms[COMMANDS_MAX];
    bool is_answered[COMMANDS_MAX];
} bench;

static void need(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "message-rate: %s\n", what);
    test_garden_close(&bench.garden);
    exit(1);
}

static void on_subscribe(struct mosquitto *client, void *context, int id, int len, const int *qos,
                         const mosquitto_property *properties)
{
    (void)client, (void)context, (void)id, (void)properties;
    bench.is_subscribed = len == 1 && qos[0] < 3;
}

static void on_answer(struct mosquitto *client, void *context,
                      const struct mosquitto_message *message, const mosquitto_property *properties)
{
    (void)client, (void)context;
    struct trial *trial = &bench.trial;
    void *data = NULL;
    uint16_t len = 0;
    char digits[16] = "";
    if (mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &data, &len,
                                       false) == NULL)
        return;
    memcpy(digits, data, len < sizeof digits ? len : sizeof digits - 1);
    free(data);
    const unsigned number = (unsigned)strtoul(digits, NULL, 10) - bench.first;
    trial->last_ms = bench_now_ms();
    if (number >= trial->sent)
        return; /* of an earlier trial, given up */
    if (bench.is_answered[number]) {
        trial->twice++;
        return;
    }
    bench.is_answered[number] = true;
    trial->answered++;
    trial->done += message->payloadlen > 0 && strstr(message->payload, "\"done\"") != NULL;
    const double late_ms = trial->last_ms - bench.sent_ms[number];
    if (late_ms > trial->worst_ms)
        trial->worst_ms = late_ms;
}

static struct mosquitto *client_at(int i)
{
    return i < PUBLISHERS ? bench.publishers[i] : bench.listener;
}

static void turn(int ms)
{
    struct pollfd fds[PUBLISHERS + 1];
    for (int i = 0; i <= PUBLISHERS; i++)
        fds[i] = (struct pollfd){
            .fd = mosquitto_socket(client_at(i)),
            .events = (short)(POLLIN | (mosquitto_want_write(client_at(i)) ? POLLOUT : 0))};
    poll(fds, PUBLISHERS + 1, ms);
    for (int i = 0; i <= PUBLISHERS; i++) {
        int error = MOSQ_ERR_SUCCESS;
        if (fds[i].revents & ~POLLOUT)
            error = mosquitto_loop_read(client_at(i), 1);
        if (error == MOSQ_ERR_SUCCESS && fds[i].revents & POLLOUT)
            error = mosquitto_loop_write(client_at(i), 1);
        need(error == MOSQ_ERR_SUCCESS && mosquitto_socket(client_at(i)) >= 0,
             error == MOSQ_ERR_SUCCESS ? "a connection ended" : mosquitto_strerror(error));
        mosquitto_loop_misc(client_at(i));
    }
}

static struct mosquitto *connect_as(const char *name)
{
    const struct test_place *place = &bench.garden.place;
    const struct test_path ca = test_place_path(place, "site/ca/certificate.pem");
    const struct test_path certificate =
        test_place_path(place, "site/operators/operator/certificate.pem");
    const struct test_path key = test_place_path(place, "site/operators/operator/key.pem");
    struct mosquitto *client = mosquitto_new(name, true, NULL);
    const int one = 1; /* Nagle's algorithm would hold commands back */
    need(client != NULL, "no memory");
    mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_subscribe_v5_callback_set(client, on_subscribe);
    mosquitto_message_v5_callback_set(client, on_answer);
    need(mosquitto_tls_set(client, ca.text, NULL, certificate.text, key.text, NULL) ==
                 MOSQ_ERR_SUCCESS &&
             mosquitto_connect(client, "127.0.0.1", bench.garden.port, 60) == MOSQ_ERR_SUCCESS,
         "no connection to the broker");
    setsockopt(mosquitto_socket(client), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return client;
}

static void publish(const struct command *command)
{
    struct trial *trial = &bench.trial;
    char number[16], payload[16] = "";
    mosquitto_property *properties = NULL;
    snprintf(number, sizeof number, "%u", bench.first + trial->sent);
    if (command->is_switching)
        snprintf(payload, sizeof payload, "%u 60", trial->sent % ZONES);
    need(mosquitto_property_add_string(&properties, MQTT_PROP_RESPONSE_TOPIC, ANSWERS) ==
                 MOSQ_ERR_SUCCESS &&
             mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA, number,
                                           (uint16_t)strlen(number)) == MOSQ_ERR_SUCCESS,
         "no memory");
    bench.is_answered[trial->sent] = false;
    bench.sent_ms[trial->sent] = bench_now_ms();
    need(mosquitto_publish_v5(bench.publishers[trial->sent % PUBLISHERS], NULL, command->topic,
                              (int)strlen(payload), payload, command->qos, false,
                              properties) == MOSQ_ERR_SUCCESS,
         "a command could not be published");
    trial->sent++;
    mosquitto_property_free_all(&properties);
}

/* Until all are answered, or none has come for a while; a trial starts with nothing under way. */
static void drain(double end_ms)
{
    const struct trial *trial = &bench.trial;
    while (trial->answered < trial->sent && bench_now_ms() < end_ms + GIVE_UP_MS) {
        const double last_ms = trial->last_ms > end_ms ? trial->last_ms : end_ms;
        if (bench_now_ms() > last_ms + LATE_MS + QUIET_MS)
            return;
        turn(1);
    }
}

/* No more load on what lags already: the queues on the way are long. */
static bool is_late(struct trial *trial)
{
    while (trial->oldest < trial->sent && bench.is_answered[trial->oldest])
        trial->oldest++;
    return trial->oldest < trial->sent && bench_now_ms() > bench.sent_ms[trial->oldest] + LATE_MS;
}

static enum verdict judge(const struct command *command, const struct trial *trial, double late_ms)
{
    if (trial->twice > 0)
        return TWICE;
    if (trial->answered < trial->sent)
        return LOST;
    if (command->is_switching && trial->done < trial->sent)
        return NOT_DONE;
    if (trial->worst_ms > LATE_MS)
        return LATE;
    return late_ms > LATE_MS ? PUBLISHERS_LATE : KEPT_UP;
}

static void read_cpu(double cpu_ms[PROCESSES])
{
    const struct test_process self = {.pid = getpid()};
    cpu_ms[NODE] = bench_cpu_ms(&bench.garden.node);
    cpu_ms[BROKER] = bench_cpu_ms(&bench.garden.broker);
    cpu_ms[CHIP] = bench_cpu_ms(&bench.garden.chip);
    cpu_ms[SELF] = bench_cpu_ms(&self);
}

static struct trial try(const struct command *command, unsigned rate, unsigned seconds)
{
    struct trial *trial = &bench.trial;
    const struct test_process *node = &bench.garden.node;
    const unsigned count = rate * seconds;
    const double start_ms = bench_now_ms();
    const long wakeups = test_wakeups(node);
    double cpu_ms[PROCESSES];
    read_cpu(cpu_ms);
    bench.first += trial->sent;
    *trial = (struct trial){0};
    while (trial->sent < count && !is_late(trial)) {
        const double due = (bench_now_ms() - start_ms) * rate / 1e3;
        for (int burst = 0; burst < 16 && trial->sent < count && trial->sent < due; burst++)
            publish(command);
        turn(trial->sent < due ? 0 : 1);
    }
    const double end_ms = bench_now_ms(), took_ms = end_ms - start_ms;
    read_cpu(trial->cpu);
    for (int i = 0; i < PROCESSES; i++)
        trial->cpu[i] = (trial->cpu[i] - cpu_ms[i]) / took_ms * 100;
    trial->wakeups = (double)(test_wakeups(node) - wakeups) / took_ms * 1e3;
    drain(end_ms);
    trial->verdict = judge(command, trial, took_ms - seconds * 1e3);
    return *trial;
}

/* A rate is too high when it fails twice: once may be the computer's doing. */
static enum verdict holds(const struct command *command, unsigned rate)
{
    const enum verdict verdict = try(command, rate, TRIAL_S).verdict;
    return verdict == KEPT_UP ? KEPT_UP : try(command, rate, TRIAL_S).verdict;
}

/* Doubling, then halving what is between, each for TRIAL_S; what is left must hold SUSTAINED_S. */
static void find_rate(const struct command *command)
{
    unsigned good = 0, bad = LOWEST_RATE;
    enum verdict verdict, limit = KEPT_UP;
    struct trial trial;
    while (bad <= HIGHEST_RATE && (limit = holds(command, bad)) == KEPT_UP) {
        good = bad;
        bad *= 2;
    }
    for (int i = 0; i < BISECTIONS && good > 0 && bad <= HIGHEST_RATE; i++) {
        const unsigned rate = (good + bad) / 2;
        if ((verdict = holds(command, rate)) == KEPT_UP) {
            good = rate;
        } else {
            bad = rate;
            limit = verdict;
        }
    }
    while (good >= LOWEST_RATE &&
           (trial = try(command, good, SUSTAINED_S), trial.verdict != KEPT_UP)) {
        limit = trial.verdict;
        good -= good / 10;
    }
    if (good < LOWEST_RATE) {
        printf("%s, kept up with for %d s\tless than %d messages/s: %s\t\n", command->name,
               SUSTAINED_S, LOWEST_RATE, verdicts[limit]);
        return;
    }
    printf("%s, kept up with for %d s\t%u messages/s\t\n", command->name, SUSTAINED_S, good);
    printf("its answers: all %u, the latest after\t%.0f ms\t\n", trial.answered, trial.worst_ms);
    printf("what ended it at a higher rate\t%s\t\n", verdicts[limit]);
    printf("busy node at this rate, processor\t%.1f %% of a core\t\n", trial.cpu[NODE]);
    printf("busy node at this rate, wake-ups\t%.0f /s\t\n", trial.wakeups);
    printf("busy node at this rate, resident memory\t%ld KB\t\n",
           test_resident_kb(&bench.garden.node));
    printf("broker; simulated chip; this publisher meanwhile\t%.0f; %.0f; %.0f %% of a core\t\n",
           trial.cpu[BROKER], trial.cpu[CHIP], trial.cpu[SELF]);
}

static void measure_idle(void)
{
    const struct test_process *node = &bench.garden.node;
    const double cpu_ms = bench_cpu_ms(node);
    const long wakeups = test_wakeups(node);
    test_listen(&bench.garden, IDLE_S * 1000);
    printf("idle node, processor\t%.2f %%\t\n",
           (bench_cpu_ms(node) - cpu_ms) / (IDLE_S * 1000) * 100);
    printf("idle node, wake-ups\t%.1f /s\t\n", (double)(test_wakeups(node) - wakeups) / IDLE_S);
    printf("idle node, resident memory\t%ld KB\t\n", test_resident_kb(node));
}

int main(void)
{
    static const struct command commands[] = {
        {"zone/status, QoS 0", "irrigation/zone/status", 0, false},
        {"zone/status, QoS 1", "irrigation/zone/status", 1, false},
        {"zone/on, read back, QoS 0", "irrigation/zone/on", 0, true},
        {"zone/on, read back, QoS 1", "irrigation/zone/on", 1, true},
    };
    static const char *const options[] = {"--at-once", "8", NULL};
    static const char *const names[PUBLISHERS] = {"first", "second", "third", "fourth"};
    struct test_garden *garden = &bench.garden;

    bench_open(garden, NULL, options);
    test_listen(garden, 1000);
    measure_idle();

    mosquitto_destroy(garden->operator); /* who listens to everything would be in the way */
    garden->operator= NULL;
    for (int i = 0; i < PUBLISHERS; i++)
        bench.publishers[i] = connect_as(names[i]);
    bench.listener = connect_as("listener");
    for (const double end_ms = bench_now_ms() + TEST_WAIT_MS; !bench.is_subscribed;) {
        need(bench_now_ms() < end_ms, "no subscription");
        mosquitto_subscribe(bench.listener, NULL, ANSWERS, 0);
        turn(200);
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        find_rate(&commands[i]);
    for (int i = 0; i <= PUBLISHERS; i++)
        mosquitto_destroy(client_at(i));
    test_garden_close(garden);
    return 0;
}
