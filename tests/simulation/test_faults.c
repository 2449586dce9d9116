/* Faults, enumerated: a cut at every byte, a stall and a reset at every step, the loss of every
 * frame and datagram, and random combinations (README.md). Without arguments a bounded part of it.
 *
 *   test_faults [STRIDE RANDOM PROCESSES]     one of STRIDE enumerated runs, RANDOM combinations
 *   SL_FAULT=5x1:up-rst@812 SL_TRACE=1 test_faults     one run, told step by step */
#include "simulation/campaign.h"
#include "simulation/report.h"

#define STRIDE 61
#define RANDOM 1000

/* Found among half a million runs; the bounded part would not meet them again. */
static const char *const known[] = {
    "5x1:chip-hang@112+chip-hang@118", /* fresh at two statuses, and reset between them */
    /* A report that waits for bytes first, and then for a node that sleeps. */
    "4x3:up-late@8131/9971+node-stall@384/6521",
    "4x3:up-late@2518/18634+node-stall@136/19699",
    "4x3:up-late@6133/1868+node-stall@288/5394",
    "5x3:up-late@9921/24328+node-stall@493/5921",
    NULL,
};

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
        .known = known,
    };
    int status = sim_campaign_replay(&campaign);
    return status >= 0 ? status : sim_campaign_run(&campaign);
}
