/* sluice on, sluice off: a request to a node, and its answer after the pin was read back. */
#include "ca/pki.h"
#include "talk/talk.h"
#include <cjson/cJSON.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define EXPIRY_S   5 /* a command that was held up longer no longer switches */
#define ANSWER_MAX 1024
#define ON_MAX_S   86400

enum { TIMEOUT, OPERATOR, JSON };
static const struct sl_option options[] = {
    [TIMEOUT] = SL_OPTION_TIMEOUT("how long to wait for the node's answer", "10"),
    [OPERATOR] = SL_OPTION_OPERATOR("who asks for it"),
    [JSON] = SL_OPTION_JSON("the node's answer as one JSON object"),
    {.name = NULL},
};
#define ZONES "0 1 2 3 4 5 6 7"

static enum sl_exit run_on(struct sl_cli *cli);
const struct sl_subcommand sl_command_on = {
    .name = "on",
    .summary = "switch a zone on and wait for the pin",
    .arguments =
        (const struct sl_argument[]){
            SL_ARGUMENT_NODE("the node to ask", false),
            {.name = "ZONE", .help = "0 to 7", .offer = SL_OFFER_CHOICES, .choices = ZONES},
            {.name = "SECONDS",
             .help = "how long; 0 switches off. The node's own limit is 4 hours unless configured"},
            {.name = NULL}},
    .options = options,
    .text = "Done means that the pin of the relay chip was read back; where a chip cannot do that "
            "('raw'), the line says 'sent, not confirmed'.",
    .manual = "The relay chip counts the seconds down by itself and switches off when they are "
              "over, whatever happens to node, broker or network meanwhile. A command that is held "
              "up on its way for more than 5 s switches nothing. One zone at a time is on, unless "
              "the node is configured otherwise: another one that runs is switched off.",
    .examples = (const struct sl_example[]){{"sluice on garden 2 120", "zone 2 for two minutes:"},
                                            {"sluice on garden 2 120 --timeout 3 || "
                                             "echo 'not confirmed'",
                                             "in a script:"},
                                            {NULL, NULL}},
    .run = run_on,
};

static enum sl_exit run_off(struct sl_cli *cli);
const struct sl_subcommand sl_command_off = {
    .name = "off",
    .summary = "switch a zone, or all, off",
    .arguments = (const struct sl_argument[]){SL_ARGUMENT_NODE("the node to ask", false),
                                              {.name = "ZONE",
                                               .help = "0 to 7, or all (default: all)",
                                               .is_optional = true,
                                               .offer = SL_OFFER_CHOICES,
                                               .choices = ZONES " all"},
                                              {.name = NULL}},
    .options = options,
    .manual = "Done means that the pins of the relay chip were read back.",
    .examples = (const struct sl_example[]){{"sluice off garden 2", "one zone:"},
                                            {"sluice off garden", "every zone:"},
                                            {NULL, NULL}},
    .run = run_off,
};

struct request {
    const struct sl_site_node *node;
    int zone; /* -1: all */
    const char *topic, *payload;
    unsigned timeout_ms;
    const char *operator_name;
    bool wants_json;

    char correlation[SL_CORRELATION_LEN + 1];
    bool is_offline, is_done;
    uint64_t reported_s; /* UTC of the last report, 0: unknown */
    char answer[ANSWER_MAX + 1];
    size_t answer_len;
};

static enum sl_exit run(const struct sl_cli *cli, struct request *request);
static enum sl_exit ask(const struct sl_site *site, const struct sl_site_node *node,
                        const struct request *given);
static enum sl_exit send_request(struct sl_talk *talk, struct request *request,
                                 const char *answer_topic);
static void receive(void *context, const struct sl_talk_message *message);
static enum sl_exit print_answer(const struct request *request);
static enum sl_exit print_done(const struct request *request, const cJSON *answer, bool is_read);
static void print_json(const struct request *request, const cJSON *answer, bool is_confirmed);
static enum sl_exit fail_offline(const struct request *request);

static enum sl_exit run_on(struct sl_cli *cli)
{
    const char *const *words = cli->words;
    long zone = 0, seconds = 0;
    struct request request = {0};
    if (!sl_cli_read_number(words[1], 0, SL_ZONES - 1, &zone))
        return sl_cli_fail(SL_ERROR(ZONE_UNKNOWN), words[1], SL_ZONES - 1);
    if (!sl_cli_read_number(words[2], 0, ON_MAX_S, &seconds))
        return sl_cli_fail(SL_ERROR(SECONDS_BAD), words[2], ON_MAX_S);
    char payload[32];
    snprintf(payload, sizeof payload, "%ld %ld", zone, seconds);
    request.zone = (int)zone;
    request.topic = "zone/on";
    request.payload = payload;
    return run(cli, &request);
}

