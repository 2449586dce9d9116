/* The CLI's tables: subcommands, options, examples, errors. Each line of them is looked at. */
#include "cli/cli.h"
#include "cli/command.h"
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ARGS_MAX 16

/* The parser keeps pointers into the words. */
struct line {
    char text[256];
    char *argv[ARGS_MAX];
    int argc;
};

static struct line split(const char *text)
{
    struct line line = {.argc = 0};
    int len = snprintf(line.text, sizeof line.text, "%s", text);
    assert_true(len >= 0 && (size_t)len < sizeof line.text);
    return line;
}

/* One simple command with its quotes; nothing of a shell is left in it. */
static void cut(struct line *line)
{
    char *to = line->text;
    const char *from = line->text;
    while (*from != '\0') {
        from += strspn(from, " ");
        if (*from == '\0')
            break;
        assert_true(line->argc < ARGS_MAX);
        line->argv[line->argc++] = to;
        char quote = '\0';
        for (; *from != '\0' && (quote != '\0' || *from != ' '); from++) {
            if (quote == '\0' && (*from == '\'' || *from == '"'))
                quote = *from;
            else if (*from == quote)
                quote = '\0';
            else
                *to++ = *from;
        }
        assert_int_equal(quote, '\0');
        from += *from == ' ';
        *to++ = '\0';
    }
}

static enum sl_exit read_line(const char *text, struct line *line, struct sl_cli *cli)
{
    *line = split(text);
    cut(line);
    return sl_cli_read(cli, line->argc, line->argv);
}

static void test_every_subcommand_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; sl_commands[i]; i++) {
        const struct sl_subcommand *command = sl_commands[i];
        size_t options = 0, words = 0;
        bool was_optional = false;
        assert_non_null(command->run);
        assert_non_null(command->examples);
        assert_non_null(command->examples[0].line);
        assert_true(command->text || command->manual);
        assert_true(islower((unsigned char)command->summary[0]));
        assert_int_not_equal(command->summary[strlen(command->summary) - 1], '.');
        for (const struct sl_option *at = command->options; at && at->name; at++, options++) {
            long number;
            assert_memory_equal(at->name, "--", 2);
            assert_non_null(at->help);
            assert_int_equal(at->kind == SL_OPTION_FLAG, at->value == NULL);
            assert_int_equal(at->offer == SL_OFFER_CHOICES, at->choices != NULL);
            if (at->kind == SL_OPTION_NUMBER)
                assert_true(at->min < at->max);
            if (at->kind == SL_OPTION_NUMBER && at->preset)
                assert_true(sl_cli_read_number(at->preset, at->min, at->max, &number));
            for (const struct sl_option *other = command->options; other != at; other++)
                assert_string_not_equal(other->name, at->name);
        }
        for (const struct sl_argument *at = command->arguments; at && at->name; at++, words++) {
            assert_non_null(at->help);
            assert_false(was_optional && !at->is_optional);
            assert_int_equal(at->offer == SL_OFFER_CHOICES, at->choices != NULL);
            was_optional = at->is_optional;
        }
        assert_true(options <= SL_OPTIONS_MAX && words <= SL_WORDS_MAX);
    }
}

/* Up to what a shell takes as the end of the command. */
static void check_sluice(const char *at, const struct sl_subcommand *command)
{
    char text[256];
    struct line line;
    struct sl_cli cli;
    snprintf(text, sizeof text, "%.*s", (int)strcspn(at, "|&>)"), at);
    if (read_line(text, &line, &cli) != SL_EXIT_DONE || cli.command != command)
        fail_msg("sluice %s: the example 'sluice %s' is refused or of another subcommand",
                 command->name, text);
}

static void test_every_example_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; sl_commands[i]; i++) {
        for (const struct sl_example *at = sl_commands[i]->examples; at->line; at++) {
            const char *ours = strstr(at->line, "sluice ");
            assert_non_null(at->why);
            assert_non_null(ours);
            check_sluice(ours + 7, sl_commands[i]);
        }
    }
}

