/* Power cut in the middle of every operation that the board's flash sees in a start and a session.
 * The record log has to move to another sector in it. After each cut the board starts again, has
 * lost no count that stood before, and works. */
#include "garden.h"
#include "ports/lx106/flash.h"
#include "store/records.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CUTS_MAX  60 /* no start has as many operations */
#define PIN(zone) (uint8_t)(1u << (zone))

static struct test_garden garden;
static uint8_t flash[LX106_FLASH_LEN]; /* as it is before every cut */

static int set_up(void **state)
{
    (void)state;
    test_garden_make(&garden, NULL);
    garden.node_program = SL_BOARD_PROGRAM;
    test_garden_start_broker(&garden);
    test_garden_start_chip(&garden);
    test_garden_connect(&garden);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_garden_close(&garden);
    return 0;
}

/* cut: of this operation; 0: of none. */
static void start_node(unsigned cut)
{
    char set[16];
    const char *args[] = {"--state", garden.place.folder, "--set", set, NULL};

    snprintf(set, sizeof set, "cut=%u", cut);
    test_garden_start_node(&garden, args);
}

static void put_flash(void)
{
    const struct test_path path = test_place_path(&garden.place, "flash");
    const int fd = open(path.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, flash, sizeof flash), sizeof flash);
    close(fd);
}

/* The number behind text in what the node has said. */
static unsigned long number_behind(const char *text)
{
    FILE *log = fopen(garden.node.output.text, "r");
    char line[400];
    unsigned long number = 0;

    assert_non_null(log);
    while (fgets(line, sizeof line, log)) {
        const char *at = strstr(line, text);
        if (at)
            number = strtoul(at + strlen(text), NULL, 10);
    }
    fclose(log);
    return number;
}

/* Online, and a command switched; false: the power was cut before. */
static bool works(void)
{
    const size_t from = garden.messages_len;
    const uint64_t end = test_now_ms() + TEST_WAIT_MS;
    bool is_asked = false;

    while (test_is_running(&garden.node) && test_now_ms() < end) {
        test_listen(&garden, 20);
        if (test_heard(&garden, from, "answer/operator", "done") > 0)
            return true;
        if (!is_asked && test_heard(&garden, from, "report", "\"link\":\"up\"") > 0) {
            test_ask(&garden, "zone/on", "3 1", "cut");
            is_asked = true;
        }
    }
    if (test_is_running(&garden.node))
        test_show(&garden.node);
    assert_false(test_is_running(&garden.node));
    return false;
}

/* Gives: how many operations a start and a session have. */
static unsigned cut_each(unsigned long starts_before)
{
    for (unsigned cut = 1; cut < CUTS_MAX; cut++) {
        garden.messages_len = 0;
        put_flash();
        start_node(cut);
        const bool is_over = works();
        if (is_over) {
            test_stop(&garden.node);
            return cut - 1;
        }
        assert_int_equal(test_wait_exit(&garden.node, TEST_WAIT_MS), LX106_FLASH_CUT_CODE);

        start_node(0);
        assert_true(works());
        const unsigned long starts = number_behind("so far ");
        if (starts < starts_before + 1 || starts > starts_before + 2)
            test_show(&garden.node);
        assert_in_range(starts, starts_before + 1, starts_before + 2);
        assert_int_equal(test_count(&garden.node, "fault"), 0);
        test_stop(&garden.node);
    }
    fail_msg("more than %u operations", CUTS_MAX);
    return 0;
}

/* What sl_port_flash_start would do, in memory. */
static void carry_out(struct sl_records *records)
{
    struct sl_records_op op;

    while (sl_records_next(records, &op)) {
        uint8_t *at = flash + LX106_FLASH_RECORDS +
                      (size_t)op.place.sector * LX106_FLASH_SECTOR_LEN + op.place.offset;
        if (op.kind == SL_RECORDS_ERASE)
            memset(at, 0xff, LX106_FLASH_SECTOR_LEN);
        for (size_t i = 0; op.kind != SL_RECORDS_ERASE && i < op.place.len; i++)
            at[i] &= op.kind == SL_RECORDS_CLEAR ? 0 : op.data[i];
        sl_records_did(records, true);
    }
}

/* A log whose sector has no room for the next count of starts. Gives: how many it tells. */
static uint8_t fill_log(void)
{
    struct sl_records records;
    struct sl_records_place place;
    uint8_t counters[16] = {0};

    memset(flash, 0xff, sizeof flash);
    sl_records_init(&records, SL_RECORDS_SECTORS);
    while (sl_records_wants(&records, &place))
        sl_records_feed(&records, (struct sl_view){flash + LX106_FLASH_RECORDS, place.len});
    do {
        counters[3]++; /* the starts' last byte */
        sl_records_put(&records, SL_RECORD_COUNTERS, (struct sl_view){counters, sizeof counters});
        carry_out(&records);
    } while (records.end + SL_RECORD_HEADER_LEN + sizeof counters <= SL_RECORDS_SECTOR_LEN);
    /* Where it moves to, nothing can be programmed before an erase. */
    memset(flash + LX106_FLASH_RECORDS + LX106_FLASH_SECTOR_LEN, 0xaa, LX106_FLASH_SECTOR_LEN);
    return counters[3];
}

/* The log stands in the second sector now. */
static bool has_moved(void)
{
    const struct test_path path = test_place_path(&garden.place, "flash");
    const int fd = open(path.text, O_RDONLY | O_CLOEXEC);
    static const uint8_t wanted[] = {0, 1, 0, 4}; /* a sector's first record */
    uint8_t first[sizeof wanted];

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, first, sizeof first, LX106_FLASH_RECORDS + LX106_FLASH_SECTOR_LEN),
                     sizeof first);
    close(fd);
    return memcmp(first, wanted, sizeof first) == 0;
}

static void every_cut_of_a_start_and_a_session(void **state)
{
    (void)state;
    const unsigned operations = cut_each(fill_log());
    print_message("%u operations\n", operations);
    assert_in_range(operations, 12, CUTS_MAX);
    assert_true(has_moved());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_of_a_start_and_a_session),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
