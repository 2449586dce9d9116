/* Digits, commas and one colon; the chip's name is whatever the system calls it. */
#include "gpio_spec.h"
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool posix_gpio_spec_parse(const char *text, struct posix_gpio_spec *spec)
{
    const char *at = strchr(text, ':');
    const char *folder = text[0] == '/' ? "" : "/dev/";

    *spec = (struct posix_gpio_spec){.len = 0};
    if (!at || at == text || (size_t)(at - text) + strlen(folder) >= sizeof spec->path)
        return false;
    snprintf(spec->path, sizeof spec->path, "%s%.*s", folder, (int)(at - text), text);
    do {
        char *end;
        const unsigned long line = strtoul(at + 1, &end, 10);
        if (!isdigit((unsigned char)at[1]) || line > UINT16_MAX || spec->len == SL_ZONES)
            return false;
        for (unsigned i = 0; i < spec->len; i++)
            if (spec->lines[i] == line)
                return false;
        spec->lines[spec->len++] = (unsigned)line;
        at = end;
    } while (*at == ',');
    return *at == '\0';
}