static void test_values_are_read(void **state)
{
    (void)state;
    struct line line;
    struct sl_cli cli;
    assert_int_equal(read_line("--site=x on garden --timeout 3 2 -5 --json", &line, &cli),
                     SL_EXIT_DONE);
    assert_ptr_equal(cli.command, &sl_command_on);
    assert_string_equal(cli.site_root, "x");
    assert_int_equal(cli.words_len, 3);
    assert_string_equal(cli.words[2], "-5");
    assert_int_equal(cli.values[0].number, 3);
    assert_true(cli.values[2].is_given);
    assert_false(cli.values[1].is_given);

    assert_int_equal(read_line("init --operator a --operator=b", &line, &cli), SL_EXIT_DONE);
    assert_string_equal(cli.values[0].text, "sluice-broker"); /* the preset */
    assert_int_equal(cli.values[2].number, 8883);
    assert_false(cli.values[2].is_given);
    assert_int_equal(cli.values[4].list_len, 2);
    assert_string_equal(cli.values[4].list[1], "b");

    assert_int_equal(read_line("node add -- --help", &line, &cli), SL_EXIT_DONE);
    assert_false(cli.wants_help);
    assert_string_equal(cli.words[0], "--help");
    assert_int_equal(read_line("off garden all --help --nonsense", &line, &cli), SL_EXIT_DONE);
    assert_true(cli.wants_help);
    assert_int_equal(read_line("", &line, &cli), SL_EXIT_DONE);
    assert_null(cli.command);
}

static void test_wrong_lines_are_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "on",
        "on garden 2",
        "on garden 2 3 4",
        "on garden 2 3 --timeout",
        "init --port 0",
        "init --port 65536",
        "init --port=",
        "init --port ' 1'",
        "init --json=1",
        "init --jso",
        "node",
        "nod add x",
        "broker",
        "on --site",
        "status --site= --json",
        "--frob",
        "init --operator 1 --operator 2 --operator 3 --operator 4 --operator 5 --operator 6",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct line line;
        struct sl_cli cli;
        bool is_last = i + 1 == sizeof lines / sizeof lines[0]; /* six are not too many */
        assert_int_equal(read_line(lines[i], &line, &cli), is_last ? SL_EXIT_DONE : SL_EXIT_USAGE);
    }
}

static void test_distance(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        unsigned distance;
    } pairs[] = {{"", "", 0},
                 {"on", "", 2},
                 {"status", "status", 0},
                 {"stauts", "status", 1},
                 {"wach", "watch", 1},
                 {"--porrt", "--port", 1},
                 {"off", "on", 2},
                 {"node lst", "node list", 1},
                 {"ab", "ba", 1}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_int_equal(sl_cli_distance(pairs[i].a, pairs[i].b), pairs[i].distance);
        assert_int_equal(sl_cli_distance(pairs[i].b, pairs[i].a), pairs[i].distance);
    }
}

static size_t count_marks(const char *format)
{
    size_t marks = 0;
    for (; *format != '\0'; format++)
        marks += *format == '%';
    return marks;
}

static void test_every_error_names_thing_and_cure(void **state)
{
    (void)state;
    for (unsigned error = 0; error < SL_ERROR_COUNT; error++) {
        const struct sl_error_entry *at = &sl_errors[error];
        char id[SL_ERROR_ID_MAX], other[SL_ERROR_ID_MAX];
        size_t names = at->marks[0] != '\0';
        for (const char *c = at->marks; *c != '\0'; c++)
            names += *c == ' ';
        if (count_marks(at->what) + count_marks(at->cure) != names)
            fail_msg("%s: marks and their names differ in number", at->name);
        assert_true(strlen(at->name) < SL_ERROR_ID_MAX);
        assert_true(strlen(at->what) > 8 && strlen(at->cure) >= 2);
        assert_int_not_equal(at->exit, SL_EXIT_DONE);
        assert_null(strchr(at->what, '\n'));
        assert_int_not_equal(at->cure[strlen(at->cure) - 1], '.');
        sl_error_id(at, id);
        assert_int_equal(strspn(id, "abcdefghijklmnopqrstuvwxyz-"), strlen(id));
        for (unsigned before = 0; before < error; before++)
            assert_string_not_equal(id, sl_error_id(&sl_errors[before], other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_subcommand_is_whole),
        cmocka_unit_test(test_every_example_is_read),
        cmocka_unit_test(test_values_are_read),
        cmocka_unit_test(test_wrong_lines_are_refused),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_every_error_names_thing_and_cure),
    };
    unsetenv("SLUICE_SITE");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
