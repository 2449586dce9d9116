/* Options, and the closing line. */
#include "simulation/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t number(const char *name, const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (*end != '\0' || *text < '0' || *text > '9') {
        fprintf(stderr, "%s=%s is no whole number\n", name, text);
        exit(2);
    }
    return value;
}

uint64_t sim_option(const char *name, uint64_t usual)
{
    const char *text = getenv(name);
    return text == NULL || *text == '\0' ? usual : number(name, text);
}

uint32_t sim_argument(int argc, char **argv, int which, uint32_t usual)
{
    uint64_t value = argc > which ? number("argument", argv[which]) : usual;
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

void sim_report_run(struct sim_chip *chip, const struct sim_pace *pace, uint64_t seed,
                    uint64_t length_ms, const char *length_name, uint64_t length,
                    const char *program)
{
    static struct sim_world world; /* large: it holds a TLS server */
    char replay[4200];
    snprintf(replay, sizeof replay, "SL_SEED=%" PRIu64 " %s=%" PRIu64 " %s", seed, length_name,
             length, program);
    const struct sim_options options = {
        .chip = chip, .seed = seed, .length_ms = length_ms, .replay = replay};
    sim_start(&world, &options);
    sim_run(&world, sim_fate(&world, pace));

    const struct sim_counts *counts = &world.counts;
    printf("simulation: %s, no invariant broken: %" PRIu64 " exchanges, %" PRIu64
           " commands (%" PRIu64 " bad), %" PRIu64 " refusals, %" PRIu64 " answers, %" PRIu64
           " reports, %" PRIu64 " zone starts, %" PRIu64 " sessions, %" PRIu64
           " node starts, %" PRIu64 " chip faults, %" PRIu64 " link failures\n",
           replay, counts->exchanges, counts->commands, counts->bad_commands, counts->refusals,
           counts->answers, counts->reports, counts->switched_on, counts->sessions,
           counts->node_starts, counts->chip_faults, counts->link_downs);
}
