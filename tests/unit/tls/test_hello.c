/* What the scanner reads from a ServerHello, and that it believes nothing unclear. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/hello.h"
#include <cmocka.h>

#define FRAGMENT_512                                                                               \
    {                                                                                              \
        0x00, 0x01, 0x00, 0x01, 0x01                                                               \
    }
#define FRAGMENT_1024                                                                              \
    {                                                                                              \
        0x00, 0x01, 0x00, 0x01, 0x02                                                               \
    }

static uint8_t flight[2000];

/* A ServerHello with these extensions, in records of at most record_max bytes. Gives its length;
 * where the last byte of the message stands is the end of the flight. */
static size_t make_hello(const uint8_t *extensions, size_t extensions_len, uint8_t id_len,
                         size_t record_max)
{
    uint8_t message[600];
    struct sl_writer writer = sl_writer_init(message, sizeof message);
    const size_t body_len = 40 + (size_t)id_len + extensions_len;

    sl_write_u8(&writer, 2);
    sl_write_u8(&writer, 0);
    sl_write_u16(&writer, (uint16_t)body_len);
    sl_write_u16(&writer, 0x0303);
    for (uint8_t i = 0; i < 32; i++)
        sl_write_u8(&writer, i);
    sl_write_u8(&writer, id_len);
    for (uint8_t i = 0; i < id_len; i++)
        sl_write_u8(&writer, (uint8_t)(0xa0 + i));
    sl_write_u16(&writer, 0xcca9);
    sl_write_u8(&writer, 0);
    sl_write_u16(&writer, (uint16_t)extensions_len);
    sl_write_view(&writer, (struct sl_view){extensions, extensions_len});
    assert_false(writer.failed);

    struct sl_writer records = sl_writer_init(flight, sizeof flight);
    const size_t len = sl_writer_len(&writer);
    for (size_t at = 0; at < len;) {
        size_t part = len - at < record_max ? len - at : record_max;
        sl_write_u8(&records, 22);
        sl_write_u16(&records, 0x0303);
        sl_write_u16(&records, (uint16_t)part);
        sl_write_view(&records, (struct sl_view){message + at, part});
        at += part;
    }
    assert_false(records.failed);
    return sl_writer_len(&records);
}

static struct sl_hello scan(size_t len, size_t cut)
{
    struct sl_hello hello;

    sl_hello_init(&hello);
    for (size_t at = 0; at < len; at += cut)
        sl_hello_feed(&hello, flight + at, len - at < cut ? len - at : cut);
    return hello;
}

static void test_reads_agreement_and_session_in_any_cut(void **state)
{
    static const uint8_t extensions[] = {0xff, 0x01, 0x00, 0x01, 0x00, /* renegotiation info */
                                         0x00, 0x01, 0x00, 0x01, 0x01, /* fragment length */
                                         0x00, 0x0b, 0x00, 0x02, 0x01, 0x00};
    (void)state;

    for (size_t record = 1; record < 130; record++) {
        size_t len = make_hello(extensions, sizeof extensions, 32, record);
        for (size_t cut = 1; cut < 20; cut++) {
            struct sl_hello hello = scan(len, cut);
            assert_true(hello.is_done);
            assert_true(hello.has_fragment);
        }
    }
}

static void test_nothing_is_agreed_before_the_last_byte(void **state)
{
    static const uint8_t extensions[] = FRAGMENT_512;
    size_t len = make_hello(extensions, sizeof extensions, 0, 600);
    (void)state;

    for (size_t part = 0; part < len; part++) {
        struct sl_hello hello = scan(part, 7);
        assert_false(hello.is_done);
        assert_false(hello.has_fragment);
    }
    assert_true(scan(len, 7).has_fragment);
}

static void test_anything_else_is_not_agreed(void **state)
{
    static const uint8_t larger[] = FRAGMENT_1024;
    static const uint8_t empty[] = {0x00, 0x01, 0x00, 0x00};
    static const uint8_t two[] = {0x00, 0x01, 0x00, 0x02, 0x01, 0x01};
    static const uint8_t late[] = {0x00, 0x01, 0x00, 0x01, 0x01, 0x00}; /* half an extension */
    static const uint8_t beyond[] = {0x00, 0x0b, 0x00, 0x09, 0x00, 0x01, 0x00, 0x01, 0x01};
    const struct sl_view cases[] = {{larger, sizeof larger}, {empty, sizeof empty},
                                    {two, sizeof two},       {late, sizeof late},
                                    {beyond, sizeof beyond}, {NULL, 0}};
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sl_hello hello = scan(make_hello(cases[i].data, cases[i].len, 4, 600), 600);
        assert_true(hello.is_done);
        assert_false(hello.has_fragment);
    }
}

static void test_ends_at_what_is_no_acceptable_hello(void **state)
{
    static const uint8_t extensions[] = FRAGMENT_512;
    static uint8_t padding[400] = {0x00, 0x15, 0x01, 0x8c};
    struct sl_hello hello;
    (void)state;

    size_t len = make_hello(extensions, sizeof extensions, 0, 600);
    flight[5] = 11; /* a Certificate first */
    hello = scan(len, 600);
    assert_true(hello.is_done);
    assert_false(hello.has_fragment);

    hello = scan(make_hello(padding, sizeof padding, 0, 600), 600); /* larger than any we accept */
    assert_true(hello.is_done);
    assert_false(hello.has_fragment);

    len = make_hello(extensions, sizeof extensions, 33, 600);
    hello = scan(len, 600);
    assert_false(hello.has_fragment); /* session id too long */
}

/* Alerts and other records between do not disturb, empty ones neither. */
static void test_skips_other_records(void **state)
{
    static const uint8_t extensions[] = FRAGMENT_512;
    static const uint8_t before[] = {21, 3, 3, 0, 2, 1, 0, 22, 3, 3, 0, 0};
    struct sl_hello hello;
    (void)state;

    size_t len = make_hello(extensions, sizeof extensions, 3, 600);
    sl_hello_init(&hello);
    sl_hello_feed(&hello, before, sizeof before);
    sl_hello_feed(&hello, flight, len);
    assert_true(hello.has_fragment);
}

static void test_survives_any_bytes(void **state)
{
    uint32_t seed = 7;
    (void)state;

    for (unsigned round = 0; round < 2000; round++) {
        struct sl_hello hello;
        uint8_t bytes[400];
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = (uint8_t)(seed >> 24);
        }
        bytes[0] = 22;
        bytes[3] = 0;
        bytes[5] = 2;
        bytes[6] = bytes[7] = 0;
        sl_hello_init(&hello);
        sl_hello_feed(&hello, bytes, sizeof bytes);
        assert_true(hello.message_len <= SL_HELLO_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_agreement_and_session_in_any_cut),
        cmocka_unit_test(test_nothing_is_agreed_before_the_last_byte),
        cmocka_unit_test(test_anything_else_is_not_agreed),
        cmocka_unit_test(test_ends_at_what_is_no_acceptable_hello),
        cmocka_unit_test(test_skips_other_records),
        cmocka_unit_test(test_survives_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
