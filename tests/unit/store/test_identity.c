/* The identity image: vectors, round trip, and that no damaged image is ever taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crc.h"
#include "store/identity.h"
#include "support/vectors.h"
#include <cmocka.h>

static uint8_t image[2 * SL_IDENTITY_MAX];
static uint8_t copy[2 * SL_IDENTITY_MAX];

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

static bool is_zero(const struct sl_identity *identity)
{
    static const struct sl_identity zero;
    return memcmp(identity, &zero, sizeof zero) == 0;
}

static bool is_within(struct sl_view view, const uint8_t *bytes, size_t len)
{
    return view.data >= bytes && view.data + view.len <= bytes + len;
}

/* Exactly len bytes of heap, so that the sanitizer sees a read beyond them. */
static enum sl_status decode_exactly(const uint8_t *bytes, size_t len)
{
    struct sl_identity identity;
    uint8_t *exact = malloc(len > 0 ? len : 1);

    assert_non_null(exact);
    if (len > 0)
        memcpy(exact, bytes, len);
    memset(&identity, 0xaa, sizeof identity);
    enum sl_status status = sl_identity_decode((struct sl_view){exact, len}, &identity);
    if (status == SL_OK) {
        assert_true(is_within(identity.name, exact, len));
        assert_true(is_within(identity.certificate, exact, len));
        assert_true(is_within(identity.private_key, exact, len));
    } else {
        assert_true(is_zero(&identity));
    }
    free(exact);
    return status;
}

static struct sl_identity example(void)
{
    static const uint8_t subject[] = {0x30, 0x0f, 0x31, 0x0d, 0x30, 0x0b, 0x06, 0x03, 0x55,
                                      0x04, 0x03, 0x0c, 0x04, 'S',  'i',  't',  'e'};
    static const uint8_t certificate[] = {0x30, 0x05, 0x02, 0x01, 0x01, 0x05, 0x00};
    static uint8_t points[SL_IDENTITY_ANCHORS_MAX][65], key[32];
    struct sl_identity identity = {
        .name = sl_view_text("garden"),
        .base = sl_view_text("irrigation/garden"),
        .broker_host = sl_view_text("192.0.2.7"),
        .broker_port = 8883,
        .server_name = sl_view_text("broker.test"),
        .anchors_len = 1,
        .certificate = {certificate, sizeof certificate},
        .private_key = {key, sizeof key},
        .not_after_s = 1893456000,
    };

    for (uint8_t i = 0; i < SL_IDENTITY_ANCHORS_MAX; i++) {
        for (size_t k = 1; k < sizeof points[i]; k++)
            points[i][k] = (uint8_t)(i + k);
        points[i][0] = 0x04;
        identity.anchors[i].subject = (struct sl_view){subject, sizeof subject};
        identity.anchors[i].point = (struct sl_view){points[i], sizeof points[i]};
    }
    for (size_t k = 0; k < sizeof key; k++)
        key[k] = (uint8_t)(k + 1);
    return identity;
}

static size_t encode_example(void)
{
    struct sl_identity identity = example();
    size_t len;

    assert_int_equal(sl_identity_encode(&identity, image, sizeof image, &len), SL_OK);
    return len;
}

static void test_decodes_vectors(void **state)
{
    static struct test_vectors vectors;
    unsigned count = 0;
    (void)state;

    test_vectors_open(&vectors, SL_VECTORS "/store/images.txt");
    for (; test_vectors_next(&vectors); count++) {
        assert_int_equal(vectors.fields_len, 2);
        size_t len = test_hex(vectors.fields[1], image, sizeof image);
        const char *name = name_of(decode_exactly(image, len));
        if (strcmp(name, vectors.fields[0]) != 0)
            fail_msg("line %u: %s instead of %s", vectors.line, name, vectors.fields[0]);
    }
    assert_true(count >= 80);
}

