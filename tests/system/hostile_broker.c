/* hostile-broker: a broker on loopback that breaks one rule, and tells what the node does.
 *
 * It makes a site of its own (authority, its certificate, a node), writes the node's identity image
 * and prints "port N"; then a line for each thing that happens. */
#include "hostile_mqtt.h"
#include "store/identity.h"
#include "support/tls_server.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum transport { TLS, SILENT, GARBAGE };

struct word {
    const char *text;
    int value;
};

enum certificate { GOOD, EXPIRED, FUTURE, WRONG_NAME, SELF_SIGNED, WRONG_CA, RSA_1024 };
static const struct word certificates[] = {{"good", GOOD},
                                           {"expired", EXPIRED},
                                           {"not-yet-valid", FUTURE},
                                           {"wrong-name", WRONG_NAME},
                                           {"self-signed", SELF_SIGNED},
                                           {"wrong-ca", WRONG_CA},
                                           {"rsa-1024", RSA_1024},
                                           {NULL, 0}};
static const struct word transports[] = {
    {"tls", TLS}, {"silent", SILENT}, {"garbage", GARBAGE}, {NULL, 0}};
static const struct word manners[] = {{"serves", HOSTILE_SERVES},
                                      {"dumb", HOSTILE_IS_DUMB},
                                      {"half-connack", HOSTILE_HALF_CONNACK},
                                      {"kicks", HOSTILE_KICKS},
                                      {"old", HOSTILE_IS_OLD},
                                      {"refuses", HOSTILE_REFUSES},
                                      {"no-suback", HOSTILE_NO_SUBACK},
                                      {"half-publish", HOSTILE_HALF_PUBLISH},
                                      {"breaks-mqtt", HOSTILE_BREAKS_MQTT},
                                      {NULL, 0}};
static const struct word messages[] = {
    {"plain", HOSTILE_PLAIN},         {"retained", HOSTILE_RETAINED}, {"expired", HOSTILE_EXPIRED},
    {"duplicate", HOSTILE_DUPLICATE}, {"huge", HOSTILE_HUGE},         {NULL, 0}};

static struct {
    const char *identity_path, *host;
    enum certificate certificate;
    enum transport transport;
    bool no_fragment, no_request, is_tls_1_1;
} options = {.host = "127.0.0.1"};

static struct test_pki pki;
static struct test_cert other_ca, server_cert;
static struct test_tls_server tls;
static struct hostile_mqtt mqtt = {.base = "irrigation"};

static void parse(int argc, char **argv);
static void make_certificate(int64_t now_s);
static int listen_here(uint16_t *port);
static void write_identity(uint16_t port);
static void serve(int fd);

int main(int argc, char **argv)
{
    const int64_t now_s = (int64_t)time(NULL);
    uint16_t port;

    parse(argc, argv);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    test_pki_make(&pki, now_s);
    make_certificate(now_s);
    const struct test_tls_server_options tls_options = {
        .certificate = &server_cert,
        .client_ca = options.no_request ? NULL : &pki.ca,
        .unix_s = (uint64_t)now_s,
        .version_min = options.is_tls_1_1 ? BR_TLS10 : BR_TLS12,
        .version_max = options.is_tls_1_1 ? BR_TLS11 : BR_TLS12,
        .ignores_fragment = options.no_fragment,
    };
    test_tls_server_init(&tls, &tls_options);
    const int listener = listen_here(&port);
    write_identity(port);
    printf("port %u\n", port);
    for (unsigned i = 1;; i++) {
        const int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        printf("connection %u\n", i);
        serve(fd);
        close(fd);
        printf("closed %u\n", i);
    }
}

static int find(const struct word *words, const char *text)
{
    for (const struct word *word = words; word->text; word++)
        if (strcmp(word->text, text) == 0)
            return word->value;
    fprintf(stderr, "hostile-broker: '%s': give", text);
    for (const struct word *word = words; word->text; word++)
        fprintf(stderr, " %s", word->text);
    fputc('\n', stderr);
    exit(2);
}

