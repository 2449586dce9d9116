/* Under a unit test on the board: what the C library asks of a system, and the test's main. */
#include "semihost.h"
#include "uart.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

int main(void);
int kill(pid_t process, int signal_number);
void lx106_main(void);

static int put(char byte, FILE *file)
{
    (void)file;
    lx106_uart_byte((uint8_t)byte);
    return (unsigned char)byte;
}

static FILE serial = FDEV_SETUP_STREAM(put, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdin = &serial;
FILE *const stdout = &serial;
FILE *const stderr = &serial;

void lx106_main(void)
{
    lx106_semihost_init();
    exit(main());
}

_Noreturn void _exit(int code)
{
    lx106_exit(code);
}

/* abort() comes this way. */
pid_t getpid(void)
{
    return 1;
}

int kill(pid_t process, int signal_number)
{
    (void)process;
    lx106_exit(128 + signal_number);
}

/* Vectors are read from the host. */
int open(const char *path, int flags, ...)
{
    if ((flags & O_ACCMODE) != O_RDONLY) {
        errno = EROFS;
        return -1;
    }
    const int fd = lx106_host_open(path);
    if (fd < 0)
        errno = ENOENT;
    return fd;
}

ssize_t read(int fd, void *out, size_t len)
{
    return lx106_host_read(fd, out, len);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    return lx106_host_write(fd, bytes, len);
}

off_t lseek(int fd, off_t offset, int whence)
{
    if (whence != SEEK_SET) {
        errno = EINVAL;
        return -1;
    }
    return lx106_host_seek(fd, (uint32_t)offset);
}

int close(int fd)
{
    lx106_host_close(fd);
    return 0;
}
