/* An enrolment over a bad line: whatever becomes of any byte, the device ends up with nothing or
 * with all of it, and can be enrolled afterwards. */
#include "unit/node/enrolled.h"

#ifndef STRIDE
#define STRIDE 1 /* bytes from one case to the next */
#endif

static size_t lengths[2]; /* of a conversation that nothing happens to */

static int measure(void **state)
{
    start_pki(state);
    start_line();
    run();
    assert_enrolled();
    lengths[TO_DEVICE] = line.wires[TO_DEVICE].len;
    lengths[TO_HOST] = line.wires[TO_HOST].len;
    return 0;
}

static void test_any_pieces_give_the_same(void **state)
{
    struct test_line whole;
    (void)state;

    run();
    whole = line;
    for (size_t piece = 1; piece <= SL_ENROL_WIRE_MAX; piece += 1 + (STRIDE - 1) * 8)
        for (int extra = 0; extra < 2; extra++) {
            start_line();
            line.piece = piece;
            line.has_extra_ticks = extra;
            run();
            assert_enrolled();
            assert_int_equal(line.stored_len, whole.stored_len);
            assert_memory_equal(line.stored, whole.stored, whole.stored_len);
            assert_int_equal(line.logs_len, whole.logs_len);
            for (int way = 0; way < 2; way++) {
                assert_int_equal(line.wires[way].len, whole.wires[way].len);
                assert_memory_equal(line.wires[way].bytes, whole.wires[way].bytes,
                                    whole.wires[way].len);
            }
        }
}

static void test_a_clock_at_its_wrap_changes_nothing(void **state)
{
    struct test_line whole;
    (void)state;

    line.drop_at[TO_DEVICE] = 20; /* so that time matters */
    run();
    assert_enrolled();
    whole = line;
    for (sl_ms before = 0; before < 4000; before += 500) {
        memset(&line, 0, sizeof line);
        start_line();
        line.now = (sl_ms)0 - before;
        start_device(0);
        start_host(0x5EED0001, "garden");
        line.drop_at[TO_DEVICE] = 20;
        run();
        assert_enrolled();
        assert_int_equal(line.now + before, whole.now);
    }
}

/* The line is cut at every byte, then put together again; or the device loses its power with it. */
static void test_a_line_cut_at_any_byte(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++)
        for (size_t at = 0; at < lengths[way]; at += STRIDE)
            for (int restart = 0; restart < 2; restart++) {
                start_line();
                line.cut_at[way] = at;
                run();
                assert_whole_or_nothing();
                if (line.stored_len == 0) {
                    assert_int_equal(line.last.kind, SL_ENROL_HOST_FAILED);
                    assert_int_equal(line.last.status, SL_TIMEOUT);
                    assert_can_be_enrolled_again(restart);
                    continue;
                }
                /* Provisioned: whether the host has heard of it or not, the device goes on. */
                pass(SL_ENROLMENT_LINGER_MS);
                assert_true(line.has_ended[TO_DEVICE] && line.is_finished_stored);
            }
}

static void test_a_flipped_bit_anywhere(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++)
        for (size_t at = 0; at < lengths[way]; at += STRIDE)
            for (unsigned bit = at % 2; bit < 8; bit += 2) {
                start_line();
                line.flip_at[way] = at;
                line.bit = (uint8_t)bit;
                run();
                pass(SL_ENROLMENT_LINGER_MS); /* when it was DONE */
                assert_enrolled();
            }
}

static void test_a_byte_lost_or_doubled_anywhere(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++)
        for (size_t at = 0; at < lengths[way]; at += STRIDE)
            for (int is_lost = 0; is_lost < 2; is_lost++) {
                start_line();
                *(is_lost ? &line.drop_at[way] : &line.double_at[way]) = at;
                run();
                pass(SL_ENROLMENT_LINGER_MS);
                assert_enrolled();
            }
}