/* The first two vectors were not made by this code: encode must give the same bytes. */
static void test_encodes_the_vectors_of_others(void **state)
{
    static struct test_vectors vectors;
    struct sl_identity identity = example();
    (void)state;

    test_vectors_open(&vectors, SL_VECTORS "/store/images.txt");
    for (uint8_t anchors = 1; anchors <= SL_IDENTITY_ANCHORS_MAX; anchors++) {
        size_t len;
        assert_true(test_vectors_next(&vectors));
        size_t expected_len = test_hex(vectors.fields[1], copy, sizeof copy);
        identity.anchors_len = anchors;
        assert_int_equal(sl_identity_encode(&identity, image, sizeof image, &len), SL_OK);
        assert_int_equal(len, expected_len);
        assert_memory_equal(image, copy, len);
    }
    fclose(vectors.file);
}

static void test_decode_gives_what_was_encoded(void **state)
{
    struct sl_identity in = example(), out;
    size_t len, copy_len;
    (void)state;

    in.anchors_len = SL_IDENTITY_ANCHORS_MAX;
    in.issued_s = 1795305600;
    in.wifi_name = sl_view_text("garden net");
    in.wifi_passphrase = sl_view_text("correct horse");
    assert_int_equal(sl_identity_encode(&in, image, sizeof image, &len), SL_OK);
    assert_int_equal(sl_identity_decode((struct sl_view){image, len}, &out), SL_OK);
    assert_true(sl_view_is_equal(in.name, out.name));
    assert_true(sl_view_is_equal(in.base, out.base));
    assert_true(sl_view_is_equal(in.broker_host, out.broker_host));
    assert_int_equal(in.broker_port, out.broker_port);
    assert_true(sl_view_is_equal(in.server_name, out.server_name));
    assert_int_equal(out.anchors_len, SL_IDENTITY_ANCHORS_MAX);
    for (uint8_t i = 0; i < out.anchors_len; i++) {
        assert_true(sl_view_is_equal(in.anchors[i].subject, out.anchors[i].subject));
        assert_true(sl_view_is_equal(in.anchors[i].point, out.anchors[i].point));
    }
    assert_true(sl_view_is_equal(in.certificate, out.certificate));
    assert_true(sl_view_is_equal(in.private_key, out.private_key));
    assert_int_equal(in.not_after_s, out.not_after_s);
    assert_int_equal(in.issued_s, out.issued_s);
    assert_true(sl_view_is_equal(in.wifi_name, out.wifi_name));
    assert_true(sl_view_is_equal(in.wifi_passphrase, out.wifi_passphrase));
    assert_int_equal(sl_identity_encode(&out, copy, sizeof copy, &copy_len), SL_OK);
    assert_int_equal(copy_len, len);
    assert_memory_equal(copy, image, len);
}

static void test_every_truncation_is_refused(void **state)
{
    size_t len = encode_example();
    (void)state;

    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(decode_exactly(image, cut), SL_CORRUPT);
}

