/* docs/doctor.md: everything that 'sluice doctor' looks for. */
#include "tools/sluice/doctor/checks.h"
#include "manual.h"

static void write_list(FILE *out, const char *head, enum sl_check from, enum sl_check until);
static void put_cell(FILE *out, const char *text);

void manual_write_checks(FILE *out)
{
    fputs(
        "# What the doctor looks for\n\n"
        "Made by `make docs` from the list in `tools/sluice/doctor/checks.h`; a test compares the "
        "two.\n\n"
        "`sluice doctor` looks at a site and its running broker, `sluice doctor --config FILE` at "
        "a\n"
        "mosquitto.conf of whatever origin. An *error* is open or broken today, a *warning* will "
        "be,\n"
        "a *note* is worth knowing. The exit code is 6 when there is an error, 5 when there is a\n"
        "warning, else 0. What has *fixes* in the last column is mended by `sluice doctor --fix`.\n"
        "`{site}`, `{where}` and `{name}` stand for what a finding names; `--json` has them filled "
        "in.\n\n",
        out);
    write_list(out, "A site", 0, SL_CHECK_BROKER_STRANGE);
    write_list(out, "The running broker", SL_CHECK_BROKER_STRANGE, SL_CHECK_CONF_UNREADABLE);
    write_list(out, "A foreign mosquitto.conf", SL_CHECK_CONF_UNREADABLE, SL_CHECKS);
}

static void write_list(FILE *out, const char *head, enum sl_check from, enum sl_check until)
{
    fprintf(out,
            "## %s\n\n| check | severity | what is wrong | what it allows | what mends it | |\n"
            "|---|---|---|---|---|---|\n",
            head);
    for (enum sl_check check = from; check < until; check++) {
        const struct sl_check_entry *entry = &sl_checks[check];
        char id[SL_CHECK_ID_MAX];
        fprintf(out, "| `%s` | %s | ", sl_check_id(check, id), sl_severity_text(entry->severity));
        put_cell(out, entry->what);
        fputs(" | ", out);
        put_cell(out, entry->harm);
        fputs(" | ", out);
        put_cell(out, entry->cure);
        fprintf(out, " | %s |\n", entry->is_mended ? "fixes" : "");
    }
    fputc('\n', out);
}

static void put_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|' || *text == '*' || *text == '_' || *text == '<' || *text == '`')
            fputc('\\', out);
        fputc(*text, out);
    }
}