static enum sl_exit run_off(struct sl_cli *cli)
{
    const char *const *words = cli->words;
    long zone = -1;
    struct request request = {0};
    if (cli->words_len == 2 && strcmp(words[1], "all") != 0 &&
        !sl_cli_read_number(words[1], 0, SL_ZONES - 1, &zone))
        return sl_cli_fail(SL_ERROR(ZONE_UNKNOWN), words[1], SL_ZONES - 1);
    char payload[32] = "all";
    if (zone >= 0)
        snprintf(payload, sizeof payload, "%ld", zone);
    request.zone = (int)zone;
    request.topic = "zone/off";
    request.payload = payload;
    return run(cli, &request);
}

static enum sl_exit run(const struct sl_cli *cli, struct request *request)
{
    request->timeout_ms = (unsigned)cli->values[TIMEOUT].number * 1000;
    request->operator_name = cli->values[OPERATOR].text;
    request->wants_json = cli->values[JSON].is_given;
    struct sl_site site;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code != SL_EXIT_DONE)
        return code;
    struct sl_site_nodes nodes;
    code = sl_site_find_nodes(&site, cli->words[0], &nodes);
    if (code != SL_EXIT_DONE)
        return code;
    code = ask(&site, &nodes.list[0], request);
    sl_site_free_nodes(&nodes);
    return code;
}

static enum sl_exit ask(const struct sl_site *site, const struct sl_site_node *node,
                        const struct request *given)
{
    struct request copy = *given, *request = &copy; /* what it points to lives as long as it does */
    request->node = node;
    if (!request->operator_name)
        request->operator_name = site->operators[0];
    uint8_t random[SL_CORRELATION_LEN / 2];
    if (RAND_bytes(random, sizeof random) != 1)
        return sl_pki_fail("draw random numbers");
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(request->correlation + 2 * i, 3, "%02x", random[i]);
    char answer[SL_TOPIC_MAX], topic[SL_TOPIC_MAX];
    snprintf(answer, sizeof answer, "%s/answer/%.23s", node->base, request->operator_name);

    struct sl_talk *talk = NULL;
    enum sl_exit code = sl_talk_open(site, request->operator_name, false, request->timeout_ms,
                                     receive, request, &talk);
    if (code != SL_EXIT_DONE)
        return code;
    /* The answer's topic last: when the broker confirms it, what it kept of the others is here. */
    snprintf(topic, sizeof topic, "%s/report", node->base);
    code = sl_talk_subscribe(talk, topic);
    if (code == SL_EXIT_DONE) {
        snprintf(topic, sizeof topic, "%s/availability", node->base);
        code = sl_talk_subscribe(talk, topic);
    }
    if (code == SL_EXIT_DONE)
        code = sl_talk_subscribe(talk, answer);
    if (code == SL_EXIT_DONE)
        code = send_request(talk, request, answer);
    sl_talk_close(talk);
    return code == SL_EXIT_DONE ? print_answer(request) : code;
}

static enum sl_exit send_request(struct sl_talk *talk, struct request *request,
                                 const char *answer_topic)
{
    if (request->is_offline)
        return fail_offline(request);

    char topic[SL_TOPIC_MAX];
    snprintf(topic, sizeof topic, "%s/%s", request->node->base, request->topic);
    const struct sl_talk_request with = {
        .response_topic = answer_topic, .correlation = request->correlation, .expiry_s = EXPIRY_S};
    enum sl_talk_fate fate = SL_FATE_TAKEN;
    enum sl_exit code = sl_talk_publish(talk, topic, request->payload, &with, &fate);
    if (code != SL_EXIT_DONE)
        return code;
    if (fate == SL_FATE_FORBIDDEN)
        return sl_cli_fail(SL_ERROR(TOPIC_NO_WRITE), request->operator_name, topic);
    if (fate == SL_FATE_NOBODY)
        return fail_offline(request);
    code = sl_talk_wait(talk, &request->is_done, request->timeout_ms);
    if (code != SL_EXIT_DONE || request->answer_len > 0)
        return code;
    if (request->is_offline)
        return fail_offline(request);
    if (sl_talk_is_stopping())
        return sl_cli_fail(SL_ERROR(NODE_NOT_AWAITED), request->node->name, request->node->name);
    return sl_cli_fail(SL_ERROR(NODE_SILENT), request->node->name, request->timeout_ms / 1000,
                       request->node->name);
}

static void receive(void *context, const struct sl_talk_message *message)
{
    struct request *request = context;
    const char *tail = sl_site_topic_below(request->node, message->topic);
    if (!tail)
        return;
    if (strcmp(tail, "availability") == 0) {
        request->is_offline = message->len == 7 && memcmp(message->payload, "offline", 7) == 0;
        /* Offline after the request: its answer will not come. */
        request->is_done = request->is_done || (request->is_offline && !message->is_retained);
    } else if (strcmp(tail, "report") == 0) {
        cJSON *report = cJSON_ParseWithLength(message->payload, message->len);
        const cJSON *time_part = cJSON_GetObjectItemCaseSensitive(report, "time");
        const cJSON *utc = cJSON_GetObjectItemCaseSensitive(time_part, "utc");
        if (cJSON_IsNumber(utc) && utc->valuedouble > 0 && utc->valuedouble < 1e12)
            request->reported_s = (uint64_t)utc->valuedouble;
        cJSON_Delete(report);
    } else if (strncmp(tail, "answer/", 7) == 0 && !message->is_retained && message->len > 0 &&
               message->len <= ANSWER_MAX && message->correlation_len == SL_CORRELATION_LEN &&
               memcmp(message->correlation, request->correlation, SL_CORRELATION_LEN) == 0) {
        memcpy(request->answer, message->payload, message->len);
        request->answer_len = message->len;
        request->is_done = true;
    }
}

