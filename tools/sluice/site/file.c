/* Files that are whole or absent. */
#include "site/file.h"
#include "base/bytes.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum sl_exit flush_parent(const char *path);

struct sl_path sl_path_join(const char *folder, const char *name)
{
    struct sl_path path;
    int len = snprintf(path.text, sizeof path.text, "%s/%s", folder, name);
    if (len < 0 || (size_t)len >= sizeof path.text)
        path.text[0] = '\0';
    return path;
}

struct sl_path sl_path_join3(const char *folder, const char *middle, const char *name)
{
    struct sl_path path = sl_path_join(folder, middle);
    return sl_path_join(path.text, name);
}

void sl_bytes_free(struct sl_bytes *bytes)
{
    if (bytes->data)
        sl_wipe(bytes->data, bytes->len);
    free(bytes->data);
    bytes->data = NULL;
    bytes->len = 0;
}

enum sl_exit sl_file_write(const char *path, const void *data, size_t len, mode_t mode)
{
    char temporary[PATH_MAX + 8];
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC); /* 0600 from its first moment */
    if (fd < 0)
        return sl_file_fail("write", path);

    bool ok = sl_file_put(fd, data, len) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    ok = ok && rename(temporary, path) == 0;
    if (!ok) {
        enum sl_exit code = sl_file_fail("write", path);
        unlink(temporary);
        return code;
    }
    return flush_parent(path);
}

enum sl_exit sl_file_prepare(const char *path, const void *data, size_t len, mode_t mode,
                             gid_t group)
{
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return sl_file_fail("write", path);
    bool ok = sl_file_put(fd, data, len) && (group == 0 || fchown(fd, 0, group) == 0) &&
              fchmod(fd, mode) == 0 && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    enum sl_exit code = ok ? SL_EXIT_DONE : sl_file_fail("write", path);
    if (!ok)
        unlink(path);
    return code;
}

enum sl_exit sl_file_rename(const char *temporary, const char *path)
{
    return rename(temporary, path) == 0 ? flush_parent(path) : sl_file_fail("replace", path);
}

enum sl_exit sl_file_append(const char *path, const char *line)
{
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return sl_file_fail("write", path);
    off_t end = lseek(fd, 0, SEEK_END);
    enum sl_exit code = SL_EXIT_DONE;
    /* What a killed command left half written stays a line of its own. */
    char last = '\n';
    bool is_cut = end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n';
    if (end < 0 || (is_cut && !sl_file_put(fd, "\n", 1)) || !sl_file_put(fd, line, strlen(line)) ||
        fsync(fd) != 0) {
        code = sl_file_fail("write", path);
        if (end >= 0 && ftruncate(fd, end) != 0) /* half a line would spoil the next one */
            code = sl_file_fail("shorten", path);
    }
    close(fd);
    return code;
}

enum sl_exit sl_file_read(const char *path, size_t max, struct sl_bytes *bytes)
{
    *bytes = (struct sl_bytes){NULL, 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT && path[0] != '\0' ? sl_cli_fail(SL_ERROR(FILE_MISSING), path)
                                                  : sl_file_fail("read", path);
    struct stat about;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        close(fd);
        return sl_cli_fail(SL_ERROR(FILE_NO_FILE), path);
    }
    if (about.st_size < 0 || (size_t)about.st_size > max) {
        close(fd);
        return sl_cli_fail(SL_ERROR(FILE_TOO_LARGE), path);
    }
    char *data = malloc(max + 1);
    size_t len = 0;
    ssize_t got = data ? 1 : -1;
    while (got > 0 && len < max) {
        got = read(fd, data + len, max - len);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            len += (size_t)got;
    }
    if (got < 0) {
        enum sl_exit code = sl_file_fail("read", path);
        free(data);
        close(fd);
        return code;
    }
    close(fd);
    data[len] = '\0';
    *bytes = (struct sl_bytes){data, len};
    return SL_EXIT_DONE;
}

enum sl_exit sl_folder_make(const char *path)
{
    return mkdir(path, 0700) == 0 ? SL_EXIT_DONE : sl_file_fail("make", path);
}

enum sl_exit sl_folder_flush(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return sl_file_fail("flush", path);
    bool ok = fsync(fd) == 0;
    close(fd);
    return ok ? SL_EXIT_DONE : sl_file_fail("flush", path);
}

/* A folder that is whole in itself, and each below it. */
static int flush_entry(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    (void)about, (void)walk;
    return type == FTW_DP && sl_folder_flush(path) != SL_EXIT_DONE;
}

