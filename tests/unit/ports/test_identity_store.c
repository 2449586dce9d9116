/* The identities of a node on Linux: which of them is used, and what a cut leaves of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "identity_store.h"
#include "port.h"
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static struct sl_identity_slot slots[2];
static bool has_candidate;
static const char *used;

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
    static char paths[2][128];
    static unsigned turn;
    char *path = paths[turn++ % 2];

    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/sluice-identity-XXXXXX");
    return mkdtemp(dir) ? 0 : 1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"file", "identity", "identity.new"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unlink(path_of(names[i]));
    return rmdir(dir);
}

static size_t make(const char *name, uint64_t issued_s, uint8_t image[SL_IDENTITY_MAX])
{
    static const uint8_t sequence[] = {0x30, 0x01, 0x00};
    static const uint8_t point[65] = {0x04}, key[SL_IDENTITY_KEY_LEN] = {1};
    const struct sl_identity identity = {
        .name = sl_view_text(name),
        .base = sl_view_text("irrigation/garden"),
        .broker_host = sl_view_text("192.0.2.1"),
        .broker_port = 8883,
        .server_name = sl_view_text("broker.test"),
        .anchors = {{{sequence, sizeof sequence}, {point, sizeof point}}},
        .anchors_len = 1,
        .certificate = {sequence, sizeof sequence},
        .private_key = {key, sizeof key},
        .not_after_s = 4000000000,
        .issued_s = issued_s,
    };
    size_t len;

    assert_int_equal(sl_identity_encode(&identity, image, SL_IDENTITY_MAX, &len), SL_OK);
    return len;
}

/* The first len bytes of what would be there. */
static void put_part(const char *file, const char *name, uint64_t issued_s, size_t most)
{
    uint8_t image[SL_IDENTITY_MAX];
    const size_t whole = make(name, issued_s, image), len = whole < most ? whole : most;
    const int fd = open(path_of(file), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, image, len), len);
    close(fd);
}

static void put(const char *file, const char *name, uint64_t issued_s)
{
    put_part(file, name, issued_s, SIZE_MAX);
}

static bool is_there(const char *file)
{
    return access(path_of(file), F_OK) == 0;
}

static bool read_all(bool is_check)
{
    struct posix_failure failure;

    memset(slots, 0, sizeof slots);
    return posix_identities_read(slots, &has_candidate, &used, path_of("file"), dir, is_check,
                                 &failure);
}

static void assert_used(uint64_t issued_s, uint64_t candidate_s)
{
    assert_true(read_all(false));
    assert_int_equal(slots[0].identity.issued_s, issued_s);
    assert_int_equal(has_candidate, candidate_s != 0);
    if (candidate_s != 0)
        assert_int_equal(slots[1].identity.issued_s, candidate_s);
}

/* A node that has only its renewed identity is no node to be enrolled. */
static void one_that_was_renewed_is_an_identity_too(void **state)
{
    (void)state;
    assert_false(posix_identities_are_there(path_of("file"), dir));
    put("identity", "garden", 200);
    assert_true(posix_identities_are_there(path_of("file"), dir));
    assert_false(posix_identities_are_there(path_of("file"), NULL));
    assert_used(200, 0);
    put_part("identity", "garden", 200, 20); /* damage opens no line either */
    assert_true(posix_identities_are_there(path_of("file"), dir));
    put("file", "garden", 100);
    assert_true(posix_identities_are_there(path_of("file"), NULL));
}

static void the_one_issued_last_is_used(void **state)
{
    (void)state;
    assert_false(read_all(false));
    put("file", "garden", 100);
    assert_used(100, 0);
    put("identity", "garden", 200);
    assert_used(200, 0);
    put("file", "garden", 200); /* a copy of what was renewed */
    assert_used(200, 0);
    assert_string_equal(used, path_of("identity"));
    put("file", "garden", 201); /* replaced at the site */
    assert_used(201, 0);
    put("file", "greenhouse", 50); /* another node's folder before */
    assert_used(50, 0);
    (void)unlink(path_of("file"));
    assert_used(200, 0);
}

