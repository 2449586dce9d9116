/* --help, from the table of subcommands. */
#include "cli/command.h"
#include <stdio.h>
#include <string.h>

#define WIDTH 80 /* a line has fewer */

/* The map of the program. */
const struct sl_subcommand *const sl_commands[] = {
    &sl_command_init,
    &sl_command_node_add,
    &sl_command_node_enrol,
    &sl_command_node_list,
    &sl_command_node_revoke,
    &sl_command_renew,
    &sl_command_broker_run,
    &sl_command_broker_install,
    &sl_command_broker_check,
    &sl_command_broker_apply,
    &sl_command_broker_move,
    &sl_command_maintain,
    &sl_command_operator_renew,
    &sl_command_ca_passphrase,
    &sl_command_ca_roll,
    &sl_command_ca_log,
    &sl_command_ca_offline,
    &sl_command_ca_request,
    &sl_command_ca_sign,
    &sl_command_ca_accept,
    &sl_command_backup,
    &sl_command_restore,
    &sl_command_on,
    &sl_command_off,
    &sl_command_status,
    &sl_command_watch,
    &sl_command_doctor,
    &sl_command_client_args,
    &sl_command_completion,
    &sl_command_demo,
    NULL,
};

const struct sl_option sl_global_options[] = {
    {.name = "--site",
     .kind = SL_OPTION_TEXT,
     .value = "DIR",
     .help = "the site's folder",
     .otherwise = "$SLUICE_SITE, else ./site",
     .offer = SL_OFFER_FOLDERS},
    {.name = "--passphrase-fd",
     .kind = SL_OPTION_NUMBER,
     .value = "N",
     .min = 0,
     .max = 65535,
     .help = "read the passphrase that the command needs from this open file",
     .otherwise = "$SLUICE_PASSPHRASE_FILE, a credential, the terminal"},
    {.name = "--help", .help = "this text, or that of a subcommand"},
    {.name = "--version", .help = "the version"},
    {.name = NULL},
};

static void print_options(FILE *out, const struct sl_option *options);
static void print_entry(FILE *out, const char *name, const char *value, size_t width,
                        const char *help);
static void print_text(FILE *out, const char *text, size_t indent, size_t column);

struct sl_synopsis sl_help_synopsis(const struct sl_subcommand *command)
{
    struct sl_synopsis synopsis = {""};
    size_t len = 0;
    for (size_t i = 0; command->arguments && command->arguments[i].name; i++) {
        bool is_optional = command->arguments[i].is_optional;
        len += (size_t)snprintf(synopsis.text + len, sizeof synopsis.text - len, "%s%s%s%s",
                                len ? " " : "", is_optional ? "[" : "", command->arguments[i].name,
                                is_optional ? "]" : "");
    }
    if (command->options)
        snprintf(synopsis.text + len, sizeof synopsis.text - len, "%s[options]", len ? " " : "");
    return synopsis;
}

void sl_help_print(const struct sl_subcommand *command)
{
    size_t width = 0;
    const struct sl_synopsis synopsis = sl_help_synopsis(command);
    printf("usage: sluice [--site DIR] %s%s%s\n\n%s.\n\n", command->name,
           synopsis.text[0] != '\0' ? " " : "", synopsis.text, command->summary);
    for (size_t i = 0; command->arguments && command->arguments[i].name; i++)
        if (strlen(command->arguments[i].name) > width)
            width = strlen(command->arguments[i].name);
    for (size_t i = 0; command->arguments && command->arguments[i].name; i++)
        print_entry(stdout, command->arguments[i].name, NULL, width, command->arguments[i].help);
    if (command->arguments)
        putchar('\n');
    if (command->options) {
        print_options(stdout, command->options);
        putchar('\n');
    }
    if (command->text) {
        print_text(stdout, command->text, 0, 0);
        putchar('\n');
    }
    puts("examples:");
    for (const struct sl_example *example = command->examples; example->line; example++) {
        print_text(stdout, example->why, 2, 0);
        printf("      %s\n", example->line);
    }
}

void sl_help_print_overview(bool is_error)
{
    FILE *out = is_error ? stderr : stdout;
    fputs("usage: sluice [--site DIR] SUBCOMMAND ...\n\n", out);
    for (size_t i = 0; sl_commands[i]; i++) {
        char line[160];
        snprintf(line, sizeof line, "%s %s", sl_commands[i]->name,
                 sl_help_synopsis(sl_commands[i]).text);
        fprintf(out, "  %-34s %s\n", line, sl_commands[i]->summary);
    }
    fputc('\n', out);
    print_options(out, sl_global_options);
    fputs("\nexit codes: 0 done, 1 refused, 2 usage, 3 no answer or offline, 4 local files,\n"
          "  5 doctor found warnings, 6 doctor found errors\n\n"
          "example: sluice init && sluice node add garden && sluice broker run\n",
          out);
}

static void print_options(FILE *out, const struct sl_option *options)
{
    size_t width = 0;
    for (size_t i = 0; options[i].name; i++) {
        size_t len = strlen(options[i].name);
        len += options[i].value ? strlen(options[i].value) + 1 : 0;
        width = len > width ? len : width;
    }
    for (size_t i = 0; options[i].name; i++) {
        const struct sl_option *option = &options[i];
        char help[512], range[64] = "", preset[80] = "";
        if (option->preset || option->otherwise)
            snprintf(preset, sizeof preset, " (default: %s)",
                     option->preset ? option->preset : option->otherwise);
        if (option->kind == SL_OPTION_NUMBER)
            snprintf(range, sizeof range, ", %ld to %ld", option->min, option->max);
        if (option->kind == SL_OPTION_LIST)
            snprintf(range, sizeof range, ", up to %d times", SL_LIST_MAX);
        snprintf(help, sizeof help, "%s%s%s", option->help, range, preset);
        print_entry(out, option->name, option->value, width, help);
    }
}

static void print_entry(FILE *out, const char *name, const char *value, size_t width,
                        const char *help)
{
    int column = fprintf(out, "  %s%s%s", name, value ? " " : "", value ? value : "");
    int gap = (int)width + 4 - column;
    fprintf(out, "%*s", gap > 0 ? gap : 1, "");
    print_text(out, help, width + 4, width + 4);
}

/* Words in lines; column: where the first line stands already. */
static void print_text(FILE *out, const char *text, size_t indent, size_t column)
{
    while (*text != '\0') {
        size_t blanks = strspn(text, " \n"), len;
        bool is_new = strncmp(text, "\n\n", 2) == 0;
        text += blanks;
        len = strcspn(text, " \n");
        if (is_new || (column > indent && column + 1 + len >= WIDTH)) {
            fputs(is_new ? "\n\n" : "\n", out);
            column = 0;
        }
        int gap = column < indent ? (int)(indent - column) : column > indent ? 1 : 0;
        fprintf(out, "%*s%.*s", gap, "", (int)len, text);
        column += (size_t)gap + len;
        text += len;
    }
    fputc('\n', out);
}
