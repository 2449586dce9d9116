/* The relay chip's engine: countdowns, lease, hard limit and latches.
 *
 * It runs on the ATmega168, and compiled for the host in tests that cover months. It knows no
 * register: firmware/atmega168 feeds it frames and elapsed time, and puts its outputs on the pins.
 *
 * Safety rules, in order of strength:
 *  1. An output is on only while its own countdown runs.
 *  2. Whatever ends a zone other than an order (time up, lease, hard limit, reset) latches it: it
 *     stays off until an applied order has said 0 for it. So a late or repeated order cannot
 *     switch a finished zone on again, and a chip that was reset stays closed.
 *  3. Without an applied order for the length of the lease, everything goes off. An order that
 *     repeats the last sequence is answered but not applied, so a master that is stuck and clocks
 *     out one buffer for ever renews nothing.
 *  4. Remaining times and the lease are counted 1/8 faster than the oscillator says, which may be
 *     10 % slow (9/8 of 0.9 is 1.0125): between two orders a countdown ends early, never late.
 *     Every applied order sets it right.
 *  5. A zone conducts at most its hard limit without an order of 0, whatever the orders say. This
 *     is the last line, so it is counted in the chip's own milliseconds without the eighth: it
 *     comes at the limit, give or take the oscillator's 10 %.
 */
#ifndef SL_LINK_SLAVE_H
#define SL_LINK_SLAVE_H

#include "link/frame.h"

/* The default hard limit: 4 h, the longest on-time of a node, and 1/8 above for a fast oscillator,
 * so that a zone of 4 h is never cut short. */
#define SL_SLAVE_HARD_LIMIT_MS UINT32_C(16200000)

/* Time left: units of SL_LINK_UNIT_MS, the one being counted included, so that the status needs no
 * division. */
struct sl_slave_count {
    uint16_t units;  /* 0: off */
    uint8_t left_ms; /* of the unit being counted: 1..SL_LINK_UNIT_MS; 0 when off */
};

struct sl_slave {
    struct sl_slave_count remaining[SL_ZONES];
    struct sl_slave_count lease; /* off: ended, or none yet */
    uint32_t on_ms[SL_ZONES];    /* how long the zone has conducted without an order of 0 */
    uint32_t hard_limit_ms[SL_ZONES];
    uint8_t eighths; /* elapsed time not yet counted, in eighths of a millisecond */
    uint8_t latched;
    uint8_t limited; /* bit z: zone z met its hard limit and has not been zeroed yet */
    uint8_t sequence;
    uint8_t flags; /* SL_STATUS_LEASE_ENDED, SL_STATUS_FRESH */
    uint8_t reset_cause;
    uint8_t dropped_frames;
};

/* Start with everything off and latched.
 * reset_cause: bits SL_RESET_*.  hard_limit_ms: per zone; with 0 the zone never conducts. */
void sl_slave_init(struct sl_slave *slave, uint8_t reset_cause,
                   const uint32_t hard_limit_ms[SL_ZONES]);

/* One frame between two edges of chip select, len bytes. A bad one is counted and changes nothing
 * else. */
void sl_slave_feed(struct sl_slave *slave, const uint8_t *frame, uint8_t len);

/* elapsed_ms of the chip's own clock went by. Any value is safe; call it about every millisecond,
 * because a zone goes off at the tick in which its time ends. */
void sl_slave_tick(struct sl_slave *slave, uint16_t elapsed_ms);

/* Zones that should conduct now, bit z = zone z. */
uint8_t sl_slave_outputs(const struct sl_slave *slave);

/* The status frame for the next exchange. pins: as read back by the caller, bit z = conducts. */
void sl_slave_peek(const struct sl_slave *slave, uint8_t pins, uint8_t version,
                   uint8_t frame[SL_FRAME_LEN]);

#endif
