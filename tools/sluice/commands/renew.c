/* sluice renew: ask nodes for new keys, answer their requests, and see that they use the answer. */
#include "commands/renew.h"
#include "ca/crl.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#define SLICE_MS 100
#define LEAVE_MS 1000

enum { ALL, SERVE, A_DAY, OPERATOR, TIMEOUT, JSON };
static const struct sl_option options[] = {
    [ALL] = {.name = "--all", .help = "every node that is not revoked"},
    [SERVE] = {.name = "--serve",
               .help = "answer the requests of all nodes, until a signal ends it"},
    [A_DAY] = {.name = "--a-day",
               .kind = SL_OPTION_NUMBER,
               .value = "N",
               .help = "with --serve: certificates for one node in 24 hours, at most",
               .preset = "3",
               .min = 1,
               .max = 100},
    [OPERATOR] = SL_OPTION_OPERATOR("whose certificate is used"),
    [TIMEOUT] = SL_OPTION_TIMEOUT("how long nodes may take", "60"),
    [JSON] = SL_OPTION_JSON("what became of each node as one JSON object"),
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_renew = {
    .name = "renew",
    .summary = "give nodes new keys and certificates, over MQTT",
    .arguments = (const struct sl_argument[]){SL_ARGUMENT_NODE("the node", true), {.name = NULL}},
    .options = options,
    .text =
        "The node makes a new key and sends a request for its certificate; this command checks "
        "that it comes on the node's own topic, for the node's own name and with a key of its own, "
        "signs it with the CA's key, and sends the answer: certificate, trust anchors, and where "
        "the broker is. The node tries it on a new connection and keeps the old one until that "
        "works. The relays are not disturbed.\n\n"
        "A node asks by itself when two thirds of its certificate's life are over, and goes on "
        "asking. With --serve somebody is there to answer: a service that unlocks the CA's key at "
        "its start.",
    .manual =
        "--serve has a certificate of its own for the broker, which allows it to hear requests, "
        "reports and refusals and to answer, and nothing else; it lasts for a day, and "
        "its key is in no file. It waits for a broker that is away. It refuses revoked nodes, and "
        "a node "
        "that wants more than --a-day. An open CA key is not asked for; a locked one is unlocked "
        "by --passphrase-fd, the file in $SLUICE_PASSPHRASE_FILE, the credential ca-passphrase, or "
        "the terminal. deploy/systemd/sluice-renew.service runs it.\n\n"
        "Until the node has said that it uses the new certificate it lies in "
        "nodes/.renewed.NAME, and the earlier one counts; both are in issued.log.",
    .examples =
        (const struct sl_example[]){
            {"sluice renew garden", "one node, now:"},
            {"sluice renew --all", "all of them, after 'sluice broker move' or a new CA:"},
            {"sluice renew --serve", "a service that answers whoever asks:"},
            {NULL, NULL}},
    .run = run,
};

static enum sl_exit renew_once(const struct sl_site *site, const char *name,
                               const struct sl_cli *cli);
typedef enum sl_exit step(struct sl_renews *renews, struct sl_talk *talk, unsigned timeout_ms);
static enum sl_exit renew_all(struct sl_renews *renews, const char *operator_name,
                              unsigned timeout_ms);
static enum sl_exit at_broker(struct sl_renews *renews, const struct sl_site *way,
                              const char *operator_name, unsigned timeout_ms, step *converse);
static step ask_and_follow, await;
static enum sl_exit follow_all(struct sl_renews *renews, struct sl_talk *talk, unsigned timeout_ms,
                               bool may_leave);
static bool has_left(const struct sl_renew *renew);
static enum sl_exit ask(struct sl_renew *renew, struct sl_talk *talk);
static enum sl_exit follow(struct sl_renews *renews, struct sl_renew *renew, struct sl_talk *talk);
static enum sl_exit fail(struct sl_renew *renew, enum sl_exit code);
static void print(const struct sl_renew *renew, const char *words);
static void print_json(const struct sl_renews *renews);

static bool wants_json;

static enum sl_exit run(struct sl_cli *cli)
{
    const char *name = cli->words_len > 0 ? cli->words[0] : NULL;
    bool is_all = cli->values[ALL].is_given, is_serving = cli->values[SERVE].is_given;
    struct sl_site site;
    if (!name && !is_all && !is_serving)
        return sl_cli_fail(SL_ERROR(RENEW_NOBODY));
    wants_json = cli->values[JSON].is_given;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code != SL_EXIT_DONE)
        return code;
    if (is_serving)
        return sl_renew_serve(&site, (unsigned)cli->values[A_DAY].number);
    return renew_once(&site, is_all ? NULL : name, cli);
}

