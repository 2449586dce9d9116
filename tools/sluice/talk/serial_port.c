/* termios(3). */
#include "talk/serial_port.h"
#include "site/file.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/* Unix98 pseudo terminals: Linux, Documentation/admin-guide/devices.txt. */
#define PTY_MAJOR_FIRST 136
#define PTY_MAJOR_LAST  143
#define DRAIN_MS        1000

static bool take_alone(int fd);
static bool make_raw(struct sl_serial_port *port);
static enum sl_exit fail(const char *path, int error);

/* Without O_NONBLOCK the open would wait for a modem's carrier. */
enum sl_exit sl_serial_open(const char *path, struct sl_serial_port *port)
{
    *port = (struct sl_serial_port){.path = path,
                                    .fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)};
    if (port->fd < 0)
        return fail(path, errno);
    if (isatty(port->fd) && take_alone(port->fd) && make_raw(port)) {
        (void)tcflush(port->fd, TCIOFLUSH);
        return SL_EXIT_DONE;
    }
    int error = errno;
    close(port->fd);
    port->fd = -1;
    return fail(path, error);
}

/* The lock is for programs like this one; TIOCEXCL keeps others out, too. On a pseudo terminal that
 * would last for as long as its other end has it open. */
static bool take_alone(int fd)
{
    struct stat about;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &about) != 0)
        return false;
    unsigned number = major(about.st_rdev);
    return (number >= PTY_MAJOR_FIRST && number <= PTY_MAJOR_LAST) || ioctl(fd, TIOCEXCL) == 0;
}

static bool make_raw(struct sl_serial_port *port)
{
    if (tcgetattr(port->fd, &port->before) != 0)
        return false;
    struct termios modes = port->before;
    cfmakeraw(&modes);
    modes.c_cflag |= CLOCAL | CREAD;
    modes.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS | HUPCL); /* HUPCL resets some boards */
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    return cfsetspeed(&modes, B115200) == 0 && tcsetattr(port->fd, TCSANOW, &modes) == 0;
}

enum sl_exit sl_serial_receive(struct sl_serial_port *port, bool has_output, unsigned ms,
                               uint8_t *in, size_t size, size_t *len)
{
    struct pollfd line = {.fd = port->fd, .events = has_output ? POLLIN | POLLOUT : POLLIN};
    *len = 0;
    if (poll(&line, 1, (int)ms) <= 0 || (line.revents & ~POLLOUT) == 0)
        return SL_EXIT_DONE;
    ssize_t got = read(port->fd, in, size);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return SL_EXIT_DONE;
    if (got <= 0)
        return sl_cli_fail(SL_ERROR(SERIAL_LOST), port->path, strerror(got < 0 ? errno : EIO));
    *len = (size_t)got;
    return SL_EXIT_DONE;
}

enum sl_exit sl_serial_send(struct sl_serial_port *port, struct sl_view bytes, size_t *len)
{
    ssize_t sent = write(port->fd, bytes.data, bytes.len);
    *len = sent > 0 ? (size_t)sent : 0;
    return sent < 0 && errno != EAGAIN && errno != EINTR
               ? sl_cli_fail(SL_ERROR(SERIAL_LOST), port->path, strerror(errno))
               : SL_EXIT_DONE;
}

/* tcdrain would wait for ever where nobody reads. */
void sl_serial_close(struct sl_serial_port *port)
{
    if (port->fd < 0)
        return;
    int waiting = 0;
    uint64_t end = sl_cli_now_ms() + DRAIN_MS;
    while (ioctl(port->fd, TIOCOUTQ, &waiting) == 0 && waiting > 0 && sl_cli_now_ms() < end)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    (void)tcsetattr(port->fd, TCSANOW, &port->before);
    close(port->fd);
    port->fd = -1;
}

static enum sl_exit fail(const char *path, int error)
{
    switch (error) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
        return sl_cli_fail(SL_ERROR(SERIAL_MISSING), path, strerror(error));
    case EACCES:
    case EPERM:
        return sl_cli_fail(SL_ERROR(SERIAL_DENIED), path, strerror(error));
    case EBUSY:
    case EWOULDBLOCK:
        return sl_cli_fail(SL_ERROR(SERIAL_BUSY), path);
    default:
        return sl_cli_fail(SL_ERROR(SERIAL_UNFIT), path, strerror(error));
    }
}
