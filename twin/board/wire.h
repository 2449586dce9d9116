/* Carries SPI exchanges between the board and the socket of sluice-chip, which may come and go. */
#ifndef SL_TWIN_BOARD_WIRE_H
#define SL_TWIN_BOARD_WIRE_H

#include <stdbool.h>
#include <stdint.h>

struct board_wire {
    int board;        /* the board's end, a packet socket */
    int chip;         /* -1: not connected */
    const char *path; /* of the chip's socket */
    uint64_t due_ms;  /* not connected: when to try again */
    bool is_reported;
};

void board_wire_init(struct board_wire *wire, int board, const char *path);
/* Connects when it is time to. */
void board_wire_tick(struct board_wire *wire, uint64_t now_ms);
/* One packet each way, if it is there. False: the board is gone. */
bool board_wire_carry(struct board_wire *wire, uint64_t now_ms);

#endif
