/* Numbers of the calls: QEMU, target/xtensa/xtensa-semi.c. */
#include "semihost.h"
#include <string.h>

enum {
    CALL_EXIT = 1,
    CALL_READ = 3,
    CALL_WRITE = 4,
    CALL_OPEN = 5,
    CALL_CLOSE = 6,
    CALL_LSEEK = 19,
    CALL_SELECT_ONE = 29,
    CALL_ARGC = 1000,
    CALL_ARGV_LEN = 1001,
    CALL_ARGV = 1002
};
enum { SEEK_FROM_START = 0, SELECT_READ = 1 };

#define ARGUMENTS_LEN 2048

static int32_t call(int32_t number, uint32_t a, uint32_t b, uint32_t c);

/* The host writes pointers to the texts here, then the texts. */
static uint32_t arguments[ARGUMENTS_LEN / 4] __attribute__((section(".rig")));
static int32_t arguments_len;

_Noreturn void lx106_exit(int code)
{
    for (;;)
        (void)call(CALL_EXIT, (uint32_t)code, 0, 0);
}

void lx106_semihost_init(void)
{
    const int32_t len = call(CALL_ARGV_LEN, 0, 0, 0);

    arguments_len = 0;
    if (len <= 0 || len > ARGUMENTS_LEN)
        return;
    arguments_len = call(CALL_ARGC, 0, 0, 0);
    (void)call(CALL_ARGV, (uint32_t)arguments, 0, 0);
}

const char *lx106_argument(const char *name)
{
    const size_t len = strlen(name);

    for (int32_t i = 0; i < arguments_len; i++) {
        const char *argument = (const char *)arguments[i];
        if (strncmp(argument, name, len) == 0 && argument[len] == '=')
            return argument + len + 1;
    }
    return NULL;
}

uint32_t lx106_argument_number(const char *name, uint32_t otherwise)
{
    const char *text = lx106_argument(name);
    uint32_t number = 0;

    if (!text || *text < '0' || *text > '9')
        return otherwise;
    for (; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (uint32_t)(*text - '0');
    return number;
}

int32_t lx106_host_read(int32_t fd, void *out, size_t len)
{
    return call(CALL_READ, (uint32_t)fd, (uint32_t)out, len);
}

int32_t lx106_host_write(int32_t fd, const void *bytes, size_t len)
{
    return call(CALL_WRITE, (uint32_t)fd, (uint32_t)bytes, len);
}

int32_t lx106_host_seek(int32_t fd, uint32_t offset)
{
    return call(CALL_LSEEK, (uint32_t)fd, offset, SEEK_FROM_START);
}

bool lx106_host_has_input(int32_t fd)
{
    const uint32_t at_once[2] = {0, 0};

    return call(CALL_SELECT_ONE, (uint32_t)fd, SELECT_READ, (uint32_t)at_once) == 1;
}

int32_t lx106_host_open(const char *path)
{
    return call(CALL_OPEN, (uint32_t)path, 0, 0);
}

void lx106_host_close(int32_t fd)
{
    (void)call(CALL_CLOSE, (uint32_t)fd, 0, 0);
}

static int32_t call(int32_t number, uint32_t a, uint32_t b, uint32_t c)
{
    register int32_t a2 __asm__("a2") = number;
    register uint32_t a3 __asm__("a3") = a;
    register uint32_t a4 __asm__("a4") = b;
    register uint32_t a5 __asm__("a5") = c;

    __asm__ volatile("simcall" : "+r"(a2), "+r"(a3) : "r"(a4), "r"(a5) : "memory");
    return a2;
}
