/* Names and codes of faults. */
#include "simulation/fault.h"
#include "simulation/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *code;
    enum sim_axis axis;
    enum sim_deed deed;
    int detail;
    bool is_timed;
} kinds[] = {
#define X(kind, code, axis, deed, detail, is_timed) {code, axis, SIM_DO_##deed, detail, is_timed},
    SIM_FAULT_LIST(X)
#undef X
};

enum sim_axis sim_fault_axis(enum sim_fault_kind kind)
{
    return kinds[kind].axis;
}

const char *sim_fault_code(enum sim_fault_kind kind)
{
    return kinds[kind].code;
}

enum sim_deed sim_fault_deed(enum sim_fault_kind kind)
{
    return kinds[kind].deed;
}

int sim_fault_detail(enum sim_fault_kind kind)
{
    return kinds[kind].detail;
}

bool sim_fault_is_timed(enum sim_fault_kind kind)
{
    return kinds[kind].is_timed;
}

void sim_plot_write(const struct sim_plot *plot, char text[SIM_CODE_LEN])
{
    int len = snprintf(text, SIM_CODE_LEN, "%ux%u:", plot->level, plot->at_once);
    for (uint8_t i = 0; i < plot->len; i++) {
        const struct sim_fault *fault = &plot->faults[i];
        len += snprintf(text + len, SIM_CODE_LEN - (size_t)len, "%s%s@%u", i > 0 ? "+" : "",
                        kinds[fault->kind].code, fault->at);
        if (kinds[fault->kind].is_timed)
            len += snprintf(text + len, SIM_CODE_LEN - (size_t)len, "/%u", fault->ms);
    }
}

static bool read_number(const char **at, uint32_t *number)
{
    char *end;
    if (**at < '0' || **at > '9')
        return false;
    *number = (uint32_t)strtoul(*at, &end, 10);
    *at = end;
    return true;
}

static bool read_fault(struct sim_fault *fault, const char **at)
{
    for (int kind = 0; kind < SIM_FAULTS; kind++) {
        size_t len = strlen(kinds[kind].code);
        if (strncmp(*at, kinds[kind].code, len) != 0 || (*at)[len] != '@')
            continue;
        *at += len + 1;
        fault->kind = (enum sim_fault_kind)kind;
        if (!read_number(at, &fault->at))
            return false;
        if (!kinds[kind].is_timed)
            return true;
        return *(*at)++ == '/' && read_number(at, &fault->ms);
    }
    return false;
}

bool sim_plot_read(struct sim_plot *plot, const char *text)
{
    uint32_t level = 0, at_once = 0;
    const char *at = text;
    memset(plot, 0, sizeof *plot);
    bool is_good = read_number(&at, &level) && *at++ == 'x' && read_number(&at, &at_once) &&
                   *at++ == ':' && (level == 4 || level == 5) && at_once >= 1 && at_once <= 8;
    plot->level = (uint8_t)level;
    plot->at_once = (uint8_t)at_once;
    while (is_good && *at != '\0') {
        is_good = plot->len < SIM_PLOT_MAX && read_fault(&plot->faults[plot->len], &at) &&
                  (*at == '\0' || (*at == '+' && at[1] != '\0'));
        plot->len++;
        if (*at == '+')
            at++;
    }
    if (!is_good)
        fprintf(stderr, "SL_FAULT=%s is no code of a fault, such as 5x1:up-rst@812\n", text);
    return is_good;
}
