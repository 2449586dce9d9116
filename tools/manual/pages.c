/* sluice(1), a page for each subcommand, and sluice-errors(7). */
#include "manual.h"
#include "ports/posix/errors.h"
#include "tools/sluice/cli/command.h"
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct page_name {
    char text[64];
};

static void write_overview(FILE *out);
static void write_command(FILE *out, const struct sl_subcommand *command);
static void write_errors(FILE *out);
static void list_errors(FILE *out, const struct sl_error_entry *list, unsigned len);
static void list_options(FILE *out, const struct sl_option *options);
static void list_exit_codes(FILE *out);
static struct page_name name_page(const struct sl_subcommand *command);
static FILE *open_page(const char *folder, const char *name, int section);
static void close_page(FILE *out);

void manual_write_pages(const char *folder)
{
    FILE *out = open_page(folder, "sluice", 1);
    write_overview(out);
    close_page(out);
    for (size_t i = 0; sl_commands[i]; i++) {
        out = open_page(folder, name_page(sl_commands[i]).text, 1);
        write_command(out, sl_commands[i]);
        close_page(out);
    }
    out = open_page(folder, "sluice-node", 8);
    manual_write_node(out);
    close_page(out);
    out = open_page(folder, "sluice-errors", 7);
    write_errors(out);
    close_page(out);
}

/* --- sluice(1) ------------------------------------------------------------------------------ */

static const struct {
    const char *macros, *text;
} variables[] =
    {
        {"Ev SLUICE_SITE", "The site's folder, where --site is not given."},
        {"Ev SLUICE_PASSPHRASE_FILE",
         "A file whose first line is the passphrase of the CA's key; others must not read it."},
        {"Ev CREDENTIALS_DIRECTORY",
         "As a service manager sets it: the passphrase may be the credential ca-passphrase there."},
        {"Ev NO_COLOR", "No colours, when it is set and not empty."},
        {"Ev TERM", "No colours when it is 'dumb'. Colours go to terminals only in any case."},
        {"Ev PATH",
         "Where 'sluice broker run' looks for mosquitto, then /usr/sbin and /usr/local/sbin."},
        {"Ev CI", "When it is 'true', 'sluice demo' plays its story also on a terminal."},
},
  files[] = {
      {"Pa site.json", "The broker's name, host, port and address; the operators."},
      {"Pa ca/",
       "key.pem and certificate.pem of the site's authority. The key signs everything: keep "
       "a copy of it off this computer, and let nobody see it."},
      {"Pa broker/", "The broker's key.pem and certificate.pem, the revocation list crl.pem, and "
                     "mosquitto.conf and acl, which are made from the rest."},
      {"Pa operators/NAME/", "key.pem and certificate.pem of an operator, who may switch."},
      {"Pa operators/NAME-watch/", "The same, with the right to read only."},
      {"Pa nodes/NAME/",
       "node.json, certificate.pem and identity, the file that goes onto the node "
       "and holds its private key."},
      {"Pa issued.log", "A line for every certificate ever made ('sluice ca log')."},
      {"Pa run/", "Locks of running commands."},
};

