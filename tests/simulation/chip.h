/* A relay chip for long runs: its engine compiled for this computer, or the firmware itself on a
 * simulated ATmega168 (docs/adr/0004). Time is true time, in milliseconds since the run began. */
#ifndef TEST_SIMULATION_CHIP_H
#define TEST_SIMULATION_CHIP_H

#include "link/frame.h"

/* Of the wires between node and chip; in 1/1000 of the frames. */
struct sim_wires {
    uint16_t loss, noise;
    bool is_cut;
};

enum sim_chip_fault {
    SIM_CHIP_RESET,
    SIM_CHIP_BROWN_OUT,
    SIM_CHIP_HANG, /* until the watchdog bites */
    SIM_CHIP_POWER_OFF,
    SIM_CHIP_POWER_ON
};

struct sim_chip {
    /* Run until an instant, or until the pins have just changed. Gives: where it stopped; *seen:
     * the zones that conducted at any moment on the way, bit z. */
    uint64_t (*run)(struct sim_chip *chip, uint64_t until_ms, uint8_t *seen);
    /* Zones that conduct, bit z. */
    uint8_t (*pins)(const struct sim_chip *chip);
    /* One exchange that begins now. Gives: the milliseconds that it took. */
    unsigned (*exchange)(struct sim_chip *chip, const uint8_t order[SL_FRAME_LEN],
                         uint8_t status[SL_FRAME_LEN]);
    void (*fail)(struct sim_chip *chip, enum sim_chip_fault fault);
    void (*set_wires)(struct sim_chip *chip, const struct sim_wires *wires);
    /* Zones whose pins are held from outside, and do not conduct. */
    void (*hold_off)(struct sim_chip *chip, uint8_t zones);
    /* True frequency / nominal, in 1/1000: 900..1100. */
    void (*set_oscillator)(struct sim_chip *chip, uint16_t permille);
};

/* Both: one chip a program, just powered on; a second call begins anew with another one. What
 * cannot be made ends the program. */
struct sim_chip *sim_chip_compiled(uint64_t seed);
struct sim_chip *sim_chip_firmware(const char *elf_path, uint64_t seed);

#endif
