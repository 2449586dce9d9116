/* The command line: a subcommand, its options and its words. */
#include "ca/passphrase.h"
#include "cli/cli.h"
#include "cli/command.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEAR 2 /* letters by which a word may differ from what was meant, and less than half */

static enum sl_exit read_globals(struct sl_cli *cli, int *argc, char **argv);
static enum sl_exit use_passphrase_fd(const char *text);
static int find_command(struct sl_cli *cli, int argc, char **argv);
static enum sl_exit refuse_command(int argc, char **argv);
static enum sl_exit read_rest(struct sl_cli *cli, int argc, char **argv);
static enum sl_exit read_option(struct sl_cli *cli, int argc, char **argv, int *at);
static enum sl_exit set_value(struct sl_value *value, const struct sl_option *option,
                              const char *text);
static enum sl_exit refuse_option(const struct sl_subcommand *command, const char *word);
static enum sl_exit check_arguments(const struct sl_cli *cli);

enum sl_exit sl_cli_read(struct sl_cli *cli, int argc, char **argv)
{
    const char *root = getenv("SLUICE_SITE");
    *cli = (struct sl_cli){.site_root = root && root[0] != '\0' ? root : "site"};
    enum sl_exit code = read_globals(cli, &argc, argv);
    if (code != SL_EXIT_DONE || argc == 0)
        return code;
    int used = find_command(cli, argc, argv);
    if (!cli->command)
        return cli->wants_help && used > 0 ? SL_EXIT_DONE : refuse_command(argc, argv);
    return cli->wants_help ? SL_EXIT_DONE : read_rest(cli, argc - used, argv + used);
}

