/* A trace in the value change dump format, for gtkwave: the relay lines, SS and RESET.
 * Source: IEEE Std 1364-2001, section 18. */
#ifndef SL_TWIN_VCD_H
#define SL_TWIN_VCD_H

#include <stdbool.h>
#include <stdint.h>

struct twin_vcd;

enum twin_signal { TWIN_SIGNAL_PD0 = 0, TWIN_SIGNAL_SS = 8, TWIN_SIGNAL_RESET, TWIN_SIGNALS };

/* NULL: the file cannot be written (errno). */
struct twin_vcd *twin_vcd_create(const char *path);
/* value: '0', '1' or 'z'. Times never go back; an unchanged value writes nothing. */
void twin_vcd_change(struct twin_vcd *vcd, uint64_t time_ns, enum twin_signal signal, char value);
/* Make the file show all until time_ns. */
void twin_vcd_flush(struct twin_vcd *vcd, uint64_t time_ns);
void twin_vcd_destroy(struct twin_vcd *vcd, uint64_t time_ns);

#endif
