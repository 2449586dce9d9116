/* What was heard. */
#include "view/picture.h"
#include "cli/cli.h"
#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A running zone is reported once a minute: a report kept by the broker is not older. */
#define KEPT_MAX_S 60
/* Two counts of the same time may differ so much: whole seconds, and the way of a message. */
#define SAME_S 3

static void take_availability(struct sl_picture *picture, struct sl_heard *heard, const char *text,
                              int64_t utc_s, uint64_t now_ms);
static void take_state(struct sl_picture *picture, struct sl_heard *heard, int zone,
                       const char *text, uint64_t now_ms);
static void take_report(struct sl_picture *picture, struct sl_heard *heard, const cJSON *payload,
                        bool is_kept, uint64_t now_ms, int64_t utc_s);
static void take_refusal(struct sl_picture *picture, const struct sl_heard *heard,
                         const cJSON *payload, uint64_t now_ms);
static void note(struct sl_picture *picture, const struct sl_heard *heard, uint64_t now_ms,
                 enum sl_style style, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

bool sl_picture_init(struct sl_picture *picture, const struct sl_site *site,
                     const struct sl_site_nodes *nodes)
{
    memset(picture, 0, sizeof *picture);
    picture->nodes = calloc(nodes->len + 1, sizeof *picture->nodes);
    if (!picture->nodes)
        return false;
    picture->nodes_len = nodes->len;
    for (size_t i = 0; i < nodes->len; i++)
        picture->nodes[i].node = &nodes->list[i];
    snprintf(picture->broker, sizeof picture->broker, "%s:%u", site->host, site->port);
    return true;
}

void sl_picture_free(struct sl_picture *picture)
{
    free(picture->nodes);
    picture->nodes = NULL;
    picture->nodes_len = 0;
}

/* --- events --------------------------------------------------------------------------------- */

bool sl_picture_take(struct sl_picture *picture, const char *line, uint64_t now_ms, int64_t utc_s)
{
    cJSON *event = cJSON_Parse(line);
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "node"));
    const char *topic = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "topic"));
    const cJSON *payload = cJSON_GetObjectItemCaseSensitive(event, "payload");
    bool is_kept = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(event, "retained"));
    const char *given = cJSON_GetStringValue(payload);
    char text[16];
    sl_cli_clean(text, sizeof text, given ? given : "", given ? strlen(given) : 0);

    struct sl_heard *heard = NULL;
    for (size_t i = 0; name && i < picture->nodes_len && !heard; i++)
        if (strcmp(picture->nodes[i].node->name, name) == 0)
            heard = &picture->nodes[i];
    bool is_event = heard && topic;
    if (is_event && strcmp(topic, "availability") == 0)
        take_availability(picture, heard, text, utc_s, now_ms);
    else if (is_event && strcmp(topic, "report") == 0)
        take_report(picture, heard, payload, is_kept, now_ms, utc_s);
    else if (is_event && strcmp(topic, "refused") == 0)
        take_refusal(picture, heard, payload, now_ms);
    else if (is_event && sl_site_state_zone(topic) >= 0)
        take_state(picture, heard, sl_site_state_zone(topic), text, now_ms);
    cJSON_Delete(event);
    return is_event;
}

static void take_availability(struct sl_picture *picture, struct sl_heard *heard, const char *text,
                              int64_t utc_s, uint64_t now_ms)
{
    if (strcmp(heard->availability, text) == 0)
        return;
    if (heard->availability[0] != '\0') {
        heard->since_s = utc_s;
        note(picture, heard, now_ms, strcmp(text, "online") == 0 ? SL_STYLE_GOOD : SL_STYLE_BAD,
             "%.11s", text[0] ? text : "availability removed");
    }
    snprintf(heard->availability, sizeof heard->availability, "%.11s", text);
}

static void take_state(struct sl_picture *picture, struct sl_heard *heard, int zone,
                       const char *text, uint64_t now_ms)
{
    bool is_on = strcmp(text, "ON") == 0;
    if (!is_on && strcmp(text, "OFF") != 0)
        text = "?";
    if (heard->states[zone][0] != '\0' && strcmp(heard->states[zone], text) != 0)
        note(picture, heard, now_ms, is_on ? SL_STYLE_GOOD : SL_STYLE_PLAIN, "zone %d %.3s", zone,
             text);
    snprintf(heard->states[zone], sizeof heard->states[zone], "%.3s", text);
}

static void take_report(struct sl_picture *picture, struct sl_heard *heard, const cJSON *payload,
                        bool is_kept, uint64_t now_ms, int64_t utc_s)
{
    struct sl_reported report;
    const struct sl_reported *old = &heard->report;
    if (!sl_reported_read(payload, &report)) {
        note(picture, heard, now_ms, SL_STYLE_BAD, "a report that is none");
        return;
    }
    /* What only grows has become less. */
    bool is_anew = (report.uptime_s >= 0 && report.uptime_s < old->uptime_s) ||
                   (report.exchanges >= 0 && report.exchanges < old->exchanges);
    if (old->is_there && is_anew)
        note(picture, heard, now_ms, SL_STYLE_WARN, "the node started anew, version %s",
             report.version);
    else if (old->is_there && report.connects > old->connects)
        note(picture, heard, now_ms, SL_STYLE_WARN, "connected again, TLS %s; before: %s",
             report.tls, report.last_error);
    if (old->is_there && strcmp(report.link, old->link) != 0)
        note(picture, heard, now_ms, strcmp(report.link, "up") == 0 ? SL_STYLE_GOOD : SL_STYLE_BAD,
             "chip link %s", report.link);
    if (old->is_there && strcmp(report.reset, old->reset) != 0)
        note(picture, heard, now_ms, SL_STYLE_WARN, "the chip was reset: %s", report.reset);
    sl_picture_report(heard, &report, is_kept, now_ms, utc_s);
}

