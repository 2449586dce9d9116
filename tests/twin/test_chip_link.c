/* The SPI link at the level of edges: timing, noise, broken frames. */
#include "bench.h"

#include "base/crc.h"
#include <string.h>

#define ZONE 2
#define BIT  (1u << ZONE)

static void encode(struct bench *bench, uint16_t units, uint8_t frame[SL_FRAME_LEN])
{
    memset(bench->order.remaining_units, 0, sizeof bench->order.remaining_units);
    bench->order.remaining_units[ZONE] = units;
    bench->order.sequence++;
    sl_order_encode(&bench->order, frame);
}

/* 500 kHz, 20 us between bytes, 1 ms between frames, any phase of the chip's own interrupts: every
 * frame arrives and every status answers the frame before. */
static void no_frame_is_lost_at_the_specified_timing(void **state)
{
    (void)state;
    static const double oscillators[] = {0.9, 1.0, 1.1};
    for (size_t i = 0; i < sizeof oscillators / sizeof oscillators[0]; i++) {
        const struct twin_chip_options options = {.oscillator = oscillators[i]};
        struct bench bench;
        bench_start(&bench, &options);
        bench_unlatch(&bench);
        unsigned bad = 0;
        for (unsigned n = 0; n < 5000; n++) {
            uint8_t out[SL_FRAME_LEN], in[SL_FRAME_LEN];
            encode(&bench, (uint16_t)(40 + n % 7), out);
            twin_chip_exchange(bench.chip, out, in, sizeof in);
            bool is_good = sl_chip_status_decode(in, &bench.status) == SL_OK &&
                           bench.status.sequence == (uint8_t)(bench.order.sequence - 1);
            bad += !is_good;
            twin_chip_run(bench.chip, twin_chip_now_us(bench.chip) + 1000 + n * 7 % 1009);
        }
        struct twin_chip_counts counts = twin_chip_counts(bench.chip);
        assert_int_equal(bad, 0);
        assert_int_equal(bench.status.dropped_frames, 0);
        assert_int_equal(counts.overruns, 0);
        assert_int_equal(counts.collisions, 0);
        /* The master leaves 20 us, 144 cycles at -10 %, and the handler needs some 40 to lay out
         * the next byte. */
        assert_in_range(counts.worst_spi_cycles, 1, 104);
        bench_end(&bench);
    }
}

/* A line changes shortly before a frame, so that the chip is writing its next status when the frame
 * begins: what goes out is the old status or the new one, never a piece of each. */
static void a_status_goes_out_whole(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_unlatch(&bench);
    unsigned old = 0, new = 0;
    for (unsigned n = 0; n < 1500; n++) {
        uint8_t out[SL_FRAME_LEN], in[SL_FRAME_LEN];
        bool stuck = n % 2 == 0;
        encode(&bench, 0, out);
        twin_chip_set_pin_stuck(bench.chip, 6, stuck, false);
        twin_chip_run(bench.chip, twin_chip_now_us(bench.chip) + 1 + n);
        twin_chip_exchange(bench.chip, out, in, sizeof in);
        assert_int_equal(sl_chip_status_decode(in, &bench.status), SL_OK);
        bool is_new = (bench.status.pins != 0) == stuck;
        new += is_new;
        old += !is_new;
        bench_pass(&bench, 3);
    }
    assert_in_range(old, 100, 1400);
    assert_in_range(new, 100, 1400);
    bench_end(&bench);
}

/* SS rises after any number of bytes, too few or too many: nothing switches, one is counted. */
static void a_frame_of_another_length_changes_nothing(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_unlatch(&bench);
    uint8_t dropped = 0;
    for (size_t len = 1; len <= TWIN_EXCHANGE_MAX; len++) {
        uint8_t bytes[TWIN_EXCHANGE_MAX] = {0};
        if (len == SL_FRAME_LEN)
            continue;
        encode(&bench, 400, bytes);
        bench_exchange(&bench, bytes, len);
        assert_int_equal(twin_chip_take_conducted(bench.chip), 0);
        bench_ask(&bench);
        assert_int_equal(bench.status.dropped_frames, ++dropped);
    }
    bench_order(&bench, ZONE, 400);
    assert_int_equal(twin_chip_conducting(bench.chip), BIT);
    bench_end(&bench);
}

/* A frame that is cut by SS and goes on after it is no frame, wherever the cut is. */
static void the_rest_of_a_cut_frame_is_no_frame(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_unlatch(&bench);
    for (size_t cut = 1; cut < SL_FRAME_LEN; cut++) {
        uint8_t bytes[SL_FRAME_LEN];
        encode(&bench, 400, bytes);
        bench_exchange(&bench, bytes, cut);
        bench_exchange(&bench, bytes + cut, sizeof bytes - cut);
        assert_int_equal(twin_chip_take_conducted(bench.chip), 0);
    }
    bench_end(&bench);
}

