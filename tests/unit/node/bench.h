/* The bench of a test program, and where its tests begin. */
#ifndef TEST_UNIT_NODE_BENCH_H
#define TEST_UNIT_NODE_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <stdlib.h>

#include "rig.h"

static struct rig *rig;
static struct test_pki pki;

static inline int set_up_group(void **state)
{
    (void)state;
    test_pki_make(&pki, (int64_t)RIG_UTC);
    rig = calloc(1, sizeof *rig);
    return rig == NULL;
}

static inline int tear_down_group(void **state)
{
    (void)state;
    test_pki_free(&pki);
    free(rig);
    return 0;
}

static inline int start(void **state)
{
    (void)state;
    rig->pki = pki;
    rig_start(rig, 1000);
    return 0;
}

static inline int connect(void **state)
{
    (void)state;
    rig->pki = pki;
    rig_connect(rig, 1000);
    return 0;
}

static inline bool is_open(void)
{
    return rig->node.connection.stage == SL_CONNECTION_OPEN;
}

/* In the record log, and so in flash. */
static inline bool has_session(void)
{
    return sl_records_get(&rig->records, SL_RECORD_SESSION).len > 0;
}

/* The last error as the next report tells it. */
static inline void assert_last_error(const char *want)
{
    uint8_t text[SL_REPORT_LEN];
    struct sl_view report = sl_node_report(&rig->node, rig->now, text, sizeof text);
    cJSON *json = cJSON_ParseWithLength((const char *)report.data, report.len);
    assert_non_null(json);
    const cJSON *broker = cJSON_GetObjectItem(json, "broker");
    assert_string_equal(cJSON_GetObjectItem(broker, "last_error")->valuestring, want);
    cJSON_Delete(json);
}

/* A group of tests on one bench; each begins without time (start) or with a session (connect). */
#define FROM_START(name)   cmocka_unit_test_setup(name, start)
#define FROM_SESSION(name) cmocka_unit_test_setup(name, connect)

#endif