enum sl_exit sl_folder_flush_all(const char *path)
{
    return nftw(path, flush_entry, 8, FTW_DEPTH | FTW_PHYS) == 0 ? SL_EXIT_DONE : SL_EXIT_FILES;
}

enum sl_exit sl_folder_begin(const char *root, struct sl_path *path, struct sl_path *temporary)
{
    char parent[PATH_MAX], above[PATH_MAX] = ".", real[PATH_MAX];
    if (!sl_cli_copy(parent, sizeof parent, root))
        return sl_cli_fail(SL_ERROR(PATH_LONG));
    size_t len = strlen(parent);
    while (len > 1 && parent[len - 1] == '/')
        parent[--len] = '\0';
    char *slash = strrchr(parent, '/');
    const char *name = slash ? slash + 1 : parent;
    struct stat about;
    if (lstat(parent, &about) == 0)
        return sl_cli_fail(SL_ERROR(SITE_EXISTS), parent);
    if (slash)
        snprintf(above, sizeof above, "%.*s", slash == parent ? 1 : (int)(slash - parent), parent);
    if (!realpath(above, real))
        return sl_cli_fail(SL_ERROR(SITE_FOLDER_MISSING), above);
    if (strpbrk(real, "\n\r") || strpbrk(name, "\n\r"))
        return sl_cli_fail(SL_ERROR(SITE_PATH_BREAK), root);
    *path = sl_path_join(strcmp(real, "/") == 0 ? "" : real, name);
    int made = snprintf(temporary->text, sizeof temporary->text, "%s/.%s.XXXXXX", real, name);
    if (path->text[0] == '\0' || made < 0 || (size_t)made >= sizeof temporary->text)
        return sl_cli_fail(SL_ERROR(PATH_LONG));
    if (!mkdtemp(temporary->text)) /* 0700 from its first moment */
        return sl_file_fail("make a folder in", real);
    return SL_EXIT_DONE;
}

enum sl_exit sl_folder_publish(const char *temporary, const char *path)
{
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) != 0)
        return errno == EEXIST ? SL_EXIT_REFUSED : sl_file_fail("make", path);
    return flush_parent(path);
}

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    (void)about, (void)type, (void)walk;
    (void)remove(path);
    return 0;
}

enum sl_exit sl_folder_exchange(const char *temporary, const char *path)
{
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_EXCHANGE) != 0)
        return sl_file_fail("replace", path);
    return flush_parent(path);
}

void sl_folder_remove(const char *path)
{
    (void)nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

bool sl_file_put(int fd, const void *data, size_t len)
{
    const char *from = data;
    while (len > 0) {
        ssize_t written = write(fd, from, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        from += written;
        len -= (size_t)written;
    }
    return true;
}

static enum sl_exit flush_parent(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (!slash)
        return sl_folder_flush(".");
    slash[slash == folder ? 1 : 0] = '\0';
    return sl_folder_flush(folder);
}

enum sl_exit sl_file_fail(const char *verb, const char *path)
{
    const char *cause = strerror(errno);
    if (path[0] == '\0') /* sl_path_join found no room for it */
        return sl_cli_fail(SL_ERROR(PATH_LONG));
    switch (errno) {
    case EACCES:
    case EPERM:
        return sl_cli_fail(SL_ERROR(FILE_DENIED), verb, path, cause);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return sl_cli_fail(SL_ERROR(FILE_NO_SPACE), verb, path, cause);
    case ENOTDIR:
        return sl_cli_fail(SL_ERROR(FILE_IN_WAY), verb, path, cause);
    case ENOENT:
        return sl_cli_fail(SL_ERROR(FILE_NO_FOLDER), verb, path, cause);
    case EROFS:
        return sl_cli_fail(SL_ERROR(FILE_READ_ONLY), verb, path, cause);
    case EIO:
        return sl_cli_fail(SL_ERROR(FILE_DISK), verb, path, cause);
    case ELOOP:
        return sl_cli_fail(SL_ERROR(FILE_LINK), verb, path, cause);
    case ENAMETOOLONG:
        return sl_cli_fail(SL_ERROR(PATH_LONG));
    case ENOMEM:
        return sl_cli_fail(SL_ERROR(MEMORY));
    case EMFILE:
    case ENFILE:
        return sl_cli_fail(SL_ERROR(FILES_OPEN), verb, path, cause);
    default:
        return sl_cli_fail(SL_ERROR(FILE_FAILED), verb, path, cause);
    }
}
