/* A driver of the world: chance. Commands, good and bad, and everything that can break. */
#ifndef TEST_SIMULATION_FATE_H
#define TEST_SIMULATION_FATE_H

#include "simulation/world.h"

/* How fast things happen. */
struct sim_pace {
    uint32_t event_ms;          /* mean between two events */
    uint32_t trouble_ms;        /* the longest trouble */
    uint32_t watering_s;        /* most waterings are no longer */
    uint64_t restarts_until_ms; /* from then on the node lives to the end: only so it grows old */
};

const struct sim_driver *sim_fate(struct sim_world *world, const struct sim_pace *pace);

#endif
