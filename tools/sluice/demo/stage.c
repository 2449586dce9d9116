/* Processes, sockets and folders of the demo. */
#include "demo/demo.h"
#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_MS   10000
#define ANSWER_MS  2000
#define ARGS_MAX   48
#define ANSWER_LEN 2048

static volatile sig_atomic_t is_stopping;

static bool fail(struct sl_demo *demo, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool fail_part(struct sl_demo *demo, enum sl_demo_part part, const char *what);
static bool are_parts_alive(struct sl_demo *demo);
static bool make_folder(struct sl_demo *demo);
static bool find_programs(struct sl_demo *demo, const struct sl_demo_programs *programs);
static bool make_site(struct sl_demo *demo);
static bool is_ready(struct sl_demo *demo, enum sl_demo_part part);
static void stop_part(struct sl_demo *demo, enum sl_demo_part part);
static pid_t launch(char *const argv[], int output);
static unsigned find_port(void);
static void stop(int signal_number);

static const char *const part_names[] = {
    [SL_DEMO_BROKER] = "broker", [SL_DEMO_CHIP] = "chip", [SL_DEMO_NODE_PART] = "node"};

bool sl_demo_open(struct sl_demo *demo, const struct sl_demo_programs *programs)
{
    *demo = (struct sl_demo){.guard = -1, .chip_line = -1};
    /* Restarted: a frame that is just written must not fail and count as lost output. */
    const struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    return find_programs(demo, programs) && make_folder(demo) && make_site(demo) &&
           sl_demo_start(demo, SL_DEMO_BROKER) && sl_demo_start(demo, SL_DEMO_CHIP) &&
           sl_demo_start(demo, SL_DEMO_NODE_PART);
}

void sl_demo_close(struct sl_demo *demo)
{
    /* The node first: it closes its valves and says so while the others still listen. */
    stop_part(demo, SL_DEMO_NODE_PART);
    stop_part(demo, SL_DEMO_BROKER);
    stop_part(demo, SL_DEMO_CHIP);
    if (demo->chip_line >= 0)
        close(demo->chip_line);
    if (demo->folder[0] != '\0')
        sl_folder_remove(demo->folder);
    if (demo->guard >= 0) {
        close(demo->guard);
        while (wait(NULL) > 0 || errno == EINTR)
            ;
    }
}

/* --- set-up --------------------------------------------------------------------------------- */

static bool find_file(struct sl_path *path, const char *given, const char *own_folder,
                      const char *const *places, int mode)
{
    if (given) {
        *path = sl_path_join(".", given);
        if (given[0] == '/')
            snprintf(path->text, sizeof path->text, "%s", given);
        return access(path->text, mode) == 0;
    }
    for (; *places; places++) {
        *path = sl_path_join(own_folder, *places);
        if (access(path->text, mode) == 0)
            return true;
    }
    return false;
}

static bool find_in_path(struct sl_path *path, const char *name)
{
    char folders[PATH_MAX];
    const char *all = getenv("PATH");
    snprintf(folders, sizeof folders, "%s", all ? all : "");
    char *save = NULL;
    for (char *f = strtok_r(folders, ":", &save); f; f = strtok_r(NULL, ":", &save)) {
        *path = sl_path_join(f, name);
        if (access(path->text, X_OK) == 0)
            return true;
    }
    return false;
}

static bool find_programs(struct sl_demo *demo, const struct sl_demo_programs *programs)
{
    static const char *const nodes[] = {"sluice-node", "../../ports/posix/sluice-node", NULL};
    static const char *const chips[] = {"sluice-chip", "../../twin/sluice-chip", NULL};
    static const char *const elves[] = {"relay-chip.elf", "../../../atmega168/relay-chip.elf",
                                        "../share/sluice/relay-chip.elf", NULL};
    char folder[PATH_MAX];
    if (!realpath("/proc/self/exe", demo->sluice.text))
        return fail(demo, "cannot find this program's own file: is /proc mounted?");
    snprintf(folder, sizeof folder, "%s", demo->sluice.text);
    *strrchr(folder, '/') = '\0';

    if (!find_file(&demo->node_program, programs->node, folder, nodes, X_OK) &&
        (programs->node || !find_in_path(&demo->node_program, "sluice-node")))
        return fail(demo, "sluice-node is not there: build it ('make build') or give --node");
    if (!find_file(&demo->chip_program, programs->chip, folder, chips, X_OK) &&
        (programs->chip || !find_in_path(&demo->chip_program, "sluice-chip")))
        return fail(demo, "sluice-chip is not there: build it ('make build') or give --chip");
    if (!find_file(&demo->elf, programs->elf, folder, elves, R_OK))
        return fail(demo, "relay-chip.elf is not there: 'make firmware' or give --elf");
    struct sl_path client;
    if (!find_in_path(&client, "mosquitto_pub"))
        return fail(demo, "mosquitto_pub is not installed: apt-get install mosquitto-clients");
    return true;
}

/* A guard beside us removes the folder when we are killed and cannot do it ourselves. */
static bool make_folder(struct sl_demo *demo)
{
    /* Not $TMPDIR: a socket's path must be short, and client-args takes no blanks. */
    snprintf(demo->folder, sizeof demo->folder, "/tmp/sluice-demo.XXXXXX");
    if (!mkdtemp(demo->folder)) {
        demo->folder[0] = '\0';
        return fail(demo, "cannot make a folder in /tmp: %s", strerror(errno));
    }
    demo->site = sl_path_join(demo->folder, "site");
    demo->spi = sl_path_join(demo->folder, "spi");
    demo->control = sl_path_join(demo->folder, "control");

    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail(demo, "cannot make a pipe: %s", strerror(errno));
    pid_t guard = fork();
    if (guard < 0)
        return fail(demo, "cannot start a process: %s", strerror(errno));
    if (guard == 0) {
        setsid();
        signal(SIGINT, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        int nothing = open("/dev/null", O_RDWR);
        dup2(nothing, STDOUT_FILENO); /* a reader of our output must not wait for the guard */
        dup2(nothing, STDERR_FILENO);
        close(ends[1]);
        char byte;
        while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
            ;
        /* What the parts were just writing may still appear. */
        for (int i = 0; i < 50 && access(demo->folder, F_OK) == 0; i++) {
            sl_folder_remove(demo->folder);
            nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        }
        _exit(0);
    }
    close(ends[0]);
    demo->guard = ends[1];
    return true;
}

static bool make_site(struct sl_demo *demo)
{
    char port[8], out[512];
    snprintf(port, sizeof port, "%u", find_port());
    char *const init[] = {demo->sluice.text,
                          "--site",
                          demo->site.text,
                          "init",
                          "--no-passphrase",
                          "--port",
                          port,
                          NULL};
    char *const add[] = {demo->sluice.text, "--site", demo->site.text, "node", "add",
                         SL_DEMO_NODE,      "--base", "irrigation",    NULL};
    char *const args[] = {demo->sluice.text, "--site", demo->site.text, "client-args", NULL};
    if (sl_demo_run(demo, init, START_MS, out, sizeof out) != 0 ||
        sl_demo_run(demo, add, START_MS, out, sizeof out) != 0)
        return fail(demo, "the site could not be made: %s", out);
    if (sl_demo_run(demo, args, START_MS, demo->args, sizeof demo->args) != 0)
        return fail(demo, "sluice client-args: %s", demo->args);
    return true;
}

static unsigned find_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 &&
              getsockname(fd, (struct sockaddr *)&address, &len) == 0;
    if (fd >= 0)
        close(fd);
    return ok ? ntohs(address.sin_port) : 18883;
}

/* --- parts ---------------------------------------------------------------------------------- */

bool sl_demo_start(struct sl_demo *demo, enum sl_demo_part part)
{
    struct sl_path identity = sl_path_join(demo->site.text, "nodes/" SL_DEMO_NODE "/identity");
    char *const broker[] = {demo->sluice.text, "--site", demo->site.text, "broker", "run", NULL};
    char *const chip[] = {demo->chip_program.text, "--elf",     demo->elf.text,     "--spi",
                          demo->spi.text,          "--control", demo->control.text, NULL};
    char *const node[] = {demo->node_program.text, "--identity", identity.text, "--chip",
                          demo->spi.text,          "--state",    demo->folder,  NULL};
    char *const *const lines[] = {broker, chip, node};
    char name[32];
    snprintf(name, sizeof name, "%s.log", part_names[part]);
    int log = open(sl_path_join(demo->folder, name).text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                   0600);
    if (log < 0)
        return fail(demo, "cannot write in %s: %s", demo->folder, strerror(errno));
    pid_t child = launch(lines[part], log);
    close(log);
    if (child < 0)
        return fail(demo, "cannot start %s: %s", lines[part][0], strerror(errno));
    demo->parts[part] = child;

    uint64_t end = sl_cli_now_ms() + START_MS;
    while (!is_ready(demo, part)) {
        if (sl_demo_has_ended(demo, part))
            return fail_part(demo, part, "ended at once");
        if (sl_cli_now_ms() >= end)
            return fail_part(demo, part, "is not ready in time");
        if (!sl_demo_sleep(20))
            return false;
    }
    return true;
}

/* With the last line of its log: the folder with the rest is gone when somebody reads this. */
static bool fail_part(struct sl_demo *demo, enum sl_demo_part part, const char *what)
{
    char name[32], line[256], clean[256] = "it said nothing";
    snprintf(name, sizeof name, "%s.log", part_names[part]);
    FILE *log = fopen(sl_path_join(demo->folder, name).text, "r");
    while (log && fgets(line, sizeof line, log))
        sl_cli_clean(clean, sizeof clean, line, strcspn(line, "\n"));
    if (log)
        fclose(log);
    return fail(demo, "the %s %s: %s", part_names[part], what, clean);
}

static bool are_parts_alive(struct sl_demo *demo)
{
    for (int part = 0; part < SL_DEMO_PARTS; part++) {
        char what[48];
        if (!sl_demo_has_ended(demo, (enum sl_demo_part)part))
            continue;
        int end = demo->ends[part];
        snprintf(what, sizeof what, "ended by itself (%s %d)",
                 WIFSIGNALED(end) ? "signal" : "exit status",
                 WIFSIGNALED(end) ? WTERMSIG(end) : WEXITSTATUS(end));
        return fail_part(demo, (enum sl_demo_part)part, what);
    }
    return true;
}

static bool is_ready(struct sl_demo *demo, enum sl_demo_part part)
{
    struct sl_demo_pins pins;
    switch (part) {
    case SL_DEMO_CHIP:
        return access(demo->spi.text, F_OK) == 0 && sl_demo_read_pins(demo, &pins);
    case SL_DEMO_BROKER: {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        const char *port = strstr(demo->args, "-p ");
        long number = port ? strtol(port + 3, NULL, 10) : 0;
        address.sin_port = htons((uint16_t)number);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
        if (fd >= 0)
            close(fd);
        return ok;
    }
    case SL_DEMO_NODE_PART:
    case SL_DEMO_PARTS:
        break;
    }
    return true; /* whether the node is connected is a step of its own */
}

bool sl_demo_has_ended(struct sl_demo *demo, enum sl_demo_part part)
{
    pid_t child = demo->parts[part];
    if (child <= 0 || waitpid(child, &demo->ends[part], WNOHANG) != child)
        return false;
    demo->parts[part] = 0;
    return true;
}

void sl_demo_kill(struct sl_demo *demo, enum sl_demo_part part)
{
    pid_t child = demo->parts[part];
    demo->parts[part] = 0;
    if (child <= 0)
        return;
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* In order, within two seconds; then by force. */
static void stop_part(struct sl_demo *demo, enum sl_demo_part part)
{
    pid_t child = demo->parts[part];
    if (child <= 0)
        return;
    kill(child, SIGCONT);
    kill(child, SIGTERM);
    uint64_t end = sl_cli_now_ms() + 2000;
    while (sl_cli_now_ms() < end) {
        if (sl_demo_has_ended(demo, part))
            return;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    sl_demo_kill(demo, part);
}

/* A child that dies with us and hears nothing from our terminal. */
static pid_t launch(char *const argv[], int output)
{
    pid_t parent = getpid();
    pid_t child = fork();
    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    if (getppid() != parent)
        _exit(1);
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    signal(SIGPIPE, SIG_DFL);
    execv(argv[0], argv);
    _exit(127);
}

/* --- commands ------------------------------------------------------------------------------- */

pid_t sl_demo_spawn(char *const argv[], int *line)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t child = launch(argv, ends[1]);
    close(ends[1]);
    if (child < 0)
        close(ends[0]);
    *line = child < 0 ? -1 : ends[0];
    return child;
}

int sl_demo_run(struct sl_demo *demo, char *const argv[], unsigned timeout_ms, char *out,
                size_t out_len)
{
    int line = -1, status = 0;
    size_t len = 0;
    out[0] = '\0';
    pid_t child = sl_demo_spawn(argv, &line);
    if (child < 0) {
        fail(demo, "cannot start %s: %s", argv[0], strerror(errno));
        return -1;
    }
    uint64_t end = sl_cli_now_ms() + timeout_ms;
    bool is_late = false;
    for (;;) {
        struct pollfd wait_for = {.fd = line, .events = POLLIN};
        char bytes[512];
        is_late = is_late || sl_cli_now_ms() >= end || is_stopping;
        if (is_late)
            kill(child, SIGKILL);
        if (poll(&wait_for, 1, 50) <= 0)
            continue;
        ssize_t got = read(line, bytes, sizeof bytes);
        if (got <= 0)
            break;
        for (ssize_t i = 0; i < got && len + 1 < out_len; i++)
            out[len++] = bytes[i] == '\n' ? ' ' : bytes[i];
    }
    close(line);
    while (len > 0 && out[len - 1] == ' ')
        len--;
    out[len] = '\0';
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return !is_late && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int sl_demo_publish(struct sl_demo *demo, const char *topic, const char *payload, char *out,
                    size_t out_len)
{
    struct sl_path program;
    if (!find_in_path(&program, "mosquitto_pub"))
        return -1;
    char words[sizeof demo->args], topic_word[128], payload_word[64];
    snprintf(words, sizeof words, "%s", demo->args);
    snprintf(topic_word, sizeof topic_word, "%s", topic);
    snprintf(payload_word, sizeof payload_word, "%s", payload);
    char *argv[ARGS_MAX] = {program.text};
    size_t argc = 1;
    char *save = NULL;
    for (char *w = strtok_r(words, " ", &save); w && argc < ARGS_MAX - 5;
         w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    argv[argc++] = "--topic";
    argv[argc++] = topic_word;
    argv[argc++] = "-m";
    argv[argc++] = payload_word;
    return sl_demo_run(demo, argv, START_MS, out, out_len);
}

bool sl_demo_is_online(struct sl_demo *demo, unsigned timeout_ms)
{
    char out[8192];
    char *const status[] = {demo->sluice.text, "--site", demo->site.text, "status", SL_DEMO_NODE,
                            "--json",          NULL};
    uint64_t end = sl_cli_now_ms() + timeout_ms;
    while (sl_demo_run(demo, status, START_MS, out, sizeof out) != 0 ||
           !strstr(out, "\"link\":\"up\"")) {
        if (!are_parts_alive(demo))
            return false;
        if (sl_cli_now_ms() >= end || !sl_demo_sleep(100))
            return fail(demo, "the node is not connected, or has no chip, after %u s: %.300s",
                        timeout_ms / 1000, out);
    }
    return true;
}

/* --- chip ----------------------------------------------------------------------------------- */

static bool ask_chip(struct sl_demo *demo, const char *command, char *answer, size_t answer_len)
{
    if (demo->chip_line < 0) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        if (!sl_cli_copy(address.sun_path, sizeof address.sun_path, demo->control.text))
            return fail(demo, "the path %s is too long for a socket", demo->control.text);
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
            if (fd >= 0)
                close(fd);
            return fail(demo, "the chip does not answer on %s", demo->control.text);
        }
        demo->chip_line = fd;
    }
    struct pollfd wait_for = {.fd = demo->chip_line, .events = POLLIN};
    ssize_t got = -1;
    if (send(demo->chip_line, command, strlen(command), MSG_NOSIGNAL) > 0 &&
        poll(&wait_for, 1, ANSWER_MS) == 1)
        got = recv(demo->chip_line, answer, answer_len - 1, 0);
    if (got <= 0) {
        close(demo->chip_line); /* an answer that comes late must not be taken for the next one */
        demo->chip_line = -1;
        return fail(demo, "the chip did not answer '%s'", command);
    }
    answer[got] = '\0';
    return strncmp(answer, "error", 5) != 0 || fail(demo, "the chip: %.200s", answer);
}

bool sl_demo_tell_chip(struct sl_demo *demo, const char *command)
{
    char answer[ANSWER_LEN];
    return ask_chip(demo, command, answer, sizeof answer);
}

bool sl_demo_read_pins(struct sl_demo *demo, struct sl_demo_pins *pins)
{
    char answer[ANSWER_LEN];
    if (!ask_chip(demo, "state", answer, sizeof answer))
        return false;
    cJSON *json = cJSON_Parse(answer);
    const cJSON *conducting = cJSON_GetObjectItemCaseSensitive(json, "conducting");
    const cJSON *levels = cJSON_GetObjectItemCaseSensitive(json, "pins");
    const char *link = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "link"));
    bool ok = cJSON_IsNumber(conducting) && cJSON_GetArraySize(levels) == SL_ZONES && link;
    if (ok) {
        pins->conducting = (unsigned)conducting->valueint;
        pins->is_link_cut = strcmp(link, "cut") == 0;
        for (int zone = 0; zone < SL_ZONES; zone++) {
            const char *level = cJSON_GetStringValue(cJSON_GetArrayItem(levels, zone));
            snprintf(pins->levels[zone], sizeof pins->levels[zone], "%.9s", level ? level : "?");
        }
    }
    cJSON_Delete(json);
    return ok || fail(demo, "the chip's state is not understood: %.200s", answer);
}

/* --- waiting -------------------------------------------------------------------------------- */

bool sl_demo_sleep(unsigned ms)
{
    const struct timespec wait_for = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&wait_for, NULL);
    return !is_stopping;
}

bool sl_demo_is_stopping(void)
{
    return is_stopping != 0;
}

static void stop(int signal_number)
{
    (void)signal_number;
    is_stopping = 1;
}

static bool fail(struct sl_demo *demo, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(demo->error, sizeof demo->error, format, arguments);
    va_end(arguments);
    return false;
}
