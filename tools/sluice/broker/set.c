/* Paths of a broker's files, and the checks that need no broker. */
#include "broker/set.h"
#include "broker/files.h"
#include "ca/crl.h"
#include <dirent.h>
#include <grp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONF_MAX 65536
#define INCLUDE  "include_dir /etc/mosquitto/conf.d"

static enum sl_exit check_conf(const struct sl_set *set, struct sl_results *results);
static enum sl_exit check_neighbours(const struct sl_set *set);
static enum sl_exit check_neighbour(const char *path, bool is_main, bool *includes);
static enum sl_exit check_acl(const struct sl_set *set, struct sl_results *results);
static enum sl_exit check_certificates(const struct sl_set *set, X509 *canary,
                                       struct sl_results *results);
static enum sl_exit check_authorities(const struct sl_set *set, STACK_OF(X509_INFO) * authorities,
                                      struct sl_results *results);
static enum sl_exit check_server(const struct sl_set *set, STACK_OF(X509_INFO) * authorities,
                                 struct sl_results *results);
static enum sl_exit check_lists(const struct sl_set *set, STACK_OF(X509_INFO) * authorities,
                                X509 *canary, struct sl_results *results);
static enum sl_exit check_list(const char *path, X509_CRL *crl);
static enum sl_exit check_folder(const struct sl_set *set, struct sl_results *results);
static enum sl_exit check_rights(const struct sl_set *set, const char *path, mode_t mode);
static enum sl_exit read_pem(const char *path, STACK_OF(X509_INFO) * *found);
static X509 *find_signer(STACK_OF(X509_INFO) * authorities, X509 *certificate);

/* --- paths ---------------------------------------------------------------------------------- */

void sl_set_of_site(const struct sl_site *site, struct sl_set *set)
{
    *set = (struct sl_set){
        .host = SL_BROKER_SITE,
        .folder = sl_path_join(site->root, "broker"),
        .conf = sl_path_join(site->root, "broker/mosquitto.conf"),
        .acl = sl_path_join(site->root, "broker/acl"),
        .authority = sl_path_join(site->root, "ca/certificate.pem"),
        .certificate = sl_path_join(site->root, "broker/certificate.pem"),
        .key = sl_path_join(site->root, "broker/key.pem"),
        .crl = sl_path_join(site->root, "broker/crl.pem"),
    };
    snprintf(set->root, sizeof set->root, "%s", site->root);
}

enum sl_exit sl_set_of_root(const char *root, struct sl_set *set)
{
    enum sl_exit code = sl_set_of_host(root, SL_BROKER_DEBIAN, set);
    if (code != SL_EXIT_DONE || access(set->conf.text, F_OK) == 0)
        return code;
    struct sl_path release = sl_path_join(set->root, "etc/openwrt_release");
    struct sl_path start = sl_path_join(set->root, "lib/upgrade/keep.d/sluice-broker");
    if (access(release.text, F_OK) == 0 || access(start.text, F_OK) == 0)
        code = sl_set_of_host(root, SL_BROKER_OPENWRT, set);
    return code;
}

enum sl_exit sl_set_of_host(const char *root, enum sl_broker_host host, struct sl_set *set)
{
    char real[PATH_MAX];
    *set = (struct sl_set){.host = host};
    if (!realpath(root, real))
        return sl_cli_fail(SL_ERROR(SITE_FOLDER_MISSING), root);
    snprintf(set->root, sizeof set->root, "%s", strcmp(real, "/") == 0 ? "" : real);
    set->folder = sl_path_join(set->root, SL_SET_FOLDER);
    set->conf = sl_path_join(set->root,
                             host == SL_BROKER_OPENWRT ? SL_SET_CONF_OPENWRT : SL_SET_CONF_DEBIAN);
    set->acl = sl_path_join(set->folder.text, "acl");
    set->authority = sl_path_join(set->folder.text, "authority.pem");
    set->certificate = sl_path_join(set->folder.text, "server.pem");
    set->key = set->certificate; /* one file: the two can never be of different times */
    set->crl = sl_path_join(set->folder.text, "crl.pem");
    return SL_EXIT_DONE;
}

bool sl_set_is_installed(const struct sl_set *set)
{
    return set->host != SL_BROKER_SITE;
}

