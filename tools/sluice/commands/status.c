/* sluice status: what the nodes report, asked for afresh; a table, or a page about one. */
#include "ca/crl.h"
#include "site/ends.h"
#include "talk/talk.h"
#include "view/picture.h"
#include "view/screen.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { JSON, TIMEOUT, OPERATOR };
static const struct sl_option options[] = {
    [JSON] = SL_OPTION_JSON("one JSON object"),
    [TIMEOUT] = SL_OPTION_TIMEOUT("how long to wait for fresh reports", "5"),
    [OPERATOR] = SL_OPTION_OPERATOR("who asks for it"),
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_status = {
    .name = "status",
    .summary = "show what the nodes report",
    .arguments =
        (const struct sl_argument[]){SL_ARGUMENT_NODE("all about this one", true), {.name = NULL}},
    .options = options,
    .text =
        "All nodes as a table, or a page about one: its zones as read back at the pins, chip "
        "link, connection, time, certificate, memory. Exit code 3 when a node is offline or did "
        "not report.",
    .manual = "Every node is asked for a fresh report. The JSON object holds for each node its "
              "availability, whether the report is fresh, the states of its zones, and the report "
              "as the node sent it; and 'ends', when the authority, the broker's certificate, the "
              "revocation list and every certificate end, each fine, soon, urgent or over. What is "
              "not fine is told of on standard error.",
    .examples = (const struct sl_example[]){{"sluice status", "all nodes:"},
                                            {"sluice status garden", "all about one:"},
                                            {"sluice status garden --json | "
                                             "jq '.nodes[0].report.zones'",
                                             "the zones of one node, for a script:"},
                                            {NULL, NULL}},
    .run = run,
};

struct node_status {
    struct sl_heard heard;
    cJSON *report; /* as the node sent it */
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
static void print_row(const struct node_status *status, int name_len);
static void print_zones(const struct sl_heard *heard);
static void print_page(const struct node_status *status);
static struct sl_heard as_shown(const struct node_status *status);
static void print_json(const struct statuses *all, const struct sl_ends *ends);

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
        all.list[i].heard.node = &nodes.list[i];
    /* A damaged list is told of; what the nodes say does not depend on it. */
    uint64_t list_end_s;
    if (sl_crl_mark(&site, &nodes, &list_end_s) != SL_EXIT_DONE)
        sl_cli_note("which nodes are revoked is not known");
    struct sl_ends ends = {NULL, 0};
    code = sl_ends_read(&site, &nodes, &ends);
    if (code == SL_EXIT_DONE)
        sl_ends_warn(&ends);
    if (code == SL_EXIT_DONE)
        code = ask(&site, cli->values[OPERATOR].text, (unsigned)cli->values[TIMEOUT].number * 1000,
                   &all);
    if (code == SL_EXIT_DONE) {
        if (cli->values[JSON].is_given)
            print_json(&all, &ends);
        else if (cli->words[0])
            print_page(&all.list[0]);
        else
            print_table(&all);
        for (size_t i = 0; i < all.len; i++)
            if (!all.list[i].heard.is_fresh && !nodes.list[i].is_revoked)
                code = SL_EXIT_NO_ANSWER;
    }
    for (size_t i = 0; i < all.len; i++)
        cJSON_Delete(all.list[i].report);
    free(all.list);
    sl_ends_free(&ends);
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
        code = subscribe(talk, all->list[i].heard.node);
    for (size_t i = 0; i < all->len && code == SL_EXIT_DONE; i++) {
        char topic[SL_TOPIC_MAX];
        const struct sl_talk_request request = {.expiry_s = 5};
        enum sl_talk_fate fate = SL_FATE_TAKEN;
        snprintf(topic, sizeof topic, "%s/zone/status", all->list[i].heard.node->base);
        code = sl_talk_publish(talk, topic, "", &request, &fate);
        if (code == SL_EXIT_DONE && fate == SL_FATE_FORBIDDEN)
            code = sl_cli_fail(SL_ERROR(TOPIC_NO_WRITE),
                               operator_name ? operator_name : site->operators[0], topic);
        if (fate == SL_FATE_NOBODY)
            sl_cli_copy(all->list[i].heard.availability, sizeof all->list[i].heard.availability,
                        "offline");
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
        struct sl_heard *heard = &status->heard;
        const char *tail = sl_site_topic_below(heard->node, message->topic);
        if (!tail)
            continue;
        int zone = sl_site_state_zone(tail);
        if (strcmp(tail, "availability") == 0) {
            sl_cli_clean(heard->availability, sizeof heard->availability, message->payload,
                         message->len);
        } else if (strcmp(tail, "report") == 0) {
            cJSON *json = cJSON_ParseWithLength(message->payload, message->len);
            struct sl_reported report;
            if (!sl_reported_read(json, &report)) {
                cJSON_Delete(json);
                continue;
            }
            cJSON_Delete(status->report);
            status->report = json;
            sl_picture_report(heard, &report, message->is_retained, sl_cli_now_ms(),
                              (int64_t)time(NULL));
        } else if (zone >= 0) {
            sl_cli_clean(heard->states[zone], sizeof heard->states[zone], message->payload,
                         message->len);
        }
    }
    check_done(all);
}

static void check_done(struct statuses *all)
{
    all->is_done = true;
    for (size_t i = 0; i < all->len; i++)
        if (!all->list[i].heard.is_fresh && !all->list[i].heard.node->is_revoked &&
            strcmp(all->list[i].heard.availability, "offline") != 0)
            all->is_done = false;
}

/* --- what is printed ------------------------------------------------------------------------ */

/* A fresh report is the best proof that a node is online, and the lack of it that it is not. */
static struct sl_heard as_shown(const struct node_status *status)
{
    struct sl_heard heard = status->heard;
    const char *is = heard.node->is_revoked                      ? "revoked"
                     : heard.is_fresh                            ? "online"
                     : strcmp(heard.availability, "online") == 0 ? "no answer"
                     : heard.availability[0]                     ? heard.availability
                                                                 : "unknown";
    char text[sizeof heard.availability];
    snprintf(text, sizeof text, "%s", is);
    memcpy(heard.availability, text, sizeof text);
    return heard;
}

static void print_table(const struct statuses *all)
{
    if (all->len == 0) {
        puts("no node yet: sluice node add NAME");
        return;
    }
    int name_len = 6;
    for (size_t i = 0; i < all->len; i++) {
        int len = (int)strlen(all->list[i].heard.node->name);
        name_len = len > name_len ? len : name_len;
    }
    printf("%s%-*s  %-9s  %-7s  %-5s  %-8s  %-11s  %s%s\n", sl_cli_colour(SL_COLOUR_BOLD), name_len,
           "NODE", "IS", "UP", "CHIP", "CLOCK", "CERTIFICATE", "ZONES",
           sl_cli_colour(SL_COLOUR_OFF));
    for (size_t i = 0; i < all->len; i++)
        print_row(&all->list[i], name_len);
}

static void print_row(const struct node_status *status, int name_len)
{
    const struct sl_heard heard = as_shown(status);
    const struct sl_reported *report = &heard.report;
    char up[24] = "-", day[16];
    const char *link = "-", *source = "-"; /* an old report does not know */
    if (heard.is_fresh) {
        if (report->uptime_s >= 0)
            sl_picture_write_ago(up, report->uptime_s);
        link = report->link;
        source = report->time_source;
    }
    int64_t end_s = sl_picture_last_day_s(&heard);
    sl_site_print_date(day, (uint64_t)end_s);
    enum sl_style style = sl_picture_certificate_style(&heard, (int64_t)time(NULL));
    printf("%-*s  %s%-9s%s  %-7s  %-5s  %-8s  %s%-11s%s  ", name_len, heard.node->name,
           sl_cli_colour(heard.is_fresh ? SL_COLOUR_GOOD : SL_COLOUR_BAD), heard.availability,
           sl_cli_colour(SL_COLOUR_OFF), up, link, source,
           style == SL_STYLE_GOOD ? "" : sl_screen_style(style), day,
           style == SL_STYLE_GOOD ? "" : sl_cli_colour(SL_COLOUR_OFF));
    print_zones(&heard);
}

/* An old report says what was, not what is. */
static void print_zones(const struct sl_heard *heard)
{
    int shown = 0, told = 0;
    for (int zone = 0; zone < SL_ZONES; zone++) {
        char left[24];
        const char *state = heard->report.zones[zone].state;
        told += state[0] != '\0';
        if (strcmp(state, "ON") != 0)
            continue;
        sl_picture_write_clock(left, heard->report.zones[zone].remaining_s);
        printf("%s%s%d ON, %s left%s", shown++ ? "; " : "",
               heard->is_fresh ? "" : sl_cli_colour(SL_COLOUR_DIM), zone, left,
               heard->is_fresh ? "" : " (old)");
    }
    const char *nothing = told && heard->is_fresh ? "all off" : "-";
    printf("%s%s\n", shown ? "" : nothing, sl_cli_colour(SL_COLOUR_OFF));
}

static void print_page(const struct node_status *status)
{
    static struct sl_grid grid;
    const struct sl_heard heard = as_shown(status);
    sl_screen_size(&grid.width, &grid.height);
    grid.height = SL_GRID_HEIGHT_MAX;
    int rows = sl_picture_draw_node(&heard, &grid, sl_cli_now_ms(), (int64_t)time(NULL));
    sl_screen_print(&grid, rows);
}

static void print_json(const struct statuses *all, const struct sl_ends *ends)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(json, "nodes");
    for (size_t i = 0; i < all->len; i++) {
        const struct node_status *status = &all->list[i];
        const struct sl_heard *heard = &status->heard;
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddStringToObject(entry, "name", heard->node->name);
        cJSON_AddStringToObject(entry, "availability",
                                heard->availability[0] ? heard->availability : "unknown");
        cJSON_AddBoolToObject(entry, "fresh", heard->is_fresh);
        cJSON_AddBoolToObject(entry, "revoked", heard->node->is_revoked);
        cJSON *states = cJSON_AddArrayToObject(entry, "states");
        for (int zone = 0; zone < SL_ZONES; zone++)
            cJSON_AddItemToArray(states, cJSON_CreateString(heard->states[zone]));
        cJSON_AddItemToObject(entry, "report",
                              status->report ? cJSON_Duplicate(status->report, true)
                                             : cJSON_CreateNull());
        cJSON_AddItemToArray(list, entry);
    }
    cJSON_AddItemToObject(json, "ends", sl_ends_describe(ends));
    sl_cli_print_json(json);
}
