/* issued.log: adding and reading lines. */
#include "site/journal.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define JOURNAL_MAX 67108864 /* bytes: some 350,000 lines */

static bool take_field(const char **at, const char *end, const char *mark, const char *stop,
                       char *out, size_t out_len);
static bool is_time(const char *text);
static bool is_made_of(const char *text, size_t len, const char *letters);

enum sl_exit sl_journal_open(const char *folder, struct sl_journal *journal)
{
    *journal = (struct sl_journal){.at = 0};
    struct sl_path path = sl_path_join(folder, "issued.log");
    if (access(path.text, F_OK) != 0) {
        sl_cli_note("%s is missing: a certificate that stood only there is not revoked", path.text);
        return SL_EXIT_DONE;
    }
    return sl_file_read(path.text, JOURNAL_MAX, &journal->bytes);
}

/* Lines end where a line feed says so and nowhere else: a power cut may leave zeros in a line. */
bool sl_journal_next(struct sl_journal *journal, struct sl_journal_entry *entry)
{
    while (journal->at < journal->bytes.len) {
        const char *line = journal->bytes.data + journal->at;
        size_t rest = journal->bytes.len - journal->at;
        const char *end = memchr(line, '\n', rest);
        size_t len = end ? (size_t)(end - line) : rest;
        journal->at += end ? len + 1 : len;
        if (sl_journal_parse(line, len, entry))
            return true;
        journal->torn += len > 0;
    }
    return false;
}

void sl_journal_close(struct sl_journal *journal)
{
    sl_bytes_free(&journal->bytes);
    journal->at = 0;
}

enum sl_exit sl_journal_add(const char *folder, const struct sl_journal_entry *entry)
{
    char line[SL_JOURNAL_LINE_MAX];
    snprintf(line, sizeof line, "%s serial=%s name=%s purpose=%s not-after=%s key=%s\n",
             entry->when, entry->serial, entry->name, entry->purpose, entry->not_after, entry->key);
    return sl_file_append(sl_path_join(folder, "issued.log").text, line);
}

/* --- one line ------------------------------------------------------------------------------- */

bool sl_journal_parse(const char *line, size_t len, struct sl_journal_entry *entry)
{
    static const char hexadecimal[] = "0123456789ABCDEFabcdef";
    const char *at = line, *end = line + len;
    *entry = (struct sl_journal_entry){.when = ""};
    bool is_known =
        take_field(&at, end, "", " serial=", entry->when, sizeof entry->when) &&
        take_field(&at, end, " serial=", " name=", entry->serial, sizeof entry->serial) &&
        take_field(&at, end, " name=", " purpose=", entry->name, sizeof entry->name) &&
        take_field(&at, end, " purpose=", " not-after=", entry->purpose, sizeof entry->purpose) &&
        take_field(&at, end, " not-after=", " key=", entry->not_after, sizeof entry->not_after) &&
        (at == end || take_field(&at, end, " key=", NULL, entry->key, sizeof entry->key));
    size_t key_len = strlen(entry->key);
    if (is_known && is_time(entry->when) && is_time(entry->not_after) &&
        is_made_of(entry->serial, strlen(entry->serial), hexadecimal) &&
        (key_len == 0 || key_len == SL_JOURNAL_KEY_LEN) &&
        (key_len == 0 || is_made_of(entry->key, key_len, hexadecimal)))
        return true;
    *entry = (struct sl_journal_entry){.when = ""};
    return false;
}

/* What stands behind mark and before stop (or the end), which stays; none of it a control byte. */
static bool take_field(const char **at, const char *end, const char *mark, const char *stop,
                       char *out, size_t out_len)
{
    size_t mark_len = strlen(mark), len = 0;
    if ((size_t)(end - *at) < mark_len || memcmp(*at, mark, mark_len) != 0)
        return false;
    const char *from = *at + mark_len;
    const char *found = stop ? memmem(from, (size_t)(end - from), stop, strlen(stop)) : NULL;
    len = (size_t)((found ? found : end) - from);
    if (len == 0 || len >= out_len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)from[i] < ' ' || (unsigned char)from[i] > '~')
            return false;
    memcpy(out, from, len);
    out[len] = '\0';
    *at = from + len;
    return true;
}

static bool is_time(const char *text)
{
    static const char shape[] = "0000-00-00T00:00:00Z";
    size_t i = 0;
    for (; text[i] != '\0' && shape[i] != '\0'; i++)
        if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
            return false;
    return text[i] == shape[i];
}

static bool is_made_of(const char *text, size_t len, const char *letters)
{
    return len > 0 && strspn(text, letters) == len;
}
