/* The archive behind 'sluice backup': nothing but what was put in comes out, and whatever is in an
 * archive, nothing lands outside the folder. */
#include "base/bytes.h"
#include "site/pack.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[32];
static struct sl_passphrase passphrase;

static int set_up(void **state)
{
    (void)state;
    passphrase.len = (size_t)snprintf(passphrase.text, sizeof passphrase.text, "correct horse");
    snprintf(folder, sizeof folder, "/tmp/test_backup.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sl_folder_remove(folder);
    return 0;
}

/* Tens of thousands of refusals. Gives: what sound wants. */
static int silence(void)
{
    int kept = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
    assert_true(kept >= 0 && nowhere >= 0);
    dup2(nowhere, STDERR_FILENO);
    close(nowhere);
    return kept;
}

static void sound(int kept)
{
    dup2(kept, STDERR_FILENO);
    close(kept);
}

static struct sl_path in(const char *name)
{
    return sl_path_join(folder, name);
}

static int open_file(void)
{
    int fd = open(in("archive").text, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    return fd;
}

/* An archive of these bytes. */
static void make(const void *bytes, size_t len)
{
    static struct sl_archive archive;
    int fd = open_file();
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(sl_archive_create(&archive, fd, "archive", 1, &passphrase), SL_EXIT_DONE);
    assert_int_equal(sl_archive_put(&archive, bytes, len), SL_EXIT_DONE);
    assert_int_equal(sl_archive_finish(&archive), SL_EXIT_DONE);
    sl_archive_end(&archive);
    close(fd);
}

static void what_was_put_comes_out(void **state)
{
    (void)state;
    static struct sl_archive archive;
    static const size_t sizes[] = {0, 1, 65536, 65537, 200000};
    uint8_t *bytes = malloc(200000), *again = malloc(200000);
    for (size_t i = 0; i < 200000; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        make(bytes, sizes[i]);
        int fd = open_file();
        assert_int_equal(sl_archive_open(&archive, fd, "archive", &passphrase), SL_EXIT_DONE);
        for (int round = 0; round < 2; round++) {
            assert_int_equal(sl_archive_take(&archive, again, sizes[i]), SL_EXIT_DONE);
            assert_memory_equal(again, bytes, sizes[i]);
            assert_int_equal(sl_archive_expect_end(&archive), SL_EXIT_DONE);
            assert_int_equal(sl_archive_take(&archive, again, 1), SL_EXIT_FILES);
            assert_int_equal(sl_archive_rewind(&archive), SL_EXIT_DONE);
        }
        sl_archive_end(&archive);
        close(fd);
    }
    free(again);
    free(bytes);
}

/* With the key that opens the whole one: every byte behind the salt, and every length. */
static void every_change_behind_the_header_is_found(void **state)
{
    (void)state;
    static struct sl_archive archive;
    uint8_t bytes[100] = {1, 2, 3}, out[sizeof bytes];
    make(bytes, sizeof bytes);
    int kept = silence(), found = 0, tried = 0;
    int fd = open_file();
    off_t end = lseek(fd, 0, SEEK_END);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(sl_archive_open(&archive, fd, "archive", &passphrase), SL_EXIT_DONE);
    for (off_t at = SL_ARCHIVE_HEADER_LEN; at < end; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            uint8_t byte = 0, changed = 0;
            assert_int_equal(pread(fd, &byte, 1, at), 1);
            changed = (uint8_t)(byte ^ (1u << bit));
            assert_int_equal(pwrite(fd, &changed, 1, at), 1);
            assert_int_equal(sl_archive_rewind(&archive), SL_EXIT_DONE);
            found += sl_archive_take(&archive, out, sizeof out) == SL_EXIT_FILES;
            tried++;
            assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        }
    }
    assert_int_equal(found, tried);
    assert_int_equal(sl_archive_rewind(&archive), SL_EXIT_DONE);
    assert_int_equal(sl_archive_take(&archive, out, sizeof out), SL_EXIT_DONE);
    for (off_t len = end - 1; len >= SL_ARCHIVE_HEADER_LEN; len--) {
        assert_int_equal(ftruncate(fd, len), 0);
        assert_int_equal(sl_archive_rewind(&archive), SL_EXIT_DONE);
        assert_int_equal(sl_archive_take(&archive, out, sizeof out), SL_EXIT_FILES);
    }
    sound(kept);
    sl_archive_end(&archive);
    close(fd);
}

/* Bytes behind the last chunk; a last chunk taken away; two chunks that change places. */
static void chunks_have_their_places(void **state)
{
    (void)state;
    static struct sl_archive archive;
    enum { CHUNK = 4 + SL_ARCHIVE_CHUNK_MAX + SL_ARCHIVE_TAG_LEN };
    uint8_t *bytes = calloc(1, 3 * SL_ARCHIVE_CHUNK_MAX), *first = malloc(CHUNK),
            *second = malloc(CHUNK);
    make(bytes, 3 * SL_ARCHIVE_CHUNK_MAX);
    int fd = open_file();
    off_t end = lseek(fd, 0, SEEK_END);
    assert_int_equal(end, SL_ARCHIVE_HEADER_LEN + 3 * CHUNK);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(sl_archive_open(&archive, fd, "archive", &passphrase), SL_EXIT_DONE);
    assert_int_equal(pwrite(fd, "x", 1, end), 1);
    assert_int_equal(sl_archive_take(&archive, bytes, 3 * SL_ARCHIVE_CHUNK_MAX), SL_EXIT_DONE);
    assert_int_equal(sl_archive_expect_end(&archive), SL_EXIT_FILES);

    assert_int_equal(ftruncate(fd, end - CHUNK), 0);
    assert_int_equal(sl_archive_rewind(&archive), SL_EXIT_DONE);
    assert_int_equal(sl_archive_take(&archive, bytes, 2 * SL_ARCHIVE_CHUNK_MAX), SL_EXIT_DONE);
    assert_int_equal(sl_archive_expect_end(&archive), SL_EXIT_FILES);

    assert_int_equal(pread(fd, first, CHUNK, SL_ARCHIVE_HEADER_LEN), CHUNK);
    assert_int_equal(pread(fd, second, CHUNK, SL_ARCHIVE_HEADER_LEN + CHUNK), CHUNK);
    assert_int_equal(pwrite(fd, second, CHUNK, SL_ARCHIVE_HEADER_LEN), CHUNK);
    assert_int_equal(pwrite(fd, first, CHUNK, SL_ARCHIVE_HEADER_LEN + CHUNK), CHUNK);
    assert_int_equal(sl_archive_rewind(&archive), SL_EXIT_DONE);
    assert_int_equal(sl_archive_take(&archive, bytes, 1), SL_EXIT_FILES);
    sl_archive_end(&archive);
    close(fd);
    free(bytes);
    free(first);
    free(second);
}

static void other_passphrases_and_headers_are_refused(void **state)
{
    (void)state;
    static struct sl_archive archive;
    static const uint8_t at[] = {0, 7, 8, 16, 31};
    uint8_t out = 0, byte = 0;
    make("x", 1);
    struct sl_passphrase other = passphrase;
    other.text[0] = 'C';
    int fd = open_file();
    assert_int_equal(sl_archive_open(&archive, fd, "archive", &other), SL_EXIT_DONE);
    assert_int_equal(sl_archive_take(&archive, &out, 1), SL_EXIT_FILES);
    sl_archive_end(&archive);
    for (size_t i = 0; i < sizeof at; i++) {
        assert_int_equal(pread(fd, &byte, 1, at[i]), 1);
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, at[i]), 1);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        enum sl_exit code = sl_archive_open(&archive, fd, "archive", &passphrase);
        if (code == SL_EXIT_DONE)
            code = sl_archive_take(&archive, &out, 1);
        assert_int_equal(code, SL_EXIT_FILES);
        sl_archive_end(&archive);
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, at[i]), 1);
    }
    close(fd);
}

