/* A driver of the world: the script of one life, and faults at given steps of it.
 *
 * The life: time from SNTP, the connection, a watering, a second one that displaces it (or not),
 * its end, two more that are switched off, a bad command, silence for the keep alive, a watering
 * that meets an orderly stop, a new start, a last watering. When the script is over and all faults
 * are too, the node must find back by itself: connected, quiet, the broker showing what the pins
 * are; and then it must carry out one more command.
 */
#ifndef TEST_SIMULATION_LIFE_H
#define TEST_SIMULATION_LIFE_H

#include "simulation/fault.h"
#include "simulation/world.h"

#define SIM_LIFE_KEEP_ALIVE_S 5

/* How long an undisturbed life is on each axis. */
struct sim_extent {
    uint32_t on[SIM_AXES];
};

/* The next run of the world follows this plot. */
const struct sim_driver *sim_life(struct sim_world *world, const struct sim_plot *plot);
/* Afterwards: what was there, and how many of the faults came. */
struct sim_extent sim_life_extent(const struct sim_world *world);
unsigned sim_life_fired(void);

#endif
