/* Opens, checks the opened file itself (not its name again), reads, decodes. Writes whole files. */
#include "identity_file.h"
#include "log.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_credential(const char *path);
static bool check(int fd, const char *path, struct posix_failure *failure);
static bool read_all(int fd, const char *path, struct sl_identity_slot *file, size_t *len,
                     struct posix_failure *failure);
static bool fail_to_open(struct posix_failure *failure, const char *path, int error);
static int open_folder(const char *path);
static bool write_flushed(int fd, struct sl_view image);

bool posix_identity_read(struct sl_identity_slot *file, const char *path,
                         struct posix_failure *failure)
{
    enum sl_status status;
    size_t len = 0;

    /* Without O_NONBLOCK a FIFO in the file's place would hold us for ever. */
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return fail_to_open(failure, path, errno);
    (void)mlock(file, sizeof *file); /* best effort: rights may be missing */
    const bool ok = check(fd, path, failure) && read_all(fd, path, file, &len, failure);
    close(fd);
    if (!ok)
        return false;

    status = sl_identity_decode((struct sl_view){file->image, len}, &file->identity);
    if (status == SL_OK)
        return true;
    sl_wipe(file, sizeof *file);
    return status == SL_UNSUPPORTED
               ? posix_fail(failure, POSIX_ERROR(IDENTITY_VERSION), path, sl_status_text(status))
               : posix_fail(failure, POSIX_ERROR(IDENTITY_DAMAGED), path, sl_status_text(status));
}

static bool fail_to_open(struct posix_failure *failure, const char *path, int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return posix_fail(failure, POSIX_ERROR(IDENTITY_MISSING), path, strerror(error));
    case EACCES:
        return posix_fail(failure, POSIX_ERROR(IDENTITY_DENIED), path, strerror(error));
    case ELOOP:
        return posix_fail(failure, POSIX_ERROR(IDENTITY_LINK), path);
    default:
        return posix_fail(failure, POSIX_ERROR(IDENTITY_UNREADABLE), path, strerror(error));
    }
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

static bool check(int fd, const char *path, struct posix_failure *failure)
{
    struct stat info;
    bool has_owner, is_private;

    if (fstat(fd, &info) != 0)
        return posix_fail(failure, POSIX_ERROR(IDENTITY_UNREADABLE), path, strerror(errno));
    has_owner = info.st_uid == geteuid();
    is_private = (info.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    if (is_credential(path)) {
        has_owner = has_owner || info.st_uid == 0;
        is_private = (info.st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) == 0;
    }
    if (!S_ISREG(info.st_mode))
        return posix_fail(failure, POSIX_ERROR(IDENTITY_NO_FILE), path);
    if (!has_owner)
        return posix_fail(failure, POSIX_ERROR(IDENTITY_FOREIGN), path, (unsigned long)info.st_uid,
                          (unsigned long)geteuid(), (unsigned long)geteuid(), path);
    if (!is_private)
        return posix_fail(failure, POSIX_ERROR(IDENTITY_OPEN), path,
                          (unsigned)(info.st_mode & 07777), path);
    if (info.st_size > SL_IDENTITY_MAX)
        return posix_fail(failure, POSIX_ERROR(IDENTITY_TOO_LARGE), path, (long long)info.st_size,
                          SL_IDENTITY_MAX);
    return true;
}

static bool read_all(int fd, const char *path, struct sl_identity_slot *file, size_t *len,
                     struct posix_failure *failure)
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
    return posix_fail(failure, POSIX_ERROR(IDENTITY_UNREADABLE), path, strerror(errno));
}

bool posix_identity_is_there(const char *path)
{
    struct stat info;

    return lstat(path, &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool posix_identity_can_write(const char *path, struct posix_failure *failure)
{
    const int folder = open_folder(path);
    const bool can_write = folder >= 0 && faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) == 0;

    if (!can_write)
        posix_fail(failure, POSIX_ERROR(IDENTITY_NO_PLACE), path, strerror(errno));
    if (folder >= 0)
        close(folder);
    return can_write;
}

bool posix_identity_write(const char *path, struct sl_view image)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    char temporary[PATH_MAX];
    const int folder = open_folder(path);

    snprintf(temporary, sizeof temporary, "%s.new", path);
    (void)unlink(temporary); /* of a try that was cut short */
    const int fd = folder >= 0 ? open(temporary, flags, 0600) : -1;
    const bool ok =
        fd >= 0 && write_flushed(fd, image) && rename(temporary, path) == 0 && fsync(folder) == 0;
    if (!ok) {
        posix_log_failure(POSIX_ERROR(IDENTITY_UNWRITTEN), path, strerror(errno));
        (void)unlink(temporary);
    }
    if (fd >= 0)
        close(fd);
    if (folder >= 0)
        close(folder);
    return ok;
}

static int open_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX] = ".";

    if (slash)
        snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool write_flushed(int fd, struct sl_view image)
{
    errno = 0;
    const ssize_t written = write(fd, image.data, image.len);
    if (written != (ssize_t)image.len && errno == 0)
        errno = ENOSPC;
    return written == (ssize_t)image.len && fsync(fd) == 0;
}
