/* All lines in one request, so that one system call switches them together. */
#include "gpio_lines.h"
#include "gpio_spec.h"
#include <errno.h>
#include <gpiod.h>
#include <stdio.h>
#include <string.h>

#define CONSUMER "sluice"
#define FLAGS    (GPIOD_LINE_REQUEST_FLAG_OPEN_DRAIN | GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW)
#define VERSION  0x01 /* 0.1, of this part */

static struct gpiod_chip *open_chip(const char *text, struct posix_gpio_spec *spec,
                                    char error[POSIX_ERROR_LEN]);
static bool find_lines(struct gpiod_chip *in, const struct posix_gpio_spec *spec,
                       char error[POSIX_ERROR_LEN]);
static bool request(const struct posix_gpio_spec *spec, char error[POSIX_ERROR_LEN]);
static bool drive(uint8_t zones);
static bool read_back(uint8_t *zones);
static const char *cure(int error);

static struct gpiod_chip *chip;
static struct gpiod_line_bulk bulk; /* in order of zones */
static struct posix_outputs outputs = {.version = VERSION, .drive = drive, .read = read_back};

const struct posix_outputs *posix_gpio_open(const char *text, char error[POSIX_ERROR_LEN])
{
    struct posix_gpio_spec spec;

    chip = open_chip(text, &spec, error);
    if (!chip)
        return NULL;
    if (!find_lines(chip, &spec, error) || !request(&spec, error)) {
        gpiod_chip_close(chip);
        chip = NULL;
        return NULL;
    }
    outputs.name = text;
    outputs.zones = (uint8_t)((1u << spec.len) - 1);
    return &outputs;
}

bool posix_gpio_check(const char *text, char error[POSIX_ERROR_LEN])
{
    struct posix_gpio_spec spec;
    struct gpiod_chip *seen = open_chip(text, &spec, error);
    const bool is_good = seen && find_lines(seen, &spec, error);

    if (seen)
        gpiod_chip_close(seen);
    return is_good;
}

void posix_gpio_close(void)
{
    if (!chip)
        return;
    (void)drive(0);
    gpiod_line_release_bulk(&bulk);
    gpiod_chip_close(chip);
    chip = NULL;
}

static struct gpiod_chip *open_chip(const char *text, struct posix_gpio_spec *spec,
                                    char error[POSIX_ERROR_LEN])
{
    if (!posix_gpio_spec_parse(text, spec)) {
        snprintf(
            error, POSIX_ERROR_LEN,
            "GPIO lines %s: give CHIP:LINE[,LINE...], 1 to 8 different lines, zone 0 first, as "
            "in gpiochip0:17,27,22,5,6,13,19,26",
            text);
        return NULL;
    }
    struct gpiod_chip *opened = gpiod_chip_open(spec->path);
    if (!opened)
        snprintf(error, POSIX_ERROR_LEN, "GPIO chip %s: %s; %s", spec->path, strerror(errno),
                 cure(errno));
    return opened;
}

static bool find_lines(struct gpiod_chip *in, const struct posix_gpio_spec *spec,
                       char error[POSIX_ERROR_LEN])
{
    for (unsigned i = 0; i < spec->len; i++)
        if (!gpiod_chip_get_line(in, spec->lines[i])) {
            snprintf(error, POSIX_ERROR_LEN, "GPIO chip %s has no line %u: it has 0 to %u",
                     spec->path, spec->lines[i], gpiod_chip_num_lines(in) - 1);
            return false;
        }
    return true;
}

/* Off (0) from the first instant: the kernel takes the value together with the direction. */
static bool request(const struct posix_gpio_spec *spec, char error[POSIX_ERROR_LEN])
{
    const int off[SL_ZONES] = {0};

    gpiod_line_bulk_init(&bulk);
    for (unsigned i = 0; i < spec->len; i++) {
        struct gpiod_line *line = gpiod_chip_get_line(chip, spec->lines[i]);
        if (gpiod_line_is_used(line)) {
            const char *user = gpiod_line_consumer(line);
            snprintf(error, POSIX_ERROR_LEN,
                     "GPIO line %s:%u is in use by '%s': end that, or choose another line",
                     spec->path, spec->lines[i], user ? user : "the kernel");
            return false;
        }
        gpiod_line_bulk_add(&bulk, line);
    }
    if (gpiod_line_request_bulk_output_flags(&bulk, CONSUMER, FLAGS, off) == 0)
        return true;
    snprintf(error, POSIX_ERROR_LEN, "GPIO lines of %s: %s; %s", spec->path, strerror(errno),
             cure(errno));
    return false;
}

static bool drive(uint8_t zones)
{
    int values[SL_ZONES];

    for (unsigned zone = 0; zone < SL_ZONES; zone++)
        values[zone] = zones >> zone & 1;
    return gpiod_line_set_value_bulk(&bulk, values) == 0;
}

static bool read_back(uint8_t *zones)
{
    int values[SL_ZONES] = {0};

    *zones = 0;
    if (gpiod_line_get_value_bulk(&bulk, values) != 0)
        return false;
    for (unsigned zone = 0; zone < gpiod_line_bulk_num_lines(&bulk); zone++)
        if (values[zone] == 1)
            *zones |= (uint8_t)(1u << zone);
    return true;
}

static const char *cure(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTTY:
        return "'gpiodetect' lists the chips";
    case EACCES:
        return "give the node's user the device (Debian: group gpio)";
    case EBUSY:
        return "another program holds one of them; 'gpioinfo' tells which";
    default:
        return "'gpioinfo' tells what the lines can do";
    }
}
