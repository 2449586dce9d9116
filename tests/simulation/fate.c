/* Who says what, and what breaks when. */
#include "simulation/fate.h"
#include "simulation/random.h"

#include <errno.h>
#include <stdio.h>

#define BURST_MAX    3
#define ACKS_OWED    4 /* the node's receive maximum */
#define LONGEST_S    SL_ZONE_LONGEST_S
#define STALL_MAX_MS 15000 /* longer than the chip's lease */

static void say_something(struct sim_world *world);
static void break_something(struct sim_world *world);

static struct {
    struct sim_pace pace;
    uint64_t next_at; /* of the next event */
} fate;

static uint32_t below(struct sim_world *world, uint32_t limit)
{
    return sim_random_below(&world->random, limit);
}

static bool chance(struct sim_world *world, uint32_t permille)
{
    return sim_random_chance(&world->random, permille);
}

static uint64_t wake_at(const struct sim_world *world)
{
    uint64_t trouble_at = sim_trouble_wake_at(world);
    return trouble_at < fate.next_at ? trouble_at : fate.next_at;
}

static void tick(struct sim_world *world)
{
    sim_trouble_tick(world);
    if (world->ms < fate.next_at)
        return;
    fate.next_at = world->ms + 1 + below(world, 2 * fate.pace.event_ms);
    if (chance(world, 700))
        say_something(world);
    else
        break_something(world);
}

const struct sim_driver *sim_fate(struct sim_world *world, const struct sim_pace *pace)
{
    static const struct sim_driver driver = {.wake_at = wake_at, .tick = tick};
    fate.pace = *pace;
    fate.next_at = 10000;
    world->is_broker_fickle = true;
    return &driver;
}

/* Troubles. */

static void begin(struct sim_world *world, enum sim_trouble trouble)
{
    bool is_node = trouble == SIM_NODE_STALLED || trouble == SIM_NODE_HOLDS;
    uint32_t longest = fate.pace.trouble_ms;
    if ((world->troubles.active & SIM_BIT(trouble)) != 0)
        return;
    if (is_node && longest > STALL_MAX_MS)
        longest = STALL_MAX_MS;
    if (chance(world, 500)) /* short ones matter as much */
        longest = longest / 20 + 1;
    sim_trouble_begin(world, trouble, 1 + below(world, longest));
    if ((trouble == SIM_BROKER_DOWN || trouble == SIM_BROKER_AWAY) && !world->is_asleep)
        sim_trouble_cut(world, chance(world, 500) ? ECONNRESET : 0);
}

static void fail_chip(struct sim_world *world)
{
    static const enum sim_chip_fault faults[] = {SIM_CHIP_RESET, SIM_CHIP_BROWN_OUT, SIM_CHIP_HANG};
    sim_trouble_chip(world, faults[below(world, 3)]);
}

/* At once, as after a crash, or in order. */
static void restart_node(struct sim_world *world)
{
    uint8_t at_once = (uint8_t)(chance(world, 700) ? 1 : 2 + below(world, 2));
    if (world->ms >= fate.pace.restarts_until_ms)
        return;
    if (chance(world, 700))
        sim_world_boot(world, at_once);
    else if (!world->is_stopping)
        sim_world_stop(world);
}

static void break_something(struct sim_world *world)
{
    uint32_t what = below(world, 100);
    if (world->is_asleep) /* nobody is there who could notice anything else */
        what = 90 + what % 10;
    if (what < 60) {
        begin(world, (enum sim_trouble)below(world, SIM_TROUBLES));
    } else if (what < 68) {
        sim_trouble_kick(world);
    } else if (what < 74) {
        sim_trouble_cut(world, ECONNRESET);
    } else if (what < 83) {
        restart_node(world);
    } else if (what < 90) {
        begin(world, (enum sim_trouble)below(world, SIM_BROKER_DOWN));
    } else if (what < 96) {
        fail_chip(world);
    } else {
        world->chip->set_oscillator(world->chip, (uint16_t)(900 + below(world, 201)));
    }
}

/* Commands. */

/* Whatever is said, it may want an answer. */
static struct test_mqtt_publish message(struct sim_world *world, struct sl_view payload)
{
    struct test_mqtt_publish publish = {.payload = payload, .qos = chance(world, 800) ? 1 : 0};
    if (chance(world, 500)) {
        publish.response_topic = "reply/operator";
        publish.correlation = sl_view_text("0123456789");
    }
    return publish;
}

static uint32_t some_seconds(struct sim_world *world)
{
    switch (below(world, 10)) {
    case 0:
        return 1 + below(world, 3);
    case 1:
        return chance(world, 200) ? LONGEST_S : LONGEST_S - below(world, 7200);
    case 2:
    case 3:
    case 4:
        return 1 + below(world, 60);
    default:
        return 1 + below(world, fate.pace.watering_s);
    }
}

