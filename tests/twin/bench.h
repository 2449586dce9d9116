/* A simulated chip on the bench, and a master that says what each test wants said. */
#ifndef SL_TESTS_TWIN_BENCH_H
#define SL_TESTS_TWIN_BENCH_H

#include "link/frame.h"
#include "twin/chip.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MS      UINT64_C(1000)
#define BOOT_MS 200 /* start-up delay, and some */
#define GAP_MS  2   /* between two frames */

struct bench {
    struct twin_chip *chip;
    struct sl_order order; /* the next one; the sequence is counted by bench_send */
    bool has_status;       /* the last exchange brought a valid status ... */
    struct sl_chip_status status;
};

/* The firmware under test: the environment's SL_CHIP_ELF, else the one the build names. */
const char *bench_elf(void);

/* A chip that has started. options: NULL for none; elf_path is filled in. */
void bench_start(struct bench *bench, const struct twin_chip_options *options);
void bench_end(struct bench *bench);

void bench_pass(struct bench *bench, uint64_t ms);
/* Exchange these bytes, then pass GAP_MS. */
void bench_exchange(struct bench *bench, const uint8_t *frame, size_t len);
/* Send bench->order with the next sequence. */
void bench_send(struct bench *bench);
/* An order for one zone alone, with a long lease. units 0: everything off. */
void bench_order(struct bench *bench, uint8_t zone, uint16_t units);
/* Ask for the present status without ordering anything. */
void bench_ask(struct bench *bench);
/* Zero orders, so that nothing is latched. */
void bench_unlatch(struct bench *bench);

#endif
