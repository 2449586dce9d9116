/* The record log's flash as a file: made safely, replaced when it cannot be trusted, written to
 * disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "flash_file.h"
#include "port.h"
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LEN (SL_RECORDS_SECTORS * SL_RECORDS_SECTOR_LEN)

static char dir[64];

static unsigned flushes; /* of a folder */

/* In the place of the C library's: what a power cut would leave cannot be seen otherwise. */
int fsync(int fd)
{
    struct stat info;

    flushes += fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
    return fdatasync(fd);
}

static const char *path_of(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/sluice-flash-XXXXXX");
    return mkdtemp(dir) ? 0 : 1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"records", "records.new", "other", "last-time"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unlink(path_of(names[i]));
    return rmdir(dir);
}

static uint8_t init(bool is_check)
{
    struct posix_failure failure;
    uint8_t sectors = 99;

    assert_true(posix_flash_init(dir, is_check, &sectors, &failure));
    return sectors;
}

static bool carry_out(enum sl_records_kind kind, uint8_t sector, uint16_t offset, uint16_t len,
                      const uint8_t *data)
{
    const struct sl_records_op op = {kind, {sector, offset, len}, data};
    bool ok = false;

    assert_false(sl_port_flash_take(&ok)); /* nothing is under way */
    sl_port_flash_start(&op);
    posix_flash_finish(10000);
    assert_true(sl_port_flash_take(&ok));
    return ok;
}

static uint8_t byte_at(uint8_t sector, uint16_t offset)
{
    const struct sl_records_place place = {sector, offset, 4};
    uint8_t bytes[4];

    assert_true(sl_port_flash_read(&place, bytes));
    return bytes[0];
}

static void a_new_file_is_erased_flash_for_us_alone(void **state)
{
    struct stat info;

    (void)state;
    (void)umask(0);
    assert_int_equal(init(false), SL_RECORDS_SECTORS);
    assert_int_equal(stat(path_of("records"), &info), 0);
    assert_int_equal(info.st_size, FILE_LEN);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(access(path_of("records.new"), F_OK), -1);
    for (uint8_t sector = 0; sector < SL_RECORDS_SECTORS; sector++)
        assert_int_equal(byte_at(sector, SL_RECORDS_SECTOR_LEN - 4), 0xFF);
}

static void operations_reach_the_file(void **state)
{
    static const uint8_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};

    (void)state;
    init(false);
    assert_true(carry_out(SL_RECORDS_PROGRAM, 1, 20, 8, data));
    assert_true(carry_out(SL_RECORDS_PROGRAM, 2, 0, 8, data));
    assert_true(carry_out(SL_RECORDS_CLEAR, 1, 24, 4, NULL));
    assert_true(carry_out(SL_RECORDS_ERASE, 2, 0, 0, NULL));
    assert_int_equal(init(false), SL_RECORDS_SECTORS); /* as after a restart */
    assert_int_equal(byte_at(1, 16), 0xFF);
    assert_int_equal(byte_at(1, 20), 1);
    assert_int_equal(byte_at(1, 24), 0);
    assert_int_equal(byte_at(1, 28), 0xFF);
    assert_int_equal(byte_at(2, 0), 0xFF);
    assert_int_equal(byte_at(0, 0), 0xFF);
}

static void a_write_that_fails_is_told(void **state)
{
    static const uint8_t data[8] = {1};
    struct rlimit limit;

    (void)state;
    init(false);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const struct rlimit none = {0, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    const bool ok = carry_out(SL_RECORDS_PROGRAM, 1, 0, 8, data);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_false(ok);
    assert_true(carry_out(SL_RECORDS_PROGRAM, 1, 0, 8, data));
}

/* What others could have read or written, or is no such file, is not used: a new one takes its
 * name, and nothing is written through a link. */
static void a_file_that_cannot_be_trusted_is_replaced(void **state)
{
    static const uint8_t data[8] = {1};
    struct stat info;

    (void)state;
    for (unsigned fault = 0; fault < 4; fault++) {
        (void)unlink(path_of("records"));
        init(false);
        assert_true(carry_out(SL_RECORDS_PROGRAM, 1, 0, 8, data));
        if (fault == 0)
            assert_int_equal(chmod(path_of("records"), 0604), 0);
        else if (fault == 1)
            assert_int_equal(truncate(path_of("records"), FILE_LEN - 1), 0);
        else if (fault == 2) {
            char other[128];
            snprintf(other, sizeof other, "%s/other", dir);
            assert_int_equal(rename(path_of("records"), other), 0);
            assert_int_equal(symlink("other", path_of("records")), 0);
        } else {
            assert_int_equal(unlink(path_of("records")), 0);
            assert_int_equal(mkfifo(path_of("records"), 0600), 0);
        }
        assert_int_equal(init(false), SL_RECORDS_SECTORS);
        assert_int_equal(byte_at(1, 0), 0xFF);
        assert_int_equal(lstat(path_of("records"), &info), 0);
        assert_true(S_ISREG(info.st_mode) && (info.st_mode & 077) == 0);
    }
}

static void a_check_makes_nothing(void **state)
{
    struct posix_failure failure;
    uint8_t sectors;

    (void)state;
    assert_int_equal(init(true), 0);
    assert_int_equal(access(path_of("records"), F_OK), -1);
    assert_true(posix_flash_init(NULL, false, &sectors, &failure));
    assert_int_equal(sectors, 0);
    assert_false(posix_flash_init(path_of("absent"), true, &sectors, &failure));
    assert_non_null(strstr(failure.line, "make it, writable"));
}

static void an_old_time_counts_until_the_records_have_it(void **state)
{
    (void)state;
    init(false);
    assert_int_equal(posix_flash_old_time(5), 0);
    const int fd = open(path_of("last-time"), O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "1800000000\n", 11), 11);
    close(fd);
    assert_int_equal(posix_flash_old_time(0), 1800000000);
    assert_int_equal(posix_flash_old_time(1799999999), 1800000000);
    assert_int_equal(access(path_of("last-time"), F_OK), 0);
    assert_int_equal(posix_flash_old_time(1800000000), 1800000000);
    assert_int_equal(access(path_of("last-time"), F_OK), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Flushed, so that a power cut does not bring it back beside a new identity. */
static void what_is_forgotten_is_forgotten_for_good(void **state)
{
    (void)state;
    const int fd = open(path_of("records"), O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
    flushes = 0;
    posix_flash_forget(dir);
    assert_int_not_equal(access(path_of("records"), F_OK), 0);
    assert_int_equal(flushes, 1);
    posix_flash_forget(NULL);
    assert_int_equal(flushes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_file_is_erased_flash_for_us_alone),
        TEST(operations_reach_the_file),
        TEST(a_write_that_fails_is_told),
        TEST(a_file_that_cannot_be_trusted_is_replaced),
        TEST(a_check_makes_nothing),
        TEST(an_old_time_counts_until_the_records_have_it),
        TEST(what_is_forgotten_is_forgotten_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
