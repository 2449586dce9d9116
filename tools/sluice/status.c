/* sluice status: what the nodes report, asked for afresh. */
#include "talk.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JSON, TIMEOUT, OPERATOR };
static const struct sl_option options[] = {
    [JSON] = SL_OPTION_JSON("one JSON object"),
    [TIMEOUT] = SL_OPTION_TIMEOUT("how long to wait for fresh reports", "5"),
    [OPERATOR] = SL_OPTION_OPERATOR("who asks for it"),
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_command sl_command_status = {
    .name = "status",
    .summary = "show what the nodes report",
    .arguments =
        (const struct sl_argument[]){SL_ARGUMENT_NODE("only this one", true), {.name = NULL}},
    .options = options,
    .text = "Exit code 3 when a node is offline or did not report.",
    .manual = "Every node is asked for a fresh report. The JSON object holds for each node its "
              "availability, whether the report is fresh, the states of its zones, and the report "
              "as the node sent it.",
    .examples = (const struct sl_example[]){{"sluice status", "all nodes:"},
                                            {"sluice status garden --json | "
                                             "jq '.nodes[0].report.zones'",
                                             "the zones of one node, for a script:"},
                                            {NULL, NULL}},
    .run = run,
};

struct node_status {
    const struct sl_site_node *node;
    char availability[8];     /* "online", "offline", "" */
    char states[SL_ZONES][4]; /* "ON", "OFF", "" */
    cJSON *report;
    bool is_fresh;
};

struct statuses {
    struct node_status *list;
    size_t len;
    bool is_done; /* nothing more to wait for */
};

static enum sl_exit ask(const struct sl_site *site, const char *operator_name, unsigned timeout_ms,
                        struct statuses *all);
static enum sl_exit subscribe(struct sl_talk *talk, const struct sl_site_node *node);
static void receive(void *context, const struct sl_talk_message *message);
static void check_done(struct statuses *all);
static void print_table(const struct statuses *all);
static void print_node(const struct node_status *status);
static void print_json(const struct statuses *all);

static enum sl_exit run(struct sl_cli *cli)
{
    struct sl_site site;
    struct sl_site_nodes nodes;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code == SL_EXIT_DONE)
        code = sl_site_find_nodes(&site, cli->words[0], &nodes);
    if (code != SL_EXIT_DONE)
        return code;

    struct statuses all = {calloc(nodes.len + 1, sizeof *all.list), nodes.len, nodes.len == 0};
    if (!all.list) {
        sl_site_free_nodes(&nodes);
        return sl_cli_fail(SL_ERROR(MEMORY));
    }
    for (size_t i = 0; i < nodes.len; i++)
        all.list[i].node = &nodes.list[i];
    code =
        ask(&site, cli->values[OPERATOR].text, (unsigned)cli->values[TIMEOUT].number * 1000, &all);
    if (code == SL_EXIT_DONE) {
        cli->values[JSON].is_given ? print_json(&all) : print_table(&all);
        for (size_t i = 0; i < all.len; i++)
            if (!all.list[i].is_fresh)
                code = SL_EXIT_NO_ANSWER;
    }
    for (size_t i = 0; i < all.len; i++)
        cJSON_Delete(all.list[i].report);
    free(all.list);
    sl_site_free_nodes(&nodes);
    return code;
}

static enum sl_exit ask(const struct sl_site *site, const char *operator_name, unsigned timeout_ms,
                        struct statuses *all)
{
    struct sl_talk *talk = NULL;
    enum sl_exit code = sl_talk_open(site, operator_name, false, timeout_ms, receive, all, &talk);
    if (code != SL_EXIT_DONE)
        return code;
    for (size_t i = 0; i < all->len && code == SL_EXIT_DONE; i++)
        code = subscribe(talk, all->list[i].node);
    for (size_t i = 0; i < all->len && code == SL_EXIT_DONE; i++) {
        char topic[SL_TOPIC_MAX];
        const struct sl_talk_request request = {.expiry_s = 5};
        enum sl_talk_fate fate = SL_FATE_TAKEN;
        snprintf(topic, sizeof topic, "%s/zone/status", all->list[i].node->base);
        code = sl_talk_publish(talk, topic, "", &request, &fate);
        if (code == SL_EXIT_DONE && fate == SL_FATE_FORBIDDEN)
            code = sl_cli_fail(SL_ERROR(TOPIC_NO_WRITE),
                               operator_name ? operator_name : site->operators[0], topic);
        if (fate == SL_FATE_NOBODY)
            sl_cli_copy(all->list[i].availability, sizeof all->list[i].availability, "offline");
    }
    check_done(all);
    if (code == SL_EXIT_DONE)
        code = sl_talk_wait(talk, &all->is_done, timeout_ms);
    sl_talk_close(talk);
    return code;
}

static enum sl_exit subscribe(struct sl_talk *talk, const struct sl_site_node *node)
{
    char topic[SL_TOPIC_MAX];
    enum sl_exit code = SL_EXIT_DONE;
    for (int zone = 0; zone < SL_ZONES && code == SL_EXIT_DONE; zone++) {
        snprintf(topic, sizeof topic, "%s/zone/%d/state", node->base, zone);
        code = sl_talk_subscribe(talk, topic);
    }
    static const char *const others[] = {"availability", "report"};
    for (int i = 0; i < 2 && code == SL_EXIT_DONE; i++) {
        snprintf(topic, sizeof topic, "%s/%s", node->base, others[i]);
        code = sl_talk_subscribe(talk, topic);
    }
    return code;
}

