/* Chunks sealed by AES-256-GCM. */
#include "site/archive.h"
#include "base/bytes.h"
#include "ca/pki.h"
#include <errno.h>
#include <openssl/rand.h>
#include <string.h>
#include <unistd.h>

#define VERSION   1
#define NONCE_LEN 12
#define LEN_LEN   4 /* of a chunk's length */

/* Of version 1: a file cannot ask its reader for more. */
#define SCRYPT_N   32768
#define SCRYPT_R   8
#define SCRYPT_P   3
#define SCRYPT_MAX (64u * 1024 * 1024) /* bytes of memory */

static const uint8_t magic[7] = {'S', 'L', 'U', 'B', 'A', 'C', 'K'};

static enum sl_exit derive(struct sl_archive *archive, const struct sl_passphrase *passphrase);
static enum sl_exit seal(struct sl_archive *archive, bool is_last);
static enum sl_exit open_chunk(struct sl_archive *archive);
static void make_nonce(const struct sl_archive *archive, bool is_last, uint8_t nonce[NONCE_LEN]);
static bool read_all(int fd, void *data, size_t len, size_t *got);
static enum sl_exit fail_damaged(const struct sl_archive *archive);

/* --- writing -------------------------------------------------------------------------------- */

enum sl_exit sl_archive_create(struct sl_archive *archive, int fd, const char *path,
                               uint64_t made_s, const struct sl_passphrase *passphrase)
{
    uint8_t salt[SL_ARCHIVE_SALT_LEN];
    *archive = (struct sl_archive){.fd = fd, .path = path, .made_s = made_s, .is_writing = true};
    if (RAND_bytes(salt, sizeof salt) != 1)
        return sl_pki_fail("make a salt");
    struct sl_writer header = sl_writer_init(archive->header, sizeof archive->header);
    sl_write_view(&header, (struct sl_view){magic, sizeof magic});
    sl_write_u8(&header, VERSION);
    sl_write_u64(&header, made_s);
    sl_write_view(&header, (struct sl_view){salt, sizeof salt});
    enum sl_exit code = derive(archive, passphrase);
    if (code == SL_EXIT_DONE && !sl_file_put(fd, archive->header, sizeof archive->header))
        code = sl_file_fail("write", path);
    return code;
}

enum sl_exit sl_archive_put(struct sl_archive *archive, const void *data, size_t len)
{
    const uint8_t *from = data;
    enum sl_exit code = SL_EXIT_DONE;
    while (len > 0 && code == SL_EXIT_DONE) {
        if (archive->len == SL_ARCHIVE_CHUNK_MAX)
            code = seal(archive, false);
        size_t room = SL_ARCHIVE_CHUNK_MAX - archive->len, part = len < room ? len : room;
        memcpy(archive->chunk + archive->len, from, part);
        archive->len += part;
        from += part;
        len -= part;
    }
    return code;
}

enum sl_exit sl_archive_finish(struct sl_archive *archive)
{
    return seal(archive, true);
}

static enum sl_exit seal(struct sl_archive *archive, bool is_last)
{
    uint8_t nonce[NONCE_LEN], length[LEN_LEN], tag[SL_ARCHIVE_TAG_LEN];
    int len = 0, rest = 0;
    struct sl_writer writer = sl_writer_init(length, sizeof length);
    sl_write_u32(&writer, (uint32_t)archive->len | (is_last ? 0x80000000u : 0));
    make_nonce(archive, is_last, nonce);
    bool ok =
        EVP_EncryptInit_ex2(archive->cipher, EVP_aes_256_gcm(), archive->key, nonce, NULL) == 1 &&
        EVP_EncryptUpdate(archive->cipher, NULL, &len, archive->header, SL_ARCHIVE_HEADER_LEN) ==
            1 &&
        EVP_EncryptUpdate(archive->cipher, NULL, &len, length, LEN_LEN) == 1 &&
        EVP_EncryptUpdate(archive->cipher, archive->chunk, &len, archive->chunk,
                          (int)archive->len) == 1 &&
        EVP_EncryptFinal_ex(archive->cipher, archive->chunk + len, &rest) == 1 &&
        EVP_CIPHER_CTX_ctrl(archive->cipher, EVP_CTRL_GCM_GET_TAG, SL_ARCHIVE_TAG_LEN, tag) == 1;
    if (!ok)
        return sl_pki_fail("encrypt");
    memcpy(archive->chunk + archive->len, tag, sizeof tag);
    if (!sl_file_put(archive->fd, length, sizeof length) ||
        !sl_file_put(archive->fd, archive->chunk, archive->len + sizeof tag))
        return sl_file_fail("write", archive->path);
    archive->chunks++;
    archive->len = 0;
    return SL_EXIT_DONE;
}

