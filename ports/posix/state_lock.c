/* flock(2): the kernel lets it go with the process, so no lock is left behind. */
#include "state_lock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_ours(int fd);
static long read_holder(int fd);

bool posix_state_lock(const char *dir, char error[POSIX_ERROR_LEN])
{
    char path[4096], text[24];

    if (!dir)
        return true;
    snprintf(path, sizeof path, "%s/lock", dir);
    const int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0) {
        snprintf(
            error, POSIX_ERROR_LEN,
            "state folder %s: no lock can be made in it (%s); make it, writable for this user, "
            "or leave --state out",
            dir, strerror(errno));
        return false;
    }
    if (!is_ours(fd)) {
        snprintf(
            error, POSIX_ERROR_LEN,
            "state folder %s: its file 'lock' is not one that this user's node made: remove it, "
            "and let nobody else write in the folder",
            dir);
        close(fd);
        return false;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        const bool is_held = errno == EWOULDBLOCK;
        snprintf(error, POSIX_ERROR_LEN,
                 is_held
                     ? "state folder %s: in use by process %ld: give each node a folder of its own"
                     : "state folder %s: its file 'lock' (process %ld) cannot be locked: put it "
                       "on a local file system",
                 dir, read_holder(fd));
        close(fd);
        return false;
    }
    /* For the message above only. The descriptor stays open: it is the lock. */
    const int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    (void)!ftruncate(fd, 0);
    (void)!pwrite(fd, text, (size_t)len, 0);
    return true;
}

/* What is written into it must not be another file, put here under its name. */
static bool is_ours(int fd)
{
    struct stat info;

    return fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink == 1 &&
           info.st_uid == geteuid();
}

static long read_holder(int fd)
{
    char text[24] = "";

    return pread(fd, text, sizeof text - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
}