/* --- what is in it -------------------------------------------------------------------------- */

struct content {
    uint8_t bytes[1024];
    struct sl_writer writer;
};

static void begin(struct content *content)
{
    content->writer = sl_writer_init(content->bytes, sizeof content->bytes);
}

static void add(struct content *content, uint8_t kind, const char *path, const char *bytes)
{
    sl_write_u8(&content->writer, kind);
    sl_write_u16(&content->writer, (uint16_t)strlen(path));
    sl_write_view(&content->writer, sl_view_text(path));
    if (bytes) {
        sl_write_u32(&content->writer, (uint32_t)strlen(bytes));
        sl_write_view(&content->writer, sl_view_text(bytes));
    }
}

/* As if these bytes had been the only chunk of an archive that is open. */
static void lend(struct sl_archive *archive, const struct content *content, size_t len)
{
    assert_int_equal(sl_archive_rewind(archive), SL_EXIT_DONE);
    memcpy(archive->chunk, content->bytes, len);
    archive->len = len;
    archive->is_last = true;
    archive->chunks = 1;
    assert_true(lseek(archive->fd, 0, SEEK_END) > 0);
}

static enum sl_exit unpack(struct sl_archive *archive, const struct content *content)
{
    struct sl_pack_count count;
    sl_folder_remove(in("out").text);
    assert_int_equal(mkdir(in("out").text, 0700), 0);
    lend(archive, content, sl_writer_len(&content->writer));
    return sl_unpack(archive, in("out").text, &count);
}

