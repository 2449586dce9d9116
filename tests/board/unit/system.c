/* What the C library under cmocka and the tests asks of a system: files, the serial line. */
#include "semihost.h"
#include "uart.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* A packet must not cross a 4 KB page of the host's (semihost.h). */
#define PART_LEN 512

void lx106_main(void);
int main(void);
int kill(pid_t process, int signal); /* not in standard C, so hidden */

static int put(char byte, FILE *file)
{
    (void)file;
    lx106_uart_byte((uint8_t)byte);
    return 0;
}

static FILE serial = FDEV_SETUP_STREAM(put, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdin = &serial;
FILE *const stdout = &serial;
FILE *const stderr = &serial;

void lx106_main(void)
{
    lx106_semihost_init();
    lx106_exit(main());
}

_Noreturn void _exit(int code)
{
    lx106_exit(code);
}

/* For reading only: the tests' vectors. */
int open(const char *path, int flags, ...)
{
    (void)flags;
    return (int)lx106_host_open(path);
}

ssize_t read(int fd, void *out, size_t len)
{
    static uint8_t part[PART_LEN] __attribute__((aligned(PART_LEN)));
    const int32_t got = lx106_host_read(fd, part, len < sizeof part ? len : sizeof part);

    for (int32_t i = 0; i < got; i++)
        ((uint8_t *)out)[i] = part[i];
    return got;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    (void)fd;
    (void)bytes;
    (void)len;
    return -1;
}

off_t lseek(int fd, off_t offset, int whence)
{
    return whence == SEEK_SET ? lx106_host_seek(fd, (uint32_t)offset) : -1;
}

int close(int fd)
{
    lx106_host_close(fd);
    return 0;
}

pid_t getpid(void)
{
    return 1;
}

int kill(pid_t process, int signal)
{
    (void)process;
    lx106_exit(128 + signal);
}
