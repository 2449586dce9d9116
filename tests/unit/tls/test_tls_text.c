/* Every error that BearSSL's headers name has words of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/tls.h"
#include "tls/tls_text.h"
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define HEADER(name) SL_BEARSSL_HEADERS "/" name

/* Calls check(base + number) for every "#define PREFIX<name> <number>"; gives how many there were.
 */
static unsigned for_each_define(const char *path, const char *prefix, unsigned base,
                                void (*check)(uint16_t error))
{
    char line[300], name[100];
    unsigned number, count = 0;
    FILE *header = fopen(path, "r");

    assert_non_null(header);
    while (fgets(line, sizeof line, header) != NULL) {
        if (sscanf(line, "#define %99s %u", name, &number) != 2 ||
            strncmp(name, prefix, strlen(prefix)) != 0)
            continue;
        if (number >= BR_ERR_RECV_FATAL_ALERT)
            continue; /* a base for alerts, no error by itself */
        check((uint16_t)(base + number));
        count++;
    }
    fclose(header);
    return count;
}

static void check_has_words(uint16_t error)
{
    const struct sl_tls_text *text = sl_tls_text(error);

    if (text->error != error)
        fail_msg("error %u has no text", error);
    assert_true(strlen(text->what) > 5);
    assert_true(strlen(text->cure) > 5);
}

/* close_notify is no error: BearSSL does not report it as one. */
static void check_alert(uint16_t error)
{
    if (error != BR_ERR_RECV_FATAL_ALERT + BR_ALERT_CLOSE_NOTIFY)
        check_has_words(error);
}

static void test_every_bearssl_error_has_words(void **state)
{
    (void)state;
    assert_true(for_each_define(HEADER("bearssl_ssl.h"), "BR_ERR_", 0, check_has_words) >= 28);
    assert_true(for_each_define(HEADER("bearssl_x509.h"), "BR_ERR_X509_", 0, check_has_words) >=
                29);
    assert_true(for_each_define(HEADER("bearssl_ssl.h"), "BR_ALERT_", BR_ERR_RECV_FATAL_ALERT,
                                check_alert) >= 20);
}

static void test_every_error_of_our_own_has_words(void **state)
{
    (void)state;
    for (uint16_t error = SL_TLS_ERR_NO_FRAGMENT; error <= SL_TLS_ERR_NO_NAME; error++)
        check_has_words(error);
}

static void test_no_error_is_without_words(void **state)
{
    (void)state;
    for (unsigned error = 0; error <= UINT16_MAX; error++) {
        const struct sl_tls_text *text = sl_tls_text((uint16_t)error);
        assert_non_null(text);
        assert_non_null(text->what);
        assert_non_null(text->cure);
        assert_true(text->error == error || text->error == 0);
    }
    assert_non_null(strstr(sl_tls_text(BR_ERR_RECV_FATAL_ALERT + 200)->what, "broker refused"));
}

static void test_words_say_what_and_what_to_do(void **state)
{
    (void)state;
    assert_string_equal(sl_tls_text(BR_ERR_X509_EXPIRED)->what,
                        "the broker's certificate is not valid on this date");
    assert_string_equal(sl_tls_text(BR_ERR_X509_EXPIRED)->cure,
                        "check the broker's clock and this device's clock, or use the site's own "
                        "broker, 'sluice broker run', which renews its certificate");
    assert_non_null(strstr(sl_tls_text(BR_ERR_RECV_FATAL_ALERT + 44)->what, "revoked"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bearssl_error_has_words),
        cmocka_unit_test(test_every_error_of_our_own_has_words),
        cmocka_unit_test(test_no_error_is_without_words),
        cmocka_unit_test(test_words_say_what_and_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
