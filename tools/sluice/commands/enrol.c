/* sluice node enrol: an identity for a device that makes its own key, over its serial line. */
#include "ca/image.h"
#include "ca/issue.h"
#include "enrol/host.h"
#include "enrol/text.h"
#include "site/making.h"
#include "site/wifi.h"
#include "talk/serial_port.h"
#include "talk/talk.h"
#include <cjson/cJSON.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PORT, BASE, HOST, BROKER_PORT, REPLACE, WIFI, FINGERPRINT, YES, TIMEOUT, JSON };
static const struct sl_option options[] = {
    [PORT] = {.name = "--port",
              .kind = SL_OPTION_TEXT,
              .value = "DEV",
              .offer = SL_OFFER_FILES,
              .otherwise = "must be given",
              .help = "the serial line to the device"},
    [BASE] = SL_OPTION_BASE,
    [HOST] = SL_OPTION_HOST,
    [BROKER_PORT] = SL_OPTION_BROKER_PORT("--broker-port"),
    [REPLACE] = {.name = "--replace",
                 .help = "take the name of a node that exists, and shut that one out"},
    [WIFI] = {.name = "--wifi",
              .kind = SL_OPTION_TEXT,
              .value = "FILE",
              .offer = SL_OFFER_FILES,
              .otherwise = "no Wi-Fi",
              .help = "the network's name and, in the next line, its passphrase; - asks for them"},
    [FINGERPRINT] = {.name = "--fingerprint",
                     .kind = SL_OPTION_TEXT,
                     .value = "F",
                     .otherwise = "asked on the terminal",
                     .help = "what the device's log shows, at least 16 digits of it"},
    [YES] = {.name = "--yes", .help = "take whatever key comes: nobody else has the line"},
    [TIMEOUT] = SL_OPTION_TIMEOUT("how long to wait for the device, then for the node", "30"),
    [JSON] = SL_OPTION_JSON("what was done as one JSON object"),
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_node_enrol = {
    .name = "node enrol",
    .summary = "give a device an identity over its serial line",
    .arguments =
        (const struct sl_argument[]){
            {.name = "NAME",
             .help = "a-z, 0-9, then also - and _, at most 23 characters; it is the node's user "
                     "name and client id",
             .offer = SL_OFFER_NODES},
            {.name = NULL}},
    .options = options,
    .text =
        "The device makes its private key itself, and the key never leaves it. It shows the "
        "fingerprint of the public key in its log; compare it with what comes over the line, then "
        "the device gets its certificate, the site's trust anchors, the broker's address and its "
        "names. When a broker of the site runs here, the command waits until the node is online."
        "\n\n"
        "A device that has an identity answers only when its reset was held while it started. An "
        "enrolment that was interrupted can be repeated as it is.",
    .manual =
        "The Wi-Fi data crosses the serial line in the clear, everything else may be known. "
        "Without a terminal give --fingerprint. A pseudo terminal of sluice-node (its setting "
        "serial = pty:PATH) does as well as a tty.",
    .examples =
        (const struct sl_example[]){
            {"sluice node enrol garden --port /dev/ttyUSB0", "a new device:"},
            {"sluice node enrol garden --port /dev/ttyUSB0 --replace --wifi -",
             "another device in place of a lost one; the Wi-Fi network is asked for:"},
            {"sluice node enrol garden --port /dev/ttyUSB0 --fingerprint 3F2A-91BC-0D44-7E19",
             "in a script that has read the device's log:"},
            {NULL, NULL}},
    .run = run,
};

struct enrolment {
    const struct sl_cli *cli;
    struct sl_making_wish wish;
    struct sl_wifi wifi;
    struct sl_serial_port port;
    struct sl_enrol_host host;
    uint8_t sha256[SHA256_DIGEST_LENGTH]; /* of the device's public key */
    uint8_t grant[SL_GRANT_MAX];
    size_t grant_len;
    uint64_t not_after_s;
    enum { OFFLINE, ONLINE, NO_BROKER } where;
};

static enum sl_exit check_options(const struct sl_cli *cli);
static enum sl_exit check_wish(const struct enrolment *enrolment);
static enum sl_exit enrol(struct enrolment *enrolment);
static enum sl_exit ask_device(struct enrolment *enrolment, struct sl_view *request);
static enum sl_exit judge_fingerprint(struct enrolment *enrolment, struct sl_view request);
static enum sl_exit make_node(struct enrolment *enrolment, struct sl_view request,
                              struct sl_making *making);
static enum sl_exit fill(struct sl_making *making, const struct sl_authority *authority,
                         const char *folder, void *context, X509 **certificate);
static enum sl_exit hand_over(struct enrolment *enrolment, const struct sl_making *making);
static enum sl_exit talk(struct enrolment *enrolment, struct sl_enrol_host_event *event);
static enum sl_exit flush(struct enrolment *enrolment);
static enum sl_exit explain(const struct enrolment *enrolment,
                            const struct sl_enrol_host_event *event);
static enum sl_exit confirm(const struct enrolment *enrolment);
static enum sl_exit wait_online(struct enrolment *enrolment, const struct sl_making *making);
static bool wants_words(const struct enrolment *enrolment);
static void print_progress(const struct enrolment *enrolment, size_t have);
static void print_json(const struct enrolment *enrolment, const struct sl_making *making);

static enum sl_exit run(struct sl_cli *cli)
{
    static struct enrolment enrolment;
    enrolment = (struct enrolment){
        .cli = cli,
        .port = {.fd = -1},
        .wish = {.name = cli->words[0],
                 .base = cli->values[BASE].text,
                 .host = cli->values[HOST].text,
                 .port = (uint16_t)cli->values[BROKER_PORT].number,
                 .may_replace = cli->values[REPLACE].is_given,
                 .is_enrolment = true},
    };
    enum sl_exit code = check_options(cli);
    if (code == SL_EXIT_DONE)
        code = check_wish(&enrolment);
    if (code == SL_EXIT_DONE && cli->values[WIFI].text)
        code = sl_wifi_take(cli->values[WIFI].text, &enrolment.wifi);
    if (code == SL_EXIT_DONE)
        code = sl_serial_open(cli->values[PORT].text, &enrolment.port);
    if (code == SL_EXIT_DONE)
        code = enrol(&enrolment);
    sl_serial_close(&enrolment.port);
    sl_wipe(&enrolment, sizeof enrolment);
    return code;
}

static enum sl_exit check_options(const struct sl_cli *cli)
{
    const struct sl_value *fingerprint = &cli->values[FINGERPRINT];
    if (!cli->values[PORT].text)
        return sl_cli_fail(SL_ERROR(ENROL_NO_PORT));
    if (fingerprint->text &&
        strspn(fingerprint->text, "0123456789abcdefABCDEF-: ") != strlen(fingerprint->text))
        return sl_cli_fail(SL_ERROR(FINGERPRINT_BAD), fingerprint->text);
    if (!fingerprint->text && !cli->values[YES].is_given && !isatty(STDIN_FILENO))
        return sl_cli_fail(SL_ERROR(FINGERPRINT_UNJUDGED));
    return SL_EXIT_DONE;
}

/* Before anybody goes to the device. The site is not locked while people compare fingerprints, so
 * all of it is checked again before anything is written. */
static enum sl_exit check_wish(const struct enrolment *enrolment)
{
    struct sl_making making;
    enum sl_exit code = sl_making_begin(enrolment->cli->site_root, &enrolment->wish, &making);
    sl_making_end(&making);
    return code;
}

/* The node is in the site, and the broker knows it, before the device gets its grant: so whatever
 * is cut, a device that has its identity is let in. */
static enum sl_exit enrol(struct enrolment *enrolment)
{
    struct sl_view request = {NULL, 0};
    struct sl_making making;
    enum sl_exit code = ask_device(enrolment, &request);
    if (code == SL_EXIT_DONE)
        code = judge_fingerprint(enrolment, request);
    if (code != SL_EXIT_DONE)
        return code;
    code = make_node(enrolment, request, &making);
    sl_making_end(&making);
    if (code == SL_EXIT_DONE)
        code = hand_over(enrolment, &making);
    if (code == SL_EXIT_DONE)
        code = confirm(enrolment);
    if (code == SL_EXIT_DONE)
        code = wait_online(enrolment, &making);
    if (code == SL_EXIT_DONE && enrolment->cli->values[JSON].is_given)
        print_json(enrolment, &making);
    return code;
}

/* --- the device ----------------------------------------------------------------------------- */

static enum sl_exit ask_device(struct enrolment *enrolment, struct sl_view *request)
{
    struct sl_enrol_host_config config = {.name = sl_view_text(enrolment->wish.name),
                                          .unix_s = (uint64_t)time(NULL)};
    struct sl_enrol_host_event event;
    config.timeout_ms = (uint32_t)enrolment->cli->values[TIMEOUT].number * 1000;
    if (RAND_bytes((unsigned char *)&config.session, sizeof config.session) != 1)
        return sl_pki_fail("draw random numbers");
    if (wants_words(enrolment))
        printf("asking the device on %s for its key\n", enrolment->port.path);
    fflush(stdout); /* whoever reads along knows what is waited for */
    sl_enrol_host_init(&enrolment->host, (sl_ms)sl_cli_now_ms(), &config);
    enum sl_exit code = talk(enrolment, &event);
    if (code == SL_EXIT_DONE && event.kind != SL_ENROL_HOST_REQUEST)
        code = explain(enrolment, &event);
    *request = event.request;
    return code;
}

/* Until the next event. */
static enum sl_exit talk(struct enrolment *enrolment, struct sl_enrol_host_event *event)
{
    struct sl_enrol_host *host = &enrolment->host;
    uint8_t in[SL_ENROL_WIRE_MAX];
    size_t len = 0;
    memset(event, 0, sizeof *event);
    for (;;) {
        sl_ms now = (sl_ms)sl_cli_now_ms(), due = now;
        /* What it leaves behind an event was said before the next question. */
        (void)sl_enrol_host_feed(host, now, in, len);
        sl_enrol_host_tick(host, now);
        if (sl_enrol_host_next(host, event))
            return SL_EXIT_DONE;
        enum sl_exit code = flush(enrolment);
        bool has_due = sl_enrol_host_deadline(host, now, &due);
        if (code == SL_EXIT_DONE)
            code = sl_serial_receive(&enrolment->port, sl_enrol_host_peek(host).len > 0,
                                     has_due ? sl_ms_until(now, due) : 1000, in, sizeof in, &len);
        if (code != SL_EXIT_DONE)
            return code;
    }
}

static enum sl_exit flush(struct enrolment *enrolment)
{
    struct sl_view out = sl_enrol_host_peek(&enrolment->host);
    size_t sent = 0;
    enum sl_exit code = out.len > 0 ? sl_serial_send(&enrolment->port, out, &sent) : SL_EXIT_DONE;
    sl_enrol_host_sent(&enrolment->host, sent);
    return code;
}

static enum sl_exit explain(const struct enrolment *enrolment,
                            const struct sl_enrol_host_event *event)
{
    const char *path = enrolment->port.path;
    if (event->status == SL_TIMEOUT)
        return sl_cli_fail(SL_ERROR(DEVICE_SILENT), path,
                           (unsigned)enrolment->cli->values[TIMEOUT].number);
    if (event->status == SL_UNSUPPORTED)
        return sl_cli_fail(SL_ERROR(DEVICE_VERSION), path);
    struct sl_enrol_words words = sl_enrol_refusal_words(event->refusal);
    return sl_cli_fail(SL_ERROR(DEVICE_REFUSED), path, words.what, words.cure);
}

/* --- the person ----------------------------------------------------------------------------- */

static enum sl_exit judge_fingerprint(struct enrolment *enrolment, struct sl_view request)
{
    const unsigned char *at = request.data;
    X509_REQ *parsed = d2i_X509_REQ(NULL, &at, (long)request.len);
    EVP_PKEY *key = parsed ? X509_REQ_get0_pubkey(parsed) : NULL;
    unsigned char *info = NULL;
    int len = key ? i2d_PUBKEY(key, &info) : 0;
    if (len > 0)
        SHA256(info, (size_t)len, enrolment->sha256);
    OPENSSL_free(info);
    X509_REQ_free(parsed);
    ERR_clear_error();
    if (len <= 0)
        return sl_cli_fail(SL_ERROR(REQUEST_BAD), enrolment->wish.name, "its key cannot be read");

    char text[SL_ENROL_FINGERPRINT_LEN], answer[16] = "";
    struct sl_reader first = sl_reader_init((struct sl_view){enrolment->sha256, 8});
    sl_enrol_print_fingerprint(text, sl_read_u64(&first));
    const char *wanted = enrolment->cli->values[FINGERPRINT].text;
    if (wanted && !sl_enrol_is_fingerprint(wanted, enrolment->sha256))
        return sl_cli_fail(SL_ERROR(FINGERPRINT_DIFFERS), text);
    if (wants_words(enrolment))
        printf("the fingerprint of the device's key is %s\n", text);
    if (wanted || enrolment->cli->values[YES].is_given)
        return SL_EXIT_DONE;
    fprintf(stderr, "Does the device's log show %s? (yes/no) ", text);
    if (!fgets(answer, sizeof answer, stdin) ||
        (strcmp(answer, "yes\n") != 0 && strcmp(answer, "y\n") != 0))
        return sl_cli_fail(SL_ERROR(FINGERPRINT_DENIED));
    return SL_EXIT_DONE;
}

/* --- the site ------------------------------------------------------------------------------- */

struct filling {
    struct enrolment *enrolment;
    struct sl_view request;
};

static enum sl_exit make_node(struct enrolment *enrolment, struct sl_view request,
                              struct sl_making *making)
{
    struct filling filling = {enrolment, request};
    enum sl_exit code = sl_making_begin(enrolment->cli->site_root, &enrolment->wish, making);
    if (code == SL_EXIT_DONE)
        code = sl_making_carry_out(making, fill, &filling);
    enrolment->not_after_s = making->node.not_after_s;
    if (code == SL_EXIT_DONE && wants_words(enrolment)) {
        char day[16];
        sl_site_print_date(day, making->node.not_after_s);
        printf("its certificate is made and lasts until %s\n", day);
        if (making->revocation.name[0] != '\0')
            sl_revoke_print(&making->revocation);
    }
    return code;
}

/* The certificate and the record; the grant, which may hold a passphrase, goes to the device only.
 */
static enum sl_exit fill(struct sl_making *making, const struct sl_authority *authority,
                         const char *folder, void *context, X509 **certificate)
{
    const struct filling *filling = context;
    struct enrolment *enrolment = filling->enrolment;
    struct sl_site_node *node = &making->node;
    enum sl_exit code = sl_issue_for_request(authority, making->site.root, node->name,
                                             filling->request, certificate);
    if (code != SL_EXIT_DONE)
        return code;
    node->not_after_s = sl_pki_not_after(*certificate);
    node->has_own_key = node->is_unconfirmed = true;
    struct sl_pki_pair pair = {*certificate, NULL};
    code = sl_pki_encode_grant(
        &making->site, node, authority, *certificate, sl_view_text(enrolment->wifi.name),
        sl_view_text(enrolment->wifi.passphrase), enrolment->grant, &enrolment->grant_len);
    if (code == SL_EXIT_DONE)
        code = sl_pki_save_certificate(&pair, folder);
    return code == SL_EXIT_DONE ? sl_site_save_node(node, folder) : code;
}

static enum sl_exit hand_over(struct enrolment *enrolment, const struct sl_making *making)
{
    struct sl_enrol_host_event event = {.kind = SL_ENROL_HOST_PROGRESS};
    enum sl_exit code = SL_EXIT_DONE;
    sl_enrol_host_grant(&enrolment->host, (sl_ms)sl_cli_now_ms(),
                        (struct sl_view){enrolment->grant, enrolment->grant_len});
    while (code == SL_EXIT_DONE && event.kind == SL_ENROL_HOST_PROGRESS) {
        print_progress(enrolment, event.offset);
        code = talk(enrolment, &event);
    }
    if (code == SL_EXIT_DONE && event.kind == SL_ENROL_HOST_STORED) {
        print_progress(enrolment, enrolment->grant_len);
        return flush(enrolment); /* DONE; a device that does not hear it waits five seconds */
    }
    if (code == SL_EXIT_DONE)
        code = explain(enrolment, &event);
    const char *name = making->node.name;
    sl_cli_note(
        "node %s is in the site, but its device has not confirmed: see 'sluice status %s'; if "
        "it stays offline, repeat 'sluice node enrol %s'",
        name, name, name);
    return code;
}

/* Unless somebody has changed the node meanwhile. */
static enum sl_exit confirm(const struct enrolment *enrolment)
{
    struct sl_site site;
    struct sl_site_nodes nodes;
    enum sl_exit code = sl_site_open(enrolment->cli->site_root, &site);
    if (code != SL_EXIT_DONE)
        return code;
    code = sl_site_lock(&site, "site", 5000);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(SITE_BUSY), site.root);
    if (code == SL_EXIT_DONE)
        code = sl_site_find_nodes(&site, enrolment->wish.name, &nodes);
    if (code != SL_EXIT_DONE)
        return code;
    struct sl_site_node *node = &nodes.list[0];
    if (node->is_unconfirmed && node->not_after_s == enrolment->not_after_s) {
        node->is_unconfirmed = false;
        code = sl_site_save_node(node, sl_path_join3(site.root, "nodes", node->name).text);
    }
    sl_site_free_nodes(&nodes);
    sl_site_unlock(&site, "site");
    return code;
}