static enum sl_exit renew_once(const struct sl_site *site, const char *name,
                               const struct sl_cli *cli)
{
    const unsigned timeout_ms = (unsigned)cli->values[TIMEOUT].number * 1000;
    struct sl_site_nodes nodes;
    struct sl_renews renews = {.len = 0};
    struct sl_authority authority;
    uint64_t end_s;
    enum sl_exit code = sl_crl_find_nodes(site, name, &nodes, &end_s);
    if (code != SL_EXIT_DONE)
        return code;
    if (name && nodes.list[0].is_revoked)
        code = sl_cli_fail(SL_ERROR(NODE_IS_REVOKED), name, name);
    if (code == SL_EXIT_DONE)
        code = sl_renew_init(&renews, site, &nodes);
    renews.may_ask = true;
    /* The passphrase first: nobody should wait for it with a node in the middle of it. */
    if (code == SL_EXIT_DONE)
        code = sl_authority_open(site, true, &authority);
    if (code == SL_EXIT_DONE) {
        sl_authority_close(&authority);
        code = renew_all(&renews, cli->values[OPERATOR].text, timeout_ms);
        if (wants_json)
            print_json(&renews);
    }
    sl_renew_free(&renews);
    sl_site_free_nodes(&nodes);
    return code;
}

/* By way of the broker that each of them is at: here, or where it was before it moved. */
static enum sl_exit renew_all(struct sl_renews *renews, const char *operator_name,
                              unsigned timeout_ms)
{
    const struct sl_site *site = renews->site;
    enum sl_exit first = SL_EXIT_DONE, code;
    for (size_t i = 0; i < renews->len; i++) {
        const struct sl_renew *next = &renews->list[i];
        struct sl_site way = *site;
        if (next->stage != SL_RENEW_IDLE)
            continue;
        if (next->is_moving) {
            snprintf(way.host, sizeof way.host, "%s", next->node->host);
            way.port = next->node->port;
        }
        for (size_t k = 0; k < renews->len; k++) {
            struct sl_renew *renew = &renews->list[k];
            renew->is_here = renew->is_moving == next->is_moving &&
                             (!next->is_moving || (strcmp(renew->node->host, way.host) == 0 &&
                                                   renew->node->port == way.port));
        }
        code = at_broker(renews, &way, operator_name, timeout_ms, ask_and_follow);
        first = first == SL_EXIT_DONE ? code : first;
        if (next->is_moving && code == SL_EXIT_DONE)
            code = at_broker(renews, site, operator_name, timeout_ms, await);
        first = first == SL_EXIT_DONE ? code : first;
        for (size_t k = i; k < renews->len; k++) /* whom a lost connection has left out */
            if (renews->list[k].is_here && renews->list[k].stage < SL_RENEW_DONE)
                renews->list[k].stage = SL_RENEW_FAILED;
    }
    return first;
}

static enum sl_exit at_broker(struct sl_renews *renews, const struct sl_site *way,
                              const char *operator_name, unsigned timeout_ms, step *converse)
{
    struct sl_talk *talk = NULL;
    enum sl_exit code =
        sl_talk_open(way, operator_name, false, timeout_ms, sl_renew_hear, renews, &talk);
    if (code == SL_EXIT_DONE)
        code = sl_renew_subscribe(renews, talk);
    if (code == SL_EXIT_DONE)
        code = converse(renews, talk, timeout_ms);
    sl_talk_close(talk);
    return code;
}

/* All at once: each node takes its own time. Gives the first failure. */
static enum sl_exit ask_and_follow(struct sl_renews *renews, struct sl_talk *talk,
                                   unsigned timeout_ms)
{
    enum sl_exit first = SL_EXIT_DONE, code;
    for (size_t i = 0; i < renews->len; i++) {
        struct sl_renew *renew = &renews->list[i];
        renew->has_request = false;
        code = renew->is_here ? fail(renew, ask(renew, talk)) : SL_EXIT_DONE;
        first = first == SL_EXIT_DONE ? code : first;
    }
    code = follow_all(renews, talk, timeout_ms, true);
    return first == SL_EXIT_DONE ? code : first;
}

static enum sl_exit await(struct sl_renews *renews, struct sl_talk *talk, unsigned timeout_ms)
{
    return follow_all(renews, talk, timeout_ms, false);
}

/* may_leave: who moves is followed only until it has its answer. */
static enum sl_exit follow_all(struct sl_renews *renews, struct sl_talk *talk, unsigned timeout_ms,
                               bool may_leave)
{
    const uint64_t end = sl_cli_now_ms() + timeout_ms;
    enum sl_exit first = SL_EXIT_DONE, code;
    bool is_open = true;
    while (is_open && sl_cli_now_ms() < end && !sl_talk_is_stopping()) {
        is_open = false;
        code = sl_talk_wait(talk, NULL, SLICE_MS);
        if (code != SL_EXIT_DONE)
            return code;
        for (size_t i = 0; i < renews->len; i++) {
            struct sl_renew *renew = &renews->list[i];
            if (!renew->is_here || renew->stage >= SL_RENEW_DONE)
                continue;
            code = fail(renew, follow(renews, renew, talk));
            first = first == SL_EXIT_DONE ? code : first;
            is_open |= renew->stage < SL_RENEW_DONE && !(may_leave && has_left(renew));
        }
    }
    for (size_t i = 0; i < renews->len; i++) {
        const struct sl_renew *renew = &renews->list[i];
        const char *who = renew->node->name;
        if (!renew->is_here || renew->stage >= SL_RENEW_DONE || (may_leave && has_left(renew)))
            continue;
        if (sl_talk_is_stopping())
            code = sl_cli_fail(SL_ERROR(NODE_NOT_AWAITED), who, who);
        else if (renew->stage == SL_RENEW_ASKED)
            code = sl_cli_fail(SL_ERROR(RENEW_UNHEARD), who, timeout_ms / 1000);
        else
            code = sl_cli_fail(SL_ERROR(RENEW_UNUSED), who, timeout_ms / 1000);
        first = first == SL_EXIT_DONE ? code : first;
    }
    return first;
}

