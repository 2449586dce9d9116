/* What can break, and stay broken for a while. Who breaks it is another matter (world.h). */
#ifndef TEST_SIMULATION_TROUBLE_H
#define TEST_SIMULATION_TROUBLE_H

#include "simulation/chip.h"
#include <stdbool.h>
#include <stdint.h>

struct sim_world;

enum sim_trouble {
    SIM_WIRES_NOISY,
    SIM_WIRES_LOSSY,
    SIM_WIRES_CUT,
    SIM_CHIP_DARK,
    SIM_PINS_STUCK, /* no relay follows */
    SIM_NODE_STALLED,
    SIM_NODE_HOLDS, /* stalls at its next exchange, with the order in its hand */
    SIM_BROKER_DOWN,
    SIM_BROKER_AWAY, /* dialling gets no answer */
    SIM_BROKER_FROZEN,
    SIM_BROKER_DEAF,
    SIM_BROKER_MUTE_CONNACK,
    SIM_BROKER_MUTE_SUBACK,
    SIM_BROKER_MUTE_PUBACK,
    SIM_BROKER_MUTE_PINGRESP,
    SIM_TROUBLES
};
#define SIM_BIT(trouble)    (UINT32_C(1) << (trouble))
#define SIM_LINK_TROUBLES   (SIM_BIT(SIM_BROKER_DOWN) - 1)
#define SIM_BROKER_TROUBLES (SIM_BIT(SIM_TROUBLES) - SIM_BIT(SIM_BROKER_DOWN))

struct sim_troubles {
    uint32_t active; /* bit t */
    uint64_t ends_at[SIM_TROUBLES];
};

/* Nothing when it is there already. */
void sim_trouble_begin(struct sim_world *world, enum sim_trouble trouble, uint64_t duration_ms);
/* End what is over. */
void sim_trouble_tick(struct sim_world *world);
/* When the next one is; UINT64_MAX: none is there. */
uint64_t sim_trouble_wake_at(const struct sim_world *world);

/* What does not last. */
void sim_trouble_chip(struct sim_world *world, enum sim_chip_fault fault);
void sim_trouble_kick(struct sim_world *world);
void sim_trouble_cut(struct sim_world *world, int32_t error);

#endif
