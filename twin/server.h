/* The two sockets of the simulated chip: docs/spec/twin-socket.md. */
#ifndef SL_TWIN_SERVER_H
#define SL_TWIN_SERVER_H

#include "chip.h"
#include <stdbool.h>

struct twin_server_options {
    const char *spi_path;
    const char *control_path;
    bool is_virtual; /* time comes from the clients; else the chip keeps pace with the wall clock */
};

/* Serve until "quit", SIGTERM or SIGINT. Gives the exit code of the program. */
int twin_server_run(struct twin_chip *chip, const struct twin_server_options *options);

#endif
