/* Flash as it is: programming clears bits and sets none, erasing sets those of a whole sector.
 *
 * Behind it is a file of the simulating computer (argument flash=DESCRIPTOR). Power can be cut in
 * the middle of an operation: argument cut=N stops the board, with exit code LX106_FLASH_CUT_CODE,
 * when half of the N-th operation since the start is done.
 */
#ifndef SL_LX106_FLASH_H
#define SL_LX106_FLASH_H

#include "store/records.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LX106_FLASH_SECTOR_LEN SL_RECORDS_SECTOR_LEN
/* Where things lie: two identity images, each in a sector of its own, behind them the record log.
 */
#define LX106_FLASH_IDENTITY 0
#define LX106_FLASH_RECORDS  (2 * LX106_FLASH_SECTOR_LEN)
#define LX106_FLASH_LEN      (LX106_FLASH_RECORDS + SL_RECORDS_SECTORS * LX106_FLASH_SECTOR_LEN)
#define LX106_FLASH_CUT_CODE 75

void lx106_flash_init(void);
/* All: false when the flash does not answer. Offsets and lengths of program are multiples of 4. */
bool lx106_flash_read(uint32_t offset, void *out, size_t len);
bool lx106_flash_program(uint32_t offset, const void *bytes, size_t len);
bool lx106_flash_erase(uint32_t sector_offset);
/* The whole record log, before it is read. */
bool lx106_flash_forget_records(void);

#endif
