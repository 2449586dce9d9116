/* Fingerprints as people write them; words for every refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "enrol/frame.h"
#include "enrol/text.h"
#include <cmocka.h>
#include <string.h>

static const uint8_t sha256[32] = {0x3F, 0x2A, 0x91, 0xBC, 0x0D, 0x44, 0x7E, 0x19, 0x80};

static void test_fingerprints(void **state)
{
    char text[SL_ENROL_FINGERPRINT_LEN];
    (void)state;

    sl_enrol_print_fingerprint(text, UINT64_C(0x3F2A91BC0D447E19));
    assert_string_equal(text, "3F2A-91BC-0D44-7E19");
    assert_true(sl_enrol_is_fingerprint(text, sha256));
    assert_true(sl_enrol_is_fingerprint("3f2a91bc0d447e19", sha256));
    assert_true(sl_enrol_is_fingerprint("3F:2A:91:BC:0D:44:7E:19:80:00", sha256));
    assert_true(sl_enrol_is_fingerprint("3f2a 91bc 0d44 7e19 8", sha256));
    assert_true(sl_enrol_is_fingerprint(
        "3f2a91bc0d447e19800000000000000000000000000000000000000000000000", sha256));

    assert_false(sl_enrol_is_fingerprint(
        "3f2a91bc0d447e198000000000000000000000000000000000000000000000000", sha256));
    assert_false(sl_enrol_is_fingerprint("", sha256));
    assert_false(sl_enrol_is_fingerprint("3F2A-91BC-0D44-7E1", sha256)); /* 60 bits */
    assert_false(sl_enrol_is_fingerprint("3F2A-91BC-0D44-7E18", sha256));
    assert_false(sl_enrol_is_fingerprint("BF2A-91BC-0D44-7E19", sha256));
    assert_false(sl_enrol_is_fingerprint("3F2A-91BC-0D44-7E19x", sha256));
    assert_false(sl_enrol_is_fingerprint("0x3F2A91BC0D447E19", sha256));
}

static void test_every_refusal_has_words_of_its_own(void **state)
{
    (void)state;
    for (unsigned a = 0; a <= 255; a++)
        for (unsigned b = 0; b <= SL_ENROL_REFUSAL_STORE; b++) {
            const struct sl_enrol_words words = sl_enrol_refusal_words((uint8_t)a);
            assert_true(strlen(words.what) > 10 && strlen(words.cure) > 10);
            if (b > 0 && a != b)
                assert_string_not_equal(words.what, sl_enrol_refusal_words((uint8_t)b).what);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fingerprints),
        cmocka_unit_test(test_every_refusal_has_words_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