struct sl_path sl_set_inside(const struct sl_set *set, const struct sl_path *path)
{
    struct sl_path inside = *path;
    if (sl_set_is_installed(set))
        snprintf(inside.text, sizeof inside.text, "%s", path->text + strlen(set->root));
    return inside;
}

/* --- results ------------------------------------------------------------------------------- */

void sl_results_add(struct sl_results *results, const char *name, enum sl_exit code,
                    const char *format, ...)
{
    if (results->len == SL_RESULTS_MAX)
        return;
    struct sl_result *result = &results->list[results->len++];
    *result = (struct sl_result){.name = name, .is_good = code == SL_EXIT_DONE};
    va_list arguments;
    va_start(arguments, format);
    if (result->is_good)
        vsnprintf(result->text, sizeof result->text, format, arguments);
    else
        snprintf(result->text, sizeof result->text, "see the message");
    va_end(arguments);
}

static enum sl_exit first(enum sl_exit before, enum sl_exit now)
{
    return before != SL_EXIT_DONE ? before : now;
}

enum sl_exit sl_set_check(const struct sl_set *set, X509 *canary, struct sl_results *results)
{
    enum sl_exit code = SL_EXIT_DONE;
    if (set->conf.text[0] != '\0')
        code = check_conf(set, results);
    code = first(code, check_acl(set, results));
    code = first(code, check_certificates(set, canary, results));
    if (sl_set_is_installed(set))
        code = first(code, check_folder(set, results));
    return code;
}

/* --- texts ---------------------------------------------------------------------------------- */

static enum sl_exit check_conf(const struct sl_set *set, struct sl_results *results)
{
    struct sl_bytes text;
    struct sl_broker_conf conf = {.port = 0};
    enum sl_exit code = sl_file_read(set->conf.text, CONF_MAX, &text);
    if (code == SL_EXIT_DONE)
        code = sl_broker_conf_parse(set->conf.text, &text, set->host, &conf);
    sl_bytes_free(&text);
    const struct sl_path *const wanted[] = {&set->acl, &set->authority, &set->certificate,
                                            &set->key, &set->crl};
    const struct sl_path *const named[] = {&conf.acl, &conf.authority, &conf.certificate, &conf.key,
                                           &conf.crl};
    for (size_t i = 0; i < 5 && code == SL_EXIT_DONE; i++) {
        struct sl_path inside = sl_set_inside(set, wanted[i]);
        if (strcmp(inside.text, named[i]->text) != 0)
            code = sl_cli_fail(SL_ERROR(CONF_POINTS), set->conf.text, inside.text);
    }
    if (code == SL_EXIT_DONE && set->host == SL_BROKER_DEBIAN)
        code = check_neighbours(set);
    sl_results_add(results, "configuration", code, "%s listens at %s:%u", set->conf.text,
                   conf.address, conf.port);
    return code;
}

/* Of several files the last word counts: whatever else Mosquitto reads may not speak of access. */
static enum sl_exit check_neighbours(const struct sl_set *set)
{
    struct sl_path main_conf = sl_path_join(set->root, "etc/mosquitto/mosquitto.conf");
    struct sl_path folder = sl_path_join(set->root, "etc/mosquitto/conf.d");
    bool includes = true;
    enum sl_exit code = SL_EXIT_DONE;
    if (access(main_conf.text, F_OK) == 0) {
        includes = false;
        code = check_neighbour(main_conf.text, true, &includes);
    }
    if (code == SL_EXIT_DONE && !includes)
        code = sl_cli_fail(SL_ERROR(CONF_POINTS), main_conf.text, "/etc/mosquitto/conf.d");
    DIR *entries = code == SL_EXIT_DONE ? opendir(folder.text) : NULL;
    if (code == SL_EXIT_DONE && !entries)
        return sl_file_fail("read", folder.text);
    const struct dirent *entry = NULL;
    while (code == SL_EXIT_DONE && (entry = readdir(entries))) {
        size_t len = strlen(entry->d_name);
        if (len < 6 || strcmp(entry->d_name + len - 5, ".conf") != 0 ||
            strcmp(entry->d_name, "sluice.conf") == 0)
            continue;
        code = check_neighbour(sl_path_join(folder.text, entry->d_name).text, false, &includes);
    }
    if (entries)
        closedir(entries);
    return code;
}

