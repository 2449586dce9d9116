/* Grants against what a device knows by itself: which one is ours, and every other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "node/grant.h"
#include "support/pki.h"
#include <cmocka.h>
#include <stdlib.h>

#define NOW   UINT64_C(1795305600)
#define YEARS UINT64_C(31536000)

static struct test_pki pki;
static struct test_cert other_ca, device;
static struct sl_chain scratch;
static uint8_t image[SL_IDENTITY_MAX];
static uint32_t number;

static const struct test_cert_options options = {
    .purpose = TEST_PURPOSE_CLIENT,
    .common_name = "garden",
    .dns = "garden.device.invalid",
    .not_before_s = (int64_t)NOW - TEST_DAY_S,
    .not_after_s = (int64_t)(NOW + 3 * YEARS),
    .issuer = &pki.ca,
};

static int set_up_group(void **state)
{
    (void)state;
    test_pki_make(&pki, (int64_t)NOW);
    struct test_cert_options ca = options;
    ca.purpose = TEST_PURPOSE_CA;
    ca.common_name = "Another site CA";
    ca.issuer = NULL;
    test_cert_make(&other_ca, &ca);
    test_cert_make(&device, &options);
    return 0;
}

static int tear_down_group(void **state)
{
    (void)state;
    test_pki_free(&pki);
    test_cert_free(&other_ca);
    test_cert_free(&device);
    return 0;
}

static struct sl_identity grant_of(const struct test_cert *certificate)
{
    return (struct sl_identity){
        .name = sl_view_text("garden"),
        .base = sl_view_text("irrigation/garden"),
        .broker_host = sl_view_text("192.0.2.1"),
        .broker_port = 8883,
        .server_name = sl_view_text("broker.test"),
        .anchors = {{test_cert_subject(&pki.ca), test_cert_point(&pki.ca)}},
        .anchors_len = 1,
        .certificate = test_cert_der(certificate),
        .not_after_s = NOW + 3 * YEARS,
        .issued_s = NOW,
    };
}

static struct sl_grant_expected expected_of(const struct test_cert *certificate)
{
    struct sl_grant_expected expected = {
        .name = sl_view_text("garden"), .unix_s = NOW, .issued_s = NOW - YEARS};

    memcpy(expected.point, certificate->point, sizeof expected.point);
    return expected;
}

/* As it goes: encoded, decoded, judged. */
static enum sl_refusal check(const struct sl_identity *grant,
                             const struct sl_grant_expected *expected)
{
    struct sl_identity decoded;
    size_t len;

    assert_int_equal(sl_grant_encode(grant, image, sizeof image, &len), SL_OK);
    assert_int_equal(sl_grant_decode((struct sl_view){image, len}, &decoded), SL_OK);
    memset(&scratch, 0xEE, sizeof scratch);
    return sl_grant_check(&decoded, expected, &scratch, &number);
}

static enum sl_refusal check_made(const struct test_cert_options *made)
{
    struct test_cert certificate;

    test_cert_make(&certificate, made);
    struct sl_identity grant = grant_of(&certificate);
    grant.not_after_s = (uint64_t)made->not_after_s;
    grant.issued_s = grant.not_after_s < NOW ? grant.not_after_s : NOW;
    struct sl_grant_expected expected = expected_of(&certificate);
    expected.issued_s = 0;
    const enum sl_refusal refusal = check(&grant, &expected);
    test_cert_free(&certificate);
    return refusal;
}

static void test_takes_ours(void **state)
{
    struct sl_identity grant = grant_of(&device);
    struct sl_grant_expected expected = expected_of(&device);
    (void)state;

    assert_int_equal(check(&grant, &expected), SL_REFUSAL_NONE);
    expected.name.len = 0; /* a device without a name yet */
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_NONE);
    expected.unix_s = 0; /* nor with a clock */
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_NONE);
    /* New broker address, and the anchor of a new CA beside the old one or in its place. */
    grant.broker_host = sl_view_text("broker2.test");
    grant.anchors[1] = grant.anchors[0];
    grant.anchors[0].subject = test_cert_subject(&other_ca);
    grant.anchors[0].point = test_cert_point(&other_ca);
    grant.anchors_len = 2;
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_NONE);
}

static void test_refuses_another_name(void **state)
{
    struct sl_identity grant = grant_of(&device);
    struct sl_grant_expected expected = expected_of(&device);
    struct test_cert_options made = options;
    (void)state;

    expected.name = sl_view_text("garden2");
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_GRANT_NAME);
    /* The grant says our name, the certificate another: a longer one, a shorter one, none like it.
     */
    static const char *const names[] = {"garden2", "garde", "Garden", "greenhouse",
                                        "garden-of-more-than-twenty-three-letters"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        made.common_name = names[i];
        assert_int_equal(check_made(&made), SL_REFUSAL_GRANT_NAME);
    }
}

