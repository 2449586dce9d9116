/* doctor: the running broker, as somebody sees it who dials its port. */
#include "broker/probe.h"
#include "ca/canary.h"
#include "doctor/site.h"
#include "talk/reported.h"
#include <cjson/cJSON.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DIAL_MS   3000
#define REPORT_MS 3000 /* what nodes get to report */
#define SLOW_MS   500  /* a command's way to the broker and back */
#define CLOCK_S   3600 /* a node's clock may be so far out */
#define ASKED     3

/* Whose report is awaited, as the nodes stand in the site. */
struct ear {
    struct sl_doctor *doctor;
    bool *is_awaited;
    size_t awaited;
    bool is_done;
};

static int dial(const struct sl_site *site);
static bool shake_hands(const struct sl_site *site, int version, const char *ciphers,
                        X509 **certificate);
static void look_at_tls(struct sl_doctor *doctor, const char *address);
static void look_at_certificate(struct sl_doctor *doctor, const char *address,
                                const struct sl_holders *holders);
static void probe(struct sl_doctor *doctor, const char *address);
static bool comes_in(const struct sl_talk_visitor *visitor);
static void probe_lists(struct sl_doctor *doctor, const char *address);
static void look_at_nodes(struct sl_doctor *doctor, const char *address);
static enum sl_exit ask_node(struct ear *ear, struct sl_talk *talk, size_t i);
static void hear(void *context, const struct sl_talk_message *message);
static enum sl_exit measure(struct sl_doctor *doctor, const char *address, struct sl_talk *talk);

void sl_doctor_look_broker(struct sl_doctor *doctor, const struct sl_holders *holders)
{
    char address[SL_HOST_MAX + 8];
    snprintf(address, sizeof address, "%s:%u", doctor->site->host, doctor->site->port);
    int fd = dial(doctor->site);
    if (fd < 0) {
        doctor->broker = "not running";
        return;
    }
    close(fd);
    doctor->broker = "proven";
    size_t before = doctor->len;
    if (!doctor->only) {
        look_at_certificate(doctor, address, holders);
        if (sl_doctor_has(doctor, SL_CHECK_BROKER_STRANGE)) {
            doctor->broker = "strange";
            return;
        }
        look_at_tls(doctor, address);
        probe(doctor, address);
    }
    if (!sl_doctor_has(doctor, SL_CHECK_BROKER_REFUSES))
        look_at_nodes(doctor, address);
    if (doctor->len > before)
        doctor->broker = "running";
}

/* --- TLS ------------------------------------------------------------------------------------ */

