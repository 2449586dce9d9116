/* The lines of the control socket: docs/spec/twin-socket.md. */
#ifndef SL_TWIN_COMMAND_H
#define SL_TWIN_COMMAND_H

#include "chip.h"
#include <stdbool.h>
#include <stddef.h>

#define TWIN_LINE_MAX   127
#define TWIN_ANSWER_MAX 1024

/* The longest step a client may ask for: so that no message stops the program for long. */
#define TWIN_STEP_MAX_US (UINT64_C(24) * 3600 * 1000000)

/* Carry out one line and write its answer. True: the line was "quit". */
bool twin_command_run(struct twin_chip *chip, bool is_virtual, const char *line,
                      char answer[TWIN_ANSWER_MAX]);

#endif
