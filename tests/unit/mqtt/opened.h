/* Sessions that are open already, for the tests that begin there. */
#ifndef SL_TESTS_MQTT_OPENED_H
#define SL_TESTS_MQTT_OPENED_H

#include "harness.h"

static struct fixture fixture;

static inline int open_v3(void **state)
{
    fixture_init(&fixture, SL_MQTT_V3, 1000);
    open_plain(&fixture);
    *state = &fixture;
    return 0;
}

static inline int open_v5(void **state)
{
    fixture_init(&fixture, SL_MQTT_V5, 1000);
    open_plain(&fixture);
    *state = &fixture;
    return 0;
}

static inline int close_fixture(void **state)
{
    fixture_free(*state);
    return 0;
}

/* A session whose CONNACK said something special. */
static inline void reopen(struct fixture *f, const char *connack)
{
    dial(f);
    serve_hex(f, connack);
    assert_events(f, "opened 0");
    clear_traces(f);
}

#define WITH(test, version) cmocka_unit_test_setup_teardown(test, open_##version, close_fixture)

#endif