/* --- reading -------------------------------------------------------------------------------- */

enum sl_exit sl_archive_open(struct sl_archive *archive, int fd, const char *path,
                             const struct sl_passphrase *passphrase)
{
    size_t got = 0;
    *archive = (struct sl_archive){.fd = fd, .path = path};
    if (!read_all(fd, archive->header, sizeof archive->header, &got))
        return sl_file_fail("read", path);
    struct sl_reader reader = sl_reader_init((struct sl_view){archive->header, got});
    struct sl_view start = sl_read_view(&reader, sizeof magic);
    uint8_t version = sl_read_u8(&reader);
    archive->made_s = sl_read_u64(&reader);
    if (got < sizeof archive->header ||
        !sl_view_is_equal(start, (struct sl_view){magic, sizeof magic}) || version != VERSION)
        return sl_cli_fail(SL_ERROR(BACKUP_FOREIGN), path);
    return derive(archive, passphrase);
}

enum sl_exit sl_archive_rewind(struct sl_archive *archive)
{
    archive->chunks = 0;
    archive->at = archive->len = 0;
    archive->is_writing = archive->is_last = false;
    return lseek(archive->fd, SL_ARCHIVE_HEADER_LEN, SEEK_SET) == SL_ARCHIVE_HEADER_LEN
               ? SL_EXIT_DONE
               : sl_file_fail("read", archive->path);
}

enum sl_exit sl_archive_take(struct sl_archive *archive, void *data, size_t len)
{
    uint8_t *to = data;
    enum sl_exit code = SL_EXIT_DONE;
    while (len > 0 && code == SL_EXIT_DONE) {
        if (archive->at == archive->len)
            code = archive->is_last ? fail_damaged(archive) : open_chunk(archive);
        if (code != SL_EXIT_DONE)
            break;
        size_t left = archive->len - archive->at, part = len < left ? len : left;
        memcpy(to, archive->chunk + archive->at, part);
        archive->at += part;
        to += part;
        len -= part;
    }
    return code;
}

enum sl_exit sl_archive_expect_end(struct sl_archive *archive)
{
    uint8_t more = 0;
    size_t got = 0;
    if (archive->at == archive->len && !archive->is_last) {
        enum sl_exit code = open_chunk(archive);
        if (code != SL_EXIT_DONE)
            return code;
    }
    if (archive->at != archive->len || !archive->is_last)
        return fail_damaged(archive);
    if (!read_all(archive->fd, &more, 1, &got))
        return sl_file_fail("read", archive->path);
    return got == 0 ? SL_EXIT_DONE : fail_damaged(archive);
}

