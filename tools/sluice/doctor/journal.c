/* doctor: the journal of issues against what is in use, and against the clock. */
#include "site/journal.h"
#include "cli/build_time.h"
#include "doctor/site.h"
#include <openssl/bn.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SKEW_S 86400 /* a clock may be so far out: certificates begin a day back */

struct line {
    unsigned number;
    struct sl_journal_entry entry;
};
struct lines {
    struct line *list;
    size_t len;
};

static struct lines read_lines(struct sl_doctor *doctor, const char *path);
static void compare_lines(struct sl_doctor *doctor, const char *path, struct lines *lines);
static void look_for_holders(struct sl_doctor *doctor, const struct sl_holders *holders,
                             const struct lines *lines);
static void look_for_shared_keys(struct sl_doctor *doctor, const struct sl_holders *holders);
static void look_at_clock(struct sl_doctor *doctor, const char *path, const struct lines *lines);
static int compare_serials(const void *a, const void *b);

void sl_doctor_look_journal(struct sl_doctor *doctor, const struct sl_holders *holders)
{
    struct sl_path path = sl_path_join(doctor->site->root, "issued.log");
    struct lines lines = read_lines(doctor, path.text);
    if (lines.len > 0) { /* a missing or empty one is told of as a file */
        look_at_clock(doctor, path.text, &lines);
        look_for_holders(doctor, holders, &lines);
        compare_lines(doctor, path.text, &lines);
    }
    look_for_shared_keys(doctor, holders);
    free(lines.list);
}

static struct lines read_lines(struct sl_doctor *doctor, const char *path)
{
    struct sl_cli_told told = {.is_told = false};
    struct sl_journal journal;
    struct lines lines = {NULL, 0};
    sl_cli_listen(&told);
    enum sl_exit code = sl_journal_open(doctor->site->root, &journal);
    sl_cli_listen(NULL);
    if (code != SL_EXIT_DONE) {
        sl_doctor_find_told(doctor, SL_CHECK_FILE_GONE, (struct sl_place){.path = path}, &told);
        return lines;
    }
    size_t most = 1;
    for (size_t i = 0; i < journal.bytes.len; i++)
        most += journal.bytes.data[i] == '\n';
    lines.list = calloc(most, sizeof *lines.list);
    const char *at = journal.bytes.data, *end = at ? at + journal.bytes.len : at;
    for (unsigned number = 1; lines.list && at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        struct line *line = &lines.list[lines.len];
        line->number = number;
        if (sl_journal_parse(at, len, &line->entry))
            lines.len++;
        else if (len > 0)
            sl_doctor_find(doctor, SL_CHECK_LOG_LINE_BROKEN,
                           (struct sl_place){.path = path, .line = number},
                           "%zu bytes that are no entry", len);
        at += len + 1;
    }
    sl_journal_close(&journal);
    return lines;
}

/* Lines get their times from the clock, and never an earlier one than the line before. */
static void look_at_clock(struct sl_doctor *doctor, const char *path, const struct lines *lines)
{
    char soon[24];
    time_t now_s = time(NULL);
    sl_site_print_time(soon, (uint64_t)now_s + SKEW_S);
    for (size_t i = 0; i < lines->len; i++)
        if (strcmp(lines->list[i].entry.when, soon) > 0) {
            sl_doctor_find(doctor, SL_CHECK_CLOCK_BEHIND,
                           (struct sl_place){.path = path, .line = lines->list[i].number},
                           "a certificate was made at %s, which is yet to come",
                           lines->list[i].entry.when);
            return;
        }
    if (now_s < (time_t)sl_build_time_s())
        sl_doctor_find(doctor, SL_CHECK_CLOCK_BEHIND, (struct sl_place){.path = "the clock"},
                       "this program was made later than now");
}

static void look_for_holders(struct sl_doctor *doctor, const struct sl_holders *holders,
                             const struct lines *lines)
{
    for (size_t i = 0; i < holders->len; i++) {
        const struct sl_holder *holder = &holders->list[i];
        BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(holder->certificate), NULL);
        char *serial = number ? BN_bn2hex(number) : NULL;
        bool is_found = false;
        for (size_t k = 0; serial && k < lines->len && !is_found; k++)
            is_found = strcasecmp(lines->list[k].entry.serial, serial) == 0;
        if (serial && !is_found)
            sl_doctor_find(doctor, SL_CHECK_LOG_INCOMPLETE,
                           (struct sl_place){.path = holder->path.text, .name = holder->name},
                           "serial %.40s", serial);
        OPENSSL_free(serial);
        BN_free(number);
        ERR_clear_error();
    }
}

static void compare_lines(struct sl_doctor *doctor, const char *path, struct lines *lines)
{
    qsort(lines->list, lines->len, sizeof *lines->list, compare_serials);
    for (size_t i = 1; i < lines->len; i++) {
        const struct line *one = &lines->list[i - 1], *other = &lines->list[i];
        if (strcasecmp(one->entry.serial, other->entry.serial) == 0)
            sl_doctor_find(doctor, SL_CHECK_SERIAL_TWICE,
                           (struct sl_place){.path = path, .line = other->number},
                           "of %.40s, and of %.40s in line %u", other->entry.name, one->entry.name,
                           one->number);
    }
}

static int compare_serials(const void *a, const void *b)
{
    const struct line *left = a, *right = b;
    int order = strcasecmp(left->entry.serial, right->entry.serial);
    return order != 0 ? order : left->number < right->number ? -1 : 1;
}

static void look_for_shared_keys(struct sl_doctor *doctor, const struct sl_holders *holders)
{
    for (size_t i = 0; i < holders->len; i++) {
        const struct sl_holder *one = &holders->list[i];
        const unsigned char *point = X509_get0_pubkey_bitstr(one->certificate)->data;
        int len = X509_get0_pubkey_bitstr(one->certificate)->length;
        for (size_t k = 0; k < i; k++) {
            const ASN1_BIT_STRING *other = X509_get0_pubkey_bitstr(holders->list[k].certificate);
            if (other->length != len || memcmp(other->data, point, (size_t)len) != 0)
                continue;
            sl_doctor_find(doctor, SL_CHECK_KEY_TWICE,
                           (struct sl_place){.path = one->path.text, .name = one->name},
                           "the key of %.180s", holders->list[k].path.text);
            break;
        }
    }
}
