/* The help is the table of settings, laid out for a terminal. */
#include "help.h"
#include "settings.h"
#include <string.h>

#define ABOUT_COLUMN 23
#define WIDTH        100

const char posix_help_summary[] = "takes commands from an MQTT broker and switches relays";

const char posix_help_signals[] =
    "SIGTERM and SIGINT switch every zone off, say so to the broker and end with 0; a second one "
    "ends at once. SIGUSR1 logs the report.";

const struct posix_help_pair posix_help_actions[] = {
    {"config FILE", "Read settings from this file too: lines of 'key = value', the keys being the "
                    "long options without hyphens, '#' for comments. The command line beats it."},
    {"check-config", "Check everything that can be checked without moving anything: settings, "
                     "identity, state folder, devices. Print what would be used, and end."},
    {"help", "Print this, and end."},
    {"version", "Print the version, and end."},
    {NULL, NULL},
};

const struct posix_help_pair posix_help_statuses[] = {
    {"0", "done: told to stop, or everything checked is good"},
    {"2", "wrong usage, or a configuration file that says something wrong"},
    {"4", "a local file, socket, device or the relay process failed"},
    {NULL, NULL},
};

const struct posix_help_pair posix_help_examples[] = {
    {"sluice-node --identity site/nodes/garden/identity --chip /run/sluice/garden.spi",
     "A node made by 'sluice node add garden', with the simulated relay chip."},
    {"sluice-node --config /etc/sluice/garden.conf --check-config",
     "What would be used? Nothing is switched."},
    {"sluice-node --config /etc/sluice/garden.conf --log-level debug",
     "As the file says, but with every line of the log."},
    {"sluice-node --identity garden.identity --spi /dev/spidev0.0 --sntp '[fd00::1]:1123'",
     "The relay chip on a spidev; time from a server of one's own."},
    {"sluice-node --identity garden.identity --gpio gpiochip0:17,27,22,5,6,13,19,26 --at-once 2",
     "Relays on a Raspberry Pi's own pins, two of them together at most."},
    {NULL, NULL},
};

static void write_setting(FILE *out, enum posix_setting_id id);
static void write_entry(FILE *out, const char *what, const char *about);
static size_t write_words(FILE *out, const char *text, size_t column, size_t indent);

void posix_help_write(FILE *out)
{
    fprintf(out,
            "sluice-node: %s.\n\n"
            "usage: sluice-node --identity FILE --chip SOCKET|--spi DEVICE|--gpio CHIP:LINES|"
            "--raw DEVICE\n"
            "                   [options]\n"
            "       sluice-node --config FILE [options]\n\n",
            posix_help_summary);
    write_setting(out, POSIX_IDENTITY);
    fputs("\nwhere the relays are, one of:\n", out);
    for (enum posix_setting_id id = POSIX_CHIP; id <= POSIX_RAW; id++)
        write_setting(out, id);
    fputs("\noptions:\n", out);
    for (enum posix_setting_id id = POSIX_RAW + 1; id < POSIX_SETTINGS; id++)
        write_setting(out, id);
    fputs("\n", out);
    for (const struct posix_help_pair *action = posix_help_actions; action->what; action++)
        write_entry(out, action->what, action->about);
    fputs("\n", out);
    write_words(out, posix_help_signals, 0, 0);
    fputs("\n\nexit status:\n", out);
    for (const struct posix_help_pair *status = posix_help_statuses; status->what; status++)
        fprintf(out, "  %s  %s\n", status->what, status->about);
    fputs("\nexamples:\n", out);
    for (const struct posix_help_pair *example = posix_help_examples; example->what; example++)
        fprintf(out, "  %s\n", example->what);
}

static void write_setting(FILE *out, enum posix_setting_id id)
{
    const struct posix_setting *setting = &posix_settings[id];
    char what[64], allowed[128], about[1024];
    const char *standard = setting->standard ? setting->standard : setting->without;

    posix_setting_describe(setting, allowed, sizeof allowed);
    snprintf(what, sizeof what, "%s %s", setting->name, setting->argument);
    snprintf(about, sizeof about, "%s%s%s%s%s%s", setting->about,
             setting->kind == POSIX_PATH ? "" : " Give ",
             setting->kind == POSIX_PATH ? "" : allowed,
             posix_setting_is_output(id) || !standard ? "" : " [",
             posix_setting_is_output(id) || !standard ? "" : standard,
             posix_setting_is_output(id) || !standard ? "" : "]");
    write_entry(out, what, about);
}

static void write_entry(FILE *out, const char *what, const char *about)
{
    const int len = fprintf(out, "  --%s ", what);
    const size_t column = len > 0 ? (size_t)len : 0;

    fprintf(out, "%*s", column < ABOUT_COLUMN ? (int)(ABOUT_COLUMN - column) : 0, "");
    write_words(out, about, column < ABOUT_COLUMN ? ABOUT_COLUMN : column, ABOUT_COLUMN);
    fputs("\n", out);
}

/* Breaks lines at WIDTH. Gives: the column reached. */
static size_t write_words(FILE *out, const char *text, size_t column, size_t indent)
{
    bool is_first = true;

    while (*text != '\0') {
        const size_t len = strcspn(text, " ");
        if (!is_first && column + 1 + len > WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!is_first) {
            fputs(" ", out);
            column++;
        }
        fwrite(text, 1, len, out);
        column += len;
        text += len + strspn(text + len, " ");
        is_first = false;
    }
    return column;
}
