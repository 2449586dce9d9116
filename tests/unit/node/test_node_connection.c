/* The way to the broker: every wait ends, every failure has its words, and the zones do not care.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "rig.h"

static struct rig *rig;
static struct test_pki pki;

static int set_up_group(void **state)
{
    (void)state;
    test_pki_make(&pki, (int64_t)RIG_UTC);
    rig = calloc(1, sizeof *rig);
    return rig == NULL;
}

static int tear_down_group(void **state)
{
    (void)state;
    test_pki_free(&pki);
    free(rig);
    return 0;
}

static int start(void **state)
{
    (void)state;
    rig->pki = pki;
    rig_start(rig, 1000);
    return 0;
}

static int connect(void **state)
{
    (void)state;
    rig->pki = pki;
    rig_connect(rig, 1000);
    return 0;
}

static bool is_open(void)
{
    return rig->node.connection.stage == SL_CONNECTION_OPEN;
}

/* The last error as the next report tells it. */
static void assert_last_error(const char *want)
{
    uint8_t text[SL_REPORT_LEN];
    struct sl_view report = sl_node_report(&rig->node, rig->now, text, sizeof text);
    cJSON *json = cJSON_ParseWithLength((const char *)report.data, report.len);
    assert_non_null(json);
    const cJSON *broker = cJSON_GetObjectItem(json, "broker");
    assert_string_equal(cJSON_GetObjectItem(broker, "last_error")->valuestring, want);
    cJSON_Delete(json);
}

/* Switch zone 2 on, let something go wrong, and see it end on time all the same. */
static void water(void)
{
    rig_say(rig, "zone/on", "2 30");
    rig_run(rig, 100);
    assert_int_equal(rig_pins(rig), 0x04);
}

static void assert_water_ends(uint32_t already_ms)
{
    rig_run(rig, 29400 - already_ms);
    assert_int_equal(rig_pins(rig), 0x04);
    rig_run(rig, 900);
    assert_int_equal(rig_pins(rig), 0);
}

/* Time. */

static void nothing_is_dialled_before_the_time_is_known(void **state)
{
    (void)state;
    rig_run(rig, 3600000);
    assert_int_equal(rig->dials, 0);
    assert_int_equal(rig->keeps, 0);
    rig_set_time(rig);
    rig_run(rig, 100);
    assert_int_equal(rig->dials, 1);
    assert_true(is_open());
    assert_int_equal(rig->keeps, 1);
    rig_run(rig, 3 * 3600000 + 1000);
    assert_int_equal(rig->keeps, 4);
    assert_in_range(rig->kept_s, RIG_UTC + 3 * 3600 - 1, RIG_UTC + 3 * 3600 + 1);
}

/* Years ahead, the broker's certificate has expired. The time is put right; only then it is kept.
 */
static void a_time_that_no_broker_confirms_is_not_kept(void **state)
{
    (void)state;
    assert_int_equal(sl_node_set_time(&rig->node, rig->now, RIG_UTC + 3650 * 86400, 0), SL_OK);
    rig_run(rig, 2 * 3600000);
    assert_true(rig->dials > 0);
    assert_false(is_open());
    assert_int_equal(rig->keeps, 0);
    rig_set_time(rig);
    rig_run(rig, 300000);
    assert_true(is_open());
    assert_int_equal(rig->keeps, 1);
    assert_in_range(rig->kept_s, RIG_UTC, RIG_UTC + 300);
}

static void a_time_below_the_floor_is_refused_and_said_once(void **state)
{
    (void)state;
    rig_run(rig, 100);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(sl_node_set_time(&rig->node, rig->now, RIG_UTC - 86401, 0), SL_REFUSED);
        rig_run(rig, 1000);
    }
    assert_int_equal(rig->dials, 0);
    assert_int_equal(rig_logged(rig, SL_LOG_TIME_REFUSED), 1);
    rig_set_time(rig);
    rig_run(rig, 100);
    assert_true(is_open());
    assert_int_equal(rig_logged(rig, SL_LOG_TIME_KNOWN), 1);
}

