/* Node, broker, time server and relay chip living on virtual time.
 *
 *   world    moves time from deadline to deadline; bytes, datagrams and frames
 *   driver   decides who says what and what breaks when: chance (fate.h), or a script and an
 *            enumerated fault (life.h)
 *   trouble  what can break, and what that means
 *   judge    watches every millisecond of every relay and every message, and ends the run with one
 *            line that replays it when something is wrong
 *
 * One world a program: its chip and its certificates are.
 */
#ifndef TEST_SIMULATION_WORLD_H
#define TEST_SIMULATION_WORLD_H

#include "simulation/chip.h"
#include "simulation/judge.h"
#include "simulation/trouble.h"
#include "unit/node/rig.h"

struct sim_counts {
    uint64_t exchanges, commands, bad_commands, refusals, answers, reports;
    uint64_t sessions, chip_faults, link_downs, node_starts, switched_on;
};

/* Where one instant can be interrupted. */
enum sim_point {
    SIM_AT_TURN,   /* nothing has moved yet */
    SIM_AT_ORDER,  /* the order is made, and not sent */
    SIM_AT_STATUS, /* the chip has answered, and the node has not heard it */
    SIM_AT_LINE,   /* frames are through, bytes have not moved */
    SIM_AT_REST    /* all has moved */
};

/* Of one exchange. */
enum sim_frame {
    SIM_FRAME_WHOLE,
    SIM_FRAME_ORDER_LOST,  /* the chip hears a wrong CRC */
    SIM_FRAME_STATUS_LOST, /* the node reads 0xFF */
    SIM_FRAME_BOTH_LOST,
    SIM_FRAME_TWICE, /* clocked out twice */
    SIM_FRAME_LATE,  /* the status is there when the node has given up waiting for it */
    SIM_FRAMES
};

/* Of one question to the time server and its answer. */
enum sim_datagram {
    SIM_DATAGRAM_WHOLE,
    SIM_DATAGRAM_LOST, /* or its answer */
    SIM_DATAGRAM_TWICE,
    SIM_DATAGRAM_SLOW,   /* within the time that the node waits */
    SIM_DATAGRAM_LATE,   /* after it */
    SIM_DATAGRAM_FORGED, /* another's answer comes first */
    SIM_DATAGRAMS
};
#define SIM_MAIL_MAX 8

struct sim_world;

/* Who breaks things. The last three may be NULL. */
struct sim_driver {
    uint64_t (*wake_at)(const struct sim_world *world);
    void (*tick)(struct sim_world *world);
    /* May reset or stall either processor. */
    void (*step)(struct sim_world *world, enum sim_point point);
    enum sim_frame (*frame)(struct sim_world *world);
    enum sim_datagram (*datagram)(struct sim_world *world);
};

struct sim_mail {
    uint64_t at;
    uint8_t bytes[SL_SNTP_LEN];
};

struct sim_world {
    struct rig rig; /* broker and node */
    struct sim_chip *chip;
    const struct sim_driver *driver;
    uint64_t random;
    uint64_t ms, end_ms; /* true time; the node's own clock starts just below its wrap */

    /* The exchange under way, and the node's life. */
    bool is_answer_due;
    uint64_t answer_at;
    uint8_t status[SL_FRAME_LEN];
    uint32_t exchanges; /* since the node started */
    bool is_asleep, is_stopping;
    bool is_off;             /* asleep, because it has no power */
    bool stalls_in_exchange; /* at the next exchange, with its order in the hand ... */
    bool is_holding;         /* ... which is held since */
    uint8_t held[SL_FRAME_LEN];
    uint64_t booted_at;

    struct sim_mail mail[SIM_MAIL_MAX]; /* from the time server, on its way */
    uint8_t mail_len;

    struct sim_troubles troubles;
    bool is_broker_fickle; /* it may speak another version after a restart */
    uint32_t acks_owed;    /* QoS 1 messages to the node in this session */
    struct sim_judge judge;
    struct sim_counts counts;
};

struct sim_options {
    struct sim_chip *chip; /* just powered on */
    uint64_t seed, length_ms;
    const char *replay;    /* the command that repeats this run */
    uint8_t at_once;       /* 0: one */
    uint8_t level_only;    /* MQTT level that the broker speaks; 0: all */
    uint16_t keep_alive_s; /* 0: the node's default */
    bool use_sntp;         /* else the node is given the time */
};

/* All of it, until end_ms. Comes back when nothing was wrong. */
void sim_start(struct sim_world *world, const struct sim_options *options);
void sim_run(struct sim_world *world, const struct sim_driver *driver);

/* For drivers. */
void sim_world_boot(struct sim_world *world, uint8_t at_once);
void sim_world_stop(struct sim_world *world);
/* A message of the operator, topic below the base; it moves with the next turn. */
void sim_world_say(struct sim_world *world, const char *tail, struct test_mqtt_publish publish,
                   struct sim_asked asked);
/* The rig has moved: look at what came of it. */
void sim_world_settle(struct sim_world *world);

#endif
