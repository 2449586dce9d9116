/* Every result code has its words, and a number that is none has some too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/status.h"

static void every_code_has_its_own_words(void **state)
{
    (void)state;
    for (int i = 0; i < SL_STATUS_COUNT; i++) {
        const char *text = sl_status_text((enum sl_status)i);
        assert_non_null(text);
        assert_true(strlen(text) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(text, sl_status_text((enum sl_status)j));
    }
    assert_string_equal(sl_status_text(SL_OK), "ok");
    assert_string_equal(sl_status_text(SL_CORRUPT), "the checksum does not match");
}

static void a_number_out_of_range_is_named_so(void **state)
{
    (void)state;
    assert_string_equal(sl_status_text(SL_STATUS_COUNT), "unknown status");
    assert_string_equal(sl_status_text((enum sl_status) - 1), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_its_own_words),
        cmocka_unit_test(a_number_out_of_range_is_named_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
