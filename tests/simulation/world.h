/* Node, broker and relay chip living for days on virtual time.
 *
 *   world   moves time from deadline to deadline, bytes and frames
 *   fate    decides by seeded chance who says what and what breaks when
 *   judge   watches every millisecond of every relay and every message, and ends the program with
 *           one line that replays the run when something is wrong
 */
#ifndef TEST_SIMULATION_WORLD_H
#define TEST_SIMULATION_WORLD_H

#include "simulation/chip.h"
#include "simulation/fate.h"
#include "simulation/judge.h"
#include "unit/node/rig.h"

struct sim_counts {
    uint64_t exchanges, commands, bad_commands, refusals, answers, reports;
    uint64_t sessions, chip_faults, link_downs, node_starts, switched_on;
};

struct sim_world {
    struct rig rig; /* broker and node */
    struct sim_chip *chip;
    uint64_t ms, end_ms; /* true time; the node's own clock starts just below its wrap */

    /* The exchange under way, and the node's life. */
    bool is_answer_due;
    uint64_t answer_at;
    uint8_t status[SL_FRAME_LEN];
    uint32_t exchanges; /* since the node started */
    bool is_asleep, is_stopping;
    bool stalls_in_exchange; /* at the next exchange, with its order in the hand ... */
    bool is_holding;         /* ... which is held since */
    uint8_t held[SL_FRAME_LEN];
    uint64_t booted_at;

    struct sim_fate fate;
    struct sim_judge judge;
    struct sim_counts counts;
};

struct sim_options {
    struct sim_chip *chip;
    uint64_t seed, length_ms;
    struct sim_pace pace;
    const char *replay; /* the command that repeats this run */
};

/* All of it. Comes back when nothing was wrong. */
void sim_run(struct sim_world *world, const struct sim_options *options);

/* For fate. */
void sim_world_boot(struct sim_world *world, uint8_t at_once);
void sim_world_stop(struct sim_world *world);
/* The rig has moved: look at what came of it. */
void sim_world_settle(struct sim_world *world);

#endif
