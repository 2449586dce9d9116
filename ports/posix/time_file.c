/* Written by a background thread, since fsync may take long: temporary file, fsync, rename. */
#include "time_file.h"
#include "background.h"
#include "log.h"
#include "port.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME           "last-time"
#define TEMPORARY_NAME "last-time.new"
#define TEXT_LEN       24                               /* decimal, line feed, terminator */
#define FAR_S          (UINT64_C(50) * 366 * 24 * 3600) /* beyond: a damaged file, not the time */
#define FINISH_MS      2000

static void load(uint64_t *floor_s);
static void store(void *job);

static struct {
    int dir_fd; /* -1: nothing is kept */
    const char *dir;
    struct { /* the thread's while it is busy */
        uint64_t unix_s;
        int dir_fd, error;
    } job;
    struct posix_background background;
} file = {.dir_fd = -1, .background = POSIX_BACKGROUND_INIT(store, &file.job)};

bool posix_time_init(const char *dir, uint64_t *floor_s, char error[POSIX_ERROR_LEN])
{
    *floor_s = SL_BUILD_TIME;
    if (!dir)
        return true;
    file.dir = dir;
    file.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file.dir_fd < 0 || faccessat(file.dir_fd, ".", W_OK | X_OK, AT_EACCESS) != 0) {
        snprintf(error, POSIX_ERROR_LEN,
                 "state folder %s: %s; make it, writable for this user, or leave --state out", dir,
                 strerror(errno));
        return false;
    }
    load(floor_s);
    return true;
}

/* One write at a time: a time that comes meanwhile is left to the next call. */
void sl_port_keep_time(uint64_t unix_s)
{
    if (file.dir_fd < 0 || posix_background_is_busy(&file.background))
        return;
    file.job.error = 0;
    file.job.unix_s = unix_s;
    file.job.dir_fd = file.dir_fd;
    if (!posix_background_start(&file.background))
        file.job.error = EAGAIN;
}

void posix_time_wait(struct posix_wait *wait)
{
    if (posix_background_is_busy(&file.background)) {
        posix_wait_for(wait, file.background.fd, POLLIN);
    } else if (file.job.error != 0) {
        posix_log(SL_LOG_WARNING,
                  "state folder %s: the time could not be stored (%s): check its rights and the "
                  "free space",
                  file.dir, strerror(file.job.error));
        file.job.error = 0;
    }
}

void posix_time_finish(void)
{
    posix_background_finish(&file.background, FINISH_MS);
}

static void load(uint64_t *floor_s)
{
    char text[TEXT_LEN + 1], *end;
    const int fd = openat(file.dir_fd, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    else if (errno == ENOENT)
        return; /* the first start */
    if (len > 0) {
        text[len] = '\0';
        const unsigned long long unix_s = strtoull(text, &end, 10);
        if (text[0] >= '0' && text[0] <= '9' && strcmp(end, "\n") == 0 &&
            unix_s < SL_BUILD_TIME + FAR_S) {
            if (unix_s > *floor_s)
                *floor_s = unix_s;
            return;
        }
    }
    posix_log(SL_LOG_WARNING, "%s/%s: damaged, so this program's build time is the floor instead",
              file.dir, NAME);
}

/* In the background thread. */
static void store(void *argument)
{
    const int dir_fd = file.job.dir_fd;
    char text[TEXT_LEN];
    const int len = snprintf(text, sizeof text, "%llu\n", (unsigned long long)file.job.unix_s);

    (void)argument;
    errno = 0;
    const int fd =
        openat(dir_fd, TEMPORARY_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, text, (size_t)len) == len && fsync(fd) == 0;
    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    ok = ok && renameat(dir_fd, TEMPORARY_NAME, dir_fd, NAME) == 0 && fsync(dir_fd) == 0;
    file.job.error = ok ? 0 : errno != 0 ? errno : EIO;
}
