/* Descriptors that QEMU inherits are named to the board in its arguments (ports/lx106/semihost.h).
 *
 * By itself the board's clock is the computer's. When its time is counted in instructions
 * (-icount), a run takes the same instructions every time, but its clock falls behind by what every
 * wake-up costs. */
#include "machine.h"
#include "flash_file.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define QEMU            "qemu-system-xtensa"
#define ARGUMENTS_LEN   2048
#define HOST_LEN        256
#define FRAMES_PATH_MAX 108 /* of a Unix socket */

static void add(char *arguments, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_sntp(char *arguments, const char *server);
static void run(const struct board_options *options, const char *arguments, int input, int serial);

bool board_machine_start(struct board_machine *machine, const struct board_options *options,
                         char error[BOARD_ERROR_LEN])
{
    char arguments[ARGUMENTS_LEN] = "enable=on,target=native,arg=sluice-board,arg=reboots=1";
    int serial[2], input[2] = {-1, -1}, wires[2] = {-1, -1};
    const int flash = board_flash_open(options->state, options->identity, error);

    if (flash < 0)
        return false;
    if (pipe2(serial, O_CLOEXEC | O_NONBLOCK) != 0 || fcntl(serial[1], F_SETFL, 0) != 0 ||
        (options->has_input &&
         (pipe2(input, O_CLOEXEC) != 0 || fcntl(input[1], F_SETFL, O_NONBLOCK) != 0)) ||
        (options->chip && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, wires) != 0)) {
        snprintf(error, BOARD_ERROR_LEN, "no pipe to the board: %s", strerror(errno));
        return false;
    }
    add(arguments, "flash=%d", flash);
    if (options->chip)
        add(arguments, "chip=%d", wires[1]);
    if (options->sntp)
        add_sntp(arguments, options->sntp);
    else
        add(arguments, "epoch=%lld", (long long)time(NULL));
    for (size_t i = 0; i < options->sets_len; i++)
        add(arguments, "%s", options->sets[i]);

    const pid_t parent = getpid();
    machine->process = fork();
    if (machine->process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        if (wires[1] >= 0)
            fcntl(wires[1], F_SETFD, 0);
        run(options, arguments, input[0], serial[1]);
    }
    close(serial[1]);
    close(flash);
    if (input[0] >= 0)
        close(input[0]);
    if (wires[1] >= 0)
        close(wires[1]);
    machine->serial = serial[0];
    machine->input = input[1];
    machine->wires = wires[0];
    if (machine->process < 0)
        snprintf(error, BOARD_ERROR_LEN, "cannot start a process: %s", strerror(errno));
    return machine->process >= 0;
}

static void add(char *arguments, const char *format, ...)
{
    const size_t len = strlen(arguments);
    va_list values;

    /* A comma in a value would end it: QEMU wants it twice, and nothing here has one. */
    snprintf(arguments + len, ARGUMENTS_LEN - len, ",arg=");
    va_start(values, format);
    vsnprintf(arguments + strlen(arguments), ARGUMENTS_LEN - strlen(arguments), format, values);
    va_end(values);
}

static void add_sntp(char *arguments, const char *server)
{
    char host[HOST_LEN];
    const char *colon = strrchr(server, ':');
    const size_t len = colon ? (size_t)(colon - server) : strlen(server);

    snprintf(host, sizeof host, "%.*s", (int)len, server);
    add(arguments, "sntp=%s", host);
    if (colon)
        add(arguments, "sntp-port=%s", colon + 1);
}

/* In the child; does not come back. */
static void run(const struct board_options *options, const char *arguments, int input, int serial)
{
    const char *argv[40] = {QEMU,      "-M",       "kc705-nommu", "-cpu",
                            "lx106",   "-display", "none",        "-monitor",
                            "none",    "-serial",  "stdio",       "-semihosting-config",
                            arguments, "-kernel",  options->elf};
    size_t len = 15;
    char wire[2 * FRAMES_PATH_MAX + 128];
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (options->frames) {
        const char *colon = strchr(options->frames, ':');
        snprintf(wire, sizeof wire,
                 "dgram,id=wire,local.type=unix,local.path=%.*s,remote.type=unix,remote.path=%s",
                 (int)(colon - options->frames), options->frames, colon + 1);
        argv[len++] = "-netdev";
        argv[len++] = wire;
        argv[len++] = "-net";
        argv[len++] = "nic,model=open_eth,netdev=wire";
    } else {
        argv[len++] = "-nic";
        argv[len++] = "user,model=open_eth";
    }
    if (options->is_exact) {
        argv[len++] = "-icount";
        argv[len++] = "shift=0";
    }
    if (options->plugin) {
        argv[len++] = "-plugin";
        argv[len++] = options->plugin;
    }
    for (size_t i = 0; i < options->qemu_len; i++)
        argv[len++] = options->qemu[i];
    dup2(input >= 0 ? input : nothing, STDIN_FILENO);
    dup2(serial, STDOUT_FILENO);
    dup2(serial, STDERR_FILENO);
    signal(SIGPIPE, SIG_DFL);
    execvp(QEMU, (char *const *)(uintptr_t)argv);
    fprintf(stderr, "%s: %s; 'make board' installs it\n", QEMU, strerror(errno));
    _exit(127);
}
