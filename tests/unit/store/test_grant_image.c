/* Grants: vectors, that no damaged one is taken, and the identity that comes of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "store/identity.h"
#include "support/vectors.h"
#include <cmocka.h>

#define SEAL (3 + SL_GRANT_SEAL_LEN) /* bytes that an identity does not have */

static uint8_t image[SL_IDENTITY_MAX], copy[SL_IDENTITY_MAX];
static uint8_t key[SL_IDENTITY_KEY_LEN];

static const char *name_of(enum sl_status status)
{
    switch ((int)status) {
    case SL_OK:
        return "ok";
    case SL_CORRUPT:
        return "corrupt";
    case SL_MALFORMED:
        return "malformed";
    case SL_UNSUPPORTED:
        return "unsupported";
    case SL_TOO_LARGE:
        return "too-large";
    default:
        return "unexpected";
    }
}

/* Exactly len bytes of heap, so that the sanitizer sees a read beyond them. */
static enum sl_status decode_exactly(const uint8_t *bytes, size_t len)
{
    static const struct sl_identity zero;
    struct sl_identity grant;
    uint8_t *exact = malloc(len > 0 ? len : 1);

    assert_non_null(exact);
    if (len > 0)
        memcpy(exact, bytes, len);
    memset(&grant, 0xaa, sizeof grant);
    const enum sl_status status = sl_grant_decode((struct sl_view){exact, len}, &grant);
    if (status == SL_OK)
        assert_int_equal(grant.private_key.len, 0);
    else
        assert_memory_equal(&grant, &zero, sizeof zero);
    free(exact);
    return status;
}

/* The first vector that is a grant. */
static size_t take_example(void)
{
    static struct test_vectors vectors;

    test_vectors_open(&vectors, SL_VECTORS "/store/grants.txt");
    assert_true(test_vectors_next(&vectors));
    const size_t len = test_hex(vectors.fields[1], image, sizeof image);
    fclose(vectors.file);
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i + 1);
    return len;
}

static void test_decodes_vectors(void **state)
{
    static struct test_vectors vectors;
    static uint8_t bytes[2 * SL_IDENTITY_MAX];
    unsigned count = 0;
    (void)state;

    test_vectors_open(&vectors, SL_VECTORS "/store/grants.txt");
    for (; test_vectors_next(&vectors); count++) {
        const size_t len = test_hex(vectors.fields[1], bytes, sizeof bytes);
        const char *name = name_of(decode_exactly(bytes, len));
        if (strcmp(name, vectors.fields[0]) != 0)
            fail_msg("line %u: %s instead of %s", vectors.line, name, vectors.fields[0]);
    }
    assert_true(count >= 12);
}

static void test_encode_gives_the_same_bytes_and_never_a_key(void **state)
{
    const size_t len = take_example();
    struct sl_identity grant;
    size_t copy_len;
    (void)state;

    assert_int_equal(sl_grant_decode((struct sl_view){image, len}, &grant), SL_OK);
    grant.private_key = (struct sl_view){key, sizeof key}; /* as of an identity */
    assert_int_equal(sl_grant_encode(&grant, copy, sizeof copy, &copy_len), SL_OK);
    assert_int_equal(copy_len, len);
    assert_int_equal(sl_grant_seal((struct sl_view){copy, len}).data[0], 0); /* not sealed yet */
    sl_grant_set_seal(copy, len, sl_grant_seal((struct sl_view){image, len}).data);
    assert_memory_equal(copy, image, len);
    grant.name = sl_view_text("Garden");
    assert_int_equal(sl_grant_encode(&grant, copy, sizeof copy, &copy_len), SL_BAD_ARGUMENT);
    assert_int_equal(copy_len, 0);
}

static void test_every_truncation_is_refused(void **state)
{
    const size_t len = take_example();
    (void)state;

    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(decode_exactly(image, cut), SL_CORRUPT);
}

