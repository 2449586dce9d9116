/* One message at a time, in the order in which a reader needs them. */
#include "node/publish.h"
#include "node/control.h"
#include "node/node.h"
#include "node/topic.h"

_Static_assert(SL_REPORT_LEN + SL_BASE_MAX + sizeof "/report" + SL_CONNECTION_OVERHEAD <=
                   SL_CONNECTION_OUT_LEN - SL_CONNECTION_RESERVE,
               "the longest report can be published");
_Static_assert(SL_ANSWER_LEN + SL_TOPIC_MAX + SL_COMMAND_CORRELATION + SL_CONNECTION_OVERHEAD <=
                   SL_CONNECTION_RESERVE,
               "the longest answer can always be published");

enum outcome { NOTHING, QUEUED, NO_ROOM };

/* Queue one message. What can never be sent is logged and counts as queued: asking again would not
 * help. */
static enum outcome publish(struct sl_node *node, sl_ms now, const struct sl_mqtt_message *message,
                            bool is_urgent)
{
    enum sl_status status = sl_connection_publish(&node->connection, now, *message, is_urgent);
    if (status == SL_FULL)
        return NO_ROOM;
    if (status != SL_OK)
        sl_log_push(&node->log, SL_LOG_PUBLISH_DROPPED, (int32_t)status, 0);
    return QUEUED;
}

static enum outcome publish_below(struct sl_node *node, sl_ms now, const char *tail,
                                  struct sl_view payload, bool retain, bool is_urgent)
{
    uint8_t topic[SL_TOPIC_MAX];
    const struct sl_mqtt_message message = {
        .topic = sl_topic_write(node->config.identity->base, tail, topic),
        .payload = payload,
        .retain = retain,
        .is_text = true,
    };
    return publish(node, now, &message, is_urgent);
}

static enum outcome publish_availability(struct sl_node *node, sl_ms now, bool *is_wanted,
                                         const char *state)
{
    if (!*is_wanted)
        return NOTHING;
    enum outcome outcome =
        publish_below(node, now, "availability", sl_view_text(state), true, false);
    *is_wanted = outcome == NO_ROOM;
    return outcome;
}

static enum outcome publish_state(struct sl_node *node, sl_ms now)
{
    struct sl_outbox *outbox = &node->outbox;
    uint8_t pins = sl_control_pins(node);
    uint8_t changed = (uint8_t)(outbox->unknown | (pins ^ outbox->shown));
    if (changed == 0)
        return NOTHING;
    uint8_t zone = 0;
    while ((changed >> zone & 1) == 0)
        zone++;
    uint8_t bit = (uint8_t)(1u << zone);
    char tail[] = "zone/0/state";
    tail[5] = (char)('0' + zone);
    const char *state = (pins & bit) != 0 ? "ON" : "OFF";
    enum outcome outcome = publish_below(node, now, tail, sl_view_text(state), true, false);
    if (outcome == QUEUED) {
        outbox->unknown &= (uint8_t)~bit;
        outbox->shown = (uint8_t)((outbox->shown & ~bit) | (pins & bit));
        outbox->wants_report = true;
    }
    return outcome;
}

/* The answer first, where one was asked for, then the refusal for everybody to see. */
static enum outcome publish_answer(struct sl_node *node, sl_ms now, bool is_urgent)
{
    struct sl_answer *answer = sl_answers_ready(&node->answers);
    uint8_t text[SL_ANSWER_LEN];
    enum outcome outcome = QUEUED;
    if (answer == NULL)
        return NOTHING;
    if (answer->response_len > 0) {
        uint32_t remaining_s = sl_control_remaining_s(node, now, sl_answer_zones(answer));
        const struct sl_mqtt_message message = {
            .topic = {answer->response, answer->response_len},
            .payload = sl_answer_encode(answer, sl_control_pins(node), sl_control_reads_back(node),
                                        remaining_s, text, sizeof text),
            .is_text = true,
            .correlation = {answer->correlation, answer->correlation_len},
        };
        outcome = publish(node, now, &message, is_urgent);
        if (outcome == QUEUED)
            answer->response_len = 0;
        return outcome;
    }
    if (sl_answer_is_refusal(answer))
        outcome = publish_below(node, now, "refused", sl_refused_encode(answer, text, sizeof text),
                                false, is_urgent);
    if (outcome == QUEUED)
        sl_answers_remove(&node->answers, answer);
    return outcome;
}

static enum outcome publish_request(struct sl_node *node, sl_ms now)
{
    uint8_t bytes[SL_REQUEST_MAX], topic[SL_TOPIC_MAX];
    if (!node->renewal.wants_request)
        return NOTHING;
    const struct sl_mqtt_message message = {
        .topic = sl_topic_write(node->config.identity->base, "cert/request", topic),
        .payload = sl_renewal_request(&node->renewal, bytes),
    };
    enum outcome outcome = publish(node, now, &message, false);
    if (outcome == QUEUED) {
        sl_renewal_requested(&node->renewal, now);
        node->outbox.wants_report = true;
    }
    return outcome;
}

