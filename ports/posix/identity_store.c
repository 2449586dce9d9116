/* Each operation is one file written and flushed, one rename, or one removal, and then the folder
 * flushed; in a background thread, since that may take long. */
#include "identity_store.h"
#include "background.h"
#include "identity_file.h"
#include "log.h"
#include "port.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME     "identity" /* as the list of errors says */
#define NEW_NAME "identity.new"

enum found { ABSENT, FOUND, UNUSABLE };

static enum found read_kept(struct sl_identity_slot *slot, const char *path, bool is_telling);
static bool is_later(const struct sl_identity_slot *slot, const struct sl_identity_slot *than);
static void forget(struct sl_identity_slot *slot, const char *path, bool is_check);
static void work(void *job);
static bool carry_out(void);
static bool write_new(void);

static struct {
    char kept[PATH_MAX], kept_new[PATH_MAX];
    const char *dir;
    bool is_under_way, has_complained;
    struct { /* the thread's while it is busy */
        enum sl_identity_op op;
        uint8_t image[SL_IDENTITY_MAX];
        size_t len;
        int error;
    } job;
    struct posix_background background;
} store = {.background = POSIX_BACKGROUND_INIT(work, NULL)};

bool posix_identities_read(struct sl_identity_slot slots[2], bool *has_candidate, const char **used,
                           const char *path, const char *dir, bool is_check,
                           struct posix_failure *failure)
{
    *has_candidate = false;
    *used = path;
    store.dir = dir;
    (void)mlock(&store.job, sizeof store.job); /* best effort, as for every identity */
    const bool has_file = posix_identity_read(&slots[0], path, failure);
    if (!dir)
        return has_file;
    snprintf(store.kept, sizeof store.kept, "%s/" NAME, dir);
    snprintf(store.kept_new, sizeof store.kept_new, "%s/" NEW_NAME, dir);

    /* One that was renewed is later than the file, unless that was replaced meanwhile. */
    if (read_kept(&slots[1], store.kept, true) == FOUND &&
        (!has_file || (sl_view_is_equal(slots[1].identity.name, slots[0].identity.name) &&
                       slots[1].identity.issued_s >= slots[0].identity.issued_s))) {
        if (!posix_identity_read(&slots[0], store.kept, failure))
            return false; /* it has just been read */
        *used = store.kept;
    } else if (!has_file) {
        return false;
    }
    *has_candidate =
        read_kept(&slots[1], store.kept_new, false) == FOUND && is_later(&slots[1], &slots[0]);
    if (!*has_candidate)
        forget(&slots[1], store.kept_new, is_check);
    return true;
}

/* is_telling: damage is no trace of a power cut. */
static enum found read_kept(struct sl_identity_slot *slot, const char *path, bool is_telling)
{
    struct posix_failure failure;

    if (faccessat(AT_FDCWD, path, F_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
        return ABSENT;
    if (posix_identity_read(slot, path, &failure))
        return FOUND;
    if (is_telling)
        posix_log_failure(POSIX_ERROR(IDENTITY_KEPT_BAD), path, failure.line);
    return UNUSABLE;
}

static bool is_later(const struct sl_identity_slot *slot, const struct sl_identity_slot *than)
{
    return sl_view_is_equal(slot->identity.name, than->identity.name) &&
           slot->identity.issued_s > than->identity.issued_s;
}

/* A key that nobody uses any more should lie nowhere. */
static void forget(struct sl_identity_slot *slot, const char *path, bool is_check)
{
    sl_wipe(slot, sizeof *slot);
    if (!is_check)
        (void)unlink(path);
}

bool posix_identities_are_there(const char *path, const char *dir)
{
    char kept[PATH_MAX];

    if (dir)
        snprintf(kept, sizeof kept, "%s/" NAME, dir);
    return posix_identity_is_there(path) || (dir && posix_identity_is_there(kept));
}

void posix_identities_forget(const char *path, const char *dir)
{
    const char *const names[] = {NAME, NEW_NAME};
    char kept[PATH_MAX];
    struct stat info, given;
    const int dir_fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    for (size_t i = 0; dir && i < sizeof names / sizeof names[0]; i++) {
        snprintf(kept, sizeof kept, "%s/%s", dir, names[i]);
        if (lstat(kept, &info) == 0 && (lstat(path, &given) != 0 || info.st_ino != given.st_ino ||
                                        info.st_dev != given.st_dev))
            (void)unlink(kept);
    }
    if (dir_fd >= 0) {
        (void)fsync(dir_fd); /* or a power cut brings them back */
        close(dir_fd);
    }
}

void sl_port_identity_start(enum sl_identity_op op, struct sl_view image)
{
    store.job.op = op;
    store.job.len = image.len;
    if (image.len > 0)
        memcpy(store.job.image, image.data, image.len);
    store.job.error = 0;
    store.is_under_way = true;
    if (!posix_background_start(&store.background))
        store.job.error = EAGAIN;
}

bool sl_port_identity_take(bool *ok)
{
    if (!store.is_under_way || posix_background_is_busy(&store.background))
        return false;
    store.is_under_way = false;
    sl_wipe(store.job.image, sizeof store.job.image);
    *ok = store.job.error == 0;
    if (!*ok && !store.has_complained)
        posix_log_failure(POSIX_ERROR(IDENTITY_UNKEPT), store.dir, strerror(store.job.error));
    store.has_complained = !*ok;
    return true;
}

void posix_identity_wait(struct posix_wait *wait)
{
    if (posix_background_is_busy(&store.background))
        posix_wait_for(wait, store.background.fd, POLLIN);
    else if (store.is_under_way)
        posix_wait_until(wait, wait->now);
}

void posix_identity_finish(int ms)
{
    posix_background_finish(&store.background, ms);
}

/* In the background thread. */
static void work(void *argument)
{
    (void)argument;
    errno = 0;
    if (!carry_out())
        store.job.error = errno != 0 ? errno : EIO;
}

/* What was written is there after a power cut only when its folder was flushed, too. */
static bool carry_out(void)
{
    const int dir = open(store.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = dir >= 0;

    switch (store.job.op) {
    case SL_IDENTITY_TRY:
        ok = ok && write_new();
        break;
    case SL_IDENTITY_ADOPT:
        ok = ok && rename(store.kept_new, store.kept) == 0;
        break;
    case SL_IDENTITY_DROP:
        ok = ok && (unlink(store.kept_new) == 0 || errno == ENOENT);
        break;
    }
    ok = ok && fsync(dir) == 0;
    const int error = errno;
    if (dir >= 0)
        close(dir);
    errno = error;
    return ok;
}

/* Half of it would be found by its checksum, and it is not in use yet. */
static bool write_new(void)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

    if (unlink(store.kept_new) != 0 && errno != ENOENT)
        return false;
    const int fd = open(store.kept_new, flags, 0600);
    if (fd < 0)
        return false;
    errno = 0; /* a short write sets none */
    const bool ok =
        write(fd, store.job.image, store.job.len) == (ssize_t)store.job.len && fsync(fd) == 0;
    const int error = errno != 0 ? errno : ENOSPC;
    close(fd);
    if (!ok)
        (void)unlink(store.kept_new);
    errno = error;
    return ok;
}
