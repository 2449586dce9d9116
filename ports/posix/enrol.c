/* A loop of its own, before there is a node: one line, the signals, the service manager. */
#include "enrol.h"
#include "button.h"
#include "flash_file.h"
#include "gpio_lines.h"
#include "identity_file.h"
#include "identity_store.h"
#include "node/enrolment.h"
#include "notify.h"
#include "port.h"
#include "relay_process.h"
#include "run.h"
#include "serial.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define QUIET_MS 300000 /* a held reset without an enrolment: the node goes on as it was */

static enum posix_enrolled wait_for_enrolment(const struct posix_options *options, int signals,
                                              struct posix_failure *failure);
static bool turn(const struct posix_options *options);
static bool follow(const struct posix_options *options);
static bool store(const struct posix_options *options, struct sl_view image);
static bool is_to_end(int signals, struct posix_failure *failure, enum posix_enrolled *result);
static void sleep_until_something(int signals);

static struct {
    struct sl_enrolment engine;
    uint8_t in[SL_ENROL_WIRE_MAX];
    size_t at, len; /* bytes of in that the engine has not taken yet */
    bool has_more;  /* the last turn ended before everything possible was done */
} enrol;

enum posix_enrolled posix_enrol(const struct posix_options *options, int signals,
                                struct posix_failure *failure)
{
    const bool has_identity =
        posix_identities_are_there(options->identity_path, options->state_dir);
    bool is_held = false;

    if (!options->serial)
        return POSIX_ENROL_GO_ON;
    if (options->reset && !posix_button_read(options->reset, &is_held, failure))
        return POSIX_ENROL_FAILED;
    if (has_identity && !is_held)
        return POSIX_ENROL_GO_ON;
    if (!posix_identity_can_write(options->identity_path, failure) ||
        !posix_serial_open(options->serial, failure))
        return POSIX_ENROL_FAILED;

    const struct sl_enrolment_config config = {.floor_s = SL_BUILD_TIME,
                                               .quiet_ms = has_identity ? QUIET_MS : 0};
    uint8_t seed[SL_ENROLMENT_SEED_LEN];
    (void)mlock(&enrol, sizeof enrol); /* best effort, as for the identity */
    sl_port_entropy(seed, sizeof seed);
    sl_enrolment_init(&enrol.engine, sl_port_now(), &config, seed);
    sl_wipe(seed, sizeof seed);
    posix_notify_init(sl_port_now());
    const enum posix_enrolled result = wait_for_enrolment(options, signals, failure);
    sl_wipe(&enrol, sizeof enrol);
    posix_serial_close();
    return result;
}

bool posix_enrol_check(const struct posix_options *options, struct posix_failure *failure)
{
    if (!options->serial)
        return true;
    return (!options->reset || posix_gpio_check(options->reset, failure)) &&
           posix_serial_check(options->serial, failure);
}

static enum posix_enrolled wait_for_enrolment(const struct posix_options *options, int signals,
                                              struct posix_failure *failure)
{
    enum posix_enrolled result = POSIX_ENROL_GO_ON;

    while (turn(options) && !is_to_end(signals, failure, &result)) {
        posix_notify_waiting(sl_port_now(), options->serial);
        sleep_until_something(signals);
    }
    return result;
}

/* Everything that is possible without waiting. False: the engine has ended. */
static bool turn(const struct posix_options *options)
{
    bool moved, goes_on;
    unsigned rounds = 0;

    sl_enrolment_tick(&enrol.engine, sl_port_now());
    do {
        goes_on = follow(options);
        const struct sl_view out = sl_enrolment_peek(&enrol.engine);
        const size_t sent = out.len > 0 ? posix_serial_send(sl_port_now(), out) : 0;
        sl_enrolment_sent(&enrol.engine, sent);
        if (enrol.at == enrol.len) {
            enrol.at = 0;
            enrol.len = posix_serial_receive(sl_port_now(), enrol.in, sizeof enrol.in);
        }
        const size_t used = sl_enrolment_feed(&enrol.engine, sl_port_now(), enrol.in + enrol.at,
                                              enrol.len - enrol.at);
        enrol.at += used;
        moved = sent > 0 || used > 0;
    } while (goes_on && moved && ++rounds < SL_RUN_ROUNDS);
    enrol.has_more = moved;
    return goes_on;
}

static bool follow(const struct posix_options *options)
{
    struct sl_enrolment_event event;

    while (sl_enrolment_next(&enrol.engine, &event)) {
        switch (event.kind) {
        case SL_ENROLMENT_LOG:
            sl_port_log(&event.log);
            break;
        case SL_ENROLMENT_STORE:
            sl_enrolment_stored(&enrol.engine, sl_port_now(), store(options, event.image));
            break;
        case SL_ENROLMENT_FINISHED:
            return false;
        case SL_ENROLMENT_NONE:
            break;
        }
    }
    return true;
}

/* What was kept goes first: with the new identity and a time floor from before, the node could be
 * shut out by its own clock. */
static bool store(const struct posix_options *options, struct sl_view image)
{
    posix_flash_forget(options->state_dir);
    if (!posix_identity_write(options->identity_path, image))
        return false;
    posix_identities_forget(options->identity_path, options->state_dir);
    return true;
}

static bool is_to_end(int signals, struct posix_failure *failure, enum posix_enrolled *result)
{
    struct signalfd_siginfo signal;

    while (read(signals, &signal, sizeof signal) == sizeof signal) {
        switch (signal.ssi_signo) {
        case SIGTERM:
        case SIGINT:
            posix_notify_stopping();
            *result = POSIX_ENROL_ENDED;
            return true;
        case SIGCHLD:
            if (posix_relays_are_held())
                break;
            posix_fail(failure, POSIX_ERROR(RELAYS_ENDED));
            *result = POSIX_ENROL_FAILED;
            return true;
        default: /* SIGUSR1: there is nothing to report yet */
            break;
        }
    }
    return false;
}

static void sleep_until_something(int signals)
{
    struct posix_wait wait;
    sl_ms due;

    posix_wait_init(&wait, sl_port_now());
    if (enrol.has_more)
        posix_wait_until(&wait, wait.now);
    if (sl_enrolment_deadline(&enrol.engine, sl_port_now(), &due))
        posix_wait_until(&wait, due);
    posix_wait_for(&wait, signals, POLLIN);
    posix_serial_wait(&wait, sl_enrolment_peek(&enrol.engine).len > 0);
    posix_notify_wait(&wait);
    posix_wait_sleep(&wait);
}
