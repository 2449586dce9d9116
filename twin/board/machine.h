/* The virtual ESP8266 as a process: QEMU, with what the board finds in hardware passed in. */
#ifndef SL_TWIN_BOARD_MACHINE_H
#define SL_TWIN_BOARD_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define BOARD_ERROR_LEN 512
#define BOARD_SETS_MAX  16
#define BOARD_QEMU_MAX  8

struct board_options {
    const char *elf;      /* the board's program */
    const char *identity; /* image that is in its flash; NULL: what the flash holds, if anything */
    const char *chip;     /* SPI socket of sluice-chip; NULL: no relay chip */
    const char *state;    /* folder of the flash's file; NULL: its content is lost with us */
    const char *sntp;     /* HOST[:PORT]; NULL: the board has a clock chip that is right */
    const char *frames;   /* OWN:PEER, Unix datagram sockets that carry raw Ethernet frames; NULL:
                             this computer is the board's network */
    bool has_input;       /* something comes down its serial line */
    bool is_exact;        /* time is counted in instructions, exactly; else it is this computer's */
    const char *plugin;   /* a QEMU plugin to run it under; NULL: none */
    const char *qemu[BOARD_QEMU_MAX]; /* more arguments for QEMU */
    size_t qemu_len;
    const char *sets[BOARD_SETS_MAX]; /* more NAME=VALUE arguments for the board's program */
    size_t sets_len;
};

struct board_machine {
    pid_t process;
    int serial; /* what the board says, for reading, does not block */
    int input;  /* what it hears, for writing, does not block; -1: nothing */
    int wires;  /* to the board's SPI: packets of docs/spec/twin-socket.md; -1: no relay chip */
};

/* Writes the identity into the flash and starts the machine. It dies with us.
 * Fails: false, with one line for a person in error. */
bool board_machine_start(struct board_machine *machine, const struct board_options *options,
                         char error[BOARD_ERROR_LEN]);

#endif
