/* sluice-board: the node on a virtual ESP8266, in place of sluice-node and used like it. */
#include "machine.h"
#include "posix/errors.h"
#include "posix/log.h"
#include "posix/serial.h"
#include "serial.h"
#include "wire.h"
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_DONE = 0, EXIT_USAGE = 2, EXIT_LOCAL_FILES = 4 };
#define POLL_MS 100

static const char help[] =
    "sluice-board: the node on a virtual ESP8266 (QEMU), in place of sluice-node.\n"
    "\n"
    "usage: sluice-board --identity FILE [--chip SOCKET] [options]\n"
    "       sluice-board --serial pty:PATH --state DIR [--chip SOCKET] [options]\n"
    "\n"
    "  --identity FILE      image made by 'sluice node add', put into the board's flash\n"
    "  --serial pty:PATH    the board's serial line, a pseudo terminal linked at PATH, or a tty: "
    "a\n"
    "                       board without an identity gets one there ('sluice node enrol')\n"
    "  --reset              the reset button is held at the start: enrol the board again\n"
    "  --chip SOCKET        simulated relay chip: the socket given to 'sluice-chip --spi'\n"
    "  --state DIR          where the flash's file is kept (without: in memory)\n"
    "  --sntp HOST[:PORT]   the board has no clock chip and asks this server for the time\n"
    "  --log-level LEVEL    debug, info, warning or error (info)\n"
    "  --elf FILE           the board's program (sluice-board.elf of this build)\n"
    "  --frames OWN:PEER    no network, but raw Ethernet frames by Unix datagrams from OWN to "
    "PEER\n"
    "  --exact              count time in instructions, the same in every run (for figures)\n"
    "  --plugin SPEC        QEMU's -plugin\n"
    "  --qemu ARGUMENT      one more argument for QEMU\n"
    "  --set NAME=VALUE     one more argument for the board's program\n"
    "  --help\n"
    "\n"
    "The broker's loopback address is reached, as seen from the board, at the gateway.\n"
    "SIGTERM and SIGINT take the power away; the relay chip closes every zone when its lease\n"
    "ends.\n"
    "Exit status: 0 done, 2 wrong usage, 4 a file or QEMU failed.\n";

static bool parse(struct board_options *options, int argc, char **argv);
static bool find_elf(struct board_options *options);
static bool take_level(const char *text);
static void loop(struct board_machine *machine, const struct board_options *options);
static bool hear(struct board_machine *machine, struct board_serial *serial);
static void speak(const struct board_machine *machine);
static void stop(int signal_number);
static uint64_t now_ms(void);

static volatile sig_atomic_t is_stopping;
static const char *line; /* --serial; NULL: the serial line is the log only */

