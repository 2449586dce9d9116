/* Each operation is one write and fdatasync in a background thread, since that may take long. */
#include "flash_file.h"
#include "background.h"
#include "log.h"
#include "port.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME           "records" /* as the list of errors says */
#define TEMPORARY_NAME "records.new"
#define OLD_TIME_NAME  "last-time"
#define OLD_TIME_LEN   24 /* decimal, line feed, terminator */
#define FILE_LEN       (SL_RECORDS_SECTORS * SL_RECORDS_SECTOR_LEN)

static bool open_file(void);
static bool make_file(void);
static void work(void *job);

static struct {
    int dir_fd, fd; /* -1: nothing is kept */
    const char *dir;
    bool is_under_way, has_complained;
    struct { /* the thread's while it is busy */
        uint8_t bytes[SL_RECORDS_SECTOR_LEN];
        size_t len;
        off_t at;
        int fd, error;
    } job;
    struct posix_background background;
} file = {.dir_fd = -1, .fd = -1, .background = POSIX_BACKGROUND_INIT(work, &file.job)};

bool posix_flash_init(const char *dir, bool is_check, uint8_t *sectors,
                      struct posix_failure *failure)
{
    *sectors = 0;
    if (!dir)
        return true;
    file.dir = dir;
    file.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file.dir_fd < 0 || faccessat(file.dir_fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
        return posix_fail(failure, POSIX_ERROR(STATE_UNUSABLE), dir, strerror(errno));
    if (open_file() || (!is_check && make_file()))
        *sectors = SL_RECORDS_SECTORS;
    return true;
}

void posix_flash_forget(const char *dir)
{
    const int dir_fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (dir_fd < 0)
        return;
    (void)unlinkat(dir_fd, NAME, 0);
    (void)unlinkat(dir_fd, OLD_TIME_NAME, 0);
    (void)fsync(dir_fd); /* or a power cut brings it back beside the new identity */
    close(dir_fd);
}

uint64_t posix_flash_old_time(uint64_t kept_s)
{
    char text[OLD_TIME_LEN + 1] = "", *end = text;
    uint64_t unix_s = 0;

    if (file.dir_fd < 0)
        return 0;
    const int fd =
        openat(file.dir_fd, OLD_TIME_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (read(fd, text, OLD_TIME_LEN) > 0 && text[0] >= '0' && text[0] <= '9')
        unix_s = strtoull(text, &end, 10);
    close(fd);
    if (strcmp(end, "\n") != 0)
        unix_s = 0; /* damaged, as it was treated before */
    if (kept_s > 0 && unix_s <= kept_s)
        (void)unlinkat(file.dir_fd, OLD_TIME_NAME, 0);
    return unix_s;
}

bool sl_port_flash_read(const struct sl_records_place *place, uint8_t *out)
{
    const off_t at = (off_t)place->sector * SL_RECORDS_SECTOR_LEN + place->offset;

    return pread(file.fd, out, place->len, at) == place->len;
}

void sl_port_flash_start(const struct sl_records_op *op)
{
    file.job.at = (off_t)op->place.sector * SL_RECORDS_SECTOR_LEN + op->place.offset;
    file.job.len = op->kind == SL_RECORDS_ERASE ? SL_RECORDS_SECTOR_LEN : op->place.len;
    if (op->kind == SL_RECORDS_PROGRAM)
        memcpy(file.job.bytes, op->data, file.job.len);
    else
        memset(file.job.bytes, op->kind == SL_RECORDS_ERASE ? 0xFF : 0, file.job.len);
    file.job.fd = file.fd;
    file.job.error = 0;
    file.is_under_way = true;
    if (!posix_background_start(&file.background))
        file.job.error = EAGAIN;
}

bool sl_port_flash_take(bool *ok)
{
    if (!file.is_under_way || posix_background_is_busy(&file.background))
        return false;
    file.is_under_way = false;
    sl_wipe(file.job.bytes, file.job.len);
    *ok = file.job.error == 0;
    if (!*ok && !file.has_complained)
        posix_log_failure(POSIX_ERROR(RECORDS_UNWRITTEN), file.dir, strerror(file.job.error));
    file.has_complained = !*ok;
    return true;
}

void posix_flash_wait(struct posix_wait *wait)
{
    if (posix_background_is_busy(&file.background))
        posix_wait_for(wait, file.background.fd, POLLIN);
    else if (file.is_under_way)
        posix_wait_until(wait, wait->now);
}

void posix_flash_finish(int ms)
{
    posix_background_finish(&file.background, ms);
}

/* False: there is none that can be used. The opened file itself is judged, not its name again. */
static bool open_file(void)
{
    struct stat info;
    const char *fault = NULL;
    const int fd =
        openat(file.dir_fd, NAME, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return false; /* the first start */
    if (fd < 0)
        fault = errno == ELOOP ? "is a symbolic link" : strerror(errno);
    else if (fstat(fd, &info) != 0)
        fault = strerror(errno);
    else if (!S_ISREG(info.st_mode) || info.st_size != FILE_LEN)
        fault = "is damaged";
    else if (info.st_uid != geteuid() || (info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        fault = "can be reached by others";
    if (!fault) {
        file.fd = fd;
        return true;
    }
    if (fd >= 0)
        close(fd);
    posix_log_failure(POSIX_ERROR(RECORDS_ANEW), file.dir, fault);
    return false;
}

/* Erased flash, whole under its name or not there at all. */
static bool make_file(void)
{
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    bool ok;

    (void)unlinkat(file.dir_fd, TEMPORARY_NAME, 0); /* of a start that was cut short */
    const int fd = openat(file.dir_fd, TEMPORARY_NAME, flags, 0600);
    ok = fd >= 0;
    memset(file.job.bytes, 0xFF, sizeof file.job.bytes);
    for (unsigned sector = 0; ok && sector < SL_RECORDS_SECTORS; sector++)
        ok = write(fd, file.job.bytes, sizeof file.job.bytes) == sizeof file.job.bytes;
    ok = ok && fsync(fd) == 0 && renameat(file.dir_fd, TEMPORARY_NAME, file.dir_fd, NAME) == 0 &&
         fsync(file.dir_fd) == 0;
    if (ok) {
        file.fd = fd;
        return true;
    }
    posix_log_failure(POSIX_ERROR(RECORDS_UNMADE), file.dir, strerror(errno));
    if (fd >= 0) {
        close(fd);
        (void)unlinkat(file.dir_fd, TEMPORARY_NAME, 0);
    }
    return false;
}

/* In the background thread. Bits that stay ones are written as such: nothing else has them clear.
 */
static void work(void *argument)
{
    (void)argument;
    errno = 0;
    const ssize_t written = pwrite(file.job.fd, file.job.bytes, file.job.len, file.job.at);
    if (written != (ssize_t)file.job.len || fdatasync(file.job.fd) != 0)
        file.job.error = errno != 0 ? errno : EIO;
}
