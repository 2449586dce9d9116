/* What the signer offers to which request, and that its signatures verify. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/signer.h"
#include <cmocka.h>

#define ECDSA_SHA256 (UINT32_C(1) << (8 + br_sha256_ID))

static const uint8_t certificate[] = {0x30, 0x03, 0x02, 0x01, 0x01};
static const uint8_t key[32] = {1, 2, 3, 4};

static struct sl_signer make_signer(void)
{
    struct sl_signer signer;

    sl_signer_init(&signer, (struct sl_view){certificate, sizeof certificate},
                   (struct sl_view){key, sizeof key}, br_ec_get_default());
    return signer;
}

static void test_shows_the_certificate_to_who_takes_ecdsa_with_sha256(void **state)
{
    struct sl_signer signer = make_signer();
    br_ssl_client_certificate choice;
    (void)state;

    assert_false(signer.was_asked);
    signer.vtable->choose(&signer.vtable, NULL, ECDSA_SHA256 | 0xff, &choice);
    assert_true(signer.was_asked);
    assert_int_equal(choice.auth_type, BR_AUTH_ECDSA);
    assert_int_equal(choice.hash_id, br_sha256_ID);
    assert_int_equal(choice.chain_len, 1);
    assert_ptr_equal(choice.chain[0].data, certificate);
}

static void test_shows_nothing_to_anybody_else(void **state)
{
    struct sl_signer signer = make_signer();
    br_ssl_client_certificate choice;
    (void)state;

    signer.vtable->choose(&signer.vtable, NULL, ~ECDSA_SHA256, &choice);
    assert_false(signer.was_asked); /* so the engine ends the connection */
    assert_null(choice.chain);
    assert_int_equal(choice.chain_len, 0);
    size_t len = 65;
    uint8_t point[65] = {4};
    assert_int_equal(signer.vtable->do_keyx(&signer.vtable, point, &len), 0);
}

static void test_signatures_verify(void **state)
{
    struct sl_signer signer = make_signer();
    uint8_t hash[32] = {7}, data[80] = {7}, point[BR_EC_KBUF_PUB_MAX_SIZE];
    br_ec_public_key public_key;
    (void)state;

    assert_int_equal(
        br_ec_compute_pub(br_ec_get_default(), &public_key, point, &signer.private_key), 65);
    size_t len =
        signer.vtable->do_sign(&signer.vtable, br_sha256_ID, sizeof hash, data, sizeof data);
    assert_in_range(len, 60, 72);
    assert_true(br_ecdsa_vrfy_asn1_get_default()(br_ec_get_default(), hash, sizeof hash,
                                                 &public_key, data, len));
}

static void test_signs_nothing_of_another_shape(void **state)
{
    struct sl_signer signer = make_signer();
    uint8_t data[80] = {7};
    (void)state;

    assert_int_equal(signer.vtable->do_sign(&signer.vtable, br_sha1_ID, 32, data, 80), 0);
    assert_int_equal(signer.vtable->do_sign(&signer.vtable, br_sha256_ID, 20, data, 80), 0);
    assert_int_equal(signer.vtable->do_sign(&signer.vtable, br_sha256_ID, 32, data, 71), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shows_the_certificate_to_who_takes_ecdsa_with_sha256),
        cmocka_unit_test(test_shows_nothing_to_anybody_else),
        cmocka_unit_test(test_signatures_verify),
        cmocka_unit_test(test_signs_nothing_of_another_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
