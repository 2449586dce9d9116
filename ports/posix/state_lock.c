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

bool posix_state_lock(const char *dir, struct posix_failure *failure)
{
    char path[4096], text[24];

    if (!dir)
        return true;
    snprintf(path, sizeof path, "%s/lock", dir);
    const int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == ELOOP || errno == EISDIR || errno == ENXIO
                   ? posix_fail(failure, POSIX_ERROR(STATE_LOCK_BAD), dir)
                   : posix_fail(failure, POSIX_ERROR(STATE_UNUSABLE), dir, strerror(errno));
    if (!is_ours(fd)) {
        close(fd);
        return posix_fail(failure, POSIX_ERROR(STATE_LOCK_BAD), dir);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            posix_fail(failure, POSIX_ERROR(STATE_BUSY), dir, read_holder(fd));
        else
            posix_fail(failure, POSIX_ERROR(STATE_NO_LOCKS), dir, strerror(errno));
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
