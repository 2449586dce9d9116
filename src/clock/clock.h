/* The trusted-time ratchet: UTC that never goes below a floor, and jumps only as far as allowed.
 *
 * The floor is the larger of build time and the last time stored. A source alone moves neither the
 * floor nor the ratchet: that takes a peer whose certificate was good at this time. Until then a
 * later word of a source replaces the one before, so that one lie, or a clock that is put right
 * after the start, does not shut the node out for good. Countdowns never use this clock.
 *
 * A clock that was a day ahead when a peer confirmed it leaves a floor that lies ahead when the
 * clock is put right. So a source may lie a little below the floor at the start: the time is held
 * at the floor until the source has reached it, and moves no floor meanwhile.
 */
#ifndef SL_CLOCK_CLOCK_H
#define SL_CLOCK_CLOCK_H

#include "base/status.h"
#include "base/time.h"

#define SL_CLOCK_FIRST_JUMP_S                                                                      \
    (UINT32_C(10) * 366 * 86400) /* furthest ahead of the floor at first */
#define SL_CLOCK_HOLD_S    86400 /* furthest below the floor at first */
#define SL_CLOCK_STEP_S    60    /* a later correction, either way, beside the drift */
#define SL_CLOCK_DRIFT_PPM 500   /* allowed drift since the last setting */

enum sl_clock_source { SL_CLOCK_UNKNOWN, SL_CLOCK_SYSTEM, SL_CLOCK_SNTP };

struct sl_clock {
    uint64_t floor_s;   /* as given at the start */
    uint64_t highest_s; /* highest UTC that was ever confirmed, at least floor_s */
    uint64_t set_s;     /* UTC at the last setting */
    uint64_t base_s;    /* UTC at base_at */
    sl_ms base_at;
    uint16_t base_ms; /* milliseconds of base_s already gone at base_at */
    enum sl_clock_source source;
    bool is_confirmed;
    bool is_held; /* at the floor: the source lies below it; cannot be confirmed */
};

void sl_clock_init(struct sl_clock *clock, uint64_t floor_s);

/* A source says it is unix_s now. Confirmed time SNTP may only correct; the board's own clock may
 * also step.
 * Fails: SL_REFUSED (below the floor by more than is held, or a jump beyond the limits),
 * SL_BAD_ARGUMENT (unix_ms above 999, no source); the clock is unchanged. */
SL_MUST_CHECK enum sl_status sl_clock_set(struct sl_clock *clock, sl_ms now, uint64_t unix_s,
                                          uint16_t unix_ms, enum sl_clock_source source);

/* A peer has answered whose certificate was checked at this time. Nothing while it is unknown or
 * held. */
void sl_clock_confirm(struct sl_clock *clock, sl_ms now);

/* UTC in seconds; 0 while unknown. */
uint64_t sl_clock_utc(const struct sl_clock *clock, sl_ms now);
/* The value to store: it becomes the floor after a restart. Never goes back. Only confirmed time is
 * in it: else one lying source could push the floor, and every certificate into the past, for
 * good. */
uint64_t sl_clock_floor(const struct sl_clock *clock);
/* Carries base and floor forward so that the millisecond counter may wrap: call once a day at
 * least. */
void sl_clock_tick(struct sl_clock *clock, sl_ms now);

#endif
