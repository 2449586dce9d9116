/* The same seed gives the same run. */
#ifndef TEST_SIMULATION_RANDOM_H
#define TEST_SIMULATION_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* splitmix64 (Steele, Lea, Flood 2014): any seed is a good one. */
static inline uint64_t sim_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* 0..below - 1 */
static inline uint32_t sim_random_below(uint64_t *state, uint32_t below)
{
    return (uint32_t)((sim_random(state) >> 32) * below >> 32);
}

static inline bool sim_random_chance(uint64_t *state, uint32_t permille)
{
    return permille > 0 && sim_random_below(state, 1000) < permille;
}

#endif
