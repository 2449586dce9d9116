/* The script, and the moment of every fault. */
#include "simulation/life.h"

#include <errno.h>
#include <stdio.h>

#define POLL_MS     50
#define PROBE_MS    2500
#define PROBES_MAX  10 /* more than faults and what they leave behind can spoil */
#define PROBE_ZONE  7
#define GIVE_UP_MS  900000 /* twice the longest pause, time-outs, and the faults themselves */
#define ACKS_MAX    4
#define FOR_EVER_MS UINT64_MAX

enum act { SAY_ON, SAY_OFF, SAY_NONSENSE, SAY_RETAINED, SAY_TWICE, SAY_STATUS, STOP, END };

static const struct {
    uint32_t at_ms;
    enum act act;
    const char *tail, *payload;
    uint8_t zones;
    uint32_t seconds;
} script[] = {
    {1500, SAY_ON, "zone/on", "2 6", 0x04, 6},       {2500, SAY_RETAINED, "zone/on", "3 60", 0, 0},
    {3000, SAY_TWICE, "zone/on", "3 60", 0, 0},      {4000, SAY_ON, "zone/on", "5 4", 0x20, 4},
    {8600, SAY_ON, "zone/1/set", "30", 0x02, 30},    {9600, SAY_ON, "zone/3/set", "20", 0x08, 20},
    {10400, SAY_OFF, "zone/3/set", "OFF", 0x08, 0},  {10800, SAY_OFF, "zone/off", "all", 0xFF, 0},
    {11200, SAY_NONSENSE, "zone/on", "9 120", 0, 0}, {11600, SAY_STATUS, "zone/status", "", 0, 0},
    {17600, SAY_ON, "zone/on", "0 20", 0x01, 20},    {18600, STOP, NULL, NULL, 0, 0},
    {20600, SAY_ON, "zone/on", "6 3", 0x40, 3},      {24600, END, NULL, NULL, 0, 0},
};

static struct {
    struct sim_plot plot;
    bool has_fired[SIM_PLOT_MAX];
    uint8_t line;   /* of the script */
    uint32_t steps; /* points of the world so far */
    uint32_t questions;
    uint64_t late_until;  /* the line gives nothing before */
    uint64_t off_until;   /* the node has no power before */
    uint64_t probe_at;    /* the last command; 0: not yet */
    unsigned probe_fired; /* faults until then */
    unsigned probe_session, probes;
    uint64_t poll_at;
    uint64_t frame_at; /* the last bad one */
    unsigned answers_missing;
} life;

/* Commands. */

/* The broker takes it for a subscriber only; whether it arrives is another matter. */
static bool can_say(const struct sim_world *world)
{
    const struct rig *rig = &world->rig;
    return rig->line == RIG_OPEN && rig->node.connection.stage == SL_CONNECTION_OPEN &&
           !world->is_off && world->acks_owed < rig->acks + ACKS_MAX && rig->is_subscribed &&
           world->judge.session == rig->subscribes;
}

static void say(struct sim_world *world, enum act act, const char *tail, const char *payload,
                uint8_t zones, uint32_t seconds)
{
    bool is_switch = act == SAY_ON || act == SAY_OFF;
    bool wants_answer = is_switch && world->rig.peer.level == 5;
    struct test_mqtt_publish publish = {.payload = sl_view_text(payload), .qos = 1};
    struct sim_asked asked = {.kind = act == SAY_ON       ? SIM_ASKED_ON
                                      : act == SAY_OFF    ? SIM_ASKED_OFF
                                      : act == SAY_STATUS ? SIM_ASKED_STATUS
                                                          : SIM_ASKED_NONSENSE,
                              .zones = zones,
                              .seconds = seconds,
                              .payload = payload,
                              .wants_answer = wants_answer};
    if (!can_say(world))
        return;
    if (wants_answer) {
        publish.response_topic = "reply/operator";
        publish.correlation = sl_view_text(act == SAY_ON ? "ON" : "OFF");
    }
    publish.retain = act == SAY_RETAINED;
    publish.dup = act == SAY_TWICE;
    sim_trace(world, "operator: %s '%s'%s%s", tail, payload, publish.retain ? " retained" : "",
              publish.dup ? " again" : "");
    sim_world_say(world, tail, publish, asked);
}

static void play(struct sim_world *world)
{
    while (script[life.line].at_ms <= world->ms && script[life.line].act != END) {
        size_t line = life.line;
        if (script[line].act == STOP && (world->is_asleep || world->is_stopping)) {
            life.line++; /* nobody is there to be told, or it was told already */
            continue;
        }
        life.line++;
        if (script[line].act == STOP) {
            sim_trace(world, "stop");
            sim_world_stop(world);
        } else {
            say(world, script[line].act, script[line].tail, script[line].payload,
                script[line].zones, script[line].seconds);
        }
    }
}

/* Faults. */

