/* Who says what, and what breaks when. */
#include "simulation/random.h"
#include "simulation/world.h"

#include <errno.h>
#include <stdio.h>

#define BURST_MAX    3
#define ACKS_OWED    4 /* the node's receive maximum */
#define LONGEST_S    SL_ZONE_LONGEST_S
#define STALL_MAX_MS 15000 /* longer than the chip's lease */

static void begin(struct sim_world *world, enum sim_trouble trouble);
static void end(struct sim_world *world, enum sim_trouble trouble);
static void kick(struct sim_world *world);
static void cut_line(struct sim_world *world, int32_t error);
static void say_something(struct sim_world *world);
static void break_something(struct sim_world *world);

static uint32_t below(struct sim_world *world, uint32_t limit)
{
    return sim_random_below(&world->fate.random, limit);
}

static bool chance(struct sim_world *world, uint32_t permille)
{
    return sim_random_chance(&world->fate.random, permille);
}

static void plan(struct sim_world *world)
{
    struct sim_fate *fate = &world->fate;
    fate->wake_at = fate->next_at;
    for (int trouble = 0; trouble < SIM_TROUBLES; trouble++)
        if ((fate->active & SIM_BIT(trouble)) != 0 && fate->ends_at[trouble] < fate->wake_at)
            fate->wake_at = fate->ends_at[trouble];
}

void sim_fate_init(struct sim_world *world, uint64_t seed, const struct sim_pace *pace)
{
    world->fate = (struct sim_fate){.pace = *pace, .random = seed, .next_at = 10000};
    plan(world);
}

void sim_fate_tick(struct sim_world *world)
{
    struct sim_fate *fate = &world->fate;
    if (world->ms < fate->wake_at)
        return;
    for (int trouble = 0; trouble < SIM_TROUBLES; trouble++)
        if ((fate->active & SIM_BIT(trouble)) != 0 && world->ms >= fate->ends_at[trouble])
            end(world, (enum sim_trouble)trouble);
    if (world->ms >= fate->next_at) {
        fate->next_at = world->ms + 1 + below(world, 2 * fate->pace.event_ms);
        if (chance(world, 700))
            say_something(world);
        else
            break_something(world);
    }
    plan(world);
}

/* Troubles. */

static void spoil_wires(struct sim_world *world)
{
    const struct sim_fate *fate = &world->fate;
    struct sim_wires wires = {
        .noise = (fate->active & SIM_BIT(SIM_WIRES_NOISY)) != 0 ? 300 : 0,
        .loss = (fate->active & SIM_BIT(SIM_WIRES_LOSSY)) != 0 ? 400 : 0,
        .is_cut = (fate->active & SIM_BIT(SIM_WIRES_CUT)) != 0,
    };
    world->chip->set_wires(world->chip, &wires);
}

/* What one trouble means, when it comes and when it goes. */
static void apply(struct sim_world *world, enum sim_trouble trouble, bool is_there)
{
    struct rig *rig = &world->rig;
    switch (trouble) {
    case SIM_WIRES_NOISY:
    case SIM_WIRES_LOSSY:
    case SIM_WIRES_CUT:
        spoil_wires(world);
        break;
    case SIM_CHIP_DARK:
        world->chip->fail(world->chip, is_there ? SIM_CHIP_POWER_OFF : SIM_CHIP_POWER_ON);
        sim_judge_chip_reset(world);
        break;
    case SIM_NODE_STALLED:
        world->stalls_in_exchange = is_there && chance(world, 500);
        world->is_asleep = is_there && !world->stalls_in_exchange;
        break;
    case SIM_BROKER_DOWN:
        rig->dial_error = is_there ? ECONNREFUSED : 0;
        if (!is_there && rig->line == RIG_CLOSED) { /* it came back with an empty memory */
            static const uint8_t levels[] = {0, 0, 0, 4, 5};
            uint8_t level = levels[below(world, 5)];
            world->judge.is_version_new |= level != rig->level_only;
            rig->level_only = level;
            test_tls_server_init(&rig->server, &rig->server_options);
        }
        break;
    case SIM_BROKER_AWAY:
        rig->is_unreachable = is_there;
        break;
    case SIM_BROKER_FROZEN:
        rig->is_frozen = is_there;
        break;
    case SIM_BROKER_DEAF:
        rig->is_deaf = is_there;
        break;
    case SIM_BROKER_MUTE_CONNACK:
        rig->mutes_connack = is_there;
        break;
    case SIM_BROKER_MUTE_SUBACK:
        rig->mutes_suback = is_there;
        break;
    case SIM_BROKER_MUTE_PUBACK:
        rig->mutes_puback = is_there;
        break;
    case SIM_BROKER_MUTE_PINGRESP:
        rig->mutes_pingresp = is_there;
        break;
    case SIM_TROUBLES:
        break;
    }
}

