/* getopt_long over the table of settings, with every value checked before it is believed. */
#include "options.h"
#include "config_file.h"
#include "gpio_spec.h"
#include "help.h"
#include "link/frame.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG = POSIX_SETTINGS, CHECK_CONFIG, HELP, VERSION, OPTIONS };

static bool take(struct posix_values *values, int option, const char *text,
                 struct posix_failure *failure);
static void fail_unknown(const char *name, struct posix_failure *failure);
static void put_before(struct posix_values *values, const struct posix_values *given);
static bool find_output(const struct posix_values *values, enum posix_setting_id *output,
                        struct posix_failure *failure);
static long number_of(const struct posix_values *values, enum posix_setting_id id);
static unsigned word_of(const struct posix_values *values, enum posix_setting_id id);
static const char *text_of(const struct posix_values *values, enum posix_setting_id id);
static const char *file_of(const struct posix_values *values);

enum posix_options_verdict posix_options_parse(struct posix_options *options,
                                               struct posix_values *values, int argc, char **argv,
                                               struct posix_failure *failure)
{
    static struct posix_values given;
    struct option names[OPTIONS + 1] = {
        [CONFIG] = {"config", required_argument, NULL, CONFIG},
        [CHECK_CONFIG] = {"check-config", no_argument, NULL, CHECK_CONFIG},
        [HELP] = {"help", no_argument, NULL, HELP},
        [VERSION] = {"version", no_argument, NULL, VERSION}};
    enum posix_options_verdict verdict = POSIX_OPTIONS_RUN;
    const char *path = NULL;
    int option, at = 1;

    for (int id = 0; id < POSIX_SETTINGS; id++)
        names[id] = (struct option){posix_settings[id].name, required_argument, NULL, id};
    given = *values = (struct posix_values){.file = NULL};
    optind = 1;
    opterr = 0;
    for (; (option = getopt_long(argc, argv, ":", names, NULL)) != -1; at = optind)
        switch (option) {
        case CONFIG:
            path = optarg;
            break;
        case CHECK_CONFIG:
            verdict = POSIX_OPTIONS_CHECK;
            break;
        case HELP:
            posix_help_write(stdout);
            return posix_output_end(failure) ? POSIX_OPTIONS_DONE : POSIX_OPTIONS_FAILED;
        case VERSION:
            puts("sluice-node " SL_VERSION);
            return posix_output_end(failure) ? POSIX_OPTIONS_DONE : POSIX_OPTIONS_FAILED;
        case ':':
            posix_fail(failure, POSIX_ERROR(OPTION_VALUE_MISSING), argv[at]);
            return POSIX_OPTIONS_FAILED;
        case '?':
            fail_unknown(argv[at], failure);
            return POSIX_OPTIONS_FAILED;
        default:
            if (!take(&given, option, optarg, failure))
                return POSIX_OPTIONS_FAILED;
        }
    if (optind < argc) {
        posix_fail(failure, POSIX_ERROR(ARGUMENT_EXTRA), argv[optind]);
        return POSIX_OPTIONS_FAILED;
    }
    if (path && !posix_config_read(values, path, failure))
        return POSIX_OPTIONS_FAILED;
    put_before(values, &given);
    return posix_options_make(options, values, failure) ? verdict : POSIX_OPTIONS_FAILED;
}

bool posix_options_make(struct posix_options *options, const struct posix_values *values,
                        struct posix_failure *failure)
{
    static const enum posix_output outputs[] = {[POSIX_CHIP] = POSIX_OUTPUT_SOCKET,
                                                [POSIX_SPI] = POSIX_OUTPUT_SPI,
                                                [POSIX_GPIO] = POSIX_OUTPUT_GPIO,
                                                [POSIX_RAW] = POSIX_OUTPUT_RAW};
    const long longest = number_of(values, POSIX_LONGEST);
    long standard = number_of(values, POSIX_DEFAULT);
    const char *sntp = text_of(values, POSIX_SNTP);
    enum posix_setting_id output;
    struct posix_gpio_spec spec;

