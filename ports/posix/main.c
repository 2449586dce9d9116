/* sluice-node: a node on Linux. */
#include "board.h"
#include "check.h"
#include "chip_socket.h"
#include "chip_spi.h"
#include "enrol.h"
#include "flash_file.h"
#include "gpio_lines.h"
#include "identity_store.h"
#include "kept_records.h"
#include "log.h"
#include "net.h"
#include "notify.h"
#include "options.h"
#include "raw_byte.h"
#include "relay_process.h"
#include "run.h"
#include "sntp_socket.h"
#include "state_lock.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define STORE_MS 2000 /* at most, on the way out, for what should be kept */

static int catch_signals(void);
enum start { START_GOOD, START_ENDED, START_FAILED };
static enum start start(const struct posix_options *options, int signals,
                        struct posix_failure *failure);
static bool start_node(const struct posix_options *options, int signals,
                       struct posix_failure *failure);
static bool start_outputs(const struct posix_options *options, struct posix_failure *failure);
static bool loop(int signals, uint32_t lease_ms);
static void log_report(void);

static struct sl_identity_slot identities[2]; /* in use, and tried */
static struct sl_records records;
static struct sl_node node;
static struct sl_run run;

int main(int argc, char **argv)
{
    static struct posix_values values;
    struct posix_options options;
    struct posix_failure failure;
    const enum posix_options_verdict verdict =
        posix_options_parse(&options, &values, argc, argv, &failure);

    switch (verdict) {
    case POSIX_OPTIONS_RUN:
    case POSIX_OPTIONS_CHECK:
        break;
    case POSIX_OPTIONS_DONE:
        return POSIX_EXIT_DONE;
    case POSIX_OPTIONS_FAILED:
        posix_failure_show(&failure);
        return failure.exit;
    }
    /* A core file would hold the private key; programs that collect cores heed only the second. */
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    (void)prctl(PR_SET_DUMPABLE, 0);
    posix_log_init(options.log_sink, options.log_level);
    if (verdict == POSIX_OPTIONS_CHECK)
        return posix_check(&options, &values) ? POSIX_EXIT_DONE : POSIX_EXIT_LOCAL;
    const int signals = catch_signals();
    enum posix_exit code = POSIX_EXIT_DONE;
    switch (start(&options, signals, &failure)) {
    case START_GOOD:
        code = loop(signals, options.lease_ms) ? POSIX_EXIT_DONE : POSIX_EXIT_LOCAL;
        break;
    case START_ENDED:
        break;
    case START_FAILED:
        posix_failure_show(&failure);
        code = failure.exit;
        break;
    }
    posix_relays_stop();
    sl_wipe(&run, sizeof run);
    sl_wipe(&node, sizeof node);
    sl_records_wipe(&records);
    sl_wipe(identities, sizeof identities);
    return code;
}

/* Blocked and read in the loop like any other line, so nothing is interrupted and nothing is lost.
 * Threads inherit the block. */
static int catch_signals(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN}, usual = {.sa_handler = SIG_DFL};
    sigset_t ours;

    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGCHLD, &usual, NULL); /* ignored, as a parent may leave it, it would not come */
    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGUSR1);
    sigaddset(&ours, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ours, NULL);
    return signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* A node without an identity may get one first. */
static enum start start(const struct posix_options *options, int signals,
                        struct posix_failure *failure)
{
    if (signals < 0) { /* they are blocked: nobody could stop us */
        posix_fail(failure, POSIX_ERROR(SIGNALS_UNREADABLE), strerror(errno));
        return START_FAILED;
    }
    if (!start_outputs(options, failure) || !posix_state_lock(options->state_dir, failure))
        return START_FAILED;
    switch (posix_enrol(options, signals, failure)) {
    case POSIX_ENROL_GO_ON:
        break;
    case POSIX_ENROL_ENDED:
        return START_ENDED;
    case POSIX_ENROL_FAILED:
        return START_FAILED;
    }
    return start_node(options, signals, failure) ? START_GOOD : START_FAILED;
}

