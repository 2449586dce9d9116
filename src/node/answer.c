/* Commands under way and their answers. */
#include "node/answer.h"
#include "node/text.h"

bool sl_answers_is_full(const struct sl_answers *answers)
{
    return answers->len == SL_ANSWERS_MAX;
}

void sl_answers_add(struct sl_answers *answers, sl_ms now, const struct sl_command *command,
                    const struct sl_mqtt_message *message, uint8_t waiting)
{
    if (sl_answers_is_full(answers))
        return;
    struct sl_answer *answer = &answers->list[answers->len++];
    *answer = (struct sl_answer){
        .topic = command->topic,
        .zone = command->zone,
        .waiting = waiting,
        .result = command->refusal == SL_REFUSAL_NONE ? SL_RESULT_DONE : SL_RESULT_REFUSED,
        .refusal = command->refusal,
        .number = command->number,
        .due = now + SL_ANSWER_WAIT_MS,
    };
    if (command->refusal == SL_REFUSAL_TOPIC || command->refusal == SL_REFUSAL_RESPONSE ||
        command->refusal == SL_REFUSAL_CORRELATION)
        return;
    struct sl_view response = message->response_topic, correlation = message->correlation;
    if (response.len == 0 || response.len > sizeof answer->response ||
        correlation.len > sizeof answer->correlation)
        return;
    memcpy(answer->response, response.data, response.len);
    answer->response_len = (uint8_t)response.len;
    if (correlation.len > 0)
        memcpy(answer->correlation, correlation.data, correlation.len);
    answer->correlation_len = (uint8_t)correlation.len;
}

static void fail(struct sl_answer *answer, enum sl_refusal refusal)
{
    answer->waiting = 0;
    answer->result = SL_RESULT_UNCONFIRMED;
    answer->refusal = refusal;
}

void sl_answers_confirm(struct sl_answers *answers, uint8_t zones)
{
    for (uint8_t i = 0; i < answers->len; i++)
        answers->list[i].waiting &= (uint8_t)~zones;
}

void sl_answers_fail(struct sl_answers *answers, uint8_t zones, enum sl_refusal refusal)
{
    for (uint8_t i = 0; i < answers->len; i++)
        if ((answers->list[i].waiting & zones) != 0)
            fail(&answers->list[i], refusal);
}

void sl_answers_overtake(struct sl_answers *answers, uint8_t zones)
{
    for (uint8_t i = 0; i < answers->len; i++) {
        struct sl_answer *answer = &answers->list[i];
        if (answer->waiting != 0 && (sl_answer_zones(answer) & zones) != 0)
            fail(answer, SL_REFUSAL_OVERTAKEN);
    }
}

void sl_answers_tick(struct sl_answers *answers, sl_ms now)
{
    for (uint8_t i = 0; i < answers->len; i++)
        if (answers->list[i].waiting != 0 && sl_ms_is_reached(now, answers->list[i].due))
            fail(&answers->list[i], SL_REFUSAL_NOT_READ_BACK);
}

void sl_answers_deadline(const struct sl_answers *answers, sl_ms now, bool *has, sl_ms *due)
{
    for (uint8_t i = 0; i < answers->len; i++)
        if (answers->list[i].waiting != 0)
            sl_ms_earliest(now, has, due, answers->list[i].due);
}

struct sl_answer *sl_answers_ready(struct sl_answers *answers)
{
    for (uint8_t i = 0; i < answers->len; i++)
        if (answers->list[i].waiting == 0)
            return &answers->list[i];
    return NULL;
}

bool sl_answer_is_refusal(const struct sl_answer *answer)
{
    return answer->result != SL_RESULT_DONE;
}

void sl_answers_remove(struct sl_answers *answers, struct sl_answer *answer)
{
    size_t after = (size_t)(answers->list + answers->len - (answer + 1));
    memmove(answer, answer + 1, after * sizeof *answer);
    answers->len--;
}

uint8_t sl_answer_zones(const struct sl_answer *answer)
{
    return (uint8_t)(answer->zone < SL_ZONES ? 1u << answer->zone : 0xFFu);
}

static void add_why(struct sl_writer *writer, const struct sl_answer *answer)
{
    sl_text_add(writer, "\"why\":\"");
    sl_refusal_write(writer, answer->refusal, answer->number);
    sl_text_add(writer, "\"}");
}

static struct sl_view finished(const struct sl_writer *writer)
{
    return (struct sl_view){writer->start, writer->failed ? 0 : sl_writer_len(writer)};
}

struct sl_view sl_answer_encode(const struct sl_answer *answer, uint8_t pins, bool is_read,
                                uint32_t remaining_s, uint8_t *out, size_t out_len)
{
    static const char *const results[] = {"done", "refused", "unconfirmed"};
    const bool is_cert = answer->topic == SL_TOPIC_RENEW || answer->topic == SL_TOPIC_ISSUE;
    struct sl_writer writer = sl_writer_init(out, out_len);
    sl_text_add(&writer, "{\"result\":\"");
    sl_text_add(&writer, answer->result == SL_RESULT_DONE && !is_read && !is_cert
                             ? "sent"
                             : results[answer->result]);
    sl_text_add(&writer, "\",");
    if (answer->result != SL_RESULT_DONE) {
        add_why(&writer, answer);
        return finished(&writer);
    }
    if (is_cert) {
        sl_text_add(&writer, "\"certificate\":\"");
        sl_text_add(&writer, answer->topic == SL_TOPIC_RENEW ? "asked for" : "taken");
        sl_text_add(&writer, "\"}");
        return finished(&writer);
    }
    sl_text_add(&writer, "\"zone\":");
    if (answer->zone < SL_ZONES)
        sl_text_add_number(&writer, answer->zone);
    else
        sl_text_add(&writer, "\"all\"");
    sl_text_add(&writer, ",\"state\":\"");
    sl_text_add(&writer, (pins & sl_answer_zones(answer)) != 0 ? "ON" : "OFF");
    sl_text_add(&writer, "\",\"remaining_s\":");
    sl_text_add_number(&writer, remaining_s);
    sl_text_add(&writer, ",\"pins\":");
    sl_text_add_number(&writer, pins);
    sl_text_add(&writer, "}");
    return finished(&writer);
}

struct sl_view sl_refused_encode(const struct sl_answer *answer, uint8_t *out, size_t out_len)
{
    static const char *const topics[] = {"zone/on",    "zone/off",   "zone/status", "zone/",
                                         "cert/renew", "cert/issue", "other"};
    struct sl_writer writer = sl_writer_init(out, out_len);
    sl_text_add(&writer, "{\"topic\":\"");
    sl_text_add(&writer, topics[answer->topic]);
    if (answer->topic == SL_TOPIC_SET) {
        if (answer->zone < SL_ZONES)
            sl_text_add_number(&writer, answer->zone);
        else
            sl_text_add(&writer, "+");
        sl_text_add(&writer, "/set");
    }
    sl_text_add(&writer, "\",");
    add_why(&writer, answer);
    return finished(&writer);
}
