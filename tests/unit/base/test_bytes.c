/* Cursors: every width, every edge, and the first failure that sticks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"

static const uint8_t bytes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09};

static struct sl_view view(size_t len)
{
    struct sl_view all = {bytes, len};
    return all;
}

static void reads_big_endian(void **state)
{
    (void)state;
    struct sl_reader reader = sl_reader_init(view(7));
    assert_int_equal(sl_read_u8(&reader), 0x01);
    assert_int_equal(sl_read_u16(&reader), 0x0203);
    assert_int_equal(sl_read_u32(&reader), 0x04050607);
    assert_int_equal(sl_reader_left(&reader), 0);
    assert_false(reader.failed);

    reader = sl_reader_init(view(8));
    assert_true(sl_read_u64(&reader) == UINT64_C(0x0102030405060708));
    assert_false(reader.failed);
}

static void reads_nothing_past_the_end(void **state)
{
    (void)state;
    for (size_t len = 0; len < 8; len++) {
        struct sl_reader reader = sl_reader_init(view(len));
        assert_true(sl_read_u64(&reader) == 0);
        assert_true(reader.failed);
        reader = sl_reader_init(view(len));
        assert_int_equal(sl_read_u32(&reader), len < 4 ? 0 : 0x01020304);
        assert_int_equal(reader.failed, len < 4);
        reader = sl_reader_init(view(len));
        assert_int_equal(sl_read_u16(&reader), len < 2 ? 0 : 0x0102);
        assert_int_equal(reader.failed, len < 2);
        reader = sl_reader_init(view(len));
        assert_int_equal(sl_read_u8(&reader), len < 1 ? 0 : 0x01);
        assert_int_equal(reader.failed, len < 1);
    }
}

static void first_failed_read_sticks(void **state)
{
    (void)state;
    struct sl_reader reader = sl_reader_init(view(3));
    assert_int_equal(sl_read_u32(&reader), 0);
    assert_int_equal(sl_reader_left(&reader), 0);
    assert_int_equal(sl_read_u8(&reader), 0); /* the byte is there, the cursor is not */
    assert_int_equal(sl_read_view(&reader, 0).len, 0);
    assert_null(sl_read_view(&reader, 1).data);
    assert_true(reader.failed);
}

static void read_views_point_into_the_input(void **state)
{
    (void)state;
    struct sl_reader reader = sl_reader_init(view(4));
    struct sl_view first = sl_read_view(&reader, 3);
    assert_ptr_equal(first.data, bytes);
    assert_int_equal(first.len, 3);
    struct sl_view too_long = sl_read_view(&reader, 2);
    assert_null(too_long.data);
    assert_int_equal(too_long.len, 0);
    assert_true(reader.failed);

    reader = sl_reader_init(view(4));
    assert_null(sl_read_view(&reader, SIZE_MAX).data); /* no pointer may run around */
    assert_true(reader.failed);
}

static void reads_an_empty_view(void **state)
{
    (void)state;
    struct sl_view empty = {NULL, 0};
    struct sl_reader reader = sl_reader_init(empty);
    assert_int_equal(sl_reader_left(&reader), 0);
    assert_int_equal(sl_read_view(&reader, 0).len, 0);
    assert_false(reader.failed);
    assert_int_equal(sl_read_u8(&reader), 0);
    assert_true(reader.failed);
}

static void writes_big_endian(void **state)
{
    (void)state;
    uint8_t out[18];
    struct sl_writer writer = sl_writer_init(out, sizeof out);
    sl_write_u8(&writer, 0x01);
    sl_write_u16(&writer, 0x0203);
    sl_write_u32(&writer, UINT32_C(0x04050607));
    sl_write_u64(&writer, UINT64_C(0x08090A0B0C0D0E0F));
    sl_write_view(&writer, sl_view_text("end"));
    assert_false(writer.failed);
    assert_int_equal(sl_writer_len(&writer), 18);
    for (uint8_t i = 0; i < 15; i++)
        assert_int_equal(out[i], i + 1);
    assert_memory_equal(out + 15, "end", 3);
}

static void writes_nothing_that_does_not_fit(void **state)
{
    (void)state;
    uint8_t out[8];
    for (size_t room = 0; room < 8; room++) {
        memset(out, 0xEE, sizeof out);
        struct sl_writer writer = sl_writer_init(out, room);
        sl_write_u64(&writer, 0);
        assert_true(writer.failed);
        sl_write_u8(&writer, 0); /* there may be room for it, but it would follow a gap */
        struct sl_view none = {NULL, 0};
        sl_write_view(&writer, none);
        assert_true(writer.failed);
        assert_int_equal(sl_writer_len(&writer), 0);
        for (size_t i = 0; i < sizeof out; i++)
            assert_int_equal(out[i], 0xEE);
    }
    struct sl_writer writer = sl_writer_init(out, 3);
    sl_write_u32(&writer, 0);
    assert_true(writer.failed);
    writer = sl_writer_init(out, 1);
    sl_write_u16(&writer, 0);
    assert_true(writer.failed);
    writer = sl_writer_init(out, 2);
    sl_write_view(&writer, sl_view_text("end"));
    assert_true(writer.failed);
    writer = sl_writer_init(NULL, 0);
    sl_write_u8(&writer, 0);
    assert_true(writer.failed);
}

static void compares_views(void **state)
{
    (void)state;
    struct sl_view none = {NULL, 0};
    assert_true(sl_view_is_equal(sl_view_text("zone"), sl_view_text("zone")));
    assert_false(sl_view_is_equal(sl_view_text("zone"), sl_view_text("zones")));
    assert_false(sl_view_is_equal(sl_view_text("zone"), sl_view_text("zona")));
    assert_true(sl_view_is_equal(none, sl_view_text("")));
    assert_false(sl_view_is_equal(none, sl_view_text("z")));
}

static void wipes_exactly_what_it_is_given(void **state)
{
    (void)state;
    uint8_t secret[] = {1, 2, 3, 4, 5};
    sl_wipe(secret + 1, 3);
    const uint8_t expected[] = {1, 0, 0, 0, 5};
    assert_memory_equal(secret, expected, sizeof expected);
    sl_wipe(secret, 0);
    assert_int_equal(secret[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_big_endian),
        cmocka_unit_test(reads_nothing_past_the_end),
        cmocka_unit_test(first_failed_read_sticks),
        cmocka_unit_test(read_views_point_into_the_input),
        cmocka_unit_test(reads_an_empty_view),
        cmocka_unit_test(writes_big_endian),
        cmocka_unit_test(writes_nothing_that_does_not_fit),
        cmocka_unit_test(compares_views),
        cmocka_unit_test(wipes_exactly_what_it_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
