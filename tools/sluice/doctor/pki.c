/* doctor: every key and certificate of a site. */
#include "ca/canary.h"
#include "doctor/site.h"
#include "site/terms.h"
#include <dirent.h>
#include <errno.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define HOLDERS_MAX (SL_SITE_NODES_MAX + 64)

/* What a certificate of each purpose has, and what is said when it ends. */
static const struct {
    enum sl_term term;
    uint32_t usage, extended_usage;
    const char *names; /* what an alternative name is made of; NULL: not of the name */
    enum sl_check ends, over;
} purposes[] = {
    [SL_PKI_AUTHORITY] = {SL_TERM_AUTHORITY, KU_KEY_CERT_SIGN | KU_CRL_SIGN, UINT32_MAX, NULL,
                          SL_CHECK_AUTHORITY_ENDS, SL_CHECK_AUTHORITY_OVER},
    [SL_PKI_SERVER] = {SL_TERM_SERVER, KU_DIGITAL_SIGNATURE, XKU_SSL_SERVER, NULL,
                       SL_CHECK_SERVER_ENDS, SL_CHECK_SERVER_OVER},
    [SL_PKI_OPERATOR] = {SL_TERM_OPERATOR, KU_DIGITAL_SIGNATURE, XKU_SSL_CLIENT,
                         "%s.operator.invalid", SL_CHECK_OPERATOR_ENDS, SL_CHECK_OPERATOR_OVER},
    [SL_PKI_NODE] = {SL_TERM_NODE, KU_DIGITAL_SIGNATURE, XKU_SSL_CLIENT, "%s.device.invalid",
                     SL_CHECK_NODE_ENDS, SL_CHECK_NODE_OVER},
    [SL_PKI_CANARY] = {SL_TERM_CANARY, KU_DIGITAL_SIGNATURE, XKU_SSL_CLIENT, "%s.canary.invalid",
                       SL_CHECK_CANARY_ENDS, SL_CHECK_CANARY_ENDS},
};

static void look_at_authority(struct sl_doctor *doctor, struct sl_holders *holders,
                              const char *folder, X509 **kept);
static void look_at_pair(struct sl_doctor *doctor, struct sl_holders *holders, const char *folder,
                         const char *name, enum sl_pki_purpose purpose);
static void look_at_node(struct sl_doctor *doctor, struct sl_holders *holders, const char *name);
static void look_at_nodes(struct sl_doctor *doctor, struct sl_holders *holders);
static bool is_there(struct sl_doctor *doctor, const char *folder, const char *name);
static void judge(struct sl_doctor *doctor, struct sl_holders *holders, const char *path,
                  const char *name, enum sl_pki_purpose purpose, X509 *certificate);
static void judge_dates(struct sl_doctor *doctor, struct sl_place place,
                        enum sl_pki_purpose purpose, const X509 *certificate);
static void judge_key(struct sl_doctor *doctor, struct sl_place place, X509 *certificate);
static void judge_purpose(struct sl_doctor *doctor, struct sl_place place,
                          enum sl_pki_purpose purpose, X509 *certificate);
static void judge_names(struct sl_doctor *doctor, struct sl_place place,
                        enum sl_pki_purpose purpose, X509 *certificate);
static bool has_server_names(const struct sl_site *site, X509 *certificate);

void sl_doctor_look_pki(struct sl_doctor *doctor, struct sl_holders *holders)
{
    const struct sl_site *site = doctor->site;
    *holders = (struct sl_holders){.list = calloc(HOLDERS_MAX, sizeof *holders->list)};
    if (!holders->list)
        return;
    struct sl_path ca = sl_path_join(site->root, "ca"), next = sl_path_join(ca.text, "next");
    struct stat about;
    look_at_authority(doctor, holders, ca.text, &holders->authority.current.certificate);
    if (stat(next.text, &about) == 0)
        look_at_authority(doctor, holders, next.text, &holders->authority.next.certificate);
    if (doctor->only) {
        look_at_node(doctor, holders, doctor->only);
        return;
    }
    look_at_pair(doctor, holders, sl_path_join(site->root, "broker").text, site->broker_name,
                 SL_PKI_SERVER);
    for (size_t i = 0; i < site->operators_len * 2; i++) {
        sl_name name;
        sl_site_user(site, i, name);
        look_at_pair(doctor, holders, sl_path_join3(site->root, "operators", name).text, name,
                     SL_PKI_OPERATOR);
    }
    look_at_pair(doctor, holders, sl_path_join(site->root, "canary/good").text, SL_CANARY_GOOD,
                 SL_PKI_CANARY);
    look_at_pair(doctor, holders, sl_path_join(site->root, "canary/revoked").text,
                 SL_CANARY_REVOKED, SL_PKI_CANARY);
    look_at_nodes(doctor, holders);
}