static void say_good(struct sim_world *world)
{
    char payload[32] = "", tail[32];
    uint32_t zone = below(world, SL_ZONES), seconds = some_seconds(world);
    uint8_t bit = (uint8_t)(1u << zone);
    struct sim_asked on = {.kind = SIM_ASKED_ON, .zones = bit, .seconds = seconds, .payload = "on"};
    struct sim_asked off = {.kind = SIM_ASKED_OFF, .zones = bit, .seconds = 0, .payload = "off"};
    struct sim_asked all = {
        .kind = SIM_ASKED_OFF, .zones = 0xFF, .seconds = 0, .payload = "all off"};
    struct sim_asked status = {
        .kind = SIM_ASKED_STATUS, .zones = 0, .seconds = 0, .payload = "status"};
    struct sim_asked asked = on;

    snprintf(tail, sizeof tail, "zone/%u/set", zone);
    switch (below(world, 14)) {
    case 0:
        snprintf(payload, sizeof payload, "ON");
        asked.seconds = SL_ZONE_DEFAULT_S;
        break;
    case 1:
        snprintf(payload, sizeof payload, "OFF");
        asked = off;
        break;
    case 2:
        snprintf(payload, sizeof payload, " %u\t", seconds);
        break;
    case 3:
        snprintf(tail, sizeof tail, "zone/off");
        snprintf(payload, sizeof payload, "%u", zone);
        asked = off;
        break;
    case 4:
        snprintf(tail, sizeof tail, "zone/off");
        snprintf(payload, sizeof payload, chance(world, 500) ? "all" : "");
        asked = all;
        break;
    case 5:
        snprintf(tail, sizeof tail, "zone/on");
        snprintf(payload, sizeof payload, "%u 0", zone);
        asked = off;
        break;
    case 6:
        snprintf(tail, sizeof tail, "zone/status");
        asked = status;
        break;
    default:
        snprintf(tail, sizeof tail, "zone/on");
        snprintf(payload, sizeof payload, "%u  %05u", zone, seconds);
        break;
    }
    sim_world_say(world, tail, message(world, sl_view_text(payload)), asked);
}

static void say_nonsense(struct sim_world *world)
{
    static const struct {
        const char *tail, *payload;
    } nonsense[] = {
        {"zone/on", "9 120"},
        {"zone/on", "8 1"},
        {"zone/on", "two 120"},
        {"zone/on", "2 -5"},
        {"zone/on", "2 4294967297"},
        {"zone/on", "2 99999999999"},
        {"zone/on", "2 14401"},
        {"zone/on", ""},
        {"zone/on", "2"},
        {"zone/on", "2 120 "
                    "x"},
        {"zone/on", "2 1.5"},
        {"zone/on", "\x7f\x01\xff\xfe"},
        {"zone/off", "8"},
        {"zone/off", "ALL"},
        {"zone/3/set", "on"},
        {"zone/3/set", "-1"},
        {"zone/9/set", "ON"},
        {"zone/12/set", "ON"},
    };
    static const uint8_t zeros[4096];
    bool is_5 = world->rig.peer.level == 5;
    uint32_t which = below(world, sizeof nonsense / sizeof nonsense[0] + 5);
    struct test_mqtt_publish publish = message(world, sl_view_text("2 120"));
    const char *tail = "zone/on", *what = "2 120, but not to be carried out";

    switch (which) {
    case 0:
        publish.payload = (struct sl_view){zeros, sizeof zeros};
        what = "4 KB of zeros";
        break;
    case 1:
        publish.retain = true;
        break;
    case 2:
        publish.qos = 1;
        publish.dup = true;
        break;
    case 3:
        publish.has_expiry = true;
        publish.retain = !is_5;
        break;
    case 4:
        publish.response_topic = RIG_BASE "/zone/1/set";
        publish.retain = !is_5;
        break;
    default:
        tail = nonsense[which - 5].tail;
        what = nonsense[which - 5].payload;
        publish.payload = sl_view_text(what);
        break;
    }
    sim_world_say(world, tail, publish,
                  (struct sim_asked){.kind = SIM_ASKED_NONSENSE, .payload = what});
}

/* Only to a node that is there and hears it now: what is sent while it is away is never carried
 * out, and the judge counts from the moment of sending. */
static void say_something(struct sim_world *world)
{
    const uint32_t in_the_way =
        SIM_BIT(SIM_BROKER_FROZEN) | SIM_BIT(SIM_NODE_STALLED) | SIM_BIT(SIM_NODE_HOLDS);
    struct rig *rig = &world->rig;
    if ((world->troubles.active & in_the_way) != 0 || rig->line != RIG_OPEN ||
        rig->node.connection.stage != SL_CONNECTION_OPEN)
        return;
    for (uint32_t burst = chance(world, 100) ? BURST_MAX : 1; burst > 0; burst--) {
        if (rig->acks + ACKS_OWED <= world->acks_owed)
            break;
        if (chance(world, 150))
            say_nonsense(world);
        else
            say_good(world);
    }
    rig_turn(rig);
    sim_world_settle(world);
}