/* Nothing of the chunk is used before its tag was right. */
static enum sl_exit open_chunk(struct sl_archive *archive)
{
    uint8_t nonce[NONCE_LEN], length[LEN_LEN];
    size_t got = 0;
    int done = 0, rest = 0;
    archive->at = archive->len = 0;
    if (!read_all(archive->fd, length, sizeof length, &got))
        return sl_file_fail("read", archive->path);
    struct sl_reader reader = sl_reader_init((struct sl_view){length, got});
    uint32_t word = sl_read_u32(&reader);
    bool is_last = (word & 0x80000000u) != 0;
    size_t len = word & 0x7FFFFFFFu;
    if (got < sizeof length || len > SL_ARCHIVE_CHUNK_MAX || (len == 0 && !is_last))
        return fail_damaged(archive);
    if (!read_all(archive->fd, archive->chunk, len + SL_ARCHIVE_TAG_LEN, &got))
        return sl_file_fail("read", archive->path);
    make_nonce(archive, is_last, nonce);
    bool ok =
        got == len + SL_ARCHIVE_TAG_LEN &&
        EVP_DecryptInit_ex2(archive->cipher, EVP_aes_256_gcm(), archive->key, nonce, NULL) == 1 &&
        EVP_DecryptUpdate(archive->cipher, NULL, &done, archive->header, SL_ARCHIVE_HEADER_LEN) ==
            1 &&
        EVP_DecryptUpdate(archive->cipher, NULL, &done, length, LEN_LEN) == 1 &&
        EVP_DecryptUpdate(archive->cipher, archive->chunk, &done, archive->chunk, (int)len) == 1 &&
        EVP_CIPHER_CTX_ctrl(archive->cipher, EVP_CTRL_GCM_SET_TAG, SL_ARCHIVE_TAG_LEN,
                            archive->chunk + len) == 1 &&
        EVP_DecryptFinal_ex(archive->cipher, archive->chunk + done, &rest) == 1;
    if (!ok) {
        sl_wipe(archive->chunk, sizeof archive->chunk);
        return fail_damaged(archive);
    }
    archive->chunks++;
    archive->len = len;
    archive->is_last = is_last;
    return SL_EXIT_DONE;
}

/* The first chunk tells a wrong passphrase from a right one, but not from damage. */
static enum sl_exit fail_damaged(const struct sl_archive *archive)
{
    return archive->chunks == 0 ? sl_cli_fail(SL_ERROR(BACKUP_LOCKED), archive->path)
                                : sl_cli_fail(SL_ERROR(BACKUP_DAMAGED), archive->path);
}

/* --- both ----------------------------------------------------------------------------------- */

static enum sl_exit derive(struct sl_archive *archive, const struct sl_passphrase *passphrase)
{
    const uint8_t *salt = archive->header + SL_ARCHIVE_HEADER_LEN - SL_ARCHIVE_SALT_LEN;
    archive->cipher = EVP_CIPHER_CTX_new();
    bool ok = archive->cipher && EVP_PBE_scrypt(passphrase->text, passphrase->len, salt,
                                                SL_ARCHIVE_SALT_LEN, SCRYPT_N, SCRYPT_R, SCRYPT_P,
                                                SCRYPT_MAX, archive->key, sizeof archive->key) == 1;
    return ok ? SL_EXIT_DONE : sl_pki_fail("make a key of the passphrase");
}

/* The key is of this file alone, because of its salt: a count is enough. */
static void make_nonce(const struct sl_archive *archive, bool is_last, uint8_t nonce[NONCE_LEN])
{
    struct sl_writer writer = sl_writer_init(nonce, NONCE_LEN);
    sl_write_u64(&writer, archive->chunks);
    sl_write_u32(&writer, is_last);
}

/* Gives: *got, fewer than len at the end of the file. */
static bool read_all(int fd, void *data, size_t len, size_t *got)
{
    uint8_t *to = data;
    *got = 0;
    while (*got < len) {
        ssize_t part = read(fd, to + *got, len - *got);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return false;
        if (part == 0)
            return true;
        *got += (size_t)part;
    }
    return true;
}

void sl_archive_end(struct sl_archive *archive)
{
    EVP_CIPHER_CTX_free(archive->cipher);
    sl_wipe(archive, sizeof *archive);
}
