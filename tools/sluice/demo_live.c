/* The demo on a terminal: eight relays, and keys that switch and break things. */
#include "demo.h"
#include "site.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define FRAME_MS    200
#define MESSAGES    10
#define MESSAGE_MAX 79  /* as wide as messages are broken */
#define LINE_LEN    160 /* a line to be copied is not broken */
#define REPORT_MAX  8192
#define CONNECT_MS  15000
#define PRESS_S     "60" /* what a digit key asks for */

/* A program whose lines are read while the screen lives. */
struct helper {
    pid_t child; /* 0: not running */
    int line;
    char text[REPORT_MAX];
    size_t len;
};

struct live {
    struct sl_demo *demo;
    struct helper watch;   /* sluice watch --json */
    struct helper command; /* sluice on, sluice off */
    uint64_t watch_again;  /* when to start it again */
    char messages[MESSAGES][LINE_LEN];
    char availability[12];
    char states[SL_ZONES][8];
    long remaining_s[SL_ZONES]; /* as reported at reported_ms */
    uint64_t reported_ms;
    struct sl_demo_pins pins;
    bool has_pins, is_ending;
};

static void set_terminal(const struct termios *before);
static void reset_terminal(const struct termios *before);
static void obey_shell(const struct termios *before);
static void note_signal(int signal_number);
static void run_loop(struct live *live, const struct termios *before);
static void take_key(struct live *live, char key);
static void press_zone(struct live *live, int zone);
static void press_node(struct live *live);
static void press_broker(struct live *live);
static void press_link(struct live *live);
static void keep_watching(struct live *live);
static void watch_parts(struct live *live);
static bool read_helper(struct helper *helper);
static bool next_line(struct helper *helper, char *line, size_t line_len);
static void end_helper(struct helper *helper);
static void take_event(struct live *live, const char *line);
static void take_report(struct live *live, const cJSON *report);
static void forget_node(struct live *live);
static void say_quick_test(struct live *live);
static void say(struct live *live, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void draw(const struct live *live);

static volatile sig_atomic_t must_suspend, was_continued;

enum sl_exit sl_demo_show_live(struct sl_demo *demo)
{
    struct live live = {.demo = demo, .watch.line = -1, .command.line = -1};
    struct termios before;
    char out[256];

    puts("waiting for the node to connect ...");
    if (!sl_demo_is_online(demo, CONNECT_MS) ||
        sl_demo_publish(demo, "irrigation/zone/on", "2 120", out, sizeof out) != 0) {
        if (!sl_demo_is_stopping())
            printf("demo: failed: %s\n", demo->error[0] ? demo->error : out);
        return SL_EXIT_REFUSED;
    }
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return sl_cli_fail(SL_ERROR(DEMO_TERMINAL), strerror(errno));
    const struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    sigaction(SIGTSTP, &action, NULL);
    sigaction(SIGCONT, &action, NULL);
    set_terminal(&before);
    say_quick_test(&live);
    run_loop(&live, &before);
    end_helper(&live.watch);
    end_helper(&live.command);
    reset_terminal(&before);
    puts("demo: ok");
    return SL_EXIT_DONE;
}

/* --- terminal ------------------------------------------------------------------------------- */

/* Keys at once and unseen; Ctrl-C and Ctrl-Z stay signals. */
static void set_terminal(const struct termios *before)
{
    struct termios raw = *before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
    fputs("\033[2J\033[?25l", stdout);
}

static void reset_terminal(const struct termios *before)
{
    fputs("\033[?25h\n", stdout);
    fflush(stdout);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, before);
}

/* Ctrl-Z and fg: the shell has set its own modes meanwhile. The parts go on. */
static void obey_shell(const struct termios *before)
{
    if (must_suspend) {
        must_suspend = 0;
        reset_terminal(before);
        raise(SIGSTOP);
    }
    if (was_continued) {
        was_continued = 0;
        set_terminal(before);
    }
}

static void note_signal(int signal_number)
{
    if (signal_number == SIGTSTP)
        must_suspend = 1;
    else
        was_continued = 1;
}

