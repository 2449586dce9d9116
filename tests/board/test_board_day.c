/* A day on the virtual ESP8266, with the real broker: keep alive, and a command every minute.
 * Nothing that the node has of memory grows. */
#include "garden.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOURS   24
#define MINUTES (HOURS * 60)

static struct test_garden garden;

static int set_up(void **state)
{
    const char *const args[] = {"--elf",       SL_DAY_ELF, "--exact",      "--set",
                                "leap-ms=200", "--set",    "command-s=60", NULL};

    (void)state;
    test_garden_make(&garden, NULL);
    garden.node_program = SL_BOARD_PROGRAM;
    test_garden_start_broker(&garden);
    test_garden_connect(&garden);
    test_garden_start_node(&garden, args);
    test_hear(&garden, 0, "report", "\"link\":\"up\"");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_garden_close(&garden);
    return 0;
}

/* The line of an hour, 1.. */
static void pools_at(unsigned hour, char *line, size_t len)
{
    FILE *log = fopen(garden.node.output.text, "r");
    char text[512];

    assert_non_null(log);
    *line = '\0';
    while (hour > 0 && fgets(text, sizeof text, log)) {
        const char *at = strstr(text, "pools: ");
        if (at && --hour == 0)
            snprintf(line, len, "%s", at);
    }
    fclose(log);
}

static void a_day_passes_and_nothing_grows(void **state)
{
    char first[256], last[256];

    (void)state;
    for (unsigned minute = 0; minute < MINUTES; minute++) {
        garden.messages_len = 0;
        test_ask(&garden, "zone/on", "2 58", "day");
        test_hear(&garden, 0, "answer/operator", "done");
        test_hear(&garden, 0, "zone/2/state", "OFF");
    }
    garden.messages_len = 0;
    test_ask(&garden, "zone/status", "", "end");
    test_hear(&garden, 0, "report", "\"uptime_s\":");

    const char *uptime = NULL;
    for (size_t i = 0; i < garden.messages_len; i++)
        if (strstr(garden.messages[i].topic, "report"))
            uptime = strstr(garden.messages[i].payload, "\"uptime_s\":");
    assert_non_null(uptime);
    assert_true(strtoul(uptime + strlen("\"uptime_s\":"), NULL, 10) >= (HOURS - 1) * 3600u);
    assert_in_range(test_count(&garden.node, "connected:"), 1, 5); /* a busy machine may be late */
    assert_int_equal(test_count(&garden.node, "fault"), 0);
    pools_at(2, first, sizeof first);
    pools_at(HOURS - 1, last, sizeof last);
    print_message("after 2 hours:  %safter 23 hours: %s", first, last);
    assert_non_null(strstr(first, " peak "));
    *strstr(first, " peak ") = '\0'; /* heap and elements in use: equal to the byte */
    assert_memory_equal(first, last, strlen(first));
    assert_non_null(strstr(last, " failed 0\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_passes_and_nothing_grows),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
