#include "flash_file.h"
#include "ports/lx106/flash.h"
#include "store/identity.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LOCK_MS 2000

static int open_file(const char *dir, char error[BOARD_ERROR_LEN]);
static bool is_ours_alone(int fd);
static bool erase(int fd);
static bool write_identity(int fd, const char *path, char error[BOARD_ERROR_LEN]);
static bool is_renewed(int fd, const struct sl_identity *given);

int board_flash_open(const char *dir, const char *identity_path, char error[BOARD_ERROR_LEN])
{
    const int fd = dir ? open_file(dir, error) : memfd_create("flash", 0);

    if (fd < 0) {
        if (!dir)
            snprintf(error, BOARD_ERROR_LEN, "no memory for the flash: %s", strerror(errno));
        return -1;
    }
    if (lseek(fd, 0, SEEK_END) != LX106_FLASH_LEN && !erase(fd))
        snprintf(error, BOARD_ERROR_LEN, "the flash's file in %s: %s", dir ? dir : "memory",
                 strerror(errno));
    else if (!identity_path || write_identity(fd, identity_path, error))
        return fd;
    close(fd);
    return -1;
}

static int open_file(const char *dir, char error[BOARD_ERROR_LEN])
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/flash", dir);
    const int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (fd >= 0 && is_ours_alone(fd))
        return fd;
    snprintf(error, BOARD_ERROR_LEN,
             "the flash's file in %s: %s; give --state a folder of this board's own", dir,
             strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Two boards must not share one flash. A machine whose sluice-board was killed lives on for a
 * moment. */
static bool is_ours_alone(int fd)
{
    for (unsigned left = LOCK_MS; left > 0; left--) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return false;
}

static bool erase(int fd)
{
    uint8_t sector[LX106_FLASH_SECTOR_LEN];

    memset(sector, 0xff, sizeof sector);
    for (off_t at = 0; at < LX106_FLASH_LEN; at += LX106_FLASH_SECTOR_LEN)
        if (pwrite(fd, sector, sizeof sector, at) != (ssize_t)sizeof sector)
            return false;
    return ftruncate(fd, LX106_FLASH_LEN) == 0;
}

static bool write_identity(int fd, const char *path, char error[BOARD_ERROR_LEN])
{
    uint8_t image[SL_IDENTITY_MAX + 1], sector[LX106_FLASH_SECTOR_LEN];
    struct sl_identity identity;
    const int from = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t len = from < 0 ? -1 : read(from, image, sizeof image);
    const int failure = errno;

    if (from >= 0)
        close(from);
    if (len < 0) {
        snprintf(error, BOARD_ERROR_LEN, "identity %s: %s", path, strerror(failure));
        return false;
    }
    /* A programmer writes what it is given; a person wants to hear of the wrong file now. */
    if (sl_identity_decode((struct sl_view){image, (size_t)len}, &identity) != SL_OK) {
        snprintf(error, BOARD_ERROR_LEN,
                 "identity %s: it is no identity image, or damaged: make a new one with 'sluice "
                 "node add NAME --replace'",
                 path);
        sl_wipe(image, sizeof image);
        return false;
    }
    if (is_renewed(fd, &identity)) {
        sl_wipe(image, sizeof image);
        return true;
    }
    memset(sector, 0xff, sizeof sector);
    memcpy(sector, image, (size_t)len);
    bool ok = pwrite(fd, sector, sizeof sector, LX106_FLASH_IDENTITY) == (ssize_t)sizeof sector;
    memset(sector, 0xff, sizeof sector);
    ok = ok && pwrite(fd, sector, sizeof sector, LX106_FLASH_IDENTITY + LX106_FLASH_SECTOR_LEN) ==
                   (ssize_t)sizeof sector;
    if (!ok)
        snprintf(error, BOARD_ERROR_LEN, "the flash's file: %s", strerror(errno));
    sl_wipe(image, sizeof image);
    sl_wipe(sector, sizeof sector);
    return ok;
}

/* The board holds an identity of this name that is as late or later: it has renewed itself since.
 */
static bool is_renewed(int fd, const struct sl_identity *given)
{
    struct sl_identity_slot slot;
    bool is_later = false;

    for (unsigned sector = 0; sector < 2 && !is_later; sector++) {
        const off_t at = LX106_FLASH_IDENTITY + (off_t)sector * LX106_FLASH_SECTOR_LEN;
        struct sl_view view = {slot.image, sizeof slot.image};
        if (pread(fd, slot.image, sizeof slot.image, at) != (ssize_t)sizeof slot.image)
            continue;
        const size_t len = (size_t)slot.image[5] << 8 | slot.image[6];
        if (len < view.len)
            view.len = len;
        is_later = sl_identity_decode(view, &slot.identity) == SL_OK &&
                   sl_view_is_equal(slot.identity.name, given->name) && given->issued_s != 0 &&
                   slot.identity.issued_s > given->issued_s;
    }
    sl_wipe(&slot, sizeof slot);
    return is_later;
}
