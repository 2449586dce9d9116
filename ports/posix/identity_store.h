/* The identities of a node on Linux: the file of --identity, and what came by renewal into the
 * state folder, DIR/identity, with DIR/identity.new beside it while that is tried. Mode 0600 all.
 *
 * Of the first two the one issued last is in use: so the first may stay where nobody can write, as
 * a credential of systemd, and one that 'sluice node add --replace' has made wins over both. */
#ifndef SL_POSIX_IDENTITY_STORE_H
#define SL_POSIX_IDENTITY_STORE_H

#include "errors.h"
#include "store/identity.h"
#include "wait.h"
#include <stdbool.h>

/* path: the file of --identity. dir: the state folder, kept; NULL for none. is_check: look only,
 * remove nothing.
 * Gives: slots as sl_node_config has them, locked in memory as far as the system allows;
 *        *has_candidate; *used, the path of the one in use, which lives as long as the program.
 *        A file in the folder that cannot be used is logged and passed over.
 * Fails: false when there is none that can be used, and *failure says why. */
bool posix_identities_read(struct sl_identity_slot slots[2], bool *has_candidate, const char **used,
                           const char *path, const char *dir, bool is_check,
                           struct posix_failure *failure);

/* Is one there, in path or renewed in dir (NULL for none), whether it can be used or not? */
bool posix_identities_are_there(const char *path, const char *dir);

/* path got a new identity otherwise: what was renewed before lies in no file of dir any more. */
void posix_identities_forget(const char *path, const char *dir);

/* Wakes when an operation of sl_port_identity_start has ended. */
void posix_identity_wait(struct posix_wait *wait);
/* Wait for the operation under way, at most ms milliseconds: on the way out. */
void posix_identity_finish(int ms);

#endif