static enum sl_exit check_neighbour(const char *path, bool is_main, bool *includes)
{
    static const char harmless[] = " autosave_interval autosave_on_changes connection_messages "
                                   "log_dest log_facility log_timestamp log_timestamp_format "
                                   "log_type persistence persistence_file persistence_location "
                                   "pid_file sys_interval ";
    struct sl_bytes text;
    enum sl_exit code = sl_file_read(path, CONF_MAX, &text);
    char *rest = NULL;
    for (char *line = code == SL_EXIT_DONE ? strtok_r(text.data, "\n", &rest) : NULL;
         line && code == SL_EXIT_DONE; line = strtok_r(NULL, "\n", &rest)) {
        char word[64];
        line += strspn(line, " \t\r");
        if (*line == '\0' || *line == '#')
            continue;
        snprintf(word, sizeof word, " %.*s ", (int)strcspn(line, " \t\r"), line);
        if (is_main && strncmp(line, INCLUDE, strlen(INCLUDE)) == 0 &&
            line[strlen(INCLUDE) + strspn(line + strlen(INCLUDE), "/ \t\r")] == '\0')
            *includes = true;
        else if (!strstr(harmless, word))
            code = sl_cli_fail(SL_ERROR(CONF_FOREIGN), path, line);
    }
    sl_bytes_free(&text);
    return code;
}

static enum sl_exit check_acl(const struct sl_set *set, struct sl_results *results)
{
    struct sl_bytes text;
    struct sl_broker_acl acl = {0};
    enum sl_exit code = sl_file_read(set->acl.text, SL_BROKER_FILE_MAX, &text);
    if (code == SL_EXIT_DONE)
        code = sl_broker_acl_parse(set->acl.text, &text, &acl);
    sl_bytes_free(&text);
    sl_results_add(results, "access list", code, "%zu users, %zu topics", acl.users, acl.topics);
    return code;
}

/* --- certificates --------------------------------------------------------------------------- */

static enum sl_exit check_certificates(const struct sl_set *set, X509 *canary,
                                       struct sl_results *results)
{
    STACK_OF(X509_INFO) *authorities = NULL;
    enum sl_exit code = read_pem(set->authority.text, &authorities);
    if (code == SL_EXIT_DONE)
        code = check_authorities(set, authorities, results);
    else
        sl_results_add(results, "authority", code, "%s", "");
    if (code == SL_EXIT_DONE)
        code = check_server(set, authorities, results);
    if (authorities && sk_X509_INFO_num(authorities) > 0)
        code = first(code, check_lists(set, authorities, canary, results));
    sk_X509_INFO_pop_free(authorities, X509_INFO_free);
    return code;
}

/* Everything in a PEM file; the caller frees it. */
static enum sl_exit read_pem(const char *path, STACK_OF(X509_INFO) * *found)
{
    static char no_passphrase[] = "";
    struct sl_bytes bytes;
    *found = NULL;
    enum sl_exit code = sl_file_read(path, SL_BROKER_FILE_MAX, &bytes);
    if (code != SL_EXIT_DONE)
        return code;
    BIO *memory = bytes.len > 0 ? BIO_new_mem_buf(bytes.data, (int)bytes.len) : NULL;
    *found = memory ? PEM_X509_INFO_read_bio(memory, NULL, NULL, no_passphrase) : NULL;
    if (bytes.len == 0)
        code = sl_cli_fail(SL_ERROR(FILE_EMPTY), path);
    else if (!*found || sk_X509_INFO_num(*found) == 0)
        code = sl_cli_fail(SL_ERROR(PEM_FOREIGN), path, "not a word of PEM in it, or half of one");
    BIO_free(memory);
    sl_bytes_free(&bytes);
    ERR_clear_error();
    return code;
}