static uint32_t at(const struct sim_world *world, enum sim_axis axis)
{
    switch (axis) {
    case SIM_BYTES_UP:
        return (uint32_t)world->rig.pipes[RIG_UP].arrived;
    case SIM_BYTES_DOWN:
        return (uint32_t)world->rig.pipes[RIG_DOWN].arrived;
    case SIM_EXCHANGES:
        return (uint32_t)world->counts.exchanges;
    case SIM_QUESTIONS:
        return life.questions;
    case SIM_STEPS:
        return life.steps;
    case SIM_AXES:
        break;
    }
    return 0;
}

/* The next byte of each direction at which something happens. */
static void set_stops(struct sim_world *world)
{
    struct rig *rig = &world->rig;
    if (rig_is_stopped(rig))
        return;
    rig->stops_both = rig->is_only_late = false;
    for (int way = 0; way < RIG_WAYS; way++)
        rig->pipes[way].stop_at = UINT64_MAX;
    for (uint8_t i = 0; i < life.plot.len; i++) {
        const struct sim_fault *fault = &life.plot.faults[i];
        enum sim_axis axis = sim_fault_axis(fault->kind);
        if (axis > SIM_BYTES_DOWN || life.has_fired[i])
            continue;
        struct rig_pipe *pipe = &rig->pipes[axis == SIM_BYTES_UP ? RIG_UP : RIG_DOWN];
        if (fault->at >= pipe->stop_at)
            continue;
        pipe->stop_at = fault->at;
        enum sim_deed deed = sim_fault_deed(fault->kind);
        rig->stops_both = deed != SIM_DO_HALF && deed != SIM_DO_LATE;
        rig->is_only_late = deed == SIM_DO_LATE;
    }
}

static void turn_off(struct sim_world *world, uint32_t ms)
{
    if (ms == 0) {
        sim_world_boot(world, world->judge.at_once);
        return;
    }
    world->is_asleep = world->is_off = true;
    life.off_until = world->ms + ms;
    sim_judge_link_bad(world);
}

static void fire(struct sim_world *world, const struct sim_fault *fault)
{
    int detail = sim_fault_detail(fault->kind);
    sim_trace(world, "fault: %s@%u", sim_fault_code(fault->kind), fault->at);
    switch (sim_fault_deed(fault->kind)) {
    case SIM_DO_FIN:
        sim_trouble_cut(world, 0);
        break;
    case SIM_DO_RST:
        sim_trouble_cut(world, ECONNRESET);
        break;
    case SIM_DO_SILENT:
    case SIM_DO_HALF:
        life.late_until = FOR_EVER_MS; /* until the node gives the connection up */
        break;
    case SIM_DO_LATE:
        life.late_until = world->ms + fault->ms;
        break;
    case SIM_DO_REBOOT:
        turn_off(world, fault->ms);
        break;
    case SIM_DO_CHIP:
        sim_trouble_chip(world, (enum sim_chip_fault)detail);
        break;
    case SIM_DO_BOTH:
        sim_trouble_chip(world, (enum sim_chip_fault)detail);
        turn_off(world, 0);
        break;
    case SIM_DO_TROUBLE:
        sim_trouble_begin(world, (enum sim_trouble)detail, fault->ms);
        if ((detail == SIM_BROKER_DOWN || detail == SIM_BROKER_AWAY) && !world->is_asleep)
            sim_trouble_cut(world, ECONNRESET);
        break;
    case SIM_DO_KICK:
        sim_trouble_kick(world);
        break;
    case SIM_DO_FRAME:
    case SIM_DO_DATAGRAM:
        break; /* done where they are */
    }
}

/* What happens to the connection happens to a node that is awake. */
static bool must_wait(const struct sim_world *world, enum sim_fault_kind kind)
{
    return world->is_asleep &&
           (sim_fault_deed(kind) == SIM_DO_KICK || sim_fault_axis(kind) <= SIM_BYTES_DOWN);
}

static void step(struct sim_world *world, enum sim_point point)
{
    life.steps++;
    for (uint8_t i = 0; i < life.plot.len; i++) {
        const struct sim_fault *fault = &life.plot.faults[i];
        enum sim_axis axis = sim_fault_axis(fault->kind);
        bool is_due = axis == SIM_STEPS ||
                      (axis <= SIM_BYTES_DOWN && point == SIM_AT_REST && world->rig.dials > 0);
        if (!is_due || life.has_fired[i] || at(world, axis) < fault->at ||
            must_wait(world, fault->kind))
            continue;
        life.has_fired[i] = true;
        fire(world, fault);
    }
    if (!world->is_asleep && life.late_until != FOR_EVER_MS && world->ms >= life.late_until)
        for (int way = 0; way < RIG_WAYS; way++)
            world->rig.pipes[way].stop_at = UINT64_MAX;
    set_stops(world);
}

