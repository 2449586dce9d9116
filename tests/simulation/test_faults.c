/* Faults, enumerated: a cut at every byte, a stall and a reset at every step, the loss of every
 * frame and datagram, and random combinations (README.md). Without arguments a bounded part of it.
 *
 *   test_faults [STRIDE RANDOM PROCESSES]     one of STRIDE enumerated runs, RANDOM combinations
 *   SL_FAULT=5x1:up-rst@812 SL_TRACE=1 test_faults     one run, told step by step */
#include "simulation/campaign.h"
#include "simulation/report.h"

#define STRIDE 61
#define RANDOM 1000

static struct sim_chip *make_chip(void)
{
    return sim_chip_compiled(1);
}

int main(int argc, char **argv)
{
    const struct sim_campaign campaign = {
        .make_chip = make_chip,
        .program = argv[0],
        .stride = sim_argument(argc, argv, 1, STRIDE),
        .random = sim_argument(argc, argv, 2, RANDOM),
        .seed = sim_option("SL_SEED", 1),
        .processes = sim_argument(argc, argv, 3, 1),
    };
    int status = sim_campaign_replay(&campaign);
    return status >= 0 ? status : sim_campaign_run(&campaign);
}