/* One report at a time: whatever asks for more meanwhile gets one fresh report afterwards. */
static enum outcome publish_report(struct sl_node *node, sl_ms now)
{
    struct sl_outbox *outbox = &node->outbox;
    uint8_t text[SL_REPORT_LEN];
    if (!outbox->wants_report)
        return NOTHING;
    if (sl_connection_is_owed(&node->connection))
        return NO_ROOM;
    enum outcome outcome = publish_below(
        node, now, "report", sl_publish_report(node, now, text, sizeof text), true, false);
    if (outcome == QUEUED) {
        outbox->wants_report = false;
        outbox->report_due =
            now + (sl_control_pins(node) != 0 ? SL_REPORT_BUSY_MS : SL_REPORT_IDLE_MS);
    }
    return outcome;
}

void sl_publish_reset(struct sl_node *node, sl_ms now)
{
    node->outbox = (struct sl_outbox){
        .wants_online = true, .wants_report = true, .unknown = 0xFF, .report_due = now};
}

/* In order; what finds no room holds back all that comes after it. States come before answers: who
 * gets an answer finds the state already there. But while the queue of answers is full nothing is
 * taken from the broker, acknowledgements included, and waiting for one would be waiting for
 * ever: then an answer goes first, at QoS 0 if need be. */
bool sl_publish_next(struct sl_node *node, sl_ms now)
{
    struct sl_outbox *outbox = &node->outbox;
    enum outcome outcome = NOTHING;
    if (node->connection.stage != SL_CONNECTION_OPEN)
        return false;
    if (sl_answers_is_full(&node->answers))
        outcome = publish_answer(node, now, true);
    if (outcome != QUEUED)
        outcome = publish_availability(node, now, &outbox->wants_online, "online");
    if (outcome == NOTHING)
        outcome = publish_state(node, now);
    if (outcome == NOTHING)
        outcome = publish_answer(node, now, false);
    if (outcome == NOTHING)
        outcome = publish_request(node, now);
    if (outcome == NOTHING)
        outcome = publish_report(node, now);
    if (outcome == NOTHING)
        outcome = publish_availability(node, now, &outbox->wants_offline, "offline");
    return outcome == QUEUED;
}

void sl_publish_tick(struct sl_node *node, sl_ms now)
{
    if (node->connection.stage == SL_CONNECTION_OPEN &&
        sl_ms_is_reached(now, node->outbox.report_due)) {
        node->outbox.wants_report = true;
        node->outbox.report_due = now + SL_REPORT_BUSY_MS;
    }
}

void sl_publish_deadline(const struct sl_node *node, sl_ms now, bool *has, sl_ms *due)
{
    if (node->connection.stage == SL_CONNECTION_OPEN)
        sl_ms_earliest(now, has, due, node->outbox.report_due);
}

struct sl_view sl_publish_report(const struct sl_node *node, sl_ms now, uint8_t *out,
                                 size_t out_len)
{
    static const char *const handshakes[] = {[SL_HANDSHAKE_FULL] = "full",
                                             [SL_HANDSHAKE_KNOWN] = "known",
                                             [SL_HANDSHAKE_RESUMED] = "resumed"};
    const struct sl_connection *connection = &node->connection;
    struct sl_report report = {
        .version = node->config.version,
        .uptime_s = node->uptime_s,
        .pins = sl_control_pins(node),
        .link_is_up = node->master.is_up,
        .chip = &node->master.status,
        .exchanges = node->master.exchanges,
        .bad_frames = node->master.bad_frames,
        .time_source = node->clock.source,
        .unix_s = sl_clock_utc(&node->clock, now),
        .certificate_end_s = node->config.identity->not_after_s,
        .certificate_issued_s = node->config.identity->issued_s,
        .renewal = node->renewal.stage,
        .renewal_failure = node->renewal.failure,
        .renewal_trouble = node->renewal.trouble,
        .tls = connection->connects == 0 ? "none" : handshakes[connection->handshake],
        .mqtt = connection->connects == 0          ? 0
                : connection->trying == SL_MQTT_V5 ? 5
                                                   : 3,
        .connects = connection->connects,
        .trouble = connection->trouble,
        .mqtt_out_max = connection->out_max,
        .stack_max = node->config.marks ? node->config.marks->stack_max : 0,
        .network_max = node->config.marks ? node->config.marks->network_max : 0,
    };
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        report.remaining_s[zone] = sl_control_remaining_s(node, now, (uint8_t)(1u << zone));
    return sl_report_encode(&report, out, out_len);
}