void sl_doctor_free_holders(struct sl_holders *holders)
{
    for (size_t i = 0; i < holders->len; i++)
        X509_free(holders->list[i].certificate);
    free(holders->list);
    sl_authority_close(&holders->authority);
    *holders = (struct sl_holders){.list = NULL};
}

/* --- who there is --------------------------------------------------------------------------- */

/* The key may be elsewhere, and should be; a locked one is left alone. */
static void look_at_authority(struct sl_doctor *doctor, struct sl_holders *holders,
                              const char *folder, X509 **kept)
{
    struct sl_cli_told told = {.is_told = false};
    struct sl_path path = sl_path_join(folder, "certificate.pem");
    struct sl_path key_path = sl_path_join(folder, "key.pem");
    struct stat about;
    if (!is_there(doctor, folder, "certificate.pem"))
        return;
    X509 *certificate = NULL;
    struct sl_pki_locked key = {NULL, NULL};
    sl_cli_listen(&told);
    enum sl_exit code = sl_pki_load_certificate(path.text, &certificate);
    if (code == SL_EXIT_DONE && stat(key_path.text, &about) == 0)
        code = sl_pki_load_key(key_path.text, &key);
    sl_cli_listen(NULL);
    if (code != SL_EXIT_DONE)
        sl_doctor_find_told(doctor, SL_CHECK_PAIR_BROKEN, (struct sl_place){.path = folder}, &told);
    else if (key.key && X509_check_private_key(certificate, key.key) != 1)
        sl_doctor_find(doctor, SL_CHECK_PAIR_BROKEN, (struct sl_place){.path = folder},
                       "the key is another one");
    if (key.key)
        sl_doctor_find(doctor, SL_CHECK_AUTHORITY_OPEN, (struct sl_place){.path = key_path.text},
                       "it can be used at once");
    sl_pki_free_key(&key);
    ERR_clear_error();
    *kept = certificate;
    if (certificate && X509_up_ref(certificate) == 1)
        judge(doctor, holders, path.text, "", SL_PKI_AUTHORITY, certificate);
}

static void look_at_pair(struct sl_doctor *doctor, struct sl_holders *holders, const char *folder,
                         const char *name, enum sl_pki_purpose purpose)
{
    struct sl_cli_told told = {.is_told = false};
    struct sl_path path = sl_path_join(folder, "certificate.pem");
    struct sl_pki_pair pair;
    bool has_both = is_there(doctor, folder, "certificate.pem");
    has_both = is_there(doctor, folder, "key.pem") && has_both;
    if (!has_both)
        return;
    sl_cli_listen(&told);
    enum sl_exit code = sl_pki_load(folder, &pair);
    sl_cli_listen(NULL);
    if (code != SL_EXIT_DONE) {
        sl_doctor_find_told(doctor, SL_CHECK_PAIR_BROKEN,
                            (struct sl_place){.path = folder, .name = name}, &told);
        return;
    }
    X509 *certificate = pair.certificate;
    pair.certificate = NULL;
    sl_pki_free(&pair);
    judge(doctor, holders, path.text, name, purpose, certificate);
}

static bool is_there(struct sl_doctor *doctor, const char *folder, const char *name)
{
    struct sl_path path = sl_path_join(folder, name);
    struct stat about;
    bool is = stat(path.text, &about) == 0;
    if (!is || (S_ISREG(about.st_mode) && about.st_size == 0)) {
        sl_doctor_find(doctor, SL_CHECK_FILE_GONE, (struct sl_place){.path = path.text}, "%s",
                       is ? "it is empty" : strerror(errno));
        is = false;
    }
    return is;
}

