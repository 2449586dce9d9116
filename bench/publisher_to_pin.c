/* From the program mosquitto_pub to the relay's pin, with relays on both ends of the node's work:
 * one before the broker's port tells when the program's TCP connection and its PUBLISH come, one
 * before the chip when the command's frame is handed over.
 *
 * Prints rows for bench/run.sh. */
#include "figures.h"
#include "relay.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define REQUESTS     100
#define PAUSE_MS     30
#define ZONE         2
#define FAREWELL_MAX 64 /* bytes of it in TLS records, both of them in one chunk */

static struct {
    struct bench_relay broker, chip;
    uint16_t port;
} relays;

struct sample {
    double start, opened, published, framed, pin; /* ms */
};

static void stop(struct test_garden *garden, const char *why)
{
    fprintf(stderr, "publisher-to-pin: %s\n", why);
    test_garden_close(garden);
    exit(1);
}

static int tcp_listener(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? fd : -1;
}

static struct sockaddr_un unix_address(const struct test_path *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path->text, sizeof path->text);
    return address;
}

/* The node dials the name that the chip listened at: the relay takes that name over. */
static void start_relays(struct test_garden *garden)
{
    const struct sockaddr_in broker = {.sin_family = AF_INET,
                                       .sin_port = htons(garden->port),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    relays.port = test_free_port();
    if (!bench_relay_start(&relays.broker, tcp_listener(relays.port),
                           (const struct sockaddr *)&broker, sizeof broker))
        stop(garden, "no relay before the broker");

    const struct test_path node_end = test_place_path(&garden->place, "spi");
    const struct test_path chip_end = test_place_path(&garden->place, "spi-chip");
    if (rename(node_end.text, chip_end.text) != 0)
        stop(garden, "the chip's socket is not there");
    const struct sockaddr_un from = unix_address(&node_end), to = unix_address(&chip_end);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (bind(listener, (const struct sockaddr *)&from, sizeof from) != 0 ||
        !bench_relay_start(&relays.chip, listener, (const struct sockaddr *)&to, sizeof to))
        stop(garden, "no relay before the chip");
}

static void publish(struct test_garden *garden, const char *payload)
{
    const struct test_path ca = test_place_path(&garden->place, "site/ca/certificate.pem");
    const struct test_path certificate =
        test_place_path(&garden->place, "site/operators/operator/certificate.pem");
    const struct test_path key = test_place_path(&garden->place, "site/operators/operator/key.pem");
    char port[8];
    snprintf(port, sizeof port, "%u", relays.port);
    /* clang-format off */
    const char *const args[] = {
        "-V", "mqttv5", "-i", "publisher", "-h", "127.0.0.1", "-p", port,
        "--cafile", ca.text, "--cert", certificate.text, "--key", key.text,
        "-q", "1", "-t", "irrigation/zone/on", "-m", payload,
        "-D", "publish", "response-topic", "irrigation/answer/operator", NULL};
    /* clang-format on */
    if (test_run(&garden->place, "publisher", "mosquitto_pub", args) != 0)
        stop(garden, "mosquitto_pub failed");
}

/* After its PUBLISH of over 70 bytes the program says only DISCONNECT and the end of TLS. */
static double published_ms(const struct bench_mark *marks, size_t len)
{
    for (size_t i = len; i > 0; i--)
        if (marks[i - 1].kind == BENCH_UP && marks[i - 1].len > FAREWELL_MAX)
            return marks[i - 1].at_ms;
    return 0;
}

/* The last frame before the pin. */
static double framed_ms(const struct bench_mark *marks, size_t len, double pin_ms)
{
    for (size_t i = len; i > 0; i--)
        if (marks[i - 1].kind == BENCH_UP && marks[i - 1].at_ms < pin_ms)
            return marks[i - 1].at_ms;
    return 0;
}

static struct sample request(struct test_garden *garden, bool is_on)
{
    static struct bench_mark marks[BENCH_MARKS_MAX];
    struct sample sample;
    char payload[16];
    snprintf(payload, sizeof payload, "%d %d", ZONE, is_on ? 60 : 0);
    bench_relay_take(&relays.broker, marks);
    bench_relay_take(&relays.chip, marks);
    sample.start = bench_now_ms();
    publish(garden, payload);
    if (!test_wait_pins(garden, is_on ? 1 << ZONE : 0, TEST_WAIT_MS))
        stop(garden, "the pin did not change");
    sample.pin = bench_pin_ms(garden);
    size_t len = bench_relay_take(&relays.chip, marks);
    sample.framed = framed_ms(marks, len, sample.pin);
    len = bench_relay_take(&relays.broker, marks);
    if (len == 0 || len == BENCH_MARKS_MAX || marks[0].kind != BENCH_OPENED)
        stop(garden, "the relay did not see one connection");
    sample.opened = marks[0].at_ms;
    sample.published = published_ms(marks, len);
    if (sample.published <= sample.opened || sample.framed <= sample.published ||
        sample.pin <= sample.framed)
        stop(garden, "the times are not in order");
    return sample;
}

int main(void)
{
    static struct test_garden garden;
    static double starts[REQUESTS], handshakes[REQUESTS], nodes[REQUESTS], chips[REQUESTS],
        pins[REQUESTS], wholes[REQUESTS];

    bench_open(&garden, start_relays, NULL);
    const double before_ms = bench_now_ms(), cpu_ms = bench_cpu_ms(&garden.chip);
    for (int i = 0; i < REQUESTS; i++) {
        const struct sample sample = request(&garden, i % 2 == 0);
        wholes[i] = sample.pin - sample.start;
        starts[i] = sample.opened - sample.start;
        handshakes[i] = sample.published - sample.opened;
        pins[i] = sample.pin - sample.published;
        nodes[i] = sample.framed - sample.published;
        chips[i] = sample.pin - sample.framed;
        test_listen(&garden, PAUSE_MS);
    }
    const double chip_cpu =
        (bench_cpu_ms(&garden.chip) - cpu_ms) / (bench_now_ms() - before_ms) * 100;
    bench_print_times("mosquitto_pub's PUBLISH at the broker's socket to pin", pins, REQUESTS,
                      "2 ms");
    bench_print_times("of it broker and node, until the chip gets the frame", nodes, REQUESTS, "");
    bench_print_times("of it the simulated chip: catching up, SPI frame, pin", chips, REQUESTS, "");
    bench_print_times("mosquitto_pub, start of its process to pin", wholes, REQUESTS, "");
    printf("of it the program's start, until its TCP connection, median\t%.2f ms\t\n",
           bench_median(starts, REQUESTS));
    printf("of it the program's own TLS handshake and CONNECT, median\t%.2f ms\t\n",
           bench_median(handshakes, REQUESTS));
    printf("simulated chip meanwhile, processor\t%.0f %% of a core\t\n", chip_cpu);
    test_garden_close(&garden);
    return 0;
}
