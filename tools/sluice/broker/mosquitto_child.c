/* Finding, starting and ending Mosquitto. */
#include "broker/mosquitto_child.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STOP_MS   5000
#define FILES_MAX 4096 /* max_connections of the configuration, twice */

static void raise_limit(void);

enum sl_exit sl_mosquitto_find(struct sl_path *program)
{
    const char *path = getenv("PATH");
    char folders[PATH_MAX];
    snprintf(folders, sizeof folders, "%s:/usr/sbin:/usr/local/sbin", path ? path : "");
    char *save = NULL;
    for (char *f = strtok_r(folders, ":", &save); f; f = strtok_r(NULL, ":", &save)) {
        *program = sl_path_join(f, "mosquitto");
        if (access(program->text, X_OK) == 0)
            return SL_EXIT_DONE;
    }
    return sl_cli_fail(SL_ERROR(MOSQUITTO_MISSING));
}

enum sl_exit sl_mosquitto_start(const char *program, const char *conf, const sigset_t *signals,
                                int log_fd, pid_t *child)
{
    pid_t parent = getpid();
    fflush(stdout);
    *child = fork();
    if (*child < 0)
        return sl_cli_fail(SL_ERROR(PROCESS_FAILED), strerror(errno));
    if (*child > 0)
        return SL_EXIT_DONE;

    /* Killed with us, and out of reach of the terminal's own signals: they come through us. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    if (getppid() != parent)
        _exit(1);
    if (log_fd >= 0 && (dup2(log_fd, STDOUT_FILENO) < 0 || dup2(log_fd, STDERR_FILENO) < 0))
        _exit(1);
    raise_limit();
    sigprocmask(SIG_SETMASK, signals, NULL);
    execl(program, "mosquitto", "-c", conf, (char *)NULL);
    _exit(127);
}

/* A shell's usual 1024 would stop it at some thousand clients. */
static void raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= FILES_MAX)
        return;
    limit.rlim_cur = limit.rlim_max < FILES_MAX ? limit.rlim_max : FILES_MAX;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

void sl_mosquitto_end(pid_t child)
{
    kill(child, SIGTERM);
    uint64_t end = sl_cli_now_ms() + STOP_MS;
    while (waitpid(child, NULL, WNOHANG) == 0) {
        if (sl_cli_now_ms() >= end)
            kill(child, SIGKILL);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}
