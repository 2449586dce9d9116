/* The eight relay lines on port D: active low, so a line at rest is driven high.
 *
 * They are switched off in the first instructions after a reset (section .init1), before the stack
 * or a variable exists. From the reset to there they float; the pull-ups of the relay board hold
 * them.
 */
#ifndef RELAY_CHIP_OUTPUTS_H
#define RELAY_CHIP_OUTPUTS_H

#include <stdint.h>

/* Zone z conducts where bit z is set. Writes the direction too: a register that was disturbed is
 * right again after the next call. */
void outputs_drive(uint8_t zones);

/* What the pins are, whatever was ordered: bit z = the pin of zone z is an output and reads low. */
uint8_t outputs_read(void);

#endif
