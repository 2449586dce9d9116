/* Requests, grants and reports over one connection. */
#include "commands/renew.h"
#include "talk/reported.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART_MAX 256
#define HEAD_LEN 4

static void hear_report(struct sl_renew *renew, const struct sl_talk_message *message);
static void hear_refusal(struct sl_renew *renew, const struct sl_talk_message *message);
static enum sl_exit send_grant(const struct sl_renew *renew, const struct sl_renewing *renewing,
                               struct sl_talk *talk);

enum sl_exit sl_renew_init(struct sl_renews *renews, const struct sl_site *site,
                           const struct sl_site_nodes *nodes)
{
    *renews = (struct sl_renews){.site = site};
    renews->list = calloc(nodes->len > 0 ? nodes->len : 1, sizeof *renews->list);
    if (!renews->list)
        return sl_cli_fail(SL_ERROR(MEMORY));
    for (size_t i = 0; i < nodes->len; i++)
        if (!nodes->list[i].is_revoked) {
            struct sl_site_node moved = nodes->list[i];
            sl_site_new_address(site, &moved);
            renews->list[renews->len++] =
                (struct sl_renew){.node = &nodes->list[i],
                                  .is_here = true,
                                  .is_moving = strcmp(moved.host, nodes->list[i].host) != 0 ||
                                               moved.port != nodes->list[i].port,
                                  .issued_s = SL_REPORTED_UNKNOWN};
        }
    return SL_EXIT_DONE;
}

void sl_renew_free(struct sl_renews *renews)
{
    free(renews->list);
    renews->list = NULL;
    renews->len = 0;
}

enum sl_exit sl_renew_subscribe(struct sl_renews *renews, struct sl_talk *talk)
{
    static const char *const tails[] = {"refused", "report", "cert/request"};
    enum sl_exit code = SL_EXIT_DONE;
    for (size_t i = 0; i < renews->len; i++)
        for (size_t t = 0;
             renews->list[i].is_here && code == SL_EXIT_DONE && t < sizeof tails / sizeof tails[0];
             t++) {
            char topic[SL_TOPIC_MAX];
            snprintf(topic, sizeof topic, "%s/%s", renews->list[i].node->base, tails[t]);
            code = sl_talk_subscribe(talk, topic);
        }
    return code;
}

void sl_renew_hear(void *context, const struct sl_talk_message *message)
{
    struct sl_renews *renews = context;
    const char *tail = NULL;
    struct sl_renew *renew = NULL;
    for (size_t i = 0; i < renews->len && !tail; i++) {
        renew = &renews->list[i];
        tail = sl_site_topic_below(renew->node, message->topic);
    }
    if (!tail)
        return;
    if (strcmp(tail, "report") == 0) {
        hear_report(renew, message);
    } else if (strcmp(tail, "refused") == 0 && !message->is_retained) {
        hear_refusal(renew, message);
    } else if (strcmp(tail, "cert/request") == 0 && !message->is_retained) {
        /* A byte more than a request has, so that one that is too long is seen to be. */
        renew->request_len =
            message->len < sizeof renew->request ? message->len : sizeof renew->request;
        memcpy(renew->request, message->payload, renew->request_len);
        renew->has_request = renew->request_len > 0;
    }
}

static void hear_report(struct sl_renew *renew, const struct sl_talk_message *message)
{
    cJSON *json = cJSON_ParseWithLength(message->payload, message->len);
    struct sl_reported reported;
    if (sl_reported_read(json, &reported)) {
        renew->has_report = true;
        renew->issued_s = reported.issued_s;
        snprintf(renew->error, sizeof renew->error, "%s", reported.renewal_error);
        if (strcmp(renew->error, "-") == 0)
            renew->error[0] = '\0';
        renew->is_error_old = renew->is_error_old && renew->error[0] != '\0';
    }
    cJSON_Delete(json);
}

static void hear_refusal(struct sl_renew *renew, const struct sl_talk_message *message)
{
    cJSON *json = cJSON_ParseWithLength(message->payload, message->len);
    const char *topic = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "topic"));
    const char *why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "why"));
    if (topic && why && strncmp(topic, "cert/", 5) == 0)
        sl_cli_clean(renew->refusal, sizeof renew->refusal, why, strlen(why));
    cJSON_Delete(json);
}

enum sl_exit sl_renew_answer(struct sl_renews *renews, struct sl_renew *renew, struct sl_talk *talk,
                             bool *is_again)
{
    struct sl_renewing renewing;
    renew->has_request = false;
    *is_again = false;
    enum sl_exit code = sl_renewing_answer(renews->site, renew->node->name,
                                           (struct sl_view){renew->request, renew->request_len},
                                           renews->a_day, renews->may_ask, &renewing);
    if (code == SL_EXIT_DONE)
        code = send_grant(renew, &renewing, talk);
    if (code != SL_EXIT_DONE)
        return code;
    renew->stage = SL_RENEW_ANSWERED;
    renew->answered_ms = sl_cli_now_ms();
    renew->refusal[0] = '\0';
    renew->is_error_old = renew->error[0] != '\0'; /* until a report has none */
    renew->granted_s = renewing.issued_s;
    renew->not_after_s = renewing.not_after_s;
    *is_again = renewing.is_again;
    return SL_EXIT_DONE;
}

static enum sl_exit send_grant(const struct sl_renew *renew, const struct sl_renewing *renewing,
                               struct sl_talk *talk)
{
    char topic[SL_TOPIC_MAX];
    enum sl_exit code = SL_EXIT_DONE;
    snprintf(topic, sizeof topic, "%s/cert/issue", renew->node->base);
    for (size_t at = 0; code == SL_EXIT_DONE && at < renewing->len; at += PART_MAX) {
        uint8_t part[HEAD_LEN + PART_MAX];
        const size_t left = renewing->len - at, len = left < PART_MAX ? left : PART_MAX;
        struct sl_writer writer = sl_writer_init(part, sizeof part);
        sl_write_u16(&writer, (uint16_t)at);
        sl_write_u16(&writer, (uint16_t)renewing->len);
        sl_write_view(&writer, (struct sl_view){renewing->grant + at, len});
        const struct sl_talk_request how = {.payload_len = sl_writer_len(&writer)};
        enum sl_talk_fate fate;
        code = sl_talk_publish(talk, topic, (const char *)part, &how, &fate);
        if (code == SL_EXIT_DONE && fate == SL_FATE_FORBIDDEN)
            code = sl_cli_fail(SL_ERROR(TOPIC_NO_WRITE), "this certificate", topic);
        if (code == SL_EXIT_DONE && fate == SL_FATE_NOBODY)
            code = sl_cli_fail(SL_ERROR(NODE_OFFLINE), renew->node->name, "it has just gone");
    }
    return code;
}

enum sl_exit sl_renew_look(struct sl_renews *renews, struct sl_renew *renew, bool *is_done)
{
    renew->has_report = false;
    *is_done = false;
    if (renew->issued_s <= 0)
        return SL_EXIT_DONE;
    return sl_renewing_confirm(renews->site, renew->node->name, (uint64_t)renew->issued_s, is_done);
}
