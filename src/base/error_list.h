/* One shape for every list of failures that a person reads: sluice's and sluice-node's are X-lists
 * of these columns, and docs/errors.md, the manual and the tests walk them alike. */
#ifndef SL_BASE_ERROR_LIST_H
#define SL_BASE_ERROR_LIST_H

#include <stddef.h>

struct sl_error_entry {
    const char *name;  /* in capitals, as in the list */
    int exit;          /* the program's exit code; below 0: it goes on */
    const char *marks; /* what the marks of `what` and then `cure` stand for, in their order */
    const char *what;  /* the thing and its cause, with printf's marks */
    const char *cure;  /* what to do, likewise */
};

#define SL_ERROR_ID_MAX 32
/* "node-unknown": the name in small letters with hyphens. It stands in brackets behind a message
 * and in docs/errors.md, and is stable: scripts depend on it. Gives: id. */
static inline const char *sl_error_id(const struct sl_error_entry *entry, char id[SL_ERROR_ID_MAX])
{
    size_t len = 0;

    for (; len < SL_ERROR_ID_MAX - 1 && entry->name[len] != '\0'; len++)
        id[len] = entry->name[len] == '_' ? '-' : (char)(entry->name[len] | 0x20);
    id[len] = '\0';
    return id;
}

/* Words from outside are in a line: no byte of them is an order to the terminal, or a line of its
 * own. Each becomes a '?'. */
static inline void sl_error_clean(char *line)
{
    for (char *at = line; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7F)
            *at = '?';
        else if ((unsigned char)at[0] == 0xC2 && (unsigned char)at[1] >= 0x80 &&
                 (unsigned char)at[1] < 0xA0) /* U+0080 to U+009F: orders of 8 bits */
            at[0] = at[1] = '?';
}

#endif
