/* sluice demo: the whole path on one machine, with real parts. */
#include "demo.h"
#include "screen.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char sl_demo_help[] =
    "  --story        the fixed story, also on a terminal\n"
    "  --node FILE    sluice-node   (default: beside this program, its build tree, PATH)\n"
    "  --chip FILE    sluice-chip   (the same)\n"
    "  --elf FILE     the relay chip's firmware, relay-chip.elf (the same, without PATH)\n\n"
    "Makes a site in a temporary folder, starts Mosquitto with mutual TLS, the relay chip's real\n"
    "firmware on a simulated ATmega168, and a node, on this computer only. On a terminal it shows\n"
    "the eight relays and takes keys, q or Ctrl-C to end (exit code 0); without one, or with "
    "CI=true,\n"
    "it runs a fixed story, ends with 'demo: ok' or names the step that failed (exit code 1).\n"
    "Nothing is left behind.\n\n"
    "examples:\n"
    "  sluice demo\n"
    "  sluice demo --story | tee story.txt\n";

/* Some CI systems give a terminal that nobody sits at. */
static bool has_reader(void)
{
    const char *ci = getenv("CI");
    return sl_screen_is_possible() && !(ci && strcmp(ci, "true") == 0);
}

enum sl_exit sl_demo_run_command(struct sl_cli *cli, int argc, char **argv)
{
    (void)cli; /* the demo has a site of its own */
    struct sl_demo_programs programs = {NULL, NULL, NULL};
    bool wants_story = false;
    size_t words_len = 0;
    const struct sl_option options[] = {
        {"--story", SL_OPTION_FLAG, {.flag = &wants_story}, 0, 0, 0, NULL},
        {"--node", SL_OPTION_TEXT, {.text = &programs.node}, 0, 0, 0, NULL},
        {"--chip", SL_OPTION_TEXT, {.text = &programs.chip}, 0, 0, 0, NULL},
        {"--elf", SL_OPTION_TEXT, {.text = &programs.elf}, 0, 0, 0, NULL},
    };
    enum sl_exit code = sl_cli_parse(argc, argv, options, 4, NULL, 0, 0, &words_len);
    if (code != SL_EXIT_DONE)
        return code;

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
