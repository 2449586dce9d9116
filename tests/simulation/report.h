/* What the programs share: options, the run of chance, and its closing line. */
#ifndef TEST_SIMULATION_REPORT_H
#define TEST_SIMULATION_REPORT_H

#include "simulation/fate.h"

/* A whole number from the environment. */
uint64_t sim_option(const char *name, uint64_t usual);
/* The same from the command line. */
uint32_t sim_argument(int argc, char **argv, int which, uint32_t usual);
/* Runs, and says what happened. length_name, length: as given, to repeat it. */
void sim_report_run(struct sim_chip *chip, const struct sim_pace *pace, uint64_t seed,
                    uint64_t length_ms, const char *length_name, uint64_t length,
                    const char *program);

#endif