static void begin(struct sim_world *world, enum sim_trouble trouble)
{
    struct sim_fate *fate = &world->fate;
    uint32_t longest = fate->pace.trouble_ms;
    if ((fate->active & SIM_BIT(trouble)) != 0)
        return;
    if (trouble == SIM_NODE_STALLED && longest > STALL_MAX_MS)
        longest = STALL_MAX_MS;
    if (chance(world, 500)) /* short ones matter as much */
        longest = longest / 20 + 1;
    fate->active |= SIM_BIT(trouble);
    fate->ends_at[trouble] = world->ms + 1 + below(world, longest);
    apply(world, trouble, true);
    if ((SIM_BIT(trouble) & SIM_LINK_TROUBLES) != 0)
        sim_judge_link_bad(world);
    if ((trouble == SIM_BROKER_DOWN || trouble == SIM_BROKER_AWAY) && !world->is_asleep)
        cut_line(world, chance(world, 500) ? ECONNRESET : 0);
}

static void end(struct sim_world *world, enum sim_trouble trouble)
{
    bool is_owing = trouble == SIM_BROKER_MUTE_PUBACK;
    if (is_owing && world->is_asleep) {
        world->fate.ends_at[trouble] = world->ms + 1;
        return;
    }
    if ((SIM_BIT(trouble) & SIM_LINK_TROUBLES) != 0)
        sim_judge_link_bad(world);
    world->fate.active &= ~SIM_BIT(trouble);
    apply(world, trouble, false);
    if (is_owing) /* what it never acknowledged goes with the session */
        kick(world);
}

static void fail_chip(struct sim_world *world)
{
    static const enum sim_chip_fault faults[] = {SIM_CHIP_RESET, SIM_CHIP_BROWN_OUT, SIM_CHIP_HANG};
    if ((world->fate.active & SIM_BIT(SIM_CHIP_DARK)) != 0)
        return;
    world->chip->fail(world->chip, faults[below(world, 3)]);
    world->counts.chip_faults++;
    sim_judge_chip_reset(world);
}

static void kick(struct sim_world *world)
{
    sim_judge_broker_bad(world);
    if (world->rig.line == RIG_OPEN)
        rig_kick(&world->rig);
    sim_world_settle(world);
}

static void cut_line(struct sim_world *world, int32_t error)
{
    sim_judge_broker_bad(world);
    rig_break_line(&world->rig, error);
    sim_world_settle(world);
}

/* At once, as after a crash, or in order. */
static void restart_node(struct sim_world *world)
{
    uint8_t at_once = (uint8_t)(chance(world, 700) ? 1 : 2 + below(world, 2));
    if (world->ms >= world->fate.pace.restarts_until_ms)
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
        kick(world);
    } else if (what < 74) {
        cut_line(world, ECONNRESET);
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

static void send(struct sim_world *world, const char *tail, struct test_mqtt_publish publish,
                 struct sim_asked asked)
{
    struct rig *rig = &world->rig;
    char topic[160];
    snprintf(topic, sizeof topic, RIG_BASE "/%s", tail);
    publish.topic = topic;
    world->fate.acks_owed += publish.qos;
    sim_judge_asked(world, asked);
    test_mqtt_peer_publish(&rig->peer, &publish);
}

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
        return 1 + below(world, world->fate.pace.watering_s);
    }
}

static void say_good(struct sim_world *world)
{
    char payload[32] = "", tail[32];
    uint32_t zone = below(world, SL_ZONES), seconds = some_seconds(world);
    uint8_t bit = (uint8_t)(1u << zone);
    struct sim_asked on = {SIM_ASKED_ON, bit, seconds, "on"};
    struct sim_asked off = {SIM_ASKED_OFF, bit, 0, "off"};
    struct sim_asked all = {SIM_ASKED_OFF, 0xFF, 0, "all off"};
    struct sim_asked status = {SIM_ASKED_STATUS, 0, 0, "status"};
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
    send(world, tail, message(world, sl_view_text(payload)), asked);
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
    send(world, tail, publish, (struct sim_asked){SIM_ASKED_NONSENSE, 0, 0, what});
}

/* Only to a node that is there and hears it now: what is sent while it is away is never carried
 * out, and the judge counts from the moment of sending. */
static void say_something(struct sim_world *world)
{
    const uint32_t in_the_way = SIM_BIT(SIM_BROKER_FROZEN) | SIM_BIT(SIM_NODE_STALLED);
    struct rig *rig = &world->rig;
    if ((world->fate.active & in_the_way) != 0 || rig->line != RIG_OPEN ||
        rig->node.connection.stage != SL_CONNECTION_OPEN)
        return;
    for (uint32_t burst = chance(world, 100) ? BURST_MAX : 1; burst > 0; burst--) {
        if (rig->acks + ACKS_OWED <= world->fate.acks_owed)
            break;
        if (chance(world, 150))
            say_nonsense(world);
        else
            say_good(world);
    }
    rig_turn(rig);
    sim_world_settle(world);
}
