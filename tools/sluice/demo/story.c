/* The demo without a terminal: a fixed story in steps, each of which must be true. */
#include "demo/demo.h"
#include <stdio.h>
#include <string.h>

#define ZONE       2
#define SHORT_S    6     /* shorter than the lease: the deadline itself must end it */
#define LEASE_MS   10000 /* the chip's patience with a silent node */
#define MARGIN_MS  300   /* what a relay may stay on past its time */
#define LOOK_MS    20
#define SETTLE_MS  3000 /* message to pin, with room for a slow machine */
#define CONNECT_MS 15000

struct story {
    struct sl_demo *demo;
    int number;
    char said[256]; /* what a step adds to its "ok" */
};

static bool begin(struct story *story);
static bool switch_on(struct story *story);
static bool restart_node(struct story *story);
static bool chip_ends_it(struct story *story);
static bool node_comes_back(struct story *story);
static bool cut_link(struct story *story);
static bool join_link(struct story *story);
static bool kill_broker(struct story *story);
static bool command_again(struct story *story);
static bool refuse_stranger(struct story *story);
static bool switch_off(struct story *story);

static const struct {
    const char *text;
    bool (*run)(struct story *story);
} steps[] = {
    {"broker, relay chip and node are up; the node is connected with mutual TLS", begin},
    {"mosquitto_pub --topic irrigation/zone/on -m \"2 120\": zone 2 is seen at pin PD2", switch_on},
    {"the node killed and started again: the watering goes on, its time comes from the chip",
     restart_node},
    {"zone 2 for 6 s, the node killed: the chip alone switches off at the deadline", chip_ends_it},
    {"the node, started again, is connected", node_comes_back},
    {"zone 2 on, then the SPI link cut: every relay off when the lease ends", cut_link},
    {"the link joined: the node sees the chip again", join_link},
    {"the broker killed and started again: the node reconnects", kill_broker},
    {"sluice on garden 5 30: confirmed at the pin after the reconnect", command_again},
    {"a client without a certificate is refused and switches nothing", refuse_stranger},
    {"sluice off garden: every relay off", switch_off},
};

static void print_log_end(const struct sl_demo *demo, const char *name);

enum sl_exit sl_demo_tell_story(struct sl_demo *demo)
{
    struct story story = {.demo = demo};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        story.number = (int)i + 1;
        story.said[0] = '\0';
        demo->error[0] = '\0';
        printf("%2d  %s ... ", story.number, steps[i].text);
        fflush(stdout);
        uint64_t start = sl_cli_now_ms();
        bool ok = steps[i].run(&story);
        if (sl_demo_is_stopping()) {
            puts("stopped");
            return SL_EXIT_REFUSED;
        }
        if (!ok) {
            printf("%sFAILED%s: %s\n", sl_cli_colour(SL_COLOUR_BAD), sl_cli_colour(SL_COLOUR_OFF),
                   demo->error);
            print_log_end(demo, "node.log");
            print_log_end(demo, "broker.log");
            print_log_end(demo, "chip.log");
            printf("demo: failed at step %d: %s\n", story.number, steps[i].text);
            return SL_EXIT_REFUSED;
        }
        printf("%sok%s (%.1f s%s%s)\n", sl_cli_colour(SL_COLOUR_GOOD), sl_cli_colour(SL_COLOUR_OFF),
               (double)(sl_cli_now_ms() - start) / 1000, story.said[0] ? "; " : "", story.said);
    }
    puts("demo: ok");
    return SL_EXIT_DONE;
}

/* --- looking -------------------------------------------------------------------------------- */

static bool wait_for_pins(struct story *story, unsigned conducting, unsigned timeout_ms)
{
    struct sl_demo_pins pins;
    uint64_t end = sl_cli_now_ms() + timeout_ms;
    for (;;) {
        if (!sl_demo_read_pins(story->demo, &pins))
            return false;
        if (pins.conducting == conducting)
            return true;
        if (sl_cli_now_ms() >= end) {
            snprintf(story->demo->error, sizeof story->demo->error,
                     "the relays that conduct are 0x%02X, not 0x%02X, after %.1f s",
                     pins.conducting, conducting, timeout_ms / 1000.0);
            return false;
        }
        if (!sl_demo_sleep(LOOK_MS))
            return false;
    }
}

static bool quick_test(struct story *story, const char *payload)
{
    char out[256];
    if (sl_demo_publish(story->demo, "irrigation/zone/on", payload, out, sizeof out) == 0)
        return true;
    snprintf(story->demo->error, sizeof story->demo->error, "mosquitto_pub: %s", out);
    return false;
}

static bool run_sluice(struct story *story, char *const words[], size_t words_len)
{
    char *argv[12] = {story->demo->sluice.text, "--site", story->demo->site.text};
    for (size_t i = 0; i < words_len && i < 8; i++)
        argv[3 + i] = words[i];
    if (sl_demo_run(story->demo, argv, CONNECT_MS, story->said, sizeof story->said) == 0)
        return true;
    snprintf(story->demo->error, sizeof story->demo->error, "%s", story->said);
    return false;
}

/* --- steps ---------------------------------------------------------------------------------- */

static bool begin(struct story *story)
{
    return sl_demo_is_online(story->demo, CONNECT_MS) && wait_for_pins(story, 0, SETTLE_MS);
}

static bool switch_on(struct story *story)
{
    struct sl_demo_pins pins;
    if (!quick_test(story, "2 120") || !wait_for_pins(story, 1u << ZONE, SETTLE_MS) ||
        !sl_demo_read_pins(story->demo, &pins))
        return false;
    snprintf(story->said, sizeof story->said, "PD2 is %s, the others are not", pins.levels[ZONE]);
    return true;
}

