/* sluice-node: a node on Linux. */
#include "board.h"
#include "chip_socket.h"
#include "identity_file.h"
#include "log.h"
#include "net.h"
#include "options.h"
#include "run.h"
#include "sntp_socket.h"
#include "time_file.h"
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EXIT_DONE = 0, EXIT_USAGE = 2, EXIT_LOCAL_FILES = 4 };

static int catch_signals(void);
static bool start(const struct posix_options *options, int signals, char error[POSIX_ERROR_LEN]);
static void loop(int signals);

static struct posix_identity identity;
static struct sl_node node;
static struct sl_run run;

int main(int argc, char **argv)
{
    struct posix_options options;
    char error[POSIX_ERROR_LEN];

    switch (posix_options_parse(&options, argc, argv)) {
    case POSIX_OPTIONS_RUN:
        break;
    case POSIX_OPTIONS_DONE:
        return EXIT_DONE;
    case POSIX_OPTIONS_WRONG:
        return EXIT_USAGE;
    }
    /* A core file would hold the private key; programs that collect cores heed only the second. */
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    (void)prctl(PR_SET_DUMPABLE, 0);
    posix_log_init(options.log_level);
    const int signals = catch_signals();

    const bool started = start(&options, signals, error);
    if (started)
        loop(signals);
    else
        fprintf(stderr, "sluice-node: %s\n", error);
    sl_wipe(&run, sizeof run);
    sl_wipe(&node, sizeof node);
    sl_wipe(&identity, sizeof identity);
    return started ? EXIT_DONE : EXIT_LOCAL_FILES;
}

/* Blocked and read in the loop like any other line, so nothing is interrupted and nothing is lost.
 * Threads inherit the block. */
static int catch_signals(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t ours;

    sigaction(SIGPIPE, &ignore, NULL);
    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGUSR1);
    sigprocmask(SIG_BLOCK, &ours, NULL);
    return signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC);
}

static bool start(const struct posix_options *options, int signals, char error[POSIX_ERROR_LEN])
{
    uint8_t seed[SL_NODE_SEED_LEN];
    struct sl_node_config config = {.identity = &identity.identity,
                                    .limits = options->limits,
                                    .lease_ms = options->lease_ms,
                                    .use_sntp = options->use_sntp,
                                    .version = SL_VERSION};

    if (!posix_identity_read(&identity, options->identity_path, error) ||
        !posix_time_init(options->state_dir, &config.floor_s, error))
        return false;
    posix_board_init(config.floor_s, !options->use_sntp, signals);
    posix_net_init();
    posix_sntp_init(options->use_sntp ? options->sntp_host : NULL, options->sntp_port);
    posix_chip_init(options->chip_path);

    (void)mlock(&node, sizeof node); /* best effort, as for the identity */
    sl_port_entropy(seed, sizeof seed);
    const enum sl_status status = sl_node_init(&node, sl_port_now(), &config, seed);
    sl_wipe(seed, sizeof seed);
    if (status != SL_OK) {
        snprintf(error, POSIX_ERROR_LEN,
                 "identity %s: the node cannot use it (%s); make it again with 'sluice node add'",
                 options->identity_path, sl_status_text(status));
        return false;
    }
    sl_run_init(&run, &node, sl_port_now());
    return true;
}

static void loop(int signals)
{
    bool is_stopping = false;

    while (sl_run_step(&run)) {
        struct signalfd_siginfo signal;

        if (read(signals, &signal, sizeof signal) != sizeof signal) {
            sl_run_sleep(&run);
            continue;
        }
        if (signal.ssi_signo == SIGUSR1) {
            uint8_t text[SL_REPORT_LEN];
            const struct sl_view report = sl_node_report(&node, sl_port_now(), text, sizeof text);
            posix_log(SL_LOG_INFO, "report: %.*s", (int)report.len, (const char *)report.data);
        } else if (!is_stopping) {
            is_stopping = true;
            sl_node_stop(&node, sl_port_now());
        } else {
            _exit(128 + (int)signal.ssi_signo); /* the second request waits for nobody */
        }
    }
    posix_time_finish();
}
