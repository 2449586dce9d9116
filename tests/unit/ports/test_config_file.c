/* The configuration file, the table of settings, and what becomes of both on a command line. */
#include "config_file.h"
#include "options.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct posix_values values;
static struct posix_failure failure;

static bool parse_bytes(const void *bytes, size_t len)
{
    values = (struct posix_values){.file = NULL};
    failure.line[0] = '\0';
    return posix_config_parse(&values, "node.conf", (struct sl_view){bytes, len}, &failure);
}

static bool parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

static void every_setting_is_whole(void **state)
{
    char allowed[128];

    (void)state;
    for (unsigned id = 0; id < POSIX_SETTINGS; id++) {
        const struct posix_setting *setting = &posix_settings[id];
        assert_non_null(setting->name);
        assert_ptr_equal(posix_setting_find(setting->name, strlen(setting->name)), setting);
        assert_non_null(setting->about);
        assert_true(posix_setting_allows(setting, setting->example));
        assert_false(posix_setting_allows(setting, ""));
        assert_true(!setting->standard || posix_setting_allows(setting, setting->standard));
        assert_true(id == POSIX_IDENTITY || setting->standard || setting->without);
        posix_setting_describe(setting, allowed, sizeof allowed);
        assert_true(strlen(allowed) > 0 && strlen(allowed) < sizeof allowed - 1);
    }
}

static void lines_are_read(void **state)
{
    (void)state;
    assert_true(parse("# a garden\n"
                      "\n"
                      "identity=/etc/a#b\n"
                      "  at-once\t=  2  # two beds\r\n"
                      "sntp = [fd00::1]:1123\n"
                      "log-level = warning"));
    assert_string_equal(values.list[POSIX_IDENTITY].text, "/etc/a#b");
    assert_int_equal(values.list[POSIX_IDENTITY].line, 3);
    assert_string_equal(values.list[POSIX_AT_ONCE].text, "2");
    assert_string_equal(values.list[POSIX_SNTP].text, "[fd00::1]:1123");
    assert_string_equal(values.list[POSIX_LOG_LEVEL].text, "warning");
    assert_int_equal(values.list[POSIX_LOG_LEVEL].line, 6);
    assert_string_equal(values.file, "node.conf");
    assert_true(parse(""));
}

static void what_is_wrong_is_said_with_line_key_and_cure(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"\nat_once = 2",
         "node.conf:2: 'at_once' is no setting: did you mean 'at-once'? [setting-misspelt]"},
        {"help = x",
         "node.conf:1: 'help' is no setting: 'sluice-node --help' lists them [setting-unknown]"},
        {"colour = red",
         "node.conf:1: 'colour' is no setting: 'sluice-node --help' lists them [setting-unknown]"},
        {"at-once = 9",
         "node.conf:1: '9' is no value of at-once: give a number from 1 to 8 [value-bad]"},
        {"at-once = -1",
         "node.conf:1: '-1' is no value of at-once: give a number from 1 to 8 [value-bad]"},
        {"at-once = 2 3",
         "node.conf:1: '2 3' is no value of at-once: give a number from 1 to 8 [value-bad]"},
        {"longest = 99999999999999999999", "node.conf:1: '99999999999999999999' is no value of "
                                           "longest: give a number from 1 to 14400 [value-bad]"},
        {"lease =", "node.conf:1: '' is no value of lease: give a number from 1 to 63 [value-bad]"},
        {"lease=#5",
         "node.conf:1: '' is no value of lease: give a number from 1 to 63 [value-bad]"},
        {"log-level = loud", "node.conf:1: 'loud' is no value of log-level: give debug, info, "
                             "warning or error [value-bad]"},
        {"gpio = gpiochip0:1,1", "node.conf:1: 'gpiochip0:1,1' is no value of gpio: give "
                                 "CHIP:LINE[,LINE...], 1 to 8 different lines, "
                                 "zone 0 first [value-bad]"},
        {"sntp = host:0", "node.conf:1: 'host:0' is no value of sntp: give HOST, HOST:PORT or "
                          "[ADDRESS]:PORT, with a port from 1 "
                          "to 65535 (123) [value-bad]"},
        {"lease = 5\n\nlease = 5",
         "node.conf:3: 'lease' was given in line 1 already: keep one of them [setting-twice]"},
        {"state = \"/var\"", "node.conf:1: the value \"/var\" of state has quotes: write it "
                             "without them [value-quoted]"},
        {"state", "node.conf:1: '=' is missing: write key = value [line-no-setting]"},
        {"\033[2J = 1",
         "node.conf:1: the line holds a control character: write plain text [line-no-text]"},
        {"\xC3\xBC = 1",
         "node.conf:1: '?\?' is no setting: 'sluice-node --help' lists them [setting-unknown]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(parse(cases[i].text));
        assert_string_equal(failure.line, cases[i].message);
        assert_null(values.file);
    }
    assert_false(parse_bytes("lease\0= 5", 9));
    assert_string_equal(
        failure.line,
        "node.conf:1: the line holds a control character: write plain text [line-no-text]");
}

