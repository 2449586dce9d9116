/* The same life with the real firmware, instruction by instruction on the simulated ATmega168:
 * an hour instead of 60 days, and everything that can break breaks much more often. The judge looks
 * at the simulated pins.
 *
 *   SL_SEED=7 SL_MINUTES=60 SL_CHIP_ELF=build/atmega328p/relay-chip.elf test_with_firmware */
#include "simulation/report.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
    static const struct sim_pace pace = {
        .event_ms = 1500, .trouble_ms = 12000, .watering_s = 20, .restarts_until_ms = UINT64_MAX};
    (void)argc;
    uint64_t seed = sim_option("SL_SEED", 1);
    uint64_t minutes = sim_option("SL_MINUTES", 60);
    const char *elf = getenv("SL_CHIP_ELF");
    struct sim_chip *chip = sim_chip_firmware(elf != NULL ? elf : SL_CHIP_ELF, seed);
    sim_report_run(chip, &pace, seed, minutes * 60000, "SL_MINUTES", minutes, argv[0]);
    return 0;
}
