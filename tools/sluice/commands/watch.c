/* sluice watch: a line for everything that a node says; on a terminal the live picture. */
#include "commands/watch.h"
#include "talk/talk.h"
#include "view/screen.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CONNECT_MS 10000
#define FOR_MAX_S  1000000 /* as in the table */

enum { JSON, PLAIN, FOR, OPERATOR };
static const struct sl_option options[] = {
    [JSON] = SL_OPTION_JSON("JSON lines: utc, node, topic, retained, payload"),
    [PLAIN] = {.name = "--plain", .help = "lines, also on a terminal"},
    [FOR] = {.name = "--for",
             .kind = SL_OPTION_NUMBER,
             .value = "S",
             .min = 1,
             .max = FOR_MAX_S,
             .otherwise = "until Ctrl-C",
             .help = "end after S seconds"},
    [OPERATOR] = SL_OPTION_OPERATOR("whose read-only certificate (NAME-watch) is used"),
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_watch = {
    .name = "watch",
    .summary = "show what happens, as it happens",
    .arguments =
        (const struct sl_argument[]){SL_ARGUMENT_NODE("only this one", true), {.name = NULL}},
    .options = options,
    .text = "On a terminal: a live picture of every node, its zones running down. It survives the "
            "end of the broker and tries again. Keys: up, down, page up, page down, ? for help, q "
            "to quit.\n\n"
            "In a pipe, with --plain or --json: a line for each message. What the broker kept from "
            "before comes first, marked 'kept'.",
    .manual = "A bar's length is the time that a zone began with, as far as it was seen. Between "
              "two reports the time is counted down here; what is not known at this moment, "
              "because the node or the broker is away, is called 'last known'. The certificate is "
              "yellow below a third of its life and red below 14 days.",
    .examples = (const struct sl_example[]){{"sluice watch", "all nodes, until q or Ctrl-C:"},
                                            {"sluice watch garden --json >> garden.jsonl",
                                             "a journal of one node:"},
                                            {NULL, NULL}},
    .run = run,
};

static void receive(void *context, const struct sl_talk_message *message);
static void print_text(const struct sl_site_node *node, const char *tail,
                       const struct sl_talk_message *message);
static void print_json(const struct sl_site_node *node, const char *tail,
                       const struct sl_talk_message *message);

static enum sl_exit run(struct sl_cli *cli)
{
    struct sl_watching watching = {
        .operator_name = cli->values[OPERATOR].text,
        .for_s = cli->values[FOR].number, /* 0: until a signal */
        .wants_json = cli->values[JSON].is_given,
    };
    bool wants_lines = watching.wants_json || cli->values[PLAIN].is_given;
    enum sl_exit code = sl_site_open(cli->site_root, &watching.site);
    if (code == SL_EXIT_DONE)
        code = sl_site_find_nodes(&watching.site, cli->words[0], &watching.nodes);
    if (code != SL_EXIT_DONE)
        return code;
    if (!wants_lines && sl_screen_is_possible())
        code = sl_watch_show(&watching);
    else
        code = sl_watch_follow(&watching);
    sl_site_free_nodes(&watching.nodes);
    return code;
}

enum sl_exit sl_watch_follow(struct sl_watching *watching)
{
    setvbuf(stdout, NULL, _IOLBF, 0); /* a line is a message, also in a pipe */
    struct sl_talk *talk = NULL;
    enum sl_exit code = sl_talk_open(&watching->site, watching->operator_name, true, CONNECT_MS,
                                     receive, watching, &talk);
    static const char *const topics[] = {"availability", "refused", "report"};
    for (size_t i = 0; i < watching->nodes.len; i++) {
        char topic[SL_TOPIC_MAX];
        const char *base = watching->nodes.list[i].base;
        for (int k = 0; k < 3 && code == SL_EXIT_DONE; k++) {
            snprintf(topic, sizeof topic, "%s/%s", base, topics[k]);
            code = sl_talk_subscribe(talk, topic);
        }
        for (int zone = 0; zone < SL_ZONES && code == SL_EXIT_DONE; zone++) {
            snprintf(topic, sizeof topic, "%s/zone/%d/state", base, zone);
            code = sl_talk_subscribe(talk, topic);
        }
    }
    if (code == SL_EXIT_DONE && watching->announces)
        puts(SL_WATCH_CONNECTED);
    long for_s = watching->for_s ? watching->for_s : FOR_MAX_S;
    while (code == SL_EXIT_DONE && !sl_talk_is_stopping() && !watching->is_unread) {
        code = sl_talk_wait(talk, &watching->is_unread, (unsigned)for_s * 1000u);
        if (watching->for_s)
            break;
    }
    sl_talk_close(talk);
    return sl_talk_is_stopping() ? SL_EXIT_DONE : code; /* asked to end, it ends well */
}

static void receive(void *context, const struct sl_talk_message *message)
{
    struct sl_watching *watching = context;
    for (size_t i = 0; i < watching->nodes.len; i++) {
        const struct sl_site_node *node = &watching->nodes.list[i];
        const char *tail = sl_site_topic_below(node, message->topic);
        if (!tail)
            continue;
        if (watching->wants_json)
            print_json(node, tail, message);
        else
            print_text(node, tail, message);
        watching->is_unread = ferror(stdout) != 0;
        return;
    }
}

static void print_text(const struct sl_site_node *node, const char *tail,
                       const struct sl_talk_message *message)
{
    char payload[512], clock[16] = "";
    struct tm parts;
    time_t now = time(NULL);
    int zone = sl_site_state_zone(tail);

    if (strcmp(tail, "report") == 0)
        return; /* a page of JSON: 'sluice status' reads it */
    if (localtime_r(&now, &parts))
        strftime(clock, sizeof clock, "%H:%M:%S", &parts);
    sl_cli_clean(payload, sizeof payload, message->payload, message->len);
    printf("%s%s%s %s: ", sl_cli_colour(SL_COLOUR_DIM), clock, sl_cli_colour(SL_COLOUR_OFF),
           node->name);
    bool is_bad = strcmp(tail, "refused") == 0 || strcmp(payload, "offline") == 0;
    bool is_good = strcmp(payload, "ON") == 0 || strcmp(payload, "online") == 0;
    const char *colour = is_bad    ? sl_cli_colour(SL_COLOUR_BAD)
                         : is_good ? sl_cli_colour(SL_COLOUR_GOOD)
                                   : "";
    if (zone >= 0)
        printf("zone %d ", zone);
    else if (strcmp(tail, "refused") == 0)
        fputs("refused ", stdout);
    printf("%s%s%s%s\n", colour, payload, *colour ? sl_cli_colour(SL_COLOUR_OFF) : "",
           message->is_retained ? " (kept)" : "");
}

/* The payload as JSON where it is, else as text. */
static void print_json(const struct sl_site_node *node, const char *tail,
                       const struct sl_talk_message *message)
{
    cJSON *line = cJSON_CreateObject();
    char now[24], payload[4096];
    sl_site_print_time(now, (uint64_t)time(NULL));
    cJSON_AddStringToObject(line, "utc", now);
    cJSON_AddStringToObject(line, "node", node->name);
    cJSON_AddStringToObject(line, "topic", tail);
    cJSON_AddBoolToObject(line, "retained", message->is_retained);
    cJSON *json = cJSON_ParseWithLength(message->payload, message->len);
    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        sl_cli_clean(payload, sizeof payload, message->payload, message->len);
        json = cJSON_CreateString(payload);
    }
    cJSON_AddItemToObject(line, "payload", json);
    sl_cli_print_json(line);
}
