/* What is made from sluice-node's table of settings: sluice-node(8), node.conf, and the table in
 * docs/service.md. */
#include "manual.h"
#include "ports/posix/help.h"
#include "ports/posix/settings.h"
#include <string.h>

#define WIDTH 100 /* of a comment in node.conf */

struct words {
    char text[1400];
};

static void list_settings(FILE *out);
static void list_options(FILE *out);
static struct words describe(enum posix_setting_id id);
static void put_comment(FILE *out, const char *text);
static const char *standard_of(enum posix_setting_id id);

void manual_write_node(FILE *out)
{
    roff_begin(out, "SLUICE-NODE", 8, "sluice-node", posix_help_summary);
    fputs(".Sh SYNOPSIS\n.Nm\n.Fl -identity Ar FILE\n"
          ".Fl -chip Ar SOCKET | Fl -spi Ar DEVICE | Fl -gpio Ar CHIP:LINES | Fl -raw Ar DEVICE\n"
          ".Op Ar options\n.Nm\n.Fl -config Ar FILE\n.Op Ar options\n.Sh DESCRIPTION\n",
          out);
    roff_text(out,
              "A node connects to its broker with a certificate of its own, takes commands below "
              "its base topic, and orders a relay chip to switch up to eight zones. The chip "
              "counts down by itself and closes everything when it no longer hears the node. What "
              "becomes of each command is published after the pins were read back.");
    fputs(".Sh SETTINGS\n", out);
    roff_text(out, "Each is an option, and a key of the configuration file under the same name "
                   "without the hyphens.");
    list_settings(out);
    fputs(".Sh OPTIONS\n", out);
    list_options(out);
    fputs(".Sh CONFIGURATION FILE\n", out);
    roff_text(out,
              "Lines of key = value. A '#' at the beginning of a line or value, or after a blank, "
              "starts a comment. Each key stands at most once; values have no quotes; a line has "
              "at most 1023 bytes. An unknown key, a value that is not allowed and any other fault "
              "ends the start with the file, the line, the key and what is allowed. The command "
              "line beats the file. Everybody may read the file, it holds no secret; not everybody "
              "may write it.");
    fputs(".Sh SIGNALS\n", out);
    roff_text(out, posix_help_signals);
    fputs(".Sh AS A SERVICE\n", out);
    roff_text(out,
              "With NOTIFY_SOCKET (Type=notify of systemd) the node says READY=1 when its loop "
              "runs, STATUS= when the broker or the relay chip comes or goes, and STOPPING=1. With "
              "WATCHDOG_USEC it says WATCHDOG=1 at half that time, from the loop that moves "
              "valves, and only if exchanges with the relay chip were started since the last one. "
              "Lines in the journal carry SLUICE_NODE, SLUICE_EVENT, SLUICE_EVENT_CODE, SLUICE_A "
              "and SLUICE_B.");
    fputs(".Sh FILES\n", out);
    roff_list(out);
    roff_item(out, "Pa /etc/sluice/NAME.conf , /etc/sluice/NAME.identity",
              "Configuration and identity of the node that the service manager calls NAME.");
    roff_item(out, "Pa /var/lib/sluice/NAME", "Its state.");
    roff_list_end(out);
    fputs(".Sh EXIT STATUS\n", out);
    roff_list(out);
    for (const struct posix_help_pair *status = posix_help_statuses; status->what; status++)
        roff_item(out, status->what, status->about);
    roff_list_end(out);
    fputs(".Sh EXAMPLES\n", out);
    for (const struct posix_help_pair *example = posix_help_examples; example->what; example++) {
        fputs(example == posix_help_examples ? "" : ".Pp\n", out);
        roff_text(out, example->about);
        roff_literal(out, example->what);
    }
    fputs(".Sh DIAGNOSTICS\n", out);
    roff_text(out, "A failure is one line, on standard error or in the log: the thing and its "
                   "cause, the cure, and an identifier in brackets.");
    fputs(".Xr sluice-errors 7\nlists them all.\n", out);
    fputs(".Sh SEE ALSO\n.Xr journalctl 1 ,\n.Xr sluice 1 ,\n.Xr systemd.service 5 ,\n"
          ".Xr sluice-errors 7\n",
          out);
}

