/* The identity image from a file that nobody else can read. */
#ifndef SL_POSIX_IDENTITY_FILE_H
#define SL_POSIX_IDENTITY_FILE_H

#include "errors.h"
#include "store/identity.h"
#include <stdbool.h>

struct posix_identity {
    uint8_t image[SL_IDENTITY_MAX];
    struct sl_identity identity; /* views into image */
};

/* A regular file of our own without rights for group and others, no symbolic link; or a credential
 * from systemd (CREDENTIALS_DIRECTORY).
 * Gives: *file, locked in memory as far as the system allows; for sl_wipe on the way out.
 * Fails: false; *failure says why. */
bool posix_identity_read(struct posix_identity *file, const char *path,
                         struct posix_failure *failure);

#endif
