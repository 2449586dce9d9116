/* Findings: keeping them, and telling them. */
#include "doctor/site.h"
#include "view/screen.h"
#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LABEL_LEN 10 /* columns before the text of a block */

static void print_block(const struct sl_doctor *doctor, const struct sl_finding *finding);
static void print_line(const struct sl_doctor *doctor, const struct sl_finding *finding);
static void print_wrapped(const char *label, const char *text, int width);
static void print_count(const struct sl_doctor *doctor);
static size_t put_quoted(char *out, size_t room, const char *text);
static void write_where(const struct sl_finding *finding, char *out, size_t out_len);

/* --- keeping -------------------------------------------------------------------------------- */

void sl_doctor_find(struct sl_doctor *doctor, enum sl_check check, struct sl_place place,
                    const char *format, ...)
{
    struct sl_finding found = {.check = check, .line = place.line};
    va_list arguments;
    va_start(arguments, format);
    char evidence[sizeof found.evidence];
    vsnprintf(evidence, sizeof evidence, format, arguments);
    va_end(arguments);
    sl_cli_clean(found.evidence, sizeof found.evidence, evidence, strlen(evidence));
    if (place.name)
        sl_cli_clean(found.name, sizeof found.name, place.name, strlen(place.name));

    const char *path = place.path ? place.path : "";
    for (size_t i = 0; i < doctor->len; i++) {
        const struct sl_finding *other = &doctor->list[i];
        if (other->check == check && other->line == place.line && strcmp(other->where, path) == 0 &&
            strcmp(other->name, found.name) == 0)
            return;
    }
    struct sl_finding *list = doctor->len < SL_FINDINGS_MAX
                                  ? realloc(doctor->list, (doctor->len + 1) * sizeof *doctor->list)
                                  : NULL;
    if (list)
        doctor->list = list;
    found.where = list ? strdup(path) : NULL;
    if (found.where)
        doctor->list[doctor->len++] = found;
    else
        doctor->lost++;
}

size_t sl_doctor_count(const struct sl_doctor *doctor, enum sl_severity severity)
{
    size_t count = 0;
    for (size_t i = 0; i < doctor->len; i++)
        count += sl_checks[doctor->list[i].check].severity == severity &&
                 doctor->list[i].mended[0] == '\0';
    return count;
}

bool sl_doctor_has(const struct sl_doctor *doctor, enum sl_check check)
{
    for (size_t i = 0; i < doctor->len; i++)
        if (doctor->list[i].check == check)
            return true;
    return false;
}

void sl_doctor_find_told(struct sl_doctor *doctor, enum sl_check check, struct sl_place place,
                         const struct sl_cli_told *told)
{
    sl_doctor_find(doctor, check, place, "%s", told->is_told ? told->text : "without a word");
}

void sl_doctor_keep_mended(struct sl_doctor *doctor, const struct sl_doctor *before)
{
    for (size_t i = 0; i < before->len; i++) {
        const struct sl_finding *finding = &before->list[i];
        size_t len = doctor->len;
        if (finding->mended[0] == '\0')
            continue;
        sl_doctor_find(doctor, finding->check,
                       (struct sl_place){finding->where, finding->line, finding->name}, "%s",
                       finding->evidence);
        if (doctor->len > len)
            memcpy(doctor->list[len].mended, finding->mended, sizeof finding->mended);
    }
}

void sl_doctor_free(struct sl_doctor *doctor)
{
    for (size_t i = 0; i < doctor->len; i++)
        free(doctor->list[i].where);
    free(doctor->list);
    doctor->list = NULL;
    doctor->len = doctor->lost = 0;
}

/* --- words ---------------------------------------------------------------------------------- */

/* A cure with its marks filled in. Paths are quoted where a shell would change them. */
void sl_doctor_write_cure(const struct sl_doctor *doctor, const struct sl_finding *finding,
                          char out[SL_CURE_MAX])
{
    const struct {
        const char *mark, *text;
    } marks[] = {{"{site}", doctor->site ? doctor->site->root : "site"},
                 {"{where}", finding->where},
                 {"{name}", finding->name}};
    size_t len = 0;
    for (const char *at = sl_checks[finding->check].cure; *at != '\0' && len < SL_CURE_MAX - 1;) {
        size_t i = 0;
        while (i < 3 && strncmp(at, marks[i].mark, strlen(marks[i].mark)) != 0)
            i++;
        if (i < 3) {
            len += put_quoted(out + len, SL_CURE_MAX - len, marks[i].text);
            at += strlen(marks[i].mark);
        } else {
            out[len++] = *at++;
        }
    }
    out[len] = '\0';
}

