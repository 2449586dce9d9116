/* Keys behind a passphrase: PKCS#8 with scrypt and AES-256-CBC, as 'openssl pkey' reads it. */
#include "ca/pki.h"
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <string.h>

#define KEY_FILE_MAX 65536

/* Some 0.2 s and 16 MiB for each guess, and what OpenSSL itself is willing to spend on reading. */
#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 5
#define SALT_LEN 16

/* OpenSSL would otherwise ask on the terminal and hang a service. */
static char no_pass_phrase[] = "";

static bool print(BIO *memory, EVP_PKEY *key, const char *passphrase, size_t len);
static X509_SIG *lock(EVP_PKEY *key, const char *passphrase, size_t len);

enum sl_exit sl_pki_load_key(const char *path, struct sl_pki_locked *key)
{
    struct sl_bytes bytes;
    *key = (struct sl_pki_locked){NULL, NULL};
    enum sl_exit code = sl_file_read(path, KEY_FILE_MAX, &bytes);
    if (code != SL_EXIT_DONE)
        return code;
    BIO *memory = bytes.len > 0 ? BIO_new_mem_buf(bytes.data, (int)bytes.len) : NULL;
    if (bytes.len == 0) {
        code = sl_cli_fail(SL_ERROR(FILE_EMPTY), path);
    } else if (!memory) {
        code = sl_cli_fail(SL_ERROR(MEMORY));
    } else if (strstr(bytes.data, "-----BEGIN " PEM_STRING_PKCS8 "-----")) {
        key->locked = PEM_read_bio_PKCS8(memory, NULL, NULL, NULL);
    } else {
        key->key = PEM_read_bio_PrivateKey(memory, NULL, NULL, no_pass_phrase);
    }
    if (code == SL_EXIT_DONE && !key->locked && !key->key)
        code = sl_cli_fail(SL_ERROR(KEY_BAD), path);
    BIO_free(memory);
    sl_bytes_free(&bytes);
    ERR_clear_error();
    return code;
}

bool sl_pki_unlock(struct sl_pki_locked *key, const char *passphrase, size_t len)
{
    PKCS8_PRIV_KEY_INFO *opened = PKCS8_decrypt(key->locked, passphrase, (int)len);
    key->key = opened ? EVP_PKCS82PKEY(opened) : NULL;
    PKCS8_PRIV_KEY_INFO_free(opened);
    ERR_clear_error();
    return key->key != NULL;
}

void sl_pki_free_key(struct sl_pki_locked *key)
{
    EVP_PKEY_free(key->key);
    X509_SIG_free(key->locked);
    *key = (struct sl_pki_locked){NULL, NULL};
}

enum sl_exit sl_pki_save_key(const char *path, EVP_PKEY *key, const char *passphrase, size_t len)
{
    BIO *memory = BIO_new(BIO_s_secmem());
    char *text = NULL;
    long text_len =
        memory && print(memory, key, passphrase, len) ? BIO_get_mem_data(memory, &text) : 0;
    enum sl_exit code = text_len > 0 ? sl_file_write(path, text, (size_t)text_len, 0600)
                                     : sl_pki_fail("write a key");
    BIO_free(memory); /* clears it */
    return code;
}

static bool print(BIO *memory, EVP_PKEY *key, const char *passphrase, size_t len)
{
    if (len == 0)
        return PEM_write_bio_PKCS8PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) == 1;
    struct sl_pki_locked made = {NULL, lock(key, passphrase, len)};
    /* What cannot be opened again must not take the place of what can. */
    bool ok = made.locked && sl_pki_unlock(&made, passphrase, len) &&
              EVP_PKEY_eq(made.key, key) == 1 && PEM_write_bio_PKCS8(memory, made.locked) == 1;
    sl_pki_free_key(&made);
    return ok;
}

static X509_SIG *lock(EVP_PKEY *key, const char *passphrase, size_t len)
{
    unsigned char salt[SALT_LEN];
    PKCS8_PRIV_KEY_INFO *open = EVP_PKEY2PKCS8(key);
    X509_ALGOR *how = open && RAND_bytes(salt, sizeof salt) == 1
                          ? PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof salt, NULL,
                                                  SCRYPT_N, SCRYPT_R, SCRYPT_P)
                          : NULL;
    X509_SIG *locked = how ? PKCS8_set0_pbe(passphrase, (int)len, open, how) : NULL;
    if (!locked)
        X509_ALGOR_free(how); /* otherwise it is a part of the result */
    PKCS8_PRIV_KEY_INFO_free(open);
    return locked;
}
