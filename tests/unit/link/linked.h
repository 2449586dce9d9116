/* A master and a chip on a wire, and the few words in which tests speak about them. */
#ifndef TEST_UNIT_LINK_LINKED_H
#define TEST_UNIT_LINK_LINKED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/link/wire.h"
#include <string.h>

static struct test_wire wire;

static inline bool was_given(enum sl_link_event_kind kind, uint8_t zones)
{
    return wire.given[kind] > 0 && wire.given_zones[kind] == zones;
}

static inline uint32_t given_in_all(void)
{
    uint32_t count = 0;
    for (int kind = 0; kind < SL_LINK_KINDS; kind++)
        count += wire.given[kind];
    return count;
}

static inline void run(uint32_t ms)
{
    test_wire_run(&wire, ms);
}

static inline void on(uint8_t zone, uint32_t ms)
{
    assert_int_equal(sl_master_switch_on(&wire.master, wire.now, zone, wire.now + ms), SL_OK);
}

static inline void off(uint8_t zones)
{
    sl_master_switch_off(&wire.master, wire.now, zones);
}

static inline void cut(bool is_cut)
{
    wire.faults.mosi_loss = wire.faults.miso_loss = is_cut ? 1000 : 0;
}

/* Most tests start with a link that is up, on a clock that wraps within a second. */
static inline int start(void **state)
{
    (void)state;
    test_wire_init(&wire, 0xFFFFFFFF - 400, 1);
    run(100);
    test_wire_forget(&wire);
    return wire.master.is_up ? 0 : -1;
}

#endif
