/* The node's side of the SPI link.
 *
 * The engine wants one exchange at a time: sl_master_peek gives the 26 bytes for MOSI, the port
 * clocks them out and gives the 26 bytes from MISO to sl_master_feed. The status in an answer is
 * about the exchange before it, so after a change a second exchange follows at once and brings the
 * read-back.
 *
 * After its start, and whenever no valid status came for SL_MASTER_SILENCE_MS, the engine asks
 * before it orders, and adopts: a zone never ends later than either side remembers, and a zone that
 * the chip ended stays ended. Wants are absolute instants, so a retry never lengthens a watering.
 */
#ifndef SL_LINK_MASTER_H
#define SL_LINK_MASTER_H

#include "base/bytes.h"
#include "base/time.h"
#include "link/frame.h"

#define SL_MASTER_SILENCE_MS 1000 /* without a valid status: the link counts as down */
#define SL_MASTER_ANSWER_MS  100  /* an exchange that the port did not finish is given up */
#define SL_MASTER_RETRY_MS   5    /* between tries of an unconfirmed change */
#define SL_MASTER_TRIES      20   /* of an unconfirmed change, before SL_LINK_UNCONFIRMED */

enum sl_link_event_kind {
    SL_LINK_NONE,
    SL_LINK_UP,          /* first valid status; remaining times of the chip were adopted */
    SL_LINK_DOWN,        /* no valid status for SL_MASTER_SILENCE_MS */
    SL_LINK_CONFIRMED,   /* the last want of zones `zones` was read back at the pins */
    SL_LINK_UNCONFIRMED, /* ... was not: the pins of `zones` differ, or the link is down */
    SL_LINK_ENDED,       /* the chip ended `zones` by itself: time up, lease, limit or reset */
    SL_LINK_CHIP_RESET   /* the chip was reset: status.reset_cause */
};

struct sl_link_event {
    enum sl_link_event_kind kind;
    uint8_t zones; /* bit z */
};

struct sl_master {
    /* fields: see master.c */
    struct sl_chip_status status; /* the last valid one; all zeros before SL_LINK_UP */
    bool is_up;
    bool is_waiting; /* an exchange is under way */
    bool must_adopt; /* ask, adopt, then order */
    uint8_t sequence;
    uint8_t wanted;      /* zones that should conduct */
    uint8_t unconfirmed; /* zones whose last want was not read back yet */
    uint8_t tries;
    sl_ms due_at[SL_ZONES]; /* end of each wanted zone */
    sl_ms exchange_due;
    sl_ms silence_due;
    uint32_t lease_ms;
    uint32_t exchanges, bad_frames; /* counters for the report; wrap */
};

/* lease_ms: SL_LINK_UNIT_MS..255 * SL_LINK_UNIT_MS, rounded up to units. */
void sl_master_init(struct sl_master *master, sl_ms now, uint32_t lease_ms);

/* Zone z shall conduct until due (an instant at most SL_LINK_UNITS_MAX units ahead).
 * Gives SL_LINK_CONFIRMED or SL_LINK_UNCONFIRMED for the zone, later.
 * Fails: SL_BAD_ARGUMENT (zone, due), SL_BAD_STATE (link down: nothing is remembered). */
SL_MUST_CHECK enum sl_status sl_master_switch_on(struct sl_master *master, sl_ms now, uint8_t zone,
                                                 sl_ms due);

/* Zones (bits) shall be off. Always possible; with the link down the chip's lease does it.
 * Gives SL_LINK_CONFIRMED or SL_LINK_UNCONFIRMED. */
void sl_master_switch_off(struct sl_master *master, sl_ms now, uint8_t zones);

/* An exchange is due: gives the frame for MOSI. False: nothing to send now. */
bool sl_master_peek(struct sl_master *master, sl_ms now, uint8_t frame[SL_FRAME_LEN]);
/* The frame from sl_master_peek is on its way: wait for the answer. */
void sl_master_sent(struct sl_master *master, sl_ms now);
/* The answer: len bytes from MISO. Anything but a valid status frame counts as bad. */
void sl_master_feed(struct sl_master *master, sl_ms now, const uint8_t *frame, size_t len);

bool sl_master_next(struct sl_master *master, struct sl_link_event *event);
void sl_master_tick(struct sl_master *master, sl_ms now);
bool sl_master_deadline(const struct sl_master *master, sl_ms now, sl_ms *due);

/* Milliseconds that zone z still has by the node's clock; 0 when it is off. */
uint32_t sl_master_remaining_ms(const struct sl_master *master, sl_ms now, uint8_t zone);

#endif
