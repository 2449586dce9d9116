/* sluice doctor: what is wrong with a site, with its running broker, or with a mosquitto.conf. */
#include "doctor.h"
#include <stdio.h>
#include <string.h>

enum { JSON, CONFIG };
static const struct sl_option options[] = {
    [JSON] = SL_OPTION_JSON("one JSON object"),
    [CONFIG] = {.name = "--config",
                .kind = SL_OPTION_TEXT,
                .value = "FILE",
                .help = "look at this mosquitto.conf, and the files that it names, instead of a "
                        "site",
                .offer = SL_OFFER_FILES},
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_command sl_command_doctor = {
    .name = "doctor",
    .summary = "find what is wrong, what it allows, and how to mend it",
    .options = options,
    .text = "Looks at a mosquitto.conf of whatever origin and at the files that it names. Each "
            "finding has a severity, its evidence, the attack or failure that it allows, and what "
            "mends it. Exit code 0 when there is nothing worse than a note, 5 when the worst is a "
            "warning, 6 when it is an error.",
    .manual = "docs/doctor.md lists everything that is looked for. Nothing is changed.",
    .examples = (const struct sl_example[]){{"sluice doctor --config /etc/mosquitto/mosquitto.conf",
                                             "somebody else's broker:"},
                                            {NULL, NULL}},
    .run = run,
};

static enum sl_exit finish(const struct sl_doctor *doctor, bool wants_json);

static enum sl_exit run(struct sl_cli *cli)
{
    if (!cli->values[CONFIG].is_given)
        return sl_cli_fail(SL_ERROR(ARGUMENT_MISSING), "--config", "doctor", "--config FILE");
    struct sl_doctor doctor = {.site = NULL};
    sl_doctor_look_conf(&doctor, cli->values[CONFIG].text);
    enum sl_exit code = finish(&doctor, cli->values[JSON].is_given);
    sl_doctor_free(&doctor);
    return code;
}

static enum sl_exit finish(const struct sl_doctor *doctor, bool wants_json)
{
    if (wants_json)
        sl_doctor_print_json(doctor);
    else
        sl_doctor_print(doctor);
    if (sl_doctor_count(doctor, SL_SEVERITY_ERROR) > 0)
        return SL_EXIT_ERRORS;
    return sl_doctor_count(doctor, SL_SEVERITY_WARNING) > 0 ? SL_EXIT_WARNINGS : SL_EXIT_DONE;
}
