/* LD_PRELOAD: counts what a program does to the disk, tells it to the file $SL_CALLS, and at call
 * number $SL_CUT_AT kills the program or, with $SL_CUT_HOW=fail, finds the disk full. A write that
 * is cut short leaves half of its bytes. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef ssize_t write_call(int, const void *, size_t);
typedef int rename_call(const char *, const char *);
typedef int rename_at_call(int, const char *, int, const char *, unsigned);
typedef int mkdir_call(const char *, mode_t);

/* The C library's own function of this name. */
#define NEXT(type, name)                                                                           \
    type *next;                                                                                    \
    *(void **)&next = dlsym(RTLD_NEXT, name)

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
    const char *path = getenv("SL_CALLS");
    char line[3 * PATH_MAX];
    va_list args;

    if (!path)
        return;
    NEXT(write_call, "write");
    va_start(args, format);
    const int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || len < 0 || next(fd, line, (size_t)len) != len)
        abort();
    close(fd);
}

static const char *name_of(int fd)
{
    static char name[PATH_MAX];
    char link[32];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t len = readlink(link, name, sizeof name - 1);
    name[len > 0 ? len : 0] = '\0';
    return name;
}

static int is_cut(void)
{
    static long calls;
    const char *at = getenv("SL_CUT_AT");

    calls++;
    return at && strtol(at, NULL, 10) == calls;
}

static int cut(void)
{
    const char *how = getenv("SL_CUT_HOW");

    if (!how || strcmp(how, "fail") != 0)
        raise(SIGKILL);
    errno = ENOSPC;
    return -1;
}

ssize_t write(int fd, const void *data, size_t len)
{
    struct stat about;

    NEXT(write_call, "write");
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || fd <= 2)
        return next(fd, data, len);
    if (strncmp(name_of(fd), "/memfd:", 7) == 0) /* memory */
        return next(fd, data, len);
    tell("write %s\n", name_of(fd));
    if (!is_cut())
        return next(fd, data, len);
    if (next(fd, data, len / 2) < 0)
        return -1;
    return cut();
}

int fsync(int fd)
{
    tell("fsync %s\n", name_of(fd));
    return is_cut() ? cut() : 0; /* nobody pulls the plug here: no disk need be waited for */
}

int rename(const char *from, const char *to)
{
    NEXT(rename_call, "rename");
    tell("rename %s %s\n", from, to);
    return is_cut() ? cut() : next(from, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    NEXT(rename_at_call, "renameat2");
    tell("rename %s %s\n", from, to);
    return is_cut() ? cut() : next(from_folder, from, to_folder, to, flags);
}

int mkdir(const char *path, mode_t mode)
{
    NEXT(mkdir_call, "mkdir");
    tell("mkdir %s\n", path);
    return is_cut() ? cut() : next(path, mode);
}
