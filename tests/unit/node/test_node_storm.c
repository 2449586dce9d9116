/* A storm: commands good and bad, a broker that kicks, stalls, lies and vanishes, a link that is
 * cut and noisy, chips and nodes that restart, in random order. Whatever happens: no zone is on
 * that nobody asked for, none longer than asked for, never two at once; and when the storm is over
 * everything works again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "rig.h"

#define STEP_MS 100 /* between two looks at the pins */
#define LATE_MS 300 /* a zone may end so much later than asked for */
#define ACTIONS 1500
#ifndef STORMS /* a slow processor's test sets fewer */
#define STORMS 4
#endif

static struct rig *rig;
static struct test_pki pki;
static uint32_t random_state;
static bool is_asked[SL_ZONES];
static sl_ms end_at[SL_ZONES]; /* of the zones asked for */
static unsigned watered, sessions;

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

static uint32_t below(uint32_t limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % limit;
}

/* What the node has accepted since the last look counts as asked for. */
static void take_logs(void)
{
    for (size_t i = 0; i < rig->logs_len; i++) {
        const struct sl_log_event *log = &rig->logs[i];
        if (log->code == SL_LOG_ZONE_ON) {
            is_asked[log->a] = true;
            end_at[log->a] = rig->now + (uint32_t)log->b * 1000;
            watered++;
        }
        sessions += log->code == SL_LOG_CONNECTED;
    }
    rig_forget(rig);
}

static void look(void)
{
    uint8_t pins = rig_pins(rig);
    take_logs();
    assert_int_equal(pins & (pins - 1), 0); /* one at a time */
    for (unsigned zone = 0; zone < SL_ZONES; zone++) {
        if (is_asked[zone] && sl_ms_is_reached(rig->now, end_at[zone] + LATE_MS))
            is_asked[zone] = false;
        if ((pins >> zone & 1) != 0 && !is_asked[zone])
            fail_msg("zone %u is on and should not be", zone);
    }
}

static void go(uint32_t ms)
{
    for (; ms > STEP_MS; ms -= STEP_MS) {
        rig_run(rig, STEP_MS);
        look();
    }
    rig_run(rig, ms);
    look();
}

static void command(void)
{
    char payload[32], tail[32];
    switch (below(6)) {
    case 0:
    case 1:
        snprintf(payload, sizeof payload, "%u %u", below(8), 1 + below(60));
        rig_ask(rig, "zone/on", payload, below(2) == 0 ? NULL : "site/answer");
        break;
    case 2:
        snprintf(payload, sizeof payload, "%u %u", below(12), below(20000));
        rig_say(rig, "zone/on", payload);
        break;
    case 3:
        snprintf(tail, sizeof tail, "zone/%u/set", below(9));
        snprintf(payload, sizeof payload, "%u", below(30));
        rig_ask(rig, tail, payload, "site/answer");
        break;
    case 4:
        rig_say(rig, "zone/off", below(2) == 0 ? "all" : "3");
        break;
    default:
        rig_say(rig, "zone/status", "");
        break;
    }
}

static void raw_noise(void)
{
    uint8_t noise[64];
    size_t len = 1 + below(sizeof noise);
    for (size_t i = 0; i < len; i++)
        noise[i] = (uint8_t)below(256);
    test_mqtt_peer_raw(&rig->peer, noise, len);
    rig_turn(rig);
}

static void trouble(void)
{
    switch (below(16)) {
    case 0:
        rig_kick(rig);
        break;
    case 1:
        rig_break_line(rig, ECONNRESET);
        break;
    case 2:
        rig->is_frozen = !rig->is_frozen;
        break;
    case 3:
        rig->is_deaf = !rig->is_deaf;
        break;
    case 4:
        rig->dial_error = rig->dial_error == 0 ? ECONNREFUSED : 0;
        break;
    case 5:
        rig->mutes_connack = !rig->mutes_connack;
        break;
    case 6:
        rig->mutes_puback = !rig->mutes_puback;
        break;
    case 7:
        rig->level_only = rig->level_only == 0 ? 4 : 0;
        break;
    case 8:
        rig->closes_connect = !rig->closes_connect;
        break;
    case 9:
        raw_noise();
        break;
    case 10:
    case 11:
        rig->is_chip_cut = !rig->is_chip_cut;
        break;
    case 12:
        rig_reset_chip(rig, (uint8_t)(1u << below(4)));
        break;
    case 13:
        rig->cut = below(3) == 0 ? 1 + below(40) : 0;
        break;
    case 14:
        rig_boot(rig);
        rig_run(rig, below(50));
        rig_set_time(rig);
        break;
    default:
        test_mqtt_peer_disconnect(&rig->peer, (uint8_t)(0x80 + below(0x22)));
        rig_turn(rig);
        break;
    }
}

static void heal(void)
{
    rig->is_frozen = rig->is_deaf = rig->mutes_connack = rig->mutes_puback = false;
    rig->closes_connect = rig->is_chip_cut = false;
    rig->dial_error = 0;
    rig->level_only = 0;
}

static void safe_in_every_storm(void **state)
{
    (void)state;
    for (unsigned storm = 0; storm < STORMS; storm++) {
        random_state = 20261122 + storm;
        memset(is_asked, 0, sizeof is_asked);
        rig->pki = pki;
        rig_connect(rig, storm % 2 == 0 ? 1000 : 0xFFFFFFFF - 600000);
        for (unsigned action = 0; action < ACTIONS; action++) {
            uint32_t what = below(10);
            if (what < 5)
                command();
            else if (what < 7)
                trouble();
            else if (what < 8)
                heal();
            look();
            go(below(8) == 0 ? below(40000) : below(2000));
        }
        heal();
        go(2 * SL_BACKOFF_MAX_MS);
        assert_int_equal(rig->node.connection.stage, SL_CONNECTION_OPEN);
        rig_ask(rig, "zone/on", "6 5", rig->connect.level == 5 ? "site/answer" : NULL);
        rig_run(rig, 100);
        assert_int_equal(rig_pins(rig), 0x40);
        assert_string_equal(rig_last(rig, "zone/6/state")->payload, "ON");
        if (rig->connect.level == 5)
            assert_non_null(strstr(rig_last(rig, "=site/answer")->payload, "\"done\""));
        rig_run(rig, 5500);
        assert_string_equal(rig_last(rig, "zone/6/state")->payload, "OFF");
        assert_int_equal(rig_pins(rig), 0);
    }
    printf("%u zones switched on in %u sessions\n", watered, sessions);
    assert_true(watered > 50 * STORMS);
    assert_true(sessions > 12 * STORMS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(safe_in_every_storm),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