static enum sl_exit check_authorities(const struct sl_set *set, STACK_OF(X509_INFO) * authorities,
                                      struct sl_results *results)
{
    enum sl_exit code = SL_EXIT_DONE;
    long days = SL_PKI_AUTHORITY_DAYS + 1;
    int len = sk_X509_INFO_num(authorities);
    for (int i = 0; i < len && code == SL_EXIT_DONE; i++) {
        const X509_INFO *info = sk_X509_INFO_value(authorities, i);
        if (!info->x509 || info->crl || info->x_pkey || X509_check_ca(info->x509) != 1) {
            code = sl_cli_fail(SL_ERROR(PEM_FOREIGN), set->authority.text,
                               "something else than certificates of authorities");
        } else {
            long left = sl_pki_days_left(info->x509, info->x509);
            days = left < days ? left : days;
        }
    }
    if (code == SL_EXIT_DONE && days == 0)
        code = sl_cli_fail(SL_ERROR(PEM_FOREIGN), set->authority.text,
                           "an authority that is not valid today");
    sl_results_add(results, "authority", code, "%d, for %ld days", len, days);
    return code;
}

static X509 *find_signer(STACK_OF(X509_INFO) * authorities, X509 *certificate)
{
    X509 *signer = NULL;
    for (int i = 0; i < sk_X509_INFO_num(authorities) && !signer; i++) {
        X509 *authority = sk_X509_INFO_value(authorities, i)->x509;
        if (X509_verify(certificate, X509_get0_pubkey(authority)) == 1)
            signer = authority;
    }
    ERR_clear_error();
    return signer;
}

static enum sl_exit check_server(const struct sl_set *set, STACK_OF(X509_INFO) * authorities,
                                 struct sl_results *results)
{
    X509 *certificate = NULL;
    struct sl_pki_pair pair = {NULL, NULL};
    long days = 0;
    enum sl_exit code = sl_pki_load_files(set->certificate.text, set->key.text, &pair);
    certificate = pair.certificate;
    const char *path = set->certificate.text;
    for (int i = 0; i < sk_X509_INFO_num(authorities) && code == SL_EXIT_DONE; i++)
        if (X509_check_private_key(sk_X509_INFO_value(authorities, i)->x509, pair.key) == 1)
            code = sl_cli_fail(SL_ERROR(BROKER_KEY_SIGNS), set->key.text);
    ERR_clear_error();
    X509 *signer = code == SL_EXIT_DONE ? find_signer(authorities, certificate) : NULL;
    if (code == SL_EXIT_DONE && !signer)
        code = sl_cli_fail(SL_ERROR(SIGNER_FOREIGN), path);
    if (code == SL_EXIT_DONE && X509_check_purpose(certificate, X509_PURPOSE_SSL_SERVER, 0) != 1)
        code = sl_cli_fail(SL_ERROR(PEM_FOREIGN), path, "no certificate of a server");
    if (code == SL_EXIT_DONE) {
        char day[16];
        days = sl_pki_days_left(certificate, signer);
        sl_site_print_date(day, sl_pki_not_after(certificate));
        if (days == 0)
            code = sl_cli_fail(SL_ERROR(CERTIFICATE_EXPIRED), path, day);
    }
    sl_pki_free(&pair);
    sl_results_add(results, "certificate", code, "of the broker, for %ld days", days);
    return code;
}

/* Without a list by an authority OpenSSL refuses all that it has signed. */
static enum sl_exit check_lists(const struct sl_set *set, STACK_OF(X509_INFO) * authorities,
                                X509 *canary, struct sl_results *results)
{
    const char *path = set->crl.text;
    STACK_OF(X509_INFO) *lists = NULL;
    bool has_canary = canary == NULL;
    int entries = 0;
    long days = SL_CRL_DAYS + 1;
    enum sl_exit code = read_pem(path, &lists);
    int len = code == SL_EXIT_DONE ? sk_X509_INFO_num(lists) : 0;
    for (int a = 0; a < sk_X509_INFO_num(authorities) && code == SL_EXIT_DONE; a++) {
        EVP_PKEY *signer = X509_get0_pubkey(sk_X509_INFO_value(authorities, a)->x509);
        bool is_signed = false;
        for (int i = 0; i < len && code == SL_EXIT_DONE; i++) {
            const X509_INFO *info = sk_X509_INFO_value(lists, i);
            if (!info->crl || info->x509 || info->x_pkey) {
                code = sl_cli_fail(SL_ERROR(CRL_BAD), path);
            } else if (X509_CRL_verify(info->crl, signer) == 1) {
                long left = sl_crl_days_left(info->crl);
                is_signed = true;
                code = check_list(path, info->crl);
                days = left < days ? left : days;
                entries =
                    sk_X509_REVOKED_num(X509_CRL_get_REVOKED(info->crl)); /* the same on each */
                has_canary = has_canary || sl_crl_has(info->crl, X509_get0_serialNumber(canary));
            }
        }
        if (code == SL_EXIT_DONE && !is_signed)
            code = sl_cli_fail(SL_ERROR(SIGNER_FOREIGN), path);
    }
    ERR_clear_error();
    if (code == SL_EXIT_DONE && !has_canary)
        code = sl_cli_fail(SL_ERROR(CRL_NO_CANARY), path);
    sk_X509_INFO_pop_free(lists, X509_INFO_free);
    sl_results_add(results, "revocations", code, "%d, for %ld days", entries, days);
    return code;
}

