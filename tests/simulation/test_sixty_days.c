/* 60 days of node and relay chip on virtual time: 20 million frames, two wraps of the millisecond
 * clock, thousands of commands, and everything that can break. The chip is its engine compiled for
 * this computer (docs/adr/0004).
 *
 *   SL_SEED=7 SL_DAYS=60 test_sixty_days */
#include "simulation/report.h"

#define DAY_MS UINT64_C(86400000)

int main(int argc, char **argv)
{
    static const struct sim_pace pace = {.event_ms = 180000,
                                         .trouble_ms = 900000,
                                         .watering_s = 1800,
                                         .restarts_until_ms = 4 * DAY_MS};
    (void)argc;
    uint64_t seed = sim_option("SL_SEED", 1);
    uint64_t days = sim_option("SL_DAYS", 60);
    sim_report_run(sim_chip_compiled(seed), &pace, seed, days * DAY_MS, "SL_DAYS", days, argv[0]);
    return 0;
}
