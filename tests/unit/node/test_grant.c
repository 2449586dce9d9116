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
#ifndef STRIDE
#define STRIDE 1 /* between the bits that are flipped */
#endif

static struct test_pki pki;
static struct sl_identity in_use; /* what the device trusts */
static const struct test_cert *sealer;
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

static int set_up(void **state)
{
    (void)state;
    in_use = (struct sl_identity){
        .anchors = {{test_cert_subject(&pki.ca), test_cert_point(&pki.ca)}}, .anchors_len = 1};
    sealer = &pki.ca;
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
        .name = sl_view_text("garden"),
        .unix_s = NOW,
        .issued_s = NOW - YEARS,
        .trusted = &in_use,
    };

    memcpy(expected.point, certificate->point, sizeof expected.point);
    return expected;
}

static enum sl_refusal check_image(size_t len, const struct sl_grant_expected *expected)
{
    const struct sl_view view = {image, len};
    struct sl_identity decoded;

    assert_int_equal(sl_grant_decode(view, &decoded), SL_OK);
    memset(&scratch, 0xEE, sizeof scratch);
    return sl_grant_check(view, &decoded, expected, &scratch, &number);
}

/* As it goes: encoded, sealed, decoded, judged. */
static enum sl_refusal check(const struct sl_identity *grant,
                             const struct sl_grant_expected *expected)
{
    size_t len;

    assert_int_equal(sl_grant_encode(grant, image, sizeof image, &len), SL_OK);
    test_cert_seal(sealer, image, len);
    return check_image(len, expected);
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
    expected.trusted = NULL; /* nor with an anchor */
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_NONE);
    expected = expected_of(&device);
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
    for (size_t bit = 0; bit < 8 * device.der_len; bit += STRIDE) {
        size_t len;
        der[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (sl_grant_encode(&grant, image, sizeof image, &len) == SL_OK &&
            check(&grant, &expected) == SL_REFUSAL_NONE)
            fail_msg("bit %zu", bit);
        der[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t len = 4; len < device.der_len;
         len += STRIDE) { /* the outermost length mended, too */
        der[2] = (uint8_t)((len - 4) >> 8);
        der[3] = (uint8_t)(len - 4);
        grant.certificate.len = len;
        size_t image_len;
        if (sl_grant_encode(&grant, image, sizeof image, &image_len) == SL_OK)
            assert_int_not_equal(check(&grant, &expected), SL_REFUSAL_NONE);
    }
}

/* --- the seal ------------------------------------------------------------------------------- */

/* The checksum is right every time: whoever carries a grant can mend it. */
static void test_refuses_every_changed_byte_of_a_sealed_grant(void **state)
{
    const struct sl_grant_expected expected = expected_of(&device);
    struct sl_identity grant = grant_of(&device), decoded;
    size_t len, taken = 0;
    (void)state;

    grant.wifi_name = sl_view_text("garden shed");
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_NONE);
    assert_int_equal(sl_grant_encode(&grant, image, sizeof image, &len), SL_OK);
    test_cert_seal(sealer, image, len);
    assert_int_equal(check_image(len, &expected), SL_REFUSAL_NONE);
    for (size_t bit = 0; bit < 8 * (len - 4); bit += 7 * STRIDE) { /* every byte */
        uint8_t seal[SL_GRANT_SEAL_LEN];
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
        const struct sl_view view = {image, len};
        memcpy(seal, sl_grant_seal(view).data, sizeof seal);
        if (bit / 8 >= 7)
            sl_grant_set_seal(image, len, seal); /* mends it */
        if (sl_grant_decode(view, &decoded) == SL_OK) {
            taken++;
            if (check_image(len, &expected) == SL_REFUSAL_NONE)
                fail_msg("bit %zu", bit);
        }
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(taken > len / 2 / STRIDE); /* most of these are good grants but for their seal */
    sl_grant_set_seal(image, len, sl_grant_seal((struct sl_view){image, len}).data);
    assert_int_equal(check_image(len, &expected), SL_REFUSAL_NONE);
}

/* A broker that is taken over keeps the seal of a good grant, and all that the CA has signed. */
static void test_refuses_what_a_broker_would_change(void **state)
{
    const struct sl_grant_expected expected = expected_of(&device);
    const struct sl_identity good = grant_of(&device);
    struct sl_identity changed[6];
    uint8_t seal[SL_GRANT_SEAL_LEN];
    size_t len;
    (void)state;

    assert_int_equal(check(&good, &expected), SL_REFUSAL_NONE);
    assert_int_equal(sl_grant_encode(&good, image, sizeof image, &len), SL_OK);
    test_cert_seal(sealer, image, len);
    memcpy(seal, sl_grant_seal((struct sl_view){image, len}).data, sizeof seal);
    for (size_t i = 0; i < 6; i++)
        changed[i] = good;
    changed[0].broker_host = sl_view_text("192.0.2.2");
    changed[1].broker_port++;
    changed[2].server_name = sl_view_text("broker.evil");
    changed[3].anchors[1].subject = test_cert_subject(&other_ca); /* beside ours */
    changed[3].anchors[1].point = test_cert_point(&other_ca);
    changed[3].anchors_len = 2;
    changed[4].base = sl_view_text("irrigation/pond");
    changed[5].issued_s++; /* a replay that says it is later */
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(sl_grant_encode(&changed[i], image, sizeof image, &len), SL_OK);
        sl_grant_set_seal(image, len, seal);
        assert_int_equal(check_image(len, &expected), SL_REFUSAL_GRANT_UNSEALED);
        assert_int_equal(check(&changed[i], &expected), SL_REFUSAL_NONE); /* by the CA it may be */
    }
}