static const struct sim_fault *find(enum sim_axis axis, uint32_t number)
{
    for (uint8_t i = 0; i < life.plot.len; i++) {
        const struct sim_fault *fault = &life.plot.faults[i];
        if (life.has_fired[i] || sim_fault_axis(fault->kind) != axis || fault->at != number)
            continue;
        life.has_fired[i] = true;
        return fault;
    }
    return NULL;
}

/* An order that was not heard leaves its exchange and the next one without an answer. Three answers
 * missing may leave the link silent long enough to count as down; less must not be noticed. */
static void note_frame(struct sim_world *world, enum sim_fault_kind kind)
{
    if (world->ms > life.frame_at + SL_MASTER_SILENCE_MS)
        life.answers_missing = 0;
    life.frame_at = world->ms;
    life.answers_missing += kind == SIM_FAULT_STATUS_LOST ? 1 : 2;
    if (life.answers_missing > 2)
        sim_judge_link_bad(world);
}

static enum sim_frame frame(struct sim_world *world)
{
    const struct sim_fault *fault = find(SIM_EXCHANGES, (uint32_t)world->counts.exchanges);
    if (fault == NULL)
        return SIM_FRAME_WHOLE;
    sim_trace(world, "fault: %s@%u", sim_fault_code(fault->kind), fault->at);
    note_frame(world, fault->kind);
    return (enum sim_frame)sim_fault_detail(fault->kind);
}

static enum sim_datagram datagram(struct sim_world *world)
{
    const struct sim_fault *fault = find(SIM_QUESTIONS, ++life.questions);
    if (fault == NULL)
        return SIM_DATAGRAM_WHOLE;
    sim_trace(world, "fault: %s@%u", sim_fault_code(fault->kind), fault->at);
    return (enum sim_datagram)sim_fault_detail(fault->kind);
}

/* The end of a life: the node finds back by itself, and does what it is told. */

/* A last fault, or what an earlier one has done to the session, spoils a probe: once more. */
static bool is_spoilt(const struct sim_world *world)
{
    bool is_lost = world->judge.session != life.probe_session || !can_say(world);
    return (is_lost && life.probes < PROBES_MAX) || sim_life_fired() != life.probe_fired;
}

static void probe(struct sim_world *world)
{
    bool is_calm = sim_judge_is_quiet(world) && world->judge.pins == 0 &&
                   world->troubles.active == 0 && !world->is_asleep;
    if (life.probe_at == 0 || is_spoilt(world)) {
        life.probe_at = 0;
        if (!is_calm || !can_say(world))
            return;
        life.probe_at = world->ms;
        life.probe_fired = sim_life_fired();
        life.probe_session = world->judge.session;
        life.probes++;
        say(world, SAY_ON, "zone/on", "7 1", 1u << PROBE_ZONE, 1);
    } else if (world->ms >= life.probe_at + PROBE_MS) {
        if (world->judge.zones[PROBE_ZONE].told_at < life.probe_at)
            sim_judge_fail(world, "all is well, and a command was not carried out");
        if (!is_calm)
            sim_judge_fail(world, "all is well, and it does not come to rest");
        world->end_ms = world->ms;
    }
}

static void tick(struct sim_world *world)
{
    sim_trouble_tick(world);
    if (world->is_off && world->ms >= life.off_until) {
        world->is_off = false;
        world->is_asleep = (world->troubles.active & SIM_BIT(SIM_NODE_STALLED)) != 0;
        sim_world_boot(world, world->judge.at_once);
    }
    play(world);
    if (script[life.line].act != END || world->ms < script[life.line].at_ms)
        return;
    if (world->ms >= GIVE_UP_MS)
        sim_judge_fail(world, "the faults are over, and it never came to rest");
    probe(world);
    life.poll_at = world->ms + POLL_MS;
}

static uint64_t wake_at(const struct sim_world *world)
{
    uint64_t wake = sim_trouble_wake_at(world);
    uint64_t script_at = script[life.line].at_ms;
    if (world->is_off && life.off_until < wake)
        wake = life.off_until;
    if (life.late_until > world->ms && life.late_until < wake)
        wake = life.late_until;
    if (script_at > world->ms || script[life.line].act != END)
        return script_at < wake ? script_at : wake;
    return life.poll_at < wake ? life.poll_at : wake;
}

const struct sim_driver *sim_life(struct sim_world *world, const struct sim_plot *plot)
{
    static const struct sim_driver driver = {wake_at, tick, step, frame, datagram};
    memset(&life, 0, sizeof life);
    life.plot = *plot;
    set_stops(world);
    return &driver;
}

struct sim_extent sim_life_extent(const struct sim_world *world)
{
    struct sim_extent extent;
    for (int axis = 0; axis < SIM_AXES; axis++)
        extent.on[axis] = at(world, (enum sim_axis)axis);
    return extent;
}

unsigned sim_life_fired(void)
{
    unsigned fired = 0;
    for (uint8_t i = 0; i < life.plot.len; i++)
        fired += life.has_fired[i];
    return fired;
}