static void write_overview(FILE *out)
{
    roff_begin(out, "SLUICE", 1, "sluice", "set up, run and use a secure MQTT relay controller");
    fputs(".Sh SYNOPSIS\n.Nm\n.Op Fl -site Ar DIR\n.Ar SUBCOMMAND\n.Op Ar options\n"
          ".Nm\n.Fl -help\n.Nm\n.Fl -version\n.Sh DESCRIPTION\n",
          out);
    roff_text(out, "Sluice switches valves, pumps and relays by MQTT and keeps everybody else out. "
                   "This is the operator's command: it makes a site with an authority and keys of "
                   "its own, lets nodes in, runs the broker, switches zones and shows what the "
                   "nodes report. sluice-node is the program on the other side.");
    fputs(".Pp\nThe subcommands, each with a page of its own:\n", out);
    roff_list(out);
    for (size_t i = 0; sl_commands[i]; i++) {
        char macros[128];
        snprintf(macros, sizeof macros, "Xr %s 1", name_page(sl_commands[i]).text);
        roff_item(out, macros, sl_commands[i]->summary);
    }
    roff_list_end(out);
    fputs(".Pp\nThe options that every subcommand takes:\n", out);
    list_options(out, sl_global_options);
    fputs(".Sh ENVIRONMENT\n", out);
    roff_list(out);
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        roff_item(out, variables[i].macros, variables[i].text);
    roff_list_end(out);
    fputs(".Sh FILES\nIn the site's folder, which nobody but its maker may read:\n", out);
    roff_list(out);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        roff_item(out, files[i].macros, files[i].text);
    roff_list_end(out);
    list_exit_codes(out);
    fputs(".Sh EXAMPLES\n", out);
    roff_text(out, "From nothing to a confirmed relay:");
    for (const char *const *line =
             (const char *const[]){"sluice init", "sluice node add garden", "sluice broker run &",
                                   "sluice on garden 2 120", NULL};
         *line; line++)
        roff_literal(out, *line);
    fputs(".Sh DIAGNOSTICS\n", out);
    roff_text(out,
              "A failure is one line on standard error: the thing and its cause, the cure, and "
              "an identifier in brackets.");
    fputs(".Xr sluice-errors 7\nlists them all.\n", out);
    fputs(".Sh SEE ALSO\n.Xr mosquitto_pub 1 ,\n.Xr mosquitto_sub 1 ,\n", out);
    fputs(".Xr sluice-errors 7 ,\n.Xr mosquitto 8 ,\n.Xr sluice-node 8\n", out);
}

/* --- a subcommand --------------------------------------------------------------------------- */

static void write_command(FILE *out, const struct sl_subcommand *command)
{
    struct page_name name = name_page(command), title = name;
    for (char *at = title.text; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    roff_begin(out, title.text, 1, name.text, command->summary);
    fprintf(out, ".Sh SYNOPSIS\n.Nm sluice\n.Op Fl -site Ar DIR\n.Cm %s\n", command->name);
    for (const struct sl_argument *at = command->arguments; at && at->name; at++)
        fprintf(out, at->is_optional ? ".Op Ar %s\n" : ".Ar %s\n", at->name);
    for (const struct sl_option *at = command->options; at && at->name; at++)
        fprintf(out, ".Op Fl %s%s%s\n", at->name + 1, at->value ? " Ar " : "",
                at->value ? at->value : "");

    fputs(".Sh DESCRIPTION\n", out);
    if (command->text)
        roff_text(out, command->text);
    if (command->text && command->manual)
        fputs(".Pp\n", out);
    if (command->manual)
        roff_text(out, command->manual);
    if (command->arguments) {
        fputs(".Pp\nThe arguments are:\n", out);
        roff_list(out);
        for (const struct sl_argument *at = command->arguments; at->name; at++) {
            char macros[64];
            snprintf(macros, sizeof macros, "Ar %s", at->name);
            roff_item(out, macros, at->help);
        }
        roff_list_end(out);
    }
    if (command->options) {
        fputs(".Pp\nThe options are:\n", out);
        list_options(out, command->options);
    }
    list_exit_codes(out);
    fputs(".Sh EXAMPLES\n", out);
    for (const struct sl_example *at = command->examples; at->line; at++) {
        if (at != command->examples)
            fputs(".Pp\n", out);
        roff_text(out, at->why);
        roff_literal(out, at->line);
    }
    fputs(".Sh SEE ALSO\n.Xr sluice 1 ,\n.Xr sluice-errors 7\n", out);
}

static void list_options(FILE *out, const struct sl_option *options)
{
    roff_list(out);
    for (const struct sl_option *at = options; at->name; at++) {
        char macros[64], text[1024], number[64] = "", times[48] = "", standard[128] = "";
        const char *preset = at->preset ? at->preset : at->otherwise;
        snprintf(macros, sizeof macros, "Fl %s%s%s", at->name + 1, at->value ? " Ar " : "",
                 at->value ? at->value : "");
        if (at->kind == SL_OPTION_NUMBER)
            snprintf(number, sizeof number, " From %ld to %ld.", at->min, at->max);
        if (at->kind == SL_OPTION_LIST)
            snprintf(times, sizeof times, " It may be given %d times.", SL_LIST_MAX);
        if (preset)
            snprintf(standard, sizeof standard, " Default: %s.", preset);
        snprintf(text, sizeof text, "%s.%s%s%s", at->help, number, times, standard);
        roff_item(out, macros, text);
    }
    roff_list_end(out);
}

static void list_exit_codes(FILE *out)
{
    static const struct {
        int code;
        const char *text;
    } codes[] = {
#define X(code, number, text) {number, text},
        SL_EXIT_LIST(X)
#undef X
    };
    fputs(".Sh EXIT STATUS\n", out);
    roff_list(out);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        char macros[16];
        snprintf(macros, sizeof macros, "%d", codes[i].code);
        roff_item(out, macros, codes[i].text);
    }
    roff_list_end(out);
}

