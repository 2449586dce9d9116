/* The invariants. */
#include "simulation/judge.h"
#include "simulation/world.h"

#include "node/log_text.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_MS          UINT64_C(86400000)
#define FIRST_S         1     /* a zone conducts so long after it was asked for, at the latest */
#define MEMORY_SLACK    16384 /* what malloc keeps for itself of the judge's own JSON */
#define EARLY_MS        100   /* the chip counts fast between two orders */
#define RECONNECT_MS    (SL_BACKOFF_MAX_MS + SL_CONNECTION_TLS_MS + 10000)
#define CONDUCTS_MAX_MS (SL_SLAVE_HARD_LIMIT_MS / 9 * 10 + 1000)
#define ADOPT_MS        1000 /* a node that starts may cut that much from a zone that runs */
#define HARD_FIRST_MS   (SL_SLAVE_HARD_LIMIT_MS / 11 * 10 - 1000)

static void read_log(struct sim_world *world, const struct sl_log_event *event);
static void check_zones(struct sim_world *world);
static void check_quiet(struct sim_world *world);
static void check_session(struct sim_world *world);
static void check_bounds(const struct sim_world *world);
static void check_memory(struct sim_world *world);

void sim_judge_fail(const struct sim_world *world, const char *format, ...)
{
    uint64_t ms = world->ms;
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (world->judge.on_failure != NULL)
        world->judge.on_failure(world, text);
    fflush(stdout);
    fprintf(stderr, "simulation: day %u %02u:%02u:%02u.%03u: %s; again: %s\n",
            (unsigned)(ms / DAY_MS), (unsigned)(ms / 3600000 % 24), (unsigned)(ms / 60000 % 60),
            (unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000), text, world->judge.replay);
    exit(1);
}

void sim_trace(const struct sim_world *world, const char *format, ...)
{
    va_list arguments;
    if (!world->judge.traces)
        return;
    printf("%9.3f  ", (double)world->ms / 1000);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

static void trace_log(const struct sim_world *world, const struct sl_log_event *event)
{
    char text[SL_LOG_TEXT_MAX];
    if (!world->judge.traces)
        return;
    (void)sl_log_text(event, text, sizeof text);
    sim_trace(world, "node: %s", text);
}

void sim_judge_init(struct sim_world *world, const char *replay)
{
    world->judge = (struct sim_judge){.replay = replay, .at_once = 1};
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* What may be counted on. */

bool sim_judge_is_broker_well(const struct sim_world *world)
{
    return world->ms - world->judge.broker_bad_at >= SIM_QUIET_MS;
}

bool sim_judge_is_link_well(const struct sim_world *world)
{
    return world->ms - world->judge.link_bad_at >= SIM_SETTLE_MS &&
           world->ms - world->booted_at >= SIM_SETTLE_MS;
}

/* Limits. */

/* A new end for a zone. An earlier one than before reaches the chip only over good wires; else the
 * chip's lease does it. */
static void limit(struct sim_world *world, uint8_t zone, uint64_t end)
{
    struct sim_zone *judged = &world->judge.zones[zone];
    bool is_recent = judged->told_at + SIM_LEASE_MS + SIM_GRACE_MS > world->ms;
    judged->prior = is_recent ? greater(judged->prior, judged->limit) : judged->limit;
    judged->loose = end;
    if (end < judged->limit)
        judged->loose =
            lesser(judged->limit, greater(end, world->ms + SIM_LEASE_MS + SIM_GRACE_MS));
    judged->told_at = world->ms;
    judged->limit = sim_judge_is_link_well(world) ? end : judged->loose;
    judged->deadline = 0;
    world->judge.expected &= (uint8_t) ~(1u << zone);
}

static void limit_all(struct sim_world *world, uint8_t zones)
{
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        if ((zones >> zone & 1) != 0)
            limit(world, zone, world->ms + SIM_GRACE_MS);
}

static void grant(struct sim_world *world, uint8_t zone, uint32_t seconds)
{
    uint64_t deadline = world->ms + seconds * UINT64_C(1000);
    limit(world, zone, deadline + SIM_GRACE_MS);
    world->judge.zones[zone].may_start = true;
    if (!sim_judge_is_link_well(world))
        return;
    world->judge.zones[zone].deadline = deadline;
    world->judge.expected |= (uint8_t)(1u << zone);
}

void sim_judge_link_bad(struct sim_world *world)
{
    struct sim_judge *judge = &world->judge;
    judge->link_bad_at = world->ms;
    judge->expected = 0;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        struct sim_zone *judged = &judge->zones[zone];
        if (judged->told_at + SIM_GRACE_MS > world->ms && judged->limit < judged->loose)
            judged->limit = judged->loose;
    }
}

void sim_judge_held(struct sim_world *world, const uint8_t frame[SL_FRAME_LEN])
{
    struct sl_order order;
    if (sl_order_decode(frame, &order) != SL_OK || !order.apply)
        return;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        struct sim_zone *judged = &world->judge.zones[zone];
        uint64_t ordered_ms = order.remaining_units[zone] * UINT64_C(250);
        if (ordered_ms == 0 || judged->limit == 0)
            continue;
        judged->limit = greater(judged->limit, world->ms + SIM_GRACE_MS);
        judged->loose =
            greater(judged->loose, world->ms + lesser(ordered_ms, SIM_LEASE_MS) + SIM_GRACE_MS);
        judged->told_at = world->ms;
    }
}