static void run_loop(struct live *live, const struct termios *before)
{
    char line[REPORT_MAX];
    while (!live->is_ending && !sl_demo_is_stopping()) {
        obey_shell(before);
        keep_watching(live);
        watch_parts(live);
        live->has_pins = sl_demo_read_pins(live->demo, &live->pins);
        draw(live);

        struct pollfd lines[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                 {.fd = live->watch.line, .events = POLLIN},
                                 {.fd = live->command.line, .events = POLLIN}};
        if (poll(lines, 3, FRAME_MS) <= 0)
            continue;
        char key;
        if (lines[0].revents) {
            if (read(STDIN_FILENO, &key, 1) == 1)
                take_key(live, key);
            else if (lines[0].revents & (POLLHUP | POLLERR))
                live->is_ending = true;
        }
        if (lines[1].revents && !read_helper(&live->watch)) {
            end_helper(&live->watch);
            live->availability[0] = '\0';
            forget_node(live);
            live->watch_again = sl_cli_now_ms() + 1000;
        }
        while (next_line(&live->watch, line, sizeof line))
            take_event(live, line);
        if (lines[2].revents) {
            bool is_open = read_helper(&live->command);
            while (next_line(&live->command, line, sizeof line))
                say(live, "%.300s", line);
            if (!is_open)
                end_helper(&live->command);
        }
    }
}

/* --- keys ----------------------------------------------------------------------------------- */

static void take_key(struct live *live, char key)
{
    if (key >= '0' && key <= '7')
        press_zone(live, key - '0');
    else if (key == 'k')
        press_node(live);
    else if (key == 'b')
        press_broker(live);
    else if (key == 'l')
        press_link(live);
    else if (key == 'q')
        live->is_ending = true;
}

static void press_zone(struct live *live, int zone)
{
    if (live->command.child > 0) {
        say(live, "(the command before is still waiting for its answer)");
        return;
    }
    char number[2] = {(char)('0' + zone), '\0'};
    bool is_on = live->has_pins && (live->pins.conducting >> zone & 1u);
    char *const on[] = {live->demo->sluice.text,
                        "--site",
                        live->demo->site.text,
                        "on",
                        SL_DEMO_NODE,
                        number,
                        PRESS_S,
                        NULL};
    char *const off[] = {live->demo->sluice.text,
                         "--site",
                         live->demo->site.text,
                         "off",
                         SL_DEMO_NODE,
                         number,
                         NULL};
    say(live,
        is_on ? "$ sluice off " SL_DEMO_NODE " %d" : "$ sluice on " SL_DEMO_NODE " %d " PRESS_S,
        zone);
    live->command.len = 0;
    live->command.child = sl_demo_spawn(is_on ? off : on, &live->command.line);
}

static void press_node(struct live *live)
{
    struct sl_demo *demo = live->demo;
    if (demo->parts[SL_DEMO_NODE_PART] > 0) {
        sl_demo_kill(demo, SL_DEMO_NODE_PART);
        say(live, "the node is killed. The chip counts down by itself; after 10 s without a frame "
                  "(the lease) it closes everything. k starts the node again.");
    } else if (sl_demo_start(demo, SL_DEMO_NODE_PART)) {
        say(live, "the node starts: it reads the remaining times back from the chip. Within the "
                  "lease the watering goes on; after it, valves stay closed until a new command.");
    } else {
        say(live, "%.300s", demo->error);
    }
}

static void press_broker(struct live *live)
{
    struct sl_demo *demo = live->demo;
    if (demo->parts[SL_DEMO_BROKER] > 0) {
        sl_demo_kill(demo, SL_DEMO_BROKER);
        say(live, "the broker is killed. No command arrives; zones end on time. The node tries "
                  "again, at growing, random intervals. b starts the broker again.");
    } else if (sl_demo_start(demo, SL_DEMO_BROKER)) {
        say(live, "the broker runs: the node connects by itself at its next try.");
    } else {
        say(live, "%.300s", demo->error);
    }
}

static void press_link(struct live *live)
{
    bool is_cut = live->has_pins && live->pins.is_link_cut;
    if (!sl_demo_tell_chip(live->demo, is_cut ? "join" : "cut")) {
        say(live, "%.300s", live->demo->error);
    } else if (is_cut) {
        say(live,
            "the SPI link is joined: the node sees the chip again. What the chip closed stays "
            "closed until somebody asks for it.");
    } else {
        say(live,
            "the SPI link is cut. The chip hears nothing: it counts on, and closes every valve "
            "when the lease of 10 s ends. The node says 'unconfirmed'. l joins the link.");
    }
}

