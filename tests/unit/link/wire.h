/* Master and chip on one wire, in virtual milliseconds, with faults on request.
 *
 * The chip's side is pessimistic: its status frame is written after a frame came in and stays as it
 * is until the next one, so it may be as old as the last exchange.
 */
#ifndef TEST_LINK_WIRE_H
#define TEST_LINK_WIRE_H

#include "link/master.h"
#include "link/slave.h"

/* Chances are in 1/1000 of a frame. */
struct test_faults {
    uint16_t mosi_loss, miso_loss;   /* nothing comes over: 1000 is a cut line */
    uint16_t mosi_noise, miso_noise; /* wrong bits, wrong length, or something else altogether */
    uint16_t delay_max_ms;           /* added to an exchange, which takes 1 ms otherwise */
};

struct test_packet {
    bool is_there;
    sl_ms at;
    uint8_t len;
    uint8_t bytes[SL_FRAME_LEN + 1];
};

struct test_wire {
    struct sl_master master;
    struct sl_slave slave;
    sl_ms now;
    uint32_t random;
    struct test_faults faults;

    bool is_node_asleep;     /* calls nothing, as in a long handshake */
    bool is_lazy;            /* looks at the master only when its deadline says so */
    uint8_t extra_ticks;     /* per millisecond */
    uint16_t clock_permille; /* of the chip's oscillator: 900..1100 */
    uint16_t clock_rest;
    uint8_t stuck_on, stuck_off; /* pins held from outside */
    uint8_t status[SL_FRAME_LEN];
    struct test_packet order, answer;

    sl_ms applied_at;                 /* when the chip last applied an order ... */
    uint32_t applied;                 /* ... and how often it did */
    uint8_t last_frame[SL_FRAME_LEN]; /* from the master */
    uint32_t trace;                   /* hash of every frame and event with its time */
    uint16_t given[SL_LINK_KINDS];    /* events by kind since test_wire_forget */
    uint8_t given_zones[SL_LINK_KINDS];
};

#define TEST_HARD_LIMIT_MS 60000

/* A chip after power-on and a node that has just started, at the instant now. */
void test_wire_init(struct test_wire *wire, sl_ms now, uint32_t seed);
/* One millisecond: chip, wire, node. Events wait to be pulled. */
void test_wire_step(struct test_wire *wire);
/* Steps, with every event pulled. */
void test_wire_run(struct test_wire *wire, uint32_t ms);
/* One event into trace and given. False: none is there. */
bool test_wire_pull(struct test_wire *wire, struct sl_link_event *event);
void test_wire_forget(struct test_wire *wire);

uint8_t test_wire_pins(const struct test_wire *wire);
void test_wire_reset_chip(struct test_wire *wire, uint8_t cause);
void test_wire_restart_node(struct test_wire *wire);

uint32_t test_wire_random(struct test_wire *wire, uint32_t below);

#endif
