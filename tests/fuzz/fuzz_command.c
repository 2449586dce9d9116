/* From a message to what the node does and says: topic, payload and envelope to a command, and the
 * texts that are written about it: answer, refusal, report, log line.
 *
 * Contract: a command names a zone that exists, or all; what is retained, repeated, expired or cut
 * switches nothing; the canonical words of a command mean the same command. Every text is printable
 * ASCII and JSON for an independent parser (cJSON) whatever the bytes were, and is whole or empty
 * in a buffer of any size. */
#include "fuzz.h"
#include "node/answer.h"
#include "node/command.h"
#include "node/log_text.h"
#include "node/report.h"
#include "node/text.h"
#include <cjson/cJSON.h>

#define BASE "irrigation/garden"

static void check_command(struct sl_reader input);
static void check_text(struct sl_reader input);
static void check_report(struct sl_reader input);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct sl_reader input = sl_reader_init((struct sl_view){data, len});
    switch (fuzz_u8(&input) & 3) {
    case 0:
    case 1:
        check_command(input);
        break;
    case 2:
        check_text(input);
        break;
    default:
        check_report(input);
    }
    return 0;
}

/* Printable, parsed to its end, and an object. The caller deletes it. */
static cJSON *parse(struct sl_view text)
{
    FUZZ_CHECK(text.len > 0);
    char *copy = malloc(text.len + 1);
    FUZZ_CHECK(copy != NULL);
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    for (size_t i = 0; i < text.len; i++)
        FUZZ_CHECK(copy[i] >= ' ' && copy[i] <= '~');
    cJSON *json = cJSON_ParseWithOpts(copy, NULL, true);
    FUZZ_CHECK(json != NULL);
    free(copy);
    return json;
}

static void check_answer(const struct sl_command *command, const struct sl_mqtt_message *message,
                         struct sl_reader *input)
{
    struct sl_answers answers = {0};
    uint8_t bytes[SL_ANSWER_LEN];
    sl_answers_add(&answers, 0, command, message, 0);
    struct sl_answer *answer = sl_answers_ready(&answers);
    FUZZ_CHECK(answer != NULL && answers.len == 1);
    FUZZ_CHECK(answer->response_len <= SL_TOPIC_MAX);
    FUZZ_CHECK(answer->correlation_len <= SL_COMMAND_CORRELATION);
    FUZZ_CHECK(sl_answer_is_refusal(answer) == (command->refusal != SL_REFUSAL_NONE));
    uint8_t pins = fuzz_u8(input), is_read = fuzz_u8(input) & 1;
    struct sl_view text =
        sl_answer_encode(answer, pins, is_read, fuzz_u32(input), bytes, sizeof bytes);
    cJSON_Delete(parse(text));
    if (command->refusal != SL_REFUSAL_NONE)
        cJSON_Delete(parse(sl_refused_encode(answer, bytes, sizeof bytes)));

    size_t room = fuzz_u8(input) % sizeof bytes;
    uint8_t *exact = malloc(room + 1);
    FUZZ_CHECK(exact != NULL);
    struct sl_view part = sl_answer_encode(answer, 0, true, 0, exact, room);
    FUZZ_CHECK(part.len <= room);
    if (part.len > 0)
        cJSON_Delete(parse(part));
    free(exact);
}

/* The words that a person would write mean the same. */
static void check_canonical(const struct sl_command *command)
{
    char topic[64] = BASE "/zone/on", payload[32];
    if (command->topic == SL_TOPIC_ON)
        snprintf(payload, sizeof payload, "%u %u", command->zone, command->seconds);
    else if (command->topic == SL_TOPIC_SET)
        snprintf(payload, sizeof payload, "%u", command->seconds);
    else if (command->zone == SL_COMMAND_ALL)
        snprintf(payload, sizeof payload, "all");
    else
        snprintf(payload, sizeof payload, "%u", command->zone);
    if (command->topic == SL_TOPIC_OFF)
        snprintf(topic, sizeof topic, BASE "/zone/off");
    if (command->topic == SL_TOPIC_SET)
        snprintf(topic, sizeof topic, BASE "/zone/%u/set", command->zone);
    const struct sl_mqtt_message message = {.topic = sl_view_text(topic),
                                            .payload = sl_view_text(payload)};
    struct sl_command again = sl_command_decode(sl_view_text(BASE), &message);
    FUZZ_CHECK(again.refusal == SL_REFUSAL_NONE && again.topic == command->topic);
    FUZZ_CHECK(again.zone == command->zone && again.seconds == command->seconds);
}

