/* Troubles: what each one means when it comes and when it goes. */
#include "simulation/random.h"
#include "simulation/world.h"

#include <errno.h>

static bool is_active(const struct sim_world *world, enum sim_trouble trouble)
{
    return (world->troubles.active & SIM_BIT(trouble)) != 0;
}

static void spoil_wires(struct sim_world *world)
{
    struct sim_wires wires = {
        .noise = is_active(world, SIM_WIRES_NOISY) ? 300 : 0,
        .loss = is_active(world, SIM_WIRES_LOSSY) ? 400 : 0,
        .is_cut = is_active(world, SIM_WIRES_CUT),
    };
    world->chip->set_wires(world->chip, &wires);
}

/* It comes back with an empty memory, and perhaps as another broker. */
static void restart_broker(struct sim_world *world)
{
    static const uint8_t levels[] = {0, 0, 0, 4, 5};
    struct rig *rig = &world->rig;
    if (world->is_broker_fickle) {
        uint8_t level = levels[sim_random_below(&world->random, 5)];
        world->judge.is_version_new |= level != rig->level_only;
        rig->level_only = level;
    }
    test_tls_server_init(&rig->server, &rig->server_options);
}

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
    case SIM_PINS_STUCK:
        world->chip->hold_off(world->chip, is_there ? 0xFF : 0);
        sim_judge_pins_stuck(world);
        break;
    case SIM_NODE_STALLED:
        world->is_asleep = is_there || world->is_off;
        break;
    case SIM_NODE_HOLDS:
        world->stalls_in_exchange = is_there;
        if (!is_there)
            world->is_asleep = is_active(world, SIM_NODE_STALLED) || world->is_off;
        break;
    case SIM_BROKER_DOWN:
        rig->dial_error = is_there ? ECONNREFUSED : 0;
        if (!is_there && rig->line == RIG_CLOSED)
            restart_broker(world);
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

void sim_trouble_begin(struct sim_world *world, enum sim_trouble trouble, uint64_t duration_ms)
{
    if (is_active(world, trouble))
        return;
    world->troubles.active |= SIM_BIT(trouble);
    world->troubles.ends_at[trouble] = world->ms + duration_ms;
    apply(world, trouble, true);
    if ((SIM_BIT(trouble) & SIM_LINK_TROUBLES) != 0)
        sim_judge_link_bad(world);
}

static void end(struct sim_world *world, enum sim_trouble trouble)
{
    bool is_owing = trouble == SIM_BROKER_MUTE_PUBACK;
    if (is_owing && world->is_asleep) {
        world->troubles.ends_at[trouble] = world->ms + 1;
        return;
    }
    if ((SIM_BIT(trouble) & SIM_LINK_TROUBLES) != 0)
        sim_judge_link_bad(world);
    if (world->is_asleep) /* bytes, however long on their way, arrive when the node wakes up */
        sim_judge_broker_bad(world);
    world->troubles.active &= ~SIM_BIT(trouble);
    apply(world, trouble, false);
    if (is_owing) /* what it never acknowledged goes with the session */
        sim_trouble_kick(world);
}

void sim_trouble_tick(struct sim_world *world)
{
    for (int trouble = 0; trouble < SIM_TROUBLES; trouble++)
        if (is_active(world, (enum sim_trouble)trouble) &&
            world->ms >= world->troubles.ends_at[trouble])
            end(world, (enum sim_trouble)trouble);
}

uint64_t sim_trouble_wake_at(const struct sim_world *world)
{
    uint64_t at = UINT64_MAX;
    for (int trouble = 0; trouble < SIM_TROUBLES; trouble++)
        if (is_active(world, (enum sim_trouble)trouble) && world->troubles.ends_at[trouble] < at)
            at = world->troubles.ends_at[trouble];
    return at;
}

void sim_trouble_chip(struct sim_world *world, enum sim_chip_fault fault)
{
    if (is_active(world, SIM_CHIP_DARK))
        return;
    world->chip->fail(world->chip, fault);
    world->counts.chip_faults++;
    sim_judge_chip_reset(world);
}

void sim_trouble_kick(struct sim_world *world)
{
    sim_judge_broker_bad(world);
    if (world->rig.line == RIG_OPEN)
        rig_kick(&world->rig);
    sim_world_settle(world);
}

void sim_trouble_cut(struct sim_world *world, int32_t error)
{
    sim_judge_broker_bad(world);
    rig_break_line(&world->rig, error);
    sim_world_settle(world);
}
