/* Frames of an enrolment: bytes, bounds, and the way through text and noise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crc.h"
#include "enrol/frame.h"
#include <cmocka.h>

static uint8_t grant[SL_ENROL_PART_MAX];
static uint32_t noise_state = 1;

static uint8_t noise(void)
{
    noise_state = noise_state * 1664525 + 1013904223;
    return (uint8_t)(noise_state >> 24);
}

/* One of each kind, at a limit where there is one. */
static struct sl_enrol_message one_of(uint8_t kind)
{
    struct sl_enrol_message message = {.kind = kind, .session = 0x12003400};

    switch (kind) {
    case SL_ENROL_ASK:
        message.name = sl_view_text("abcdefghijklmnopqrstuvw");
        message.unix_s = UINT64_C(1795374000);
        break;
    case SL_ENROL_PART:
        message.offset = 192;
        message.total = 384;
        message.bytes = (struct sl_view){grant, sizeof grant};
        break;
    case SL_ENROL_REQUEST:
        message.bytes = (struct sl_view){grant, 1};
        break;
    case SL_ENROL_TAKEN:
        message.offset = 384;
        break;
    case SL_ENROL_REFUSED:
        message.refusal = SL_ENROL_REFUSAL_KEY;
        break;
    default:
        break;
    }
    return message;
}

static const uint8_t kinds[] = {SL_ENROL_ASK,   SL_ENROL_PART,   SL_ENROL_DONE,   SL_ENROL_REQUEST,
                                SL_ENROL_TAKEN, SL_ENROL_STORED, SL_ENROL_REFUSED};
#define KINDS (sizeof kinds / sizeof kinds[0])

static size_t encode(const struct sl_enrol_message *message, uint8_t out[SL_ENROL_WIRE_MAX])
{
    size_t len;

    assert_int_equal(sl_enrol_encode(message, out, &len), SL_OK);
    return len;
}

static void assert_same(const struct sl_enrol_message *a, const struct sl_enrol_message *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->session, b->session);
    assert_true(sl_view_is_equal(a->name, b->name));
    assert_true(a->unix_s == b->unix_s);
    assert_int_equal(a->offset, b->offset);
    assert_int_equal(a->total, b->total);
    assert_true(sl_view_is_equal(a->bytes, b->bytes));
    assert_int_equal(a->refusal, b->refusal);
}

/* Feed everything, in pieces of `piece` bytes. Gives: how many good frames came; the last one. */
static unsigned hear(struct sl_enrol_line *line, const uint8_t *in, size_t len, size_t piece,
                     struct sl_enrol_message *last)
{
    unsigned heard = 0;

    for (size_t at = 0; at < len;) {
        struct sl_view frame;
        const size_t some = len - at < piece ? len - at : piece;
        const size_t used = sl_enrol_line_feed(line, in + at, some, &frame);
        assert_in_range(used, 1, some);
        assert_true(frame.len > 0 || used == some);
        at += used;
        struct sl_enrol_message message;
        if (frame.len > 0 && sl_enrol_decode(frame, &message) == SL_OK) {
            heard++;
            *last = message;
        }
    }
    return heard;
}

static void test_every_kind_survives_the_line_cut_in_any_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++)
        for (size_t piece = 1; piece < SL_ENROL_WIRE_MAX; piece++) {
            const struct sl_enrol_message message = one_of(kinds[i]);
            struct sl_enrol_message heard = {0};
            struct sl_enrol_line line;
            uint8_t out[SL_ENROL_WIRE_MAX];
            const size_t len = encode(&message, out);

            sl_enrol_line_init(&line);
            assert_int_equal(hear(&line, out, len, piece, &heard), 1);
            assert_same(&heard, &message);
        }
}

/* docs/spec/enrolment.md shows the same bytes. */
static void test_the_bytes_of_one(void **state)
{
    static const uint8_t expected[] = {0x00, 0x04, 0x01, 0x82, 0x12, 0x02, 0x34, 0x07,
                                       0x01, 0x80, 0x73, 0xF5, 0x5A, 0x2B, 0x00};
    const struct sl_enrol_message message = one_of(SL_ENROL_TAKEN);
    uint8_t out[SL_ENROL_WIRE_MAX];
    (void)state;

    const size_t len = encode(&message, out);
    assert_int_equal(len, sizeof expected);
    assert_memory_equal(out, expected, len);
}