/* It has its answer, and had the time to refuse it. */
static bool has_left(const struct sl_renew *renew)
{
    return renew->is_moving && renew->stage == SL_RENEW_ANSWERED &&
           sl_cli_now_ms() >= renew->answered_ms + LEAVE_MS;
}

static enum sl_exit ask(struct sl_renew *renew, struct sl_talk *talk)
{
    static const struct sl_talk_request how = {.expiry_s = 60};
    char topic[SL_TOPIC_MAX];
    enum sl_talk_fate fate = SL_FATE_TAKEN;
    snprintf(topic, sizeof topic, "%s/cert/renew", renew->node->base);
    renew->stage = SL_RENEW_ASKED;
    enum sl_exit code = sl_talk_publish(talk, topic, "", &how, &fate);
    if (code != SL_EXIT_DONE)
        return code;
    if (fate == SL_FATE_FORBIDDEN)
        return sl_cli_fail(SL_ERROR(TOPIC_NO_WRITE), "this certificate", topic);
    if (fate == SL_FATE_NOBODY)
        return sl_cli_fail(SL_ERROR(NODE_OFFLINE), renew->node->name, "or it cannot renew itself");
    print(renew, "asked to renew itself");
    return SL_EXIT_DONE;
}

static enum sl_exit follow(struct sl_renews *renews, struct sl_renew *renew, struct sl_talk *talk)
{
    enum sl_exit code = SL_EXIT_DONE;
    bool is_again = false, is_done = false;
    char words[96], day[16];
    if (renew->has_request) {
        print(renew, "has made a key, and sent its request");
        code = sl_renew_answer(renews, renew, talk, &is_again);
        if (code != SL_EXIT_DONE)
            return code;
        sl_site_print_date(day, renew->not_after_s);
        snprintf(words, sizeof words, "certificate until %s %s", day,
                 is_again ? "sent again" : "made and sent");
        print(renew, words);
        renew->has_report = false;
    }
    if (renew->refusal[0] != '\0')
        return sl_cli_fail(SL_ERROR(NODE_REFUSED), renew->node->name, renew->refusal);
    if (!renew->has_report || renew->stage != SL_RENEW_ANSWERED)
        return SL_EXIT_DONE;
    if (renew->error[0] != '\0' && !renew->is_error_old)
        return sl_cli_fail(SL_ERROR(RENEW_FAILED), renew->node->name, renew->error);
    code = sl_renew_look(renews, renew, &is_done);
    if (code == SL_EXIT_DONE && renew->granted_s == (uint64_t)renew->issued_s) {
        renew->stage = SL_RENEW_DONE;
        print(renew, "connected with its new key; the old one is forgotten");
    }
    return code;
}

static enum sl_exit fail(struct sl_renew *renew, enum sl_exit code)
{
    if (code != SL_EXIT_DONE)
        renew->stage = SL_RENEW_FAILED;
    return code;
}

static void print(const struct sl_renew *renew, const char *words)
{
    if (wants_json)
        return;
    printf("%s: %s\n", renew->node->name, words);
    fflush(stdout);
}

static void print_json(const struct sl_renews *renews)
{
    static const char *const stages[] = {[SL_RENEW_IDLE] = "idle",
                                         [SL_RENEW_ASKED] = "asked",
                                         [SL_RENEW_ANSWERED] = "answered",
                                         [SL_RENEW_DONE] = "renewed",
                                         [SL_RENEW_FAILED] = "failed"};
    cJSON *json = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(json, "nodes");
    for (size_t i = 0; i < renews->len; i++) {
        const struct sl_renew *renew = &renews->list[i];
        cJSON *entry = cJSON_CreateObject();
        char day[16];
        sl_site_print_date(day, renew->stage == SL_RENEW_DONE ? renew->not_after_s
                                                              : renew->node->not_after_s);
        cJSON_AddStringToObject(entry, "name", renew->node->name);
        cJSON_AddStringToObject(entry, "result", stages[renew->stage]);
        cJSON_AddStringToObject(entry, "last_day", day);
        cJSON_AddItemToArray(list, entry);
    }
    sl_cli_print_json(json);
}
