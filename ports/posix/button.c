/* One line of a GPIO chip, through libgpiod. */
#include "button.h"
#include "gpio_lines.h"
#include "gpio_spec.h"
#include <errno.h>
#include <gpiod.h>
#include <string.h>
#include <time.h>

#define CONSUMER "sluice-reset"
#define FLAGS    (GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW | GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP)
#define LOOK_MS  20

static bool is_held_throughout(struct gpiod_line *line, bool *is_held);

bool posix_button_read(const char *spec, bool *is_held, struct posix_failure *failure)
{
    struct posix_gpio_spec parts;

    *is_held = false;
    if (!posix_gpio_check(spec, failure) || !posix_gpio_spec_parse(spec, &parts))
        return false;
    struct gpiod_chip *chip = gpiod_chip_open(parts.path);
    struct gpiod_line *line = chip ? gpiod_chip_get_line(chip, parts.lines[0]) : NULL;
    bool ok = line && gpiod_line_request_input_flags(line, CONSUMER, FLAGS) == 0 &&
              is_held_throughout(line, is_held);

    if (!ok)
        posix_fail(failure, POSIX_ERROR(RESET_UNREADABLE), spec, strerror(errno));
    if (chip)
        gpiod_chip_close(chip); /* gives the line back, too */
    return ok;
}

static bool is_held_throughout(struct gpiod_line *line, bool *is_held)
{
    const struct timespec look = {.tv_nsec = LOOK_MS * 1000000L};
    int value = 1;

    for (int ms = 0; ms <= POSIX_BUTTON_HELD_MS && value == 1; ms += LOOK_MS) {
        value = gpiod_line_get_value(line);
        if (value == 1)
            nanosleep(&look, NULL);
    }
    *is_held = value == 1;
    return value >= 0;
}
