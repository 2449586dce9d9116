/* From message to pin and back, with the chip's own engine and a broker in memory. */
#include "bench.h"

#include <stdio.h>

static void assert_why(const char *part)
{
    const struct rig_heard *refused = rig_last(rig, "refused");
    assert_non_null(refused);
    if (strstr(refused->payload, part) == NULL)
        fail_msg("refused says %s, not %s", refused->payload, part);
}

static void a_session_opens_and_tells_everything(void **state)
{
    (void)state;
    assert_int_equal(rig->node.connection.stage, SL_CONNECTION_OPEN);
    assert_string_equal(rig->connect.client_id.text, "garden");
    assert_int_equal(rig->connect.level, 5);
    assert_int_equal(rig->connect.connect_flags & 0x02, 0x02); /* clean start */
    assert_int_equal(rig->connect.connect_flags & 0x3C, 0x2C); /* will, QoS 1, retained */
    assert_string_equal(rig->connect.will_topic.text, RIG_BASE "/availability");
    assert_string_equal(rig->connect.will_payload.text, "offline");
    assert_int_equal(rig->connect.keep_alive_s, 30);

    assert_int_equal(rig->subscribe.filters_len, 4);
    assert_string_equal(rig->subscribe.filters[0].text, RIG_BASE "/zone/on");
    assert_string_equal(rig->subscribe.filters[1].text, RIG_BASE "/zone/off");
    assert_string_equal(rig->subscribe.filters[2].text, RIG_BASE "/zone/status");
    assert_string_equal(rig->subscribe.filters[3].text, RIG_BASE "/zone/+/set");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(rig->subscribe.options[i],
                         0x29); /* QoS 1, the flag kept, none from before */

    assert_string_equal(rig->heard[0].topic, RIG_BASE "/availability");
    assert_string_equal(rig->heard[0].payload, "online");
    for (unsigned zone = 0; zone < SL_ZONES; zone++) {
        char topic[] = "zone/0/state";
        topic[5] = (char)('0' + zone);
        const struct rig_heard *heard = rig_last(rig, topic);
        assert_non_null(heard);
        assert_string_equal(heard->payload, "OFF");
        assert_true(heard->retain);
        assert_int_equal(heard->qos, 1);
    }
    const struct rig_heard *report = rig_last(rig, "report");
    assert_non_null(report);
    assert_true(report->retain);
    assert_int_equal(report->qos, 1);
    cJSON *json = cJSON_Parse(report->payload);
    assert_non_null(json);
    const cJSON *chip = cJSON_GetObjectItem(json, "chip");
    assert_string_equal(cJSON_GetObjectItem(chip, "link")->valuestring, "up");
    assert_string_equal(cJSON_GetObjectItem(chip, "version")->valuestring, "1.0");
    cJSON_Delete(json);
    assert_int_equal(rig_count(rig, "zone/0/state"), 1);
    assert_int_equal(rig->keeps, 1);
    assert_true(rig->kept_s >= RIG_UTC - 1);
    printf("struct sl_node: %zu bytes, of which TLS %zu\n", sizeof(struct sl_node),
           sizeof(struct sl_tls));
}

static void a_message_switches_a_zone_and_is_confirmed(void **state)
{
    (void)state;
    rig_forget(rig);
    rig_ask(rig, "zone/on", "2 120", "site/answer");
    rig_run(rig, 50);
    assert_int_equal(rig_pins(rig), 0x04);
    assert_string_equal(rig_last(rig, "zone/2/state")->payload, "ON");
    const struct rig_heard *answer = rig_last(rig, "=site/answer");
    assert_non_null(answer);
    assert_string_equal(
        answer->payload,
        "{\"result\":\"done\",\"zone\":2,\"state\":\"ON\",\"remaining_s\":120,\"pins\":4}");
    assert_string_equal(answer->correlation, "c0");
    assert_false(answer->retain);
    assert_int_equal(rig_count(rig, "=site/answer"), 1);
    assert_int_equal(rig_count(rig, "refused"), 0);
    assert_int_equal(rig_count(rig, "zone/2/state"), 1);
    assert_int_equal(rig_count(rig, "zone/1/state"), 0);
    assert_true(rig_count(rig, "report") >= 1);

    /* The chip ends it: not before 119.5 s, not after 120.3 s. */
    rig_run(rig, 119400);
    assert_int_equal(rig_pins(rig), 0x04);
    rig_run(rig, 900);
    assert_int_equal(rig_pins(rig), 0);
    rig_run(rig, 300);
    assert_string_equal(rig_last(rig, "zone/2/state")->payload, "OFF");
    assert_int_equal(rig_logged(rig, SL_LOG_TIME_UP), 1);
    assert_int_equal(rig_logged(rig, SL_LOG_ENDED_EARLY), 0);
}

