/* The file behind the board's flash (ports/lx106/flash.h). */
#ifndef SL_TWIN_BOARD_FLASH_FILE_H
#define SL_TWIN_BOARD_FLASH_FILE_H

#include "machine.h"

/* Opens DIR/flash, or makes it as an erased chip; dir NULL: one in memory. Writes the identity
 * image to its place, as a programmer would, when another one is there (identity_path NULL: none).
 * Gives: a descriptor without close-on-exec, -1 on failure, with one line for a person in error. */
int board_flash_open(const char *dir, const char *identity_path, char error[BOARD_ERROR_LEN]);

#endif