/* --- what the node says --------------------------------------------------------------------- */

static void watch_parts(struct live *live)
{
    if (sl_demo_has_ended(live->demo, SL_DEMO_BROKER))
        say(live, "the broker ended by itself; b starts it again");
    if (sl_demo_has_ended(live->demo, SL_DEMO_NODE_PART))
        say(live, "the node ended by itself; k starts it again");
    if (sl_demo_has_ended(live->demo, SL_DEMO_CHIP))
        say(live, "the simulated chip ended by itself; q ends the demo");
}

static void keep_watching(struct live *live)
{
    if (live->watch.child > 0 || sl_cli_now_ms() < live->watch_again ||
        live->demo->parts[SL_DEMO_BROKER] == 0)
        return;
    char *const argv[] = {
        live->demo->sluice.text, "--site", live->demo->site.text, "watch", "--json", NULL};
    live->watch.len = 0;
    live->watch.child = sl_demo_spawn(argv, &live->watch.line);
    live->watch_again = sl_cli_now_ms() + 1000;
}

/* False at the end of its output. */
static bool read_helper(struct helper *helper)
{
    if (helper->len == sizeof helper->text)
        helper->len = 0; /* a line that long is none of ours */
    ssize_t got = read(helper->line, helper->text + helper->len, sizeof helper->text - helper->len);
    if (got > 0)
        helper->len += (size_t)got;
    return got > 0 || (got < 0 && errno == EINTR);
}

static bool next_line(struct helper *helper, char *line, size_t line_len)
{
    const char *end = memchr(helper->text, '\n', helper->len);
    if (!end)
        return false;
    size_t len = (size_t)(end - helper->text);
    sl_cli_clean(line, line_len, helper->text, len);
    helper->len -= len + 1;
    memmove(helper->text, end + 1, helper->len);
    return true;
}

static void end_helper(struct helper *helper)
{
    if (helper->child > 0) {
        kill(helper->child, SIGKILL);
        while (waitpid(helper->child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (helper->line >= 0)
        close(helper->line);
    *helper = (struct helper){.line = -1};
}

static void take_event(struct live *live, const char *line)
{
    cJSON *event = cJSON_Parse(line);
    const char *topic = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "topic"));
    const cJSON *payload = cJSON_GetObjectItemCaseSensitive(event, "payload");
    const char *text = cJSON_GetStringValue(payload);
    int zone = topic ? sl_site_state_zone(topic) : -1;
    if (!topic) {
        say(live, "%.300s", line); /* an error message */
    } else if (strcmp(topic, "availability") == 0 && text) {
        if (strcmp(live->availability, text) != 0)
            say(live, "the node is %.20s", text);
        snprintf(live->availability, sizeof live->availability, "%.11s", text);
        if (strcmp(text, "online") != 0)
            forget_node(live);
    } else if (strcmp(topic, "refused") == 0) {
        const char *why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(payload, "why"));
        say(live, "the node refused: %.200s", why ? why : "?");
    } else if (strcmp(topic, "report") == 0) {
        take_report(live, payload);
    } else if (zone >= 0 && text) {
        snprintf(live->states[zone], sizeof live->states[zone], "%.7s", text);
    }
    cJSON_Delete(event);
}

/* What it said last is no longer what is. */
static void forget_node(struct live *live)
{
    memset(live->states, 0, sizeof live->states);
    memset(live->remaining_s, 0, sizeof live->remaining_s);
}

static void take_report(struct live *live, const cJSON *report)
{
    const cJSON *entry = NULL;
    live->reported_ms = sl_cli_now_ms();
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(report, "zones"))
    {
        const cJSON *zone = cJSON_GetObjectItemCaseSensitive(entry, "zone");
        const cJSON *left = cJSON_GetObjectItemCaseSensitive(entry, "remaining_s");
        if (cJSON_IsNumber(zone) && cJSON_IsNumber(left) && zone->valuedouble >= 0 &&
            zone->valuedouble < SL_ZONES && left->valuedouble >= 0 && left->valuedouble < 100000)
            live->remaining_s[zone->valueint] = left->valueint;
    }
}

/* --- screen --------------------------------------------------------------------------------- */