static void sntp_gives_the_time(void **state)
{
    struct sl_node_config config;
    uint8_t seed[SL_NODE_SEED_LEN] = {3}, answer[SL_SNTP_LEN] = {0};
    (void)state;
    config = rig->node.config;
    config.use_sntp = true;
    assert_int_equal(sl_node_init(&rig->node, rig->now, &config, seed), SL_OK);
    rig_run(rig, 10);
    struct sl_view request = sl_node_sntp_peek(&rig->node);
    assert_int_equal(request.len, SL_SNTP_LEN);
    memcpy(answer + 24, request.data + 40, 8); /* our transmit timestamp comes back as origin */
    sl_node_sntp_sent(&rig->node);
    answer[0] = 0x24; /* no leap warning, version 4, server */
    answer[1] = 2;    /* stratum */
    uint32_t ntp_s = (uint32_t)(RIG_UTC + UINT64_C(2208988800));
    for (int i = 0; i < 4; i++)
        answer[32 + i] = answer[40 + i] = answer[16 + i] = (uint8_t)(ntp_s >> (24 - 8 * i));
    answer[39] = answer[47] = 1;
    uint8_t lie[SL_SNTP_LEN];
    memcpy(lie, answer, sizeof lie);
    lie[24] ^= 1; /* not our request */
    sl_node_sntp_feed(&rig->node, rig->now, (struct sl_view){lie, sizeof lie});
    rig_run(rig, 10);
    assert_int_equal(rig->dials, 0);
    sl_node_sntp_feed(&rig->node, rig->now, (struct sl_view){answer, sizeof answer});
    rig_run(rig, 100);
    assert_int_equal(rig->dials, 1);
    assert_non_null(strstr(rig_last(rig, "report")->payload, "\"source\":\"sntp\""));
}

/* Dialling. */

static void an_unreachable_broker_is_given_up_after_15_s(void **state)
{
    (void)state;
    rig->is_unreachable = true;
    rig_set_time(rig);
    rig_run(rig, 14900);
    assert_int_equal(rig->hang_ups, 0);
    rig_run(rig, 200);
    assert_int_equal(rig->hang_ups, 1);
    assert_last_error("dial time-out 15");
    assert_int_equal(rig_logged_a(rig, SL_LOG_DIAL_TIMEOUT), 15);
}

static void a_refused_dial_is_tried_again_with_back_off(void **state)
{
    (void)state;
    rig->dial_error = ECONNREFUSED;
    rig_set_time(rig);
    rig_run(rig, 20);
    assert_int_equal(rig_logged_a(rig, SL_LOG_DIAL_FAILED), ECONNREFUSED);
    assert_int_equal(rig->hang_ups, 0); /* there is nothing to hang up */
    rig_run(rig, 3600000);
    /* Pauses of 2.5 min on average once the ceiling is reached. */
    assert_in_range(rig->dials, 20, 60);
    rig->dial_error = 0;
    rig_run(rig, 301000);
    assert_true(is_open());
    char want[32];
    snprintf(want, sizeof want, "dial %d", ECONNREFUSED);
    assert_non_null(strstr(rig_last(rig, "report")->payload, want));
}

/* TLS. */

static void a_silent_handshake_is_given_up_after_30_s(void **state)
{
    (void)state;
    rig->is_frozen = true;
    rig_set_time(rig);
    rig_run(rig, 29900);
    assert_int_equal(rig->hang_ups, 0);
    rig_run(rig, 300);
    assert_int_equal(rig->hang_ups, 1);
    assert_last_error("tls time-out 30");
}

static void a_broker_of_another_authority_is_refused(void **state)
{
    struct test_pki foreign;
    (void)state;
    test_pki_make(&foreign, (int64_t)RIG_UTC);
    rig->server_options.certificate = &foreign.server;
    test_tls_server_init(&rig->server, &rig->server_options);
    rig_set_time(rig);
    rig_run(rig, 20);
    assert_int_equal(rig->hang_ups, 1);
    assert_int_equal(rig->connects, 0);
    assert_int_equal(rig_logged_a(rig, SL_LOG_TLS_FAILED), BR_ERR_X509_NOT_TRUSTED);
    assert_last_error("tls 62");
    rig_run(rig, 60000);
    assert_int_equal(rig->connects, 0);
    test_pki_free(&foreign);
}

