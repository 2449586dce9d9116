/* The end of a chain's validity, read beside BearSSL's own checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "support/pki.h"
#include "tls/chain.h"
#include <cmocka.h>
#include <string.h>

#define NOW 1800000000

static struct sl_chain chain;

static void start(void)
{
    memset(&chain, 0xA5, sizeof chain);
    br_x509_minimal_init(&chain.checks, &br_sha256_vtable, NULL, 0);
    sl_chain_init(&chain);
    chain.vtable->start_chain(&chain.vtable, "broker.test");
}

static void add(struct sl_view der, size_t cut)
{
    chain.vtable->start_cert(&chain.vtable, (uint32_t)der.len);
    for (size_t at = 0; at < der.len; at += cut)
        chain.vtable->append(&chain.vtable, der.data + at, der.len - at < cut ? der.len - at : cut);
    chain.vtable->end_cert(&chain.vtable);
}

static void make(struct test_cert *cert, int64_t not_after_s, uint64_t serial)
{
    const struct test_cert_options options = {.key = TEST_KEY_P256,
                                              .purpose = TEST_PURPOSE_SERVER,
                                              .common_name = "broker.test",
                                              .dns = "broker.test",
                                              .not_before_s = 100000000,
                                              .not_after_s = not_after_s,
                                              .serial = serial};
    test_cert_make(cert, &options);
}

static void the_earliest_end_counts(void **state)
{
    static struct test_cert certs[3];
    static const int64_t ends[3] = {NOW + 300, NOW + 100, NOW + 200};

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        make(&certs[i], ends[i], 0);
    for (size_t cut = 1; cut < 2000; cut = cut * 3 + 1) {
        start();
        for (unsigned i = 0; i < 3; i++)
            add(test_cert_der(&certs[i]), cut);
        assert_int_equal(chain.not_after_s, ends[1]);
    }
    for (unsigned i = 0; i < 3; i++)
        test_cert_free(&certs[i]);
}

static void the_last_century_is_not_the_next(void **state)
{
    static struct test_cert cert;

    (void)state;
    make(&cert, 946684799 /* 1999-12-31 23:59:59 */, 1);
    start();
    add(test_cert_der(&cert), 5);
    assert_int_equal(chain.not_after_s, 946684799);
    test_cert_free(&cert);
}

/* A chain with one certificate that cannot be read has no end that one could count on. */
static void what_cannot_be_read_ends_at_once(void **state)
{
    static struct test_cert cert;
    static uint8_t bytes[TEST_CERT_MAX];

    (void)state;
    make(&cert, NOW, 1);
    const struct sl_view der = test_cert_der(&cert);
    for (size_t len = 0; len < 120; len++) { /* the dates lie near its beginning */
        start();
        add(der, 1000);
        add((struct sl_view){der.data, len}, 7);
        if (chain.not_after_s != 0) {
            assert_true(len > 70);
            assert_int_equal(chain.not_after_s, NOW);
        }
    }
    for (size_t i = 0; i < 120; i++)
        for (unsigned bit = 0; bit < 8; bit++) { /* whatever it says, reading it ends */
            memcpy(bytes, der.data, der.len);
            bytes[i] ^= (uint8_t)(1u << bit);
            start();
            add((struct sl_view){bytes, der.len}, 1000);
        }
    static const uint8_t endless[] = {0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF};
    start();
    add((struct sl_view){endless, sizeof endless}, 1);
    assert_int_equal(chain.not_after_s, 0);
    test_cert_free(&cert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_earliest_end_counts),
        cmocka_unit_test(the_last_century_is_not_the_next),
        cmocka_unit_test(what_cannot_be_read_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
