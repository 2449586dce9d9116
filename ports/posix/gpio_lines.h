/* Relays on GPIO lines, through libgpiod: active low, high impedance when off.
 *
 * The lines are requested as open drain: where the hardware has none, the kernel makes a line an
 * input instead of driving it high (Linux, Documentation/driver-api/gpio/driver.rst, "GPIO lines
 * with open drain/source support"). What holds the relay off is its own pull-up. */
#ifndef SL_POSIX_GPIO_LINES_H
#define SL_POSIX_GPIO_LINES_H

#include "errors.h"
#include "outputs.h"

/* spec: CHIP:LINE[,LINE...], the line of zone 0 first, 1 to 8 of them, each once; CHIP is a name
 * or path of /dev/gpiochip*.
 * Gives: the outputs, all off; NULL: *failure says why, and no line was touched. */
const struct posix_outputs *posix_gpio_open(const char *spec, struct posix_failure *failure);
/* Is there such a chip with such lines? Touches no line. False: *failure says why not. */
bool posix_gpio_check(const char *spec, struct posix_failure *failure);
/* Every line off, then given back. */
void posix_gpio_close(void);

#endif
