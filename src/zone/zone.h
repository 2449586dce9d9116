/* Rules for eight zones, as pure arithmetic: how long, how many at once, when each ends.
 *
 * The node asks here what a command means, then orders it from the chip; the chip counts down by
 * itself, and its answer is put back here. Nothing in this module reads a clock.
 */
#ifndef SL_ZONE_ZONE_H
#define SL_ZONE_ZONE_H

#include "base/limits.h"
#include "base/status.h"
#include "base/time.h"

#define SL_ZONE_LONGEST_S 14400 /* 4 h: the longest on-time that can be configured */
#define SL_ZONE_DEFAULT_S 600   /* on-time of a command that names none */

struct sl_zone_limits {
    uint8_t at_once;    /* zones that may conduct together, 1..8; 1 is the default */
    uint16_t longest_s; /* 1..SL_ZONE_LONGEST_S */
    uint16_t default_s; /* 1..longest_s */
    uint8_t zones;      /* that have an output, from 0 on: 1..8; 0: all eight */
};

struct sl_zones {
    struct sl_zone_limits limits;
    uint8_t on; /* bit z */
    sl_ms due_at[SL_ZONES];
};

/* Why a command was refused. */
enum sl_zone_verdict {
    SL_ZONE_OK,
    SL_ZONE_NO_SUCH_ZONE, /* zone > 7 */
    SL_ZONE_NO_OUTPUT,    /* to be on, but zone >= limits.zones */
    SL_ZONE_TOO_LONG      /* seconds > limits.longest_s */
};

/* Fails: SL_BAD_ARGUMENT when a limit is out of range; then *zones has the defaults. */
SL_MUST_CHECK enum sl_status sl_zone_init(struct sl_zones *zones, struct sl_zone_limits limits);

/* Switch zone on for seconds; 0 seconds is off. A zone that is on gets the new time.
 * When more than limits.at_once would be on, others give way: those that end first, of several
 * the lowest.
 * Gives: *turned_off, the zones that were on and are switched off by this command, bit z (0 on
 * refusal). A refusal changes nothing. */
SL_MUST_CHECK enum sl_zone_verdict sl_zone_switch(struct sl_zones *zones, sl_ms now, uint32_t zone,
                                                  uint32_t seconds, uint8_t *turned_off);

/* Zones (bits) are off now: by command, or because the chip said so. */
void sl_zone_clear(struct sl_zones *zones, uint8_t mask);

/* The chip says zone is on with remaining_ms left (after a start of the node); more than
 * limits.longest_s is cut to that. Zones beyond limits.at_once stay until the next switch. */
void sl_zone_adopt(struct sl_zones *zones, sl_ms now, uint8_t zone, uint32_t remaining_ms);

/* Switch off what is due. Gives: the zones that ended, bit z. */
uint8_t sl_zone_tick(struct sl_zones *zones, sl_ms now);
bool sl_zone_deadline(const struct sl_zones *zones, sl_ms now, sl_ms *due);

/* Milliseconds left; 0 when off. */
uint32_t sl_zone_remaining_ms(const struct sl_zones *zones, sl_ms now, uint8_t zone);

#endif
