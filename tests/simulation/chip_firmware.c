/* The firmware itself, instruction by instruction, on the simulated ATmega168. */
#include "simulation/chip.h"
#include "twin/chip.h"

#include <stdio.h>
#include <stdlib.h>

#define MS UINT64_C(1000) /* in the twin's microseconds */

static struct twin_chip *twin;
static struct sim_chip chip;
static uint32_t seed;

static uint8_t pins(const struct sim_chip *self)
{
    (void)self;
    return twin_chip_conducting(twin);
}

/* Millisecond by millisecond; what conducted in between is seen all the same. */
static uint64_t run(struct sim_chip *self, uint64_t until_ms, uint8_t *seen)
{
    uint64_t now_ms = twin_chip_now_us(twin) / MS;
    uint8_t before = pins(self);
    *seen = before;
    while (now_ms < until_ms && pins(self) == before && *seen == before) {
        twin_chip_run(twin, ++now_ms * MS);
        *seen |= twin_chip_take_conducted(twin);
    }
    if (twin_chip_counts(twin).crashed) {
        fprintf(stderr, "the firmware crashed at %llu ms\n", (unsigned long long)now_ms);
        exit(1);
    }
    return now_ms;
}

static unsigned exchange(struct sim_chip *self, const uint8_t order[SL_FRAME_LEN],
                         uint8_t status[SL_FRAME_LEN])
{
    (void)self;
    twin_chip_exchange(twin, order, status, SL_FRAME_LEN);
    return 1;
}

static void fail(struct sim_chip *self, enum sim_chip_fault fault)
{
    (void)self;
    switch (fault) {
    case SIM_CHIP_RESET:
        twin_chip_reset(twin);
        break;
    case SIM_CHIP_BROWN_OUT:
        twin_chip_brown_out(twin);
        break;
    case SIM_CHIP_HANG:
        twin_chip_hang(twin);
        break;
    case SIM_CHIP_POWER_OFF:
        twin_chip_set_power(twin, false);
        break;
    case SIM_CHIP_POWER_ON:
        twin_chip_set_power(twin, true);
        break;
    }
}

static void set_wires(struct sim_chip *self, const struct sim_wires *wires)
{
    (void)self;
    twin_chip_set_link_cut(twin, wires->is_cut);
    twin_chip_set_frame_loss(twin, wires->loss / 1000.0);
    twin_chip_set_bit_errors(twin, wires->noise / 1000.0 / (SL_FRAME_LEN * 8), ++seed);
}

static void hold_off(struct sim_chip *self, uint8_t zones)
{
    (void)self;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        twin_chip_set_pin_stuck(twin, zone, (zones >> zone & 1) != 0, true);
}

static void set_oscillator(struct sim_chip *self, uint16_t permille)
{
    (void)self;
    twin_chip_set_oscillator(twin, permille / 1000.0);
}

static void end(void)
{
    if (twin != NULL)
        twin_chip_destroy(twin);
    twin = NULL;
}

struct sim_chip *sim_chip_firmware(const char *elf_path, uint64_t run_seed)
{
    static bool is_known;
    const char *error;
    end();
    twin = twin_chip_create(&(struct twin_chip_options){.elf_path = elf_path}, &error);
    if (twin == NULL) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
    if (!is_known)
        atexit(end);
    is_known = true;
    seed = (uint32_t)run_seed;
    chip = (struct sim_chip){run, pins, exchange, fail, set_wires, hold_off, set_oscillator};
    return &chip;
}
