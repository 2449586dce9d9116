/* The trusted-time ratchet. */
#include "clock/clock.h"

static uint64_t elapsed_ms(const struct sl_clock *clock, sl_ms now);
static bool is_acceptable(const struct sl_clock *clock, sl_ms now, uint64_t unix_s,
                          enum sl_clock_source source);

void sl_clock_init(struct sl_clock *clock, uint64_t floor_s)
{
    *clock = (struct sl_clock){.floor_s = floor_s, .highest_s = floor_s};
}

enum sl_status sl_clock_set(struct sl_clock *clock, sl_ms now, uint64_t unix_s, uint16_t unix_ms,
                            enum sl_clock_source source)
{
    if (source == SL_CLOCK_UNKNOWN || unix_ms > 999)
        return SL_BAD_ARGUMENT;
    if (!is_acceptable(clock, now, unix_s, source))
        return SL_REFUSED;
    clock->is_held = unix_s < clock->floor_s;
    clock->base_s = clock->set_s = clock->is_held ? clock->floor_s : unix_s;
    clock->base_ms = clock->is_held ? 0 : unix_ms;
    clock->base_at = now;
    clock->source = source;
    sl_clock_tick(clock, now);
    return SL_OK;
}

void sl_clock_confirm(struct sl_clock *clock, sl_ms now)
{
    clock->is_confirmed = clock->source != SL_CLOCK_UNKNOWN && !clock->is_held;
    sl_clock_tick(clock, now);
}

uint64_t sl_clock_utc(const struct sl_clock *clock, sl_ms now)
{
    if (clock->source == SL_CLOCK_UNKNOWN)
        return 0;
    return clock->base_s + elapsed_ms(clock, now) / 1000;
}

uint64_t sl_clock_floor(const struct sl_clock *clock)
{
    return clock->highest_s;
}

void sl_clock_tick(struct sl_clock *clock, sl_ms now)
{
    uint64_t elapsed = elapsed_ms(clock, now);

    if (clock->source == SL_CLOCK_UNKNOWN || !sl_ms_is_reached(now, clock->base_at))
        return;
    clock->base_s += elapsed / 1000;
    clock->base_ms = (uint16_t)(elapsed % 1000);
    clock->base_at = now;
    if (clock->is_confirmed && clock->highest_s < clock->base_s)
        clock->highest_s = clock->base_s;
}

/* Since the beginning of base_s. An instant before base_at counts as base_at. */
static uint64_t elapsed_ms(const struct sl_clock *clock, sl_ms now)
{
    uint32_t since = sl_ms_is_reached(now, clock->base_at) ? now - clock->base_at : 0;

    return (uint64_t)clock->base_ms + since;
}

static bool is_acceptable(const struct sl_clock *clock, sl_ms now, uint64_t unix_s,
                          enum sl_clock_source source)
{
    if (unix_s < clock->floor_s)
        return !clock->is_confirmed && clock->floor_s - unix_s <= SL_CLOCK_HOLD_S;
    /* The board's own clock is trusted by its owner, who may set it at any time: a computer without
     * a battery starts in the past and is put right when the network is there. */
    if (!clock->is_confirmed || source == SL_CLOCK_SYSTEM)
        return unix_s - clock->floor_s <= SL_CLOCK_FIRST_JUMP_S;

    uint64_t utc = sl_clock_utc(clock, now);
    uint64_t distance_s = unix_s > utc ? unix_s - utc : utc - unix_s;
    uint64_t drift_s = (utc - clock->set_s) * SL_CLOCK_DRIFT_PPM / 1000000;
    return distance_s <= SL_CLOCK_STEP_S + drift_s;
}
