/* What must be true at every moment, whatever happens:
 *
 *   1. a zone conducts only when it was asked for, starts once, and never conducts past its
 *      deadline + 300 ms;
 *   2. never more zones than allowed; none for longer than the lease without an order, nor past
 *      the chip's hard limit;
 *   3. when all is well, a zone that was asked for conducts until its deadline;
 *   4. a second after all is quiet, every command is settled, and what the broker retains is what
 *      the pins are;
 *   5. the keep alive goes on; a broker that can be reached for the longest pause has its node;
 *   6. reports and answers are JSON, and true; no memory grows.
 */
#ifndef TEST_SIMULATION_JUDGE_H
#define TEST_SIMULATION_JUDGE_H

#include "base/limits.h"
#include "link/frame.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_world;
struct rig_heard;

enum sim_asked_kind { SIM_ASKED_ON, SIM_ASKED_OFF, SIM_ASKED_STATUS, SIM_ASKED_NONSENSE };

struct sim_asked {
    enum sim_asked_kind kind;
    uint8_t zones; /* bit z */
    uint32_t seconds;
    const char *payload; /* for a person */
    bool wants_answer;   /* and will get one, when the session lasts */
};

#define SIM_ASKED_MAX 16

struct sim_zone {
    uint64_t limit; /* it must not conduct later; 0: not at all */
    uint64_t loose; /* the limit, should the wires fail before the chip has heard of the new one */
    uint64_t prior; /* the limit before the last commands, for a node that forgets them before the
                       chip hears */
    uint64_t told_at;  /* the last command */
    uint64_t deadline; /* it must conduct until then; 0: nothing is expected */
    uint64_t conducts_since, changed_at;
    bool may_start; /* once for each command, so that a relay never chatters */
};

struct sim_judge {
    const char *replay;
    bool traces; /* print what happens */
    /* Told of a failure instead of ending the program; does not return. */
    void (*on_failure)(const struct sim_world *world, const char *text);
    struct sim_zone zones[SL_ZONES];
    uint8_t expected; /* zones with a deadline, bit z */
    uint8_t at_once, pins;
    uint8_t at_once_before;                /* the node that was there before allowed more */
    struct sim_asked asked[SIM_ASKED_MAX]; /* not settled yet, oldest first */
    uint8_t asked_len;

    uint8_t shown, known;      /* retained states of this session, bit z */
    bool is_online;            /* the retained availability */
    uint32_t refusals_owed;    /* to `refused`, in this session */
    uint32_t answers_owed;     /* to response topics */
    unsigned session, packets; /* SUBSCRIBEs, and packets of the node, so far */

    /* The last moment at which ... */
    uint64_t pins_at;          /* a pin changed */
    uint64_t link_bad_at;      /* wires, chip or node were not well */
    uint64_t broker_bad_at;    /* the broker was not */
    uint64_t closed_at;        /* no session was open */
    uint64_t asked_at;         /* a command was sent */
    uint64_t heard_at;         /* the broker heard the node */
    uint64_t ordered_at;       /* the chip may have taken an order */
    uint64_t line_bad_at;      /* the broker was not well, a node that stops apart */
    uint64_t closed_before_at; /* no session was open, when the node was told to stop */
    bool is_version_new; /* the broker may refuse the protocol level that the node tries first */

    uint64_t checked_memory_at;
    size_t memory;
};

#define SIM_LEASE_MS  10000 /* of the chip */
#define SIM_GRACE_MS  300   /* the promise: deadline + 300 ms */
#define SIM_SETTLE_MS 3000  /* after a trouble of the link: silence, adoption, retries */
#define SIM_QUIET_MS  1000

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void sim_trace(const struct sim_world *world, const char *format, ...);
/* Prints the line and ends the program. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3), noreturn))
#endif
void sim_judge_fail(const struct sim_world *world, const char *format, ...);

void sim_judge_init(struct sim_world *world, const char *replay);
/* Time went on until world->ms; seen: what conducted on the way. */
void sim_judge_pins(struct sim_world *world, uint8_t seen);
/* The node has turned: its log, what the broker heard, and the state of all. */
void sim_judge_turn(struct sim_world *world);
/* The broker has got a message of the node. */
void sim_judge_hear(struct sim_world *world, const struct rig_heard *heard);
/* Nothing holds a message back on its way, so it tells about now. */
bool sim_judge_is_broker_well(const struct sim_world *world);
/* Nor an order or a status. */
bool sim_judge_is_link_well(const struct sim_world *world);
/* The run is over. */
void sim_judge_end(struct sim_world *world);
/* All is well, and has been for a second: the broker must show what the pins are. */
bool sim_judge_is_quiet(const struct sim_world *world);

/* A command is on its way. */
void sim_judge_asked(struct sim_world *world, struct sim_asked asked);
/* The chip has heard an order. */
void sim_judge_ordered(struct sim_world *world, uint64_t at);
/* The chip is about to hear an order that is old: it names times that are too long by its age,
 * until the next order sets them right (SECURITY.md, what is not protected). */
void sim_judge_held(struct sim_world *world, const uint8_t frame[SL_FRAME_LEN]);
/* Wires, chip or node are not well now. */
void sim_judge_link_bad(struct sim_world *world);
/* The chip lost its memory: all is off, and stays off, once the node can know of it. */
void sim_judge_chip_reset(struct sim_world *world);
/* The pins are held, or let go again: a zone whose time is not up may start once more. */
void sim_judge_pins_stuck(struct sim_world *world);
/* The node lost its memory. */
void sim_judge_node_start(struct sim_world *world, uint8_t at_once);
void sim_judge_node_stop(struct sim_world *world);
/* It has stopped. */
void sim_judge_finished(struct sim_world *world);
/* The broker ended it, or cannot be reached. */
void sim_judge_broker_bad(struct sim_world *world);

#endif