static void test_a_frame_holds_no_zero(void **state)
{
    uint8_t out[SL_ENROL_WIRE_MAX];
    (void)state;

    for (unsigned zeros = 0; zeros <= SL_ENROL_PART_MAX; zeros++) {
        struct sl_enrol_message message = one_of(SL_ENROL_PART), heard = {0};
        struct sl_enrol_line line;
        memset(grant, 0xFF, sizeof grant);
        memset(grant, 0, zeros);
        const size_t len = encode(&message, out);
        assert_int_equal(len, 3 + 6 + 4 + SL_ENROL_PART_MAX + 4);
        for (size_t i = 1; i < len - 1; i++)
            assert_int_not_equal(out[i], 0);
        sl_enrol_line_init(&line);
        assert_int_equal(hear(&line, out, len, len, &heard), 1);
        assert_same(&heard, &message);
    }
}

static void test_no_flipped_bit_is_believed(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        const struct sl_enrol_message message = one_of(kinds[i]);
        uint8_t out[SL_ENROL_WIRE_MAX];
        const size_t len = encode(&message, out);

        for (size_t bit = 8; bit < 8 * (len - 1); bit++) {
            struct sl_enrol_message heard = {0};
            struct sl_enrol_line line;
            sl_enrol_line_init(&line);
            out[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(hear(&line, out, len, len, &heard), 0);
            out[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(hear(&line, out, len, len, &heard), 1); /* the next one is heard */
        }
    }
}

static void test_a_frame_is_heard_behind_anything(void **state)
{
    static const char log[] = "2026-11-22T18:42:07.123Z warning: cannot reach the broker\r\n"
                              "ets Jan  8 2013,rst cause:2, boot mode:(3,7)\n@1c 0 ffffffff\n";
    const struct sl_enrol_message message = one_of(SL_ENROL_TAKEN);
    uint8_t out[SL_ENROL_WIRE_MAX], before[700];
    const size_t len = encode(&message, out);
    (void)state;

    for (unsigned round = 0; round < 2000; round++) {
        const size_t some = round % sizeof before;
        struct sl_enrol_message heard = {0};
        struct sl_enrol_line line;
        sl_enrol_line_init(&line);
        for (size_t i = 0; i < some; i++)
            before[i] = round % 2 == 0 ? noise() : (uint8_t)log[i % (sizeof log - 1)];
        assert_int_equal(hear(&line, before, some, 64, &heard), 0);
        assert_int_equal(hear(&line, out, len, 64, &heard), 1);
        assert_same(&heard, &message);
        /* Behind text a frame needs a 0x00 of its own; noise may bring one. */
        assert_int_equal(hear(&line, before, some, 64, &heard), 0);
        const unsigned again = hear(&line, out + 1, len - 1, 64, &heard);
        assert_true(round % 2 == 0 || again == (some == 0));
        assert_int_equal(hear(&line, out + 1, len - 1, 64, &heard), 1); /* that of the one before */
    }
}

static void test_what_cannot_be_said_is_not_encoded(void **state)
{
    uint8_t out[SL_ENROL_WIRE_MAX];
    uint8_t many[SL_ENROL_BODY_MAX + 1] = {0};
    size_t len = 7;
    (void)state;

    struct sl_enrol_message bad[] = {one_of(SL_ENROL_ASK),
                                     one_of(SL_ENROL_ASK),
                                     one_of(SL_ENROL_PART),
                                     one_of(SL_ENROL_PART),
                                     one_of(SL_ENROL_PART),
                                     one_of(SL_ENROL_REQUEST),
                                     one_of(SL_ENROL_REQUEST),
                                     one_of(SL_ENROL_REFUSED),
                                     {.kind = 0},
                                     {.kind = 4},
                                     {.kind = 0x80},
                                     {.kind = 0x85}};
    bad[0].name.len = 0;
    bad[1].name = (struct sl_view){many, SL_NAME_MAX + 1};
    bad[2].bytes.len = 0;
    bad[3].bytes = (struct sl_view){many, SL_ENROL_PART_MAX + 1};
    bad[3].total = 500;
    bad[4].total = 383;
    bad[5].bytes.len = 0;
    bad[6].bytes = (struct sl_view){many, sizeof many};
    bad[7].refusal = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(sl_enrol_encode(&bad[i], out, &len), SL_BAD_ARGUMENT);
        assert_int_equal(len, 0);
    }
}

