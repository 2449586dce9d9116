/* Signatures that are verified once: what the memory answers, and what it must not change. */
#include "fixture.h"
#include "tls/verifier.h"
#include <stdio.h>

static struct sl_verifier verifier;

/* A signature over 32 bytes of fill with the private key key_fill... */
struct signed_hash {
    uint8_t hash[32], point[65], signature[80];
    size_t signature_len;
    br_ec_public_key key;
};

static void sign(struct signed_hash *out, uint8_t fill, uint8_t key_fill)
{
    uint8_t scalar[32];
    const br_ec_private_key private_key = {BR_EC_secp256r1, scalar, sizeof scalar};
    br_ec_public_key key;

    memset(scalar, key_fill, sizeof scalar);
    memset(out->hash, fill, sizeof out->hash);
    assert_int_equal(br_ec_compute_pub(br_ec_get_default(), &key, out->point, &private_key), 65);
    out->key = (br_ec_public_key){BR_EC_secp256r1, out->point, 65};
    out->signature_len = br_ecdsa_sign_asn1_get_default()(br_ec_get_default(), &br_sha256_vtable,
                                                          out->hash, &private_key, out->signature);
    assert_true(out->signature_len > 60);
}

static uint32_t verify(const struct signed_hash *it)
{
    return sl_verifier_verify(&verifier.curves, it->hash, sizeof it->hash, &it->key, it->signature,
                              it->signature_len);
}

static void test_answers_what_was_verified_and_nothing_else(void **state)
{
    struct signed_hash good, other;

    (void)state;
    sl_verifier_init(&verifier);
    sign(&good, 1, 7);
    assert_int_equal(verify(&good), 1);
    assert_int_equal(verifier.verified, 1);
    assert_int_equal(verify(&good), 1);
    assert_int_equal(verifier.verified, 1);

    other = good;
    other.key.q = other.point;
    other.hash[31] ^= 1;
    assert_int_equal(verify(&other), 0);
    other = good;
    other.key.q = other.point;
    other.signature[other.signature_len - 1] ^= 1;
    assert_int_equal(verify(&other), 0);
    other = good;
    sign(&other, 1, 8);
    memcpy(other.signature, good.signature, sizeof good.signature);
    other.signature_len = good.signature_len;
    assert_int_equal(verify(&other), 0);
    other = good;
    other.key.q = other.point;
    other.signature_len--;
    assert_int_equal(verify(&other), 0);
    assert_int_equal(verifier.verified, 5);
    assert_int_equal(verify(&other), 0); /* what is bad is not remembered */
    assert_int_equal(verifier.verified, 6);
    assert_int_equal(verifier.known.len, 1);
}

static void test_remembers_what_was_met_last(void **state)
{
    struct signed_hash it[3];

    (void)state;
    sl_verifier_init(&verifier);
    for (uint8_t i = 0; i < 3; i++)
        sign(&it[i], (uint8_t)(1 + i), 7);
    sl_verifier_begin(&verifier);
    for (unsigned i = 0; i < 3; i++) /* more than there is room for */
        assert_int_equal(verify(&it[i]), 1);
    assert_int_equal(verifier.known.len, 2);
    sl_verifier_begin(&verifier);
    assert_int_equal(verify(&it[1]), 1);
    assert_int_equal(verify(&it[2]), 1); /* in the place of the first, which was not met */
    assert_int_equal(verifier.verified, 1);
    sl_verifier_begin(&verifier);
    assert_int_equal(verify(&it[2]), 1);
    sl_verifier_keep(&verifier);
    assert_int_equal(verifier.known.len, 1);
    sl_verifier_begin(&verifier);
    assert_int_equal(verify(&it[2]), 1);
    assert_int_equal(verifier.verified, 0);
    assert_int_equal(verify(&it[1]), 1);
    assert_int_equal(verifier.verified, 1);
}

/* Recalls what a good handshake has shown, then connects again as options and the rest say. */
static void connect_known(const struct test_tls_server_options *options,
                          const struct sl_tls_credentials *credentials, const char *name,
                          uint64_t unix_s)
{
    static const uint8_t seed[SL_TLS_SEED_LEN] = {43};
    const struct test_tls_server_options good = honest();

    connect_with(&good);
    assert_opened();
    assert_false(sl_tls_is_known(&client));
    const struct sl_tls_known known = *sl_tls_known(&client);
    assert_int_equal(known.len, 1);

    memset(&logged, 0, sizeof logged);
    test_tls_server_init(&server, options);
    test_tls_server_open(&server, 2);
    assert_int_equal(sl_tls_init(&client, credentials), SL_OK);
    sl_tls_recall(&client, &known);
    sl_tls_open(&client, name, unix_s, seed, NULL);
    test_tls_pump(&client, &server, 0, &logged);
}

static void test_a_known_server_costs_no_verification(void **state)
{
    const struct test_tls_server_options options = honest();
    const struct sl_tls_credentials credentials = test_tls_credentials(&pki.ca, &pki.client);

    (void)state;
    connect_known(&options, &credentials, SERVER_NAME, NOW);
    assert_opened();
    assert_int_equal(client.verifier.verified, 0);
    assert_true(sl_tls_is_known(&client));
    sl_tls_reset(&client);
    assert_int_equal(sl_tls_known(&client)->len, 1); /* for the next connection */
}

