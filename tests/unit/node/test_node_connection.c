/* The way to the broker, and what becomes of it: every wait ends, every failure has its words, and
 * the zones do not care. */
#include "bench.h"

#include <errno.h>
#include <stdio.h>

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
        assert_int_equal(sl_node_set_time(&rig->node, rig->now, RIG_UTC - 2 * 86400 - 1, 0),
                         SL_REFUSED);
        rig_run(rig, 1000);
    }
    assert_int_equal(rig->dials, 0);
    assert_int_equal(rig_logged(rig, SL_LOG_TIME_REFUSED), 1);
    rig_set_time(rig);
    rig_run(rig, 100);
    assert_true(is_open());
    assert_int_equal(rig_logged(rig, SL_LOG_TIME_KNOWN), 1);
}

/* The floor was stored a day ahead: the node works, and the floor waits. A jump out of the hold
 * counts only after a broker has stood behind it in a handshake of its own. */
static void a_time_just_below_the_floor_is_held(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(sl_node_set_time(&rig->node, rig->now, RIG_UTC - 2 * 86400, 0), SL_OK);
        rig_run(rig, 60000);
    }
    assert_true(is_open());
    assert_int_equal(rig_logged(rig, SL_LOG_TIME_HELD), 1);
    assert_int_equal(rig->keeps, 0);
    assert_int_equal(sl_node_set_time(&rig->node, rig->now, RIG_UTC + 3650 * 86400, 0), SL_OK);
    rig_run(rig, 3600000);
    assert_true(is_open());
    assert_int_equal(rig->keeps, 0);
}

/* Told by the floor before any source has spoken, and once. */
static void an_ended_certificate_is_told(void **state)
{
    (void)state;
    rig->identity.not_after_s = RIG_UTC - 86400; /* its last second is the floor's */
    rig_boot(rig);
    rig_run(rig, 60000);
    assert_int_equal(rig_logged(rig, SL_LOG_CERTIFICATE_ENDED), 0);
    assert_false(sl_node_health(&rig->node).has_ended);
    rig_set_time(rig);
    rig_run(rig, 60000);
    assert_int_equal(rig_logged(rig, SL_LOG_CERTIFICATE_ENDED), 1);
    assert_true(sl_node_health(&rig->node).has_ended);

    rig->identity.not_after_s = RIG_UTC - 86401;
    rig_boot(rig);
    rig_run(rig, 60000);
    assert_int_equal(rig_logged(rig, SL_LOG_CERTIFICATE_ENDED), 2);
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

/* Dialling, and a broker that says nothing. */

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

/* An open session that goes wrong. */

static void a_disconnect_has_its_reason(void **state)
{
    (void)state;
    water();
    test_mqtt_peer_disconnect(&rig->peer, 0x8E);
    rig_turn(rig);
    assert_int_equal(rig->hang_ups, 1);
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
    assert_int_equal(rig->hang_ups, 1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        FROM_START(nothing_is_dialled_before_the_time_is_known),
        FROM_START(a_time_that_no_broker_confirms_is_not_kept),
        FROM_START(a_time_below_the_floor_is_refused_and_said_once),
        FROM_START(a_time_just_below_the_floor_is_held),
        FROM_START(an_ended_certificate_is_told),
        FROM_START(sntp_gives_the_time),
        FROM_START(an_unreachable_broker_is_given_up_after_15_s),
        FROM_START(a_refused_dial_is_tried_again_with_back_off),
        FROM_START(a_silent_handshake_is_given_up_after_30_s),
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
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
