/* The demo on a terminal: eight relays, and keys that switch and break things. */
#include "cli/lines.h"
#include "demo/demo.h"
#include "site/site.h"
#include "view/screen.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FRAME_MS    200
#define MESSAGES    10
#define MESSAGE_MAX 79 /* as wide as messages are broken */
#define LINE_LEN    80
#define CONNECT_MS  15000
#define PRESS_S     "60" /* what a digit key asks for */

struct live {
    struct sl_demo *demo;
    struct sl_lines watch;   /* sluice watch --json */
    struct sl_lines command; /* sluice on, sluice off */
    uint64_t watch_again;    /* when to start it again */
    char messages[MESSAGES][LINE_LEN];
    char availability[12];
    char states[SL_ZONES][8];
    long remaining_s[SL_ZONES]; /* as reported at reported_ms */
    uint64_t reported_ms;
    struct sl_demo_pins pins;
    bool has_pins, is_ending;
};

static void run_loop(struct live *live);
static void take_key(struct live *live, int key);
static void press_zone(struct live *live, int zone);
static void press_node(struct live *live);
static void press_broker(struct live *live);
static void press_link(struct live *live);
static void keep_watching(struct live *live);
static void watch_parts(struct live *live);
static void take_event(struct live *live, const char *line);
static void take_report(struct live *live, const cJSON *report);
static void forget_node(struct live *live);
static void say_quick_test(struct live *live);
static void say_to_copy(struct live *live, const char *text);
static void say(struct live *live, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void draw(const struct live *live, struct sl_grid *grid);

enum sl_exit sl_demo_show_live(struct sl_demo *demo)
{
    struct live live = {.demo = demo, .watch = SL_LINES_NONE, .command = SL_LINES_NONE};
    char out[256];

    puts("waiting for the node to connect ...");
    if (!sl_demo_is_online(demo, CONNECT_MS) ||
        sl_demo_publish(demo, "irrigation/zone/on", "2 120", out, sizeof out) != 0) {
        if (!sl_demo_is_stopping())
            printf("demo: failed: %s\n", demo->error[0] ? demo->error : out);
        return SL_EXIT_REFUSED;
    }
    if (!sl_screen_open())
        return sl_cli_fail(SL_ERROR(TERMINAL_FAILED), strerror(errno));
    say_quick_test(&live);
    run_loop(&live);
    sl_lines_end(&live.watch);
    sl_lines_end(&live.command);
    sl_screen_close();
    puts("demo: ok");
    return SL_EXIT_DONE;
}

static void run_loop(struct live *live)
{
    static struct sl_grid grid;
    char line[SL_LINE_MAX];
    while (!live->is_ending && !sl_demo_is_stopping()) {
        keep_watching(live);
        watch_parts(live);
        live->has_pins = sl_demo_read_pins(live->demo, &live->pins);
        draw(live, &grid);
        sl_screen_show(&grid);

        struct pollfd lines[] = {{.fd = live->watch.fd, .events = POLLIN},
                                 {.fd = live->command.fd, .events = POLLIN}};
        if (!sl_screen_wait(lines, 2, FRAME_MS))
            live->is_ending = true;
        for (int key = sl_screen_key(); key != 0; key = sl_screen_key())
            take_key(live, key);
        bool is_open = !lines[0].revents || sl_lines_read(&live->watch);
        while (sl_lines_next(&live->watch, line, sizeof line))
            take_event(live, line);
        if (!is_open) {
            sl_lines_end(&live->watch);
            live->availability[0] = '\0';
            forget_node(live);
            live->watch_again = sl_cli_now_ms() + 1000;
        }
        is_open = !lines[1].revents || sl_lines_read(&live->command);
        while (sl_lines_next(&live->command, line, sizeof line))
            say(live, "%.300s", line);
        if (!is_open)
            sl_lines_end(&live->command);
    }
}

/* --- keys ----------------------------------------------------------------------------------- */

static void take_key(struct live *live, int key)
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
    live->command.child = sl_demo_spawn(is_on ? off : on, &live->command.fd);
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
    live->watch.child = sl_demo_spawn(argv, &live->watch.fd);
    live->watch_again = sl_cli_now_ms() + 1000;
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

static void say_quick_test(struct live *live)
{
    char text[PATH_MAX + 64];
    say(live, "in another terminal:");
    snprintf(text, sizeof text, "mosquitto_pub $(%s \\", live->demo->sluice.text);
    say_to_copy(live, text);
    snprintf(text, sizeof text, "  --site %s client-args) \\", live->demo->site.text);
    say_to_copy(live, text);
    say_to_copy(live, "  --topic irrigation/zone/on -m \"2 120\"");
    say(live, "the way of the message: TLS with certificates on both sides, Mosquitto, node, SPI,"
              " relay chip, pin PD2");
}

/* A line to be copied into a shell, which joins what a backslash parts. */
static void say_to_copy(struct live *live, const char *text)
{
    char line[LINE_LEN];
    for (; strlen(text) > MESSAGE_MAX; text += MESSAGE_MAX - 1) {
        snprintf(line, sizeof line, "%.*s\\", MESSAGE_MAX - 1, text);
        add_line(live, line, strlen(line));
    }
    add_line(live, text, strlen(text));
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

/* "broker runs   " */
static int put_part(struct sl_grid *grid, int column, const char *name, bool is_good,
                    const char *state)
{
    column = sl_grid_put(grid, 2, column, SL_STYLE_PLAIN, name);
    column = sl_grid_put(grid, 2, column + 1, is_good ? SL_STYLE_GOOD : SL_STYLE_BAD, state);
    return column + 3;
}

static void draw(const struct live *live, struct sl_grid *grid)
{
    const struct sl_demo *demo = live->demo;
    long elapsed_s = (long)((sl_cli_now_ms() - live->reported_ms) / 1000);
    bool has_broker = demo->parts[SL_DEMO_BROKER] > 0,
         has_node = demo->parts[SL_DEMO_NODE_PART] > 0;
    bool is_cut = live->has_pins && live->pins.is_link_cut;
    bool is_heard = has_broker && has_node && strcmp(live->availability, "online") == 0;
    int width = 0, height = 0;
    sl_screen_size(&width, &height);
    sl_grid_clear(grid, width, height);

    sl_grid_put(grid, 0, 0, SL_STYLE_BOLD, "Sluice: from a message to a relay");
    int column = put_part(grid, 0, "broker", has_broker, has_broker ? "runs" : "killed");
    column = put_part(grid, column, "node", has_node,
                      !has_node               ? "killed"
                      : live->availability[0] ? live->availability
                                              : "runs");
    column = put_part(grid, column, "SPI link", !is_cut, is_cut ? "cut" : "up");
    put_part(grid, column, "chip", live->has_pins, live->has_pins ? "runs" : "silent");
    sl_grid_put(grid, 4, 0, SL_STYLE_DIM,
                "zone  the node says  time left   pin    reads     relay");
    for (int zone = 0; zone < SL_ZONES; zone++) {
        bool is_on = live->has_pins && (live->pins.conducting >> zone & 1u);
        long left = live->remaining_s[zone] - elapsed_s;
        char clock[32] = "", line[2 * LINE_LEN];
        if (is_heard && live->remaining_s[zone] > 0 && left > 0 &&
            strcmp(live->states[zone], "ON") == 0)
            snprintf(clock, sizeof clock, "%ld:%02ld", left / 60, left % 60);
        snprintf(line, sizeof line, " %d    %-13s  %-10s  PD%d    %-8s  ", zone,
                 is_heard && live->states[zone][0] ? live->states[zone] : "?", clock, zone,
                 live->has_pins ? live->pins.levels[zone] : "?");
        column = sl_grid_put(grid, 5 + zone, 0, SL_STYLE_PLAIN, line);
        sl_grid_put(grid, 5 + zone, column, is_on ? SL_STYLE_GOOD : SL_STYLE_DIM,
                    is_on ? "[####] ON" : "[    ]");
    }
    sl_grid_put(grid, 14, 0, SL_STYLE_PLAIN,
                "0-7 switch a zone   k node   b broker   l SPI link   q quit");
    /* The newest ones, where the terminal is low. */
    int rows = grid->height < 16 ? 0 : grid->height - 16 < MESSAGES ? grid->height - 16 : MESSAGES;
    for (int i = MESSAGES - rows; i < MESSAGES; i++)
        sl_grid_put(grid, 16 + i - (MESSAGES - rows), 0,
                    i == MESSAGES - 1 ? SL_STYLE_PLAIN : SL_STYLE_DIM, live->messages[i]);
}
