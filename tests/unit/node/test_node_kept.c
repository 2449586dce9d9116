/* What a node keeps over restarts: TLS session, known server, counters; and what makes it forget.
 */
#include "bench.h"

static const char *handshake(void)
{
    static const char *const names[] = {"full", "known", "resumed"};

    return is_open() ? names[rig->node.connection.handshake] : "none";
}

static void restart(uint32_t pause_s)
{
    const uint64_t unix_s = RIG_UTC + rig->now / 1000 + pause_s;

    rig->now += pause_s * 1000;
    rig_boot(rig);
    assert_int_equal(sl_node_set_time(&rig->node, rig->now, unix_s, 0), SL_OK);
    rig_run(rig, 5000);
}

/* The broker forgets every session, as one that was started again. */
static void restart_broker(void)
{
    test_tls_server_init(&rig->server, &rig->server_options);
}

static void the_session_outlasts_a_restart(void **state)
{
    (void)state;
    assert_string_equal(handshake(), "full");
    restart(60);
    assert_string_equal(handshake(), "resumed");
    restart(60);
    assert_string_equal(handshake(), "resumed");
}

static void a_session_that_the_broker_forgot_falls_back(void **state)
{
    (void)state;
    restart_broker();
    restart(60);
    assert_string_equal(handshake(), "known");
    restart(60);
    assert_string_equal(handshake(), "resumed"); /* the new one */
}

/* Two hours after its full handshake, however often it was resumed. */
static void an_old_session_is_not_resumed_after_a_restart(void **state)
{
    (void)state;
    restart(3600);
    assert_string_equal(handshake(), "resumed");
    restart(SL_KEPT_SESSION_S - 3600 - 30);
    assert_string_equal(handshake(), "resumed");
    restart(60);
    assert_string_equal(handshake(), "known");
}

static void a_session_from_the_future_is_not_resumed(void **state)
{
    (void)state;
    rig_boot(rig);
    /* Within the clock's rules: the kept time, but before the handshake in the log. */
    sl_keep_time(&rig->records, RIG_UTC - 100);
    rig_run(rig, 10);
    rig_boot(rig);
    assert_int_equal(sl_node_set_time(&rig->node, rig->now, RIG_UTC - 50, 0), SL_OK);
    rig_run(rig, 5000);
    assert_string_equal(handshake(), "known");
}

static void no_session_outlasts_the_servers_certificate(void **state)
{
    static struct test_cert brief;
    const struct test_cert_options options = {.key = TEST_KEY_P256,
                                              .purpose = TEST_PURPOSE_SERVER,
                                              .common_name = "broker.test",
                                              .dns = "broker.test",
                                              .not_before_s = (int64_t)RIG_UTC - 86400,
                                              .not_after_s = (int64_t)RIG_UTC + 600,
                                              .issuer = &rig->pki.ca};

    (void)state;
    test_cert_make(&brief, &options);
    rig_start(rig, 1000);
    rig->server_options.certificate = &brief;
    restart_broker();
    rig_set_time(rig);
    rig_run(rig, 1000);
    assert_string_equal(handshake(), "full");
    restart(500);
    assert_string_equal(handshake(), "resumed");
    restart(120);
    assert_string_equal(handshake(), "none");
    assert_last_error("tls 54"); /* expired, and said so */
    assert_false(has_session());
    test_cert_free(&brief);
}

static void an_expired_session_leaves_flash_while_the_node_runs(void **state)
{
    (void)state;
    restart(60);
    assert_string_equal(handshake(), "resumed");
    rig_run(rig, (SL_KEPT_SESSION_S - 60 - 20) * 1000u);
    assert_true(has_session());
    rig_run(rig, 40000);
    assert_false(has_session());
    assert_true(is_open()); /* the connection goes on */
}

