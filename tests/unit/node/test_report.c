/* Reports, answers and refusals: valid JSON with the promised keys, within their buffers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <stdio.h>

#include "node/answer.h"
#include "node/report.h"

static const struct sl_chip_status worst_chip = {
    .reset_cause = 0xFF, .dropped_frames = 255, .version = 0xFF};

static struct sl_report worst_report(void)
{
    struct sl_report report = {
        .version = "\"\\\x01\x02\x03\x04\x05\x06\x07\x08\x0E\x0F\x10\x11\x12\x13 and more",
        .uptime_s = UINT32_MAX,
        .chip = &worst_chip,
        .exchanges = UINT32_MAX,
        .bad_frames = UINT32_MAX,
        .unix_s = UINT64_C(253402300799),
        .certificate_end_s = UINT64_MAX,
        .certificate_issued_s = UINT64_C(253402300799),
        .renewal = SL_RENEWAL_ADOPTING,
        .renewal_failure = SL_RENEWAL_FAILURE_TRY,
        .renewal_trouble = {SL_TROUBLE_CONNACK_TIMEOUT, INT32_MIN},
        .tls = "resumed",
        .mqtt = 5,
        .connects = UINT32_MAX,
        .trouble = {SL_TROUBLE_CONNACK_TIMEOUT, INT32_MIN},
        .mqtt_out_max = UINT16_MAX,
        .stack_max = UINT16_MAX,
        .network_max = UINT16_MAX,
    };
    for (int zone = 0; zone < SL_ZONES; zone++)
        report.remaining_s[zone] = 16384; /* SL_LINK_UNITS_MAX units */
    return report;
}

static cJSON *parse(struct sl_view text)
{
    cJSON *json = cJSON_ParseWithLength((const char *)text.data, text.len);
    assert_non_null(json);
    return json;
}

static const cJSON *member(const cJSON *json, const char *a, const char *b)
{
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(json, a);
    assert_non_null(found);
    if (b != NULL) {
        found = cJSON_GetObjectItemCaseSensitive(found, b);
        assert_non_null(found);
    }
    return found;
}

static void the_worst_report_fits_and_is_json(void **state)
{
    uint8_t out[SL_REPORT_LEN];
    struct sl_report report = worst_report();
    (void)state;
    struct sl_view text = sl_report_encode(&report, out, sizeof out);
    assert_true(text.len > 0);
    cJSON *json = parse(text);
    assert_int_equal(cJSON_GetArraySize(member(json, "zones", NULL)), SL_ZONES);
    assert_int_equal(cJSON_GetArraySize(member(json, "chip", "reset")), 4);
    assert_string_equal(member(json, "certificate", "last_day")->valuestring, "9999-12-31");
    assert_string_equal(member(json, "broker", "last_error")->valuestring,
                        "connack time-out -2147483648");
    assert_string_equal(member(json, "certificate", "last_error")->valuestring,
                        "connack time-out -2147483648");
    cJSON_Delete(json);
    printf("report: at most %zu of %d bytes\n", text.len, SL_REPORT_LEN);
}

static void a_usual_report_has_the_promised_keys(void **state)
{
    uint8_t out[SL_REPORT_LEN];
    const struct sl_chip_status chip = {.reset_cause = SL_RESET_POWER_ON, .version = 0x10};
    struct sl_report report = {.version = "0.1.0",
                               .uptime_s = 86400,
                               .pins = 4,
                               .remaining_s = {[2] = 120},
                               .link_is_up = true,
                               .chip = &chip,
                               .exchanges = 345600,
                               .bad_frames = 3,
                               .time_source = SL_CLOCK_SNTP,
                               .unix_s = 1795305600,
                               .certificate_end_s = 1826841599,
                               .certificate_issued_s = 1795219200,
                               .renewal = SL_RENEWAL_ASKING,
                               .renewal_failure = SL_RENEWAL_FAILURE_STORE,
                               .tls = "full",
                               .mqtt = 5,
                               .connects = 1,
                               .trouble = {SL_TROUBLE_TLS, 54},
                               .mqtt_out_max = 900,
                               .stack_max = 5296};
    (void)state;
    struct sl_view text = sl_report_encode(&report, out, sizeof out);
    assert_in_range(text.len, 400, 800);
    cJSON *json = parse(text);
    assert_string_equal(member(json, "version", NULL)->valuestring, "0.1.0");
    assert_int_equal(member(json, "uptime_s", NULL)->valueint, 86400);
    const cJSON *zone = cJSON_GetArrayItem(member(json, "zones", NULL), 2);
    assert_int_equal(member(zone, "zone", NULL)->valueint, 2);
    assert_string_equal(member(zone, "state", NULL)->valuestring, "ON");
    assert_int_equal(member(zone, "remaining_s", NULL)->valueint, 120);
    zone = cJSON_GetArrayItem(member(json, "zones", NULL), 3);
    assert_string_equal(member(zone, "state", NULL)->valuestring, "OFF");
    assert_string_equal(member(json, "chip", "link")->valuestring, "up");
    assert_string_equal(member(json, "chip", "version")->valuestring, "1.0");
    assert_string_equal(cJSON_GetArrayItem(member(json, "chip", "reset"), 0)->valuestring,
                        "power-on");
    assert_int_equal(member(json, "chip", "exchanges")->valueint, 345600);
    assert_int_equal(member(json, "chip", "bad_frames")->valueint, 3);
    assert_int_equal(member(json, "chip", "dropped_frames")->valueint, 0);
    assert_string_equal(member(json, "time", "source")->valuestring, "sntp");
    assert_int_equal(member(json, "time", "utc")->valueint, 1795305600);
    assert_string_equal(member(json, "certificate", "last_day")->valuestring, "2027-11-21");
    assert_int_equal(member(json, "certificate", "issued")->valueint, 1795219200);
    assert_string_equal(member(json, "certificate", "renewal")->valuestring, "asking");
    assert_string_equal(member(json, "certificate", "last_error")->valuestring, "not stored");
    assert_string_equal(member(json, "broker", "tls")->valuestring, "full");
    assert_int_equal(member(json, "broker", "mqtt")->valueint, 5);
    assert_int_equal(member(json, "broker", "connects")->valueint, 1);
    assert_string_equal(member(json, "broker", "last_error")->valuestring, "tls 54");
    assert_int_equal(member(json, "memory", "mqtt_out_max")->valueint, 900);
    assert_int_equal(member(json, "memory", "stack_max")->valueint, 5296);
    assert_null(cJSON_GetObjectItemCaseSensitive(member(json, "memory", NULL), "network_max"));
    cJSON_Delete(json);
}

