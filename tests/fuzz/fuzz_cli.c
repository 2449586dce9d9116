/* The CLI between a broker's messages and a person's terminal: status, watch, on and off run whole,
 * with a scripted connection in place of talk.c and one node in place of a site's files.
 *
 * Contract: whatever a node or a broker says, only printable lines reach the terminal, and with
 * --json only JSON, of which the live picture makes printable cells; a command is "done" only after
 * an answer with its own correlation that was not kept by the broker. The first byte chooses the
 * command; then messages, one after the other. */
#include "fuzz.h"
#include "tools/sluice/cli/command.h"
#include "tools/sluice/site/ends.h"
#include "tools/sluice/talk/talk.h"
#include "tools/sluice/view/picture.h"
#include <cjson/cJSON.h>

#define BASE "irrigation/garden"

/* In place of site.c's and libc's own, by the linker (--wrap). */
enum sl_exit __wrap_sl_site_open(const char *root, struct sl_site *site);
enum sl_exit __wrap_sl_site_find_nodes(const struct sl_site *site, const char *name,
                                       struct sl_site_nodes *nodes);
void __wrap_sl_site_free_nodes(struct sl_site_nodes *nodes);
enum sl_exit __wrap_sl_crl_mark(const struct sl_site *site, struct sl_site_nodes *nodes,
                                uint64_t *not_after_s);
enum sl_exit __wrap_sl_ends_read(const struct sl_site *site, const struct sl_site_nodes *nodes,
                                 struct sl_ends *ends);
int __wrap_isatty(int fd);

struct sl_talk {
    struct sl_reader script;
    sl_talk_receive receive;
    void *context;
    char correlation[SL_CORRELATION_LEN + 1];
    bool was_answered; /* by something that may be an answer */
};

static struct sl_talk talk;
static struct sl_site_node node = {.name = "garden", .base = BASE, .host = "h", .port = 8883};

static const struct {
    const char *words[5];
    bool is_json, is_request;
} commands[] = {
    {{"status", NULL}, false, false},
    {{"status", "--json", NULL}, true, false},
    {{"watch", "--for", "1", NULL}, false, false},
    {{"watch", "--for", "1", "--json", NULL}, true, false},
    {{"on", "garden", "2", "120", NULL}, false, true},
    {{"on", "garden", "2", "0", NULL}, false, true},
    {{"off", "garden", "2", NULL}, false, true},
    {{"off", "garden", NULL}, false, true},
    {{"status", "garden", NULL}, false, false},
    {{"off", "garden", "2", "--json", NULL}, true, true},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void check_output(char *text, bool is_json);
static void check_picture(const char *text);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    talk = (struct sl_talk){.script = sl_reader_init((struct sl_view){data, len})};
    size_t chosen = fuzz_u8(&talk.script) % COMMANDS;
    char words[5][8], *argv[5];
    int argc = 0;
    for (; argc < 5 && commands[chosen].words[argc] != NULL; argc++) {
        snprintf(words[argc], sizeof words[argc], "%s", commands[chosen].words[argc]);
        argv[argc] = words[argc];
    }

    FILE *out = stdout, *err = stderr;
    char *printed = NULL, *told = NULL;
    size_t printed_len = 0, told_len = 0;
    stdout = open_memstream(&printed, &printed_len);
    stderr = open_memstream(&told, &told_len);
    struct sl_cli cli;
    enum sl_exit code = sl_cli_read(&cli, argc, argv);
    FUZZ_CHECK(code == SL_EXIT_DONE);
    code = cli.command->run(&cli);
    fclose(stdout);
    fclose(stderr);
    stdout = out;
    stderr = err;

    FUZZ_CHECK(strlen(printed) == printed_len && strlen(told) == told_len);
    check_output(told, false);
    if (commands[chosen].is_json)
        check_picture(printed);
    check_output(printed, commands[chosen].is_json);
    FUZZ_CHECK(code <= SL_EXIT_FILES);
    if (commands[chosen].is_request)
        FUZZ_CHECK(code != SL_EXIT_DONE || (talk.was_answered && printed_len > 0));
    FUZZ_CHECK(code == SL_EXIT_DONE || printed_len + told_len > 0); /* never silent about it */
    free(printed);
    free(told);
    return 0;
}

