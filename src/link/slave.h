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
 *  3. Without a valid applied order for the length of the lease, everything goes off.
 *  4. Time is counted 1/8 faster than the oscillator says, which may be 10 % slow: between two
 *     orders a countdown ends early, never late. Every order sets it right.
 */
#ifndef SL_LINK_SLAVE_H
#define SL_LINK_SLAVE_H

#include "link/frame.h"

struct sl_slave {
    uint32_t remaining_ms[SL_ZONES]; /* 0: off */
    uint32_t on_ms[SL_ZONES];        /* how long the zone has conducted without a zero order */
    uint32_t hard_limit_ms[SL_ZONES];
    uint32_t lease_ms; /* 0: ended, or none yet */
    uint8_t eighths;   /* elapsed time not yet counted, in eighths of a millisecond */
    uint8_t latched;
    uint8_t sequence;
    uint8_t flags;
    uint8_t reset_cause;
    uint8_t dropped_frames;
};

/* Start with everything off and latched.
 * reset_cause: bits SL_RESET_*.  hard_limit_ms: per zone, longest time without a zero order. */
void sl_slave_init(struct sl_slave *slave, uint8_t reset_cause,
                   const uint32_t hard_limit_ms[SL_ZONES]);

/* One frame between two edges of chip select, len bytes. A bad one is counted and changes nothing
 * else. */
void sl_slave_feed(struct sl_slave *slave, const uint8_t *frame, uint8_t len);

/* elapsed_ms of the chip's own clock went by: 0..1000. */
void sl_slave_tick(struct sl_slave *slave, uint16_t elapsed_ms);

/* Zones that should conduct now, bit z = zone z. */
uint8_t sl_slave_outputs(const struct sl_slave *slave);

/* The status frame for the next exchange. pins: as read back by the caller, bit z = conducts. */
void sl_slave_peek(const struct sl_slave *slave, uint8_t pins, uint8_t version,
                   uint8_t frame[SL_FRAME_LEN]);

#endif
