/* The seam below libgpiod: the system calls with which it reaches /dev/gpiochip*, taken by this
 * program's own open, ioctl and so on, so that the real library runs on top.
 *
 * It plays the kernel's GPIO character device, version 1 of its interface, as include/uapi/linux/
 * gpio.h and Documentation/driver-api/gpio/driver.rst describe it, for a chip without open drain of
 * its own, with a pull-up at every line. No kernel is involved: where it has gpio-sim, that or the
 * hardware is the better witness. */
#ifndef SL_TESTS_GPIO_SEAM_H
#define SL_TESTS_GPIO_SEAM_H

#include <stdbool.h>
#include <stdint.h>

#define GPIO_SEAM_NAME  "gpiochip-of-the-test"
#define GPIO_SEAM_LINES 32

/* Bit n is line n. Shared with child processes. */
struct gpio_seam {
    /* What the test makes of it. */
    uint32_t held_low, held_high; /* from outside, whatever the chip drives */
    uint32_t used;                /* by somebody else */
    int error;                    /* not 0: setting and reading values fail with it */

    /* What happened. */
    uint32_t low, high;           /* driven now; neither: an input */
    uint32_t ever_low, ever_high; /* since the start */
    unsigned sets;                /* system calls that set values */
    int handle;                   /* of the requested lines, -1: none */
    int device;
};

extern struct gpio_seam *gpio_seam;
void gpio_seam_start(void);

#endif
