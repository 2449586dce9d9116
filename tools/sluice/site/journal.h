/* issued.log: every certificate that the site's authority ever signed, one line each.
 *
 *   2026-11-22T18:42:07Z serial=01… name=garden purpose=node not-after=2029-11-21T18:42:07Z key=9f…
 *
 * A line is on the disk before its certificate leaves this program, and nothing ever takes it away:
 * revocation, and the rules that no serial and no key come twice, rest on it. A line that a power
 * cut left half written is of a certificate that nobody got; readers skip it, and the next line
 * begins behind it.
 */
#ifndef SL_CLI_JOURNAL_H
#define SL_CLI_JOURNAL_H

#include "site/file.h"

#define SL_JOURNAL_SERIAL_LEN 34 /* hexadecimal digits in capitals: 1, then 128 random bits */
#define SL_JOURNAL_KEY_LEN    64 /* hexadecimal digits: SHA-256 of the SubjectPublicKeyInfo */
#define SL_JOURNAL_LINE_MAX   512

struct sl_journal_entry {
    char when[24], not_after[24]; /* ISO 8601 in UTC: sorts as text */
    char serial[SL_JOURNAL_SERIAL_LEN + 1];
    char name[64], purpose[16];
    char key[SL_JOURNAL_KEY_LEN + 1]; /* empty in a line of an early version */
};

/* The journal as it is now. */
struct sl_journal {
    struct sl_bytes bytes;
    size_t at;
    size_t torn; /* lines skipped so far because they are none */
};

/* Fails: SL_EXIT_FILES; a journal that is missing is empty after a note on stderr. */
SL_MUST_CHECK enum sl_exit sl_journal_open(const char *folder, struct sl_journal *journal);
bool sl_journal_next(struct sl_journal *journal, struct sl_journal_entry *entry);
void sl_journal_close(struct sl_journal *journal);

/* Add a line to issued.log in folder, and wait for the disk. */
SL_MUST_CHECK enum sl_exit sl_journal_add(const char *folder, const struct sl_journal_entry *entry);

/* One line, without its end. Gives: false, and *entry is empty, when it is none. */
bool sl_journal_parse(const char *line, size_t len, struct sl_journal_entry *entry);

#endif
