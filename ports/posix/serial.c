/* termios(3) and pty(7). */
#include "serial.h"
#include "log.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static const char *pty_path(const char *spec);
static bool open_tty(const char *path, struct posix_failure *failure);
static bool open_pty(const char *path, struct posix_failure *failure);
static bool make_raw(int fd);
static bool remove_old_link(const char *path);
static void lose(sl_ms now, int error);
static void close_both(void);
static bool fail(struct posix_failure *failure, const char *path, int error);

static struct {
    const char *spec;
    int fd;    /* -1: away */
    int other; /* the pseudo terminal's far end: while it is open, ours gives no error; -1: none */
    sl_ms again_due; /* valid while away */
} serial = {.fd = -1, .other = -1};

bool posix_serial_open(const char *spec, struct posix_failure *failure)
{
    const char *path = pty_path(spec);

    serial.spec = spec;
    return path ? open_pty(path, failure) : open_tty(spec, failure);
}

bool posix_serial_check(const char *spec, struct posix_failure *failure)
{
    struct stat info;

    if (pty_path(spec))
        return true;
    if (stat(spec, &info) != 0 || faccessat(AT_FDCWD, spec, R_OK | W_OK, AT_EACCESS) != 0)
        return fail(failure, spec, errno);
    return S_ISCHR(info.st_mode) || fail(failure, spec, ENOTTY);
}

size_t posix_serial_receive(sl_ms now, uint8_t *out, size_t len)
{
    if (serial.fd < 0) {
        struct posix_failure failure;
        if (!sl_ms_is_reached(now, serial.again_due))
            return 0;
        serial.again_due = now + POSIX_SERIAL_AGAIN_MS;
        if (!posix_serial_open(serial.spec, &failure))
            return 0;
    }
    const ssize_t got = read(serial.fd, out, len);
    if (got > 0)
        return (size_t)got;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    lose(now, got < 0 ? errno : EIO);
    return 0;
}

size_t posix_serial_send(sl_ms now, struct sl_view bytes)
{
    if (serial.fd < 0)
        return 0;
    const ssize_t sent = write(serial.fd, bytes.data, bytes.len);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        lose(now, errno);
    return sent > 0 ? (size_t)sent : 0;
}

void posix_serial_wait(struct posix_wait *wait, bool has_output)
{
    if (serial.fd < 0)
        posix_wait_until(wait, serial.again_due);
    posix_wait_for(wait, serial.fd, has_output ? POLLOUT : POLLIN);
}

void posix_serial_close(void)
{
    const char *path = serial.spec ? pty_path(serial.spec) : NULL;

    if (path && serial.fd >= 0)
        (void)remove_old_link(path);
    close_both();
    serial.spec = NULL;
}

/* NULL: a tty. */
static const char *pty_path(const char *spec)
{
    const size_t len = strlen(POSIX_SERIAL_PTY);

    return strncmp(spec, POSIX_SERIAL_PTY, len) == 0 ? spec + len : NULL;
}

/* Without O_NONBLOCK the open would wait for a modem's carrier. */
static bool open_tty(const char *path, struct posix_failure *failure)
{
    const int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return fail(failure, path, errno);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || !make_raw(fd) || ioctl(fd, TIOCEXCL) != 0) {
        fail(failure, path, errno == EWOULDBLOCK ? EBUSY : errno);
        close(fd);
        return false;
    }
    (void)tcflush(fd, TCIOFLUSH); /* what came while nobody listened */
    serial.fd = fd;
    return true;
}

static bool open_pty(const char *path, struct posix_failure *failure)
{
    char name[64];
    const int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    const bool is_made = fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0 &&
                         ptsname_r(fd, name, sizeof name) == 0 &&
                         fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
    const int other = is_made ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;

    if (other >= 0 && make_raw(other) && remove_old_link(path) && symlink(name, path) == 0) {
        serial.fd = fd;
        serial.other = other;
        return true;
    }
    posix_fail(failure, POSIX_ERROR(SERIAL_NO_PTY), path, strerror(errno));
    if (other >= 0)
        close(other);
    if (fd >= 0)
        close(fd);
    return false;
}

static bool make_raw(int fd)
{
    struct termios modes;

    if (tcgetattr(fd, &modes) != 0)
        return false;
    cfmakeraw(&modes);
    modes.c_cflag |= CLOCAL | CREAD;
    modes.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS);
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    return cfsetspeed(&modes, B115200) == 0 && tcsetattr(fd, TCSANOW, &modes) == 0;
}

/* One that an earlier node has left; anything else there stays. */
static bool remove_old_link(const char *path)
{
    struct stat info;

    if (lstat(path, &info) != 0)
        return errno == ENOENT;
    if (!S_ISLNK(info.st_mode)) {
        errno = EEXIST;
        return false;
    }
    return unlink(path) == 0;
}

static void lose(sl_ms now, int error)
{
    serial.again_due = now + POSIX_SERIAL_AGAIN_MS;
    posix_log_failure(POSIX_ERROR(SERIAL_LOST), serial.spec, strerror(error));
    close_both();
}

static void close_both(void)
{
    if (serial.fd >= 0)
        close(serial.fd);
    if (serial.other >= 0)
        close(serial.other);
    serial.fd = serial.other = -1;
}

static bool fail(struct posix_failure *failure, const char *path, int error)
{
    switch (error) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
        return posix_fail(failure, POSIX_ERROR(SERIAL_MISSING), path, strerror(error));
    case EACCES:
    case EPERM:
        return posix_fail(failure, POSIX_ERROR(SERIAL_DENIED), path, strerror(error));
    case EBUSY:
        return posix_fail(failure, POSIX_ERROR(SERIAL_BUSY), path);
    default:
        return posix_fail(failure, POSIX_ERROR(SERIAL_UNFIT), path, strerror(error));
    }
}
