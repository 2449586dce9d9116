/* doctor: the broker's process on this computer, as the kernel shows it. */
#include "broker/mosquitto_child.h"
#include "cli/lines.h"
#include "doctor/site.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES_SPARE 24 /* beside the clients': listeners, log, libraries */
#define CLIENTS_MAX 2000
#define INODES_MAX  4096
#define VERSION_MS  2000
#define LISTENS     "0A" /* TCP_LISTEN in /proc/net/tcp */

static int find_mosquitto(const struct sl_site *site);
static void look_at_limit(struct sl_doctor *doctor, int pid);
static void look_at_user(struct sl_doctor *doctor, int pid);
static void look_at_age(struct sl_doctor *doctor, int pid);
static void look_at_listeners(struct sl_doctor *doctor, int pid);
static size_t list_inodes(int pid, unsigned long *inodes);
static void compare_listeners(struct sl_doctor *doctor, const char *table, bool is_six,
                              const unsigned long *inodes, size_t len);
static bool is_ours(const struct sl_site *site, const char *address, unsigned port);
static void look_at_version(struct sl_doctor *doctor);
static bool start_help(const char *program, struct sl_lines *lines);
static FILE *open_proc(int pid, const char *name);

void sl_doctor_look_process(struct sl_doctor *doctor)
{
    int pid = find_mosquitto(doctor->site);
    if (pid > 0) {
        look_at_limit(doctor, pid);
        look_at_user(doctor, pid);
        look_at_age(doctor, pid);
        look_at_listeners(doctor, pid);
    }
    look_at_version(doctor);
}

/* The child of the 'broker run' that holds the site's lock; 0: none. */
static int find_mosquitto(const struct sl_site *site)
{
    int owner = sl_site_lock_owner(site, "broker");
    char name[64], line[32] = "";
    if (owner <= 0)
        return 0;
    snprintf(name, sizeof name, "task/%d/children", owner);
    FILE *in = open_proc(owner, name);
    bool has_child = in && fgets(line, sizeof line, in);
    if (in)
        fclose(in);
    return has_child ? (int)strtol(line, NULL, 10) : 0;
}

static FILE *open_proc(int pid, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    return fopen(path, "re");
}

static void look_at_limit(struct sl_doctor *doctor, int pid)
{
    char line[256];
    unsigned long limit = 0;
    FILE *in = open_proc(pid, "limits");
    static const char label[] = "Max open files";
    while (in && limit == 0 && fgets(line, sizeof line, in))
        if (strncmp(line, label, strlen(label)) == 0)
            limit = strtoul(line + strlen(label), NULL, 10);
    if (in)
        fclose(in);
    if (limit > 0 && limit < CLIENTS_MAX + FILES_SPARE)
        sl_doctor_find(doctor, SL_CHECK_BROKER_FILES_MAX, (struct sl_place){.path = "mosquitto"},
                       "process %d may open %lu, and max_connections is %d", pid, limit,
                       CLIENTS_MAX);
}

/* On a computer's own loopback a broker of root's is nobody else's. */
static void look_at_user(struct sl_doctor *doctor, int pid)
{
    char path[64];
    struct stat about;
    snprintf(path, sizeof path, "/proc/%d", pid);
    if (stat(path, &about) == 0 && about.st_uid == 0 && !sl_site_is_loopback(doctor->site->bind))
        sl_doctor_find(doctor, SL_CHECK_BROKER_ROOT, (struct sl_place){.path = "mosquitto"},
                       "process %d, at %s", pid, doctor->site->bind);
}

/* A reload reads no configuration. */
static void look_at_age(struct sl_doctor *doctor, int pid)
{
    struct sl_path path = sl_path_join(doctor->site->root, "broker/mosquitto.conf");
    char proc[64];
    struct stat started, changed;
    snprintf(proc, sizeof proc, "/proc/%d/exe", pid);
    if (lstat(proc, &started) != 0 || stat(path.text, &changed) != 0)
        return;
    snprintf(proc, sizeof proc, "/proc/%d", pid);
    if (stat(proc, &started) == 0 && changed.st_mtime > started.st_mtime + 1)
        sl_doctor_find(doctor, SL_CHECK_BROKER_CONF_OLD, (struct sl_place){.path = path.text},
                       "changed %ld s after the start of process %d",
                       (long)(changed.st_mtime - started.st_mtime), pid);
}

/* --- listeners ------------------------------------------------------------------------------ */

static void look_at_listeners(struct sl_doctor *doctor, int pid)
{
    static unsigned long inodes[INODES_MAX];
    size_t len = list_inodes(pid, inodes);
    compare_listeners(doctor, "/proc/net/tcp", false, inodes, len);
    compare_listeners(doctor, "/proc/net/tcp6", true, inodes, len);
}

