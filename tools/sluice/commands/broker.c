/* sluice broker run: check everything, then run Mosquitto as our child.
 *
 * Mosquitto 2.0 opens up when it cannot read its lists at a reload (every client may do everything,
 * revoked clients come in). So it never gets a reload that we have not checked, and it does not
 * outlive us.
 */
#include "broker/files.h"
#include "broker/mosquitto_child.h"
#include "broker/set.h"
#include "broker/upkeep.h"
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_AFTER_S 21600 /* certificates are looked at every six hours */
#define STOP_S       5     /* what Mosquitto gets to end by itself */
#define PORT_MS      2000  /* how long a port may still be taken at the start */

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_broker_run = {
    .name = "broker run",
    .summary = "check every file, then run the broker here",
    .text = "Runs Mosquitto in the foreground with the rights of the user, until Ctrl-C or "
            "SIGTERM. SIGHUP checks the files and then makes the broker read them again. The "
            "broker's certificate (90 days) and the revocation list (30 days) are renewed in time, "
            "also while it runs.",
    .manual = "Mosquitto is found by PATH, /usr/sbin and /usr/local/sbin. It never outlives this "
              "command. Its configuration and access list, broker/mosquitto.conf and broker/acl, "
              "are written anew at every start: what is changed by hand there is lost.\n\n"
              "A file that is missing, damaged or of another site keeps the broker from starting; "
              "at SIGHUP the running broker is not told to read it, because Mosquitto 2.0 lets "
              "everybody in when it cannot read a list.",
    .examples = (const struct sl_example[]){{"sluice broker run", "in a terminal, until Ctrl-C:"},
                                            {"sluice --site /etc/sluice broker run >> broker.log",
                                             "with its log in a file:"},
                                            {NULL, NULL}},
    .run = run,
};

static void block_signals(sigset_t *ours, sigset_t *before);
static enum sl_exit prepare(const struct sl_site *site, bool is_start, bool *is_renewed);
static enum sl_exit check_port(const struct sl_site *site);
static enum sl_exit try_port(const struct sl_site *site, int *error);
static enum sl_exit fail_running(const struct sl_site *site);
static enum sl_exit start(const struct sl_site *site, const sigset_t *before, pid_t *child);
static enum sl_exit look_after(const struct sl_site *site, const sigset_t *ours, pid_t child);
static enum sl_exit reap(pid_t child, bool is_stopping);

static enum sl_exit run(struct sl_cli *cli)
{
    struct sl_site site;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code != SL_EXIT_DONE)
        return code;
    /* Before the lock: 'node add' sends SIGHUP to whoever holds it. */
    sigset_t ours, before;
    block_signals(&ours, &before);
    code = sl_site_lock(&site, "broker", 0);
    if (code == SL_EXIT_REFUSED)
        return fail_running(&site);
    bool is_renewed = false;
    if (code == SL_EXIT_DONE)
        code = prepare(&site, true, &is_renewed);
    if (code == SL_EXIT_DONE)
        code = sl_broker_write_conf(&site, sl_path_join(site.root, "broker").text);
    if (code == SL_EXIT_DONE)
        code = check_port(&site);
    pid_t child = 0;
    if (code == SL_EXIT_DONE)
        code = start(&site, &before, &child);
    return code == SL_EXIT_DONE ? look_after(&site, &ours, child) : code;
}

static enum sl_exit fail_running(const struct sl_site *site)
{
    int owner = sl_site_lock_owner(site, "broker");
    return sl_cli_fail(SL_ERROR(BROKER_RUNS), site->root, owner, owner);
}

/* From here on they are taken by look_after, one at a time. */
static void block_signals(sigset_t *ours, sigset_t *before)
{
    sigemptyset(ours);
    sigaddset(ours, SIGTERM);
    sigaddset(ours, SIGINT);
    sigaddset(ours, SIGHUP);
    sigaddset(ours, SIGCHLD);
    sigprocmask(SIG_BLOCK, ours, before);
}

/* Everything that Mosquitto is about to read, checked by us. Its access list is made anew at the
 * start and with what it is bound to; at a reload it is what the command wrote that asks for it. */
