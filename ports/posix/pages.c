/* Writes the pages that are made from the table of settings. A tool of the build, not a product.
 * Usage: sluice-node-pages manual|config|table */
#include "help.h"
#include "settings.h"
#include <string.h>
#include <time.h>

#define WIDTH 100

static void write_manual(void);
static void write_manual_setting(enum posix_setting_id id);
static void write_pairs(const struct posix_help_pair *pairs, const char *before);
static void write_config(void);
static void write_table(void);
static void put(const char *text);
static void put_comment(const char *text);
static const char *standard_of(enum posix_setting_id id);

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*write)(void);
    } pages[] = {{"manual", write_manual}, {"config", write_config}, {"table", write_table}};

    for (size_t i = 0; argc == 2 && i < sizeof pages / sizeof pages[0]; i++)
        if (strcmp(argv[1], pages[i].name) == 0) {
            pages[i].write();
            return fflush(stdout) == 0 ? 0 : 1;
        }
    fputs("usage: sluice-node-pages manual|config|table\n", stderr);
    return 2;
}

/* Source: man(7). */
static void write_manual(void)
{
    const time_t made = SL_BUILD_TIME;
    struct tm utc;
    char day[16];

    gmtime_r(&made, &utc);
    strftime(day, sizeof day, "%Y-%m-%d", &utc);
    printf(".\\\" Made by sluice-node-pages from ports/posix/settings.c.\n"
           ".TH SLUICE\\-NODE 8 %s \"sluice " SL_VERSION "\" \"Sluice\"\n"
           ".SH NAME\nsluice\\-node \\- ",
           day);
    put(posix_help_summary);
    puts("\n.SH SYNOPSIS\n.B sluice\\-node\n\\fB\\-\\-identity\\fR \\fIFILE\\fR\n"
         "\\fB\\-\\-chip\\fR \\fISOCKET\\fR | \\fB\\-\\-spi\\fR \\fIDEVICE\\fR | "
         "\\fB\\-\\-gpio\\fR \\fICHIP:LINES\\fR | \\fB\\-\\-raw\\fR \\fIDEVICE\\fR\n"
         "[\\fIoptions\\fR]\n.br\n.B sluice\\-node\n\\fB\\-\\-config\\fR \\fIFILE\\fR "
         "[\\fIoptions\\fR]\n.SH DESCRIPTION");
    put("A node connects to its broker with a certificate of its own, takes commands below its "
        "base topic, and orders a relay chip to switch up to eight zones. The chip counts down by "
        "itself and closes everything when it no longer hears the node. What becomes of each "
        "command is published after the pins were read back.");
    puts("\n.SH SETTINGS");
    put("Each is an option, and a key of the configuration file under the same name without the "
        "hyphens.");
    fputs("\n", stdout);
    for (enum posix_setting_id id = 0; id < POSIX_SETTINGS; id++)
        write_manual_setting(id);
    puts(".SH OPTIONS");
    write_pairs(posix_help_actions, "--");
    puts(".SH CONFIGURATION FILE");
    put("Lines of key = value. A '#' at the beginning of a line or value, or after a blank, starts "
        "a comment. Each key stands at most once; values have no quotes; a line has at most 1023 "
        "bytes. An unknown key, a value that is not allowed and any other fault ends the start "
        "with the file, the line, the key and what is allowed. The command line beats the file. "
        "Everybody may read the file, it holds no secret; not everybody may write it.");
    puts("\n.SH SIGNALS");
    put(posix_help_signals);
    puts("\n.SH EXIT STATUS");
    write_pairs(posix_help_statuses, "");
    puts(".SH AS A SERVICE");
    put("With NOTIFY_SOCKET (Type=notify of systemd) the node says READY=1 when its loop runs, "
        "STATUS= when the broker or the relay chip comes or goes, and STOPPING=1. With "
        "WATCHDOG_USEC it says WATCHDOG=1 at half that time, from the loop that moves valves, and "
        "only if exchanges with the relay chip were started since the last one. Lines in the "
        "journal carry SLUICE_NODE, SLUICE_EVENT, SLUICE_EVENT_CODE, SLUICE_A and SLUICE_B.");
    puts("\n.SH FILES\n.TP\n.I /etc/sluice/NAME.conf, /etc/sluice/NAME.identity\n"
         "Configuration and identity of the node that the service manager calls NAME.\n"
         ".TP\n.I /var/lib/sluice/NAME\nIts state.\n.SH EXAMPLES");
    write_pairs(posix_help_examples, "");
    puts(".SH SEE ALSO\n.BR sluice (1),\n.BR systemd.service (5),\n.BR journalctl (1)");
}

