/* The record log on flash that obeys the rules: values come back, wear spreads, failures are borne.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "store/records.h"
#include "support/flash.h"
#include <cmocka.h>

static struct test_flash flash;
static struct sl_records records;

static int set_up(void **state)
{
    (void)state;
    test_flash_init(&flash, 2);
    test_flash_read(&flash, &records);
    return 0;
}

static void put(enum sl_record value, uint8_t fill, size_t len)
{
    uint8_t bytes[SL_RECORDS_VALUE_MAX];

    memset(bytes, fill, sizeof bytes);
    sl_records_put(&records, value, (struct sl_view){bytes, len});
}

static void expect(enum sl_record value, uint8_t fill, size_t len)
{
    uint8_t bytes[SL_RECORDS_VALUE_MAX];
    const struct sl_view kept = sl_records_get(&records, value);

    memset(bytes, fill, sizeof bytes);
    assert_int_equal(kept.len, len);
    assert_memory_equal(kept.data, bytes, len);
}

static void restart(void)
{
    test_flash_settle(&flash, &records);
    test_flash_read(&flash, &records);
}

static void values_outlast_a_restart(void **state)
{
    (void)state;
    expect(SL_RECORD_TIME, 0, 0);
    put(SL_RECORD_TIME, 0x11, 8);
    put(SL_RECORD_SESSION, 0x22, 128);
    put(SL_RECORD_KNOWN, 0x33, 32);
    restart();
    expect(SL_RECORD_TIME, 0x11, 8);
    expect(SL_RECORD_SESSION, 0x22, 128);
    expect(SL_RECORD_KNOWN, 0x33, 32);
    expect(SL_RECORD_COUNTERS, 0, 0);
    put(SL_RECORD_TIME, 0x44, 8);
    put(SL_RECORD_SESSION, 0, 0);
    restart();
    expect(SL_RECORD_TIME, 0x44, 8);
    expect(SL_RECORD_SESSION, 0, 0);
    expect(SL_RECORD_KNOWN, 0x33, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(values_outlast_a_restart, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
