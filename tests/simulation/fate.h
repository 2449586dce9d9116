/* Chance: commands, good and bad, and everything that can break. */
#ifndef TEST_SIMULATION_FATE_H
#define TEST_SIMULATION_FATE_H

#include <stdbool.h>
#include <stdint.h>

struct sim_world;

/* How fast things happen. */
struct sim_pace {
    uint32_t event_ms;          /* mean between two events */
    uint32_t trouble_ms;        /* the longest trouble */
    uint32_t watering_s;        /* most waterings are no longer */
    uint64_t restarts_until_ms; /* from then on the node lives to the end: only so it grows old */
};

/* What lasts for a while. */
enum sim_trouble {
    SIM_WIRES_NOISY,
    SIM_WIRES_LOSSY,
    SIM_WIRES_CUT,
    SIM_CHIP_DARK,
    SIM_NODE_STALLED,
    SIM_BROKER_DOWN,
    SIM_BROKER_AWAY, /* dialling gets no answer */
    SIM_BROKER_FROZEN,
    SIM_BROKER_DEAF,
    SIM_BROKER_MUTE_CONNACK,
    SIM_BROKER_MUTE_SUBACK,
    SIM_BROKER_MUTE_PUBACK,
    SIM_BROKER_MUTE_PINGRESP,
    SIM_TROUBLES
};
#define SIM_BIT(trouble)    (UINT32_C(1) << (trouble))
#define SIM_LINK_TROUBLES   (SIM_BIT(SIM_BROKER_DOWN) - 1)
#define SIM_BROKER_TROUBLES (SIM_BIT(SIM_TROUBLES) - SIM_BIT(SIM_BROKER_DOWN))

struct sim_fate {
    struct sim_pace pace;
    uint64_t random;
    uint64_t next_at;               /* of the next event */
    uint32_t active;                /* troubles that are there, bit t */
    uint64_t ends_at[SIM_TROUBLES]; /* of these */
    uint64_t wake_at;               /* the earliest of all these */
    uint32_t acks_owed;             /* QoS 1 messages to the node in this session */
};

void sim_fate_init(struct sim_world *world, uint64_t seed, const struct sim_pace *pace);
/* Whatever is due now. */
void sim_fate_tick(struct sim_world *world);

#endif