/* --- sluice-errors(7) ----------------------------------------------------------------------- */

static void write_errors(FILE *out)
{
    roff_begin(out, "SLUICE-ERRORS", 7, "sluice-errors",
               "what sluice and sluice-node tell when they fail");
    fputs(".Sh DESCRIPTION\n", out);
    roff_text(out, "Every failure of sluice and of sluice-node is one line that ends with one of "
                   "these identifiers in brackets. Words in capitals stand for what the line "
                   "names; the number is the exit code.");
    fputs(".Ss sluice\nOn standard error.\n", out);
    list_errors(out, sl_errors, SL_ERROR_COUNT);
    fputs(".Ss sluice-node\n", out);
    roff_text(out, "On standard error when it cannot start, else in the log. Without a number it "
                   "is a warning, and the node goes on.");
    list_errors(out, posix_errors, POSIX_ERRORS);
    fputs(".Sh SEE ALSO\n.Xr sluice 1 ,\n.Xr sluice-node 8\n", out);
}

static void list_errors(FILE *out, const struct sl_error_entry *list, unsigned len)
{
    roff_list(out);
    for (const struct sl_error_entry *error = list; error < list + len; error++) {
        char id[SL_ERROR_ID_MAX], code[16] = "", macros[64];
        const char *marks = error->marks;
        struct manual_words what = manual_expand(error->what, &marks);
        struct manual_words cure = manual_expand(error->cure, &marks);
        struct manual_words whole = {""};
        if (error->exit >= 0)
            snprintf(code, sizeof code, " Pq %d", error->exit);
        snprintf(macros, sizeof macros, "Em %s%s", sl_error_id(error, id), code);
        snprintf(whole.text, sizeof whole.text, "%.300s: %.200s.", what.text, cure.text);
        roff_item(out, macros, whole.text);
    }
    roff_list_end(out);
}

/* --- files ---------------------------------------------------------------------------------- */

static struct page_name name_page(const struct sl_subcommand *command)
{
    struct page_name name;
    snprintf(name.text, sizeof name.text, "sluice-%s", command->name);
    for (char *at = name.text; *at != '\0'; at++)
        if (*at == ' ')
            *at = '-';
    return name;
}

static FILE *open_page(const char *folder, const char *name, int section)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%d", folder, name, section);
    FILE *out = fopen(path, "w");
    if (!out)
        manual_fail(strerror(errno), path);
    return out;
}

static void close_page(FILE *out)
{
    if (fclose(out) != 0)
        manual_fail(strerror(errno), "a page");
}