/* Its sockets. */
static size_t list_inodes(int pid, unsigned long *inodes)
{
    char folder[64], target[64];
    size_t len = 0;
    snprintf(folder, sizeof folder, "/proc/%d/fd", pid);
    DIR *entries = opendir(folder);
    const struct dirent *entry = NULL;
    while (entries && len < INODES_MAX && (entry = readdir(entries))) {
        ssize_t got = readlinkat(dirfd(entries), entry->d_name, target, sizeof target - 1);
        target[got > 0 ? got : 0] = '\0';
        if (strncmp(target, "socket:[", 8) == 0)
            inodes[len++] = strtoul(target + 8, NULL, 10);
    }
    if (entries)
        closedir(entries);
    return len;
}

/* Source: proc(5), /proc/net/tcp: addresses are words of the computer's own byte order. */
static void compare_listeners(struct sl_doctor *doctor, const char *table, bool is_six,
                              const unsigned long *inodes, size_t len)
{
    char line[512], hex[64], port_hex[8], state[8], number[24], address[INET6_ADDRSTRLEN];
    FILE *in = fopen(table, "re");
    while (in && fgets(line, sizeof line, in)) {
        if (sscanf(line, " %*d: %63[0-9A-F]:%7[0-9A-F] %*s %7s %*s %*s %*s %*u %*d %23[0-9]", hex,
                   port_hex, state, number) != 4 ||
            strcmp(state, LISTENS) != 0)
            continue;
        unsigned port = (unsigned)strtoul(port_hex, NULL, 16);
        unsigned long inode = strtoul(number, NULL, 10);
        bool is_its = false;
        for (size_t i = 0; i < len && !is_its; i++)
            is_its = inodes[i] == inode;
        uint32_t words[4] = {0};
        for (int i = 0; i < (is_six ? 4 : 1); i++) {
            char word[9] = "";
            snprintf(word, sizeof word, "%.8s",
                     strlen(hex) >= 8u * (unsigned)(i + 1) ? hex + 8 * i : "");
            words[i] = (uint32_t)strtoul(word, NULL, 16);
        }
        if (is_its && inet_ntop(is_six ? AF_INET6 : AF_INET, words, address, sizeof address) &&
            !is_ours(doctor->site, address, port))
            sl_doctor_find(doctor, SL_CHECK_BROKER_LISTENS, (struct sl_place){.path = "mosquitto"},
                           "%s port %u, and the site says %s port %u", address, port,
                           doctor->site->bind, doctor->site->port);
    }
    if (in)
        fclose(in);
}

static bool is_ours(const struct sl_site *site, const char *address, unsigned port)
{
    unsigned char number[16];
    bool is_number =
        inet_pton(AF_INET, site->bind, number) == 1 || inet_pton(AF_INET6, site->bind, number) == 1;
    bool is_there =
        strcmp(address, site->bind) == 0 ||
        (!is_number && (strcmp(site->bind, "localhost") != 0 || sl_site_is_loopback(address)));
    return port == site->port && is_there;
}

/* --- the program ---------------------------------------------------------------------------- */

/* "mosquitto version 2.0.11" stands in its own help. Without one the broker is elsewhere. */
static void look_at_version(struct sl_doctor *doctor)
{
    static struct sl_lines lines = SL_LINES_NONE;
    char line[128], version[32] = "";
    struct sl_path program;
    struct sl_cli_told told = {.is_told = false};
    sl_cli_listen(&told);
    enum sl_exit code = sl_mosquitto_find(&program);
    sl_cli_listen(NULL);
    if (code != SL_EXIT_DONE || !start_help(program.text, &lines))
        return;
    struct pollfd poll_for = {.fd = lines.fd, .events = POLLIN};
    uint64_t end = sl_cli_now_ms() + VERSION_MS;
    while (version[0] == '\0' && sl_cli_now_ms() < end && poll(&poll_for, 1, VERSION_MS) == 1 &&
           sl_lines_read(&lines))
        while (version[0] == '\0' && sl_lines_next(&lines, line, sizeof line))
            (void)sscanf(line, "mosquitto version %31[0-9.]", version);
    (void)sl_lines_end(&lines);
    if (version[0] != '\0' && strtol(version, NULL, 10) < 2)
        sl_doctor_find(doctor, SL_CHECK_MOSQUITTO_OLD, (struct sl_place){.path = "mosquitto"},
                       "version %s", version);
}

static bool start_help(const char *program, struct sl_lines *lines)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    lines->child = fork();
    if (lines->child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execl(program, "mosquitto", "-h", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    lines->fd = ends[0];
    if (lines->child > 0)
        return true;
    close(ends[0]);
    *lines = (struct sl_lines)SL_LINES_NONE;
    return false;
}
