/* A start, a period, and the timed sequence that guards both. */
#include "watchdog.h"

#include <string.h>

#define WDIF          0x80
#define WDIE          0x40
#define WDP3          0x20
#define WDCE          0x10
#define WDE           0x08
#define WDP           0x07
#define CHANGE_CYCLES 4  /* from setting WDCE to the write that it allows */
#define SHORTEST_MS   16 /* 2048 periods of 128 kHz */

static void schedule(struct twin_watchdog *watchdog)
{
    uint8_t control = watchdog->io.avr->data[TWIN_WDTCSR];
    unsigned prescaler = (control & WDP) | (control & WDP3 ? 8 : 0);
    double period = (double)(SHORTEST_MS << prescaler) * watchdog->cycles_per_ms;
    watchdog->due = control & WDE ? watchdog->cleared_at + (uint64_t)period : UINT64_MAX;
}

static void write_control(avr_t *avr, avr_io_addr_t address, uint8_t value, void *param)
{
    struct twin_watchdog *watchdog = param;
    bool is_unlocked = avr->cycle <= watchdog->unlocked_until;
    uint8_t old = avr->data[address];
    uint8_t kept = is_unlocked ? 0 : WDP3 | WDP;
    uint8_t next = (uint8_t)((old & kept) | (value & ~kept & (WDIE | WDP3 | WDE | WDP)));
    if (!is_unlocked)
        next |= old & WDE; /* setting WDE is always allowed, clearing it is not */
    if (watchdog->always_on)
        next = (uint8_t)((next | WDE) & ~WDIE);
    next |= old & ~value & WDIF; /* written as 1 to clear it */
    if ((value & WDCE) && (value & WDE))
        watchdog->unlocked_until = avr->cycle + CHANGE_CYCLES;
    avr->data[address] = next;
    schedule(watchdog);
}

static int take_wdr(avr_io_t *io, uint32_t control, void *param)
{
    (void)param;
    if (control != AVR_IOCTL_WATCHDOG_RESET)
        return -1;
    struct twin_watchdog *watchdog = (struct twin_watchdog *)io;
    watchdog->cleared_at = io->avr->cycle;
    schedule(watchdog);
    return 0;
}

void twin_watchdog_attach(struct twin_watchdog *watchdog, avr_t *avr, bool always_on)
{
    memset(watchdog, 0, sizeof *watchdog);
    watchdog->io.kind = "twin watchdog";
    watchdog->io.ioctl = take_wdr;
    watchdog->always_on = always_on;
    avr_register_io(avr, &watchdog->io);
    twin_register_replace(avr, TWIN_WDTCSR, NULL, write_control, watchdog);
}

void twin_watchdog_reset(struct twin_watchdog *watchdog)
{
    avr_t *avr = watchdog->io.avr;
    avr->data[TWIN_WDTCSR] = watchdog->always_on ? WDE : 0;
    watchdog->cleared_at = avr->cycle;
    watchdog->unlocked_until = 0;
    schedule(watchdog);
}

void twin_watchdog_set_clock(struct twin_watchdog *watchdog, double cycles_per_ms)
{
    watchdog->cycles_per_ms = cycles_per_ms;
    schedule(watchdog);
}
