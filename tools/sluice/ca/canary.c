/* The site's canaries: made by init, renewed with the rest. */
#include "ca/canary.h"
#include "ca/crl.h"
#include "ca/issue.h"
#include "site/terms.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static enum sl_exit make_both(const struct sl_authority *authority, const char *root,
                              const char *place, struct sl_canaries *canaries);
static enum sl_exit make_one(const struct sl_authority *authority, const char *root,
                             const char *folder, const char *name, struct sl_pki_pair *pair);
static enum sl_exit put_on_list(const struct sl_site *site, const struct sl_authority *authority,
                                const X509 *revoked);

void sl_canary_free(struct sl_canaries *canaries)
{
    sl_pki_free(&canaries->good);
    sl_pki_free(&canaries->revoked);
}

enum sl_exit sl_canary_make(const struct sl_authority *authority, const char *folder,
                            struct sl_canaries *canaries)
{
    struct sl_path place = sl_path_join(folder, "canary");
    *canaries = (struct sl_canaries){{NULL, NULL}, {NULL, NULL}};
    enum sl_exit code = sl_folder_make(place.text);
    return code == SL_EXIT_DONE ? make_both(authority, folder, place.text, canaries) : code;
}

/* root: of the site, whose journal they go into. */
static enum sl_exit make_both(const struct sl_authority *authority, const char *root,
                              const char *place, struct sl_canaries *canaries)
{
    enum sl_exit code = make_one(authority, root, sl_path_join(place, "good").text, SL_CANARY_GOOD,
                                 &canaries->good);
    if (code == SL_EXIT_DONE)
        code = make_one(authority, root, sl_path_join(place, "revoked").text, SL_CANARY_REVOKED,
                        &canaries->revoked);
    return code == SL_EXIT_DONE ? sl_folder_flush(place) : code;
}

static enum sl_exit make_one(const struct sl_authority *authority, const char *root,
                             const char *folder, const char *name, struct sl_pki_pair *pair)
{
    char names[SL_PKI_NAMES_MAX];
    snprintf(names, sizeof names, "DNS:%s.canary.invalid", name);
    enum sl_exit code = sl_folder_make(folder);
    if (code == SL_EXIT_DONE)
        code = sl_issue_certificate(authority, root, SL_PKI_CANARY, name, names, pair);
    return code == SL_EXIT_DONE ? sl_pki_save(pair, folder) : code;
}

enum sl_exit sl_canary_load(const struct sl_site *site, struct sl_canaries *canaries)
{
    struct sl_path place = sl_path_join(site->root, "canary");
    *canaries = (struct sl_canaries){{NULL, NULL}, {NULL, NULL}};
    if (access(place.text, F_OK) != 0)
        return sl_cli_fail(SL_ERROR(CANARY_MISSING), site->root);
    enum sl_exit code = sl_pki_load(sl_path_join(place.text, "good").text, &canaries->good);
    return code == SL_EXIT_DONE
               ? sl_pki_load(sl_path_join(place.text, "revoked").text, &canaries->revoked)
               : code;
}

bool sl_canary_is_due(const struct sl_site *site, const struct sl_authority *authority)
{
    X509 *certificate = NULL;
    struct sl_path path = sl_path_join(site->root, "canary/good/certificate.pem");
    bool is_due = access(path.text, F_OK) != 0 ||
                  sl_pki_load_certificate(path.text, &certificate) != SL_EXIT_DONE ||
                  sl_authority_days_left(authority, certificate) < sl_terms[SL_TERM_CANARY].renew;
    X509_free(certificate);
    return is_due;
}

/* A folder under its own name is whole; built beside it, with a journal line for each. */
enum sl_exit sl_canary_renew(const struct sl_site *site, const struct sl_authority *authority,
                             bool *is_new)
{
    *is_new = false;
    if (!sl_canary_is_due(site, authority))
        return SL_EXIT_DONE;
    struct sl_path temporary = sl_path_join(site->root, ".canary.XXXXXX");
    struct sl_path place = sl_path_join(site->root, "canary");
    if (!mkdtemp(temporary.text))
        return sl_file_fail("make a folder in", site->root);
    struct sl_canaries canaries = {{NULL, NULL}, {NULL, NULL}};
    enum sl_exit code = make_both(authority, site->root, temporary.text, &canaries);
    if (code == SL_EXIT_DONE)
        code = put_on_list(site, authority, canaries.revoked.certificate);
    if (code == SL_EXIT_DONE)
        code = access(place.text, F_OK) == 0 ? sl_folder_exchange(temporary.text, place.text)
                                             : sl_folder_publish(temporary.text, place.text);
    *is_new = code == SL_EXIT_DONE;
    sl_folder_remove(temporary.text); /* also what was exchanged for it */
    sl_canary_free(&canaries);
    return code;
}

static enum sl_exit put_on_list(const struct sl_site *site, const struct sl_authority *authority,
                                const X509 *revoked)
{
    X509_CRL *before = NULL;
    enum sl_exit code = sl_crl_read(site, authority, &before);
    if (code == SL_EXIT_DONE)
        code = sl_crl_write_one(authority, site->root, before, revoked);
    X509_CRL_free(before);
    return code;
}