static void a_report_that_does_not_fit_is_empty(void **state)
{
    uint8_t out[SL_REPORT_LEN];
    struct sl_report report = worst_report();
    (void)state;
    size_t whole = sl_report_encode(&report, out, sizeof out).len;
    for (size_t len = 0; len < whole; len++)
        assert_int_equal(sl_report_encode(&report, out, len).len, 0);
}

/* Every refusal, at its longest, on every topic. */
static void answers_and_refusals_fit_and_are_json(void **state)
{
    uint8_t out[SL_ANSWER_LEN];
    size_t longest = 0;
    (void)state;
    for (int refusal = SL_REFUSAL_NONE + 1; refusal < SL_REFUSAL_COUNT; refusal++)
        for (int topic = SL_TOPIC_ON; topic <= SL_TOPIC_OTHER; topic++) {
            const struct sl_answer answer = {.topic = (enum sl_command_topic)topic,
                                             .zone = SL_COMMAND_ALL,
                                             .result = SL_RESULT_UNCONFIRMED,
                                             .refusal = (enum sl_refusal)refusal,
                                             .number = UINT32_MAX};
            struct sl_view text = sl_refused_encode(&answer, out, sizeof out);
            longest = text.len > longest ? text.len : longest;
            cJSON *json = parse(text);
            assert_true(member(json, "topic", NULL)->valuestring[0] != '\0');
            assert_true(member(json, "why", NULL)->valuestring[0] != '\0');
            cJSON_Delete(json);
            text = sl_answer_encode(&answer, 0xFF, true, UINT32_MAX, out, sizeof out);
            longest = text.len > longest ? text.len : longest;
            json = parse(text);
            assert_string_equal(member(json, "result", NULL)->valuestring, "unconfirmed");
            assert_true(member(json, "why", NULL)->valuestring[0] != '\0');
            cJSON_Delete(json);
        }
    printf("answers and refusals: at most %zu of %d bytes\n", longest, SL_ANSWER_LEN);
}

static void answers_say_what_the_pins_say(void **state)
{
    uint8_t out[SL_ANSWER_LEN];
    struct sl_answer answer = {.topic = SL_TOPIC_ON, .zone = 2, .result = SL_RESULT_DONE};
    (void)state;
    assert_true(sl_view_is_equal(
        sl_answer_encode(&answer, 4, true, 120, out, sizeof out),
        sl_view_text("{\"result\":\"done\",\"zone\":2,\"state\":\"ON\",\"remaining_s\":120,"
                     "\"pins\":4}")));
    assert_true(sl_view_is_equal(
        sl_answer_encode(&answer, 4, false, 120, out, sizeof out),
        sl_view_text("{\"result\":\"sent\",\"zone\":2,\"state\":\"ON\",\"remaining_s\":120,"
                     "\"pins\":4}")));
    answer.zone = SL_COMMAND_ALL;
    assert_true(sl_view_is_equal(
        sl_answer_encode(&answer, 0, true, 0, out, sizeof out),
        sl_view_text("{\"result\":\"done\",\"zone\":\"all\",\"state\":\"OFF\",\"remaining_s\":0,"
                     "\"pins\":0}")));
    answer = (struct sl_answer){.topic = SL_TOPIC_ON,
                                .result = SL_RESULT_REFUSED,
                                .refusal = SL_REFUSAL_NO_SUCH_ZONE,
                                .number = 9};
    assert_true(sl_view_is_equal(
        sl_answer_encode(&answer, 0, false, 0, out, sizeof out),
        sl_view_text("{\"result\":\"refused\",\"why\":\"zone 9 does not exist: use 0 to 7\"}")));
    assert_true(sl_view_is_equal(
        sl_refused_encode(&answer, out, sizeof out),
        sl_view_text("{\"topic\":\"zone/on\",\"why\":\"zone 9 does not exist: use 0 to 7\"}")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_report_fits_and_is_json),
        cmocka_unit_test(a_usual_report_has_the_promised_keys),
        cmocka_unit_test(a_report_that_does_not_fit_is_empty),
        cmocka_unit_test(answers_and_refusals_fit_and_are_json),
        cmocka_unit_test(answers_say_what_the_pins_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
