/* Where a passphrase comes from: in this order the descriptor of --passphrase-fd, a file that an
 * environment variable names, a credential of the service manager, the terminal. Never the command
 * line, and never the environment itself: both can be read by others.
 */
#ifndef SL_CLI_PASSPHRASE_H
#define SL_CLI_PASSPHRASE_H

#include "cli/cli.h"

#define SL_PASSPHRASE_MIN 8
#define SL_PASSPHRASE_MAX 1023

struct sl_passphrase {
    char text[SL_PASSPHRASE_MAX + 1];
    size_t len;
};

/* What is asked for. */
struct sl_passphrase_ask {
    const char *what;       /* "the CA's key of /etc/sluice" */
    const char *variable;   /* names a file; NULL: none */
    const char *credential; /* the name of a file in $CREDENTIALS_DIRECTORY; NULL: none */
    bool is_new;            /* typed twice, and at least SL_PASSPHRASE_MIN bytes */
    bool may_ask;           /* on the terminal */
};

/* --passphrase-fd: holds for the first passphrase that a command takes. */
void sl_passphrase_use_fd(int fd);

/* Gives: *passphrase, which the caller wipes with sl_wipe.
 * Fails: SL_EXIT_REFUSED, silently, when there is no source; the others say what is wrong. */
SL_MUST_CHECK enum sl_exit sl_passphrase_take(const struct sl_passphrase_ask *ask,
                                              struct sl_passphrase *passphrase);
/* The first line of what this descriptor gives. */
SL_MUST_CHECK enum sl_exit sl_passphrase_read_fd(const struct sl_passphrase_ask *ask, int fd,
                                                 struct sl_passphrase *passphrase);
/* From the terminal alone, "Passphrase for WHAT: "; it may be empty. The caller has seen that there
 * is a terminal. */
SL_MUST_CHECK enum sl_exit sl_passphrase_prompt(const char *what, struct sl_passphrase *passphrase);

#endif