/* -1: nothing listens, or nobody knows the host. */
static int dial(const struct sl_site *site)
{
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    char port[8];
    int fd = -1;
    snprintf(port, sizeof port, "%u", site->port);
    if (getaddrinfo(site->host, port, &hints, &found) != 0)
        return -1;
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
        const struct timeval limit = {.tv_sec = DIAL_MS / 1000};
        fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        if (connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

/* As far as the broker's answer to our first message: true when it chose what was offered. Nothing
 * is verified here. certificate: what it showed; NULL: not wanted. */
static bool shake_hands(const struct sl_site *site, int version, const char *ciphers,
                        X509 **certificate)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = NULL;
    int fd = dial(site);
    bool is_chosen = false;
    if (!context || fd < 0)
        goto out;
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    if (SSL_CTX_set_min_proto_version(context, version) != 1 ||
        SSL_CTX_set_max_proto_version(context, version) != 1 ||
        (ciphers && SSL_CTX_set_cipher_list(context, ciphers) != 1))
        goto out;
    ssl = SSL_new(context);
    if (!ssl || SSL_set_fd(ssl, fd) != 1)
        goto out;
    (void)SSL_connect(ssl); /* it is refused for want of a certificate, if all is well */
    X509 *shown = SSL_get1_peer_certificate(ssl);
    is_chosen = shown != NULL;
    if (certificate)
        *certificate = shown;
    else
        X509_free(shown);
out:
    SSL_free(ssl);
    SSL_CTX_free(context);
    if (fd >= 0)
        close(fd);
    ERR_clear_error();
    return is_chosen;
}

static void look_at_tls(struct sl_doctor *doctor, const char *address)
{
    static const struct {
        int version;
        const char *name;
    } old[] = {{TLS1_VERSION, "TLS 1.0"}, {TLS1_1_VERSION, "TLS 1.1"}};
    const struct sl_place place = {.path = address};
    for (size_t i = 0; i < 2; i++)
        if (shake_hands(doctor->site, old[i].version, "ALL:@SECLEVEL=0", NULL)) {
            sl_doctor_find(doctor, SL_CHECK_BROKER_TLS_OLD, place, "it chose %s", old[i].name);
            break;
        }
    static const char others[] =
        "ALL:!ECDHE-ECDSA-CHACHA20-POLY1305:!ECDHE-ECDSA-AES128-GCM-SHA256:"
        "@SECLEVEL=0";
    if (shake_hands(doctor->site, TLS1_2_VERSION, others, NULL))
        sl_doctor_find(doctor, SL_CHECK_BROKER_CIPHERS, place,
                       "it chose a suite of TLS 1.2 that the site does not name");
}

static void look_at_certificate(struct sl_doctor *doctor, const char *address,
                                const struct sl_holders *holders)
{
    X509 *shown = NULL;
    const struct sl_place place = {.path = address};
    if (!shake_hands(doctor->site, TLS1_2_VERSION, NULL, &shown)) {
        sl_doctor_find(doctor, SL_CHECK_BROKER_STRANGE, place,
                       "it shows no certificate in a handshake with TLS 1.2");
        return;
    }
    for (size_t i = 0; i < holders->len; i++)
        if (holders->list[i].purpose == SL_PKI_SERVER &&
            X509_cmp(holders->list[i].certificate, shown) != 0) {
            char day[16];
            sl_site_print_date(day, sl_pki_not_after(shown));
            sl_doctor_find(doctor, SL_CHECK_BROKER_CERTIFICATE_OLD, place,
                           "the one that it shows ends on %s", day);
        }
    X509_free(shown);
}

/* --- the canaries --------------------------------------------------------------------------- */

/* Those who must be refused, each by himself; then whether the lists are in force. */
static void probe(struct sl_doctor *doctor, const char *address)
{
    struct sl_canaries canaries;
    struct sl_cli_told told = {.is_told = false};
    sl_cli_listen(&told);
    enum sl_exit code = sl_canary_load(doctor->site, &canaries);
    if (code == SL_EXIT_DONE) { /* damaged ones are told of already */
        const struct sl_talk_visitor nobody = {.site = doctor->site, .name = "nobody"};
        const struct sl_talk_visitor revoked = {
            .site = doctor->site, .name = SL_CANARY_REVOKED, .pair = &canaries.revoked};
        if (comes_in(&nobody))
            sl_doctor_find(doctor, SL_CHECK_BROKER_ANONYMOUS, (struct sl_place){.path = address},
                           "a client without a certificate was let in");
        if (comes_in(&revoked))
            sl_doctor_find(doctor, SL_CHECK_BROKER_REVOKED_IN, (struct sl_place){.path = address},
                           "the canary that is on the revocation list was let in");
        probe_lists(doctor, address);
    }
    sl_cli_listen(NULL);
    sl_canary_free(&canaries);
}

static bool comes_in(const struct sl_talk_visitor *visitor)
{
    enum sl_talk_welcome welcome = SL_WELCOME_REVOKED;
    enum sl_exit code = sl_talk_visit(visitor, &welcome, NULL);
    return code == SL_EXIT_DONE && welcome == SL_WELCOME_IN;
}

/* The mechanism that every command uses after a change. Whether nobody at all is let in is found
 * out by the operator's own connection. */
static void probe_lists(struct sl_doctor *doctor, const char *address)
{
    static const struct {
        enum sl_error error;
        enum sl_check check;
    } meanings[] = {{SL_ERROR_BROKER_OPEN, SL_CHECK_BROKER_OPEN},
                    {SL_ERROR_BROKER_LIST_IGNORED, SL_CHECK_BROKER_LIST_OLD},
                    {SL_ERROR_BROKER_REFUSES_ALL, SL_CHECK_BROKER_REFUSES}};
    const struct sl_path acl = sl_path_join(doctor->site->root, "broker/acl");
    const struct sl_path certificate = sl_path_join(doctor->site->root, "broker/certificate.pem");
    const struct sl_probe asked = {.who = SL_PROBE_SITE,
                                   .site = doctor->site,
                                   .acl = acl.text,
                                   .certificate = certificate.text};
    struct sl_cli_told told = {.is_told = false};
    bool is_open = false;
    sl_cli_listen(&told);
    if (sl_probe_broker(&asked, &is_open) == SL_EXIT_DONE || !told.is_told)
        return;
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (told.error == (int)meanings[i].error)
            sl_doctor_find_told(doctor, meanings[i].check, (struct sl_place){.path = address},
                                &told);
}

/* --- nodes ---------------------------------------------------------------------------------- */

/* As an operator: who hears his commands, who has what time, how long the broker takes. */
static void look_at_nodes(struct sl_doctor *doctor, const char *address)
{
    size_t len = doctor->nodes ? doctor->nodes->len : 0;
    struct ear ear = {.doctor = doctor, .is_awaited = calloc(len + 1, sizeof(bool))};
    struct sl_cli_told told = {.is_told = false};
    struct sl_talk *talk = NULL;
    size_t before = doctor->len;
    if (!ear.is_awaited)
        return;
    sl_cli_listen(&told);
    enum sl_exit code = sl_talk_open(doctor->site, NULL, false, DIAL_MS, hear, &ear, &talk);
    for (size_t i = 0; i < len && code == SL_EXIT_DONE; i++)
        if (!doctor->only || strcmp(doctor->only, doctor->nodes->list[i].name) == 0)
            code = ask_node(&ear, talk, i);
    if (code == SL_EXIT_DONE && ear.awaited > 0)
        code = sl_talk_wait(talk, &ear.is_done, REPORT_MS);
    if (code == SL_EXIT_DONE)
        code = measure(doctor, address, talk);
    sl_talk_close(talk);
    sl_cli_listen(NULL);
    /* An operator's own files are told of already. */
    if (code == SL_EXIT_NO_ANSWER && doctor->len == before)
        sl_doctor_find_told(doctor, SL_CHECK_BROKER_REFUSES, (struct sl_place){.path = address},
                            &told);
    free(ear.is_awaited);
}

/* Nobody but the node may hear this topic. */
static enum sl_exit ask_node(struct ear *ear, struct sl_talk *talk, size_t i)
{
    const struct sl_site_node *node = &ear->doctor->nodes->list[i];
    const struct sl_talk_request request = {.expiry_s = 5};
    enum sl_talk_fate fate = SL_FATE_NOBODY;
    char topic[SL_TOPIC_MAX];
    snprintf(topic, sizeof topic, "%s/report", node->base);
    enum sl_exit code = sl_talk_subscribe(talk, topic);
    snprintf(topic, sizeof topic, "%s/zone/status", node->base);
    ear->is_awaited[i] = !node->is_revoked; /* before the answer can come */
    ear->awaited += ear->is_awaited[i];
    if (code == SL_EXIT_DONE)
        code = sl_talk_publish(talk, topic, "", &request, &fate);
    if (ear->is_awaited[i] && fate != SL_FATE_TAKEN) {
        ear->is_awaited[i] = false;
        ear->awaited--;
    }
    if (node->is_revoked && fate == SL_FATE_TAKEN)
        sl_doctor_find(ear->doctor, SL_CHECK_NODE_REVOKED_ONLINE,
                       (struct sl_place){.path = topic, .name = node->name},
                       "somebody listens there");
    return code;
}

static void hear(void *context, const struct sl_talk_message *message)
{
    struct ear *ear = context;
    for (size_t i = 0; i < ear->doctor->nodes->len; i++) {
        const struct sl_site_node *node = &ear->doctor->nodes->list[i];
        const char *below = sl_site_topic_below(node, message->topic);
        if (!ear->is_awaited[i] || message->is_retained || !below || strcmp(below, "report") != 0)
            continue;
        struct sl_reported report;
        cJSON *json = cJSON_ParseWithLength(message->payload, message->len);
        int64_t now_s = (int64_t)time(NULL);
        if (sl_reported_read(json, &report) && report.utc_s > 0 &&
            (report.utc_s > now_s + CLOCK_S || report.utc_s < now_s - CLOCK_S))
            sl_doctor_find(ear->doctor, SL_CHECK_NODE_CLOCK,
                           (struct sl_place){.path = message->topic, .name = node->name},
                           "it is %lld s %s", (long long)llabs(report.utc_s - now_s),
                           report.utc_s > now_s ? "ahead" : "behind");
        cJSON_Delete(json);
        ear->is_awaited[i] = false;
        ear->awaited--;
    }
    ear->is_done = ear->awaited == 0;
}

/* There and back, by a question that is always answered with no. */
static enum sl_exit measure(struct sl_doctor *doctor, const char *address, struct sl_talk *talk)
{
    const struct sl_talk_request request = {.expiry_s = 1};
    enum sl_talk_fate fate = SL_FATE_FORBIDDEN;
    enum sl_exit code = SL_EXIT_DONE;
    uint64_t best_ms = UINT64_MAX;
    for (int i = 0; i < ASKED && code == SL_EXIT_DONE; i++) {
        uint64_t from_ms = sl_cli_now_ms();
        code = sl_talk_publish(talk, SL_CANARY_NOBODYS, "", &request, &fate);
        uint64_t took_ms = sl_cli_now_ms() - from_ms;
        best_ms = took_ms < best_ms ? took_ms : best_ms;
    }
    if (code == SL_EXIT_DONE && fate != SL_FATE_FORBIDDEN &&
        !sl_doctor_has(doctor, SL_CHECK_BROKER_OPEN))
        sl_doctor_find(doctor, SL_CHECK_BROKER_OPEN, (struct sl_place){.path = address},
                       "an operator may write %s", SL_CANARY_NOBODYS);
    if (code == SL_EXIT_DONE && best_ms > SLOW_MS)
        sl_doctor_find(doctor, SL_CHECK_BROKER_SLOW, (struct sl_place){.path = address},
                       "%llu ms for an answer, at best", (unsigned long long)best_ms);
    return code;
}
