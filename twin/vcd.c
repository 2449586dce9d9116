/* Header, then a time stamp before each group of changes. */
#include "vcd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct twin_vcd {
    FILE *file;
    uint64_t written_ns; /* the last time stamp in the file */
    char value[TWIN_SIGNALS];
};

static char code(int signal)
{
    return (char)('!' + signal);
}

struct twin_vcd *twin_vcd_create(const char *path)
{
    struct twin_vcd *vcd = calloc(1, sizeof *vcd);
    if (vcd == NULL)
        return NULL;
    vcd->file = fopen(path, "w");
    if (vcd->file == NULL) {
        free(vcd);
        return NULL;
    }
    fputs("$timescale 1 ns $end\n$scope module relay_chip $end\n", vcd->file);
    for (int signal = 0; signal < TWIN_SIGNALS; signal++) {
        if (signal < TWIN_SIGNAL_SS)
            fprintf(vcd->file, "$var wire 1 %c PD%d $end\n", code(signal), signal);
        else
            fprintf(vcd->file, "$var wire 1 %c %s $end\n", code(signal),
                    signal == TWIN_SIGNAL_SS ? "SS" : "RESET");
        vcd->value[signal] = 'x';
    }
    fputs("$upscope $end\n$enddefinitions $end\n#0\n$dumpvars\n", vcd->file);
    for (int signal = 0; signal < TWIN_SIGNALS; signal++)
        fprintf(vcd->file, "x%c\n", code(signal));
    fputs("$end\n", vcd->file);
    return vcd;
}

static void stamp(struct twin_vcd *vcd, uint64_t time_ns)
{
    if (time_ns <= vcd->written_ns)
        return;
    vcd->written_ns = time_ns;
    fprintf(vcd->file, "#%" PRIu64 "\n", time_ns);
}

void twin_vcd_change(struct twin_vcd *vcd, uint64_t time_ns, enum twin_signal signal, char value)
{
    if (vcd->value[signal] == value)
        return;
    vcd->value[signal] = value;
    stamp(vcd, time_ns);
    fprintf(vcd->file, "%c%c\n", value, code((int)signal));
}

void twin_vcd_flush(struct twin_vcd *vcd, uint64_t time_ns)
{
    stamp(vcd, time_ns);
    fflush(vcd->file);
}

void twin_vcd_destroy(struct twin_vcd *vcd, uint64_t time_ns)
{
    stamp(vcd, time_ns);
    fclose(vcd->file);
    free(vcd);
}
