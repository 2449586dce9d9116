/* The same with the firmware itself on the simulated ATmega168: resets and stalls of either
 * processor at the steps of a life. Seconds of the chip cost a hundred times more than of its
 * engine, so without arguments it is a small part.
 *
 *   test_faults_firmware [STRIDE RANDOM PROCESSES]
 *   SL_FAULT=5x1:both-reset@230 SL_TRACE=1 test_faults_firmware */
#include "simulation/campaign.h"
#include "simulation/report.h"

#include <stdlib.h>

#define STRIDE 1499
#define RANDOM 6

static struct sim_chip *make_chip(void)
{
    const char *elf = getenv("SL_CHIP_ELF");
    return sim_chip_firmware(elf != NULL ? elf : SL_CHIP_ELF, 1);
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
        .is_about_resets = true,
    };
    int status = sim_campaign_replay(&campaign);
    return status >= 0 ? status : sim_campaign_run(&campaign);
}
