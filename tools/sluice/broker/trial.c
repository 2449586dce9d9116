/* Mosquitto 2.0 cannot be asked whether it likes its files: it is started with them, out of the
 * way, and visited. */
#include "broker/mosquitto_child.h"
#include "broker/probe.h"
#include "broker/set.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_MS 10000
#define LOG_MAX  65536

static enum sl_exit find_port(uint16_t *port);
static enum sl_exit print_conf(const struct sl_set *set, uint16_t port, int *fd);
static enum sl_exit wait_for_start(const struct sl_set *set, pid_t child, uint16_t port,
                                   int log_fd);
static enum sl_exit fail_start(const struct sl_set *set, int log_fd);
static enum sl_exit visit(const struct sl_set *set, const struct sl_site *site, uint16_t port);

enum sl_exit sl_set_try(const struct sl_set *set, const struct sl_site *site)
{
    struct sl_path program;
    char conf[32];
    uint16_t port = 0;
    int conf_fd = -1, log_fd = memfd_create("sluice-log", MFD_CLOEXEC);
    pid_t child = 0;
    sigset_t signals;
    sigemptyset(&signals);
    enum sl_exit code = sl_mosquitto_find(&program);
    if (code == SL_EXIT_DONE)
        code = find_port(&port);
    if (code == SL_EXIT_DONE)
        code = print_conf(set, port, &conf_fd);
    snprintf(conf, sizeof conf, "/proc/self/fd/%d", conf_fd);
    if (code == SL_EXIT_DONE)
        code = sl_mosquitto_start(program.text, conf, &signals, log_fd, &child);
    if (code == SL_EXIT_DONE) {
        code = wait_for_start(set, child, port, log_fd);
        if (code == SL_EXIT_DONE && site)
            code = visit(set, site, port);
        sl_mosquitto_end(child);
    }
    if (conf_fd >= 0)
        close(conf_fd);
    if (log_fd >= 0)
        close(log_fd);
    return code;
}

static enum sl_exit find_port(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 &&
              getsockname(fd, (struct sockaddr *)&address, &len) == 0;
    enum sl_exit code = ok ? SL_EXIT_DONE : sl_cli_fail(SL_ERROR(TRIAL_PORT), strerror(errno));
    *port = ntohs(address.sin_port);
    if (fd >= 0)
        close(fd);
    return code;
}

/* The same settings as on its computer, but for the place. In memory; Mosquitto inherits it. */
static enum sl_exit print_conf(const struct sl_set *set, uint16_t port, int *fd)
{
    const struct sl_broker_conf conf = {.host = SL_BROKER_SITE,
                                        .is_root = geteuid() == 0,
                                        .address = "127.0.0.1",
                                        .port = port,
                                        .acl = set->acl,
                                        .authority = set->authority,
                                        .certificate = set->certificate,
                                        .key = set->key,
                                        .crl = set->crl};
    struct sl_bytes text;
    enum sl_exit code = sl_broker_conf_print(&conf, &text);
    if (code != SL_EXIT_DONE)
        return code;
    *fd = memfd_create("sluice-conf", 0);
    if (*fd < 0 || write(*fd, text.data, text.len) != (ssize_t)text.len)
        code = sl_file_fail("write", "a configuration in memory");
    sl_bytes_free(&text);
    return code;
}

static enum sl_exit wait_for_start(const struct sl_set *set, pid_t child, uint16_t port, int log_fd)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint64_t end = sl_cli_now_ms() + START_MS;
    siginfo_t ended;
    for (;;) {
        ended.si_pid = 0;
        if (waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            ended.si_pid != 0 || sl_cli_now_ms() >= end)
            return fail_start(set, log_fd);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool is_open =
            fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
        if (fd >= 0)
            close(fd);
        if (is_open)
            return SL_EXIT_DONE;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

/* Its last line about an error. */
static enum sl_exit fail_start(const struct sl_set *set, int log_fd)
{
    static char log[LOG_MAX];
    ssize_t len = pread(log_fd, log, sizeof log - 1, 0);
    log[len > 0 ? len : 0] = '\0';
    char why[200] = "it says nothing", *rest = NULL;
    for (const char *line = strtok_r(log, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (strstr(line, "Error"))
            sl_cli_clean(why, sizeof why, strstr(line, "Error"), strlen(strstr(line, "Error")));
    return sl_cli_fail(SL_ERROR(TRIAL_FAILED), set->folder.text, why);
}

static enum sl_exit visit(const struct sl_set *set, const struct sl_site *site, uint16_t port)
{
    struct sl_site here = *site;
    here.port = port;
    snprintf(here.host, sizeof here.host, "127.0.0.1");
    const struct sl_probe probe = {.who = "a trial broker with these files",
                                   .site = &here,
                                   .acl = set->acl.text,
                                   .certificate = set->certificate.text,
                                   .is_trial = true};
    bool is_open = false;
    return sl_probe_broker(&probe, &is_open);
}
