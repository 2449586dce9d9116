/* Opens, checks the opened file itself (not its name again), reads, decodes. */
#include "identity_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_credential(const char *path);
static bool check(int fd, const char *path, char error[POSIX_ERROR_LEN]);
static bool read_all(int fd, const char *path, struct posix_identity *file, size_t *len,
                     char error[POSIX_ERROR_LEN]);
static const char *cure_of(enum sl_status status);

bool posix_identity_read(struct posix_identity *file, const char *path, char error[POSIX_ERROR_LEN])
{
    enum sl_status status;
    size_t len = 0;

    /* Without O_NONBLOCK a FIFO in the file's place would hold us for ever. */
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        snprintf(error, POSIX_ERROR_LEN, "identity %s: %s; %s", path,
                 errno == ELOOP ? "it is a symbolic link" : strerror(errno),
                 errno == ELOOP ? "name the file itself"
                                : "make one with 'sluice node add NAME', and give its path");
        return false;
    }
    (void)mlock(file, sizeof *file); /* best effort: rights may be missing */
    const bool ok = check(fd, path, error) && read_all(fd, path, file, &len, error);
    close(fd);
    if (!ok)
        return false;

    status = sl_identity_decode((struct sl_view){file->image, len}, &file->identity);
    if (status != SL_OK) {
        sl_wipe(file, sizeof *file);
        snprintf(error, POSIX_ERROR_LEN, "identity %s: %s; %s", path, sl_status_text(status),
                 cure_of(status));
        return false;
    }
    return true;
}

/* Of systemd's LoadCredential=: in a folder that only this service can enter. The files may stay
 * root's, with an access list for the service's user, which shows as a right of the group. */
static bool is_credential(const char *path)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    const size_t len = folder ? strlen(folder) : 0;

    return len > 0 && strncmp(path, folder, len) == 0 && path[len] == '/' &&
           !strchr(path + len + 1, '/');
}

static bool check(int fd, const char *path, char error[POSIX_ERROR_LEN])
{
    struct stat info;
    bool has_owner, is_private;

    if (fstat(fd, &info) != 0) {
        snprintf(error, POSIX_ERROR_LEN, "identity %s: %s", path, strerror(errno));
        return false;
    }
    has_owner = info.st_uid == geteuid();
    is_private = (info.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    if (is_credential(path)) {
        has_owner = has_owner || info.st_uid == 0;
        is_private = (info.st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) == 0;
    }
    if (!S_ISREG(info.st_mode)) {
        snprintf(error, POSIX_ERROR_LEN, "identity %s: not a regular file; name the image itself",
                 path);
    } else if (!has_owner) {
        snprintf(error, POSIX_ERROR_LEN,
                 "identity %s: belongs to user %lu, not to us (%lu), so somebody else can change "
                 "it; run 'chown %lu %s'",
                 path, (unsigned long)info.st_uid, (unsigned long)geteuid(),
                 (unsigned long)geteuid(), path);
    } else if (!is_private) {
        snprintf(error, POSIX_ERROR_LEN,
                 "identity %s: its mode is %04o, so others can use its private key; run 'chmod 600 "
                 "%s', and if others may have read it, add the node under another name (see "
                 "'sluice node add --help')",
                 path, (unsigned)(info.st_mode & 07777), path);
    } else if (info.st_size > SL_IDENTITY_MAX) {
        snprintf(error, POSIX_ERROR_LEN,
                 "identity %s: %lld bytes, but an image has at most %d; name an image that 'sluice "
                 "node add' has made",
                 path, (long long)info.st_size, SL_IDENTITY_MAX);
    } else {
        return true;
    }
    return false;
}

static bool read_all(int fd, const char *path, struct posix_identity *file, size_t *len,
                     char error[POSIX_ERROR_LEN])
{
    ssize_t got = 0;

    for (*len = 0; *len < sizeof file->image; *len += (size_t)got) {
        got = read(fd, file->image + *len, sizeof file->image - *len);
        if (got < 0 && errno == EINTR) {
            got = 0;
            continue;
        }
        if (got <= 0)
            break;
    }
    if (got >= 0)
        return true;
    sl_wipe(file, sizeof *file);
    snprintf(error, POSIX_ERROR_LEN, "identity %s: %s", path, strerror(errno));
    return false;
}

static const char *cure_of(enum sl_status status)
{
    return status == SL_UNSUPPORTED
               ? "it was made for another version of sluice-node: use programs of one version"
               : "it is no identity image, or damaged: copy it again from the site, or "
                 "make a new one with 'sluice node add NAME --replace'";
}