static void test_every_flipped_bit_is_refused(void **state)
{
    size_t len = encode_example();
    (void)state;

    for (size_t bit = 0; bit < 8 * len; bit++) {
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(decode_exactly(image, len), SL_CORRUPT);
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(decode_exactly(image, len), SL_OK);
}

/* An attacker makes the checksum right: whatever is taken then has exactly one image. */
static void test_mutations_with_a_right_checksum(void **state)
{
    size_t len = encode_example();
    uint32_t seed = 1;
    unsigned taken = 0;
    (void)state;

    for (unsigned round = 0; round < 20000; round++) {
        memcpy(copy, image, len);
        for (unsigned i = 0; i <= round % 3; i++) {
            seed = seed * 1664525u + 1013904223u;
            copy[4 + (seed >> 8) % (len - 8)] = (uint8_t)(seed >> 24);
        }
        uint32_t crc = sl_crc32(copy, len - 4);
        for (unsigned i = 0; i < 4; i++)
            copy[len - 4 + i] = (uint8_t)(crc >> (24 - 8 * i));

        struct sl_identity identity;
        if (decode_exactly(copy, len) != SL_OK)
            continue;
        uint8_t again[SL_IDENTITY_MAX];
        size_t again_len;
        taken++;
        assert_int_equal(sl_identity_decode((struct sl_view){copy, len}, &identity), SL_OK);
        assert_int_equal(sl_identity_encode(&identity, again, sizeof again, &again_len), SL_OK);
        assert_int_equal(again_len, len);
        assert_memory_equal(again, copy, len);
    }
    assert_in_range(taken, 1000, 19000); /* keys and points may be any bytes, frames may not */
}

static void test_words(void **state)
{
    static struct test_vectors vectors;
    unsigned count = 0;
    (void)state;

    test_vectors_open(&vectors, SL_VECTORS "/store/words.txt");
    for (; test_vectors_next(&vectors); count++) {
        struct sl_identity identity = example();
        const char *field = vectors.fields[0];
        struct sl_view word = sl_view_text(vectors.fields[2]);
        bool is_allowed = strcmp(vectors.fields[1], "ok") == 0;
        size_t len;
        assert_int_equal(vectors.fields_len, 3);

        if (strcmp(field, "name") == 0) {
            identity.name = word;
            assert_int_equal(sl_identity_is_name(word), is_allowed);
        } else if (strcmp(field, "base") == 0) {
            identity.base = word;
            assert_int_equal(sl_identity_is_base(word), is_allowed);
        } else if (strcmp(field, "host") == 0) {
            identity.broker_host = word;
        } else {
            assert_string_equal(field, "server");
            identity.server_name = word;
        }
        enum sl_status status = sl_identity_encode(&identity, image, sizeof image, &len);
        if (status != (is_allowed ? SL_OK : SL_BAD_ARGUMENT))
            fail_msg("line %u: %s", vectors.line, sl_status_text(status));
    }
    assert_true(count >= 70);
}

static void test_encode_refuses_what_decode_would(void **state)
{
    struct sl_identity identity = example();
    size_t len = 99;
    (void)state;

    identity.anchors_len = 0;
    assert_int_equal(sl_identity_encode(&identity, image, sizeof image, &len), SL_BAD_ARGUMENT);
    assert_int_equal(len, 0);
    identity.anchors_len = SL_IDENTITY_ANCHORS_MAX + 1;
    assert_int_equal(sl_identity_encode(&identity, image, sizeof image, &len), SL_BAD_ARGUMENT);
    identity = example();
    identity.broker_port = 0;
    assert_int_equal(sl_identity_encode(&identity, image, sizeof image, &len), SL_BAD_ARGUMENT);
}

static void test_encode_leaves_no_key_in_too_small_a_buffer(void **state)
{
    struct sl_identity identity = example();
    size_t full = encode_example(), len;
    (void)state;

    for (size_t room = 0; room < full; room++) {
        memset(image, 0xee, sizeof image);
        assert_int_equal(sl_identity_encode(&identity, image, room, &len), SL_TOO_LARGE);
        assert_int_equal(len, 0);
        for (size_t i = 0; i < sizeof image; i++)
            assert_int_equal(image[i], i < room ? 0 : 0xee);
    }
    assert_int_equal(sl_identity_encode(&identity, image, full, &len), SL_OK);

    static uint8_t big[4096] = {0x30, 0x82, 0x0f, 0xfc}; /* a certificate larger than any image */
    identity.certificate = (struct sl_view){big, sizeof big};
    assert_int_equal(sl_identity_encode(&identity, image, sizeof image, &len), SL_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decodes_vectors),
        cmocka_unit_test(test_encodes_the_vectors_of_others),
        cmocka_unit_test(test_decode_gives_what_was_encoded),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_every_flipped_bit_is_refused),
        cmocka_unit_test(test_mutations_with_a_right_checksum),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_encode_refuses_what_decode_would),
        cmocka_unit_test(test_encode_leaves_no_key_in_too_small_a_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