static void lengths_have_an_end(void **state)
{
    static char text[POSIX_CONFIG_MAX + 1];

    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text, "state = ", 8);
    assert_true(parse_bytes(text, POSIX_CONFIG_LINE_MAX));
    assert_int_equal(strlen(values.list[POSIX_STATE].text), POSIX_CONFIG_LINE_MAX - 8);
    assert_false(parse_bytes(text, POSIX_CONFIG_LINE_MAX + 1));
    assert_string_equal(
        failure.line,
        "node.conf:1: the line is longer than 1023 bytes: shorten it [line-too-long]");
    memset(text, '\n', sizeof text);
    assert_true(parse_bytes(text, POSIX_CONFIG_MAX));
    assert_false(parse_bytes(text, POSIX_CONFIG_MAX + 1));
    assert_string_equal(failure.line, "node.conf: larger than 16384 bytes, so it is no "
                                      "configuration: name another file [config-too-large]");
}

static void settings_must_go_together(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"chip = c", "--identity FILE is missing: give it here, or as 'identity = FILE' in "
                     "node.conf [identity-unnamed]"},
        {"identity = i", "--chip, --spi, --gpio or --raw is missing: give one of them, here or in "
                         "node.conf [output-unnamed]"},
        {"identity = i\nchip = c\nraw = r",
         "more than one of --chip, --spi, --gpio and --raw is given: keep one of them, here or in "
         "node.conf [output-twice]"},
        {"identity = i\nchip = c\nlongest = 60\ndefault = 61",
         "'default' (61 s) is above 'longest' (60 s): lower the one, or raise the other "
         "[default-above-longest]"},
    };
    struct posix_options options;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(parse(cases[i].text));
        assert_false(posix_options_make(&options, &values, &failure));
        assert_string_equal(failure.line, cases[i].message);
    }
    assert_true(parse("identity = i\nchip = c\nlongest = 60"));
    assert_true(posix_options_make(&options, &values, &failure));
    assert_int_equal(options.limits.default_s, 60);
    assert_int_equal(options.limits.at_once, 1);
    assert_int_equal(options.lease_ms, 10000);
    assert_int_equal(options.log_level, SL_LOG_INFO);
    assert_int_equal(options.log_sink, POSIX_LOG_AUTO);
    assert_false(options.use_sntp);
    assert_int_equal(options.limits.zones, 0);
    assert_true(parse("identity = i\ngpio = gpiochip0:4,5,6"));
    assert_true(posix_options_make(&options, &values, &failure));
    assert_int_equal(options.limits.zones, 3);
}

static enum posix_options_verdict command(struct posix_options *options, const char *const *args)
{
    char *argv[16] = {(char *)"sluice-node"};
    int argc = 1;

    for (; args[argc - 1]; argc++)
        argv[argc] = (char *)args[argc - 1];
    return posix_options_parse(options, &values, argc, argv, &failure);
}

static void check_failed(const char *const *args, enum posix_exit code, const char *end)
{
    struct posix_options options;

    failure = (struct posix_failure){.line = ""};
    assert_int_equal(command(&options, args), POSIX_OPTIONS_FAILED);
    assert_int_equal(failure.exit, code);
    const size_t len = strlen(failure.line), end_len = strlen(end);
    if (len < end_len || strcmp(failure.line + len - end_len, end) != 0)
        fail_msg("'%s' does not end with %s", failure.line, end);
}

static void the_command_line_beats_the_file(void **state)
{
    char folder[] = "/tmp/sluice-config-XXXXXX", path[64];
    struct posix_options options;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/node.conf", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("identity = i\nspi = /dev/spidev0.0\nlease = 5\nlog = json\nsntp = a:1\n", file);
    fclose(file);

    const char *const plain[] = {"--config", path, NULL};
    assert_int_equal(command(&options, plain), POSIX_OPTIONS_RUN);
    assert_int_equal(options.output, POSIX_OUTPUT_SPI);
    assert_int_equal(options.lease_ms, 5000);
    assert_int_equal(options.log_sink, POSIX_LOG_JSON);
    assert_int_equal(options.sntp_port, 1);
    const char *const more[] = {"--lease", "7", "--config", path,         "--chip", "c",
                                "--lease", "8", "--sntp",   "[::1]:1123", NULL};
    assert_int_equal(command(&options, more), POSIX_OPTIONS_RUN);
    assert_int_equal(options.output, POSIX_OUTPUT_SOCKET);
    assert_string_equal(options.output_name, "c");
    assert_int_equal(options.lease_ms, 8000);
    assert_string_equal(options.sntp_host, "::1");
    assert_int_equal(values.list[POSIX_LEASE].line, 0);
    assert_int_equal(values.list[POSIX_LOG].line, 4);

    assert_int_equal(chmod(path, 0666), 0);
    check_failed(plain, POSIX_EXIT_LOCAL, "[config-open]");
    assert_int_equal(unlink(path), 0);
    check_failed(plain, POSIX_EXIT_LOCAL, "[config-unreadable]");
    assert_int_equal(mkfifo(path, 0600), 0);
    check_failed(plain, POSIX_EXIT_LOCAL, "[config-no-file]");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_is_whole),
        cmocka_unit_test(lines_are_read),
        cmocka_unit_test(what_is_wrong_is_said_with_line_key_and_cure),
        cmocka_unit_test(lengths_have_an_end),
        cmocka_unit_test(settings_must_go_together),
        cmocka_unit_test(the_command_line_beats_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
