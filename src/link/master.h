/* The node's side of the SPI link.
 *
 * The engine wants one exchange at a time: sl_master_peek gives the 26 bytes for MOSI, the port
 * clocks them out and gives the 26 bytes from MISO to sl_master_feed. The status in an answer is
 * about the exchange before it, so after a change a second exchange follows at once and brings the
 * read-back. A status speaks for the present, confirms and keeps the link up only when its sequence
 * says just that: it answers the exchange before. A chip that talks but does not hear counts as
 * silent.
 *
 * After its start, and whenever the chip was silent for SL_MASTER_SILENCE_MS, the engine asks
 * before it orders, and adopts: a zone never ends later than either side remembers, and a zone that
 * the chip ended stays ended. Only when nothing could be kept (no zone is wanted, and none may be
 * left from before the start) it orders zeros without asking. Wants are absolute instants, so a
 * retry never lengthens a watering.
 *
 * No failure is final: a broken link is DOWN, and the engine goes on asking.
 */
#ifndef SL_LINK_MASTER_H
#define SL_LINK_MASTER_H

#include "base/bytes.h"
#include "base/time.h"
#include "link/frame.h"

#define SL_MASTER_SILENCE_MS 1000 /* without an answer: the link counts as down */
#define SL_MASTER_ANSWER_MS  100  /* an exchange that the port did not finish is given up */
#define SL_MASTER_GAP_MS     2    /* between two exchanges: the chip reads one, writes the next */
#define SL_MASTER_RETRY_MS   5    /* between tries of an unconfirmed change */
#define SL_MASTER_TRIES      20   /* of an unconfirmed change, before SL_LINK_UNCONFIRMED */
#define SL_MASTER_DOUBT_MS   500  /* a pin may disagree with the want for so long, unannounced */

/* The lease: at least four periods, so that a lost frame or two closes nothing. */
#define SL_MASTER_LEASE_MIN_MS UINT32_C(1000)
#define SL_MASTER_LEASE_MAX_MS UINT32_C(63750) /* 255 units */

/* In the order in which they are given when several are there. */
enum sl_link_event_kind {
    SL_LINK_NONE,
    SL_LINK_DOWN,       /* the chip is silent: every pin is unknown until SL_LINK_UP */
    SL_LINK_CHIP_RESET, /* the chip was reset (status.reset_cause); every want fell, those of
                           `zones` were on. Not given for a fresh chip at first contact. */
    SL_LINK_UP,         /* the chip answers; `zones` run on: remaining times were adopted */
    SL_LINK_PINS,       /* the pins of `zones` read other than before: see status.pins */
    SL_LINK_CONFIRMED,  /* the last command for `zones` was read back at the pins */
    SL_LINK_ENDED,      /* `zones` ended without a command: time up, lease, limit or reset */
    SL_LINK_UNCONFIRMED /* `zones`: the pins disagree with the last command, or the link went down
                           before they were read; what was on is now ordered off */
};
#define SL_LINK_KINDS (SL_LINK_UNCONFIRMED + 1)

struct sl_link_event {
    enum sl_link_event_kind kind;
    uint8_t zones; /* bit z */
};

struct sl_master {
    struct sl_chip_status status; /* the last valid one; all zeros before the first */
    bool has_status;
    bool is_up;
    bool is_waiting; /* an exchange is under way */
    uint8_t sequence;
    uint8_t lease_units;
    uint8_t wanted;      /* zones that should conduct */
    uint8_t adoptable;   /* zones that may run from before our start, unless told off since */
    uint8_t unconfirmed; /* zones whose last want was not read back yet */
    uint8_t ending;      /* of these: the want is the end of their time, not a command */
    uint8_t doubted;     /* zones whose pin disagrees, already announced */
    uint8_t offered;     /* wants carried by the frame from peek, ... */
    uint8_t carried;     /* ... by the last exchange, ... */
    uint8_t answered;    /* ... and by the one before it, which the next answer is about */
    uint8_t latched;     /* zones that need an order of 0 before they start */
    uint8_t follow_ups;  /* exchanges to make without waiting for the period */
    uint8_t tries[SL_ZONES];
    sl_ms due_at[SL_ZONES];    /* end of each wanted zone */
    sl_ms agreed_at[SL_ZONES]; /* when pin and want were last seen to agree */
    sl_ms exchange_due;
    sl_ms quiet_until; /* end of the chip's pause after an exchange */
    sl_ms answer_due;
    sl_ms silence_due;
    sl_ms sent_at, answered_at;     /* start of the last exchange, and of the one before */
    uint32_t exchanges, bad_frames; /* counters for the report; wrap */
    uint8_t pending_kinds;          /* events not pulled yet: bit kind, and their zones */
    uint8_t pending_zones[SL_LINK_KINDS];
};

/* lease_ms: SL_MASTER_LEASE_MIN_MS..SL_MASTER_LEASE_MAX_MS, rounded up to units; a value outside
 * is moved to the nearer end. */
void sl_master_init(struct sl_master *master, sl_ms now, uint32_t lease_ms);

/* Zone z shall conduct until due (an instant ahead, at most SL_LINK_UNITS_MAX units).
 * Gives SL_LINK_CONFIRMED or SL_LINK_UNCONFIRMED for the zone, later. An event about an earlier
 * command for it that was not pulled yet is taken back.
 * Fails: SL_BAD_ARGUMENT (zone, due), SL_BAD_STATE (link down: nothing is remembered). */
SL_MUST_CHECK enum sl_status sl_master_switch_on(struct sl_master *master, sl_ms now, uint8_t zone,
                                                 sl_ms due);

/* Zones (bits) shall be off. Always possible; with the link down the chip's lease does it.
 * Gives SL_LINK_CONFIRMED or SL_LINK_UNCONFIRMED (with the link down: at once), as switch_on. */
void sl_master_switch_off(struct sl_master *master, sl_ms now, uint8_t zones);

/* An exchange is due: gives the frame for MOSI. False: nothing to send now. */
bool sl_master_peek(struct sl_master *master, sl_ms now, uint8_t frame[SL_FRAME_LEN]);
/* The frame from sl_master_peek is on its way: wait for the answer. */
void sl_master_sent(struct sl_master *master, sl_ms now);
/* The answer: len bytes from MISO; 0 when the exchange failed. Anything but a valid status frame
 * counts as bad. After SL_MASTER_ANSWER_MS it is too late and ignored. */
void sl_master_feed(struct sl_master *master, sl_ms now, const uint8_t *frame, size_t len);

bool sl_master_next(struct sl_master *master, struct sl_link_event *event);
void sl_master_tick(struct sl_master *master, sl_ms now);
/* Always true: there is always a next exchange. */
bool sl_master_deadline(const struct sl_master *master, sl_ms now, sl_ms *due);

/* Milliseconds that zone z still has by the node's clock; 0 when it is off. */
uint32_t sl_master_remaining_ms(const struct sl_master *master, sl_ms now, uint8_t zone);

#endif