static void parse(int argc, char **argv)
{
    static const struct option names[] = {
        {"identity", required_argument, NULL, 'i'},  {"certificate", required_argument, NULL, 'c'},
        {"transport", required_argument, NULL, 't'}, {"manner", required_argument, NULL, 'm'},
        {"send", required_argument, NULL, 's'},      {"host", required_argument, NULL, 'h'},
        {"no-fragment", no_argument, NULL, 'f'},     {"no-request", no_argument, NULL, 'r'},
        {"tls-1.1", no_argument, NULL, '1'},         {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
        switch (option) {
        case 'i':
            options.identity_path = optarg;
            break;
        case 'c':
            options.certificate = (enum certificate)find(certificates, optarg);
            break;
        case 't':
            options.transport = (enum transport)find(transports, optarg);
            break;
        case 'm':
            mqtt.manner = (enum hostile_manner)find(manners, optarg);
            break;
        case 's':
            if (mqtt.messages_len == sizeof mqtt.messages / sizeof mqtt.messages[0])
                exit(2);
            mqtt.messages[mqtt.messages_len++] = (enum hostile_message)find(messages, optarg);
            break;
        case 'h':
            options.host = optarg;
            break;
        case 'f':
            options.no_fragment = true;
            break;
        case 'r':
            options.no_request = true;
            break;
        case '1':
            options.is_tls_1_1 = true;
            break;
        default:
            exit(2);
        }
    if (!options.identity_path || optind < argc) {
        fputs("usage: hostile-broker --identity FILE [--certificate C] [--transport T]\n"
              "  [--manner M] [--send MESSAGE]... [--host NAME] [--no-fragment] [--no-request]\n"
              "  [--tls-1.1]\n",
              stderr);
        exit(2);
    }
}

/* One thing is wrong, all others are right. */
static void make_certificate(int64_t now_s)
{
    struct test_cert_options wanted = {.purpose = TEST_PURPOSE_SERVER,
                                       .common_name = "broker.test",
                                       .dns = "broker.test",
                                       .not_before_s = now_s - TEST_DAY_S,
                                       .not_after_s = now_s + 90 * TEST_DAY_S,
                                       .issuer = &pki.ca};
    const struct test_cert_options authority = {.purpose = TEST_PURPOSE_CA,
                                                .common_name = "Another CA",
                                                .not_before_s = now_s - TEST_DAY_S,
                                                .not_after_s = now_s + 90 * TEST_DAY_S};

    switch (options.certificate) {
    case GOOD:
        break;
    case EXPIRED:
        wanted.not_before_s = now_s - 100 * TEST_DAY_S;
        wanted.not_after_s = now_s - TEST_DAY_S;
        break;
    case FUTURE:
        wanted.not_before_s = now_s + TEST_DAY_S;
        break;
    case WRONG_NAME:
        wanted.common_name = wanted.dns = "other.test";
        break;
    case SELF_SIGNED:
        wanted.issuer = NULL;
        break;
    case WRONG_CA:
        test_cert_make(&other_ca, &authority);
        wanted.issuer = &other_ca;
        break;
    case RSA_1024:
        wanted.key = TEST_KEY_RSA_1024;
        break;
    }
    test_cert_make(&server_cert, &wanted);
}

static int listen_here(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, len) != 0 || listen(fd, 4) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        perror("hostile-broker");
        exit(4);
    }
    *port = ntohs(address.sin_port);
    return fd;
}

static void write_identity(uint16_t port)
{
    const struct sl_identity identity = {
        .name = sl_view_text("garden"),
        .base = sl_view_text(mqtt.base),
        .broker_host = sl_view_text(options.host),
        .broker_port = port,
        .server_name = sl_view_text("broker.test"),
        .anchors = {{test_cert_subject(&pki.ca), test_cert_point(&pki.ca)}},
        .anchors_len = 1,
        .certificate = test_cert_der(&pki.client),
        .private_key = test_cert_private_key(&pki.client),
        .not_after_s = (uint64_t)time(NULL) + 364 * TEST_DAY_S,
    };
    uint8_t image[SL_IDENTITY_MAX];
    size_t len;
    const enum sl_status status = sl_identity_encode(&identity, image, sizeof image, &len);
    const int fd = open(options.identity_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (status != SL_OK || fd < 0 || write(fd, image, len) != (ssize_t)len || close(fd) != 0) {
        fprintf(stderr, "hostile-broker: identity: %s, %s\n", sl_status_text(status),
                strerror(errno));
        exit(4);
    }
}

/* What the TLS engine has for the other side, both ways; prints the turning points once. */
static void follow_tls(bool *was_open)
{
    uint8_t plain[1024];
    size_t len;

    if (!*was_open && test_tls_server_is_open(&tls)) {
        *was_open = true;
        printf("tls open: client '%s'\n", tls.client_common_name);
    }
    while ((len = test_tls_server_read(&tls, plain, sizeof plain)) > 0)
        hostile_mqtt_feed(&mqtt, plain, len);
    if (mqtt.out_len > 0 && (len = test_tls_server_write(&tls, mqtt.out, mqtt.out_len)) > 0) {
        mqtt.out_len -= len;
        memmove(mqtt.out, mqtt.out + len, mqtt.out_len);
    }
}

/* True while the connection lives. */
static bool send_tls(int fd)
{
    for (;;) {
        const struct sl_view out = test_tls_server_peek(&tls);
        if (out.len == 0)
            return true;
        const ssize_t sent = send(fd, out.data, out.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        test_tls_server_sent(&tls, (size_t)sent);
    }
}

static void serve(int fd)
{
    static const char garbage[] = "HTTP/1.1 400 Bad Request\r\nServer: not what you think\r\n\r\n";
    uint8_t in[4096];
    size_t in_len = 0, total = 0;
    bool was_open = false, is_broken = false;

    test_tls_server_open(&tls, (uint64_t)time(NULL));
    hostile_mqtt_open(&mqtt);
    if (options.transport == GARBAGE)
        (void)!send(fd, garbage, sizeof garbage - 1, MSG_NOSIGNAL);
    for (;;) {
        const ssize_t got = recv(fd, in + in_len, sizeof in - in_len, 0);
        if (got <= 0)
            break;
        if (total == 0)
            printf("first byte 0x%02X\n", in[0]); /* 0x16: a TLS handshake record */
        total += (size_t)got;
        if (options.transport != TLS)
            continue;
        in_len += (size_t)got;
        for (size_t used = 1; used > 0 && in_len > 0 && !is_broken;) {
            used = test_tls_server_feed(&tls, in, in_len);
            in_len -= used;
            memmove(in, in + used, in_len);
            follow_tls(&was_open);
            is_broken = !send_tls(fd);
            follow_tls(&was_open);
            is_broken = is_broken || !send_tls(fd);
        }
        while (mqtt.out_len > 0 && !is_broken && test_tls_server_is_open(&tls)) {
            follow_tls(&was_open);
            is_broken = !send_tls(fd);
        }
        if (test_tls_server_is_closed(&tls)) {
            printf("tls ended: error %d\n", test_tls_server_error(&tls));
            break;
        }
        if (is_broken || mqtt.must_hang_up)
            break;
    }
}
