/* Time, bytes and frames. */
#include "simulation/world.h"

#include <stdio.h>
#include <stdlib.h>

#define START                                                                                      \
    (UINT32_MAX - 59999) /* the node's clock wraps after a minute, and 49.7 days later             \
                          */
#define STUCK_MAX 200

static void pass(struct sim_world *world, uint64_t until_ms);
static void turn(struct sim_world *world);
static uint64_t next_at(const struct sim_world *world);

void sim_run(struct sim_world *world, const struct sim_options *options)
{
    memset(world, 0, sizeof *world);
    world->chip = options->chip;
    world->end_ms = options->length_ms;
    test_pki_make(&world->rig.pki, (int64_t)RIG_UTC);
    rig_start(&world->rig, START);
    world->rig.is_chip_elsewhere = true;
    world->counts.node_starts = 1;
    sim_judge_init(world, options->replay);
    sim_fate_init(world, options->seed, &options->pace);
    rig_set_time(&world->rig);

    unsigned stuck = 0;
    turn(world);
    while (world->ms < world->end_ms) {
        uint64_t at = next_at(world);
        stuck = at == world->ms ? stuck + 1 : 0;
        if (stuck > STUCK_MAX)
            sim_judge_fail(world, "time stands still: a deadline stays in the past");
        pass(world, at);
        sim_fate_tick(world);
        turn(world);
    }
    test_pki_free(&world->rig.pki);
}

static uint64_t next_at(const struct sim_world *world)
{
    uint64_t at = world->fate.wake_at < world->end_ms ? world->fate.wake_at : world->end_ms;
    sl_ms due;
    if (world->is_asleep)
        return at;
    if (sl_node_deadline(&world->rig.node, world->rig.now, &due)) {
        uint64_t due_at = world->ms + sl_ms_until(world->rig.now, due);
        at = due_at < at ? due_at : at;
    }
    if (world->is_answer_due && (world->answer_at < at || at <= world->ms))
        at = world->answer_at; /* nothing else happens on the wires meanwhile */
    return at > world->ms ? at : world->ms;
}

static void pass(struct sim_world *world, uint64_t until_ms)
{
    while (world->ms < until_ms) {
        uint8_t seen;
        world->ms = world->chip->run(world->chip, until_ms, &seen);
        sim_judge_pins(world, seen);
    }
    world->rig.now = (sl_ms)(START + world->ms);
}

static void carry(struct sim_world *world, const uint8_t order[SL_FRAME_LEN])
{
    const uint32_t deaf = SIM_BIT(SIM_WIRES_CUT) | SIM_BIT(SIM_CHIP_DARK);
    unsigned took_ms = world->chip->exchange(world->chip, order, world->status);
    if ((order[2] & SL_ORDER_APPLY) != 0 && (world->fate.active & deaf) == 0)
        world->judge.ordered_at = world->ms + took_ms;
    world->is_answer_due = true;
    world->answer_at = world->ms + took_ms;
    sim_judge_pins(world, world->chip->pins(world->chip));
}

static void take_answer(struct sim_world *world)
{
    if (!world->is_answer_due || world->ms < world->answer_at)
        return;
    world->is_answer_due = false;
    sl_node_link_feed(&world->rig.node, world->rig.now, world->status, SL_FRAME_LEN);
}

/* One exchange at a time. A node that stalls between making an order and sending it sends it when
 * it wakes up, as old as it is then. */
static void exchange(struct sim_world *world)
{
    struct sl_node *node = &world->rig.node;
    uint8_t order[SL_FRAME_LEN];
    if (world->is_holding) {
        world->is_holding = false;
        carry(world, world->held);
    }
    take_answer(world);
    if (world->is_answer_due || !sl_node_link_peek(node, world->rig.now, order))
        return;
    sl_node_link_sent(node, world->rig.now);
    world->counts.exchanges++;
    world->exchanges++;
    if (world->stalls_in_exchange) {
        world->stalls_in_exchange = false;
        world->is_asleep = world->is_holding = true;
        memcpy(world->held, order, sizeof order);
        return;
    }
    carry(world, order);
    take_answer(world);
}

static void turn(struct sim_world *world)
{
    if (!world->is_asleep)
        exchange(world);
    if (!world->is_asleep)
        rig_turn(&world->rig);
    sim_world_settle(world);
}

void sim_world_settle(struct sim_world *world)
{
    sim_judge_turn(world);
    if (!world->is_asleep && world->rig.has_finished)
        sim_world_boot(world, world->judge.at_once);
}

void sim_world_boot(struct sim_world *world, uint8_t at_once)
{
    struct rig *rig = &world->rig;
    rig->config.limits.at_once = at_once;
    rig_boot(rig);
    world->is_answer_due = world->is_holding = world->stalls_in_exchange = false;
    world->is_stopping = false;
    world->exchanges = 0;
    world->booted_at = world->ms;
    world->counts.node_starts++;
    sim_judge_node_start(world, at_once);
    if (sl_node_set_time(&rig->node, rig->now, RIG_UTC + world->ms / 1000,
                         (uint16_t)(world->ms % 1000)) != SL_OK)
        sim_judge_fail(world, "the node refuses the right time");
}

void sim_world_stop(struct sim_world *world)
{
    world->is_stopping = true;
    sl_node_stop(&world->rig.node, world->rig.now);
    sim_judge_node_stop(world);
}
