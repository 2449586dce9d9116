/* Bounded text: numbers, dates, JSON strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <stdlib.h>
#include <time.h>

#include "node/text.h"

static char buffer[2048];

static const char *text_of(const struct sl_writer *writer)
{
    assert_false(writer->failed);
    buffer[sl_writer_len(writer)] = '\0';
    return buffer;
}

static struct sl_writer start(void)
{
    return sl_writer_init((uint8_t *)buffer, sizeof buffer - 1);
}

static void numbers(void **state)
{
    static const struct {
        uint64_t number;
        const char *text;
    } cases[] = {{0, "0"}, {7, "7"}, {10, "10"}, {UINT64_MAX, "18446744073709551615"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sl_writer writer = start();
        sl_text_add_number(&writer, cases[i].number);
        assert_string_equal(text_of(&writer), cases[i].text);
    }
}

/* Every byte alone, and all of them in a row: cJSON reads back what was meant. */
static void strings_are_json_whatever_the_bytes(void **state)
{
    uint8_t all[255];
    (void)state;
    for (unsigned byte = 1; byte < 256; byte++) {
        all[byte - 1] = (uint8_t)byte;
        struct sl_writer writer = start();
        sl_text_add_string(&writer, (struct sl_view){&all[byte - 1], 1});
        cJSON *json = cJSON_Parse(text_of(&writer));
        assert_non_null(json);
        const char *want = byte > 0x7E ? "?" : NULL;
        assert_int_equal(json->valuestring[0], want != NULL ? want[0] : (char)byte);
        assert_int_equal(json->valuestring[1], '\0');
        cJSON_Delete(json);
    }
    struct sl_writer writer = start();
    sl_text_add_string(&writer, (struct sl_view){all, sizeof all});
    cJSON *json = cJSON_Parse(text_of(&writer));
    assert_non_null(json);
    cJSON_Delete(json);
    for (const char *at = buffer; *at != '\0'; at++)
        assert_true(*at >= 0x20 && *at < 0x7F);

    writer = start();
    sl_text_add_string(&writer, (struct sl_view){(const uint8_t *)"\0", 1});
    assert_string_equal(text_of(&writer), "\"\\u0000\"");
}

/* The C library's calendar is the judge, as far as it reaches. */
static void dates(void **state)
{
    (void)state;
    for (uint64_t unix_s = 0; unix_s < UINT64_C(8000000000); unix_s += 86399 * 7) {
        if ((uint64_t)(time_t)unix_s != unix_s)
            break; /* 32 bits: 2038 */
        struct sl_writer writer = start();
        char want[16];
        time_t at = (time_t)unix_s;
        strftime(want, sizeof want, "%Y-%m-%d", gmtime(&at));
        sl_text_add_date(&writer, unix_s);
        assert_string_equal(text_of(&writer), want);
    }
    struct sl_writer writer = start();
    sl_text_add_date(&writer, UINT64_MAX);
    assert_string_equal(text_of(&writer), "9999-12-31");
}

static void what_does_not_fit_fails_for_good(void **state)
{
    (void)state;
    struct sl_writer writer = sl_writer_init((uint8_t *)buffer, 4);
    sl_text_add(&writer, "abc");
    sl_text_add_number(&writer, 12);
    sl_text_add(&writer, "d");
    assert_true(writer.failed);
    assert_true(sl_writer_len(&writer) <= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(strings_are_json_whatever_the_bytes),
        cmocka_unit_test(dates),
        cmocka_unit_test(what_does_not_fit_fails_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