static void add_line(struct live *live, const char *text, size_t len)
{
    memmove(live->messages[0], live->messages[1], sizeof live->messages - sizeof live->messages[0]);
    snprintf(live->messages[MESSAGES - 1], LINE_LEN, "%.*s", (int)len, text);
}

/* Lines to be copied into another terminal, where this site and perhaps this program are unknown.
 */
static void say_quick_test(struct live *live)
{
    const struct sl_demo *demo = live->demo;
    const char *program = demo->sluice.text;
    char line[LINE_LEN];
    size_t len = strlen(program);
    if (len + 24 > sizeof line || strcspn(program, " '") < len)
        program = "sluice";
    say(live, "in another terminal:");
    len = (size_t)snprintf(line, sizeof line, "mosquitto_pub $(%s \\", program);
    add_line(live, line, len);
    len = (size_t)snprintf(line, sizeof line, "  --site %s client-args) \\", demo->site.text);
    add_line(live, line, len < sizeof line ? len : sizeof line - 1);
    say(live, "  --topic irrigation/zone/on -m \"2 120\"");
    say(live, "the way of the message: TLS with certificates on both sides, Mosquitto, node, SPI,"
              " relay chip, pin PD2");
}

/* A message, broken at blanks into lines of the narrowest usual terminal. */
static void say(struct live *live, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);

    for (const char *rest = text; *rest != '\0';) {
        size_t len = strlen(rest);
        if (len >= MESSAGE_MAX) {
            len = MESSAGE_MAX - 1;
            while (len > 1 && rest[len] != ' ')
                len--;
            len = len > 1 ? len : MESSAGE_MAX - 1;
        }
        add_line(live, rest, len);
        rest += len;
        rest += strspn(rest, " ");
    }
}

/* Every line is written over the one before and cleared to its end: no flicker. */
static void draw(const struct live *live)
{
    const struct sl_demo *demo = live->demo;
    const char *good = sl_cli_colour(SL_COLOUR_GOOD), *bad = sl_cli_colour(SL_COLOUR_BAD);
    const char *dim = sl_cli_colour(SL_COLOUR_DIM), *off = sl_cli_colour(SL_COLOUR_OFF);
    long elapsed_s = (long)((sl_cli_now_ms() - live->reported_ms) / 1000);
    bool has_broker = demo->parts[SL_DEMO_BROKER] > 0,
         has_node = demo->parts[SL_DEMO_NODE_PART] > 0;
    bool is_cut = live->has_pins && live->pins.is_link_cut;
    bool is_heard = has_broker && has_node && strcmp(live->availability, "online") == 0;

    printf("\033[HSluice: from a message to a relay\033[K\n\033[K\n");
    printf("broker %s%s%s   node %s%s%s   SPI link %s%s%s   chip %s%s%s\033[K\n\033[K\n",
           has_broker ? good : bad, has_broker ? "runs" : "killed", off, has_node ? good : bad,
           !has_node               ? "killed"
           : live->availability[0] ? live->availability
                                   : "runs",
           off, is_cut ? bad : good, is_cut ? "cut" : "up", off, live->has_pins ? good : bad,
           live->has_pins ? "runs" : "silent", off);
    printf("%szone  the node says  time left   pin    reads     relay%s\033[K\n", dim, off);
    for (int zone = 0; zone < SL_ZONES; zone++) {
        bool is_on = live->has_pins && (live->pins.conducting >> zone & 1u);
        long left = live->remaining_s[zone] - elapsed_s;
        char clock[32] = "";
        if (is_heard && live->remaining_s[zone] > 0 && left > 0 &&
            strcmp(live->states[zone], "ON") == 0)
            snprintf(clock, sizeof clock, "%ld:%02ld", left / 60, left % 60);
        printf(" %d    %-13s  %-10s  PD%d    %-8s  %s%s%s\033[K\n", zone,
               is_heard && live->states[zone][0] ? live->states[zone] : "?", clock, zone,
               live->has_pins ? live->pins.levels[zone] : "?", is_on ? good : dim,
               is_on ? "[####] ON" : "[    ]", off);
    }
    printf("\033[K\n0-7 switch a zone   k node   b broker   l SPI link   q quit\033[K\n\033[K\n");
    for (int i = 0; i < MESSAGES; i++)
        printf("%s%s%s\033[K\n", i == MESSAGES - 1 ? "" : dim, live->messages[i], off);
    fputs("\033[J", stdout);
    fflush(stdout);
}