/* {"result":"done|sent|refused|unconfirmed", ...}: docs/spec/topics.md. */
static enum sl_exit print_answer(const struct request *request)
{
    cJSON *answer = cJSON_ParseWithLength(request->answer, request->answer_len);
    const char *result = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "result"));
    const char *why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "why"));
    const char *name = request->node->name;
    char clean[256];
    sl_cli_clean(clean, sizeof clean, why ? why : "no reason given",
                 strlen(why ? why : "no reason given"));

    bool is_positive = result && (strcmp(result, "done") == 0 || strcmp(result, "sent") == 0);
    if (request->wants_json && !is_positive)
        print_json(request, answer, false);
    enum sl_exit code;
    if (result && strcmp(result, "done") == 0)
        code = print_done(request, answer, true);
    else if (result && strcmp(result, "sent") == 0)
        code = print_done(request, answer, false);
    else if (result && strcmp(result, "refused") == 0)
        code = sl_cli_fail(SL_ERROR(NODE_REFUSED), name, clean);
    else if (result && strcmp(result, "unconfirmed") == 0)
        code = sl_cli_fail(SL_ERROR(NODE_UNCONFIRMED), name, clean);
    else
        code = sl_cli_fail(SL_ERROR(NODE_ANSWER_UNKNOWN), name);
    cJSON_Delete(answer);
    return code;
}

/* Believe "done" only when the pins say what was asked for; not is_read: they only repeat it. */
static enum sl_exit print_done(const struct request *request, const cJSON *answer, bool is_read)
{
    const cJSON *pins = cJSON_GetObjectItemCaseSensitive(answer, "pins");
    const cJSON *remaining = cJSON_GetObjectItemCaseSensitive(answer, "remaining_s");
    const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "state"));
    const char *name = request->node->name;
    const char *how = is_read ? "confirmed at the pin" : "sent, not confirmed: no read-back";
    bool ok = cJSON_IsNumber(pins) && pins->valuedouble >= 0 && pins->valuedouble <= 255 &&
              cJSON_IsNumber(remaining) && remaining->valuedouble >= 0 &&
              remaining->valuedouble <= ON_MAX_S && state;
    unsigned asked = request->zone < 0 ? 0xFF : 1u << request->zone;
    unsigned conducting = ok ? (unsigned)pins->valueint & asked : 0;
    bool is_on = ok && strcmp(state, "ON") == 0;
    bool wants_on =
        strcmp(request->topic, "zone/on") == 0 && strcmp(strchr(request->payload, ' '), " 0") != 0;
    bool is_true = ok && is_on == (conducting != 0) && is_on == wants_on;
    if (request->wants_json)
        print_json(request, answer, is_true && is_read);
    if (!is_true)
        return sl_cli_fail(SL_ERROR(NODE_PINS_DIFFER), name, name);

    if (request->wants_json)
        return SL_EXIT_DONE;
    if (!is_on && request->zone < 0)
        printf("%s: every zone off, %s%s\n", name, how, is_read ? "s" : "");
    else if (!is_on)
        printf("%s: zone %d off, %s\n", name, request->zone, how);
    if (!is_on)
        return SL_EXIT_DONE;
    time_t end = time(NULL) + (time_t)remaining->valueint;
    struct tm parts;
    char clock[16] = "?";
    if (localtime_r(&end, &parts))
        strftime(clock, sizeof clock, "%H:%M:%S", &parts);
    printf("%s: zone %d on until %s (%d s), %s\n", name, request->zone, clock, remaining->valueint,
           how);
    return SL_EXIT_DONE;
}

/* What the node said; "confirmed" is our own word: the pins show what was asked for. */
static void print_json(const struct request *request, const cJSON *answer, bool is_confirmed)
{
    static const char *const keys[] = {"result", "zone", "state", "remaining_s", "pins", "why"};
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "node", request->node->name);
    cJSON_AddBoolToObject(json, "confirmed", is_confirmed);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(answer, keys[i]);
        if (value)
            cJSON_AddItemToObject(json, keys[i], cJSON_Duplicate(value, true));
    }
    sl_cli_print_json(json);
}

static enum sl_exit fail_offline(const struct request *request)
{
    const char *name = request->node->name;
    char when[24], cause[48] = "never heard of";
    sl_site_print_time(when, request->reported_s);
    if (request->reported_s != 0)
        snprintf(cause, sizeof cause, "last heard of at %s", when);
    return sl_cli_fail(SL_ERROR(NODE_OFFLINE), name, cause);
}
