/* The site's authority: who it is, and its key when it is unlocked. */
#include "ca/authority.h"
#include "ca/passphrase.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What opened the key; a service opens it again and again. */
static struct sl_passphrase kept;

static enum sl_exit read_certificate(const char *folder, X509 **certificate);
static enum sl_exit unlock(const struct sl_site *site, const char *folder, bool may_ask,
                           struct sl_pki_pair *pair);
static enum sl_exit take_passphrase(const struct sl_site *site, bool may_ask);

/* --- opening -------------------------------------------------------------------------------- */

enum sl_exit sl_authority_read(const struct sl_site *site, struct sl_authority *authority)
{
    *authority = (struct sl_authority){.current = {NULL, NULL}};
    struct sl_path folder = sl_path_join(site->root, "ca");
    struct sl_path next = sl_path_join(folder.text, "next");
    enum sl_exit code = read_certificate(folder.text, &authority->current.certificate);
    if (code == SL_EXIT_DONE && access(next.text, F_OK) == 0)
        code = read_certificate(next.text, &authority->next.certificate);
    if (code != SL_EXIT_DONE)
        sl_authority_close(authority);
    return code;
}

static enum sl_exit read_certificate(const char *folder, X509 **certificate)
{
    struct sl_path path = sl_path_join(folder, "certificate.pem");
    enum sl_exit code = sl_pki_load_certificate(path.text, certificate);
    if (code == SL_EXIT_DONE && X509_check_ca(*certificate) != 1)
        code = sl_cli_fail(SL_ERROR(CERTIFICATE_NO_CA), path.text);
    return code == SL_EXIT_DONE ? sl_pki_check_today(folder, *certificate, *certificate) : code;
}

enum sl_exit sl_authority_open(const struct sl_site *site, bool may_ask,
                               struct sl_authority *authority)
{
    enum sl_exit code = sl_authority_read(site, authority);
    if (code == SL_EXIT_DONE && may_ask && sl_authority_is_elsewhere(site))
        code = sl_cli_fail(SL_ERROR(CA_ELSEWHERE), site->root);
    if (code == SL_EXIT_DONE)
        code = unlock(site, "ca", may_ask, &authority->current);
    if (code == SL_EXIT_DONE && authority->next.certificate)
        code = unlock(site, "ca/next", may_ask, &authority->next);
    if (code != SL_EXIT_DONE)
        sl_authority_close(authority);
    return code;
}

bool sl_authority_is_elsewhere(const struct sl_site *site)
{
    return access(sl_path_join(site->root, "ca/offline").text, F_OK) == 0 &&
           access(sl_path_join(site->root, "ca/key.pem").text, F_OK) != 0;
}

void sl_authority_close(struct sl_authority *authority)
{
    sl_pki_free(&authority->current);
    sl_pki_free(&authority->next);
}

static enum sl_exit unlock(const struct sl_site *site, const char *folder, bool may_ask,
                           struct sl_pki_pair *pair)
{
    struct sl_path path = sl_path_join3(site->root, folder, "key.pem");
    struct sl_pki_locked key;
    if (!may_ask && access(path.text, F_OK) != 0)
        return SL_EXIT_REFUSED;
    enum sl_exit code = sl_pki_load_key(path.text, &key);
    bool is_locked = code == SL_EXIT_DONE && key.locked;
    if (is_locked && kept.len == 0)
        code = take_passphrase(site, may_ask);
    if (is_locked && code == SL_EXIT_DONE && !sl_pki_unlock(&key, kept.text, kept.len)) {
        sl_wipe(&kept, sizeof kept);
        code = sl_cli_fail(SL_ERROR(PASSPHRASE_WRONG), path.text);
    }
    if (code == SL_EXIT_DONE &&
        (!key.key || X509_check_private_key(pair->certificate, key.key) != 1))
        code = sl_cli_fail(SL_ERROR(KEY_BAD), path.text);
    if (code == SL_EXIT_DONE) {
        pair->key = key.key;
        key.key = NULL;
    }
    sl_pki_free_key(&key);
    ERR_clear_error();
    return code;
}

