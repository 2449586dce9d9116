/* Master and chip through hundreds of minutes of bad luck, with the safety rules checked at every
 * millisecond. A failure names its seed; the story depends on nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/link/wire.h"
#include <string.h>

#if defined SEEDS /* a slow processor's test sets fewer */
#elif defined __SANITIZE_ADDRESS__
#define SEEDS 80
#else
#define SEEDS 600
#endif
#define STORY_MS 60000

#define LATE_MS      300  /* how much later than asked a zone may end: the promise */
#define DELAY_MAX_MS 40   /* of the wire */
#define ASK_MS       1500 /* a pin comes on within this after its command, or never */
#define CALM_MS      2500 /* after this long without faults everything is as it should be */

struct story {
    struct test_wire wire;
    struct test_wire dice;
    uint32_t seed;
    uint32_t ms;
    sl_ms calm_since;
    /* The model: what people asked for. */
    bool is_on[SL_ZONES];       /* the last command is on, and nothing has ended it */
    sl_ms asked_at[SL_ZONES];   /* the last command */
    sl_ms due_at[SL_ZONES];     /* its end */
    sl_ms latest_end[SL_ZONES]; /* of all commands that a chip may still be following */
    bool has_end[SL_ZONES];
    uint8_t waiting;           /* commands without an answer */
    uint8_t seen_on, seen_off; /* pin levels since the command */
    uint8_t pins;
    uint32_t confirmed, unconfirmed, ended, resets, downs;
};

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("seed %u, ms %u, zone %d: %s", (unsigned)story->seed, (unsigned)story->ms,    \
                     zone, #condition);                                                            \
    } while (0)

static uint32_t roll(struct story *story, uint32_t below)
{
    return test_wire_random(&story->dice, below);
}

static void command(struct story *story)
{
    struct test_wire *wire = &story->wire;
    uint8_t zone = (uint8_t)roll(story, SL_ZONES);
    uint8_t mask = (uint8_t)(1u << zone);
    uint32_t ms = 1 + roll(story, roll(story, 2) ? 2000 : 20000);

    if (roll(story, 4) == 0) {
        sl_master_switch_off(&wire->master, wire->now, mask);
        story->is_on[zone] = false;
    } else if (sl_master_switch_on(&wire->master, wire->now, zone, wire->now + ms) == SL_OK) {
        story->is_on[zone] = true;
        story->due_at[zone] = wire->now + ms;
        if (!story->has_end[zone] || sl_ms_is_reached(wire->now + ms, story->latest_end[zone]))
            story->latest_end[zone] = wire->now + ms;
        story->has_end[zone] = true;
    } else {
        return;
    }
    story->asked_at[zone] = wire->now;
    story->waiting |= mask;
    story->seen_on &= (uint8_t)~mask;
    story->seen_off &= (uint8_t)~mask;
}

static uint16_t some_loss(struct story *story)
{
    const uint16_t losses[] = {0, 0, 50, 300, 700, 1000};
    return losses[roll(story, 6)];
}

static void change_luck(struct story *story)
{
    struct test_wire *wire = &story->wire;
    wire->is_node_asleep = false;
    wire->faults = (struct test_faults){0};
    uint32_t luck = roll(story, 10);
    if (luck < 3)
        return;
    story->calm_since = wire->now; /* moved on while the trouble lasts */
    if (luck == 3) {
        wire->is_node_asleep = true;
    } else if (luck == 4) {
        test_wire_reset_chip(wire, (uint8_t)(1u << roll(story, 4)));
    } else if (luck == 5) {
        test_wire_restart_node(wire); /* it knows no command any more */
        story->waiting = 0;
    } else {
        wire->faults.mosi_loss = some_loss(story);
        wire->faults.miso_loss = some_loss(story);
        wire->faults.mosi_noise = some_loss(story);
        wire->faults.miso_noise = some_loss(story);
        wire->faults.delay_max_ms = (uint16_t)roll(story, DELAY_MAX_MS);
    }
}

static void pull(struct story *story)
{
    struct sl_link_event event;
    while (test_wire_pull(&story->wire, &event)) {
        for (int zone = 0; zone < SL_ZONES; zone++) {
            uint8_t mask = (uint8_t)(1u << zone);
            if ((event.zones & mask) == 0)
                continue;
            if (event.kind == SL_LINK_CONFIRMED) {
                CHECK(story->waiting & mask);
                CHECK((story->is_on[zone] ? story->seen_on : story->seen_off) & mask);
                story->waiting &= (uint8_t)~mask;
                story->confirmed++;
            } else if (event.kind == SL_LINK_UNCONFIRMED || event.kind == SL_LINK_ENDED) {
                story->waiting &= (uint8_t)~mask;
                story->is_on[zone] = false;
                story->unconfirmed += event.kind == SL_LINK_UNCONFIRMED;
                story->ended += event.kind == SL_LINK_ENDED;
            }
        }
        story->resets += event.kind == SL_LINK_CHIP_RESET;
        story->downs += event.kind == SL_LINK_DOWN;
    }
}