static void receive(void *context, const struct sl_talk_message *message)
{
    struct statuses *all = context;
    for (size_t i = 0; i < all->len; i++) {
        struct node_status *status = &all->list[i];
        const char *tail = sl_site_topic_below(status->node, message->topic);
        if (!tail)
            continue;
        int zone = sl_site_state_zone(tail);
        if (strcmp(tail, "availability") == 0) {
            sl_cli_clean(status->availability, sizeof status->availability, message->payload,
                         message->len);
        } else if (strcmp(tail, "report") == 0) {
            cJSON *report = cJSON_ParseWithLength(message->payload, message->len);
            if (!cJSON_IsObject(report)) {
                cJSON_Delete(report);
                continue;
            }
            cJSON_Delete(status->report);
            status->report = report;
            status->is_fresh = !message->is_retained;
        } else if (zone >= 0) {
            sl_cli_clean(status->states[zone], sizeof status->states[zone], message->payload,
                         message->len);
        }
    }
    check_done(all);
}

static void check_done(struct statuses *all)
{
    all->is_done = true;
    for (size_t i = 0; i < all->len; i++)
        if (!all->list[i].is_fresh && strcmp(all->list[i].availability, "offline") != 0)
            all->is_done = false;
}

static const char *text_at(const cJSON *object, const char *part, const char *key)
{
    static char clean[4][32];
    static unsigned next;
    const cJSON *inner = cJSON_GetObjectItemCaseSensitive(object, part);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(inner, key));
    char *out = clean[next++ % 4];
    sl_cli_clean(out, sizeof clean[0], text ? text : "-", text ? strlen(text) : 1);
    return out;
}

static void print_table(const struct statuses *all)
{
    if (all->len == 0) {
        puts("no node yet: sluice node add NAME");
        return;
    }
    printf("%s%-23s  %-9s  %-5s  %-8s  %-11s  %s%s\n", sl_cli_colour(SL_COLOUR_BOLD), "NODE", "IS",
           "CHIP", "CLOCK", "CERTIFICATE", "ZONES", sl_cli_colour(SL_COLOUR_OFF));
    for (size_t i = 0; i < all->len; i++)
        print_node(&all->list[i]);
}

static void print_node(const struct node_status *status)
{
    bool is_online = status->is_fresh;
    const char *is = is_online                                     ? "online"
                     : strcmp(status->availability, "online") == 0 ? "no answer"
                     : status->availability[0]                     ? status->availability
                                                                   : "unknown";
    const cJSON *now = is_online ? status->report : NULL; /* an old report does not know */
    printf("%-23s  %s%-9s%s  %-5s  %-8s  %-11s  ", status->node->name,
           sl_cli_colour(is_online ? SL_COLOUR_GOOD : SL_COLOUR_BAD), is,
           sl_cli_colour(SL_COLOUR_OFF), text_at(now, "chip", "link"),
           text_at(now, "time", "source"), text_at(status->report, "certificate", "last_day"));
    int shown = 0;
    const cJSON *zones = cJSON_GetObjectItemCaseSensitive(status->report, "zones"), *entry = NULL;
    cJSON_ArrayForEach(entry, zones)
    {
        const cJSON *zone = cJSON_GetObjectItemCaseSensitive(entry, "zone");
        const cJSON *left = cJSON_GetObjectItemCaseSensitive(entry, "remaining_s");
        const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "state"));
        if (!cJSON_IsNumber(zone) || !cJSON_IsNumber(left) || !state || strcmp(state, "ON") != 0)
            continue;
        /* An old report says what was, not what is. */
        printf("%s%s%d ON, %d:%02d left%s", shown++ ? "; " : "",
               is_online ? "" : sl_cli_colour(SL_COLOUR_DIM), zone->valueint, left->valueint / 60,
               left->valueint % 60, is_online ? "" : " (old)");
    }
    printf("%s%s\n",
           shown                ? ""
           : zones && is_online ? "all off"
                                : "-",
           sl_cli_colour(SL_COLOUR_OFF));
}

static void print_json(const struct statuses *all)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(json, "nodes");
    for (size_t i = 0; i < all->len; i++) {
        const struct node_status *status = &all->list[i];
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddStringToObject(entry, "name", status->node->name);
        cJSON_AddStringToObject(entry, "availability",
                                status->availability[0] ? status->availability : "unknown");
        cJSON_AddBoolToObject(entry, "fresh", status->is_fresh);
        cJSON *states = cJSON_AddArrayToObject(entry, "states");
        for (int zone = 0; zone < SL_ZONES; zone++)
            cJSON_AddItemToArray(states, cJSON_CreateString(status->states[zone]));
        cJSON_AddItemToObject(entry, "report",
                              status->report ? cJSON_Duplicate(status->report, true)
                                             : cJSON_CreateNull());
        cJSON_AddItemToArray(list, entry);
    }
    sl_cli_print_json(json);
}
