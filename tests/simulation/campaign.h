/* Many lives: every single fault at every place, pairs of frames, and random combinations. */
#ifndef TEST_SIMULATION_CAMPAIGN_H
#define TEST_SIMULATION_CAMPAIGN_H

#include "simulation/life.h"

struct sim_campaign {
    struct sim_chip *(*make_chip)(void);
    const char *program;      /* to repeat a run with */
    uint32_t stride;          /* one of so many enumerated runs; 1: all of them */
    uint32_t random;          /* combinations of two to four faults */
    uint64_t seed;            /* of these */
    unsigned processes;       /* that share the work */
    bool is_about_resets;     /* nothing but resets and stalls of the processors */
    const char *const *known; /* codes that always run, NULL at the end; may be NULL itself */
};

/* One run, described by the environment: SL_FAULT is its code, SL_TRACE prints what happens.
 * Gives: an exit status; -1: SL_FAULT is not set. */
int sim_campaign_replay(const struct sim_campaign *campaign);
/* Prints a table, and a line that replays it for each failure. Gives: an exit status. */
int sim_campaign_run(const struct sim_campaign *campaign);

#endif