/* As one word for a shell. Gives how many bytes it took; at least one is left. */
static size_t put_quoted(char *out, size_t room, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+:@,=%";
    bool is_plain = text[strspn(text, plain)] == '\0';
    size_t len = 0;
    const char *end = text + strlen(text);
    for (const char *at = text; at <= end && len + 6 < room; at++) {
        if (!is_plain && (at == text || at == end))
            out[len++] = '\'';
        if (at == end)
            break;
        unsigned char byte = (unsigned char)*at;
        if (byte == '\'') {
            len += (size_t)snprintf(out + len, room - len, "'\\''");
        } else {
            out[len++] = byte >= ' ' && byte != 0x7F ? (char)byte : '?';
        }
    }
    return len;
}

static void write_where(const struct sl_finding *finding, char *out, size_t out_len)
{
    char clean[PATH_MAX];
    sl_cli_clean(clean, sizeof clean, finding->where, strlen(finding->where));
    if (finding->line)
        snprintf(out, out_len, "%s:%u", clean, finding->line);
    else
        snprintf(out, out_len, "%s", clean);
}

/* --- telling -------------------------------------------------------------------------------- */

void sl_doctor_print(const struct sl_doctor *doctor)
{
    bool is_terminal = isatty(STDOUT_FILENO) == 1;
    for (int severity = SL_SEVERITIES - 1; severity >= 0; severity--)
        for (size_t i = 0; i < doctor->len; i++) {
            if (sl_checks[doctor->list[i].check].severity != (enum sl_severity)severity)
                continue;
            if (is_terminal)
                print_block(doctor, &doctor->list[i]);
            else
                print_line(doctor, &doctor->list[i]);
        }
    print_count(doctor);
}

static void print_block(const struct sl_doctor *doctor, const struct sl_finding *finding)
{
    static const enum sl_colour colours[] = {[SL_SEVERITY_NOTE] = SL_COLOUR_BOLD,
                                             [SL_SEVERITY_WARNING] = SL_COLOUR_WARN,
                                             [SL_SEVERITY_ERROR] = SL_COLOUR_BAD};
    const struct sl_check_entry *check = &sl_checks[finding->check];
    char id[SL_CHECK_ID_MAX], where[PATH_MAX + 16], text[1024], cure[SL_CURE_MAX];
    int width = 80, height = 24;
    sl_screen_size(&width, &height);
    write_where(finding, where, sizeof where);
    bool is_mended = finding->mended[0] != '\0';
    printf("%s%-*s%s%s%s%s %s\n",
           sl_cli_colour(is_mended ? SL_COLOUR_GOOD : colours[check->severity]), LABEL_LEN - 1,
           is_mended ? "mended" : sl_severity_text(check->severity), sl_cli_colour(SL_COLOUR_OFF),
           sl_cli_colour(SL_COLOUR_BOLD), sl_check_id(finding->check, id),
           sl_cli_colour(SL_COLOUR_OFF), where);
    snprintf(text, sizeof text, "%s (%s)", check->what, finding->evidence);
    print_wrapped("", text, width);
    print_wrapped("allows", check->harm, width);
    sl_doctor_write_cure(doctor, finding, cure);
    print_wrapped(is_mended ? "done" : "mend", is_mended ? finding->mended : cure, width);
    putchar('\n');
}

/* A command may be longer than the terminal is wide: it stays whole, to be copied. */
static void print_wrapped(const char *label, const char *text, int width)
{
    int column = LABEL_LEN;
    printf("%s%*s%s", sl_cli_colour(SL_COLOUR_DIM), -LABEL_LEN, label,
           sl_cli_colour(SL_COLOUR_OFF));
    bool is_first = true;
    while (*text != '\0') {
        int len = (int)strcspn(text, " ");
        if (!is_first && column + 1 + len >= width && strcmp(label, "mend") != 0) {
            printf("\n%*s", LABEL_LEN, "");
            column = LABEL_LEN;
            is_first = true;
        }
        column += printf("%s%.*s", is_first ? "" : " ", len, text);
        is_first = false;
        text += len + (text[len] == ' ');
    }
    putchar('\n');
}