static void test_name_and_dates_of_a_known_server_are_checked(void **state)
{
    const struct test_tls_server_options options = honest();
    const struct sl_tls_credentials credentials = test_tls_credentials(&pki.ca, &pki.client);

    (void)state;
    connect_known(&options, &credentials, "other.test", NOW);
    assert_refused(BR_ERR_X509_BAD_SERVER_NAME, SL_UNTRUSTED);
    connect_known(&options, &credentials, SERVER_NAME, NOW + 400 * UINT64_C(86400));
    assert_refused(BR_ERR_X509_EXPIRED, SL_UNTRUSTED);
    connect_known(&options, &credentials, SERVER_NAME, NOW - 2 * UINT64_C(86400));
    assert_refused(BR_ERR_X509_EXPIRED, SL_UNTRUSTED);
}

/* The anchor's key is a part of what is remembered, and only a trusted anchor is asked for. */
static void test_a_known_server_falls_with_its_anchor(void **state)
{
    struct test_pki another;
    const struct test_tls_server_options options = honest();

    (void)state;
    test_pki_make(&another, (int64_t)NOW);
    struct sl_tls_credentials credentials = test_tls_credentials(&another.ca, &pki.client);
    connect_known(&options, &credentials, SERVER_NAME, NOW);
    assert_int_equal(logged.events[0].kind, SL_TLS_FAILED);
    assert_int_equal(sl_tls_status(&client), SL_UNTRUSTED);
    credentials.anchors[0].subject = test_cert_subject(&pki.ca); /* the name, not the key */
    connect_known(&options, &credentials, SERVER_NAME, NOW);
    assert_refused(BR_ERR_X509_NOT_TRUSTED, SL_UNTRUSTED);
    test_pki_free(&another);
}

/* Who only has the certificate cannot sign the handshake. */
static void test_the_key_of_a_known_server_must_be_there(void **state)
{
    struct test_cert thief = pki.server;
    struct test_tls_server_options options = honest();
    const struct sl_tls_credentials credentials = test_tls_credentials(&pki.ca, &pki.client);

    (void)state;
    thief.key = pki.client.key;
    memcpy(thief.point, pki.client.point, sizeof thief.point);
    memcpy(thief.private_key, pki.client.private_key, sizeof thief.private_key);
    options.certificate = &thief;
    connect_known(&options, &credentials, SERVER_NAME, NOW);
    assert_refused(BR_ERR_BAD_SIGNATURE, SL_UNTRUSTED);
}

static void make_server(struct test_cert *cert, int64_t not_after_s)
{
    const struct test_cert_options options = {.key = TEST_KEY_P256,
                                              .purpose = TEST_PURPOSE_SERVER,
                                              .common_name = SERVER_NAME,
                                              .dns = SERVER_NAME,
                                              .not_before_s = (int64_t)NOW - 86400,
                                              .not_after_s = not_after_s,
                                              .issuer = &pki.ca};
    test_cert_make(cert, &options);
}

/* UTCTime up to 2049, GeneralizedTime after it; leap days on both sides of a century. */
static void test_tells_how_long_the_server_is_valid(void **state)
{
    static const int64_t ends[] = {(int64_t)NOW + 1,
                                   1835395199 /* 2028-02-28 23:59:59 */,
                                   1835481599 /* 2028-02-29 23:59:59 */,
                                   2524607999 /* 2049-12-31 23:59:59 */,
                                   2524608000 /* 2050-01-01 00:00:00 */,
                                   4107542399 /* 2100-02-28 23:59:59 */,
                                   4107542400 /* 2100-03-01 00:00:00 */,
                                   13574649599 /* 2400-02-29 23:59:59 */,
                                   253402300799};
    struct test_tls_server_options options = honest();
    struct sl_tls_session session;

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct test_cert cert;
        make_server(&cert, ends[i]);
        options.certificate = &cert;
        for (size_t cut = 0; cut < 8; cut += 7) {
            test_tls_server_init(&server, &options);
            test_tls_server_open(&server, 1);
            start_client(NOW, NULL);
            test_tls_pump(&client, &server, cut, &logged);
            assert_opened();
            sl_tls_save(&client, &session);
            assert_int_equal(session.not_after_s, ends[i]);
        }
        test_cert_free(&cert);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_what_was_verified_and_nothing_else),
        cmocka_unit_test(test_remembers_what_was_met_last),
        cmocka_unit_test(test_a_known_server_costs_no_verification),
        cmocka_unit_test(test_name_and_dates_of_a_known_server_are_checked),
        cmocka_unit_test(test_a_known_server_falls_with_its_anchor),
        cmocka_unit_test(test_the_key_of_a_known_server_must_be_there),
        cmocka_unit_test(test_tells_how_long_the_server_is_valid),
    };
    return cmocka_run_group_tests(tests, make_pki, free_pki);
}
