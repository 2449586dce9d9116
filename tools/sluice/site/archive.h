/* A stream of bytes in one file that nobody can read or change without the passphrase:
 * AES-256-GCM in chunks, the key by scrypt. Layout: docs/spec/backup.md.
 *
 * The reader gives no byte that it has not authenticated, and says so when the file ends before the
 * stream does. Source: NIST SP 800-38D; RFC 7914; on chunks: Hoang and others, "Online
 * Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", section 7 (STREAM).
 */
#ifndef SL_CLI_ARCHIVE_H
#define SL_CLI_ARCHIVE_H

#include "ca/passphrase.h"
#include "site/file.h"
#include <openssl/evp.h>

#define SL_ARCHIVE_HEADER_LEN 32
#define SL_ARCHIVE_SALT_LEN   16
#define SL_ARCHIVE_KEY_LEN    32
#define SL_ARCHIVE_CHUNK_MAX  65536 /* bytes of the stream in a chunk */
#define SL_ARCHIVE_TAG_LEN    16

struct sl_archive {
    int fd;           /* the caller's */
    const char *path; /* for messages; the caller's */
    uint64_t made_s;  /* Unix time in the header */
    EVP_CIPHER_CTX *cipher;
    uint8_t header[SL_ARCHIVE_HEADER_LEN];
    uint64_t chunks; /* sealed or opened so far */
    bool is_writing, is_last;
    size_t at, len; /* of the chunk */
    uint8_t key[SL_ARCHIVE_KEY_LEN];
    uint8_t chunk[SL_ARCHIVE_CHUNK_MAX + SL_ARCHIVE_TAG_LEN];
};

/* Begin to write at fd. The caller calls sl_archive_end in any case. */
SL_MUST_CHECK enum sl_exit sl_archive_create(struct sl_archive *archive, int fd, const char *path,
                                             uint64_t made_s,
                                             const struct sl_passphrase *passphrase);
SL_MUST_CHECK enum sl_exit sl_archive_put(struct sl_archive *archive, const void *data, size_t len);
/* The last chunk. Nothing is flushed to the disk. */
SL_MUST_CHECK enum sl_exit sl_archive_finish(struct sl_archive *archive);

/* Begin to read at fd. The caller calls sl_archive_end in any case. */
SL_MUST_CHECK enum sl_exit sl_archive_open(struct sl_archive *archive, int fd, const char *path,
                                           const struct sl_passphrase *passphrase);
/* The same file again from its beginning, with the key that is known. */
SL_MUST_CHECK enum sl_exit sl_archive_rewind(struct sl_archive *archive);
/* Exactly len bytes. Fails: SL_EXIT_FILES when they are not there, or not those that were put. */
SL_MUST_CHECK enum sl_exit sl_archive_take(struct sl_archive *archive, void *data, size_t len);
/* Fails: SL_EXIT_FILES when there is something left. */
SL_MUST_CHECK enum sl_exit sl_archive_expect_end(struct sl_archive *archive);

/* Wipes the key. */
void sl_archive_end(struct sl_archive *archive);

#endif
