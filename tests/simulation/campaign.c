/* Enumerates, runs, shares the work, and makes a failure small. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "simulation/campaign.h"
#include "simulation/random.h"

#include <inttypes.h>
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FAILURES_MAX  5     /* of one process */
#define MEMORY_SLACK  16384 /* what malloc keeps for itself of the judge's own JSON */
#define PROCESSES_MAX 256
#define PAIR_REACH    4

enum row { UNDISTURBED = SIM_FAULTS, KNOWN, PAIRS, COMBINATIONS, ROWS };

/* Shared by the processes. */
struct tally {
    _Atomic uint64_t runs[ROWS], came[ROWS]; /* came: the fault met something */
    _Atomic uint64_t virtual_ms, failures;
};

static const struct {
    uint8_t level, at_once;
} settings[] = {{5, 1}, {4, 3}, {5, 3}, {4, 1}};
#define SETTINGS      (sizeof settings / sizeof settings[0])
#define BYTE_SETTINGS 2 /* what the bytes are depends on the version, hardly on the zones */

static struct sim_world world; /* large: it holds a TLS server */
static struct sim_campaign plan;
static struct tally *tally;
static unsigned self; /* of plan.processes */
static uint64_t jobs; /* seen so far, in the same order by every process */
static char replay[SIM_CODE_LEN + 300];
static char failure[600];
static jmp_buf failed;

/* One run. */

static void keep_failure(const struct sim_world *failing, const char *text)
{
    snprintf(failure, sizeof failure, "at %" PRIu64 ".%03u s: %s", failing->ms / 1000,
             (unsigned)(failing->ms % 1000), text);
    longjmp(failed, 1);
}

static void describe(const struct sim_plot *plot)
{
    char code[SIM_CODE_LEN];
    sim_plot_write(plot, code);
    snprintf(replay, sizeof replay, "replay: SL_FAULT=%s %s", code, plan.program);
}

static bool live(const struct sim_plot *plot, bool traces)
{
    describe(plot);
    const struct sim_options options = {
        .chip = plan.make_chip(),
        .seed = 1,
        .length_ms = UINT64_MAX,
        .replay = replay,
        .at_once = plot->at_once,
        .level_only = plot->level == 4 ? 4 : 0,
        .keep_alive_s = SIM_LIFE_KEEP_ALIVE_S,
        .use_sntp = true,
    };
    if (setjmp(failed) != 0)
        return false;
    sim_start(&world, &options);
    world.judge.on_failure = keep_failure;
    world.judge.traces = traces;
    sim_run(&world, sim_life(&world, plot));
    return true;
}

/* The same failure with fewer faults says more. */
static void make_small(struct sim_plot *plot)
{
    for (uint8_t i = 0; i < plot->len && plot->len > 1;) {
        struct sim_plot fewer = *plot;
        fewer.len--;
        memmove(fewer.faults + i, fewer.faults + i + 1,
                (size_t)(fewer.len - i) * sizeof fewer.faults[0]);
        if (live(&fewer, false))
            i++;
        else
            *plot = fewer;
    }
}

static void report_failure(struct sim_plot plot)
{
    make_small(&plot);
    (void)live(&plot, false);
    fprintf(stderr, "%s\n%s\n", failure, replay);
    if (++tally->failures >= FAILURES_MAX)
        exit(1);
}

/* A leak of even a few bytes a life shows in thousands of lives. */
static void check_memory(void)
{
    static size_t usual;
    size_t used = mallinfo2().uordblks;
    if (usual == 0)
        usual = used;
    if (used <= usual + MEMORY_SLACK || plan.is_about_resets) /* simavr keeps some of each chip */
        return;
    fprintf(stderr, "memory has grown by %zu bytes\n%s\n", used - usual, replay);
    exit(1);
}

static void run(enum row row, const struct sim_plot *plot)
{
    if (!live(plot, false)) {
        report_failure(*plot);
        return;
    }
    tally->runs[row]++;
    tally->came[row] += sim_life_fired() == plot->len;
    tally->virtual_ms += world.ms;
    check_memory();
}

static void run_mine(enum row row, const struct sim_plot *plot)
{
    if (jobs++ % plan.processes == self)
        run(row, plot);
}

/* All of them, or one of so many. */
static void enumerate(enum row row, const struct sim_plot *plot)
{
    static uint32_t skipped;
    bool is_few = sim_fault_axis(plot->faults[0].kind) == SIM_QUESTIONS;
    if (!is_few && ++skipped < plan.stride)
        return;
    skipped = 0;
    run_mine(row, plot);
}

/* Single faults. */

