/* The identity image from a file that nobody else can read. */
#ifndef SL_POSIX_IDENTITY_FILE_H
#define SL_POSIX_IDENTITY_FILE_H

#include "errors.h"
#include "store/identity.h"
#include <stdbool.h>

/* A regular file of our own without rights for group and others, no symbolic link; or a credential
 * from systemd (CREDENTIALS_DIRECTORY).
 * Gives: *file, locked in memory as far as the system allows; for sl_wipe on the way out.
 * Fails: false; *failure says why. */
bool posix_identity_read(struct sl_identity_slot *file, const char *path,
                         struct posix_failure *failure);

/* Does anything have this name? What it is worth, reading tells. */
bool posix_identity_is_there(const char *path);
/* May files in its folder be made and renamed? False: *failure says why not. */
bool posix_identity_can_write(const char *path, struct posix_failure *failure);
/* Write the image beside path with mode 0600, flush it, and give it the name at a stroke: whatever
 * happens, the file is the old one or the new one. False: it was logged why. */
bool posix_identity_write(const char *path, struct sl_view image);

#endif