static void garbage_instead_of_tls_is_refused(void **state)
{
    static const uint8_t garbage[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    (void)state;
    rig->is_frozen = true;
    rig_set_time(rig);
    rig_run(rig, 10);
    for (struct sl_view hello; (hello = sl_node_peek(&rig->node, rig->now)).len > 0;)
        sl_node_sent(&rig->node, rig->now, hello.len);
    assert_true(sl_node_feed(&rig->node, rig->now, garbage, sizeof garbage - 1) > 0);
    rig_turn(rig);
    assert_int_equal(rig_logged(rig, SL_LOG_TLS_FAILED), 1);
    assert_int_equal(rig->hang_ups, 1);
}

static void the_second_session_is_resumed(void **state)
{
    (void)state;
    assert_non_null(strstr(rig_last(rig, "report")->payload, "\"tls\":\"full\""));
    rig_kick(rig);
    assert_last_error("lost");
    rig_run(rig, 2000);
    assert_true(is_open());
    assert_non_null(strstr(rig_last(rig, "report")->payload, "\"tls\":\"resumed\""));
    assert_non_null(strstr(rig_last(rig, "report")->payload, "\"connects\":2"));
}

static void a_session_that_fails_to_resume_is_dropped(void **state)
{
    (void)state;
    rig->is_frozen = true;
    rig_break_line(rig, ECONNRESET);
    rig_run(rig, 40000);
    assert_last_error("tls time-out 30");
    assert_false(rig->node.connection.session.is_valid);
    rig->is_frozen = false;
    rig_run(rig, 40000);
    assert_true(is_open());
    assert_non_null(strstr(rig_last(rig, "report")->payload, "\"tls\":\"full\""));
}

/* A broker that resumes, and then refuses what a full handshake might mend. */
static void a_resumed_session_that_does_not_open_is_dropped(void **state)
{
    (void)state;
    rig->connack = 0x87; /* not authorized */
    rig_break_line(rig, ECONNRESET);
    for (int i = 0; i < 200 && rig->node.connection.trouble.kind != SL_TROUBLE_REFUSED; i++)
        rig_run(rig, 10);
    assert_last_error("connack 135");
    assert_true(rig->node.connection.is_resumed);
    assert_false(rig->node.connection.session.is_valid);
    rig->connack = 0;
    rig_run(rig, 40000);
    assert_true(is_open());
    assert_non_null(strstr(rig_last(rig, "report")->payload, "\"tls\":\"full\""));
}

static void an_old_session_is_not_resumed(void **state)
{
    (void)state;
    rig_run(rig, SL_CONNECTION_SESSION_MS - 1000);
    assert_true(rig->node.connection.session.is_valid);
    rig_run(rig, 2000);
    assert_false(rig->node.connection.session.is_valid);
}

/* MQTT. */

static void no_connack_in_10_s(void **state)
{
    (void)state;
    rig->mutes_connack = true;
    rig_set_time(rig);
    rig_run(rig, 9900);
    assert_int_equal(rig->hang_ups, 0);
    rig_run(rig, 200);
    assert_int_equal(rig->hang_ups, 1);
    assert_last_error("connack time-out 10");
    rig->mutes_connack = false;
    rig_run(rig, 1000);
    assert_int_equal(rig->connect.level, 5); /* silence says nothing about the version */
}

static void half_a_connack_in_10_s(void **state)
{
    (void)state;
    rig->mutes_connack = true;
    rig_set_time(rig);
    rig_run(rig, 20);
    test_mqtt_peer_raw(&rig->peer, (const uint8_t[]){0x20, 0x03, 0x00}, 3);
    rig_run(rig, 10100);
    assert_int_equal(rig->hang_ups, 1);
    assert_last_error("connack time-out 10");
}

static void no_suback_in_10_s(void **state)
{
    (void)state;
    rig->mutes_suback = true;
    rig_set_time(rig);
    rig_run(rig, 9900);
    assert_int_equal(rig->hang_ups, 0);
    rig_run(rig, 200);
    assert_int_equal(rig->hang_ups, 1);
    assert_last_error("suback time-out 10");
    assert_int_equal(rig_count(rig, "availability"), 0); /* never online without its ears */
}

static void a_refused_subscription_is_a_failure(void **state)
{
    (void)state;
    rig->suback = 0x87;
    rig_set_time(rig);
    rig_run(rig, 50);
    assert_int_equal(rig->hang_ups, 1);
    assert_last_error("suback 135");
    assert_int_equal(rig_logged_a(rig, SL_LOG_SUBSCRIBE_REFUSED), 0x87);
    assert_int_equal(rig_count(rig, "availability"), 0);
}

static void a_refused_session_has_its_reason(void **state)
{
    (void)state;
    rig->connack = 0x87;
    rig_set_time(rig);
    rig_run(rig, 50);
    assert_last_error("connack 135");
    assert_int_equal(rig_logged_a(rig, SL_LOG_REFUSED_CONNECT), 0x87);
    rig->connack = 0;
    rig_run(rig, 2000);
    assert_int_equal(rig->connect.level, 5);
    assert_true(is_open());
}

static void a_broker_of_3_1_1_that_says_so_is_remembered(void **state)
{
    (void)state;
    rig->level_only = 4;
    rig_set_time(rig);
    rig_run(rig, 1100);
    assert_true(is_open());
    assert_int_equal(rig->connects, 2);
    assert_int_equal(rig->connect.level, 4);
    assert_int_equal(rig->connect.connect_flags & 0x3E, 0x2E);
    assert_non_null(strstr(rig_last(rig, "report")->payload, "\"mqtt\":3"));
    rig_say(rig, "zone/on", "2 120");
    rig_run(rig, 100);
    assert_int_equal(rig_pins(rig), 0x04);
    rig_say(rig, "zone/on", "9 120");
    assert_int_equal(rig_count(rig, "refused"), 1);
    rig_kick(rig);
    rig_run(rig, 3000);
    assert_int_equal(rig->connects, 3);
    assert_int_equal(rig->connect.level, 4);
    assert_true(is_open());
}

/* Old brokers refuse protocol level 5 in the CONNACK of 3.1.1, which has no properties. */
static void a_refusal_in_the_old_format_is_understood(void **state)
{
    (void)state;
    rig->mutes_connack = true;
    rig_set_time(rig);
    rig_run(rig, 10);
    assert_int_equal(rig->connect.level, 5);
    test_mqtt_peer_raw(&rig->peer, (const uint8_t[]){0x20, 0x02, 0x00, 0x01}, 4);
    rig->mutes_connack = false;
    rig->level_only = 4;
    rig_run(rig, 1100);
    assert_int_equal(rig->connects, 2);
    assert_int_equal(rig->connect.level, 4);
    assert_true(is_open());
}

static void a_broker_that_closes_gets_the_other_version(void **state)
{
    (void)state;
    rig->closes_connect = true;
    rig_set_time(rig);
    rig_run(rig, 10);
    assert_int_equal(rig->connect.level, 5);
    while (rig->connects < 2)
        rig_run(rig, 100);
    assert_int_equal(rig->connect.level, 4);
    while (rig->connects < 3)
        rig_run(rig, 100);
    assert_int_equal(rig->connect.level, 5);
    rig->closes_connect = false;
    while (!is_open())
        rig_run(rig, 100);
}

static void a_restart_at_a_bad_moment_does_not_cost_mqtt_5(void **state)
{
    (void)state;
    rig->closes_connect = true;
    rig_kick(rig);
    while (rig->connects < 2)
        rig_run(rig, 100);
    rig->closes_connect = false;
    while (!is_open())
        rig_run(rig, 100);
    assert_int_equal(rig->connect.level, 5);
    rig->closes_connect = true; /* but the third time in a row is a sign */
    rig_kick(rig);
    unsigned before = rig->connects;
    while (rig->connects < before + 3)
        rig_run(rig, 100);
    assert_int_equal(rig->connect.level, 5);
    while (rig->connects < before + 4)
        rig_run(rig, 100);
    assert_int_equal(rig->connect.level, 4);
}

/* An open session that goes wrong. */

static void a_disconnect_has_its_reason(void **state)
{
    (void)state;
    water();
    test_mqtt_peer_disconnect(&rig->peer, 0x8E);
    rig_turn(rig);
    assert_last_error("disconnect 142");
    assert_int_equal(rig_logged_a(rig, SL_LOG_DROPPED), 0x8E);
    assert_water_ends(100);
}

static void a_broken_protocol_ends_the_session(void **state)
{
    (void)state;
    test_mqtt_peer_raw(&rig->peer, (const uint8_t[]){0x00, 0x00}, 2);
    rig_turn(rig);
    assert_int_equal(rig_logged(rig, SL_LOG_PROTOCOL), 1);
    assert_true(rig->has_disconnect);
    assert_true(rig->disconnect >= 0x80);
    rig_run(rig, 2000);
    assert_true(is_open());
}

static void half_a_packet_and_silence_end_by_keep_alive(void **state)
{
    (void)state;
    rig->mutes_pingresp = true;
    test_mqtt_peer_raw(&rig->peer, (const uint8_t[]){0x30, 0x7F, 0x00}, 3);
    rig_run(rig, 29000);
    assert_int_equal(rig->hang_ups, 0);
    rig_run(rig, 12000);
    assert_int_equal(rig->hang_ups, 1);
    assert_int_equal(rig_logged(rig, SL_LOG_KEEP_ALIVE), 1);
    assert_true(rig->pings >= 1);
}

static void half_a_packet_does_not_hold_a_zone_up(void **state)
{
    (void)state;
    water();
    test_mqtt_peer_raw(&rig->peer, (const uint8_t[]){0x30, 0x7F, 0x00}, 3);
    assert_water_ends(0);
    rig_run(rig, 30000); /* the state's PUBACK became part of the half packet */
    assert_int_equal(rig->hang_ups, 1);
    assert_int_equal(rig_logged(rig, SL_LOG_PUBACK_TIMEOUT), 1);
    assert_true(is_open());
    assert_string_equal(rig_last(rig, "zone/2/state")->payload, "OFF");
}

static void a_stopped_broker_is_given_up_and_the_zone_ends(void **state)
{
    (void)state;
    water();
    rig->is_frozen = true; /* SIGSTOP */
    assert_water_ends(0);
    rig_run(rig, 60000);
    assert_true(rig->hang_ups >= 1);
    rig->is_frozen = false;
    rig_run(rig, 60000);
    assert_true(is_open());
    assert_string_equal(rig_last(rig, "zone/2/state")->payload, "OFF");
}

static void a_line_that_takes_nothing_is_given_up(void **state)
{
    (void)state;
    rig->is_deaf = true;
    rig_say(rig, "zone/status", "");
    rig_run(rig, 19000);
    assert_int_equal(rig->hang_ups, 0);
    rig_run(rig, 2000);
    assert_int_equal(rig->hang_ups, 1);
    assert_int_equal(rig_logged(rig, SL_LOG_PUBACK_TIMEOUT), 1);
}

static void a_line_that_takes_nothing_is_noticed_when_idle(void **state)
{
    (void)state;
    rig->is_deaf = true;
    rig_run(rig, 29000);
    assert_int_equal(rig->hang_ups, 0);
    rig_run(rig, 12000);
    assert_int_equal(rig->hang_ups, 1);
    assert_int_equal(rig_logged(rig, SL_LOG_KEEP_ALIVE), 1);
}

static void a_broker_that_acknowledges_nothing_is_given_up(void **state)
{
    (void)state;
    rig->mutes_puback = true;
    rig_say(rig, "zone/on", "2 120");
    rig_run(rig, 19000);
    assert_int_equal(rig->hang_ups, 0);
    rig_run(rig, 2000);
    assert_int_equal(rig->hang_ups, 1);
    assert_int_equal(rig_logged(rig, SL_LOG_PUBACK_TIMEOUT), 1);
    assert_int_equal(rig_pins(rig), 0x04);
}

static void a_refused_message_is_logged(void **state)
{
    (void)state;
    rig->puback = 0x87;
    rig_say(rig, "zone/on", "9 1");
    rig_run(rig, 100);
    assert_true(rig_logged(rig, SL_LOG_PUBLISH_REFUSED) >= 1);
    assert_true(is_open());
}

static void offline_the_zone_ends_and_the_state_follows(void **state)
{
    (void)state;
    water();
    rig->dial_error = ENETUNREACH;
    rig_break_line(rig, ECONNRESET);
    assert_true(rig->is_will_due);
    char want[32];
    snprintf(want, sizeof want, "lost %d", ECONNRESET);
    assert_last_error(want);
    assert_water_ends(0);
    rig_forget(rig);
    rig->dial_error = 0;
    rig_run(rig, 301000);
    assert_true(is_open());
    assert_string_equal(rig_last(rig, "availability")->payload, "online");
    assert_string_equal(rig_last(rig, "zone/2/state")->payload, "OFF");
    assert_int_equal(rig_count(rig, "zone/2/state"), 1);
}

static void connect_then_kick_backs_off_too(void **state)
{
    (void)state;
    for (unsigned kicks = 0; kicks < 12; kicks++) {
        while (!is_open())
            rig_run(rig, 50);
        rig_kick(rig);
    }
    assert_int_equal(rig->node.connection.backoff.ceiling_ms, SL_BACKOFF_MAX_MS);
    while (!is_open())
        rig_run(rig, 1000);
    rig_run(rig, 50000);
    assert_int_equal(rig->node.connection.backoff.ceiling_ms, SL_BACKOFF_MAX_MS);
    rig_run(rig, 11000);
    assert_int_equal(rig->node.connection.backoff.ceiling_ms, SL_BACKOFF_FIRST_MS);
}

static void answers_of_a_lost_session_are_not_sent_in_the_next(void **state)
{
    (void)state;
    rig->is_chip_cut = true;
    rig_ask(rig, "zone/off", "2", "site/answer");
    rig_kick(rig);
    rig->is_chip_cut = false;
    rig_run(rig, 3000);
    assert_true(is_open());
    assert_int_equal(rig_count(rig, "=site/answer"), 0);
    assert_int_equal(rig_count(rig, "refused"), 0);
}

/* After its end a session says nothing more, whatever comes in. */
static void nothing_after_the_end(void **state)
{
    uint8_t noise[300];
    (void)state;
    rig_kick(rig);
    rig_forget(rig);
    memset(noise, 0x30, sizeof noise);
    assert_int_equal(sl_node_feed(&rig->node, rig->now, noise, sizeof noise), sizeof noise);
    sl_node_hung_up(&rig->node, rig->now, EIO);
    sl_node_dialled(&rig->node, rig->now);
    struct sl_node_event event;
    assert_false(sl_node_next(&rig->node, rig->now, &event));
    assert_int_equal(sl_node_peek(&rig->node, rig->now).len, 0);
}

/* The laws: one story, told with every cut, with ticks too many, and by clocks about to wrap. */

static void tell_story(sl_ms at, size_t cut, bool ticks_extra)
{
    rig->pki = pki;
    rig_start(rig, at);
    rig->cut = cut;
    rig->ticks_extra = ticks_extra;
    rig_run(rig, 100);
    rig_set_time(rig);
    rig_run(rig, 100);
    rig_ask(rig, "zone/on", "2 120", "site/answer");
    rig_run(rig, 20000);
    rig_ask(rig, "zone/on", "9 120", "site/answer");
    rig_ask(rig, "zone/on", "5 3", "site/answer");
    rig_run(rig, 5000);
    test_mqtt_peer_publish(&rig->peer, &(struct test_mqtt_publish){.topic = RIG_BASE "/zone/on",
                                                                   .payload = sl_view_text("1 30"),
                                                                   .qos = 1});
    test_mqtt_peer_disconnect(&rig->peer, 0x8B);
    rig_run(rig, 100);
    rig->is_chip_cut = true;
    rig_run(rig, 3000);
    rig->is_chip_cut = false;
    rig_run(rig, 40000);
    sl_node_stop(&rig->node, rig->now);
    rig_run(rig, 4000);
}

static void the_laws_hold(void **state)
{
    static const struct {
        sl_ms at;
        size_t cut;
        bool ticks_extra;
    } ways[] = {
        {1000, 1, false},
        {1000, 2, false},
        {1000, 7, true},
        {1000, 64, false},
        {1000, 700, true},
        {0xFFFFFFFF - 50, 0, true},
        {0xFFFFFFFF - 20000, 0, false},
        {0xFFFFFFFF - 30000, 5, false},
        {0x7FFFFFFF - 150, 0, true},
    };
    (void)state;
    tell_story(1000, 0, false);
    size_t heard_len = rig->heard_len, logs_len = rig->logs_len;
    struct rig_heard *heard = malloc(heard_len * sizeof *heard);
    struct sl_log_event *logs = malloc(logs_len * sizeof *logs);
    assert_true(heard != NULL && logs != NULL);
    memcpy(heard, rig->heard, heard_len * sizeof *heard);
    memcpy(logs, rig->logs, logs_len * sizeof *logs);
    assert_true(rig->has_finished);
    assert_true(heard_len > 30 && logs_len > 10);
    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
        tell_story(ways[way].at, ways[way].cut, ways[way].ticks_extra);
        assert_true(rig->has_finished);
        for (size_t i = 0; i < logs_len && i < rig->logs_len; i++) {
            assert_int_equal(rig->logs[i].code, logs[i].code);
            assert_int_equal(rig->logs[i].a, logs[i].a);
        }
        assert_int_equal(rig->logs_len, logs_len);
        for (size_t i = 0; i < heard_len && i < rig->heard_len; i++) {
            assert_string_equal(rig->heard[i].topic, heard[i].topic);
            assert_string_equal(rig->heard[i].payload, heard[i].payload);
        }
        assert_int_equal(rig->heard_len, heard_len);
    }
    free(heard);
    free(logs);
}