static void check_command(struct sl_reader input)
{
    static const char base[] = BASE;
    struct sl_mqtt_message message = {0};
    uint8_t flags = fuzz_u8(&input);
    message.retain = flags & 1;
    message.dup = flags & 2;
    message.has_expiry = flags & 4;
    message.expiry_s = flags & 8 ? 1 : 0;
    message.is_cut = flags & 16;
    message.topic = fuzz_take(&input, fuzz_u8(&input));
    if (flags & 32) { /* a zone's own topic */
        static char topic[40];
        snprintf(topic, sizeof topic, BASE "/zone/%u/set", fuzz_u8(&input) % 10u);
        message.topic = sl_view_text(topic);
    }
    message.response_topic = fuzz_take(&input, fuzz_u8(&input));
    message.correlation = fuzz_take(&input, fuzz_u8(&input));
    message.payload = fuzz_take(&input, SIZE_MAX);

    struct sl_command command = sl_command_decode(sl_view_text(base), &message);
    FUZZ_CHECK(command.zone < SL_ZONES || command.zone == SL_COMMAND_ALL);
    FUZZ_CHECK(command.refusal < SL_REFUSAL_COUNT && command.topic <= SL_TOPIC_OTHER);
    FUZZ_CHECK(command.topic != SL_TOPIC_OTHER || command.refusal == SL_REFUSAL_TOPIC);
    if (command.refusal == SL_REFUSAL_NONE) {
        FUZZ_CHECK(!message.retain && !message.dup);
        FUZZ_CHECK(!message.has_expiry || message.expiry_s > 0);
        FUZZ_CHECK(!message.is_cut || command.topic == SL_TOPIC_STATUS);
        FUZZ_CHECK(message.response_topic.len <= SL_TOPIC_MAX);
        FUZZ_CHECK(message.correlation.len <= SL_COMMAND_CORRELATION);
        FUZZ_CHECK(command.zone < SL_ZONES || command.topic == SL_TOPIC_OFF ||
                   command.topic == SL_TOPIC_STATUS);
        FUZZ_CHECK(!command.is_default || (command.topic == SL_TOPIC_SET && command.seconds == 0));
        if (command.topic != SL_TOPIC_STATUS && !command.is_default)
            check_canonical(&command);
    }
    struct sl_reader rest = sl_reader_init(message.payload);
    check_answer(&command, &message, &rest);
}

/* Any bytes as a JSON string, in any room; and log events with any numbers. */
static void check_text(struct sl_reader input)
{
    struct sl_log_event event = {(uint16_t)(fuzz_u8(&input) % SL_LOG_COUNT),
                                 (int32_t)fuzz_u32(&input), (int32_t)fuzz_u32(&input)};
    char line[512];
    size_t line_len = fuzz_u16(&input) % sizeof line + 1;
    sl_log_text(&event, line, line_len);
    FUZZ_CHECK(strlen(line) < line_len);
    for (const char *at = line; *at != '\0'; at++)
        FUZZ_CHECK(*at >= ' ' && *at <= '~');

    struct sl_view bytes = fuzz_take(&input, SIZE_MAX);
    size_t room = 2 + 6 * bytes.len, less = bytes.len;
    uint8_t *out = malloc(room + 16);
    uint8_t *exact = malloc(less + 1);
    FUZZ_CHECK(out != NULL && exact != NULL);
    struct sl_writer writer = sl_writer_init(out, room + 16);
    sl_text_add(&writer, "{\"text\":");
    sl_text_add_string(&writer, bytes);
    sl_text_add(&writer, "}");
    FUZZ_CHECK(!writer.failed);
    cJSON *json = parse((struct sl_view){out, sl_writer_len(&writer)});
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "text"));
    FUZZ_CHECK(text != NULL);
    for (size_t i = 0; i < bytes.len && bytes.data[i] != 0; i++)
        FUZZ_CHECK(text[i] == (bytes.data[i] > 0x7E ? '?' : (char)bytes.data[i]));
    cJSON_Delete(json);

    writer = sl_writer_init(exact, less);
    sl_text_add_string(&writer, bytes);
    FUZZ_CHECK(writer.failed && sl_writer_len(&writer) <= less); /* two quotes never fit */
    free(out);
    free(exact);
}

static void check_report(struct sl_reader input)
{
    static const char *const words[] = {"none", "full", "resumed"};
    const struct sl_chip_status chip = {.flags = fuzz_u8(&input),
                                        .pins = fuzz_u8(&input),
                                        .latched = fuzz_u8(&input),
                                        .reset_cause = fuzz_u8(&input),
                                        .dropped_frames = fuzz_u8(&input),
                                        .version = fuzz_u8(&input)};
    struct sl_report report = {.version = "0.1.0",
                               .pins = fuzz_u8(&input),
                               .link_is_up = fuzz_u8(&input) & 1,
                               .chip = &chip,
                               .time_source = fuzz_u8(&input) % 3,
                               .tls = words[fuzz_u8(&input) % 3],
                               .mqtt = fuzz_u8(&input),
                               .trouble = {fuzz_u8(&input) % SL_TROUBLE_COUNT, 0}};
    size_t room = fuzz_u16(&input) % SL_REPORT_LEN;
    report.uptime_s = fuzz_u32(&input);
    report.unix_s = fuzz_u64(&input);
    report.certificate_end_s = fuzz_u64(&input);
    report.exchanges = fuzz_u32(&input);
    report.bad_frames = fuzz_u32(&input);
    report.connects = fuzz_u32(&input);
    report.mqtt_out_max = fuzz_u16(&input);
    report.trouble.number = (int32_t)fuzz_u32(&input);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        report.remaining_s[zone] = fuzz_u32(&input);

    uint8_t bytes[SL_REPORT_LEN];
    struct sl_view text = sl_report_encode(&report, bytes, sizeof bytes);
    cJSON *json = parse(text);
    FUZZ_CHECK(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(json, "zones")) == SL_ZONES);
    cJSON_Delete(json);
    uint8_t *exact = malloc(room + 1);
    FUZZ_CHECK(exact != NULL);
    FUZZ_CHECK(sl_report_encode(&report, exact, room).len == (room < text.len ? 0 : text.len));
    free(exact);
}
