/* LD_PRELOAD: a GPIO chip with a button at line 3, held when $SL_BUTTON is "held" (gpio_seam.h). */
#include "unit/ports/gpio_seam.h"
#include <stdlib.h>
#include <string.h>

__attribute__((constructor)) static void start(void)
{
    const char *button = getenv("SL_BUTTON");

    gpio_seam_start();
    if (button && strcmp(button, "held") == 0)
        gpio_seam->held_low = UINT32_C(1) << 3;
}