static enum sl_exit check_list(const char *path, X509_CRL *crl)
{
    char day[16];
    sl_site_print_date(day, sl_crl_not_after(crl));
    return sl_crl_days_left(crl) > 0 ? SL_EXIT_DONE : sl_cli_fail(SL_ERROR(CRL_ENDED), path, day);
}

/* --- what is installed ---------------------------------------------------------------------- */

static enum sl_exit check_folder(const struct sl_set *set, struct sl_results *results)
{
    static const char known[] =
        " . .. acl authority.pem server.pem crl.pem SUMS reload good before ";
    enum sl_exit code = check_rights(set, set->folder.text, 0750);
    DIR *entries = opendir(set->folder.text);
    if (!entries)
        return first(code, sl_file_fail("read", set->folder.text));
    const struct dirent *entry = NULL;
    while ((entry = readdir(entries))) {
        char word[NAME_MAX + 3];
        size_t len = strlen(entry->d_name);
        bool is_pending = len > 4 && strcmp(entry->d_name + len - 4, ".new") == 0;
        snprintf(word, sizeof word, " %.*s ", (int)(is_pending ? len - 4 : len), entry->d_name);
        if (!strstr(known, word) && entry->d_name[0] != '.')
            code = first(code, sl_cli_fail(SL_ERROR(BROKER_FILE_STRANGE),
                                           sl_path_join(set->folder.text, entry->d_name).text));
    }
    closedir(entries);
    const struct sl_path *const files[] = {&set->acl, &set->authority, &set->certificate,
                                           &set->crl};
    for (size_t i = 0; i < 4; i++)
        code = first(code, check_rights(set, files[i]->text, 0640));
    sl_results_add(results, "owner, mode", code, "%s", "root:mosquitto, closed to others");
    return code;
}

/* As seen by somebody who cannot give files away, his own are as good. */
static enum sl_exit check_rights(const struct sl_set *set, const char *path, mode_t mode)
{
    struct stat about;
    gid_t group = 0;
    char found[48], wanted[48];
    enum sl_exit code = sl_set_group(set, &group);
    if (code != SL_EXIT_DONE)
        return code;
    if (lstat(path, &about) != 0)
        return sl_file_fail("read", path);
    bool is_ours = about.st_uid == geteuid() && about.st_uid != 0;
    if ((about.st_mode & 07777) == mode && !S_ISLNK(about.st_mode) &&
        (is_ours || (about.st_uid == 0 && (group == 0 || about.st_gid == group))))
        return SL_EXIT_DONE;
    snprintf(found, sizeof found, "%u:%u %04o", (unsigned)about.st_uid, (unsigned)about.st_gid,
             (unsigned)about.st_mode & 07777);
    snprintf(wanted, sizeof wanted, "0:%u %04o", (unsigned)group, (unsigned)mode);
    return sl_cli_fail(SL_ERROR(BROKER_FILE_RIGHTS), path, found, wanted);
}

enum sl_exit sl_set_group(const struct sl_set *set, gid_t *group)
{
    const struct group *found = getgrnam("mosquitto");
    *group = found && geteuid() == 0 ? found->gr_gid : 0;
    if (!found && set->root[0] == '\0' && sl_set_is_installed(set))
        return sl_cli_fail(SL_ERROR(BROKER_USER_MISSING));
    return SL_EXIT_DONE;
}
