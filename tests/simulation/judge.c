/* The invariants. */
#include "simulation/judge.h"
#include "simulation/world.h"

#include <cjson/cJSON.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_MS          UINT64_C(86400000)
#define FIRST_S         1     /* a zone conducts so long after it was asked for, at the latest */
#define MEMORY_SLACK    16384 /* what malloc keeps for itself of the judge's own JSON */
#define EARLY_MS        100   /* the chip counts fast between two orders */
#define RECONNECT_MS    (SL_BACKOFF_MAX_MS + SL_CONNECTION_TLS_MS + 10000)
#define UTC_ERROR_S     2 /* half of SL_SNTP_ANSWER_MS, and a whole second */
#define CONDUCTS_MAX_MS (SL_SLAVE_HARD_LIMIT_MS / 9 * 10 + 1000)
#define HARD_FIRST_MS   (SL_SLAVE_HARD_LIMIT_MS / 11 * 10 - 1000)

static void read_log(struct sim_world *world, const struct sl_log_event *event);
static void hear(struct sim_world *world, const struct rig_heard *heard);
static void check_zones(struct sim_world *world);
static void check_quiet(struct sim_world *world);
static void check_session(struct sim_world *world);
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

/* Limits. */

static bool is_link_well(const struct sim_world *world)
{
    return world->ms - world->judge.link_bad_at >= SIM_SETTLE_MS &&
           world->ms - world->booted_at >= SIM_SETTLE_MS;
}

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
    judged->limit = is_link_well(world) ? end : judged->loose;
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
    if (!is_link_well(world))
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

void sim_judge_chip_reset(struct sim_world *world)
{
    sim_judge_link_bad(world);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        struct sim_zone *judged = &world->judge.zones[zone];
        judged->limit = judged->prior = judged->loose =
            lesser(judged->limit, world->ms + SIM_GRACE_MS);
    }
}

/* A node that starts takes over what the chip still runs, and what it was told to end just before
 * may be among that. */
void sim_judge_node_start(struct sim_world *world, uint8_t at_once)
{
    struct sim_judge *judge = &world->judge;
    sim_judge_link_bad(world);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        struct sim_zone *judged = &judge->zones[zone];
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
    judge->broker_before_at = judge->broker_bad_at;
    limit_all(world, 0xFF);
}

void sim_judge_broker_bad(struct sim_world *world)
{
    world->judge.broker_bad_at = world->ms;
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
    return (refusal == SL_REFUSAL_LINK_DOWN && !is_link_well(world)) ||
           (refusal == SL_REFUSAL_STOPPING && world->is_stopping);
}

