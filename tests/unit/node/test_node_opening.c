/* From the first byte of TLS to an open MQTT session: every wait ends, every failure has its words.
 */
#include "bench.h"

#include <errno.h>

/* TLS. */

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
    assert_false(has_session());
    rig->is_frozen = false;
    rig_run(rig, 40000);
    assert_true(is_open());
    assert_non_null(strstr(rig_last(rig, "report")->payload, "\"tls\":\"known\""));
}

/* A broker that resumes, and then refuses what a full handshake might mend. */
static void a_resumed_session_that_does_not_open_is_dropped(void **state)
{
    (void)state;
    rig->connack = 0x87; /* not authorized */
    rig_break_line(rig, ECONNRESET);
    for (int i = 0; i < 200 && rig->node.connection.trouble.kind != SL_TROUBLE_REFUSED; i++)
        rig_run(rig, 10);
    assert_int_equal(rig->hang_ups, 1);
    assert_last_error("connack 135");
    assert_int_equal(rig->node.connection.handshake, SL_HANDSHAKE_RESUMED);
    assert_false(has_session());
    rig->connack = 0;
    rig_run(rig, 40000);
    assert_true(is_open());
    assert_non_null(strstr(rig_last(rig, "report")->payload, "\"tls\":\"known\""));
}

static void an_old_session_is_not_resumed(void **state)
{
    (void)state;
    rig_run(rig, SL_KEPT_SESSION_S * 1000 - 1000);
    assert_true(has_session());
    rig_run(rig, 2000);
    assert_false(has_session());
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
    assert_int_equal(rig->hang_ups, 1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