int main(int argc, char **argv)
{
    struct board_options options = {.elf = NULL};
    struct board_machine machine;
    struct posix_failure failure;
    char error[BOARD_ERROR_LEN];
    int status = 0;

    posix_log_init(POSIX_LOG_STDERR, SL_LOG_INFO);
    if (!parse(&options, argc, argv))
        return EXIT_USAGE;
    const struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (line && !posix_serial_open(line, &failure)) {
        posix_failure_show(&failure);
        return EXIT_LOCAL_FILES;
    }
    if (!find_elf(&options) || !board_machine_start(&machine, &options, error)) {
        fprintf(stderr, "sluice-board: %s\n",
                options.elf ? error : "sluice-board.elf is not there: 'make board' or give --elf");
        return EXIT_LOCAL_FILES;
    }
    loop(&machine, &options);
    posix_serial_close();
    kill(machine.process, SIGKILL);
    while (waitpid(machine.process, &status, 0) < 0 && errno == EINTR) {
    }
    if (is_stopping)
        return EXIT_DONE;
    fprintf(stderr, "sluice-board: QEMU has ended (%s %d)\n",
            WIFEXITED(status) ? "exit status" : "signal",
            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : EXIT_LOCAL_FILES;
}

static bool parse(struct board_options *options, int argc, char **argv)
{
    static const struct option names[] = {
        {"identity", required_argument, NULL, 'i'},
        {"chip", required_argument, NULL, 'c'},
        {"state", required_argument, NULL, 's'},
        {"serial", required_argument, NULL, 'l'},
        {"reset", no_argument, NULL, 'r'},
        {"sntp", required_argument, NULL, 't'},
        {"log-level", required_argument, NULL, 'v'},
        {"elf", required_argument, NULL, 'e'},
        {"frames", required_argument, NULL, 'n'},
        {"plugin", required_argument, NULL, 'p'},
        {"qemu", required_argument, NULL, 'q'},
        {"set", required_argument, NULL, 'S'},
        {"exact", no_argument, NULL, 'x'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    bool ok = true;
    int option;

    while (ok && (option = getopt_long(argc, argv, "", names, NULL)) != -1)
        switch (option) {
        case 'i':
            options->identity = optarg;
            break;
        case 'c':
            options->chip = optarg;
            break;
        case 's':
            options->state = optarg;
            break;
        case 't':
            options->sntp = optarg;
            break;
        case 'l':
            line = optarg;
            options->has_input = true;
            break;
        case 'r':
            ok = options->sets_len < BOARD_SETS_MAX;
            if (ok)
                options->sets[options->sets_len++] = "button=1";
            break;
        case 'v':
            ok = take_level(optarg);
            break;
        case 'e':
            options->elf = optarg;
            break;
        case 'n':
            options->frames = optarg;
            ok = strchr(optarg, ':') != NULL;
            break;
        case 'x':
            options->is_exact = true;
            break;
        case 'p':
            options->plugin = optarg;
            break;
        case 'q':
            ok = options->qemu_len < BOARD_QEMU_MAX;
            if (ok)
                options->qemu[options->qemu_len++] = optarg;
            break;
        case 'S':
            ok = options->sets_len < BOARD_SETS_MAX && strchr(optarg, '=') != NULL;
            if (ok)
                options->sets[options->sets_len++] = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            exit(EXIT_DONE);
        default:
            ok = false;
        }
    if (ok && optind == argc && (options->identity || line))
        return true;
    fputs("sluice-board: an option is wrong, or --identity or --serial is missing; see "
          "sluice-board --help\n",
          stderr);
    return false;
}

static bool take_level(const char *text)
{
    static const char *const levels[] = {"debug", "info", "warning", "error"};

    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(text, levels[i]) == 0) {
            posix_log_init(POSIX_LOG_STDERR, (enum sl_log_level)i);
            return true;
        }
    return false;
}

/* Beside this program when installed, in the build tree otherwise. */
static bool find_elf(struct board_options *options)
{
    static const char *const places[] = {"sluice-board.elf", "../../../lx106/sluice-board.elf",
                                         "../share/sluice/sluice-board.elf"};
    static char path[2 * PATH_MAX];
    char own[PATH_MAX];

    if (options->elf)
        return true;
    if (!realpath("/proc/self/exe", own))
        return false;
    *strrchr(own, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", own, places[i]);
        if (access(path, R_OK) == 0) {
            options->elf = path;
            return true;
        }
    }
    return false;
}

/* Until the machine ends, or somebody stops us. */
static void loop(struct board_machine *machine, const struct board_options *options)
{
    struct board_serial serial = {.len = 0};
    struct board_wire wire;
    bool goes_on = true;

    board_wire_init(&wire, machine->wires, options->chip);
    while (!is_stopping && goes_on) {
        struct posix_wait wait;
        posix_wait_init(&wait, (sl_ms)now_ms());
        posix_wait_until(&wait, wait.now + POLL_MS);
        posix_wait_for(&wait, machine->serial, POLLIN);
        if (options->chip) {
            board_wire_tick(&wire, now_ms());
            posix_wait_for(&wait, wire.board, POLLIN);
            posix_wait_for(&wait, wire.chip, POLLIN);
        }
        if (line)
            posix_serial_wait(&wait, false);
        posix_wait_sleep(&wait);
        goes_on = hear(machine, &serial);
        if (line)
            speak(machine);
        if (wire.board >= 0 && !board_wire_carry(&wire, now_ms())) {
            close(wire.board);
            wire.board = -1;
        }
    }
}

/* The log for us, and all of it for the other end of the line, as on the same wire. A line with
 * nobody at its other end takes what it can. False: the machine has ended. */
static bool hear(struct board_machine *machine, struct board_serial *serial)
{
    char bytes[512];
    const ssize_t len = read(machine->serial, bytes, sizeof bytes);

    if (len <= 0)
        return len < 0;
    if (line)
        (void)posix_serial_send((sl_ms)now_ms(),
                                (struct sl_view){(const uint8_t *)bytes, (size_t)len});
    board_serial_feed(serial, bytes, (size_t)len);
    return true;
}

/* The pipe holds more than whoever speaks the protocol says without an answer. */
static void speak(const struct board_machine *machine)
{
    uint8_t bytes[256];
    const size_t len = posix_serial_receive((sl_ms)now_ms(), bytes, sizeof bytes);

    if (len > 0)
        (void)!write(machine->input, bytes, len);
}

static void stop(int signal_number)
{
    (void)signal_number;
    is_stopping = 1;
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