static void check_output(char *text, bool is_json)
{
    for (const char *at = text; *at != '\0'; at++)
        FUZZ_CHECK(*at == '\n' || (*at >= ' ' && *at <= '~'));
    for (char *rest = text, *line; is_json && (line = strsep(&rest, "\n")) != NULL;) {
        cJSON *json = cJSON_ParseWithOpts(line, NULL, true);
        FUZZ_CHECK(*line == '\0' || json != NULL);
        cJSON_Delete(json);
    }
}

/* The live picture reads these lines. Sizes and times come from their length; the monotonic clock
 * starts anywhere. */
static void check_picture(const char *text)
{
    static struct sl_grid grid;
    static const struct sl_site site;
    struct sl_picture picture;
    uint64_t now_ms = strlen(text) * 977;
    FUZZ_CHECK(sl_picture_init(&picture, &site, &(struct sl_site_nodes){&node, 1}));
    sl_picture_connected(&picture, now_ms);
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        char *line = strndup(text, (size_t)(end - text));
        FUZZ_CHECK(line != NULL);
        (void)sl_picture_take(&picture, line, now_ms, (int64_t)now_ms);
        free(line);
        grid.width = (int)(strlen(text) % 120) + 1;
        grid.height = (int)(strlen(text) % 47) + 1;
        picture.scroll = (int)(strlen(text) % 10);
        now_ms += strlen(text) * 100;
        struct sl_picture_rows rows = sl_picture_draw(&picture, &grid, now_ms, (int64_t)now_ms);
        FUZZ_CHECK(rows.shown <= rows.all && picture.scroll <= rows.all - rows.shown);
        for (int row = 0; row < grid.height; row++)
            for (int column = 0; column < grid.width; column++) {
                uint8_t glyph = grid.cells[row][column].glyph;
                FUZZ_CHECK((glyph >= ' ' && glyph <= '~') ||
                           (glyph >= SL_GLYPH_EIGHTH && glyph <= SL_GLYPH_RULE));
            }
        for (int zone = 0; zone < SL_ZONES; zone++) {
            int32_t left_s = sl_picture_left_s(&picture.nodes[0], zone, now_ms);
            FUZZ_CHECK(left_s >= 0 && left_s <= 86400);
        }
    }
    sl_picture_free(&picture);
}

/* --- the connection ------------------------------------------------------------------------- */

/* The next message of the script. */
static void deliver(void)
{
    static const char *const topics[] = {
        BASE "/availability", BASE "/report",    BASE "/zone/0/state", BASE "/zone/7/state",
        BASE "/refused",      BASE "/answer/me", BASE "s/report",      BASE};
    uint8_t options = fuzz_u8(&talk.script);
    char topic[64];
    snprintf(topic, sizeof topic, "%s", topics[options & 7]);
    if (options & 8) {
        struct sl_view text = fuzz_take(&talk.script, fuzz_u8(&talk.script) % 40u);
        snprintf(topic, sizeof topic, BASE "/%.*s", (int)text.len, (const char *)text.data);
    }
    uint16_t len = options & 16 ? fuzz_u16(&talk.script) : fuzz_u8(&talk.script);
    struct sl_view payload = fuzz_take(&talk.script, len);
    void *exact = malloc(payload.len + (payload.len == 0)); /* not terminated */
    FUZZ_CHECK(exact != NULL);
    if (payload.len > 0)
        memcpy(exact, payload.data, payload.len);

    struct sl_talk_message message = {
        .topic = topic, .payload = exact, .len = payload.len, .is_retained = options & 32};
    if (options & 64) {
        message.correlation = talk.correlation;
        message.correlation_len = strlen(talk.correlation);
    } else if (options & 128) {
        message.correlation = "0123456789abcdef0123456789abcdef";
        message.correlation_len = SL_CORRELATION_LEN;
    }
    bool is_own = (options & 64) && message.correlation_len == SL_CORRELATION_LEN;
    talk.was_answered = talk.was_answered || (is_own && !message.is_retained);
    talk.receive(talk.context, &message);
    free(exact);
}