static void bad_configurations_do_not_start(void **state)
{
    const uint8_t seed[SL_NODE_SEED_LEN] = {1};
    struct sl_node_config config = rig->node.config, bad;
    struct sl_identity identity = rig->identity;
    (void)state;
    bad = config;
    bad.lease_ms = 0;
    assert_int_equal(sl_node_init(&rig->node, 0, &bad, seed), SL_BAD_ARGUMENT);
    bad = config;
    bad.limits.at_once = 9;
    assert_int_equal(sl_node_init(&rig->node, 0, &bad, seed), SL_BAD_ARGUMENT);
    bad = config;
    identity.private_key.len = 31;
    bad.identity = &identity;
    assert_int_equal(sl_node_init(&rig->node, 0, &bad, seed), SL_BAD_ARGUMENT);
    assert_int_equal(sl_node_init(&rig->node, 0, &config, seed), SL_OK);
}

int main(void)
{
#define FROM_START(name)   cmocka_unit_test_setup(name, start)
#define FROM_SESSION(name) cmocka_unit_test_setup(name, connect)
    const struct CMUnitTest tests[] = {
        FROM_START(nothing_is_dialled_before_the_time_is_known),
        FROM_START(a_time_that_no_broker_confirms_is_not_kept),
        FROM_START(a_time_below_the_floor_is_refused_and_said_once),
        FROM_START(sntp_gives_the_time),
        FROM_START(an_unreachable_broker_is_given_up_after_15_s),
        FROM_START(a_refused_dial_is_tried_again_with_back_off),
        FROM_START(a_silent_handshake_is_given_up_after_30_s),
        FROM_START(a_broker_of_another_authority_is_refused),
        FROM_START(garbage_instead_of_tls_is_refused),
        FROM_SESSION(the_second_session_is_resumed),
        FROM_SESSION(a_session_that_fails_to_resume_is_dropped),
        FROM_SESSION(a_resumed_session_that_does_not_open_is_dropped),
        FROM_SESSION(an_old_session_is_not_resumed),
        FROM_START(no_connack_in_10_s),
        FROM_START(half_a_connack_in_10_s),
        FROM_START(no_suback_in_10_s),
        FROM_START(a_refused_subscription_is_a_failure),
        FROM_START(a_refused_session_has_its_reason),
        FROM_START(a_broker_of_3_1_1_that_says_so_is_remembered),
        FROM_START(a_refusal_in_the_old_format_is_understood),
        FROM_START(a_broker_that_closes_gets_the_other_version),
        FROM_SESSION(a_restart_at_a_bad_moment_does_not_cost_mqtt_5),
        FROM_SESSION(a_disconnect_has_its_reason),
        FROM_SESSION(a_broken_protocol_ends_the_session),
        FROM_SESSION(half_a_packet_and_silence_end_by_keep_alive),
        FROM_SESSION(half_a_packet_does_not_hold_a_zone_up),
        FROM_SESSION(a_stopped_broker_is_given_up_and_the_zone_ends),
        FROM_SESSION(a_line_that_takes_nothing_is_given_up),
        FROM_SESSION(a_line_that_takes_nothing_is_noticed_when_idle),
        FROM_SESSION(a_broker_that_acknowledges_nothing_is_given_up),
        FROM_SESSION(a_refused_message_is_logged),
        FROM_SESSION(offline_the_zone_ends_and_the_state_follows),
        FROM_SESSION(connect_then_kick_backs_off_too),
        FROM_SESSION(answers_of_a_lost_session_are_not_sent_in_the_next),
        FROM_SESSION(nothing_after_the_end),
        FROM_START(the_laws_hold),
        FROM_START(bad_configurations_do_not_start),
    };
#undef FROM_START
#undef FROM_SESSION
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