static enum sl_exit prepare(const struct sl_site *site, bool is_start, bool *is_renewed)
{
    struct sl_set set;
    struct sl_results results = {.len = 0};
    sl_set_of_site(site, &set);
    struct sl_upkeep done;
    enum sl_exit code = sl_upkeep_renew(site, SL_UPKEEP_SERVICE, &done);
    *is_renewed = code == SL_EXIT_DONE && sl_upkeep_is_renewed(&done);
    if (code == SL_EXIT_DONE && (is_start || *is_renewed))
        code = sl_upkeep_write_acl(site);
    set.conf.text[0] = '\0'; /* Mosquitto takes its settings at its start */
    return code == SL_EXIT_DONE ? sl_set_check(&set, NULL, &results) : code;
}

/* After a SIGKILL to us our Mosquitto dies a moment later; whoever starts us again at once waits
 * for its port. */
static enum sl_exit check_port(const struct sl_site *site)
{
    uint64_t end = sl_cli_now_ms() + PORT_MS;
    int error = 0;
    enum sl_exit code = try_port(site, &error);
    while (code == SL_EXIT_DONE && error == EADDRINUSE && sl_cli_now_ms() < end) {
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        code = try_port(site, &error);
    }
    if (code != SL_EXIT_DONE || error == 0)
        return code;
    if (error == EADDRINUSE)
        return sl_cli_fail(SL_ERROR(PORT_TAKEN), site->port, site->bind);
    return sl_cli_fail(SL_ERROR(PORT_UNUSABLE), site->bind, site->port, strerror(error));
}

/* Gives: *error, the errno of bind, 0 when the port is free. */
static enum sl_exit try_port(const struct sl_site *site, int *bind_error)
{
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    char port[8];
    snprintf(port, sizeof port, "%u", site->port);
    int error = getaddrinfo(site->bind, port, &hints, &found);
    if (error != 0)
        return sl_cli_fail(SL_ERROR(BIND_UNKNOWN), site->bind, gai_strerror(error));
    error = 0;
    for (const struct addrinfo *at = found; at && error == 0; at = at->ai_next) {
        int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd < 0)
            continue; /* no IPv6 here: not our business */
        const int yes = 1;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        if (bind(fd, at->ai_addr, at->ai_addrlen) != 0)
            error = errno;
        close(fd);
    }
    freeaddrinfo(found);
    *bind_error = error;
    return SL_EXIT_DONE;
}

static enum sl_exit start(const struct sl_site *site, const sigset_t *before, pid_t *child)
{
    struct sl_path program, conf = sl_path_join(site->root, "broker/mosquitto.conf");
    enum sl_exit code = sl_mosquitto_find(&program);
    if (code != SL_EXIT_DONE)
        return code;
    if (geteuid() == 0)
        sl_cli_note(
            "Mosquitto runs as root, like this command: where others can reach it, make the "
            "site as a user of its own and run it as that user");
    printf("broker '%s' at %s:%u for site %s; Ctrl-C ends it\n", site->broker_name, site->bind,
           site->port, site->root);
    return sl_mosquitto_start(program.text, conf.text, before, -1, child);
}

static enum sl_exit look_after(const struct sl_site *site, const sigset_t *ours, pid_t child)
{
    bool is_stopping = false;

    for (;;) {
        const struct timespec wait = {.tv_sec = is_stopping ? STOP_S : LOOK_AFTER_S};
        int got = sigtimedwait(ours, NULL, &wait);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == SIGCHLD) {
            enum sl_exit code = reap(child, is_stopping);
            if (code != SL_EXIT_NO_ANSWER)
                return code;
        } else if (got == SIGTERM || got == SIGINT) {
            is_stopping = true;
            kill(child, SIGTERM);
        } else if (is_stopping) {
            kill(child, SIGKILL);
        } else {
            bool is_renewed = false;
            if (prepare(site, false, &is_renewed) != SL_EXIT_DONE)
                sl_cli_note("the broker goes on with what it read before");
            else if (got == SIGHUP || is_renewed)
                kill(child, SIGHUP);
        }
    }
}

/* SL_EXIT_NO_ANSWER: it lives. */
static enum sl_exit reap(pid_t child, bool is_stopping)
{
    int status = 0;
    pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == 0 || (ended > 0 && !WIFEXITED(status) && !WIFSIGNALED(status)))
        return SL_EXIT_NO_ANSWER;
    if (is_stopping)
        return SL_EXIT_DONE;
    if (WIFSIGNALED(status))
        return sl_cli_fail(SL_ERROR(BROKER_KILLED), WTERMSIG(status));
    return sl_cli_fail(SL_ERROR(BROKER_ENDED), WEXITSTATUS(status));
}