static void print_line(const struct sl_doctor *doctor, const struct sl_finding *finding)
{
    const struct sl_check_entry *check = &sl_checks[finding->check];
    char id[SL_CHECK_ID_MAX], where[PATH_MAX + 16], cure[SL_CURE_MAX];
    write_where(finding, where, sizeof where);
    sl_doctor_write_cure(doctor, finding, cure);
    bool is_mended = finding->mended[0] != '\0';
    printf("%s %s %s: %s (%s): %s: %s\n", is_mended ? "mended" : sl_severity_text(check->severity),
           sl_check_id(finding->check, id), where, check->what, finding->evidence, check->harm,
           is_mended ? finding->mended : cure);
}

static void print_count(const struct sl_doctor *doctor)
{
    size_t errors = sl_doctor_count(doctor, SL_SEVERITY_ERROR);
    size_t warnings = sl_doctor_count(doctor, SL_SEVERITY_WARNING);
    size_t notes = sl_doctor_count(doctor, SL_SEVERITY_NOTE);
    if (errors + warnings + notes == 0)
        printf("%snothing wrong found%s", sl_cli_colour(SL_COLOUR_GOOD),
               sl_cli_colour(SL_COLOUR_OFF));
    else
        printf("%zu error%s, %zu warning%s, %zu note%s", errors, errors == 1 ? "" : "s", warnings,
               warnings == 1 ? "" : "s", notes, notes == 1 ? "" : "s");
    if (doctor->lost > 0)
        printf(", and %zu more", doctor->lost);
    if (doctor->broker)
        printf("; the broker: %s", doctor->broker);
    putchar('\n');
}

void sl_doctor_print_json(const struct sl_doctor *doctor)
{
    cJSON *json = cJSON_CreateObject();
    if (doctor->site)
        cJSON_AddStringToObject(json, "site", doctor->site->root);
    if (doctor->broker)
        cJSON_AddStringToObject(json, "broker", doctor->broker);
    cJSON *list = cJSON_AddArrayToObject(json, "findings");
    for (size_t i = 0; i < doctor->len; i++) {
        const struct sl_finding *finding = &doctor->list[i];
        const struct sl_check_entry *check = &sl_checks[finding->check];
        char id[SL_CHECK_ID_MAX], cure[SL_CURE_MAX];
        cJSON *entry = cJSON_CreateObject();
        sl_doctor_write_cure(doctor, finding, cure);
        cJSON_AddStringToObject(entry, "severity", sl_severity_text(check->severity));
        cJSON_AddStringToObject(entry, "check", sl_check_id(finding->check, id));
        cJSON_AddStringToObject(entry, "where", finding->where);
        if (finding->line)
            cJSON_AddNumberToObject(entry, "line", finding->line);
        if (finding->name[0] != '\0')
            cJSON_AddStringToObject(entry, "name", finding->name);
        cJSON_AddStringToObject(entry, "what", check->what);
        cJSON_AddStringToObject(entry, "evidence", finding->evidence);
        cJSON_AddStringToObject(entry, "allows", check->harm);
        cJSON_AddStringToObject(entry, "mend", cure);
        if (finding->mended[0] != '\0')
            cJSON_AddStringToObject(entry, "mended", finding->mended);
        cJSON_AddItemToArray(list, entry);
    }
    cJSON_AddNumberToObject(json, "errors", (double)sl_doctor_count(doctor, SL_SEVERITY_ERROR));
    cJSON_AddNumberToObject(json, "warnings", (double)sl_doctor_count(doctor, SL_SEVERITY_WARNING));
    cJSON_AddNumberToObject(json, "notes", (double)sl_doctor_count(doctor, SL_SEVERITY_NOTE));
    if (doctor->lost > 0)
        cJSON_AddNumberToObject(json, "not_listed", (double)doctor->lost);
    sl_cli_print_json(json);
}