/* The rules. */
static void check(struct story *story)
{
    struct test_wire *wire = &story->wire;
    sl_ms now = wire->now;
    uint8_t pins = test_wire_pins(wire);
    uint8_t risen = pins & (uint8_t)~story->pins;
    bool is_calm = sl_ms_is_reached(now, story->calm_since + CALM_MS);

    story->pins = pins;
    story->seen_on |= pins;
    story->seen_off |= (uint8_t)~pins;
    for (int zone = 0; zone < SL_ZONES; zone++) {
        uint8_t mask = (uint8_t)(1u << zone);
        /* A command is answered in bounded time. */
        if ((story->waiting & mask) && !wire->is_node_asleep && is_calm)
            CHECK(now - story->asked_at[zone] < ASK_MS);
        if (pins & mask) {
            /* No output is on that was not asked for, and none later than asked. */
            CHECK(story->has_end[zone]);
            CHECK(!sl_ms_is_reached(now, story->latest_end[zone] + LATE_MS));
            /* Without an applied order nothing outlives the lease. */
            CHECK(now - wire->applied_at <= SL_LINK_LEASE_MS + 5);
        }
        /* A pin comes on for a fresh command only, and before its end. */
        if (risen & mask) {
            CHECK(now - story->asked_at[zone] <= ASK_MS);
            CHECK(!sl_ms_is_reached(now, story->due_at[zone] + DELAY_MAX_MS + 2));
        }
        if (is_calm && !wire->is_node_asleep && now - story->asked_at[zone] > 50) {
            bool is_wanted = (wire->master.wanted & mask) != 0;
            bool is_ending = sl_master_remaining_ms(&wire->master, now, (uint8_t)zone) < 60;
            CHECK(wire->master.is_up);
            CHECK(is_wanted || !(pins & mask) || !sl_ms_is_reached(now, story->due_at[zone] + 10));
            CHECK(!is_wanted || (pins & mask) || is_ending);
            /* After calm, a chip follows only commands that still stand. */
            if (!(pins & mask))
                story->has_end[zone] = story->is_on[zone];
        }
    }
}

static struct story live(uint32_t seed)
{
    struct story whole = {.seed = seed};
    struct story *story = &whole;
    test_wire_init(&story->wire, UINT32_MAX - seed * 97, seed);
    test_wire_init(&story->dice, 0, seed + 4711);
    story->calm_since = story->wire.now;
    story->wire.clock_permille = (uint16_t)(900 + roll(story, 201));
    uint32_t next_command = 0, next_luck = 0;
    for (story->ms = 0; story->ms < STORY_MS; story->ms++) {
        if (story->ms >= next_luck) {
            change_luck(story);
            next_luck = story->ms + 500 + roll(story, roll(story, 3) ? 5000 : 15000);
        }
        if (story->ms >= next_command && !story->wire.is_node_asleep) {
            command(story);
            next_command = story->ms + 1 + roll(story, 3000);
        }
        const struct test_faults none = {0};
        if (story->wire.is_node_asleep || memcmp(&story->wire.faults, &none, sizeof none) != 0)
            story->calm_since = story->wire.now;
        test_wire_step(&story->wire);
        pull(story);
        check(story);
    }
    return whole;
}

static void bad_luck_breaks_no_rule(void **state)
{
    (void)state;
    struct story sum = {0};
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        struct story story = live(seed);
        sum.confirmed += story.confirmed;
        sum.unconfirmed += story.unconfirmed;
        sum.ended += story.ended;
        sum.resets += story.resets;
        sum.downs += story.downs;
    }
    print_message("%d minutes: %u confirmed, %u unconfirmed, %u ended, %u resets, %u times down\n",
                  SEEDS, (unsigned)sum.confirmed, (unsigned)sum.unconfirmed, (unsigned)sum.ended,
                  (unsigned)sum.resets, (unsigned)sum.downs);
    /* The stories must have been interesting. */
    assert_true(sum.confirmed > SEEDS * 5u && sum.unconfirmed > SEEDS && sum.ended > SEEDS * 2u);
    assert_true(sum.resets > SEEDS / 4 && sum.downs > SEEDS);
}

static void on_a_good_wire_ends_are_sharp(void **state)
{
    (void)state;
    for (uint16_t permille = 900; permille <= 1100; permille = (uint16_t)(permille + 50)) {
        for (uint32_t seed = 1; seed <= 200; seed++) {
            struct test_wire wire;
            test_wire_init(&wire, UINT32_MAX - 1000, seed);
            wire.clock_permille = permille;
            test_wire_run(&wire, 100 + test_wire_random(&wire, 250));
            sl_ms due = wire.now + 300 + test_wire_random(&wire, 3000);
            assert_int_equal(sl_master_switch_on(&wire.master, wire.now, 2, due), SL_OK);
            test_wire_run(&wire, 10);
            while (test_wire_pins(&wire))
                test_wire_run(&wire, 1);
            assert_true(sl_ms_is_reached(wire.now, due - 50));
            assert_true(sl_ms_is_reached(due + 5, wire.now));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_luck_breaks_no_rule),
        cmocka_unit_test(on_a_good_wire_ends_are_sharp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