enum sl_exit sl_talk_open(const struct sl_site *site, const char *operator_name, bool is_watching,
                          unsigned timeout_ms, sl_talk_receive receive, void *context,
                          struct sl_talk **given)
{
    (void)site, (void)operator_name, (void)is_watching, (void)timeout_ms;
    talk.receive = receive;
    talk.context = context;
    *given = &talk;
    return SL_EXIT_DONE;
}

void sl_talk_close(struct sl_talk *given)
{
    (void)given;
}

/* Odd: the broker has kept a message for this topic. */
enum sl_exit sl_talk_subscribe(struct sl_talk *given, const char *topic)
{
    FUZZ_CHECK(strncmp(topic, BASE "/", strlen(BASE) + 1) == 0);
    if (fuzz_u8(&given->script) & 1)
        deliver();
    return SL_EXIT_DONE;
}

enum sl_exit sl_talk_publish(struct sl_talk *given, const char *topic, const char *payload,
                             const struct sl_talk_request *request, enum sl_talk_fate *fate)
{
    (void)topic, (void)payload;
    if (request->correlation != NULL)
        memcpy(given->correlation, request->correlation, SL_CORRELATION_LEN);
    *fate = (enum sl_talk_fate)(fuzz_u8(&given->script) % 8u);
    if (*fate > SL_FATE_FORBIDDEN)
        *fate = SL_FATE_TAKEN;
    return SL_EXIT_DONE;
}

enum sl_exit sl_talk_wait(struct sl_talk *given, const bool *done, unsigned timeout_ms)
{
    (void)timeout_ms;
    while (fuzz_has_more(&given->script) && !(done != NULL && *done))
        deliver();
    return SL_EXIT_DONE;
}

bool sl_talk_is_stopping(void)
{
    return !fuzz_has_more(&talk.script);
}

enum sl_exit sl_talk_visit(const struct sl_talk_visitor *visitor, enum sl_talk_welcome *welcome,
                           struct sl_talk **stays)
{
    (void)visitor;
    *welcome = SL_WELCOME_IN;
    if (stays)
        *stays = &talk;
    return SL_EXIT_DONE;
}

bool sl_talk_is_shown(const struct sl_talk *given, const X509 *certificate)
{
    (void)given, (void)certificate;
    return true;
}

/* --- the site ------------------------------------------------------------------------------- */

enum sl_exit __wrap_sl_site_open(const char *root, struct sl_site *site)
{
    (void)root;
    memset(site, 0, sizeof *site);
    snprintf(site->operators[0], sizeof site->operators[0], "me");
    site->operators_len = 1;
    return SL_EXIT_DONE;
}

enum sl_exit __wrap_sl_site_find_nodes(const struct sl_site *site, const char *name,
                                       struct sl_site_nodes *nodes)
{
    (void)site, (void)name;
    *nodes = (struct sl_site_nodes){&node, 1};
    return SL_EXIT_DONE;
}

void __wrap_sl_site_free_nodes(struct sl_site_nodes *nodes)
{
    (void)nodes;
}

enum sl_exit __wrap_sl_crl_mark(const struct sl_site *site, struct sl_site_nodes *nodes,
                                uint64_t *not_after_s)
{
    (void)site, (void)nodes;
    *not_after_s = 0;
    return SL_EXIT_DONE;
}

enum sl_exit __wrap_sl_ends_read(const struct sl_site *site, const struct sl_site_nodes *nodes,
                                 struct sl_ends *ends)
{
    (void)site, (void)nodes;
    *ends = (struct sl_ends){NULL, 0};
    return SL_EXIT_DONE;
}

int __wrap_isatty(int fd)
{
    (void)fd;
    return 0;
}