    *options = (struct posix_options){.identity_path = text_of(values, POSIX_IDENTITY),
                                      .state_dir = text_of(values, POSIX_STATE),
                                      .serial = text_of(values, POSIX_SERIAL),
                                      .reset = text_of(values, POSIX_RESET)};
    if (!options->identity_path)
        return posix_fail(failure, POSIX_ERROR(IDENTITY_UNNAMED), file_of(values));
    if (options->reset && !options->serial)
        return posix_fail(failure, POSIX_ERROR(RESET_WITHOUT_SERIAL));
    if (!find_output(values, &output, failure))
        return false;
    if (standard > longest)
        return posix_fail(failure, POSIX_ERROR(DEFAULT_ABOVE_LONGEST), standard, longest);
    if (standard == 0)
        standard = longest < SL_ZONE_DEFAULT_S ? longest : SL_ZONE_DEFAULT_S;
    if (sntp)
        options->use_sntp = posix_server_parse(sntp, options->sntp_host, &options->sntp_port);
    options->output = outputs[output];
    options->output_name = text_of(values, output);
    options->limits = (struct sl_zone_limits){.at_once = (uint8_t)number_of(values, POSIX_AT_ONCE),
                                              .longest_s = (uint16_t)longest,
                                              .default_s = (uint16_t)standard};
    if (output == POSIX_GPIO && posix_gpio_spec_parse(options->output_name, &spec))
        options->limits.zones = (uint8_t)spec.len;
    options->lease_ms = (uint32_t)number_of(values, POSIX_LEASE) * 1000;
    options->log_sink = (enum posix_log_sink)word_of(values, POSIX_LOG);
    options->log_level = (enum sl_log_level)word_of(values, POSIX_LOG_LEVEL);
    return true;
}

/* Given twice on the command line, the last one counts, as usual: a script may add to another's. */
static bool take(struct posix_values *values, int option, const char *text,
                 struct posix_failure *failure)
{
    const struct posix_setting *setting = &posix_settings[option];
    const size_t len = strlen(text);
    char allowed[128];

    if (len <= POSIX_VALUE_MAX && posix_setting_allows(setting, text)) {
        memcpy(values->list[option].text, text, len + 1);
        return true;
    }
    posix_setting_describe(setting, allowed, sizeof allowed);
    return posix_fail(failure, POSIX_ERROR(OPTION_VALUE_BAD), text, setting->name, allowed);
}

static void fail_unknown(const char *name, struct posix_failure *failure)
{
    const size_t hyphens = strspn(name, "-");
    const struct posix_setting *near =
        posix_setting_nearest(name + hyphens, strcspn(name + hyphens, "="));

    if (near)
        posix_fail(failure, POSIX_ERROR(OPTION_MISSPELT), name, near->name);
    else
        posix_fail(failure, POSIX_ERROR(OPTION_UNKNOWN), name);
}

/* The command line beats the file; another kind of output on it beats the file's kind. */
static void put_before(struct posix_values *values, const struct posix_values *given)
{
    bool has_output = false;

    for (unsigned id = POSIX_CHIP; id <= POSIX_RAW; id++)
        has_output |= given->list[id].text[0] != '\0';
    for (unsigned id = POSIX_CHIP; has_output && id <= POSIX_RAW; id++)
        values->list[id].text[0] = '\0';
    for (unsigned id = 0; id < POSIX_SETTINGS; id++)
        if (given->list[id].text[0] != '\0')
            values->list[id] = given->list[id];
}

static bool find_output(const struct posix_values *values, enum posix_setting_id *output,
                        struct posix_failure *failure)
{
    unsigned count = 0;

    for (enum posix_setting_id id = POSIX_CHIP; id <= POSIX_RAW; id++)
        if (text_of(values, id)) {
            *output = id;
            count++;
        }
    if (count == 1)
        return true;
    if (count == 0)
        posix_fail(failure, POSIX_ERROR(OUTPUT_UNNAMED), file_of(values));
    else
        posix_fail(failure, POSIX_ERROR(OUTPUT_TWICE), file_of(values));
    return false;
}

/* For messages. */
static const char *file_of(const struct posix_values *values)
{
    return values->file ? values->file : "the file of --config";
}

/* NULL: neither given nor a standard. */
static const char *text_of(const struct posix_values *values, enum posix_setting_id id)
{
    return values->list[id].text[0] != '\0' ? values->list[id].text : posix_settings[id].standard;
}

/* 0: neither given nor a standard. */
static long number_of(const struct posix_values *values, enum posix_setting_id id)
{
    const char *text = text_of(values, id);

    return text ? strtol(text, NULL, 10) : 0;
}

/* Which of the setting's words, from 0 on. */
static unsigned word_of(const struct posix_values *values, enum posix_setting_id id)
{
    const char *text = text_of(values, id);
    unsigned at = 0;

    while (strcmp(posix_settings[id].words[at], text) != 0)
        at++;
    return at;
}
