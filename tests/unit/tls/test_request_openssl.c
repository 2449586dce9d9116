/* Keys and requests, judged by OpenSSL over random inputs; not on the virtual board. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/request.h"
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#define ROUNDS 2000

static const char name_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

static struct sl_random random_from(const char *seed)
{
    struct sl_random random;

    sl_random_init(&random, (const uint8_t *)seed, strlen(seed));
    return random;
}

static struct sl_view make_name(struct sl_random *random, uint8_t name[SL_NAME_MAX])
{
    const size_t len = 1 + sl_random_below(random, SL_NAME_MAX);

    for (size_t i = 0; i < len; i++)
        name[i] = (uint8_t)name_letters[sl_random_below(random, i == 0 ? 36 : 38)];
    return (struct sl_view){name, len};
}

/* The whole request as OpenSSL reads it: one way to write it, the name, the point, the signature.
 */
static void assert_openssl_agrees(const uint8_t *der, size_t len, struct sl_view name,
                                  const uint8_t point[SL_REQUEST_POINT_LEN])
{
    const uint8_t *at = der;
    X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)len);
    assert_non_null(request);
    assert_ptr_equal(at, der + len);
    uint8_t *again = NULL;
    assert_int_equal(i2d_X509_REQ(request, &again), len);
    assert_memory_equal(again, der, len);
    OPENSSL_free(again);

    const X509_NAME *subject = X509_REQ_get_subject_name(request);
    assert_int_equal(X509_NAME_entry_count(subject), 1);
    const X509_NAME_ENTRY *entry = X509_NAME_get_entry(subject, 0);
    assert_int_equal(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)), NID_commonName);
    const ASN1_STRING *common_name = X509_NAME_ENTRY_get_data(entry);
    assert_int_equal(ASN1_STRING_length(common_name), name.len);
    assert_memory_equal(ASN1_STRING_get0_data(common_name), name.data, name.len);

    assert_int_equal(X509_REQ_get_version(request), 0);
    assert_int_equal(X509_REQ_get_attr_count(request), 0);
    assert_int_equal(X509_REQ_get_signature_nid(request), NID_ecdsa_with_SHA256);
    EVP_PKEY *key = X509_REQ_get0_pubkey(request);
    assert_non_null(key);
    char group[32];
    assert_true(EVP_PKEY_get_group_name(key, group, sizeof group, NULL));
    assert_string_equal(group, "prime256v1");
    uint8_t *encoded = NULL;
    assert_int_equal(EVP_PKEY_get1_encoded_public_key(key, &encoded), SL_REQUEST_POINT_LEN);
    assert_memory_equal(encoded, point, SL_REQUEST_POINT_LEN);
    OPENSSL_free(encoded);
    assert_int_equal(X509_REQ_verify(request, key), 1);

    uint8_t *info = NULL, expected[SL_REQUEST_FINGERPRINT_LEN];
    const int info_len = i2d_PUBKEY(key, &info);
    SHA256(info, (size_t)info_len, expected);
    OPENSSL_free(info);
    uint8_t fingerprint[SL_REQUEST_FINGERPRINT_LEN];
    sl_request_fingerprint(point, fingerprint);
    assert_memory_equal(fingerprint, expected, sizeof expected);
    X509_REQ_free(request);
}

static void test_openssl_accepts_every_request(void **state)
{
    struct sl_random random = random_from("keys and names");
    size_t longest = 0;
    (void)state;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint8_t key[SL_REQUEST_KEY_LEN], point[SL_REQUEST_POINT_LEN], again[SL_REQUEST_POINT_LEN];
        uint8_t letters[SL_NAME_MAX], out[SL_REQUEST_MAX];
        const struct sl_view name = make_name(&random, letters);
        size_t len;

        sl_request_make_key(&random, key, point);
        assert_true(sl_request_point(key, again));
        assert_memory_equal(again, point, sizeof point);
        assert_int_equal(sl_request_encode(name, key, out, sizeof out, &len), SL_OK);
        assert_openssl_agrees(out, len, name, point);
        longest = len > longest ? len : longest;
    }
    assert_int_equal(longest, SL_REQUEST_MAX); /* it is the least that is always enough */
}

static void test_a_changed_request_is_not_verified(void **state)
{
    struct sl_random random = random_from("flips");
    uint8_t key[SL_REQUEST_KEY_LEN], point[SL_REQUEST_POINT_LEN], out[SL_REQUEST_MAX];
    size_t len;
    (void)state;

    sl_request_make_key(&random, key, point);
    assert_int_equal(sl_request_encode(sl_view_text("garden"), key, out, sizeof out, &len), SL_OK);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        const uint8_t *at = out;
        out[bit / 8] ^= (uint8_t)(1 << bit % 8);
        X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)len);
        EVP_PKEY *public_key = request ? X509_REQ_get0_pubkey(request) : NULL;
        if (public_key)
            assert_int_not_equal(X509_REQ_verify(request, public_key), 1);
        X509_REQ_free(request);
        out[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openssl_accepts_every_request),
        cmocka_unit_test(test_a_changed_request_is_not_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
