/* The firmware's ELF and the same engine compiled for this computer, side by side: whatever comes
 * in at whatever time, the outputs are the same. So a long run on the host speaks for the chip. */
#include "bench.h"

#include "link/slave.h"
#include <string.h>

#define STEPS     800
#define SETTLE_MS 5 /* ticks of both fall differently; a zone that ends differs for so long */

struct pair {
    struct bench bench;
    struct sl_slave host;
    uint64_t host_ms;
    uint32_t random;
};

static uint32_t draw(struct pair *pair, uint32_t below)
{
    pair->random = pair->random * UINT32_C(1664525) + UINT32_C(1013904223);
    return (pair->random >> 8) % below;
}

static void pass(struct pair *pair, uint64_t ms)
{
    bench_pass(&pair->bench, ms);
    uint64_t now_ms = twin_chip_now_us(pair->bench.chip) / MS;
    while (pair->host_ms < now_ms) {
        sl_slave_tick(&pair->host, 1);
        pair->host_ms++;
    }
}

/* Mostly orders that make sense, some that do not. */
static size_t compose(struct pair *pair, uint8_t frame[SL_FRAME_LEN])
{
    struct sl_order *order = &pair->bench.order;
    order->sequence = (uint8_t)(order->sequence + (draw(pair, 8) != 0));
    order->apply = draw(pair, 5) != 0;
    order->lease_units = (uint8_t)(1 + draw(pair, 40));
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        order->remaining_units[zone] = (uint16_t)(draw(pair, 2) ? draw(pair, 24) : 0);
    sl_order_encode(order, frame);
    if (draw(pair, 8) == 0)
        frame[draw(pair, SL_FRAME_LEN)] ^= (uint8_t)(1u << draw(pair, 8));
    return draw(pair, 10) == 0 ? 1 + draw(pair, SL_FRAME_LEN) : SL_FRAME_LEN;
}

static bool is_equal(const struct pair *pair)
{
    return twin_chip_conducting(pair->bench.chip) == sl_slave_outputs(&pair->host);
}

static void both_switch_alike(void **state)
{
    (void)state;
    struct pair pair = {.random = 7};
    uint32_t limits[SL_ZONES];
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        limits[zone] = SL_SLAVE_HARD_LIMIT_MS;
    bench_start(&pair.bench, NULL);
    sl_slave_init(&pair.host, SL_RESET_POWER_ON, limits);
    pair.host_ms = twin_chip_now_us(pair.bench.chip) / MS;

    unsigned settled = 0, conducting = 0;
    for (unsigned step = 0; step < STEPS; step++) {
        uint8_t frame[SL_FRAME_LEN], in[SL_FRAME_LEN];
        size_t len = compose(&pair, frame);
        twin_chip_exchange(pair.bench.chip, frame, in, len);
        pass(&pair, 0);
        sl_slave_feed(&pair.host, frame, (uint8_t)len);
        pass(&pair, 2);
        for (unsigned i = 0; i < 3; i++) {
            pass(&pair, draw(&pair, draw(&pair, 6) == 0 ? 3000 : 300));
            if (is_equal(&pair))
                continue;
            settled++;
            pass(&pair, SETTLE_MS);
            assert_true(is_equal(&pair));
        }
        conducting += twin_chip_conducting(pair.bench.chip) != 0;
    }
    /* The run was one that switches, and the outputs differed only around an end. */
    assert_in_range(conducting, STEPS / 10, STEPS);
    assert_in_range(settled, 0, STEPS / 20);
    bench_ask(&pair.bench);
    assert_int_equal(pair.bench.status.dropped_frames, pair.host.dropped_frames);
    assert_int_equal(pair.bench.status.latched, pair.host.latched);
    bench_end(&pair.bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_switch_alike)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
