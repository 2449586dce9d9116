/* Configuration files of sluice-node: an input is the file's bytes.
 *
 * Contract: a refusal leaves the values as they were, and its message is one printable line that
 * begins with the file and a line that exists. What is accepted is allowed by its setting, stands
 * in the file, and means the same when it is written again: in the shortest way, with other line
 * ends, with blanks and comments. A key given twice, or one that nobody knows, is refused in its
 * line. Options made of it are within their limits. */
#include "config_file.h"
#include "fuzz.h"
#include "options.h"

#define NAME "node.conf"

static struct posix_values zeros, values, again;
static uint8_t text[2 * POSIX_CONFIG_MAX];

static void check_refused(const char *line, struct sl_view bytes);
static void check_accepted(struct sl_view bytes);
static void check_rewritten(const char *before, const char *equals, const char *end);
static void check_refusals(void);
static void check_options(void);
static struct sl_writer write_all(const char *before, const char *equals, const char *end);
static void add(struct sl_writer *writer, const char *word);
static bool parse(struct posix_values *out, const struct sl_writer *writer,
                  struct posix_failure *failure);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct sl_view bytes = {data, len};
    struct posix_failure failure = {.line = ""};

    values = zeros;
    if (posix_config_parse(&values, NAME, bytes, &failure))
        check_accepted(bytes);
    else
        check_refused(failure.line, bytes);
    return 0;
}

static void check_refused(const char *line, struct sl_view bytes)
{
    unsigned lines = 1, number = 0;

    FUZZ_CHECK(memcmp(&values, &zeros, sizeof values) == 0);
    FUZZ_CHECK(strncmp(line, NAME ":", strlen(NAME ":")) == 0);
    FUZZ_CHECK(strlen(line) < POSIX_FAILURE_LEN - 1);
    for (const char *at = line; *at != '\0'; at++)
        FUZZ_CHECK(*at >= ' ' && *at <= '~');
    if (bytes.len > POSIX_CONFIG_MAX)
        return;
    for (size_t i = 0; i < bytes.len; i++)
        lines += bytes.data[i] == '\n';
    FUZZ_CHECK(sscanf(line, NAME ":%u: ", &number) == 1 && number >= 1 && number <= lines);
}

static void check_accepted(struct sl_view bytes)
{
    FUZZ_CHECK(values.file != NULL && bytes.len <= POSIX_CONFIG_MAX);
    for (unsigned id = 0; id < POSIX_SETTINGS; id++) {
        const struct posix_value *value = &values.list[id];
        const size_t len = strlen(value->text);
        if (len == 0)
            continue;
        FUZZ_CHECK(len <= POSIX_VALUE_MAX && value->line >= 1);
        FUZZ_CHECK(posix_setting_allows(&posix_settings[id], value->text));
        bool is_there = false;
        for (size_t at = 0; at + len <= bytes.len && !is_there; at++)
            is_there = memcmp(bytes.data + at, value->text, len) == 0;
        FUZZ_CHECK(is_there);
    }
    check_rewritten("", "=", "\n");
    check_rewritten("# note\n\n", "=", "\r\n");
    check_rewritten("\t ", " = ", " \t# why\n");
    check_refusals();
    check_options();
}

static void check_rewritten(const char *before, const char *equals, const char *end)
{
    const struct sl_writer writer = write_all(before, equals, end);
    struct posix_failure failure;

    for (unsigned id = 0; id < POSIX_SETTINGS; id++)
        if (strlen(values.list[id].text) > POSIX_CONFIG_LINE_MAX - 32)
            return; /* the words around it might not fit into its line */
    again = zeros;
    FUZZ_CHECK(parse(&again, &writer, &failure));
    for (unsigned id = 0; id < POSIX_SETTINGS; id++)
        FUZZ_CHECK(strcmp(again.list[id].text, values.list[id].text) == 0);
}

static void check_refusals(void)
{
    struct posix_failure failure;
    char expected[32];

    for (unsigned id = 0; id < POSIX_SETTINGS; id++) {
        struct sl_writer writer = write_all("", "=", "\n");
        if (values.list[id].text[0] == '\0')
            continue;
        add(&writer, posix_settings[id].name);
        add(&writer, "=");
        add(&writer, values.list[id].text);
        again = zeros;
        FUZZ_CHECK(!parse(&again, &writer, &failure) && strstr(failure.line, "already") != NULL);
    }
    unsigned lines = 1;
    struct sl_writer writer = write_all("", "=", "\n");
    for (const uint8_t *at = writer.start; at < writer.at; at++)
        lines += *at == '\n';
    add(&writer, "at_once = 2");
    snprintf(expected, sizeof expected, NAME ":%u: ", lines);
    FUZZ_CHECK(!parse(&again, &writer, &failure));
    FUZZ_CHECK(strncmp(failure.line, expected, strlen(expected)) == 0);
    FUZZ_CHECK(strstr(failure.line, "'at-once'?") != NULL);
}

static void check_options(void)
{
    struct posix_options options;
    struct posix_failure failure = {.line = ""};
    struct sl_zones zones;

    if (!posix_options_make(&options, &values, &failure)) {
        FUZZ_CHECK(failure.line[0] != '\0');
        return;
    }
    FUZZ_CHECK(options.identity_path != NULL && options.output_name != NULL);
    FUZZ_CHECK(sl_zone_init(&zones, options.limits) == SL_OK);
    FUZZ_CHECK(options.lease_ms >= 1000 && options.lease_ms <= 63000);
    FUZZ_CHECK(options.log_level <= SL_LOG_ERROR && options.log_sink <= POSIX_LOG_JSON);
    FUZZ_CHECK(!options.use_sntp || (options.sntp_host[0] != '\0' && options.sntp_port > 0));
}

static struct sl_writer write_all(const char *before, const char *equals, const char *end)
{
    struct sl_writer writer = sl_writer_init(text, sizeof text);

    for (unsigned id = 0; id < POSIX_SETTINGS; id++) {
        if (values.list[id].text[0] == '\0')
            continue;
        add(&writer, before);
        add(&writer, posix_settings[id].name);
        add(&writer, equals);
        add(&writer, values.list[id].text);
        add(&writer, end);
    }
    return writer;
}

static void add(struct sl_writer *writer, const char *word)
{
    sl_write_view(writer, sl_view_text(word));
    FUZZ_CHECK(!writer->failed);
}

static bool parse(struct posix_values *out, const struct sl_writer *writer,
                  struct posix_failure *failure)
{
    const struct sl_view bytes = {writer->start, sl_writer_len(writer)};

    return posix_config_parse(out, NAME, bytes, failure);
}