static void test_every_flipped_bit_is_refused(void **state)
{
    const size_t len = take_example();
    (void)state;

    for (size_t bit = 0; bit < 8 * len; bit++) {
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(decode_exactly(image, len), SL_CORRUPT);
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(decode_exactly(image, len), SL_OK);
}

/* Every grant of the vectors, also those with fields that this code does not know. */
static void test_completes_to_the_identity_with_the_key(void **state)
{
    static struct test_vectors vectors;
    static uint8_t bytes[2 * SL_IDENTITY_MAX];
    unsigned count = 0;
    (void)state;

    take_example();
    test_vectors_open(&vectors, SL_VECTORS "/store/grants.txt");
    while (test_vectors_next(&vectors)) {
        struct sl_identity grant, identity;
        size_t len = test_hex(vectors.fields[1], bytes, sizeof bytes);
        const size_t grant_len = len;

        if (strcmp(vectors.fields[0], "ok") != 0)
            continue;
        count++;
        memcpy(copy, bytes, len);
        assert_int_equal(sl_grant_decode((struct sl_view){copy, len}, &grant), SL_OK);
        assert_int_equal(sl_grant_complete(bytes, grant_len - SEAL + 34, &len, key, NULL),
                         SL_TOO_LARGE);
        assert_int_equal(len, grant_len);
        assert_memory_equal(bytes, copy, len);
        assert_int_equal(sl_grant_complete(bytes, grant_len - SEAL + 35, &len, key, NULL), SL_OK);
        assert_int_equal(len, grant_len - SEAL + 35);
        assert_int_equal(sl_identity_decode((struct sl_view){bytes, len}, &identity), SL_OK);
        assert_memory_equal(identity.private_key.data, key, sizeof key);
        assert_true(sl_view_is_equal(identity.name, grant.name));
        assert_true(sl_view_is_equal(identity.certificate, grant.certificate));
        assert_int_equal(identity.not_after_s, grant.not_after_s);
        assert_int_equal(identity.issued_s, grant.issued_s);
    }
    assert_int_equal(count, 4);
}

/* A site that renews a certificate does not know the network's passphrase. */
static void test_keeps_the_wifi_of_the_identity_in_use(void **state)
{
    const struct sl_identity keep = {.wifi_name = sl_view_text("garden net"),
                                     .wifi_passphrase = sl_view_text("correct horse")};
    const struct sl_identity open_net = {.wifi_name = sl_view_text("open")};
    struct sl_identity identity;
    size_t len = take_example();
    const size_t grant_len = len, whole = len - SEAL + 35 + 13 + 16;
    (void)state;

    memcpy(copy, image, len);
    assert_int_equal(sl_grant_complete(image, whole - 1, &len, key, &keep), SL_TOO_LARGE);
    assert_int_equal(len, grant_len);
    assert_memory_equal(image, copy, len);
    assert_int_equal(sl_grant_complete(image, whole, &len, key, &keep), SL_OK);
    assert_int_equal(len, whole);
    assert_int_equal(sl_identity_decode((struct sl_view){image, len}, &identity), SL_OK);
    assert_true(sl_view_is_equal(identity.wifi_name, keep.wifi_name));
    assert_true(sl_view_is_equal(identity.wifi_passphrase, keep.wifi_passphrase));

    memcpy(image, copy, grant_len);
    len = grant_len;
    assert_int_equal(sl_grant_complete(image, sizeof image, &len, key, &open_net), SL_OK);
    assert_int_equal(sl_identity_decode((struct sl_view){image, len}, &identity), SL_OK);
    assert_true(sl_view_is_equal(identity.wifi_name, open_net.wifi_name));
    assert_int_equal(identity.wifi_passphrase.len, 0);

    /* A grant that brings its own. */
    memcpy(image, copy, grant_len);
    assert_int_equal(sl_grant_decode((struct sl_view){copy, grant_len}, &identity), SL_OK);
    identity.wifi_name = sl_view_text("new net");
    assert_int_equal(sl_grant_encode(&identity, image, sizeof image, &len), SL_OK);
    assert_int_equal(sl_grant_complete(image, sizeof image, &len, key, &keep), SL_OK);
    assert_int_equal(sl_identity_decode((struct sl_view){image, len}, &identity), SL_OK);
    assert_true(sl_view_is_equal(identity.wifi_name, sl_view_text("new net")));
    assert_int_equal(identity.wifi_passphrase.len, 0);
}

static void test_completes_nothing_else(void **state)
{
    static const uint8_t zeros[SL_IDENTITY_KEY_LEN];
    size_t len = take_example();
    const size_t grant_len = len;
    (void)state;

    memcpy(copy, image, len);
    assert_int_equal(sl_grant_complete(image, sizeof image, &len, zeros, NULL), SL_BAD_ARGUMENT);
    image[9] ^= 1;
    assert_int_equal(sl_grant_complete(image, sizeof image, &len, key, NULL), SL_CORRUPT);
    image[9] ^= 1;
    assert_int_equal(len, grant_len);
    assert_memory_equal(image, copy, len);
    assert_int_equal(sl_grant_complete(image, sizeof image, &len, key, NULL), SL_OK);
    assert_int_equal(sl_grant_complete(image, sizeof image, &len, key, NULL),
                     SL_CORRUPT); /* again */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decodes_vectors),
        cmocka_unit_test(test_encode_gives_the_same_bytes_and_never_a_key),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_every_flipped_bit_is_refused),
        cmocka_unit_test(test_completes_to_the_identity_with_the_key),
        cmocka_unit_test(test_keeps_the_wifi_of_the_identity_in_use),
        cmocka_unit_test(test_completes_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
