/* CHIP:LINE[,LINE...] in parts. */
#ifndef SL_POSIX_GPIO_SPEC_H
#define SL_POSIX_GPIO_SPEC_H

#include "base/limits.h"
#include <stdbool.h>

struct posix_gpio_spec {
    char path[64]; /* of the chip's device */
    unsigned lines[SL_ZONES], len;
};

/* The line of zone 0 first, 1 to 8 of them, each once; CHIP is a name or path of /dev/gpiochip*.
 * False: text is none of that, and *spec is void. */
bool posix_gpio_spec_parse(const char *text, struct posix_gpio_spec *spec);

#endif
