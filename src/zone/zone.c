/* Rules for eight zones. Instants are compared by distance only, so the clock may wrap. */
#include "zone/zone.h"

static const struct sl_zone_limits defaults = {1, SL_ZONE_LONGEST_S, SL_ZONE_DEFAULT_S, SL_ZONES};

static uint8_t bit(uint8_t zone)
{
    return (uint8_t)(1u << zone);
}

static uint8_t count(uint8_t mask)
{
    uint8_t ones = 0;
    for (; mask != 0; mask &= (uint8_t)(mask - 1))
        ones++;
    return ones;
}

/* The zone of mask that ends first; of several the lowest. mask is not 0. */
static uint8_t first_to_end(const struct sl_zones *zones, sl_ms now, uint8_t mask)
{
    uint8_t first = SL_ZONES;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        if ((mask & bit(zone)) == 0)
            continue;
        if (first == SL_ZONES ||
            sl_ms_until(now, zones->due_at[zone]) < sl_ms_until(now, zones->due_at[first]))
            first = zone;
    }
    return first;
}

enum sl_status sl_zone_init(struct sl_zones *zones, struct sl_zone_limits limits)
{
    bool is_valid = limits.at_once >= 1 && limits.at_once <= SL_ZONES && limits.longest_s >= 1 &&
                    limits.longest_s <= SL_ZONE_LONGEST_S && limits.default_s >= 1 &&
                    limits.default_s <= limits.longest_s && limits.zones <= SL_ZONES;
    *zones = (struct sl_zones){.limits = is_valid ? limits : defaults};
    if (zones->limits.zones == 0)
        zones->limits.zones = SL_ZONES;
    return is_valid ? SL_OK : SL_BAD_ARGUMENT;
}

enum sl_zone_verdict sl_zone_switch(struct sl_zones *zones, sl_ms now, uint32_t zone,
                                    uint32_t seconds, uint8_t *turned_off)
{
    *turned_off = 0;
    if (zone >= SL_ZONES)
        return SL_ZONE_NO_SUCH_ZONE;
    if (zone >= zones->limits.zones && seconds > 0)
        return SL_ZONE_NO_OUTPUT;
    if (seconds > zones->limits.longest_s)
        return SL_ZONE_TOO_LONG;

    uint8_t asked = bit((uint8_t)zone);
    if (seconds == 0) {
        *turned_off = zones->on & asked;
        sl_zone_clear(zones, asked);
        return SL_ZONE_OK;
    }
    zones->on |= asked;
    zones->due_at[zone] = now + seconds * 1000; /* at most 14,400,000: checked above */
    while (count(zones->on) > zones->limits.at_once) {
        uint8_t others = zones->on & (uint8_t)~asked;
        uint8_t yielding = bit(first_to_end(zones, now, others));
        *turned_off |= yielding;
        sl_zone_clear(zones, yielding);
    }
    return SL_ZONE_OK;
}

void sl_zone_clear(struct sl_zones *zones, uint8_t mask)
{
    zones->on &= (uint8_t)~mask;
}

void sl_zone_adopt(struct sl_zones *zones, sl_ms now, uint8_t zone, uint32_t remaining_ms)
{
    if (zone >= SL_ZONES)
        return;
    uint32_t longest_ms = zones->limits.longest_s * UINT32_C(1000);
    if (remaining_ms > longest_ms)
        remaining_ms = longest_ms;
    if (remaining_ms == 0) {
        sl_zone_clear(zones, bit(zone));
        return;
    }
    zones->on |= bit(zone);
    zones->due_at[zone] = now + remaining_ms;
}

uint8_t sl_zone_tick(struct sl_zones *zones, sl_ms now)
{
    uint8_t ended = 0;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        if ((zones->on & bit(zone)) && sl_ms_is_reached(now, zones->due_at[zone]))
            ended |= bit(zone);
    sl_zone_clear(zones, ended);
    return ended;
}

bool sl_zone_deadline(const struct sl_zones *zones, sl_ms now, sl_ms *due)
{
    if (zones->on == 0)
        return false;
    *due = zones->due_at[first_to_end(zones, now, zones->on)];
    return true;
}

uint32_t sl_zone_remaining_ms(const struct sl_zones *zones, sl_ms now, uint8_t zone)
{
    if (zone >= SL_ZONES || (zones->on & bit(zone)) == 0)
        return 0;
    return sl_ms_until(now, zones->due_at[zone]);
}
