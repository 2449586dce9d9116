/* NOR flash in memory, by the rules of the real one: programming clears bits and sets none, erasing
 * sets all bits of a sector, everything is done in words. Breaking a rule fails the test. */
#ifndef TEST_SUPPORT_FLASH_H
#define TEST_SUPPORT_FLASH_H

#include "store/records.h"

struct test_flash {
    uint8_t sectors; /* as told to sl_records_init */
    uint8_t bytes[SL_RECORDS_SECTORS_MAX][SL_RECORDS_SECTOR_LEN];
    unsigned erases[SL_RECORDS_SECTORS_MAX], programs;
};

/* As new: all ones. */
void test_flash_init(struct test_flash *flash, uint8_t sectors);
/* A start: the log is initialised and reads what is there. */
void test_flash_read(const struct test_flash *flash, struct sl_records *records);
/* Carry out one operation. */
void test_flash_apply(struct test_flash *flash, const struct sl_records_op *op);
/* Carry out everything that waits. */
void test_flash_settle(struct test_flash *flash, struct sl_records *records);

/* The power fails during op. How many ways of that are told apart: */
unsigned test_flash_cuts(const struct test_flash *flash, const struct sl_records_op *op);
/* ... and what way number cut, 0 to cuts - 1, leaves behind. Programming: stops at every word, with
 * some bits of that word, or reaches any bits of all words. Erasing: stops at a word, sets any
 * bits, programs zeros first. The last way: it was done, but nobody heard of it. */
void test_flash_cut(struct test_flash *flash, const struct sl_records_op *op, unsigned cut);

#endif