/* --- the broker ----------------------------------------------------------------------------- */

static void receive(void *context, const struct sl_talk_message *message)
{
    bool *is_online = context;
    *is_online =
        message->len == strlen("online") && memcmp(message->payload, "online", message->len) == 0;
}

/* Where a broker of this site runs on this computer. */
static enum sl_exit wait_online(struct enrolment *enrolment, const struct sl_making *making)
{
    const struct sl_site_node *node = &making->node;
    const unsigned timeout_s = (unsigned)enrolment->cli->values[TIMEOUT].number;
    struct sl_talk *connection = NULL;
    bool is_online = false;
    if (wants_words(enrolment))
        printf("node %s is enrolled: topics %s/..., broker %s:%u\n", node->name, node->base,
               node->host, node->port);
    if (sl_site_lock_owner(&making->site, "broker") == 0) {
        enrolment->where = NO_BROKER;
        if (wants_words(enrolment))
            printf("no broker runs here: once it does, 'sluice status %s' shows the node\n",
                   node->name);
        return SL_EXIT_DONE;
    }
    char topic[SL_TOPIC_MAX];
    snprintf(topic, sizeof topic, "%s/availability", node->base);
    enum sl_exit code =
        sl_talk_open(&making->site, NULL, true, timeout_s * 1000, receive, &is_online, &connection);
    if (code == SL_EXIT_DONE)
        code = sl_talk_subscribe(connection, topic);
    if (code == SL_EXIT_DONE)
        code = sl_talk_wait(connection, &is_online, timeout_s * 1000);
    sl_talk_close(connection);
    if (code == SL_EXIT_DONE && !is_online)
        code = sl_cli_fail(SL_ERROR(ENROLLED_OFFLINE), node->name, timeout_s);
    if (code == SL_EXIT_DONE && wants_words(enrolment))
        printf("%s is online at the broker\n", node->name);
    enrolment->where = is_online ? ONLINE : OFFLINE;
    return code;
}

