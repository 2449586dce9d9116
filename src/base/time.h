/* Wrap-safe milliseconds.
 *
 * A clock of 32 bits wraps every 49.7 days. Two instants are compared by their distance, so they
 * must lie less than 2^31 ms (24.8 days) apart; every duration in Sluice is far below that.
 */
#ifndef SL_BASE_TIME_H
#define SL_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t sl_ms; /* an instant: milliseconds since an arbitrary start, wrapping */

/* True when due is now or in the past. */
static inline bool sl_ms_is_reached(sl_ms now, sl_ms due)
{
    return (uint32_t)(now - due) < UINT32_C(0x80000000);
}

/* Milliseconds from now until due; 0 when it is reached. */
static inline uint32_t sl_ms_until(sl_ms now, sl_ms due)
{
    return sl_ms_is_reached(now, due) ? 0 : due - now;
}

/* Fold a candidate into an earliest deadline: *due is the nearer of both as seen from now. */
static inline void sl_ms_earliest(sl_ms now, bool *has, sl_ms *due, sl_ms candidate)
{
    if (!*has || sl_ms_until(now, candidate) < sl_ms_until(now, *due))
        *due = candidate;
    *has = true;
}

#endif