/* A chip that is fresh once more looks to the node as if its last order was not heard: what was
 * asked for since the first reset is not running yet, and is carried out all the same. */
void sim_judge_chip_reset(struct sim_world *world)
{
    bool is_once_more = (world->rig.node.master.status.flags & SL_STATUS_FRESH) != 0;
    sim_judge_link_bad(world);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        struct sim_zone *judged = &world->judge.zones[zone];
        if (is_once_more && (world->judge.pins >> zone & 1) == 0)
            continue;
        judged->limit = judged->prior = judged->loose =
            lesser(judged->limit, world->ms + SIM_GRACE_MS);
    }
}

void sim_judge_pins_stuck(struct sim_world *world)
{
    sim_judge_link_bad(world);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        world->judge.zones[zone].may_start = true;
    sim_judge_pins(world, world->chip->pins(world->chip));
}

/* Zones that conduct, and must go on although the node forgets them: the chip remembers. */
static uint8_t survivors(const struct sim_world *world, uint8_t at_once)
{
    const struct sim_judge *judge = &world->judge;
    uint8_t kept = judge->expected & judge->pins;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        if (judge->zones[zone].told_at + SIM_QUIET_MS > world->ms ||
            judge->zones[zone].deadline < world->ms + ADOPT_MS)
            kept &= (uint8_t) ~(1u << zone);
    bool is_well = world->ms - judge->link_bad_at >= SIM_SETTLE_MS;
    return at_once == judge->at_once && is_well ? kept : 0;
}

/* A node that starts takes over what the chip still runs, and what it was told to end just before
 * may be among that. */
void sim_judge_node_start(struct sim_world *world, uint8_t at_once)
{
    struct sim_judge *judge = &world->judge;
    uint8_t kept = survivors(world, at_once);
    sim_judge_link_bad(world);
    judge->expected = kept;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        struct sim_zone *judged = &judge->zones[zone];
        if ((kept >> zone & 1) != 0)
            judged->deadline -= ADOPT_MS;
        if (judged->told_at + SIM_LEASE_MS + SIM_GRACE_MS > world->ms &&
            judged->limit < judged->prior && judged->limit == judged->loose)
            judged->limit = judged->prior;
    }
    judge->at_once_before = (uint8_t)greater(judge->at_once, judge->at_once_before);
    judge->at_once = at_once;
    judge->is_version_new = judge->is_version_new || world->rig.level_only != 0;
}

void sim_judge_node_stop(struct sim_world *world)
{
    struct sim_judge *judge = &world->judge;
    judge->closed_before_at = judge->closed_at;
    limit_all(world, 0xFF);
}

void sim_judge_broker_bad(struct sim_world *world)
{
    world->judge.broker_bad_at = world->judge.line_bad_at = world->ms;
}

void sim_judge_ordered(struct sim_world *world, uint64_t at)
{
    const uint32_t deaf = SIM_BIT(SIM_WIRES_CUT) | SIM_BIT(SIM_CHIP_DARK);
    if ((world->troubles.active & deaf) == 0)
        world->judge.ordered_at = at;
}

/* Pins. */

static unsigned count(uint8_t zones)
{
    unsigned ones = 0;
    for (; zones != 0; zones &= (uint8_t)(zones - 1))
        ones++;
    return ones;
}

