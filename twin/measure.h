/* The firmware's figures, measured on a busy simulated chip. */
#ifndef SL_TWIN_MEASURE_H
#define SL_TWIN_MEASURE_H

#include "chip.h"

/* Prints one figure a line. Gives the exit code of the program. */
int twin_measure_print(struct twin_chip *chip);

#endif