void sl_picture_report(struct sl_heard *heard, const struct sl_reported *report, bool is_kept,
                       uint64_t now_ms, int64_t utc_s)
{
    /* How long the broker kept it, where both clocks allow to say so. */
    int64_t age_s = is_kept && report->utc_s > 0 ? utc_s - report->utc_s : 0;
    age_s = age_s < 0 ? 0 : age_s > KEPT_MAX_S ? KEPT_MAX_S : age_s;
    for (int zone = 0; zone < SL_ZONES; zone++) {
        int32_t now_s = report->zones[zone].remaining_s;
        int32_t expected_s = sl_picture_left_s(heard, zone, now_ms) - (int32_t)age_s;
        bool is_same = heard->whole_s[zone] > 0 && now_s <= expected_s + SAME_S &&
                       now_s >= expected_s - SAME_S;
        if (strcmp(report->zones[zone].state, "ON") != 0)
            heard->whole_s[zone] = 0;
        else if (!is_same)
            heard->whole_s[zone] = now_s;
    }
    heard->report = *report;
    heard->is_fresh = !is_kept;
    uint64_t age_ms = (uint64_t)age_s * 1000;
    heard->reported_ms = now_ms > age_ms ? now_ms - age_ms : 0;
}

static void take_refusal(struct sl_picture *picture, const struct sl_heard *heard,
                         const cJSON *payload, uint64_t now_ms)
{
    const char *topic = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(payload, "topic"));
    const char *why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(payload, "why"));
    note(picture, heard, now_ms, SL_STYLE_BAD, "refused %.20s: %.120s", topic ? topic : "?",
         why ? why : "no reason given");
    picture->refusals_ring[picture->refusals++ % SL_PICTURE_REFUSALS] =
        picture->events_ring[(picture->events - 1) % SL_PICTURE_EVENTS];
}

static void note(struct sl_picture *picture, const struct sl_heard *heard, uint64_t now_ms,
                 enum sl_style style, const char *format, ...)
{
    struct sl_picture_event *event = &picture->events_ring[picture->events++ % SL_PICTURE_EVENTS];
    *event = (struct sl_picture_event){
        .at_ms = now_ms, .node = heard ? heard->node->name : "", .style = style};
    char text[sizeof event->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sl_cli_clean(event->text, sizeof event->text, text, strlen(text));
}

/* --- the connection ------------------------------------------------------------------------- */

void sl_picture_connected(struct sl_picture *picture, uint64_t now_ms)
{
    if (picture->trouble[0] != '\0')
        note(picture, NULL, now_ms, SL_STYLE_GOOD, "connected to the broker again");
    picture->is_connected = true;
    picture->trouble[0] = '\0';
}

void sl_picture_lost(struct sl_picture *picture, const char *trouble, uint64_t now_ms,
                     uint64_t again_ms)
{
    if (picture->is_connected || picture->trouble[0] == '\0')
        note(picture, NULL, now_ms, SL_STYLE_BAD, "broker away: %.120s", trouble);
    picture->is_connected = false;
    sl_cli_clean(picture->trouble, sizeof picture->trouble, trouble, strlen(trouble));
    picture->again_ms = again_ms;
}

/* --- time ----------------------------------------------------------------------------------- */

int32_t sl_picture_left_s(const struct sl_heard *heard, int zone, uint64_t now_ms)
{
    uint64_t gone_s = now_ms > heard->reported_ms ? (now_ms - heard->reported_ms) / 1000 : 0;
    int32_t left_s = heard->report.zones[zone].remaining_s;
    return gone_s >= (uint64_t)left_s ? 0 : left_s - (int32_t)gone_s;
}

void sl_picture_write_clock(char out[24], int64_t seconds)
{
    int64_t limited = seconds < 0 ? 0 : seconds > 999999999 ? 999999999 : seconds;
    int hours = (int)(limited / 3600), minutes = (int)(limited / 60 % 60);
    if (hours > 0)
        snprintf(out, 24, "%d:%02d:%02d", hours, minutes, (int)(limited % 60));
    else
        snprintf(out, 24, "%d:%02d", minutes, (int)(limited % 60));
}

void sl_picture_write_ago(char out[24], int64_t seconds)
{
    int64_t limited = seconds < 0 ? 0 : seconds > 999999999 ? 999999999 : seconds;
    if (limited < 120)
        snprintf(out, 24, "%d s", (int)limited);
    else if (limited < 7200)
        snprintf(out, 24, "%d min", (int)(limited / 60));
    else if (limited < 172800)
        snprintf(out, 24, "%d h", (int)(limited / 3600));
    else
        snprintf(out, 24, "%d d", (int)(limited / 86400));
}