static bool start_node(const struct posix_options *options, int signals,
                       struct posix_failure *failure)
{
    uint8_t seed[SL_NODE_SEED_LEN];
    const char *identity_path;
    struct sl_node_config config = {.identity = &identities[0].identity,
                                    .slots = options->state_dir ? identities : NULL,
                                    .limits = options->limits,
                                    .lease_ms = options->lease_ms,
                                    .records = &records,
                                    .use_sntp = options->use_sntp,
                                    .version = SL_VERSION};

    if (!posix_identities_read(identities, &config.has_candidate, &identity_path,
                               options->identity_path, options->state_dir, false, failure) ||
        !posix_records_read(&records, options->state_dir, false, &config.floor_s, failure))
        return false;
    posix_log_name(identities[0].identity.name);
    posix_board_init(config.floor_s, !options->use_sntp, signals);
    posix_net_init();
    posix_sntp_init(options->use_sntp ? options->sntp_host : NULL, options->sntp_port);

    (void)mlock(&node, sizeof node); /* best effort, as for the identity */
    sl_port_entropy(seed, sizeof seed);
    const enum sl_status status = sl_node_init(&node, sl_port_now(), &config, seed);
    sl_wipe(seed, sizeof seed);
    if (status != SL_OK)
        return posix_fail(failure, POSIX_ERROR(IDENTITY_UNUSABLE), identity_path,
                          sl_status_text(status));
    sl_run_init(&run, &node, &records, sl_port_now());
    posix_notify_init(sl_port_now());
    return true;
}

/* Before anything else: relays are off from here on, and the relay process is forked without a
 * key in its memory. */
static bool start_outputs(const struct posix_options *options, struct posix_failure *failure)
{
    const struct posix_outputs *outputs = NULL;

    switch (options->output) {
    case POSIX_OUTPUT_SOCKET:
        posix_chip_socket_init(options->output_name);
        return true;
    case POSIX_OUTPUT_SPI:
        return posix_chip_spi_init(options->output_name, failure);
    case POSIX_OUTPUT_RAW:
        outputs = posix_raw_open(options->output_name, failure);
        break;
    case POSIX_OUTPUT_GPIO:
        outputs = posix_gpio_open(options->output_name, failure);
        break;
    }
    return outputs && posix_relays_start(outputs, failure);
}

/* False: the relay process has ended by itself. */
static bool loop(int signals, uint32_t lease_ms)
{
    bool is_stopping = false, are_relays_held = true;

    while (sl_run_step(&run)) {
        const struct sl_node_health health = sl_node_health(&node);
        struct signalfd_siginfo signal;

        posix_notify_turn(sl_port_now(), &health);
        posix_relays_watch(sl_port_now(), health.is_link_up, lease_ms);
        if (read(signals, &signal, sizeof signal) != sizeof signal) {
            sl_run_sleep(&run);
            continue;
        }
        if (signal.ssi_signo == SIGUSR1) {
            log_report();
            continue;
        }
        if (signal.ssi_signo == SIGCHLD) {
            are_relays_held = posix_relays_are_held();
            if (are_relays_held)
                continue;
            posix_log_failure(POSIX_ERROR(RELAYS_ENDED));
        } else if (is_stopping) {
            posix_relays_stop();
            _exit(128 + (int)signal.ssi_signo); /* the second request waits for nobody */
        }
        if (!is_stopping) {
            posix_notify_stopping();
            sl_node_stop(&node, sl_port_now());
        }
        is_stopping = true;
    }
    const sl_ms end = sl_port_now() + STORE_MS;
    while (sl_run_store(&run) && !sl_ms_is_reached(sl_port_now(), end)) {
        posix_flash_finish((int)sl_ms_until(sl_port_now(), end));
        posix_identity_finish((int)sl_ms_until(sl_port_now(), end));
    }
    return are_relays_held;
}

static void log_report(void)
{
    uint8_t text[SL_REPORT_LEN];
    const struct sl_view report = sl_node_report(&node, sl_port_now(), text, sizeof text);

    posix_log(SL_LOG_INFO, "report: %.*s", (int)report.len, (const char *)report.data);
}