static void look_at_nodes(struct sl_doctor *doctor, struct sl_holders *holders)
{
    struct sl_path folder = sl_path_join(doctor->site->root, "nodes");
    struct dirent **entries = NULL;
    int len = scandir(folder.text, &entries, NULL, alphasort); /* missing: look_files says so */
    for (int i = 0; i < len; i++) {
        const char *name = entries[i]->d_name;
        if (name[0] != '.' && sl_identity_is_name(sl_view_text(name)))
            look_at_node(doctor, holders, name);
        else if (name[0] != '.')
            sl_doctor_find(
                doctor, SL_CHECK_NODE_BROKEN,
                (struct sl_place){.path = sl_path_join(folder.text, name).text, .name = name},
                "no node can have this name");
        free(entries[i]);
    }
    free(entries);
}

/* The record, the certificate and the image, which must say the same. */
static void look_at_node(struct sl_doctor *doctor, struct sl_holders *holders, const char *name)
{
    struct sl_cli_told told = {.is_told = false};
    struct sl_path folder = sl_path_join3(doctor->site->root, "nodes", name);
    struct sl_path path = sl_path_join(folder.text, "certificate.pem");
    struct sl_site_node node;
    X509 *certificate = NULL;
    sl_cli_listen(&told);
    enum sl_exit code = sl_site_read_node(doctor->site, name, &node);
    if (code == SL_EXIT_DONE)
        code = sl_pki_load_certificate(path.text, &certificate);
    sl_cli_listen(NULL);
    if (code != SL_EXIT_DONE)
        sl_doctor_find_told(doctor, SL_CHECK_NODE_BROKEN,
                            (struct sl_place){.path = folder.text, .name = name}, &told);
    else
        judge(doctor, holders, path.text, name, SL_PKI_NODE, certificate);
}

/* --- one certificate ------------------------------------------------------------------------ */

/* Takes the certificate over. */
static void judge(struct sl_doctor *doctor, struct sl_holders *holders, const char *path,
                  const char *name, enum sl_pki_purpose purpose, X509 *certificate)
{
    const struct sl_place place = {.path = path, .name = name};
    const struct sl_pki_pair *authorities[2];
    size_t len = sl_authority_list(&holders->authority, authorities);
    bool is_ours = !authorities[0]->certificate; /* nobody to ask */
    for (size_t i = 0; i < len && !is_ours; i++)
        is_ours = X509_verify(certificate, X509_get0_pubkey(authorities[i]->certificate)) == 1;
    if (purpose == SL_PKI_AUTHORITY)
        is_ours = X509_self_signed(certificate, 1) == 1;
    ERR_clear_error();
    if (!is_ours)
        sl_doctor_find(doctor, SL_CHECK_SIGNER_FOREIGN, place, "another key has signed it");
    judge_dates(doctor, place, purpose, certificate);
    judge_key(doctor, place, certificate);
    judge_purpose(doctor, place, purpose, certificate);
    judge_names(doctor, place, purpose, certificate);
    if (holders->len == HOLDERS_MAX) {
        X509_free(certificate);
        return;
    }
    struct sl_holder *holder = &holders->list[holders->len++];
    holder->purpose = purpose;
    holder->certificate = certificate;
    (void)sl_cli_copy(holder->path.text, sizeof holder->path.text, path);
    (void)sl_cli_copy(holder->name, sizeof holder->name, purpose == SL_PKI_SERVER ? "" : name);
}

static void judge_dates(struct sl_doctor *doctor, struct sl_place place,
                        enum sl_pki_purpose purpose, const X509 *certificate)
{
    char day[24], operator_name[sizeof(sl_name)];
    if (purpose == SL_PKI_OPERATOR) { /* both of his are renewed under one name */
        size_t len = strlen(place.name), suffix = strlen(SL_WATCH_SUFFIX);
        bool is_watching = len > suffix && strcmp(place.name + len - suffix, SL_WATCH_SUFFIX) == 0;
        snprintf(operator_name, sizeof operator_name, "%.*s",
                 (int)(len - (is_watching ? suffix : 0)), place.name);
        place.name = operator_name;
    }
    if (X509_cmp_current_time(X509_get0_notBefore(certificate)) >= 0) {
        sl_site_print_time(day, sl_pki_unix_time(X509_get0_notBefore(certificate)));
        sl_doctor_find(doctor, SL_CHECK_CERTIFICATE_EARLY, place, "it begins at %s", day);
        return;
    }
    long left =
        sl_pki_days_until(X509_get0_notBefore(certificate), X509_get0_notAfter(certificate));
    enum sl_term_state state = sl_term_judge(purposes[purpose].term, left);
    sl_site_print_date(day, sl_pki_not_after(certificate));
    if (state == SL_TERM_OVER)
        sl_doctor_find(doctor, purposes[purpose].over, place, "it ended on %s", day);
    else if (state != SL_TERM_FINE)
        sl_doctor_find(doctor, purposes[purpose].ends, place, "it ends on %s, in %ld days", day,
                       left);
}