void sim_judge_pins(struct sim_world *world, uint8_t seen)
{
    struct sim_judge *judge = &world->judge;
    uint8_t pins = world->chip->pins(world->chip);
    for (uint8_t zone = 0; seen >> zone != 0; zone++) {
        const struct sim_zone *judged = &judge->zones[zone];
        if ((seen >> zone & 1) == 0 || world->ms <= judged->limit)
            continue;
        if (judged->limit == 0)
            sim_judge_fail(world, "zone %d conducts, and nobody asked for it", zone);
        uint64_t late_ms = world->ms - judged->limit + SIM_GRACE_MS;
        sim_judge_fail(world, "zone %d conducts %lld ms past its end", zone, (long long)late_ms);
    }
    if (seen != 0 && world->ms > judge->ordered_at + SIM_LEASE_MS + SIM_GRACE_MS)
        sim_judge_fail(world, "zones 0x%02x conduct %lld ms after the last order", seen,
                       (long long)(world->ms - judge->ordered_at));
    if (pins == judge->pins)
        return;
    sim_trace(world, "pins 0x%02x", pins);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        struct sim_zone *judged = &judge->zones[zone];
        uint8_t bit = (uint8_t)(1u << zone);
        if ((pins & ~judge->pins & bit) != 0) {
            if (!judged->may_start)
                sim_judge_fail(world, "zone %d starts again by itself", zone);
            judged->may_start = false;
            judged->conducts_since = world->ms;
            world->counts.switched_on++;
        } else if ((judge->pins & ~pins & bit) != 0 && world->ms > judged->told_at + SIM_GRACE_MS) {
            judged->may_start = false; /* else the end of one watering met the start of the next */
        }
        if (((pins ^ judge->pins) & bit) != 0)
            judged->changed_at = world->ms;
        uint64_t conducted = world->ms - judged->conducts_since;
        if ((judge->pins & ~pins & bit) != 0 && conducted >= HARD_FIRST_MS)
            judge->expected &= (uint8_t)~bit; /* the chip's own limit, whatever was asked for */
    }
    judge->pins = pins;
    judge->pins_at = world->ms;
    if (count(pins) <= judge->at_once)
        judge->at_once_before = 0;
    if (count(pins) > greater(judge->at_once, judge->at_once_before))
        sim_judge_fail(world, "zones 0x%02x conduct together", pins);
}

/* What was asked, and what the node says it does about it. */

void sim_judge_asked(struct sim_world *world, struct sim_asked asked)
{
    struct sim_judge *judge = &world->judge;
    if (judge->asked_len == SIM_ASKED_MAX)
        sim_judge_fail(world, "%d commands are not settled", SIM_ASKED_MAX);
    judge->asked[judge->asked_len++] = asked;
    judge->answers_owed += asked.wants_answer;
    judge->asked_at = world->ms;
    world->counts.commands++;
    if (asked.kind == SIM_ASKED_NONSENSE) {
        world->counts.bad_commands++;
        judge->refusals_owed++;
    }
}

static void drop_oldest(struct sim_judge *judge)
{
    judge->asked_len--;
    memmove(judge->asked, judge->asked + 1, judge->asked_len * sizeof judge->asked[0]);
}

/* The oldest command that leaves a trace in the log; NULL: none. */
static const struct sim_asked *oldest(struct sim_judge *judge)
{
    while (judge->asked_len > 0 && judge->asked[0].kind == SIM_ASKED_STATUS)
        drop_oldest(judge);
    return judge->asked_len > 0 ? &judge->asked[0] : NULL;
}

/* A good command, only because the node cannot carry it out now. */
static bool may_refuse(const struct sim_world *world, enum sl_refusal refusal)
{
    return (refusal == SL_REFUSAL_LINK_DOWN && !sim_judge_is_link_well(world)) ||
           (refusal == SL_REFUSAL_STOPPING && world->is_stopping);
}

