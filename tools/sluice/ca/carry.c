/* Requests and answers as JSON. */
#include "ca/carry.h"
#include <cjson/cJSON.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#define VERSION 1

static void print_authority(const X509 *authority, char out[65]);

cJSON *sl_carry_begin(const char *kind, const X509 *authority)
{
    char digest[65];
    cJSON *json = cJSON_CreateObject();
    print_authority(authority, digest);
    cJSON_AddNumberToObject(json, kind, VERSION);
    cJSON_AddStringToObject(json, "authority", digest);
    cJSON_AddArrayToObject(json, "certificates");
    return json;
}

/* SHA-256 of the whole certificate. */
static void print_authority(const X509 *authority, char out[65])
{
    unsigned char digest[32] = {0};
    unsigned len = 0;
    if (X509_digest(authority, EVP_sha256(), digest, &len) != 1)
        memset(digest, 0, sizeof digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

enum sl_exit sl_carry_write(const char *path, cJSON *json)
{
    char *text = cJSON_Print(json);
    if (!text)
        return sl_cli_fail(SL_ERROR(MEMORY));
    enum sl_exit code = sl_file_write(path, text, strlen(text), 0600);
    cJSON_free(text);
    return code;
}

enum sl_exit sl_carry_read(const char *path, const char *kind, const X509 *authority, cJSON **json)
{
    struct sl_bytes bytes;
    char digest[65];
    *json = NULL;
    enum sl_exit code = sl_file_read(path, SL_CARRY_MAX, &bytes);
    if (code != SL_EXIT_DONE)
        return code;
    *json = cJSON_ParseWithLength(bytes.data, bytes.len);
    sl_bytes_free(&bytes);
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(*json, kind);
    const char *signer = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(*json, "authority"));
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(*json, "certificates");
    print_authority(authority, digest);
    if (!cJSON_IsNumber(version) || version->valueint != VERSION || !signer ||
        !cJSON_IsArray(list) || cJSON_GetArraySize(list) > SL_CARRY_CERTIFICATES_MAX)
        code = sl_cli_fail(SL_ERROR(CARRIED_BAD), path,
                           strcmp(kind, "sluice_request") == 0 ? "it is no request file"
                                                               : "it is no answer file");
    else if (strcmp(signer, digest) != 0)
        code = sl_cli_fail(SL_ERROR(CARRIED_FOREIGN), path);
    if (code == SL_EXIT_DONE)
        return code;
    cJSON_Delete(*json);
    *json = NULL;
    return code;
}

bool sl_carry_add(cJSON *json, const char *purpose, const char *name, const char *what, BIO *pem)
{
    char *text = NULL, copy[4096];
    long len = pem ? BIO_get_mem_data(pem, &text) : 0;
    cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "certificates");
    cJSON *entry = cJSON_CreateObject();
    if (len <= 0 || (size_t)len >= sizeof copy || !entry) {
        cJSON_Delete(entry);
        return false;
    }
    memcpy(copy, text, (size_t)len);
    copy[len] = '\0';
    cJSON_AddStringToObject(entry, "purpose", purpose);
    cJSON_AddStringToObject(entry, "name", name);
    cJSON_AddStringToObject(entry, what, copy);
    return cJSON_AddItemToArray(list, entry);
}

enum sl_exit sl_carry_ask(cJSON *json, const char *purpose, const char *name, EVP_PKEY *key)
{
    X509_REQ *request = X509_REQ_new();
    BIO *pem = BIO_new(BIO_s_mem());
    bool ok = request && pem &&
              X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_ASC,
                                         (const unsigned char *)name, -1, -1, 0) == 1 &&
              X509_REQ_set_pubkey(request, key) == 1 &&
              X509_REQ_sign(request, key, EVP_sha256()) != 0 &&
              PEM_write_bio_X509_REQ(pem, request) == 1 &&
              sl_carry_add(json, purpose, name, "request", pem);
    BIO_free(pem);
    X509_REQ_free(request);
    return ok ? SL_EXIT_DONE : sl_pki_fail("make a request");
}
