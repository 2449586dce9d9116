/* All lines in one request, so that one system call switches them together. */
#include "gpio_lines.h"
#include "gpio_spec.h"
#include <errno.h>
#include <gpiod.h>
#include <string.h>

#define CONSUMER "sluice"
#define FLAGS    (GPIOD_LINE_REQUEST_FLAG_OPEN_DRAIN | GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW)
#define VERSION  0x01 /* 0.1, of this part */

static struct gpiod_chip *open_chip(const char *text, struct posix_gpio_spec *spec,
                                    struct posix_failure *failure);
static bool find_lines(struct gpiod_chip *in, const struct posix_gpio_spec *spec,
                       struct posix_failure *failure);
static bool request(const struct posix_gpio_spec *spec, struct posix_failure *failure);
static bool drive(uint8_t zones);
static bool read_back(uint8_t *zones);
/* What errno of a chip means. False. */
static bool fail(struct posix_failure *failure, const char *path, int error);

static struct gpiod_chip *chip;
static struct gpiod_line_bulk bulk; /* in order of zones */
static struct posix_outputs outputs = {.version = VERSION, .drive = drive, .read = read_back};

const struct posix_outputs *posix_gpio_open(const char *text, struct posix_failure *failure)
{
    struct posix_gpio_spec spec;

    chip = open_chip(text, &spec, failure);
    if (!chip)
        return NULL;
    if (!find_lines(chip, &spec, failure) || !request(&spec, failure)) {
        gpiod_chip_close(chip);
        chip = NULL;
        return NULL;
    }
    outputs.name = text;
    outputs.zones = (uint8_t)((1u << spec.len) - 1);
    return &outputs;
}

bool posix_gpio_check(const char *text, struct posix_failure *failure)
{
    struct posix_gpio_spec spec;
    struct gpiod_chip *seen = open_chip(text, &spec, failure);
    const bool is_good = seen && find_lines(seen, &spec, failure);

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
                                    struct posix_failure *failure)
{
    if (!posix_gpio_spec_parse(text, spec)) {
        posix_fail(failure, POSIX_ERROR(GPIO_LINES_BAD), text);
        return NULL;
    }
    struct gpiod_chip *opened = gpiod_chip_open(spec->path);
    if (!opened)
        fail(failure, spec->path, errno);
    return opened;
}

static bool find_lines(struct gpiod_chip *in, const struct posix_gpio_spec *spec,
                       struct posix_failure *failure)
{
    for (unsigned i = 0; i < spec->len; i++)
        if (!gpiod_chip_get_line(in, spec->lines[i]))
            return posix_fail(failure, POSIX_ERROR(GPIO_LINE_UNKNOWN), spec->path, spec->lines[i],
                              gpiod_chip_num_lines(in) - 1);
    return true;
}

/* Off (0) from the first instant: the kernel takes the value together with the direction. */
static bool request(const struct posix_gpio_spec *spec, struct posix_failure *failure)
{
    const int off[SL_ZONES] = {0};

    gpiod_line_bulk_init(&bulk);
    for (unsigned i = 0; i < spec->len; i++) {
        struct gpiod_line *line = gpiod_chip_get_line(chip, spec->lines[i]);
        if (gpiod_line_is_used(line)) {
            const char *user = gpiod_line_consumer(line);
            return posix_fail(failure, POSIX_ERROR(GPIO_LINE_BUSY), spec->path, spec->lines[i],
                              user ? user : "the kernel");
        }
        gpiod_line_bulk_add(&bulk, line);
    }
    return gpiod_line_request_bulk_output_flags(&bulk, CONSUMER, FLAGS, off) == 0 ||
           fail(failure, spec->path, errno);
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

static bool fail(struct posix_failure *failure, const char *path, int error)
{
    switch (error) {
    case ENOENT:
    case ENOTTY:
        return posix_fail(failure, POSIX_ERROR(GPIO_MISSING), path, strerror(error));
    case EACCES:
        return posix_fail(failure, POSIX_ERROR(GPIO_DENIED), path, strerror(error));
    default:
        return posix_fail(failure, POSIX_ERROR(GPIO_UNFIT), path, strerror(error));
    }
}