static void read_log(struct sim_world *world, const struct sl_log_event *event)
{
    struct sim_judge *judge = &world->judge;
    const struct sim_asked *asked;
    trace_log(world, event);
    switch (event->code) {
    case SL_LOG_ZONE_ON:
        asked = oldest(judge);
        if (asked == NULL || asked->kind != SIM_ASKED_ON || asked->zones != 1u << event->a ||
            asked->seconds != (uint32_t)event->b)
            sim_judge_fail(world, "zone %d on for %d s, asked was: %s", event->a, event->b,
                           asked == NULL ? "nothing" : asked->payload);
        grant(world, (uint8_t)event->a, (uint32_t)event->b);
        drop_oldest(judge);
        break;
    case SL_LOG_ZONE_OFF:
        limit_all(world, (uint8_t)event->a);
        asked = oldest(judge);
        if (asked != NULL && asked->kind == SIM_ASKED_OFF) {
            if (asked->zones != event->a)
                sim_judge_fail(world, "zones 0x%02x off, asked was 0x%02x", event->a, asked->zones);
            drop_oldest(judge);
        } else if (asked == NULL || asked->kind != SIM_ASKED_ON) { /* else it gave way */
            sim_judge_fail(world, "zones 0x%02x off, and nobody asked for it", event->a);
        }
        break;
    case SL_LOG_REFUSED:
        asked = oldest(judge);
        if (asked == NULL)
            sim_judge_fail(world, "refused what nobody asked");
        if (asked->kind != SIM_ASKED_NONSENSE && !may_refuse(world, (enum sl_refusal)event->a))
            sim_judge_fail(world, "refused for reason %d: %s", event->a, asked->payload);
        drop_oldest(judge);
        break;
    case SL_LOG_LINK_DOWN:
        world->counts.link_downs++;
        break;
    case SL_LOG_CONNECTED:
        world->counts.sessions++;
        break;
    default:
        break;
    }
}

/* After every turn. */

static bool is_open(const struct sim_world *world)
{
    return world->rig.line == RIG_OPEN && world->rig.node.connection.stage == SL_CONNECTION_OPEN;
}

/* What was said in the session before is void. */
static void forget_session(struct sim_world *world)
{
    struct sim_judge *judge = &world->judge;
    judge->session = world->rig.subscribes;
    judge->asked_len = 0;
    judge->refusals_owed = judge->answers_owed = 0;
    judge->known = 0;
    judge->closed_at = world->ms;
    world->acks_owed = world->rig.acks;
}

void sim_judge_turn(struct sim_world *world)
{
    struct rig *rig = &world->rig;
    struct sim_judge *judge = &world->judge;
    if ((world->troubles.active & SIM_LINK_TROUBLES) != 0)
        sim_judge_link_bad(world);
    if ((world->troubles.active & SIM_BROKER_TROUBLES) != 0 || world->is_asleep ||
        rig_is_stopped(rig) || rig->was_stopped)
        sim_judge_broker_bad(world);
    if (world->is_stopping)
        judge->broker_bad_at = world->ms;
    if (rig->line == RIG_CLOSED && rig->is_will_due)
        judge->is_online = false; /* the broker has published the will */
    unsigned packets = rig->connects + rig->subscribes + rig->pings + rig->acks;
    if (packets != judge->packets || rig->heard_len > 0)
        judge->heard_at = world->ms;
    judge->packets = packets;
    for (size_t i = 0; i < rig->logs_len; i++)
        read_log(world, &rig->logs[i]);
    if (!is_open(world) || rig->subscribes != judge->session)
        forget_session(world);
    for (size_t i = 0; i < rig->heard_len; i++)
        sim_judge_hear(world, &rig->heard[i]);
    rig_forget(rig);

    if (judge->expected != 0)
        check_zones(world);
    if (!world->is_asleep)
        check_session(world);
    check_quiet(world);
    check_bounds(world);
    if (world->ms - judge->checked_memory_at >= DAY_MS)
        check_memory(world);
}

/* All is well, so what was asked for happens. */
static void check_zones(struct sim_world *world)
{
    struct sim_judge *judge = &world->judge;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        const struct sim_zone *judged = &judge->zones[zone];
        uint8_t bit = (uint8_t)(1u << zone);
        if ((judge->expected & bit) == 0 || world->ms - judged->told_at < FIRST_S * 1000)
            continue;
        if (world->ms + EARLY_MS >= judged->deadline)
            judge->expected &= (uint8_t)~bit;
        else if ((judge->pins & bit) == 0)
            sim_judge_fail(world, "zone %d does not conduct, %lld ms before its end", zone,
                           (long long)(judged->deadline - world->ms));
        if (world->ms - judged->conducts_since > CONDUCTS_MAX_MS && (judge->pins & bit) != 0)
            sim_judge_fail(world, "zone %d conducts past the chip's hard limit", zone);
    }
}