static void a_file_that_cannot_be_used_is_passed_over(void **state)
{
    (void)state;
    put("file", "garden", 100);
    put_part("identity", "garden", 200, 100);
    assert_used(100, 0);
    put("identity", "garden", 200);
    assert_int_equal(chmod(path_of("identity"), 0644), 0);
    assert_used(100, 0);
}

static void a_candidate_is_later_and_of_the_same_node(void **state)
{
    (void)state;
    put("file", "garden", 100);
    put("identity.new", "garden", 200);
    assert_used(100, 200);
    assert_true(is_there("identity.new"));
    put("identity.new", "garden", 100);
    assert_true(read_all(true) && !has_candidate);
    assert_true(is_there("identity.new")); /* a check changes nothing */
    assert_used(100, 0);
    assert_false(is_there("identity.new"));
    put("identity.new", "greenhouse", 200);
    assert_used(100, 0);
    assert_false(is_there("identity.new"));
}

static bool carry_out(enum sl_identity_op op, uint64_t issued_s)
{
    uint8_t image[SL_IDENTITY_MAX];
    const size_t len = op == SL_IDENTITY_TRY ? make("garden", issued_s, image) : 0;
    bool ok = false;

    assert_false(sl_port_identity_take(&ok));
    sl_port_identity_start(op, (struct sl_view){len > 0 ? image : NULL, len});
    posix_identity_finish(10000);
    assert_true(sl_port_identity_take(&ok));
    return ok;
}

static void operations_do_what_the_contract_says(void **state)
{
    struct stat info;
    (void)state;
    put("file", "garden", 100);
    assert_used(100, 0);
    assert_true(carry_out(SL_IDENTITY_TRY, 200));
    assert_int_equal(stat(path_of("identity.new"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_used(100, 200);
    assert_true(carry_out(SL_IDENTITY_TRY, 300));
    assert_used(100, 300);
    assert_true(carry_out(SL_IDENTITY_DROP, 0));
    assert_true(carry_out(SL_IDENTITY_DROP, 0)); /* nothing there: nothing to do */
    assert_used(100, 0);
    assert_false(carry_out(SL_IDENTITY_ADOPT, 0));
    assert_true(carry_out(SL_IDENTITY_TRY, 400));
    assert_true(carry_out(SL_IDENTITY_ADOPT, 0));
    assert_used(400, 0);
    flushes = 0;
    posix_identities_forget(path_of("file"), dir);
    assert_int_equal(flushes, 1);
    assert_false(is_there("identity"));
    assert_used(100, 0);
}

/* TRY is a file that grows, ADOPT a rename, DROP a removal: every state that a cut can leave. */
static void every_cut_leaves_one_in_use(void **state)
{
    uint8_t image[SL_IDENTITY_MAX];
    const size_t len = make("garden", 200, image);
    (void)state;

    put("file", "garden", 100);
    for (size_t cut = 0; cut <= len; cut++) {
        put_part("identity.new", "garden", 200, cut);
        assert_used(100, cut == len ? 200 : 0);
        assert_int_equal(is_there("identity.new"), cut == len);
    }
    assert_int_equal(rename(path_of("identity.new"), path_of("identity")), 0);
    assert_used(200, 0);
    for (size_t cut = 0; cut <= len; cut++) {
        put_part("identity.new", "garden", 300, cut);
        assert_used(200, cut == len ? 300 : 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_that_was_renewed_is_an_identity_too),
        TEST(the_one_issued_last_is_used),
        TEST(a_file_that_cannot_be_used_is_passed_over),
        TEST(a_candidate_is_later_and_of_the_same_node),
        TEST(operations_do_what_the_contract_says),
        TEST(every_cut_leaves_one_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