/* Short; longer than the keep alive; longer than the chip's lease. */
static const uint32_t lengths_ms[] = {400, 8000, 13000};
#define LENGTHS 3

static bool is_wanted(enum sim_fault_kind kind)
{
    enum sim_deed deed = sim_fault_deed(kind);
    bool is_processor = deed == SIM_DO_REBOOT || deed == SIM_DO_CHIP || deed == SIM_DO_BOTH ||
                        kind == SIM_FAULT_NODE_STALL || kind == SIM_FAULT_CHIP_DARK;
    return !plan.is_about_resets || (is_processor && sim_fault_axis(kind) == SIM_STEPS);
}

static void try_place(struct sim_plot *plot, enum sim_fault_kind kind, uint32_t at)
{
    bool is_byte = sim_fault_axis(kind) <= SIM_BYTES_DOWN;
    plot->len = 1;
    plot->faults[0] = (struct sim_fault){.kind = kind, .at = at};
    if (!sim_fault_is_timed(kind)) {
        enumerate((enum row)kind, plot);
        return;
    }
    if (kind == SIM_FAULT_NODE_RESET) /* and is back at once */
        enumerate((enum row)kind, plot);
    for (uint32_t i = 0; i < LENGTHS; i++) {
        if (is_byte && at % LENGTHS != i) /* one length for each byte */
            continue;
        plot->faults[0].ms = lengths_ms[i];
        enumerate((enum row)kind, plot);
    }
}

static void try_pairs(struct sim_plot *plot, uint32_t at)
{
    plot->len = 2;
    for (uint32_t reach = 1; reach <= PAIR_REACH; reach++)
        for (int a = SIM_FAULT_ORDER_LOST; a <= SIM_FAULT_FRAME_LATE; a++)
            for (int b = SIM_FAULT_ORDER_LOST; b <= SIM_FAULT_FRAME_LATE; b++) {
                bool is_loss = a == SIM_FAULT_FRAME_LOST && b == SIM_FAULT_FRAME_LOST;
                if (reach > 1 && !is_loss)
                    continue;
                plot->faults[0] = (struct sim_fault){.kind = (enum sim_fault_kind)a, .at = at};
                plot->faults[1] =
                    (struct sim_fault){.kind = (enum sim_fault_kind)b, .at = at + reach};
                enumerate(PAIRS, plot);
            }
}

static void try_all(const struct sim_extent extents[SETTINGS])
{
    for (size_t i = 0; i < SETTINGS; i++) {
        struct sim_plot plot = {.level = settings[i].level, .at_once = settings[i].at_once};
        int first = i < BYTE_SETTINGS ? 0 : SIM_BYTES_DOWN + 1;
        for (int axis = first; axis < SIM_AXES; axis++)
            for (uint32_t at = 1; at <= extents[i].on[axis]; at++)
                for (int kind = 0; kind < SIM_FAULTS; kind++)
                    if (sim_fault_axis((enum sim_fault_kind)kind) == (enum sim_axis)axis &&
                        is_wanted((enum sim_fault_kind)kind))
                        try_place(&plot, (enum sim_fault_kind)kind, at);
        if (!plan.is_about_resets)
            for (uint32_t at = 1; at <= extents[i].on[SIM_EXCHANGES]; at++)
                try_pairs(&plot, at);
    }
}

/* What once failed. */

static bool try_known(void)
{
    struct sim_plot plot;
    for (size_t i = 0; plan.known != NULL && plan.known[i] != NULL; i++) {
        if (!sim_plot_read(&plot, plan.known[i]))
            return false;
        run_mine(KNOWN, &plot);
    }
    return true;
}

/* Combinations. */

static void try_combinations(const struct sim_extent extents[SETTINGS])
{
    for (uint32_t i = 0; i < plan.random; i++) {
        uint64_t random = plan.seed << 32 | i;
        size_t setting = sim_random_below(&random, SETTINGS);
        struct sim_plot plot = {.level = settings[setting].level,
                                .at_once = settings[setting].at_once};
        plot.len = (uint8_t)(2 + sim_random_below(&random, SIM_PLOT_MAX - 1));
        for (uint8_t j = 0; j < plot.len; j++) {
            struct sim_fault *fault = &plot.faults[j];
            do
                fault->kind = (enum sim_fault_kind)sim_random_below(&random, SIM_FAULTS);
            while (!is_wanted(fault->kind));
            uint32_t extent = extents[setting].on[sim_fault_axis(fault->kind)];
            fault->at = 1 + sim_random_below(&random, extent);
            if (sim_fault_is_timed(fault->kind))
                fault->ms = 1 + sim_random_below(&random, lengths_ms[LENGTHS - 1] * 2);
        }
        run_mine(COMBINATIONS, &plot);
    }
}