static void another_identity_forgets_session_and_server(void **state)
{
    (void)state;
    const struct sl_identity was = rig->identity;
    static uint8_t certificate[TEST_CERT_MAX], point[TEST_POINT_LEN];

    for (unsigned change = 0; change < 4; change++) {
        rig->identity = was;
        rig_start(rig, 1000);
        rig_set_time(rig);
        rig_run(rig, 1000);
        assert_true(has_session());
        assert_int_equal(sl_kept_known(&rig->records).len, 1);
        struct sl_identity *identity = &rig->identity;
        if (change == 1) {
            identity->server_name = sl_view_text("broker.test.example");
        } else if (change == 2) { /* any other bytes: it is not used before the handshake */
            memcpy(certificate, identity->certificate.data, identity->certificate.len);
            certificate[identity->certificate.len - 1] ^= 1;
            identity->certificate.data = certificate;
        } else if (change == 3) {
            memcpy(point, identity->anchors[0].point.data, sizeof point);
            point[64] ^= 1;
            identity->anchors[0].point.data = point;
        }
        rig_boot(rig);
        rig_turn(rig);
        assert_int_equal(has_session(), change == 0);
        assert_int_equal(sl_kept_known(&rig->records).len, change == 0);
        test_flash_read(&rig->flash, &rig->records); /* in flash, too */
        assert_int_equal(has_session(), change == 0);
        assert_int_equal(sl_kept_known(&rig->records).len, change == 0);
    }
    rig->identity = was;
}

static void an_unchanged_server_is_known(void **state)
{
    (void)state;
    rig->server_options.has_cache = false;
    restart_broker();
    const unsigned programs = rig->flash.programs;
    restart(60);
    assert_string_equal(handshake(), "known");
    assert_non_null(strstr(rig_last(rig, "report")->payload, "\"tls\":\"known\""));
    assert_true(rig->flash.programs > programs);
    rig_kick(rig);
    rig_run(rig, 5000);
    assert_string_equal(handshake(), "known"); /* in the same run */
}

static void a_renewed_certificate_is_verified_once(void **state)
{
    static struct test_cert renewed;
    const struct test_cert_options options = {.key = TEST_KEY_P256,
                                              .purpose = TEST_PURPOSE_SERVER,
                                              .common_name = "broker.test",
                                              .dns = "broker.test",
                                              .not_before_s = (int64_t)RIG_UTC - 86400,
                                              .not_after_s = (int64_t)RIG_UTC + 86400,
                                              .issuer = &rig->pki.ca};

    (void)state;
    test_cert_make(&renewed, &options);
    rig->server_options.certificate = &renewed;
    rig->server_options.has_cache = false;
    restart_broker();
    restart(60);
    assert_string_equal(handshake(), "full");
    restart(60);
    assert_string_equal(handshake(), "known");
    test_cert_free(&renewed);
}

static void counters_go_on(void **state)
{
    (void)state;
    rig_say(rig, "zone/on", "2 60");
    rig_run(rig, 3600 * 1000 + 1000); /* kept each hour */
    restart(60);
    struct sl_counters counters = sl_node_health(&rig->node).counters;
    assert_int_equal(counters.starts, 2);
    assert_int_equal(counters.sessions, 2);
    assert_int_equal(counters.handshakes, 1);
    assert_int_equal(counters.switched, 1);
    assert_int_equal(rig_logged_a(rig, SL_LOG_STARTED), 2);
    sl_node_stop(&rig->node, rig->now);
    rig_run(rig, 5000); /* and at the end */
    restart(60);
    counters = sl_node_health(&rig->node).counters;
    assert_int_equal(counters.starts, 3);
    assert_int_equal(counters.sessions, 3);
}

static void flash_that_fails_is_told_and_costs_nothing_else(void **state)
{
    struct sl_records_op op;

    (void)state;
    rig->now += 3600 * 1000;
    sl_node_tick(&rig->node, rig->now); /* the hour's time is to be kept */
    while (sl_records_next(&rig->records, &op))
        sl_records_did(&rig->records, false);
    rig_run(rig, 1000);
    assert_int_equal(rig_logged(rig, SL_LOG_NOT_KEPT), 1);
    assert_true(is_open());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FROM_SESSION(the_session_outlasts_a_restart),
        FROM_SESSION(a_session_that_the_broker_forgot_falls_back),
        FROM_SESSION(an_old_session_is_not_resumed_after_a_restart),
        FROM_SESSION(a_session_from_the_future_is_not_resumed),
        FROM_SESSION(no_session_outlasts_the_servers_certificate),
        FROM_SESSION(an_expired_session_leaves_flash_while_the_node_runs),
        FROM_SESSION(another_identity_forgets_session_and_server),
        FROM_SESSION(an_unchanged_server_is_known),
        FROM_SESSION(a_renewed_certificate_is_verified_once),
        FROM_SESSION(counters_go_on),
        FROM_SESSION(flash_that_fails_is_told_and_costs_nothing_else),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