static void judge_key(struct sl_doctor *doctor, struct sl_place place, X509 *certificate)
{
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    char group[32] = "";
    size_t len = 0;
    if (!key || EVP_PKEY_get_group_name(key, group, sizeof group, &len) != 1 ||
        strcmp(group, "prime256v1") != 0)
        sl_doctor_find(doctor, SL_CHECK_KEY_WEAK, place, "the key is no P-256 key");
    int signature = X509_get_signature_nid(certificate);
    if (signature != NID_ecdsa_with_SHA256)
        sl_doctor_find(doctor, SL_CHECK_KEY_WEAK, place, "signed with %s", OBJ_nid2sn(signature));
    ERR_clear_error();
}

static void judge_purpose(struct sl_doctor *doctor, struct sl_place place,
                          enum sl_pki_purpose purpose, X509 *certificate)
{
    bool is_authority = X509_get_extension_flags(certificate) & EXFLAG_CA;
    int critical = 0;
    EXTENDED_KEY_USAGE *listed = X509_get_ext_d2i(certificate, NID_ext_key_usage, &critical, NULL);
    EXTENDED_KEY_USAGE_free(listed);
    if (is_authority != (purpose == SL_PKI_AUTHORITY))
        sl_doctor_find(doctor, SL_CHECK_PURPOSE_WRONG, place, "%s",
                       is_authority ? "it may sign others" : "it may not sign others");
    else if (X509_get_key_usage(certificate) != purposes[purpose].usage)
        sl_doctor_find(doctor, SL_CHECK_PURPOSE_WRONG, place, "another keyUsage");
    else if (X509_get_extended_key_usage(certificate) != purposes[purpose].extended_usage)
        sl_doctor_find(doctor, SL_CHECK_PURPOSE_WRONG, place, "another extendedKeyUsage");
    else if (is_authority && X509_get_pathlen(certificate) != 0)
        sl_doctor_find(doctor, SL_CHECK_PURPOSE_WRONG, place, "it may sign other authorities");
    else if (critical == 1)
        sl_doctor_find(doctor, SL_CHECK_PURPOSE_WRONG, place,
                       "its extendedKeyUsage is critical, which nodes refuse");
}

/* A device's name is in no shape that a client takes for a host. */
static void judge_names(struct sl_doctor *doctor, struct sl_place place,
                        enum sl_pki_purpose purpose, X509 *certificate)
{
    char common[128] = "", wanted[128] = "";
    if (purpose == SL_PKI_AUTHORITY)
        return;
    (void)X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, common,
                                    sizeof common);
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int count = names ? sk_GENERAL_NAME_num(names) : 0;
    GENERAL_NAMES_free(names);
    if (strcmp(common, place.name) != 0) {
        sl_doctor_find(doctor, SL_CHECK_NAME_WRONG, place, "it is called '%.60s'", common);
        return;
    }
    if (purpose == SL_PKI_SERVER) {
        if (!has_server_names(doctor->site, certificate))
            sl_doctor_find(doctor, SL_CHECK_NAME_WRONG, place,
                           "its alternative names lack %.60s or %.60s", doctor->site->broker_name,
                           doctor->site->host);
        return;
    }
    const char *mark = strstr(purposes[purpose].names, "%s");
    snprintf(wanted, sizeof wanted, "%.60s%s", place.name, mark ? mark + 2 : "");
    if (count != 1 ||
        X509_check_host(certificate, wanted, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) != 1)
        sl_doctor_find(doctor, SL_CHECK_NAME_WRONG, place, "its one alternative name is not %.100s",
                       wanted);
}

static bool has_server_names(const struct sl_site *site, X509 *certificate)
{
    const unsigned only_names = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    return X509_check_host(certificate, site->broker_name, 0, only_names, NULL) == 1 &&
           (X509_check_host(certificate, site->host, 0, only_names, NULL) == 1 ||
            X509_check_ip_asc(certificate, site->host, 0) == 1);
}
