/* Orders out, statuses in. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

const char *bench_elf(void)
{
    const char *elf = getenv("SL_CHIP_ELF");
    return elf != NULL ? elf : SL_CHIP_ELF;
}

void bench_start(struct bench *bench, const struct twin_chip_options *options)
{
    struct twin_chip_options used = {0};
    if (options != NULL)
        used = *options;
    used.elf_path = bench_elf();
    const char *error = NULL;
    memset(bench, 0, sizeof *bench);
    bench->chip = twin_chip_create(&used, &error);
    if (bench->chip == NULL)
        fail_msg("%s", error);
    bench->order.apply = true;
    bench->order.lease_units = UINT8_MAX;
    bench_pass(bench, BOOT_MS);
}

void bench_end(struct bench *bench)
{
    assert_false(twin_chip_counts(bench->chip).crashed);
    twin_chip_destroy(bench->chip);
}

void bench_pass(struct bench *bench, uint64_t ms)
{
    twin_chip_run(bench->chip, twin_chip_now_us(bench->chip) + ms * MS);
}

void bench_exchange(struct bench *bench, const uint8_t *frame, size_t len)
{
    uint8_t in[TWIN_EXCHANGE_MAX];
    twin_chip_exchange(bench->chip, frame, in, len);
    bench->has_status = len == SL_FRAME_LEN && sl_chip_status_decode(in, &bench->status) == SL_OK;
    bench_pass(bench, GAP_MS);
}

void bench_send(struct bench *bench)
{
    uint8_t frame[SL_FRAME_LEN];
    bench->order.sequence++;
    sl_order_encode(&bench->order, frame);
    bench_exchange(bench, frame, sizeof frame);
}

void bench_order(struct bench *bench, uint8_t zone, uint16_t units)
{
    memset(bench->order.remaining_units, 0, sizeof bench->order.remaining_units);
    bench->order.remaining_units[zone] = units;
    bench_send(bench);
}

/* Twice, because a status is about the exchange before. */
void bench_ask(struct bench *bench)
{
    bench->order.apply = false;
    bench_send(bench);
    bench_send(bench);
    bench->order.apply = true;
    assert_true(bench->has_status);
    assert_int_equal(bench->status.sequence, (uint8_t)(bench->order.sequence - 1));
}

void bench_unlatch(struct bench *bench)
{
    bench_order(bench, 0, 0);
}
