/* The watchdog, in place of simavr's, which ignores the WDTON fuse and shares the CPU's clock.
 *
 * The real one has an oscillator of its own, 128 kHz give or take, so its period is true time and
 * does not stretch with a slow CPU. Modelled is the reset; a watchdog interrupt (WDIE without
 * WDTON) is not. Source: ATmega48/88/168 data sheet, section "Watchdog Timer".
 */
#ifndef SL_TWIN_WATCHDOG_H
#define SL_TWIN_WATCHDOG_H

#include "simavr.h"
#include <stdbool.h>

struct twin_watchdog {
    avr_io_t io;             /* takes the WDR instruction from simavr's own module */
    bool always_on;          /* fuse WDTON */
    double cycles_per_ms;    /* CPU cycles in a nominal millisecond of the watchdog's oscillator */
    uint64_t cleared_at;     /* cycle of the last WDR */
    uint64_t unlocked_until; /* cycle up to which WDCE allows a change */
    uint64_t due;            /* cycle of the next reset by the watchdog; UINT64_MAX: it is off */
};

void twin_watchdog_attach(struct twin_watchdog *watchdog, avr_t *avr, bool always_on);
/* After every avr_reset: it counts from here, with its shortest period. */
void twin_watchdog_reset(struct twin_watchdog *watchdog);
/* The CPU's clock or the watchdog's is another one from here on. */
void twin_watchdog_set_clock(struct twin_watchdog *watchdog, double cycles_per_ms);

#endif