static void list_settings(FILE *out)
{
    char macros[64];

    roff_list(out);
    for (enum posix_setting_id id = 0; id < POSIX_SETTINGS; id++) {
        const struct posix_setting *setting = &posix_settings[id];
        struct words words = describe(id);

        snprintf(macros, sizeof macros, "Fl -%s Ar %s", setting->name, setting->argument);
        snprintf(words.text + strlen(words.text), sizeof words.text - strlen(words.text),
                 " Example: %s = %s", setting->name, setting->example);
        roff_item(out, macros, words.text);
    }
    roff_list_end(out);
}

/* Those that are no settings: "name" or "name ARGUMENT". */
static void list_options(FILE *out)
{
    char macros[64];

    roff_list(out);
    for (const struct posix_help_pair *action = posix_help_actions; action->what; action++) {
        const char *argument = strchr(action->what, ' ');
        snprintf(macros, sizeof macros, "Fl -%.*s%s%s", (int)strcspn(action->what, " "),
                 action->what, argument ? " Ar" : "", argument ? argument : "");
        roff_item(out, macros, action->about);
    }
    roff_list_end(out);
}

void manual_write_config(FILE *out)
{
    put_comment(out,
                "A node of Sluice. Lines of 'key = value'; a '#' starts a comment. Every key is "
                "here, each with an example; lines that begin with '#' and no blank are settings "
                "to uncomment. After a change: sluice-node --config FILE --check-config");
    put_comment(out, "Each key is also an option of sluice-node, and the option beats the file: "
                     "sluice-node(8). Made from ports/posix/settings.c.");
    for (enum posix_setting_id id = 0; id < POSIX_SETTINGS; id++) {
        const struct posix_setting *setting = &posix_settings[id];
        if (id == POSIX_CHIP)
            fputs("\n# Where the relays are: exactly one of chip, spi, gpio and raw.\n", out);
        fputs("\n", out);
        put_comment(out, describe(id).text);
        fprintf(out, "#%s = %s\n", setting->name, setting->example);
    }
}

/* What it is, what is allowed, and what holds without it. */
static struct words describe(enum posix_setting_id id)
{
    const char *standard = standard_of(id);
    struct words words;
    char allowed[128];

    posix_setting_describe(&posix_settings[id], allowed, sizeof allowed);
    snprintf(words.text, sizeof words.text, "%s Allowed: %s.%s%s%s", posix_settings[id].about,
             allowed, standard ? " Otherwise: " : "", standard ? standard : "",
             standard ? "." : "");
    return words;
}

static void put_comment(FILE *out, const char *text)
{
    size_t column = 1;

    fputs("#", out);
    while (*text != '\0') {
        const size_t len = strcspn(text, " ");
        if (column + 1 + len > WIDTH) {
            fputs("\n#", out);
            column = 1;
        }
        fprintf(out, " %.*s", (int)len, text);
        column += 1 + len;
        text += len + strspn(text + len, " ");
    }
    fputs("\n", out);
}

void manual_write_settings(FILE *out)
{
    char allowed[128];

    fputs(
        "| key, and option with `--` | allowed | otherwise | example | |\n|---|---|---|---|---|\n",
        out);
    for (enum posix_setting_id id = 0; id < POSIX_SETTINGS; id++) {
        const struct posix_setting *setting = &posix_settings[id];

        posix_setting_describe(setting, allowed, sizeof allowed);
        fprintf(out, "| `%s` | %s | %s | `%s` | %s |\n", setting->name, allowed,
                standard_of(id) ? standard_of(id) : "must be given", setting->example,
                setting->about);
    }
}

static const char *standard_of(enum posix_setting_id id)
{
    return posix_settings[id].standard ? posix_settings[id].standard : posix_settings[id].without;
}