/* Take the options of every subcommand out of the words, wherever they stand before "--". */
static enum sl_exit read_globals(struct sl_cli *cli, int *argc, char **argv)
{
    int kept = 0;
    bool only_words = false;
    enum sl_exit code = SL_EXIT_DONE;
    for (int i = 0; i < *argc && code == SL_EXIT_DONE; i++) {
        only_words = only_words || strcmp(argv[i], "--") == 0;
        if (!only_words && strcmp(argv[i], "--help") == 0) {
            cli->wants_help = true;
        } else if (!only_words && strncmp(argv[i], "--site=", 7) == 0) {
            cli->site_root = argv[i] + 7;
        } else if (!only_words && strcmp(argv[i], "--site") == 0) {
            cli->site_root = i + 1 < *argc ? argv[++i] : "";
        } else if (!only_words && strncmp(argv[i], "--passphrase-fd=", 16) == 0) {
            code = use_passphrase_fd(argv[i] + 16);
        } else if (!only_words && strcmp(argv[i], "--passphrase-fd") == 0) {
            code = use_passphrase_fd(i + 1 < *argc ? argv[++i] : "");
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
    if (kept == 1 && strcmp(argv[0], "--version") == 0) {
        cli->wants_version = true;
        *argc = 0;
    }
    if (code == SL_EXIT_DONE && cli->site_root[0] == '\0')
        code = sl_cli_fail(SL_ERROR(SITE_UNNAMED));
    return code;
}

static enum sl_exit use_passphrase_fd(const char *text)
{
    long fd = 0;
    if (!sl_cli_read_number(text, 0, 65535, &fd))
        return sl_cli_fail(SL_ERROR(PASSPHRASE_FD_BAD), text);
    sl_passphrase_use_fd((int)fd);
    return SL_EXIT_DONE;
}

/* Gives: how many words name the command; without a command 1 when the first of two is known. */
static int find_command(struct sl_cli *cli, int argc, char **argv)
{
    int used = 0;
    for (size_t i = 0; sl_commands[i] && !cli->command; i++) {
        const char *name = sl_commands[i]->name, *space = strchr(name, ' ');
        size_t first_len = space ? (size_t)(space - name) : strlen(name);
        if (strlen(argv[0]) != first_len || memcmp(argv[0], name, first_len) != 0)
            continue;
        used = 1;
        if (!space || (argc > 1 && strcmp(argv[1], space + 1) == 0)) {
            cli->command = sl_commands[i];
            used = space ? 2 : 1;
        }
    }
    return used;
}

/* The words may be nearly those of a subcommand, or the first of two. */
static enum sl_exit refuse_command(int argc, char **argv)
{
    char seconds[64] = "", both[64];
    size_t len = strlen(argv[0]), used = 0;
    const char *nearest = NULL;
    unsigned least = NEAR + 1;

    snprintf(both, sizeof both, "%s %s", argv[0], argc > 1 ? argv[1] : "");
    for (size_t i = 0; sl_commands[i]; i++) {
        const char *name = sl_commands[i]->name;
        if (strncmp(name, argv[0], len) == 0 && name[len] == ' ')
            used += (size_t)snprintf(seconds + used, sizeof seconds - used, "%s%s",
                                     used ? ", " : "", name + len + 1);
        unsigned distance = sl_cli_distance(strchr(name, ' ') ? both : argv[0], name);
        if (distance < least && 2 * distance < strlen(name)) {
            least = distance;
            nearest = name;
        }
    }
    if (nearest)
        return sl_cli_fail(SL_ERROR(SUBCOMMAND_MISSPELT), strchr(nearest, ' ') ? both : argv[0],
                           nearest);
    return used > 0 ? sl_cli_fail(SL_ERROR(SUBCOMMAND_HALF), argv[0], seconds)
                    : sl_cli_fail(SL_ERROR(SUBCOMMAND_UNKNOWN), argv[0]);
}

static enum sl_exit read_rest(struct sl_cli *cli, int argc, char **argv)
{
    const struct sl_subcommand *command = cli->command;
    size_t words_max = 0;
    bool only_words = false;

    while (command->arguments && command->arguments[words_max].name)
        words_max++;
    for (size_t i = 0; command->options && command->options[i].name; i++) {
        const struct sl_option *option = &command->options[i];
        cli->values[i].text = option->preset;
        if (option->preset && option->kind == SL_OPTION_NUMBER)
            cli->values[i].number = strtol(option->preset, NULL, 10);
    }
    for (int i = 0; i < argc; i++) {
        /* "-5" is a word: numbers are checked where their meaning is known. */
        if (!only_words && strncmp(argv[i], "--", 2) == 0) {
            only_words = argv[i][2] == '\0';
            enum sl_exit code = only_words ? SL_EXIT_DONE : read_option(cli, argc, argv, &i);
            if (code != SL_EXIT_DONE)
                return code;
        } else if (cli->words_len == words_max) {
            return sl_cli_fail(SL_ERROR(ARGUMENT_EXTRA), argv[i], command->name);
        } else {
            cli->words[cli->words_len++] = argv[i];
        }
    }
    return check_arguments(cli);
}

/* at: its place, afterwards that of its value. */
static enum sl_exit read_option(struct sl_cli *cli, int argc, char **argv, int *at)
{
    const struct sl_option *options = cli->command->options;
    const char *word = argv[*at], *equals = strchr(word, '=');
    size_t name_len = equals ? (size_t)(equals - word) : strlen(word), i = 0;

    while (options && options[i].name &&
           (strlen(options[i].name) != name_len || memcmp(options[i].name, word, name_len) != 0))
        i++;
    if (!options || !options[i].name)
        return refuse_option(cli->command, word);
    const struct sl_option *option = &options[i];
    const char *text = equals ? equals + 1 : NULL;
    if (option->kind == SL_OPTION_FLAG && text)
        return sl_cli_fail(SL_ERROR(OPTION_VALUE_UNWANTED), option->name, option->name);
    if (option->kind != SL_OPTION_FLAG && !text && *at + 1 == argc)
        return sl_cli_fail(SL_ERROR(OPTION_VALUE_MISSING), option->name, cli->command->name);
    if (option->kind != SL_OPTION_FLAG && !text)
        text = argv[++*at];
    return set_value(&cli->values[i], option, text);
}

static enum sl_exit set_value(struct sl_value *value, const struct sl_option *option,
                              const char *text)
{
    if (option->kind == SL_OPTION_NUMBER &&
        !sl_cli_read_number(text, option->min, option->max, &value->number))
        return sl_cli_fail(SL_ERROR(OPTION_VALUE_BAD), text, option->name, option->min,
                           option->max);
    if (option->kind == SL_OPTION_LIST && value->list_len == SL_LIST_MAX)
        return sl_cli_fail(SL_ERROR(OPTION_TOO_OFTEN), option->name, SL_LIST_MAX);
    if (option->kind == SL_OPTION_LIST)
        value->list[value->list_len++] = text;
    value->text = text;
    value->is_given = true;
    return SL_EXIT_DONE;
}

static enum sl_exit refuse_option(const struct sl_subcommand *command, const char *word)
{
    char name[64];
    const char *nearest = NULL;
    unsigned least = NEAR + 1;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    for (size_t i = 0; command->options && command->options[i].name; i++) {
        unsigned distance = sl_cli_distance(name, command->options[i].name);
        if (distance < least) {
            least = distance;
            nearest = command->options[i].name;
        }
    }
    return nearest ? sl_cli_fail(SL_ERROR(OPTION_MISSPELT), word, nearest, command->name)
                   : sl_cli_fail(SL_ERROR(OPTION_UNKNOWN), word, command->name);
}

static enum sl_exit check_arguments(const struct sl_cli *cli)
{
    const struct sl_argument *arguments = cli->command->arguments;
    const struct sl_argument *next = arguments ? &arguments[cli->words_len] : NULL;
    if (!next || !next->name || next->is_optional)
        return SL_EXIT_DONE;
    return sl_cli_fail(SL_ERROR(ARGUMENT_MISSING), next->name, cli->command->name,
                       sl_help_synopsis(cli->command).text);
}

bool sl_cli_read_number(const char *text, long min, long max, long *number)
{
    if (text[0] != '-' && (text[0] < '0' || text[0] > '9'))
        return false; /* strtol would skip blanks and take a plus */
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < min || value > max)
        return false;
    *number = value;
    return true;
}

/* Optimal string alignment: three rows of the table suffice. */
unsigned sl_cli_distance(const char *a, const char *b)
{
    enum { MAX = 40 };
    size_t a_len = strlen(a), b_len = strlen(b);
    unsigned rows[3][MAX + 1] = {{0}};
    if (a_len > MAX || b_len > MAX)
        return MAX;
    for (size_t k = 0; k <= b_len; k++)
        rows[0][k] = (unsigned)k;
    for (size_t i = 1; i <= a_len; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t k = 1; k <= b_len; k++) {
            unsigned least = above[k - 1] + (a[i - 1] != b[k - 1]);
            if (above[k] + 1 < least)
                least = above[k] + 1;
            if (row[k - 1] + 1 < least)
                least = row[k - 1] + 1;
            bool is_swapped = i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1];
            if (is_swapped && two_above[k - 2] + 1 < least)
                least = two_above[k - 2] + 1;
            row[k] = least;
        }
    }
    return rows[a_len % 3][b_len];
}
