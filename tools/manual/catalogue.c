/* docs/errors.md: every list of failures in the code, one section each. A new list is one function
 * and one line in manual_write_catalogue. */
#include "base/log.h"
#include "manual.h"
#include "mqtt/reason.h"
#include "node/command.h"
#include "node/trouble.h"
#include "ports/posix/errors.h"
#include "tls/tls_text.h"
#include <string.h>

#define TLS_ERRORS 1024 /* one past the largest number */

static void write_exit_codes(FILE *out);
static void write_cli(FILE *out);
static void write_node(FILE *out);
static void write_errors(FILE *out, const struct sl_error_entry *list, unsigned len);
static void write_log(FILE *out);
static void write_troubles(FILE *out);
static void write_tls(FILE *out);
static void write_reasons(FILE *out);
static void write_refusals(FILE *out);
static void put_cell(FILE *out, const char *text);
static void put_marked(FILE *out, const char *text);
static void put_name(FILE *out, const char *name, const char *prefix);

void manual_write_catalogue(FILE *out)
{
    fputs("# What goes wrong, and what to do\n\n"
          "Made by `make docs` from the lists in the code; a test compares the two. Words in\n"
          "capitals stand for what a message names.\n\n",
          out);
    write_exit_codes(out);
    write_cli(out);
    write_node(out);
    write_log(out);
    write_troubles(out);
    write_tls(out);
    write_reasons(out);
    write_refusals(out);
}

static void write_exit_codes(FILE *out)
{
    static const struct {
        int code;
        const char *text;
    } codes[] = {
#define X(code, number, text) {number, text},
        SL_EXIT_LIST(X)
#undef X
    };
    fputs("## Exit codes of `sluice`\n\n| code | meaning |\n|---|---|\n", out);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        fprintf(out, "| %d | %s |\n", codes[i].code, codes[i].text);
    fputc('\n', out);
}

static void write_cli(FILE *out)
{
    fputs(
        "## `sluice`: its messages\n\n"
        "The list is `tools/sluice/cli/errors.h`. The identifier stands in brackets at the end of\n"
        "the line.\n\n",
        out);
    write_errors(out, sl_errors, SL_ERROR_COUNT);
}

static void write_node(FILE *out)
{
    fputs("## `sluice-node`: its messages\n\n"
          "The list is `ports/posix/errors.h`. The identifier stands in brackets at the end of\n"
          "the line. With a code the program ends; without one it is a warning in the log, and\n"
          "the node goes on. `sluice-node --check-config` tells what is wrong without starting\n"
          "anything, and then ends with 4, or with 2 for a wrong setting; `sluice-node --help`\n"
          "lists every setting.\n\n",
          out);
    write_errors(out, posix_errors, POSIX_ERRORS);
}

static void write_errors(FILE *out, const struct sl_error_entry *list, unsigned len)
{
    fputs("| identifier | code | message | what to do |\n|---|---|---|---|\n", out);
    for (const struct sl_error_entry *error = list; error < list + len; error++) {
        char id[SL_ERROR_ID_MAX];
        const char *marks = error->marks;
        struct manual_words what = manual_expand(error->what, &marks);
        struct manual_words cure = manual_expand(error->cure, &marks);
        if (*marks != '\0')
            manual_fail("has names without marks", error->name);
        fprintf(out, "| `%s` | ", sl_error_id(error, id));
        if (error->exit >= 0)
            fprintf(out, "%d ", error->exit);
        fputs("| ", out);
        put_cell(out, what.text);
        fputs(" | ", out);
        put_cell(out, cure.text);
        fputs(" |\n", out);
    }
    fputc('\n', out);
}

static void write_log(FILE *out)
{
    static const struct {
        const char *name;
        enum sl_log_level level;
        const char *text;
    } events[] = {
#define X(code, level, text) {#code, level, text},
        SL_LOG_LIST(X)
#undef X
    };
    fputs("## The node's log: warnings and errors\n\n"
          "The list is `src/base/log.h`; the words in italics are explained by the sections "
          "below.\n\n"
          "| event | level | message |\n|---|---|---|\n",
          out);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (events[i].level < SL_LOG_WARNING)
            continue;
        put_name(out, events[i].name, "SL_LOG_");
        fputs(events[i].level == SL_LOG_ERROR ? "| error | " : "| warning | ", out);
        put_marked(out, events[i].text);
        fputs(" |\n", out);
    }
    fputc('\n', out);
}

