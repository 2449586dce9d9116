/* Log events as lines: no mark is left, every line fits, and the words are the right ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "link/frame.h"
#include "node/command.h"
#include "node/log_text.h"

static const char *text_of(enum sl_log_code code, int32_t a, int32_t b)
{
    static char line[SL_LOG_TEXT_MAX];
    const struct sl_log_event event = {(uint16_t)code, a, b};
    size_t len = sl_log_text(&event, line, sizeof line);
    assert_int_equal(len, strlen(line));
    return line;
}

static void every_event_has_a_whole_line(void **state)
{
    static const int32_t numbers[] = {0,        1,        4,    54, 62,        135,      255,
                                      256 + 45, 512 + 42, 1001, -1, INT32_MAX, INT32_MIN};
    (void)state;
    for (int code = 0; code < SL_LOG_COUNT; code++)
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
            const char *line = text_of((enum sl_log_code)code, numbers[i], numbers[i]);
            assert_true(strlen(line) > 5);
            assert_true(strlen(line) < SL_LOG_TEXT_MAX - 1);
            assert_null(strchr(line, '{'));
        }
}

static void words_for_numbers(void **state)
{
    (void)state;
    assert_string_equal(text_of(SL_LOG_ZONE_ON, 2, 120), "zone 2 on for 120 s");
    assert_string_equal(text_of(SL_LOG_ZONE_OFF, 0x05, 0), "off by command: zone 0, 2");
    assert_string_equal(text_of(SL_LOG_ZONE_OFF, 0xFF, 0), "off by command: every zone");
    assert_string_equal(
        text_of(SL_LOG_CHIP_RESET, SL_RESET_BROWN_OUT | SL_RESET_WATCHDOG, 0),
        "the relay chip was reset (brown-out, watchdog): every zone is off; where it "
        "goes on, check its supply");
    assert_string_equal(text_of(SL_LOG_LINK_UP, 0x12, 0), "the relay chip answers: firmware 1.2");
    assert_string_equal(text_of(SL_LOG_REFUSED, SL_REFUSAL_NO_SUCH_ZONE, 9),
                        "refused a command: zone 9 does not exist: use 0 to 7");
    assert_non_null(strstr(text_of(SL_LOG_DIAL_FAILED, ECONNREFUSED, 0), "Connection refused"));
    assert_non_null(strstr(text_of(SL_LOG_LOST, 0, 0), "closed by the other side"));
    assert_non_null(strstr(text_of(SL_LOG_TLS_FAILED, 256 + 45, 0), "(TLS alert 45)"));
    assert_non_null(strstr(text_of(SL_LOG_TLS_FAILED, 54, 0), "(TLS error 54)"));
    assert_non_null(strstr(text_of(SL_LOG_DROPPED, 0x8E, 0), "reason 142"));
}

static void a_short_buffer_cuts_the_line(void **state)
{
    char line[12];
    const struct sl_log_event event = {SL_LOG_STOPPED, 0, 0};
    (void)state;
    memset(line, 'x', sizeof line);
    assert_true(sl_log_text(&event, line, 8) <= 7);
    assert_non_null(memchr(line, '\0', 8));
    assert_int_equal(line[8], 'x');
    assert_int_equal(sl_log_text(&event, line, 0), 0);
}

static void an_unknown_event_is_a_warning(void **state)
{
    const struct sl_log_event event = {SL_LOG_COUNT, 1, 2};
    (void)state;
    assert_string_equal(text_of(SL_LOG_COUNT, 1, 2), "unknown event 1 2");
    assert_int_equal(sl_log_text_level(&event), SL_LOG_WARNING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_has_a_whole_line),
        cmocka_unit_test(words_for_numbers),
        cmocka_unit_test(a_short_buffer_cuts_the_line),
        cmocka_unit_test(an_unknown_event_is_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