static enum sl_exit take_passphrase(const struct sl_site *site, bool may_ask)
{
    char what[PATH_MAX + 32];
    snprintf(what, sizeof what, "the CA's key of %s", site->root);
    const struct sl_passphrase_ask ask = {.what = what,
                                          .variable = SL_AUTHORITY_VARIABLE,
                                          .credential = SL_AUTHORITY_CREDENTIAL,
                                          .may_ask = may_ask};
    enum sl_exit code = sl_passphrase_take(&ask, &kept);
    if (code == SL_EXIT_DONE)
        return code;
    sl_wipe(&kept, sizeof kept);
    return code == SL_EXIT_REFUSED && may_ask ? sl_cli_fail(SL_ERROR(PASSPHRASE_NONE), what) : code;
}

enum sl_exit sl_authority_is_locked(const struct sl_site *site, bool *is_locked)
{
    struct sl_pki_locked key;
    enum sl_exit code = sl_pki_load_key(sl_path_join(site->root, "ca/key.pem").text, &key);
    *is_locked = code == SL_EXIT_DONE && key.locked;
    sl_pki_free_key(&key);
    return code;
}

enum sl_exit sl_authority_save(const struct sl_pki_pair *pair, const char *folder,
                               const char *passphrase, size_t passphrase_len)
{
    struct sl_path path = sl_path_join(folder, "key.pem");
    enum sl_exit code = sl_pki_save_key(path.text, pair->key, passphrase, passphrase_len);
    return code == SL_EXIT_DONE ? sl_pki_save_certificate(pair, folder) : code;
}

enum sl_exit sl_authority_save_alike(const struct sl_site *site, const struct sl_pki_pair *pair,
                                     const char *folder)
{
    bool is_locked = false;
    enum sl_exit code = sl_authority_is_locked(site, &is_locked);
    return code == SL_EXIT_DONE
               ? sl_authority_save(pair, folder, kept.text, is_locked ? kept.len : 0)
               : code;
}

/* --- who signs ------------------------------------------------------------------------------ */

const struct sl_pki_pair *sl_authority_signer(const struct sl_authority *authority,
                                              enum sl_pki_purpose purpose)
{
    return authority->next.certificate && purpose != SL_PKI_SERVER ? &authority->next
                                                                   : &authority->current;
}

size_t sl_authority_list(const struct sl_authority *authority, const struct sl_pki_pair *list[2])
{
    list[0] = &authority->current;
    list[1] = &authority->next;
    return authority->next.certificate ? 2 : 1;
}

long sl_authority_days_left(const struct sl_authority *authority, const X509 *certificate)
{
    const struct sl_pki_pair *list[2];
    long days = 0;
    for (size_t i = 0, len = sl_authority_list(authority, list); i < len && days == 0; i++)
        days = sl_pki_days_left(certificate, list[i]->certificate);
    return days;
}

enum sl_exit sl_authority_check_operator(const struct sl_site *site, const char *user,
                                         uint64_t *not_after_s)
{
    struct sl_path folder = sl_path_join3(site->root, "operators", user);
    struct sl_authority authority;
    struct sl_pki_pair pair = {NULL, NULL};
    *not_after_s = 0;
    enum sl_exit code = sl_authority_read(site, &authority);
    if (code == SL_EXIT_DONE)
        code = sl_pki_load(folder.text, &pair);
    if (code == SL_EXIT_DONE && sl_authority_days_left(&authority, pair.certificate) == 0)
        code = sl_pki_check_today(folder.text, pair.certificate, authority.current.certificate);
    if (code == SL_EXIT_DONE)
        *not_after_s = sl_pki_not_after(pair.certificate);
    sl_pki_free(&pair);
    sl_authority_close(&authority);
    return code;
}