static void write_manual_setting(enum posix_setting_id id)
{
    const struct posix_setting *setting = &posix_settings[id];
    char allowed[128];

    posix_setting_describe(setting, allowed, sizeof allowed);
    fputs(".TP\n\\fB\\-\\-", stdout);
    put(setting->name);
    fputs("\\fR \\fI", stdout);
    put(setting->argument);
    fputs("\\fR\n", stdout);
    put(setting->about);
    fputs("\nAllowed: ", stdout);
    put(allowed);
    fputs(".\n", stdout);
    if (standard_of(id)) {
        fputs("Otherwise: ", stdout);
        put(standard_of(id));
        fputs(".\n", stdout);
    }
    fputs("Example:\n.B ", stdout);
    put(setting->name);
    fputs(" = ", stdout);
    put(setting->example);
    fputs("\n", stdout);
}

static void write_pairs(const struct posix_help_pair *pairs, const char *before)
{
    for (; pairs->what; pairs++) {
        fputs(".TP\n.B ", stdout);
        put(before);
        put(pairs->what);
        fputs("\n", stdout);
        put(pairs->about);
        fputs("\n", stdout);
    }
}

/* Text for roff: its own characters escaped, and hyphens that can be copied. */
static void put(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '\'')
            fputs("\\(aq", stdout);
        else
            putchar(*text);
}

static void write_config(void)
{
    char text[1400], allowed[128];

    put_comment("A node of Sluice. Lines of 'key = value'; a '#' starts a comment. Every key is "
                "here, each with an example; lines that begin with '#' and no blank are settings "
                "to uncomment. After a change: sluice-node --config FILE --check-config");
    put_comment("Each key is also an option of sluice-node, and the option beats the file: "
                "sluice-node(8). Made from ports/posix/settings.c.");
    for (enum posix_setting_id id = 0; id < POSIX_SETTINGS; id++) {
        const struct posix_setting *setting = &posix_settings[id];
        const char *standard = standard_of(id);

        if (id == POSIX_CHIP)
            fputs("\n# Where the relays are: exactly one of chip, spi, gpio and raw.\n", stdout);
        posix_setting_describe(setting, allowed, sizeof allowed);
        snprintf(text, sizeof text, "%s Allowed: %s.%s%s%s", setting->about, allowed,
                 standard ? " Otherwise: " : "", standard ? standard : "", standard ? "." : "");
        fputs("\n", stdout);
        put_comment(text);
        printf("#%s = %s\n", setting->name, setting->example);
    }
}

static void put_comment(const char *text)
{
    size_t column = 1;

    fputs("#", stdout);
    while (*text != '\0') {
        const size_t len = strcspn(text, " ");
        if (column + 1 + len > WIDTH) {
            fputs("\n#", stdout);
            column = 1;
        }
        printf(" %.*s", (int)len, text);
        column += 1 + len;
        text += len + strspn(text + len, " ");
    }
    fputs("\n", stdout);
}

static void write_table(void)
{
    char allowed[128];

    puts("| key, and option with `--` | allowed | otherwise | example | |\n|---|---|---|---|---|");
    for (enum posix_setting_id id = 0; id < POSIX_SETTINGS; id++) {
        const struct posix_setting *setting = &posix_settings[id];

        posix_setting_describe(setting, allowed, sizeof allowed);
        printf("| `%s` | %s | %s | `%s` | %s |\n", setting->name, allowed,
               standard_of(id) ? standard_of(id) : "must be given", setting->example,
               setting->about);
    }
}

static const char *standard_of(enum posix_setting_id id)
{
    return posix_settings[id].standard ? posix_settings[id].standard : posix_settings[id].without;
}