/* Processes. */

/* A crash of the node is a failure like any other. */
static void crashed(int number)
{
    ssize_t written = write(STDERR_FILENO, replay, strlen(replay));
    written += write(STDERR_FILENO, "\n", 1);
    signal(number, SIG_DFL);
    raise(written > 0 ? number : SIGABRT);
}

static void watch_for_crashes(void)
{
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        signal(signals[i], crashed);
}

static int work(unsigned number)
{
    struct sim_extent extents[SETTINGS];
    self = number;
    watch_for_crashes();
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct sim_plot plot = {.level = settings[i].level, .at_once = settings[i].at_once};
        if (number == 0)
            run(UNDISTURBED, &plot);
        else if (!live(&plot, false))
            return 1;
        extents[i] = sim_life_extent(&world);
    }
    if (tally->failures > 0)
        return 1; /* nothing can be counted from a life that fails by itself */
    if (!try_known())
        return 1;
    try_all(extents);
    try_combinations(extents);
    return tally->failures > 0;
}

static uint64_t total_runs(void)
{
    uint64_t total = 0;
    for (int row = 0; row < ROWS; row++)
        total += tally->runs[row];
    return total;
}

static volatile sig_atomic_t is_interrupted;

static void interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

static int wait_for_all(const pid_t *pids, bool shows)
{
    const struct timespec pause = {.tv_nsec = 200000000};
    unsigned left = plan.processes;
    int status, result = 0;
    while (left > 0) {
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid < 0)
            return 1;
        if (pid > 0) {
            left--;
            result |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
            continue;
        }
        for (unsigned i = 0; is_interrupted && i < plan.processes; i++)
            kill(pids[i], SIGKILL);
        if (shows)
            fprintf(stderr, "\r%" PRIu64 " runs, %" PRIu64 " failures ", total_runs(),
                    tally->failures);
        nanosleep(&pause, NULL);
    }
    if (shows)
        fprintf(stderr, "\r%40s\r", "");
    return result;
}

static void print_row(const char *name, enum row row)
{
    if (tally->runs[row] > 0)
        printf("  %-16s %8" PRIu64 "  %8" PRIu64 "\n", name, tally->runs[row], tally->came[row]);
}

static void print_table(void)
{
    printf("%-18s %8s  %8s\n", "fault", "runs", "all came");
    for (int kind = 0; kind < SIM_FAULTS; kind++)
        print_row(sim_fault_code((enum sim_fault_kind)kind), (enum row)kind);
    print_row("known", KNOWN);
    print_row("two frames", PAIRS);
    print_row("combinations", COMBINATIONS);
    print_row("none", UNDISTURBED);
    printf("faults: %" PRIu64 " runs, %.1f days of virtual time, %" PRIu64 " failures\n",
           total_runs(), (double)tally->virtual_ms / 86400e3, tally->failures);
}

int sim_campaign_run(const struct sim_campaign *campaign)
{
    plan = *campaign;
    if (plan.stride == 0 || plan.processes == 0 || plan.processes > PROCESSES_MAX) {
        fprintf(stderr, "faults: the stride is at least 1, processes are 1 to %d\n", PROCESSES_MAX);
        return 2;
    }
    tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tally == MAP_FAILED) {
        perror("faults: no memory for the table");
        return 1;
    }
    pid_t pids[PROCESSES_MAX];
    for (unsigned number = 0; number < plan.processes; number++) {
        pids[number] = fork();
        if (pids[number] < 0) {
            perror("faults: no process");
            return 1;
        }
        if (pids[number] == 0)
            exit(work(number));
    }
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    int result = wait_for_all(pids, isatty(STDERR_FILENO));
    print_table();
    if (is_interrupted)
        puts("interrupted: this is not all of it");
    return result;
}

int sim_campaign_replay(const struct sim_campaign *campaign)
{
    struct sim_plot plot;
    const char *code = getenv("SL_FAULT"), *traces = getenv("SL_TRACE");
    if (code == NULL)
        return -1;
    plan = *campaign;
    if (!sim_plot_read(&plot, code))
        return 2;
    watch_for_crashes();
    bool is_well = live(&plot, traces != NULL && strcmp(traces, "1") == 0);
    if (!is_well)
        fprintf(stderr, "%s\n%s\n", failure, replay);
    else
        printf("no invariant broken: %u of %u faults came, %.3f s of virtual time\n",
               sim_life_fired(), plot.len, (double)world.ms / 1000);
    return is_well ? 0 : 1;
}
