/* issued.log: whatever a power cut leaves in it, every whole line is read and none is made up. */
#include "site/journal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[32];
static const struct sl_journal_entry first = {
    .when = "2026-11-22T18:42:07Z",
    .not_after = "2029-11-21T18:42:07Z",
    .serial = "0100112233445566778899AABBCCDDEEFF",
    .name = "garden",
    .purpose = "node",
    .key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"};

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_journal.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sl_folder_remove(folder);
    return 0;
}

static void put(const char *bytes, size_t len)
{
    assert_int_equal(sl_file_write(sl_path_join(folder, "issued.log").text, bytes, len, 0600),
                     SL_EXIT_DONE);
}

static size_t count(size_t *torn)
{
    struct sl_journal journal;
    struct sl_journal_entry entry;
    size_t lines = 0;
    assert_int_equal(sl_journal_open(folder, &journal), SL_EXIT_DONE);
    for (; sl_journal_next(&journal, &entry); lines++) {
        assert_string_equal(entry.serial, first.serial);
        assert_string_equal(entry.name, first.name);
        assert_string_equal(entry.not_after, first.not_after);
    }
    *torn = journal.torn;
    sl_journal_close(&journal);
    return lines;
}

static void a_line_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct sl_journal journal;
    struct sl_journal_entry entry;
    assert_int_equal(sl_journal_add(folder, &first), SL_EXIT_DONE);
    assert_int_equal(sl_journal_open(folder, &journal), SL_EXIT_DONE);
    assert_true(sl_journal_next(&journal, &entry));
    assert_memory_equal(&entry, &first, sizeof entry);
    assert_false(sl_journal_next(&journal, &entry));
    sl_journal_close(&journal);
}

/* The second line is cut at every byte; what is added then stands whole. */
static void a_line_cut_anywhere_spoils_no_other(void **state)
{
    (void)state;
    struct sl_bytes whole;
    size_t torn = 0;
    assert_int_equal(sl_journal_add(folder, &first), SL_EXIT_DONE);
    assert_int_equal(sl_journal_add(folder, &first), SL_EXIT_DONE);
    assert_int_equal(sl_file_read(sl_path_join(folder, "issued.log").text, 4096, &whole),
                     SL_EXIT_DONE);
    size_t line = whole.len / 2;
    /* Up to the end of not-after it is no line; without its key or its end it is one. */
    size_t old_end = line - strlen(" key=") - 64 - 1;
    for (size_t len = line; len <= whole.len; len++) {
        size_t cut = len - line;
        bool is_line = cut == old_end || cut >= line - 1;
        put(whole.data, len);
        assert_int_equal(count(&torn), 1u + is_line);
        assert_int_equal(torn, cut > 0 && !is_line);
        assert_int_equal(sl_journal_add(folder, &first), SL_EXIT_DONE);
        assert_int_equal(count(&torn), 2u + is_line);
    }
    sl_bytes_free(&whole);
}

/* Some file systems leave zeros where bytes were on their way. */
static void zeros_hide_no_line_behind_them(void **state)
{
    (void)state;
    size_t torn = 0;
    char zeros[100] = {0};
    assert_int_equal(sl_journal_add(folder, &first), SL_EXIT_DONE);
    struct sl_bytes whole;
    assert_int_equal(sl_file_read(sl_path_join(folder, "issued.log").text, 4096, &whole),
                     SL_EXIT_DONE);
    char bytes[1024];
    memcpy(bytes, whole.data, whole.len);
    memcpy(bytes + whole.len, zeros, sizeof zeros);
    put(bytes, whole.len + sizeof zeros);
    sl_bytes_free(&whole);
    assert_int_equal(sl_journal_add(folder, &first), SL_EXIT_DONE);
    assert_int_equal(count(&torn), 2);
    assert_int_equal(torn, 1);
}

static void strange_lines_are_none(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "hello",
        "2026-11-22T18:42:07Z serial=01 name=a purpose=node",
        "2026-11-22T18:42:07Z serial= name=a purpose=node not-after=2029-11-21T18:42:07Z",
        "2026-11-22T18:42:07Z serial=0x name=a purpose=node not-after=2029-11-21T18:42:07Z",
        "2026-11-22 18:42:07Z serial=01 name=a purpose=node not-after=2029-11-21T18:42:07Z",
        "2026-11-22T18:42:07Z serial=01 name=a\033[2J purpose=node not-after=2029-11-21T18:42:07Z",
        "2026-11-22T18:42:07Z serial=01 name=a purpose=node not-after=2029-11-21T18:42:07Z key=00",
        "2026-11-22T18:42:07Z serial=01 name=a purpose=nodenodenodenode "
        "not-after=2029-11-21T18:42:07Z",
    };
    struct sl_journal_entry entry;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_false(sl_journal_parse(lines[i], strlen(lines[i]), &entry));
        assert_int_equal(entry.when[0], '\0');
    }
    static const char early[] = "2026-11-22T18:42:07Z serial=01AB name=Sluice authority "
                                "purpose=authority not-after=2046-11-21T18:42:07Z";
    assert_true(sl_journal_parse(early, strlen(early), &entry));
    assert_string_equal(entry.name, "Sluice authority");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_is_read_as_it_was_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_cut_anywhere_spoils_no_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(zeros_hide_no_line_behind_them, set_up, tear_down),
        cmocka_unit_test(strange_lines_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