/* A frame with a checksum that is right. */
static enum sl_status decode_sealed(const uint8_t *bytes, size_t len,
                                    struct sl_enrol_message *message)
{
    uint8_t frame[300];
    struct sl_writer writer = sl_writer_init(frame, sizeof frame);

    sl_write_view(&writer, (struct sl_view){bytes, len});
    sl_write_u32(&writer, sl_crc32(bytes, len));
    memset(message, 0xA5, sizeof *message);
    return sl_enrol_decode((struct sl_view){frame, sl_writer_len(&writer)}, message);
}

static void test_bodies_of_a_wrong_length_are_malformed(void **state)
{
    static const struct {
        uint8_t kind;
        size_t least, most;
    } bodies[] = {{SL_ENROL_ASK, 9, 31},  {SL_ENROL_DONE, 0, 0},   {SL_ENROL_REQUEST, 1, 240},
                  {SL_ENROL_TAKEN, 2, 2}, {SL_ENROL_STORED, 0, 0}, {SL_ENROL_REFUSED, 1, 1}};
    struct sl_enrol_message message;
    uint8_t frame[6 + SL_ENROL_BODY_MAX + 1];
    (void)state;

    memset(frame, 1, sizeof frame);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        for (size_t len = 0; len <= SL_ENROL_BODY_MAX + 1; len++) {
            frame[1] = bodies[i].kind;
            const bool is_good = len >= bodies[i].least && len <= bodies[i].most;
            const enum sl_status status = decode_sealed(frame, 6 + len, &message);
            if (is_good) {
                assert_int_equal(status, SL_OK);
                continue;
            }
            assert_int_equal(status, len > SL_ENROL_BODY_MAX ? SL_CORRUPT : SL_MALFORMED);
            static const struct sl_enrol_message nothing;
            assert_memory_equal(&message, &nothing, sizeof message);
        }
    for (unsigned kind = 0; kind <= 255; kind++) {
        frame[1] = (uint8_t)kind;
        if ((kind & 0x7F) < 1 || (kind & 0x7F) > 4 || kind == 4)
            assert_int_equal(decode_sealed(frame, 6 + 4, &message), SL_MALFORMED);
    }
    assert_int_equal(decode_sealed(frame, 5, &message), SL_CORRUPT);
}

static void test_a_part_lies_inside_its_grant(void **state)
{
    struct sl_enrol_message message;
    uint8_t frame[6 + 4 + 2] = {1, SL_ENROL_PART, 0, 0, 0, 7};
    (void)state;

    for (unsigned offset = 0; offset <= 0xFFFF; offset += 0x11) {
        struct sl_writer writer = sl_writer_init(frame + 6, 4);
        sl_write_u16(&writer, (uint16_t)offset);
        sl_write_u16(&writer, 0x7FFF);
        const enum sl_status status = decode_sealed(frame, sizeof frame, &message);
        assert_int_equal(status, offset + 2 <= 0x7FFF ? SL_OK : SL_MALFORMED);
    }
}

static void test_another_version_is_told_with_its_session(void **state)
{
    const uint8_t frame[] = {2, SL_ENROL_ASK, 0x01, 0x02, 0x03, 0x04, 'w', 'h', 'a', 't'};
    struct sl_enrol_message message;
    (void)state;

    assert_int_equal(decode_sealed(frame, sizeof frame, &message), SL_UNSUPPORTED);
    assert_int_equal(message.session, 0x01020304);
    assert_int_equal(message.kind, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_survives_the_line_cut_in_any_way),
        cmocka_unit_test(test_the_bytes_of_one),
        cmocka_unit_test(test_a_frame_holds_no_zero),
        cmocka_unit_test(test_no_flipped_bit_is_believed),
        cmocka_unit_test(test_a_frame_is_heard_behind_anything),
        cmocka_unit_test(test_what_cannot_be_said_is_not_encoded),
        cmocka_unit_test(test_bodies_of_a_wrong_length_are_malformed),
        cmocka_unit_test(test_a_part_lies_inside_its_grant),
        cmocka_unit_test(test_another_version_is_told_with_its_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
