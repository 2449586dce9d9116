/* Whatever is not about the chip goes on to the system. */
#include "gpio_seam.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DEVICE "/dev/" GPIO_SEAM_NAME
#define SYSFS  "/sys/bus/gpio/devices/" GPIO_SEAM_NAME "/dev"
#define MAJOR  254
#define MINOR  7

static int file_of(const char *text);
static int request_lines(struct gpiohandle_request *request);
static void set_values(const uint8_t *values);
static void get_values(uint8_t *values);
static void drive(unsigned line, uint32_t flags, bool value);

struct gpio_seam *gpio_seam;
static struct gpiohandle_request
    requested; /* the same in a child: it is forked after the request */

void gpio_seam_start(void)
{
    if (!gpio_seam)
        gpio_seam = mmap(NULL, sizeof *gpio_seam, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *gpio_seam = (struct gpio_seam){.handle = -1, .device = -1};
}

int open(const char *path, int flags, ...)
{
    va_list arguments;

    va_start(arguments, flags);
    const unsigned mode = flags & O_CREAT ? va_arg(arguments, unsigned) : 0;
    va_end(arguments);
    if (strcmp(path, DEVICE) == 0)
        return gpio_seam->device = file_of("");
    if (strcmp(path, SYSFS) == 0) {
        char text[16];
        snprintf(text, sizeof text, "%d:%d\n", MAJOR, MINOR);
        return file_of(text);
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int close(int fd)
{
    if (gpio_seam && fd == gpio_seam->handle)
        gpio_seam->handle = -1;
    if (gpio_seam && fd == gpio_seam->device)
        gpio_seam->device = -1;
    return (int)syscall(SYS_close, fd);
}

int lstat(const char *path, struct stat *status)
{
    if (strcmp(path, DEVICE) != 0)
        return fstatat(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
    *status = (struct stat){.st_mode = S_IFCHR | 0600, .st_rdev = makedev(MAJOR, MINOR)};
    return 0;
}

int stat(const char *path, struct stat *status)
{
    return strcmp(path, DEVICE) == 0 ? lstat(path, status) : fstatat(AT_FDCWD, path, status, 0);
}

int access(const char *path, int mode)
{
    return strcmp(path, SYSFS) == 0 ? 0 : faccessat(AT_FDCWD, path, mode, 0);
}

int ioctl(int fd, unsigned long number, ...)
{
    va_list arguments;

    va_start(arguments, number);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (!gpio_seam || _IOC_TYPE(number) != _IOC_TYPE(GPIO_GET_CHIPINFO_IOCTL))
        return (int)syscall(SYS_ioctl, fd, number, argument);

    if (fd == gpio_seam->device && number == GPIO_GET_CHIPINFO_IOCTL) {
        *(struct gpiochip_info *)argument = (struct gpiochip_info){
            .name = GPIO_SEAM_NAME, .label = "seam", .lines = GPIO_SEAM_LINES};
        return 0;
    }
    if (fd == gpio_seam->device && number == GPIO_GET_LINEINFO_IOCTL) {
        struct gpioline_info *info = argument;
        const uint32_t line = info->line_offset;
        *info = (struct gpioline_info){.line_offset = line};
        if (gpio_seam->used >> line & 1) {
            info->flags = GPIOLINE_FLAG_KERNEL;
            strcpy(info->consumer, "somebody");
        }
        return 0;
    }
    if (fd == gpio_seam->device && number == GPIO_GET_LINEHANDLE_IOCTL)
        return request_lines(argument);
    if (fd == gpio_seam->handle && gpio_seam->error != 0) {
        errno = gpio_seam->error;
        return -1;
    }
    if (fd == gpio_seam->handle && number == GPIOHANDLE_SET_LINE_VALUES_IOCTL) {
        set_values(((const struct gpiohandle_data *)argument)->values);
        gpio_seam->sets++;
        return 0;
    }
    if (fd == gpio_seam->handle && number == GPIOHANDLE_GET_LINE_VALUES_IOCTL) {
        get_values(((struct gpiohandle_data *)argument)->values);
        return 0;
    }
    errno = ENOTTY;
    return -1;
}

static int file_of(const char *text)
{
    const int fd = memfd_create("seam", MFD_CLOEXEC);

    if (fd >= 0 && write(fd, text, strlen(text)) >= 0)
        (void)lseek(fd, 0, SEEK_SET);
    return fd;
}

static int request_lines(struct gpiohandle_request *request)
{
    for (unsigned i = 0; i < request->lines; i++)
        if (gpio_seam->used >> request->lineoffsets[i] & 1) {
            errno = EBUSY;
            return -1;
        }
    request->fd = gpio_seam->handle = file_of("");
    requested = *request;
    if (request->flags & GPIOHANDLE_REQUEST_OUTPUT)
        set_values(request->default_values);
    return 0;
}

static void set_values(const uint8_t *values)
{
    for (unsigned i = 0; i < requested.lines; i++)
        drive(requested.lineoffsets[i], requested.flags, values[i] != 0);
}

/* Open drain without help from the hardware: high is an input. */
static void drive(unsigned line, uint32_t flags, bool value)
{
    const uint32_t bit = UINT32_C(1) << line;
    const bool is_high = value != ((flags & GPIOHANDLE_REQUEST_ACTIVE_LOW) != 0);

    gpio_seam->low &= ~bit;
    gpio_seam->high &= ~bit;
    if (!is_high)
        gpio_seam->low |= bit;
    else if ((flags & GPIOHANDLE_REQUEST_OPEN_DRAIN) == 0)
        gpio_seam->high |= bit;
    gpio_seam->ever_low |= gpio_seam->low;
    gpio_seam->ever_high |= gpio_seam->high;
}

/* The level at the pin, an output's too. */
static void get_values(uint8_t *values)
{
    const uint32_t low = (gpio_seam->low & ~gpio_seam->held_high) | gpio_seam->held_low;

    for (unsigned i = 0; i < requested.lines; i++) {
        const bool is_high = (low >> requested.lineoffsets[i] & 1) == 0;
        values[i] = is_high != ((requested.flags & GPIOHANDLE_REQUEST_ACTIVE_LOW) != 0);
    }
}