static void read_log(struct sim_world *world, const struct sl_log_event *event)
{
    struct sim_judge *judge = &world->judge;
    const struct sim_asked *asked;
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

/* What the broker hears. */

static const cJSON *need(const struct sim_world *world, const cJSON *object, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    if (value == NULL)
        sim_judge_fail(world, "JSON without %s", key);
    return value;
}

static void need_number(const struct sim_world *world, const cJSON *object, const char *key,
                        double least, double most)
{
    double value = need(world, object, key)->valuedouble;
    if (value < least || value > most)
        sim_judge_fail(world, "%s is %.0f, not %.0f to %.0f", key, value, least, most);
}

/* Nothing holds a message back on its way, so it tells about now. */
static bool is_broker_well(const struct sim_world *world)
{
    return world->ms - world->judge.broker_bad_at >= SIM_QUIET_MS;
}

static void check_report(struct sim_world *world, const cJSON *report)
{
    double uptime_s = (double)(world->ms - world->booted_at) / 1000;
    double utc = (double)RIG_UTC + (double)world->ms / 1000;
    need_number(world, need(world, report, "memory"), "mqtt_out_max", 0, SL_CONNECTION_OUT_LEN);
    if (is_broker_well(world)) {
        need_number(world, report, "uptime_s", uptime_s - 1, uptime_s + 1);
        need_number(world, need(world, report, "time"), "utc", utc - UTC_ERROR_S,
                    utc + UTC_ERROR_S);
        need_number(world, need(world, report, "chip"), "exchanges", world->exchanges,
                    world->exchanges);
    }
    if (cJSON_GetArraySize(need(world, report, "zones")) != SL_ZONES)
        sim_judge_fail(world, "a report has not %d zones", SL_ZONES);
    world->counts.reports++;
}

/* What was read back is what the pins were: the chip was asked some milliseconds ago. */
static void check_answer(struct sim_world *world, const cJSON *answer, const char *wanted)
{
    const cJSON *result = need(world, answer, "result");
    bool is_done = cJSON_IsString(result) && strcmp(result->valuestring, "done") == 0;
    world->counts.answers++;
    if (world->judge.answers_owed > 0)
        world->judge.answers_owed--;
    if (!is_done)
        return;
    if (world->ms - world->judge.pins_at > SIM_GRACE_MS && is_link_well(world) &&
        is_broker_well(world))
        need_number(world, answer, "pins", world->judge.pins, world->judge.pins);
    const char *state = cJSON_GetStringValue(need(world, answer, "state"));
    if (wanted[0] == 'O' && (state == NULL || strcmp(state, wanted) != 0))
        sim_judge_fail(world, "done, but the state is %s, not %s", state, wanted);
}

/* What is said of a pin was true within the last second, unless something held the word back. */
static void hear_state(struct sim_world *world, uint8_t zone, bool is_on)
{
    struct sim_judge *judge = &world->judge;
    uint8_t bit = (uint8_t)(1u << zone);
    bool conducts = (judge->pins & bit) != 0;
    judge->known |= bit;
    judge->shown = (uint8_t)(is_on ? judge->shown | bit : judge->shown & ~bit);
    if (is_on != conducts && is_broker_well(world) && is_link_well(world) &&
        world->ms - judge->zones[zone].changed_at > SIM_QUIET_MS)
        sim_judge_fail(world, "said that zone %d is %s, which it is not", zone,
                       is_on ? "ON" : "OFF");
}

static void hear(struct sim_world *world, const struct rig_heard *heard)
{
    static const char base[] = RIG_BASE "/";
    struct sim_judge *judge = &world->judge;
    bool is_own = strncmp(heard->topic, base, sizeof base - 1) == 0;
    const char *tail = is_own ? heard->topic + sizeof base - 1 : "";
    if (strncmp(tail, "zone/", 5) == 0) {
        hear_state(world, (uint8_t)(tail[5] - '0') % SL_ZONES, strcmp(heard->payload, "ON") == 0);
        return;
    }
    if (strcmp(tail, "availability") == 0) {
        judge->is_online = strcmp(heard->payload, "online") == 0;
        return;
    }
    cJSON *json = cJSON_Parse(heard->payload);
    if (json == NULL)
        sim_judge_fail(world, "no JSON on %s: %s", heard->topic, heard->payload);
    if (strcmp(tail, "report") == 0) {
        check_report(world, json);
    } else if (strcmp(tail, "refused") == 0) {
        need(world, json, "why");
        world->counts.refusals++;
        if (judge->refusals_owed > 0)
            judge->refusals_owed--;
    } else if (strcmp(heard->topic, "reply/operator") == 0) {
        check_answer(world, json, heard->correlation);
    } else {
        sim_judge_fail(world, "published to %s", heard->topic);
    }
    cJSON_Delete(json);
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
        world->is_stopping)
        judge->broker_bad_at = world->ms;
    if (rig_is_stopped(rig))
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
        hear(world, &rig->heard[i]);
    rig_forget(rig);

    if (judge->expected != 0)
        check_zones(world);
    if (!world->is_asleep)
        check_session(world);
    check_quiet(world);
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
    if (!judge->is_online)
        sim_judge_fail(world, "connected, but availability does not say online");
    if (judge->asked_len > 0 && judge->asked[0].kind != SIM_ASKED_STATUS)
        sim_judge_fail(world, "never settled: %s", judge->asked[0].payload);
    if (judge->refusals_owed > 0)
        sim_judge_fail(world, "%u bad commands had no refusal", judge->refusals_owed);
    if (judge->answers_owed > 0)
        sim_judge_fail(world, "%u commands had no answer", judge->answers_owed);
}

bool sim_judge_is_quiet(const struct sim_world *world)
{
    const struct sim_judge *judge = &world->judge;
    uint64_t since = greater(greater(judge->pins_at, judge->closed_at), judge->broker_bad_at);
    return world->ms - since >= SIM_QUIET_MS && is_link_well(world) && is_open(world);
}

/* It has said good-bye when it could. */
void sim_judge_finished(struct sim_world *world)
{
    const struct sim_judge *judge = &world->judge;
    const struct rig *rig = &world->rig;
    uint64_t bad_at = greater(judge->closed_before_at, judge->broker_before_at);
    if (!is_link_well(world) || world->ms - bad_at < SIM_SETTLE_MS)
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
    const struct sl_node *node = &world->rig.node;
    if (node->answers.len > SL_ANSWERS_MAX || node->log.len > SL_LOG_QUEUE_LEN)
        sim_judge_fail(world, "a queue of the node is longer than it is");
    for (size_t i = 0; i < sizeof world->rig.fence; i++)
        if (world->rig.fence[i] != 0)
            sim_judge_fail(world, "the node has written beyond itself");
}