static void write_troubles(FILE *out)
{
    static const struct {
        const char *word;
        const char *log;
    } troubles[] = {
#define X(code, word, log) {word, #log},
        SL_TROUBLE_LIST(X)
#undef X
    };
    fputs(
        "## The node's report: why its last connection ended\n\n"
        "The list is `src/node/trouble.h`. The word stands in the report, before a number where\n"
        "there is one: of an errno, a TLS error, an MQTT reason, or the seconds of a time-out.\n\n"
        "| word | event in the log |\n|---|---|\n",
        out);
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
        if (troubles[i].word[0] == '\0')
            continue;
        fprintf(out, "| `%s` ", troubles[i].word);
        put_name(out, troubles[i].log, "SL_LOG_");
        fputs("|\n", out);
    }
    fputc('\n', out);
}

static void write_tls(FILE *out)
{
    fputs("## TLS errors of the node\n\n"
          "The list is `src/tls/tls_text.c`. Errors from 256 on are alerts that the broker sent,\n"
          "from 512 on alerts that the node sent; the log shows those by their own number.\n\n"
          "| error | what | what to do |\n|---|---|---|\n",
          out);
    for (unsigned error = 1; error < TLS_ERRORS; error++) {
        const struct sl_tls_text *text = sl_tls_text((uint16_t)error);
        if (text->error != error)
            continue;
        if (error < 256 || error >= 768)
            fprintf(out, "| %u | ", error);
        else
            fprintf(out, "| %u (alert %u%s) | ", error, error % 256,
                    error < 512 ? " received" : " sent");
        put_cell(out, text->what);
        fputs(" | ", out);
        put_cell(out, text->cure);
        fputs(" |\n", out);
    }
    fputc('\n', out);
}

static void write_reasons(FILE *out)
{
    static const struct {
        unsigned code, packets;
        const char *text;
    } reasons[] = {
#define X(name, code, packets, text) {code, packets, text},
        SL_MQTT_REASON_LIST(X)
#undef X
    };
    static const char *const packets[] = {"CONNACK", "PUBACK",   "PUBREL",
                                          "SUBACK",  "UNSUBACK", "DISCONNECT"};
    fputs(
        "## MQTT reason codes: refusals of a broker\n\n"
        "The list is `src/mqtt/reason.h`, from MQTT 5.0, section 2.4. The broker's log says what\n"
        "it found wrong; with the site's own broker, 'not authorized' means that the node is not\n"
        "in `sluice node list` or that the broker has not read its list: start it again.\n\n"
        "| code | meaning | in |\n|---|---|---|\n",
        out);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].code < SL_MQTT_REASON_UNSPECIFIED)
            continue;
        fprintf(out, "| %u (0x%02X) | %s |", reasons[i].code, reasons[i].code, reasons[i].text);
        for (size_t k = 0; k < sizeof packets / sizeof packets[0]; k++)
            if (reasons[i].packets >> k & 1)
                fprintf(out, " %s", packets[k]);
        fputs(" |\n", out);
    }
    fputc('\n', out);
}

static void write_refusals(FILE *out)
{
    static const struct {
        const char *text;
    } refusals[] = {
#define X(code, text) {text},
        SL_REFUSAL_LIST(X)
#undef X
    };
    fputs("## Refusals of the node\n\n"
          "The list is `src/node/command.h`. They stand in the answer to a command, on the topic\n"
          "`refused`, and behind `sluice: NODE refused`.\n\n",
          out);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (refusals[i].text[0] == '\0')
            continue;
        fputs("- ", out);
        put_marked(out, refusals[i].text);
        fputc('\n', out);
    }
}

static void put_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("|*_<`\\", *text))
            fputc('\\', out);
        fputc(*text, out);
    }
}

/* {a} and {b} are numbers, the other marks name what stands there. */
static void put_marked(FILE *out, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "{");
        fprintf(out, "%.*s", (int)len, text);
        text += len;
        if (*text == '\0')
            return;
        len = strcspn(text, "}");
        if (len == 2)
            fputc('N', out);
        else
            fprintf(out, "*%.*s*", (int)len - 1, text + 1);
        text += len + (text[len] == '}');
    }
}

static void put_name(FILE *out, const char *name, const char *prefix)
{
    fprintf(out, "| `%s` ", name + strlen(prefix));
}
