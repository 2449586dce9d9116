/* A loop of its own, before there is a node. The log goes down the same line, in whole lines
 * between whole frames. */
#include "enrol.h"
#include "clock.h"
#include "flash.h"
#include "identity.h"
#include "port.h"
#include "stack.h"
#include "uart.h"

#define QUIET_MS 300000 /* a held button without an enrolment: the node goes on as it was */

static bool turn(struct sl_enrolment *engine);
static bool follow(struct sl_enrolment *engine);
static void say(struct sl_enrolment *engine);
static bool store(struct sl_view image);

void lx106_enrol(struct sl_enrolment *engine, bool has_identity)
{
    const struct sl_enrolment_config config = {.floor_s = SL_BUILD_TIME,
                                               .quiet_ms = has_identity ? QUIET_MS : 0};
    uint8_t seed[SL_ENROLMENT_SEED_LEN];

    sl_port_entropy(seed, sizeof seed);
    sl_enrolment_init(engine, sl_port_now(), &config, seed);
    sl_wipe(seed, sizeof seed);
    lx106_uart_listen();
    while (turn(engine)) {
        lx106_stack_check();
        lx106_clock_rest();
    }
    sl_enrolment_wipe(engine);
}

/* Everything that is possible without waiting. False: the engine has ended. */
static bool turn(struct sl_enrolment *engine)
{
    uint8_t byte;

    sl_enrolment_tick(engine, sl_port_now());
    while (follow(engine)) {
        say(engine);
        if (!lx106_uart_take(&byte))
            return true;
        while (sl_enrolment_feed(engine, sl_port_now(), &byte, 1) == 0 && follow(engine))
            say(engine);
    }
    return false;
}

static bool follow(struct sl_enrolment *engine)
{
    struct sl_enrolment_event event;

    while (sl_enrolment_next(engine, &event)) {
        switch (event.kind) {
        case SL_ENROLMENT_LOG:
            sl_port_log(&event.log);
            break;
        case SL_ENROLMENT_STORE:
            sl_enrolment_stored(engine, sl_port_now(), store(event.image));
            break;
        case SL_ENROLMENT_FINISHED:
            return false;
        case SL_ENROLMENT_NONE:
            break;
        }
    }
    return true;
}

static void say(struct sl_enrolment *engine)
{
    const struct sl_view out = sl_enrolment_peek(engine);

    for (size_t i = 0; i < out.len; i++)
        lx106_uart_byte(out.data[i]);
    sl_enrolment_sent(engine, out.len);
}

/* What was kept goes first: with the new identity and a time floor from before, the node could be
 * shut out by its own clock. */
static bool store(struct sl_view image)
{
    return lx106_flash_forget_records() && lx106_identity_replace(image);
}
