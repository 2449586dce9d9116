/* The eight relay lines: what port D's registers, the supply and a short circuit make of them. */
#ifndef SL_TWIN_PINS_H
#define SL_TWIN_PINS_H

#include "chip.h"
#include "simavr.h"

struct twin_pins {
    avr_t *avr;
    struct {
        avr_io_write_t write;
        void *param;
    } inner[3]; /* simavr's own callbacks of PIND, DDRD, PORTD */
    bool has_power;
    uint8_t stuck;       /* bit z: the line of zone z is held from outside ... */
    uint8_t stuck_level; /* ... at this level */
    enum twin_level level[SL_ZONES];
    /* A line has just changed; pins->level tells them all. */
    void (*changed)(void *context);
    void *context;
};

void twin_pins_attach(struct twin_pins *pins, avr_t *avr, void (*changed)(void *context),
                      void *context);
/* Look again: after avr_reset, a change of the supply or of what is stuck. */
void twin_pins_update(struct twin_pins *pins);

#endif