static void a_wrong_bit_version_or_reserved_byte_changes_nothing(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_unlatch(&bench);
    uint8_t dropped = 0;
    for (unsigned bit = 0; bit < 8 * SL_FRAME_LEN; bit++) {
        uint8_t frame[SL_FRAME_LEN];
        encode(&bench, 400, frame);
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bench_exchange(&bench, frame, sizeof frame);
        dropped++;
    }
    static const uint8_t fixed[] = {0, 20, 21, 22, 23}; /* the start and the reserved bytes */
    for (size_t i = 0; i < sizeof fixed; i++) {
        uint8_t frame[SL_FRAME_LEN];
        encode(&bench, 400, frame);
        frame[fixed[i]]++;
        uint16_t crc = sl_crc16(frame, 24);
        frame[24] = (uint8_t)(crc >> 8);
        frame[25] = (uint8_t)crc;
        bench_exchange(&bench, frame, sizeof frame);
        dropped++;
    }
    assert_int_equal(twin_chip_take_conducted(bench.chip), 0);
    bench_ask(&bench);
    assert_int_equal(bench.status.dropped_frames, dropped);
    bench_end(&bench);
}

/* One bit in a thousand is wrong in each direction, and every tenth frame is lost: orders for one
 * zone get through, and no other zone ever moves. */
static void noise_never_switches_a_zone_that_was_not_asked_for(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_unlatch(&bench);
    twin_chip_set_bit_errors(bench.chip, 1e-3, 42);
    twin_chip_set_frame_loss(bench.chip, 0.1);
    unsigned good = 0;
    for (unsigned n = 0; n < 5000; n++) {
        bench_order(&bench, ZONE, n % 50 < 25 ? 400 : 0);
        good += bench.has_status;
    }
    assert_int_equal(twin_chip_take_conducted(bench.chip), BIT);
    assert_in_range(good, 3000, 4800);
    twin_chip_set_bit_errors(bench.chip, 0, 0);
    twin_chip_set_frame_loss(bench.chip, 0);
    bench_ask(&bench);
    assert_int_equal(bench.status.dropped_frames, UINT8_MAX);
    assert_int_equal(twin_chip_counts(bench.chip).resets, 0);
    bench_end(&bench);
}

/* Bits out of step end with the frame: the next one is understood, and its answer too. */
static void lost_clock_pulses_spoil_one_frame_only(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_unlatch(&bench);
    for (unsigned n = 0; n < 200; n++) {
        twin_chip_set_clock_loss(bench.chip, 0.2);
        bench_order(&bench, 5, 400);
        twin_chip_set_clock_loss(bench.chip, 0);
        bench_order(&bench, ZONE, 400);
        assert_true(bench.has_status);
        bench_ask(&bench);
        assert_int_equal(bench.status.pins, BIT);
    }
    assert_int_equal(twin_chip_take_conducted(bench.chip), BIT);
    bench_end(&bench);
}

static void a_cut_link_reads_all_ones_and_the_lease_ends(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, NULL);
    bench_unlatch(&bench);
    bench.order.lease_units = 40;
    bench_order(&bench, ZONE, 4000);
    twin_chip_set_link_cut(bench.chip, true);
    uint8_t out[SL_FRAME_LEN], in[SL_FRAME_LEN], ones[SL_FRAME_LEN];
    memset(ones, 0xFF, sizeof ones);
    encode(&bench, 4000, out);
    for (unsigned n = 0; n < 50; n++) {
        twin_chip_exchange(bench.chip, out, in, sizeof in);
        assert_memory_equal(in, ones, sizeof in);
        bench_pass(&bench, 250);
    }
    assert_int_equal(twin_chip_conducting(bench.chip), 0);
    twin_chip_set_link_cut(bench.chip, false);
    bench_ask(&bench);
    assert_true(bench.status.flags & SL_STATUS_LEASE_ENDED);
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_frame_is_lost_at_the_specified_timing),
        cmocka_unit_test(a_status_goes_out_whole),
        cmocka_unit_test(a_frame_of_another_length_changes_nothing),
        cmocka_unit_test(the_rest_of_a_cut_frame_is_no_frame),
        cmocka_unit_test(a_wrong_bit_version_or_reserved_byte_changes_nothing),
        cmocka_unit_test(noise_never_switches_a_zone_that_was_not_asked_for),
        cmocka_unit_test(lost_clock_pulses_spoil_one_frame_only),
        cmocka_unit_test(a_cut_link_reads_all_ones_and_the_lease_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