static void check_session(struct sim_world *world)
{
    struct sim_judge *judge = &world->judge;
    uint64_t bad_at = greater(judge->broker_bad_at, world->booted_at);
    if (!is_open(world)) {
        if (world->ms - bad_at > (judge->is_version_new ? 2 : 1) * RECONNECT_MS)
            sim_judge_fail(world, "the broker has been there for %lld s, the node is not connected",
                           (long long)((world->ms - bad_at) / 1000));
        return;
    }
    if (world->ms - bad_at > RECONNECT_MS)
        judge->is_version_new = false;
    uint64_t heard_at = greater(greater(judge->heard_at, judge->broker_bad_at), judge->link_bad_at);
    uint32_t keep_alive_ms = world->rig.node.config.keep_alive_s * UINT32_C(1000);
    if (world->ms - heard_at > keep_alive_ms)
        sim_judge_fail(world, "the node was silent for %lld ms, the keep alive is %u",
                       (long long)(world->ms - heard_at), keep_alive_ms);
}

static void check_quiet(struct sim_world *world)
{
    const struct sim_judge *judge = &world->judge;
    if (!sim_judge_is_quiet(world))
        return;
    if (judge->known != 0xFF || judge->shown != judge->pins)
        sim_judge_fail(world, "retained states 0x%02x (known 0x%02x), pins 0x%02x", judge->shown,
                       judge->known, judge->pins);
    if (!world->rig.is_subscribed)
        sim_judge_fail(world, "connected, but not subscribed");
    if (!judge->is_online)
        sim_judge_fail(world, "connected, but availability does not say online");
    if (judge->asked_len > 0 && judge->asked[0].kind != SIM_ASKED_STATUS)
        sim_judge_fail(world, "never settled: %s", judge->asked[0].payload);
    if (judge->refusals_owed > 0)
        sim_judge_fail(world, "%u bad commands had no refusal", judge->refusals_owed);
    if (judge->answers_owed > 0 && world->ms - judge->asked_at >= SIM_QUIET_MS)
        sim_judge_fail(world, "%u commands had no answer", judge->answers_owed);
}

bool sim_judge_is_quiet(const struct sim_world *world)
{
    const struct sim_judge *judge = &world->judge;
    uint64_t since = greater(greater(judge->pins_at, judge->closed_at), judge->broker_bad_at);
    return world->ms - since >= SIM_QUIET_MS && sim_judge_is_link_well(world) && is_open(world);
}

/* It has said good-bye when it could. */
void sim_judge_finished(struct sim_world *world)
{
    const struct sim_judge *judge = &world->judge;
    const struct rig *rig = &world->rig;
    uint64_t bad_at = greater(judge->closed_before_at, judge->line_bad_at);
    if (!sim_judge_is_link_well(world) || world->ms - bad_at < SIM_SETTLE_MS)
        return;
    if (judge->pins != 0 || judge->shown != 0)
        sim_judge_fail(world, "stopped with pins 0x%02x, retained states 0x%02x", judge->pins,
                       judge->shown);
    if (judge->is_online || !rig->has_disconnect || rig->is_will_due)
        sim_judge_fail(world, "stopped without a word");
}

void sim_judge_end(struct sim_world *world)
{
    check_memory(world);
}

/* No queue is longer than it is, and nothing is written beside them. */
static void check_bounds(const struct sim_world *world)
{
    const struct sl_node *node = &world->rig.node;
    if (node->answers.len > SL_ANSWERS_MAX || node->log.len > SL_LOG_QUEUE_LEN)
        sim_judge_fail(world, "a queue of the node is longer than it is");
    for (size_t i = 0; i < sizeof world->rig.fence; i++)
        if (world->rig.fence[i] != 0)
            sim_judge_fail(world, "the node has written beyond itself");
}

/* Nothing in the node can grow; whatever else does is a leak as well. */
static void check_memory(struct sim_world *world)
{
    struct sim_judge *judge = &world->judge;
    size_t used = mallinfo2().uordblks;
    judge->checked_memory_at = world->ms;
    if (judge->memory == 0)
        judge->memory = used;
    if (used > judge->memory + MEMORY_SLACK)
        sim_judge_fail(world, "memory has grown by %zu bytes", used - judge->memory);
}