static bool restart_node(struct story *story)
{
    char *const words[] = {"status"}; /* the table: one line a node */
    sl_demo_kill(story->demo, SL_DEMO_NODE_PART);
    if (!sl_demo_start(story->demo, SL_DEMO_NODE_PART) ||
        !sl_demo_is_online(story->demo, CONNECT_MS) || !wait_for_pins(story, 1u << ZONE, 0) ||
        !run_sluice(story, words, 1))
        return false;
    char *left = strstr(story->said, "2 ON, ");
    if (!left) {
        snprintf(story->demo->error, sizeof story->demo->error, "the node reports: %s",
                 story->said);
        return false;
    }
    memmove(story->said, left, strlen(left) + 1);
    return true;
}

static bool chip_ends_it(struct story *story)
{
    char seconds[8];
    snprintf(seconds, sizeof seconds, "%d", SHORT_S);
    char *const words[] = {"on", SL_DEMO_NODE, "2", seconds};
    uint64_t sent = sl_cli_now_ms();
    if (!run_sluice(story, words, 4))
        return false;
    uint64_t confirmed = sl_cli_now_ms();
    sl_demo_kill(story->demo, SL_DEMO_NODE_PART);
    if (!wait_for_pins(story, 0, SHORT_S * 1000 + MARGIN_MS))
        return false;
    uint64_t took = sl_cli_now_ms() - sent;
    /* The chip counts 1/8 fast while nobody sets it right, never slow. */
    if (sl_cli_now_ms() - confirmed > SHORT_S * 1000 + MARGIN_MS + LOOK_MS ||
        took < SHORT_S * 1000 * 7 / 8 - 250) {
        snprintf(story->demo->error, sizeof story->demo->error,
                 "the relay went off after %.1f s, not %d s", (double)took / 1000, SHORT_S);
        return false;
    }
    snprintf(story->said, sizeof story->said, "off after %.1f s, the node was dead",
             (double)took / 1000);
    return true;
}

static bool node_comes_back(struct story *story)
{
    return sl_demo_start(story->demo, SL_DEMO_NODE_PART) &&
           sl_demo_is_online(story->demo, CONNECT_MS) && wait_for_pins(story, 0, SETTLE_MS);
}

static bool cut_link(struct story *story)
{
    if (!quick_test(story, "2 120") || !wait_for_pins(story, 1u << ZONE, SETTLE_MS) ||
        !sl_demo_tell_chip(story->demo, "cut"))
        return false;
    uint64_t cut = sl_cli_now_ms();
    if (!wait_for_pins(story, 0, LEASE_MS + MARGIN_MS + 1000))
        return false;
    snprintf(story->said, sizeof story->said, "all off %.1f s after the cut",
             (double)(sl_cli_now_ms() - cut) / 1000);
    return true;
}

static bool join_link(struct story *story)
{
    return sl_demo_tell_chip(story->demo, "join") && sl_demo_is_online(story->demo, CONNECT_MS) &&
           wait_for_pins(story, 0, SETTLE_MS);
}

static bool kill_broker(struct story *story)
{
    sl_demo_kill(story->demo, SL_DEMO_BROKER);
    return sl_demo_start(story->demo, SL_DEMO_BROKER) && sl_demo_is_online(story->demo, CONNECT_MS);
}

static bool command_again(struct story *story)
{
    char *const words[] = {"on", SL_DEMO_NODE, "5", "30"};
    return run_sluice(story, words, 4) && wait_for_pins(story, 1u << 5, 0);
}

static bool refuse_stranger(struct story *story)
{
    const char *port = strstr(story->demo->args, "-p ");
    char number[8] = "", out[256];
    if (port)
        snprintf(number, sizeof number, "%.*s", (int)strspn(port + 3, "0123456789"), port + 3);
    struct sl_path authority = sl_path_join(story->demo->site.text, "ca/certificate.pem");
    char *const argv[] = {"/usr/bin/env",
                          "mosquitto_pub",
                          "-V",
                          "mqttv5",
                          "-h",
                          "127.0.0.1",
                          "-p",
                          number,
                          "--cafile",
                          authority.text,
                          "--topic",
                          "irrigation/zone/on",
                          "-m",
                          "2 120",
                          "-q",
                          "1",
                          NULL};
    int code = sl_demo_run(story->demo, argv, CONNECT_MS, out, sizeof out);
    if (code == 0 || code == 127 || code < 0) {
        snprintf(story->demo->error, sizeof story->demo->error,
                 code == 0 ? "it was let in" : "mosquitto_pub did not run: %s", out);
        return false;
    }
    snprintf(story->said, sizeof story->said, "%s", out);
    return sl_demo_sleep(300) && wait_for_pins(story, 1u << 5, 0);
}

static bool switch_off(struct story *story)
{
    char *const words[] = {"off", SL_DEMO_NODE};
    return run_sluice(story, words, 2) && wait_for_pins(story, 0, 0);
}

/* The last lines of a log, for whoever has to find out. */
static void print_log_end(const struct sl_demo *demo, const char *name)
{
    FILE *log = fopen(sl_path_join(demo->folder, name).text, "r");
    char lines[12][256];
    size_t count = 0;
    if (!log)
        return;
    while (fgets(lines[count % 12], sizeof lines[0], log))
        count++;
    fclose(log);
    for (size_t i = count > 12 ? count - 12 : 0; i < count; i++) {
        char clean[sizeof lines[0]];
        sl_cli_clean(clean, sizeof clean, lines[i % 12], strcspn(lines[i % 12], "\n"));
        printf("    %s: %s\n", name, clean);
    }
}
