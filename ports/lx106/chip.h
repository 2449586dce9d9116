/* The wires to the relay chip: port.h's SPI exchange over an inherited packet socket (argument
 * chip=DESCRIPTOR) that speaks the SPI socket of docs/spec/twin-socket.md.
 *
 * chip-time=board: the chip's time is this board's, told in every packet, and an exchange waits for
 * its answer while all clocks stand still: the same every time. Otherwise the chip keeps its own
 * pace, and answers are taken when they are there.
 */
#ifndef SL_LX106_CHIP_H
#define SL_LX106_CHIP_H

#include <stdbool.h>

void lx106_chip_init(void);
/* True: an answer can be taken. */
bool lx106_chip_has_answer(void);

#endif
