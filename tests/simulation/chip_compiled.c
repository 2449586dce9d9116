/* The chip's engine (src/link/slave.c) under the clock of an oscillator that may be off. */
#include "link/slave.h"
#include "simulation/chip.h"
#include "simulation/random.h"

#include <string.h>

#define VERSION  0x10
#define CHUNK_MS 1000

struct compiled {
    struct sim_chip chip;
    struct sl_slave slave;
    struct sim_wires wires;
    uint64_t random;
    uint64_t now_ms;
    uint16_t permille; /* of the oscillator */
    uint32_t rest;     /* thousandths of the chip's milliseconds not yet ticked */
    bool has_power;
    uint8_t held_off;
};

static struct compiled compiled;

static void start(uint8_t cause)
{
    uint32_t limits[SL_ZONES];
    for (int zone = 0; zone < SL_ZONES; zone++)
        limits[zone] = SL_SLAVE_HARD_LIMIT_MS;
    sl_slave_init(&compiled.slave, cause, limits);
}

/* The chip counts nine eighths. */
static uint32_t chip_ms(const struct sl_slave_count *count)
{
    return ((count->units - 1u) * SL_LINK_UNIT_MS + count->left_ms) * 8 / 9;
}

/* The chip's milliseconds in which no output can change yet; at least 1. */
static uint32_t calm_ms(void)
{
    const struct sl_slave *slave = &compiled.slave;
    uint32_t calm = CHUNK_MS;
    if (slave->lease.units > 0 && chip_ms(&slave->lease) < calm)
        calm = chip_ms(&slave->lease);
    for (int zone = 0; zone < SL_ZONES; zone++) {
        if (slave->remaining[zone].units == 0)
            continue;
        uint32_t allowed = slave->hard_limit_ms[zone] - slave->on_ms[zone];
        if (chip_ms(&slave->remaining[zone]) < calm)
            calm = chip_ms(&slave->remaining[zone]);
        if (allowed < calm)
            calm = allowed;
    }
    return calm > 2 ? calm - 1 : 1;
}

static uint8_t pins(const struct sim_chip *chip)
{
    (void)chip;
    return compiled.has_power ? (uint8_t)(sl_slave_outputs(&compiled.slave) & ~compiled.held_off)
                              : 0;
}

static uint64_t run(struct sim_chip *chip, uint64_t until_ms, uint8_t *seen)
{
    uint8_t before = pins(chip);
    *seen = before;
    while (compiled.now_ms < until_ms) {
        uint64_t step = until_ms - compiled.now_ms;
        uint32_t most = before == 0 ? CHUNK_MS : calm_ms() * 1000 / 1100;
        if (step > most)
            step = most > 0 ? most : 1;
        compiled.now_ms += step;
        compiled.rest += (uint32_t)step * compiled.permille;
        if (compiled.has_power)
            sl_slave_tick(&compiled.slave, (uint16_t)(compiled.rest / 1000));
        compiled.rest %= 1000;
        if (pins(chip) != before)
            break;
    }
    return compiled.now_ms;
}

/* One to three wrong bits, which the CRC always finds. */
static void spoil(uint8_t frame[SL_FRAME_LEN])
{
    uint32_t first = sim_random_below(&compiled.random, SL_FRAME_LEN * 8 - 2);
    for (uint32_t bits = 1 + sim_random_below(&compiled.random, 3); bits > 0; bits--, first++)
        frame[first / 8] ^= (uint8_t)(1u << first % 8);
}

static unsigned exchange(struct sim_chip *chip, const uint8_t order[SL_FRAME_LEN],
                         uint8_t status[SL_FRAME_LEN])
{
    const struct sim_wires *wires = &compiled.wires;
    uint8_t heard[SL_FRAME_LEN];
    if (!compiled.has_power || wires->is_cut) {
        memset(status, 0xFF, SL_FRAME_LEN);
        return 0;
    }
    sl_slave_peek(&compiled.slave, pins(chip), VERSION, status);
    if (sim_random_chance(&compiled.random, wires->noise))
        spoil(status);
    if (sim_random_chance(&compiled.random, wires->loss))
        memset(status, 0xFF, SL_FRAME_LEN);
    memcpy(heard, order, sizeof heard);
    if (sim_random_chance(&compiled.random, wires->noise))
        spoil(heard);
    if (!sim_random_chance(&compiled.random, wires->loss))
        sl_slave_feed(&compiled.slave, heard, sizeof heard);
    return 0;
}

static void fail(struct sim_chip *chip, enum sim_chip_fault fault)
{
    (void)chip;
    switch (fault) {
    case SIM_CHIP_RESET:
        start(SL_RESET_EXTERNAL);
        break;
    case SIM_CHIP_BROWN_OUT:
        start(SL_RESET_BROWN_OUT);
        break;
    case SIM_CHIP_HANG: /* how long that takes is for the firmware to show */
        start(SL_RESET_WATCHDOG);
        break;
    case SIM_CHIP_POWER_OFF:
        compiled.has_power = false;
        break;
    case SIM_CHIP_POWER_ON:
        start(SL_RESET_POWER_ON);
        compiled.has_power = true;
        break;
    }
}

static void set_wires(struct sim_chip *chip, const struct sim_wires *wires)
{
    (void)chip;
    compiled.wires = *wires;
}

static void hold_off(struct sim_chip *chip, uint8_t zones)
{
    (void)chip;
    compiled.held_off = zones;
}

static void set_oscillator(struct sim_chip *chip, uint16_t permille)
{
    (void)chip;
    compiled.permille = permille;
}

struct sim_chip *sim_chip_compiled(uint64_t seed)
{
    compiled = (struct compiled){
        .chip = {run, pins, exchange, fail, set_wires, hold_off, set_oscillator},
        .random = seed,
        .permille = 1000,
        .has_power = true,
    };
    start(SL_RESET_POWER_ON);
    return &compiled.chip;
}