/* --- words ---------------------------------------------------------------------------------- */

static bool wants_words(const struct enrolment *enrolment)
{
    return !enrolment->cli->values[JSON].is_given;
}

/* One line that grows on a terminal; elsewhere the end alone. */
static void print_progress(const struct enrolment *enrolment, size_t have)
{
    const bool is_whole = have == enrolment->grant_len;
    if (!wants_words(enrolment))
        return;
    if (isatty(STDOUT_FILENO)) {
        printf("\rthe device has %zu of %zu bytes%s", have, enrolment->grant_len,
               is_whole ? "\n" : "");
        fflush(stdout);
    }
    if (is_whole)
        puts("the device has stored its identity");
}

static void print_json(const struct enrolment *enrolment, const struct sl_making *making)
{
    static const char *const where[] = {"offline", "online", "no broker here"};
    const struct sl_site_node *node = &making->node;
    char day[16], fingerprint[2 * SHA256_DIGEST_LENGTH + 1];
    for (size_t i = 0; i < SHA256_DIGEST_LENGTH; i++)
        snprintf(fingerprint + 2 * i, 3, "%02x", enrolment->sha256[i]);
    sl_site_print_date(day, node->not_after_s);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "name", node->name);
    cJSON_AddStringToObject(json, "base", node->base);
    cJSON_AddStringToObject(json, "host", node->host);
    cJSON_AddNumberToObject(json, "port", node->port);
    cJSON_AddStringToObject(json, "last_day", day);
    cJSON_AddStringToObject(json, "fingerprint", fingerprint);
    cJSON_AddStringToObject(json, "availability", where[enrolment->where]);
    if (making->revocation.name[0] != '\0')
        sl_revoke_describe(&making->revocation, json);
    sl_cli_print_json(json);
}
