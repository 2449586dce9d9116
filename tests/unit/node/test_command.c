/* Topic and payload to command: tests/vectors/node/commands.txt, and payloads from a generator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/command.h"
#include "support/vectors.h"

#define BASE "irrigation/garden"

/* %XX in place; gives the length. "-" is nothing. */
static size_t unescape(char *text)
{
    size_t len = 0;
    if (strcmp(text, "-") == 0)
        return 0;
    for (char *at = text; *at != '\0'; at++) {
        if (*at == '%') {
            const char digits[3] = {at[1], at[2], '\0'};
            text[len++] = (char)strtoul(digits, NULL, 16);
            at += 2;
        } else {
            text[len++] = *at;
        }
    }
    return len;
}

static void set_flag(struct sl_mqtt_message *message, char *flag)
{
    static const uint8_t correlation[64] = {1};
    if (strcmp(flag, "retain") == 0)
        message->retain = true;
    else if (strcmp(flag, "dup") == 0)
        message->dup = true;
    else if (strcmp(flag, "qos2") == 0)
        message->qos = 2;
    else if (strcmp(flag, "expired") == 0)
        message->has_expiry = true;
    else if (strcmp(flag, "expiry") == 0)
        message->has_expiry = true, message->expiry_s = 1;
    else if (strcmp(flag, "cut") == 0)
        message->is_cut = true;
    else if (strncmp(flag, "response=", 9) == 0)
        message->response_topic = (struct sl_view){(const uint8_t *)flag + 9, unescape(flag + 9)};
    else if (strncmp(flag, "correlation=", 12) == 0)
        message->correlation = (struct sl_view){correlation, strtoul(flag + 12, NULL, 10)};
    else if (strcmp(flag, "-") != 0)
        fail_msg("unknown flag %s", flag);
}

/* The meaning as the vectors write it. */
static void describe(const struct sl_command *command, char *out, size_t out_len)
{
    static const char *const names[] = {
#define X(code, text) #code,
        SL_REFUSAL_LIST(X)
#undef X
    };
    const char *why = names[command->refusal] + strlen("SL_REFUSAL_");
    if (command->refusal == SL_REFUSAL_NO_SUCH_ZONE)
        snprintf(out, out_len, "refused %s %lu", why, (unsigned long)command->number);
    else if (command->refusal != SL_REFUSAL_NONE)
        snprintf(out, out_len, "refused %s", why);
    else if (command->topic == SL_TOPIC_STATUS)
        snprintf(out, out_len, "status");
    else if (command->is_default)
        snprintf(out, out_len, "on %u default", command->zone);
    else if (command->seconds > 0)
        snprintf(out, out_len, "on %u %lu", command->zone, (unsigned long)command->seconds);
    else if (command->zone == SL_COMMAND_ALL)
        snprintf(out, out_len, "off all");
    else
        snprintf(out, out_len, "off %u", command->zone);
}

static void vectors_mean_what_they_say(void **state)
{
    struct test_vectors vectors;
    unsigned count = 0;
    (void)state;
    test_vectors_open(&vectors, SL_VECTORS "/node/commands.txt");
    while (test_vectors_next(&vectors)) {
        char topic[256], want[128] = "", got[128];
        char **field = vectors.fields;
        assert_true(vectors.fields_len >= 4);
        snprintf(topic, sizeof topic, "%s%s", field[0][0] == '=' ? "" : BASE "/",
                 field[0][0] == '=' ? field[0] + 1 : field[0]);
        struct sl_mqtt_message message = {.topic = sl_view_text(topic), .qos = 1};
        message.payload.len = unescape(field[1]);
        message.payload.data = (const uint8_t *)field[1];
        for (char *flag = strtok(field[2], ","); flag != NULL; flag = strtok(NULL, ","))
            set_flag(&message, flag);
        for (unsigned i = 3; i < vectors.fields_len; i++) {
            strcat(want, i == 3 ? "" : " ");
            strcat(want, field[i]);
        }
        struct sl_command command = sl_command_decode(sl_view_text(BASE), &message);
        describe(&command, got, sizeof got);
        if (strcmp(got, want) != 0)
            fail_msg("line %u: %s, not %s", vectors.line, got, want);
        count++;
    }
    assert_true(count > 100);
}

/* Whatever the payload: an order for a zone that exists, or words. */
static void any_payload_gives_an_order_or_words(void **state)
{
    static const char alphabet[] = "0123456789 \tONFall-.\0\xFF";
    static const char *const topics[] = {BASE "/zone/on", BASE "/zone/off", BASE "/zone/3/set"};
    uint32_t random = 1;
    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t payload[12];
        size_t len = (random >> 8) % (sizeof payload + 1);
        for (size_t at = 0; at < len; at++) {
            random = random * 1664525u + 1013904223u;
            payload[at] = (uint8_t)alphabet[(random >> 8) % (sizeof alphabet - 1)];
        }
        random = random * 1664525u + 1013904223u;
        struct sl_mqtt_message message = {.topic = sl_view_text(topics[i % 3]),
                                          .payload = {payload, len}};
        struct sl_command command = sl_command_decode(sl_view_text(BASE), &message);
        if (command.refusal == SL_REFUSAL_NONE) {
            assert_true(command.zone < SL_ZONES ||
                        (command.zone == SL_COMMAND_ALL && command.seconds == 0));
        } else {
            uint8_t words[256];
            struct sl_writer writer = sl_writer_init(words, sizeof words);
            sl_refusal_write(&writer, command.refusal, command.number);
            assert_false(writer.failed);
            assert_true(sl_writer_len(&writer) > 10);
        }
    }
}

static void refusals_name_the_number(void **state)
{
    uint8_t words[256];
    struct sl_writer writer = sl_writer_init(words, sizeof words);
    (void)state;
    sl_refusal_write(&writer, SL_REFUSAL_NO_SUCH_ZONE, 9);
    assert_true(sl_view_is_equal((struct sl_view){words, sl_writer_len(&writer)},
                                 sl_view_text("zone 9 does not exist: use 0 to 7")));
    writer = sl_writer_init(words, sizeof words);
    sl_refusal_write(&writer, SL_REFUSAL_TOO_LONG, 14400);
    assert_true(sl_view_is_equal(
        (struct sl_view){words, sl_writer_len(&writer)},
        sl_view_text("the time is longer than the 14400 s allowed: use 0 to 14400")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_mean_what_they_say),
        cmocka_unit_test(any_payload_gives_an_order_or_words),
        cmocka_unit_test(refusals_name_the_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
