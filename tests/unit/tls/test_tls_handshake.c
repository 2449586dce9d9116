/* Handshakes that must succeed: suites, curves, resumption, every cut of the bytes. */
#include "unit/tls/fixture.h"

static void test_opens_with_each_suite_and_curve(void **state)
{
    static const uint16_t suites[] = {BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
                                      BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256};
    static const int curves[] = {BR_EC_curve25519, BR_EC_secp256r1};
    (void)state;

    for (size_t i = 0; i < 4; i++) {
        struct test_tls_server_options options = honest();
        options.suite = suites[i / 2];
        options.curve = curves[i % 2];
        connect_with(&options);
        assert_opened();
        assert_false(logged.events[0].is_resumed);
        assert_int_equal(client.client.eng.session.cipher_suite, suites[i / 2]);
        assert_int_equal(br_ssl_engine_get_ecdhe_curve(&client.client.eng), curves[i % 2]);
        assert_string_equal(server.client_common_name, "garden");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens_with_each_suite_and_curve),
    };
    return cmocka_run_group_tests(tests, make_pki, free_pki);
}
