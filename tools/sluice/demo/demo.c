/* sluice demo: the whole path on one machine, with real parts. */
#include "demo/demo.h"
#include "view/screen.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STORY, NODE, CHIP, ELF };
static const struct sl_option options[] = {
    [STORY] = {.name = "--story", .help = "the fixed story, also on a terminal"},
    [NODE] = {.name = "--node",
              .kind = SL_OPTION_TEXT,
              .value = "FILE",
              .offer = SL_OFFER_FILES,
              .otherwise = "beside this program, in its build tree, in PATH",
              .help = "sluice-node"},
    [CHIP] = {.name = "--chip",
              .kind = SL_OPTION_TEXT,
              .value = "FILE",
              .offer = SL_OFFER_FILES,
              .otherwise = "the same",
              .help = "sluice-chip"},
    [ELF] = {.name = "--elf",
             .kind = SL_OPTION_TEXT,
             .value = "FILE",
             .offer = SL_OFFER_FILES,
             .otherwise = "the same, without PATH",
             .help = "the relay chip's firmware, relay-chip.elf"},
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_demo = {
    .name = "demo",
    .summary = "try everything here, with a simulated chip",
    .options = options,
    .text = "Makes a site in a temporary folder, starts Mosquitto with mutual TLS, the relay "
            "chip's real firmware on a simulated ATmega168, and a node, on this computer only. On "
            "a terminal it shows the eight relays and takes keys, q or Ctrl-C to end; without one, "
            "or with CI=true, it runs a fixed story, ends with 'demo: ok' or names the step that "
            "failed (exit code 1). Nothing is left behind.",
    .examples =
        (const struct sl_example[]){{"sluice demo", "live, with keys:"},
                                    {"sluice demo --story | tee story.txt", "the fixed story:"},
                                    {NULL, NULL}},
    .run = run,
};

/* Some CI systems give a terminal that nobody sits at. */
static bool has_reader(void)
{
    const char *ci = getenv("CI");
    return sl_screen_is_possible() && !(ci && strcmp(ci, "true") == 0);
}

static enum sl_exit run(struct sl_cli *cli)
{
    /* The demo has a site of its own. */
    const struct sl_value *values = cli->values;
    const struct sl_demo_programs programs = {values[NODE].text, values[CHIP].text,
                                              values[ELF].text};
    bool wants_story = values[STORY].is_given;
    enum sl_exit code;

    setvbuf(stdout, NULL, _IOLBF, 0);
    struct sl_demo demo;
    if (sl_demo_open(&demo, &programs)) {
        code = !wants_story && has_reader() ? sl_demo_show_live(&demo) : sl_demo_tell_story(&demo);
    } else if (sl_demo_is_stopping()) {
        code = SL_EXIT_REFUSED;
    } else {
        code = sl_cli_fail(SL_ERROR(DEMO_NOT_STARTED), demo.error);
        puts("demo: failed: the parts could not be started");
    }
    sl_demo_close(&demo);
    return code;
}