static void no_path_leads_out(void **state)
{
    (void)state;
    static const char *const paths[] = {"/etc/x", "../x", "a/../../x", ".x",      "a/.x", "a//x",
                                        "a/",     "",     "a\nb",      "a b",     "..",   ".",
                                        "a\\b",   "~",    "a/b/c/d/e", "\303\251"};
    static struct sl_archive archive;
    make("x", 1);
    int fd = open_file(), kept = silence();
    assert_int_equal(sl_archive_open(&archive, fd, "archive", &passphrase), SL_EXIT_DONE);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct content content;
        begin(&content);
        add(&content, 1, "a", NULL);
        add(&content, 2, paths[i], "bytes");
        add(&content, 0, "", NULL);
        assert_int_equal(unpack(&archive, &content), SL_EXIT_FILES);
        assert_int_not_equal(access(in("x").text, F_OK), 0);
    }
    struct content good;
    begin(&good);
    add(&good, 1, "a", NULL);
    add(&good, 2, "a/b", "bytes");
    add(&good, 0, "", NULL);
    assert_int_equal(unpack(&archive, &good), SL_EXIT_DONE);
    struct sl_bytes bytes;
    assert_int_equal(sl_file_read(in("out/a/b").text, 100, &bytes), SL_EXIT_DONE);
    assert_string_equal(bytes.data, "bytes");
    sl_bytes_free(&bytes);
    add(&good, 0, "", NULL); /* behind the end */
    assert_int_equal(unpack(&archive, &good), SL_EXIT_FILES);
    begin(&good);
    add(&good, 2, "a", "1");
    add(&good, 2, "a", "2"); /* twice */
    add(&good, 0, "", NULL);
    assert_int_equal(unpack(&archive, &good), SL_EXIT_FILES);
    sound(kept);
    sl_archive_end(&archive);
    close(fd);
}

/* Behind the right key, too, a damaged or hostile content ends in a refusal or in a folder of plain
 * files: bytes changed at random, a fixed seed. */
static void any_content_is_bounded(void **state)
{
    (void)state;
    static struct sl_archive archive;
    struct content content;
    struct sl_pack_count count;
    uint32_t seed = 20261122;
    unsigned done = 0;
    bool is_bounded = true;
    begin(&content);
    add(&content, 1, "nodes", NULL);
    add(&content, 2, "nodes/garden", "identity");
    add(&content, 2, "site.json", "{}");
    add(&content, 0, "", NULL);
    size_t len = sl_writer_len(&content.writer);
    make(content.bytes, len);
    int fd = open_file();
    assert_int_equal(sl_archive_open(&archive, fd, "archive", &passphrase), SL_EXIT_DONE);
    int kept = silence();
    for (int round = 0; round < 20000; round++) {
        struct content changed = content;
        for (unsigned i = 0; i < 1 + seed % 3; i++) {
            seed = seed * 1664525u + 1013904223u;
            changed.bytes[(seed >> 8) % len] ^= (uint8_t)(1u << (seed >> 29));
        }
        lend(&archive, &changed, len);
        done += sl_unpack(&archive, NULL, &count) == SL_EXIT_DONE;
        is_bounded = is_bounded && count.bytes <= len && count.files + count.folders < len;
    }
    sound(kept);
    assert_true(is_bounded);
    assert_true(done > 0 && done < 20000);
    sl_archive_end(&archive);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_put_comes_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_change_behind_the_header_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(chunks_have_their_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_passphrases_and_headers_are_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_path_leads_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_content_is_bounded, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