static void one_at_a_time(void **state)
{
    (void)state;
    rig_say(rig, "zone/on", "2 120");
    rig_run(rig, 50);
    rig_forget(rig);
    rig_ask(rig, "zone/on", "5 60", "site/answer");
    rig_run(rig, 50);
    assert_int_equal(rig_pins(rig), 0x20);
    assert_string_equal(rig_last(rig, "zone/2/state")->payload, "OFF");
    assert_string_equal(rig_last(rig, "zone/5/state")->payload, "ON");
    assert_non_null(strstr(rig_last(rig, "=site/answer")->payload, "\"pins\":32"));
}

static void every_way_to_switch_off(void **state)
{
    static const struct {
        const char *topic, *payload, *answer;
    } ways[] = {
        {"zone/on", "2 0", "\"zone\":2,\"state\":\"OFF\",\"remaining_s\":0,\"pins\":0}"},
        {"zone/off", "2", "\"zone\":2,\"state\":\"OFF\",\"remaining_s\":0,\"pins\":0}"},
        {"zone/off", "all", "\"zone\":\"all\",\"state\":\"OFF\",\"remaining_s\":0,\"pins\":0}"},
        {"zone/off", "", "\"zone\":\"all\",\"state\":\"OFF\",\"remaining_s\":0,\"pins\":0}"},
        {"zone/2/set", "OFF", "\"zone\":2,\"state\":\"OFF\",\"remaining_s\":0,\"pins\":0}"},
        {"zone/2/set", "0", "\"zone\":2,\"state\":\"OFF\",\"remaining_s\":0,\"pins\":0}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        rig_say(rig, "zone/2/set", "ON");
        rig_run(rig, 50);
        assert_int_equal(rig_pins(rig), 0x04);
        rig_forget(rig);
        rig_ask(rig, ways[i].topic, ways[i].payload, "site/answer");
        rig_run(rig, 50);
        assert_int_equal(rig_pins(rig), 0);
        assert_non_null(rig_last(rig, "=site/answer"));
        assert_non_null(strstr(rig_last(rig, "=site/answer")->payload, ways[i].answer));
        assert_string_equal(rig_last(rig, "zone/2/state")->payload, "OFF");
    }
}

static void bad_payloads_switch_nothing_and_are_refused_in_words(void **state)
{
    static const struct {
        const char *topic;
        struct sl_view payload;
        const char *why;
    } cases[] = {
#define TEXT(text) {(const uint8_t *)(text), sizeof(text) - 1}
        {"zone/on", TEXT("9 120"), "zone 9 does not exist: use 0 to 7"},
        {"zone/on", TEXT("two 120"), "for example 2 120"},
        {"zone/on", TEXT("2 -5"), "for example 2 120"},
        {"zone/on", TEXT("2 99999999999"), "longer than the 14400 s allowed"},
        {"zone/on", TEXT("2 14401"), "longer than the 14400 s allowed"},
        {"zone/on", TEXT(""), "for example 2 120"},
        {"zone/on", TEXT("\xFF\x00\x80\"}\\"), "for example 2 120"},
        {"zone/off", TEXT("12"), "zone 12 does not exist"},
        {"zone/3/set", TEXT("maybe"), "ON, OFF or a number of seconds"},
        {"zone/9/set", TEXT("ON"), "zone 9 does not exist"},
        {"zone/x/set", TEXT("ON"), "no command has this topic"},
#undef TEXT
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char topic[64];
        snprintf(topic, sizeof topic, RIG_BASE "/%s", cases[i].topic);
        rig_forget(rig);
        rig_say_message(rig, &(struct test_mqtt_publish){
                                 .topic = topic, .payload = cases[i].payload, .qos = 1});
        rig_run(rig, 50);
        assert_int_equal(rig_pins(rig), 0);
        assert_int_equal(rig_count(rig, "refused"), 1);
        assert_why(cases[i].why);
        const struct rig_heard *refused = rig_last(rig, "refused");
        assert_int_equal(refused->qos, 1);
        assert_false(refused->retain);
        cJSON *json = cJSON_Parse(refused->payload);
        assert_non_null(json);
        cJSON_Delete(json);
        assert_int_equal(rig_logged(rig, SL_LOG_REFUSED), 1);
    }
    assert_int_equal(rig->node.connection.stage, SL_CONNECTION_OPEN);
    assert_int_equal(rig->connects, 1);
}

/* As with --gpio and three lines. */
static void a_zone_without_an_output_is_refused_and_displaces_nothing(void **state)
{
    (void)state;
    rig->node.zones.limits.zones = 3;
    rig_say(rig, "zone/on", "2 60");
    rig_run(rig, 50);
    rig_forget(rig);
    rig_say(rig, "zone/on", "3 60");
    rig_run(rig, 50);
    assert_int_equal(rig_pins(rig), 0x04);
    assert_int_equal(rig_count(rig, "refused"), 1);
    assert_why("this zone has no output here: use 0 to 2");
    assert_int_equal(rig_logged(rig, SL_LOG_UNCONFIRMED), 0);
}

static void four_kilobytes_of_zeros_are_refused_in_words(void **state)
{
    static const uint8_t zeros[4096];
    (void)state;
    rig_forget(rig);
    rig_say_message(rig, &(struct test_mqtt_publish){.topic = RIG_BASE "/zone/on",
                                                     .payload = {zeros, sizeof zeros},
                                                     .qos = 1,
                                                     .response_topic = "site/answer"});
    rig_run(rig, 50);
    assert_int_equal(rig_pins(rig), 0);
    assert_why("far longer than any command");
    assert_non_null(strstr(rig_last(rig, "=site/answer")->payload, "\"refused\""));
    rig_say(rig, "zone/on", "2 120"); /* and the session goes on */
    rig_run(rig, 50);
    assert_int_equal(rig_pins(rig), 0x04);
    assert_int_equal(rig->connects, 1);
}

static void commands_that_are_not_for_now_switch_nothing(void **state)
{
    static const struct {
        struct test_mqtt_publish publish;
        const char *why;
    } cases[] = {
        {{.qos = 1, .retain = true}, "a retained command is not carried out"},
        {{.qos = 1, .has_expiry = true}, "expired before it arrived"},
        {{.qos = 1, .dup = true}, "a repeated delivery"},
        {{.qos = 2, .dup = true}, "a repeated delivery"},
        {{.qos = 1, .response_topic = RIG_BASE "/zone/on"}, "the response topic"},
        {{.qos = 1,
          .response_topic = "a",
          .correlation = {(const uint8_t *)"0123456789abcdef"
                                           "0123456789abcdefX",
                          33}},
         "the correlation data"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct test_mqtt_publish publish = cases[i].publish;
        publish.topic = RIG_BASE "/zone/on";
        publish.payload = sl_view_text("2 120");
        rig_forget(rig);
        rig_say_message(rig, &publish);
        rig_run(rig, 50);
        assert_int_equal(rig_pins(rig), 0);
        assert_why(cases[i].why);
    }
}

/* The standard forbids it (MQTT 5.0, section 3.3.2.3.5): the session ends. */
static void a_wildcard_in_the_response_topic_switches_nothing(void **state)
{
    (void)state;
    rig_ask(rig, "zone/on", "2 120", "site/#");
    rig_run(rig, 2000);
    assert_int_equal(rig_pins(rig), 0);
    assert_int_equal(rig_logged(rig, SL_LOG_PROTOCOL), 1);
    assert_int_equal(rig->connects, 2);
}

static void without_a_chip_nothing_is_switched(void **state)
{
    (void)state;
    rig->is_chip_cut = true;
    rig_run(rig, 1500);
    rig_forget(rig);
    rig_ask(rig, "zone/on", "2 120", "site/answer");
    rig_run(rig, 50);
    assert_why("the relay chip does not answer, so nothing was switched");
    assert_non_null(strstr(rig_last(rig, "=site/answer")->payload, "\"refused\""));
    rig_ask(rig, "zone/off", "all", "site/answer");
    rig_run(rig, 50);
    assert_why("it closes every zone by itself");
    assert_non_null(strstr(rig_last(rig, "=site/answer")->payload, "\"unconfirmed\""));

    rig_forget(rig);
    rig->is_chip_cut = false;
    rig_run(rig, 1500);
    assert_int_equal(rig_pins(rig), 0); /* the refused command is not carried out later */
    rig_say(rig, "zone/on", "2 120");
    rig_run(rig, 50);
    assert_int_equal(rig_pins(rig), 0x04);
}

static void a_cut_link_shows_off_when_the_lease_has_ended(void **state)
{
    (void)state;
    rig_say(rig, "zone/on", "2 120");
    rig_run(rig, 500);
    rig_forget(rig);
    rig->is_chip_cut = true;
    rig_run(rig, 1500);
    const struct rig_heard *report = rig_last(rig, "report");
    assert_non_null(report);
    assert_non_null(strstr(report->payload, "\"link\":\"down\""));
    assert_int_equal(rig_count(rig, "zone/2/state"), 0);
    rig_run(rig, 13000);
    assert_int_equal(rig_pins(rig), 0);
    assert_string_equal(rig_last(rig, "zone/2/state")->payload, "OFF");
    assert_non_null(strstr(rig_last(rig, "report")->payload,
                           "{\"zone\":2,\"state\":\"OFF\",\"remaining_s\":0}"));
    rig->is_chip_cut = false;
    rig_run(rig, 2000);
    assert_int_equal(rig_pins(rig), 0);
    assert_non_null(strstr(rig_last(rig, "report")->payload, "\"link\":\"up\""));
}

static void a_short_cut_of_the_link_costs_nothing(void **state)
{
    (void)state;
    rig_say(rig, "zone/on", "2 120");
    rig_run(rig, 500);
    rig->is_chip_cut = true;
    rig_run(rig, 4000);
    rig->is_chip_cut = false;
    rig_run(rig, 1000);
    assert_int_equal(rig_pins(rig), 0x04);
    assert_string_equal(rig_last(rig, "zone/2/state")->payload, "ON");
    rig_run(rig, 115500);
    assert_int_equal(rig_pins(rig), 0);
}

static void a_refused_command_does_not_cost_another_zone_its_water(void **state)
{
    (void)state;
    rig_say(rig, "zone/on", "2 120");
    rig_run(rig, 500);
    rig_say(rig, "zone/on", "5 14401");
    rig_run(rig, 500);
    assert_int_equal(rig_pins(rig), 0x04);
    rig->is_chip_cut = true;
    rig_run(rig, 2000);
    rig_say(rig, "zone/on", "5 60");
    assert_why("nothing was switched");
    rig->is_chip_cut = false;
    rig_run(rig, 2000);
    assert_int_equal(rig_pins(rig), 0x04);
}

static void a_chip_reset_is_reported_and_stays_closed(void **state)
{
    (void)state;
    rig_say(rig, "zone/on", "2 120");
    rig_run(rig, 500);
    rig_forget(rig);
    rig_reset_chip(rig, SL_RESET_WATCHDOG);
    rig_run(rig, 1000);
    assert_int_equal(rig_pins(rig), 0);
    assert_int_equal(rig_logged(rig, SL_LOG_CHIP_RESET), 1);
    assert_string_equal(rig_last(rig, "zone/2/state")->payload, "OFF");
    assert_non_null(strstr(rig_last(rig, "report")->payload, "\"reset\":[\"watchdog\"]"));
    assert_non_null(strstr(rig_last(rig, "report")->payload,
                           "{\"zone\":2,\"state\":\"OFF\",\"remaining_s\":0}"));
    rig_say(rig, "zone/on", "2 120");
    rig_run(rig, 100);
    assert_int_equal(rig_pins(rig), 0x04);
}

static void a_stuck_pin_is_never_called_done(void **state)
{
    (void)state;
    rig->stuck_off = 0x04;
    rig_forget(rig);
    rig_ask(rig, "zone/on", "2 120", "site/answer");
    rig_run(rig, 1000);
    assert_non_null(rig_last(rig, "=site/answer"));
    assert_non_null(strstr(rig_last(rig, "=site/answer")->payload, "\"unconfirmed\""));
    assert_why("the pins did not follow");
    assert_int_equal(rig_logged(rig, SL_LOG_UNCONFIRMED), 1);
    assert_non_null(strstr(rig_last(rig, "report")->payload,
                           "{\"zone\":2,\"state\":\"OFF\",\"remaining_s\":0}"));
    rig->stuck_off = 0;
    rig_run(rig, 1000);
    assert_int_equal(rig_pins(rig), 0); /* it was taken back */
}

static void what_cannot_be_read_back_is_called_sent(void **state)
{
    (void)state;
    rig->is_chip_blind = true;
    rig_forget(rig);
    rig_ask(rig, "zone/on", "2 120", "site/answer");
    rig_run(rig, 1000);
    assert_non_null(rig_last(rig, "=site/answer"));
    assert_non_null(strstr(rig_last(rig, "=site/answer")->payload, "\"result\":\"sent\""));
    assert_null(rig_last(rig, "refused"));
    assert_non_null(strstr(rig_last(rig, "report")->payload, "\"version\":\"0.0\""));
}

static void a_later_command_overtakes(void **state)
{
    (void)state;
    rig_forget(rig);
    rig->is_chip_cut = true; /* nothing is read back for a moment */
    rig_run(rig, 3);
    test_mqtt_peer_publish(&rig->peer, &(struct test_mqtt_publish){.topic = RIG_BASE "/zone/on",
                                                                   .payload = sl_view_text("2 120"),
                                                                   .qos = 1,
                                                                   .response_topic = "site/first"});
    rig_ask(rig, "zone/off", "2", "site/second");
    rig->is_chip_cut = false;
    rig_run(rig, 100);
    assert_non_null(rig_last(rig, "=site/first"));
    assert_non_null(strstr(rig_last(rig, "=site/first")->payload, "another command"));
    assert_non_null(strstr(rig_last(rig, "=site/second")->payload, "\"done\""));
    assert_int_equal(rig_pins(rig), 0);

    rig_forget(rig);
    rig->is_chip_cut = true;
    rig_run(rig, 3);
    rig_ask(rig, "zone/on", "2 120", "site/first");
    rig_ask(rig, "zone/on", "5 120", "site/second"); /* displaces it */
    rig->is_chip_cut = false;
    rig_run(rig, 100);
    assert_non_null(strstr(rig_last(rig, "=site/first")->payload, "another command"));
    assert_non_null(strstr(rig_last(rig, "=site/second")->payload, "\"done\",\"zone\":5"));
    assert_int_equal(rig_pins(rig), 0x20);
}

static void status_gives_a_fresh_report(void **state)
{
    (void)state;
    rig_forget(rig);
    rig_say(rig, "zone/status", "whatever");
    assert_int_equal(rig_count(rig, "report"), 1);
    rig_ask(rig, "zone/status", "", "site/answer");
    assert_int_equal(rig_count(rig, "report"), 2);
    assert_string_equal(rig_last(rig, "=site/answer")->payload,
                        "{\"result\":\"done\",\"zone\":\"all\",\"state\":\"OFF\","
                        "\"remaining_s\":0,\"pins\":0}");
}

static void reports_come_by_themselves(void **state)
{
    (void)state;
    rig_run(rig, 2000);
    rig_forget(rig);
    rig_run(rig, 3600000);
    assert_in_range(rig_count(rig, "report"), 4, 4);
    rig_say(rig, "zone/on", "2 600");
    rig_run(rig, 2000);
    rig_forget(rig);
    rig_run(rig, 590000);
    assert_in_range(rig_count(rig, "report"), 9, 10);
    assert_int_equal(rig_count(rig, "zone/2/state"), 0);
}

/* More commands than the node can remember at once: it takes no more from the broker until it can,
 * and not one is lost, also while the acknowledgements are stuck behind them. */
static void a_flood_is_slowed_down_and_nothing_is_lost(void **state)
{
    const unsigned flood = 200;
    (void)state;
    rig_forget(rig);
    for (unsigned i = 0; i < flood; i++)
        test_mqtt_peer_publish(&rig->peer,
                               &(struct test_mqtt_publish){.topic = RIG_BASE "/zone/on",
                                                           .payload = sl_view_text("9 1"),
                                                           .qos = 1,
                                                           .response_topic = "site/answer"});
    rig_run(rig, 5000);
    assert_int_equal(rig_count(rig, "refused"), flood);
    assert_int_equal(rig_count(rig, "=site/answer"), flood);
    assert_int_equal(rig->acks, flood);
    assert_int_equal(rig->connects, 1);
    rig_say(rig, "zone/on", "2 120");
    rig_run(rig, 100);
    assert_int_equal(rig_pins(rig), 0x04);
}

/* Good commands wait for their read-back; with the chip silent the fifth waits in the line. */
static void while_commands_wait_the_line_is_not_read(void **state)
{
    (void)state;
    rig_forget(rig);
    rig->is_chip_cut = true;
    unsigned acks = rig->acks;
    for (unsigned i = 0; i < 8; i++) {
        const char payload[] = {(char)('0' + i), '\0'};
        test_mqtt_peer_publish(&rig->peer,
                               &(struct test_mqtt_publish){.topic = RIG_BASE "/zone/off",
                                                           .payload = {(const uint8_t *)payload, 1},
                                                           .qos = 1,
                                                           .response_topic = "site/answer"});
    }
    rig_turn(rig);
    assert_in_range(rig->acks - acks, 3, 4);
    assert_int_equal(rig_count(rig, "=site/answer"), 0);
    rig->is_chip_cut = false;
    rig_run(rig, 1000);
    assert_int_equal(rig->acks - acks, 8);
    assert_int_equal(rig_count(rig, "=site/answer"), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FROM_SESSION(a_session_opens_and_tells_everything),
        FROM_SESSION(a_message_switches_a_zone_and_is_confirmed),
        FROM_SESSION(one_at_a_time),
        FROM_SESSION(every_way_to_switch_off),
        FROM_SESSION(bad_payloads_switch_nothing_and_are_refused_in_words),
        FROM_SESSION(a_zone_without_an_output_is_refused_and_displaces_nothing),
        FROM_SESSION(four_kilobytes_of_zeros_are_refused_in_words),
        FROM_SESSION(commands_that_are_not_for_now_switch_nothing),
        FROM_SESSION(a_wildcard_in_the_response_topic_switches_nothing),
        FROM_SESSION(without_a_chip_nothing_is_switched),
        FROM_SESSION(a_cut_link_shows_off_when_the_lease_has_ended),
        FROM_SESSION(a_short_cut_of_the_link_costs_nothing),
        FROM_SESSION(a_refused_command_does_not_cost_another_zone_its_water),
        FROM_SESSION(a_chip_reset_is_reported_and_stays_closed),
        FROM_SESSION(a_stuck_pin_is_never_called_done),
        FROM_SESSION(what_cannot_be_read_back_is_called_sent),
        FROM_SESSION(a_later_command_overtakes),
        FROM_SESSION(status_gives_a_fresh_report),
        FROM_SESSION(reports_come_by_themselves),
        FROM_SESSION(a_flood_is_slowed_down_and_nothing_is_lost),
        FROM_SESSION(while_commands_wait_the_line_is_not_read),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