static void test_log_text_and_noise_between_the_frames(void **state)
{
    static const char *const texts[] = {
        "2026-11-22T18:42:07.123Z info: waiting on the serial line\n",
        "\r\n ets Jan  8 2013,rst cause:2, boot mode:(3,6)\r\n\r\nload 0x40100000, len 28\r\n",
        "\xFF\xFE\x01\x02\x80\x55\xAA",
        "a line that is longer than any frame can be, as a report of the whole node in JSON may "
        "be when somebody asks for it at the wrong moment: a line that is longer than any frame "
        "can be, as a report of the whole node in JSON may be when somebody asks for it at the "
        "wrong moment, and then some more of it\n",
    };
    (void)state;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        start_line();
        line.text = texts[i];
        put(TO_DEVICE, (const uint8_t *)texts[i], strlen(texts[i]));
        run();
        assert_enrolled();
        assert_int_equal(line.now, 0); /* nothing had to be said twice */
    }
}

static void test_an_echo_of_both_is_no_answer(void **state)
{
    (void)state;
    line.is_echoing = true;
    run();
    assert_enrolled();
    line.is_echoing = false;
    start_line();
    line.cut_at[TO_DEVICE] = 0; /* the host hears itself alone */
    line.is_echoing = true;
    run();
    assert_int_equal(line.last.kind, SL_ENROL_HOST_FAILED);
    assert_int_equal(line.last.status, SL_TIMEOUT);
}

/* What was recorded is worth nothing to another device, nor to this one after a restart. */
static void test_a_conversation_said_again(void **state)
{
    static struct wire said;
    (void)state;

    run();
    assert_enrolled();
    said = line.wires[TO_DEVICE];
    for (uint8_t seed = 1; seed < 4; seed++) {
        start_line();
        line.seed = seed;
        start_device(0);
        for (size_t at = 0; at < said.len;) {
            at += sl_enrolment_feed(&line.device, line.now, said.bytes + at, said.len - at);
            follow_device();
            sl_enrolment_sent(&line.device, sl_enrolment_peek(&line.device).len);
        }
        assert_int_equal(line.stores, 0);
        assert_int_equal(logged(SL_LOG_ENROL_KEY), 2);
        assert_int_equal(logged(SL_LOG_ENROL_REFUSED), 1);
    }
}

static void test_random_bytes_store_nothing_and_stop_nothing(void **state)
{
    uint32_t noise = 7;
    (void)state;

    line.cut_at[TO_HOST] = 0;
    for (unsigned i = 0; i < 200000 / STRIDE; i++) {
        noise = noise * 1664525 + 1013904223;
        const uint8_t byte = noise >> 30 == 0 ? 0 : (uint8_t)(noise >> 24);
        (void)sl_enrolment_feed(&line.device, line.now, &byte, 1);
        (void)sl_enrol_host_feed(&line.host, line.now, &byte, 1);
        follow_device();
        follow_host();
        sl_enrolment_sent(&line.device, sl_enrolment_peek(&line.device).len);
    }
    assert_int_equal(line.stores, 0);
    assert_int_equal(line.requests, 0);
    assert_can_be_enrolled_again(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_any_pieces_give_the_same, start_each),
        cmocka_unit_test_setup(test_a_clock_at_its_wrap_changes_nothing, start_each),
        cmocka_unit_test_setup(test_a_line_cut_at_any_byte, start_each),
        cmocka_unit_test_setup(test_a_flipped_bit_anywhere, start_each),
        cmocka_unit_test_setup(test_a_byte_lost_or_doubled_anywhere, start_each),
        cmocka_unit_test_setup(test_log_text_and_noise_between_the_frames, start_each),
        cmocka_unit_test_setup(test_an_echo_of_both_is_no_answer, start_each),
        cmocka_unit_test_setup(test_a_conversation_said_again, start_each),
        cmocka_unit_test_setup(test_random_bytes_store_nothing_and_stop_nothing, start_each),
    };
    return cmocka_run_group_tests(tests, measure, end_pki);
}