static void test_refuses_another_key(void **state)
{
    const struct sl_identity grant = grant_of(&device);
    struct sl_grant_expected expected = expected_of(&device);
    (void)state;

    memcpy(expected.point, pki.client.point, sizeof expected.point);
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_GRANT_KEY);
    for (size_t bit = 0; bit < 8 * sizeof expected.point; bit += 7) {
        expected = expected_of(&device);
        expected.point[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(check(&grant, &expected), SL_REFUSAL_GRANT_KEY);
    }
}

static void test_refuses_another_curve(void **state)
{
    struct test_cert_options made = options;
    (void)state;

    made.key = TEST_KEY_P384;
    assert_int_equal(check_made(&made), SL_REFUSAL_GRANT_CURVE);
    made.key = TEST_KEY_RSA_2048;
    assert_int_equal(check_made(&made), SL_REFUSAL_GRANT_CURVE);
}

static void test_refuses_another_authority(void **state)
{
    struct test_cert_options made = options;
    struct sl_identity grant = grant_of(&device);
    const struct sl_grant_expected expected = expected_of(&device);
    (void)state;

    made.issuer = &other_ca;
    assert_int_equal(check_made(&made), SL_REFUSAL_GRANT_UNTRUSTED);
    made.issuer = NULL; /* signed by itself */
    assert_int_equal(check_made(&made), SL_REFUSAL_GRANT_UNTRUSTED);
    made.issuer = &pki.client; /* by an end entity of ours */
    assert_int_equal(check_made(&made), SL_REFUSAL_GRANT_UNTRUSTED);
    /* The right name of the CA with another key behind it. */
    grant.anchors[0].point = test_cert_point(&other_ca);
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_GRANT_UNTRUSTED);
    assert_int_not_equal(number, 0);
}

static void test_refuses_wrong_dates(void **state)
{
    struct test_cert_options made = options;
    struct sl_identity grant = grant_of(&device);
    struct sl_grant_expected expected = expected_of(&device);
    (void)state;

    made.not_before_s = (int64_t)NOW + 1; /* the CLI dates a day back: its clock may be fast */
    assert_int_equal(check_made(&made), SL_REFUSAL_GRANT_DATES);
    made.not_before_s = (int64_t)NOW;
    assert_int_equal(check_made(&made), SL_REFUSAL_NONE);
    made.not_after_s = (int64_t)NOW - 1;
    made.not_before_s = (int64_t)NOW - TEST_DAY_S;
    assert_int_equal(check_made(&made), SL_REFUSAL_GRANT_DATES);
    grant.not_after_s++; /* not what the certificate says */
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_GRANT_DATES);
    expected.unix_s = UINT64_MAX;
    grant.not_after_s--;
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_GRANT_DATES);
}

static void test_refuses_what_is_not_later(void **state)
{
    struct sl_identity grant = grant_of(&device);
    struct sl_grant_expected expected = expected_of(&device);
    (void)state;

    expected.issued_s = NOW;
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_GRANT_OLD);
    expected.issued_s = NOW - 1;
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_NONE);
    grant.issued_s = 0; /* it does not say */
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_GRANT_OLD);
}

/* The checksum is right every time: whoever can change a certificate can mend it. */
static void test_refuses_every_changed_and_cut_certificate(void **state)
{
    const struct sl_grant_expected expected = expected_of(&device);
    struct sl_identity grant = grant_of(&device);
    uint8_t der[TEST_CERT_MAX];
    (void)state;

    memcpy(der, device.der, device.der_len);
    grant.certificate.data = der;
    for (size_t bit = 0; bit < 8 * device.der_len; bit++) {
        size_t len;
        der[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (sl_grant_encode(&grant, image, sizeof image, &len) == SL_OK &&
            check(&grant, &expected) == SL_REFUSAL_NONE)
            fail_msg("bit %zu", bit);
        der[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t len = 4; len < device.der_len; len++) { /* the outermost length mended, too */
        der[2] = (uint8_t)((len - 4) >> 8);
        der[3] = (uint8_t)(len - 4);
        grant.certificate.len = len;
        size_t image_len;
        if (sl_grant_encode(&grant, image, sizeof image, &image_len) == SL_OK)
            assert_int_not_equal(check(&grant, &expected), SL_REFUSAL_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_ours),
        cmocka_unit_test(test_refuses_another_name),
        cmocka_unit_test(test_refuses_another_key),
        cmocka_unit_test(test_refuses_another_curve),
        cmocka_unit_test(test_refuses_another_authority),
        cmocka_unit_test(test_refuses_wrong_dates),
        cmocka_unit_test(test_refuses_what_is_not_later),
        cmocka_unit_test(test_refuses_every_changed_and_cut_certificate),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