static void test_refuses_the_seal_of_another(void **state)
{
    struct sl_grant_expected expected = expected_of(&device);
    struct sl_identity grant = grant_of(&device);
    size_t len;
    (void)state;

    const struct test_cert *const others[] = {&other_ca, &pki.client, &pki.server, &device};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        sealer = others[i];
        assert_int_equal(check(&grant, &expected), SL_REFUSAL_GRANT_UNSEALED);
    }
    sealer = &other_ca; /* of an anchor that the grant itself brings */
    grant.anchors[1].subject = test_cert_subject(&other_ca);
    grant.anchors[1].point = test_cert_point(&other_ca);
    grant.anchors_len = 2;
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_GRANT_UNSEALED);
    in_use.anchors[1] = grant.anchors[1]; /* which counts when the device has it already */
    in_use.anchors_len = 2;
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_NONE);
    in_use.anchors[0] = in_use.anchors[1];
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_NONE);
    expected.trusted = NULL; /* an enrolment: one of its own, and no other */
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_NONE);
    sealer = &pki.client;
    assert_int_equal(check(&grant, &expected), SL_REFUSAL_GRANT_UNSEALED);
    assert_int_equal(sl_grant_encode(&grant, image, sizeof image, &len), SL_OK); /* nobody's */
    assert_int_equal(check_image(len, &expected), SL_REFUSAL_GRANT_UNSEALED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_takes_ours, set_up),
        cmocka_unit_test_setup(test_refuses_another_name, set_up),
        cmocka_unit_test_setup(test_refuses_another_key, set_up),
        cmocka_unit_test_setup(test_refuses_another_curve, set_up),
        cmocka_unit_test_setup(test_refuses_another_authority, set_up),
        cmocka_unit_test_setup(test_refuses_wrong_dates, set_up),
        cmocka_unit_test_setup(test_refuses_what_is_not_later, set_up),
        cmocka_unit_test_setup(test_refuses_every_changed_and_cut_certificate, set_up),
        cmocka_unit_test_setup(test_refuses_every_changed_byte_of_a_sealed_grant, set_up),
        cmocka_unit_test_setup(test_refuses_what_a_broker_would_change, set_up),
        cmocka_unit_test_setup(test_refuses_the_seal_of_another, set_up),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
