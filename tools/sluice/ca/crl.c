/* Revocation lists by OpenSSL 3, and the journal of issues that says what to put on them. */
#include "ca/crl.h"
#include "site/journal.h"
#include "site/terms.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DAY_S     86400L
#define LISTS_MAX 4
#define CRL_MAX   8388608 /* bytes: some 60,000 entries, twice */

/* The serials of a name that are looked for. */
struct wanted {
    const char *folder, *purpose, *name;
    X509_CRL *crl;                    /* those on it are not */
    const ASN1_INTEGER *keep;         /* nor is this one; NULL: none */
    STACK_OF(ASN1_INTEGER) * serials; /* NULL: only the name is looked for */
    bool is_known;
};

static X509_CRL *build(const struct sl_pki_pair *authority, X509_CRL *before,
                       const STACK_OF(ASN1_INTEGER) * more, const X509 *canary);
static bool copy_entries(X509_CRL *crl, X509_CRL *before);
static bool add_entry(X509_CRL *crl, const ASN1_INTEGER *serial);
static bool add_extensions(X509_CRL *crl, X509_CRL *before, const struct sl_pki_pair *authority);
static uint64_t next_number(X509_CRL *before);
static enum sl_exit check(BIO *memory, const struct sl_authority *authority, const char *path,
                          X509_CRL **first);
static bool has_same_entries(X509_CRL *crl, X509_CRL *other);
static enum sl_exit read_journal(const struct sl_site *site, struct wanted *wanted);
static bool take_entry(const struct sl_journal_entry *entry, struct wanted *wanted);
static enum sl_exit take_current(const struct sl_site *site, struct wanted *wanted);
static bool take(const ASN1_INTEGER *serial, struct wanted *wanted);

/* --- reading -------------------------------------------------------------------------------- */

enum sl_exit sl_crl_read(const struct sl_site *site, const struct sl_authority *authority,
                         X509_CRL **crl)
{
    struct sl_path path = sl_path_join(site->root, "broker/crl.pem");
    struct sl_bytes bytes;
    *crl = NULL;
    enum sl_exit code = sl_file_read(path.text, CRL_MAX, &bytes);
    if (code != SL_EXIT_DONE)
        return code;
    BIO *memory = bytes.len > 0 ? BIO_new_mem_buf(bytes.data, (int)bytes.len) : NULL;
    code = memory ? check(memory, authority, path.text, crl)
                  : sl_cli_fail(SL_ERROR(FILE_EMPTY), path.text);
    BIO_free(memory);
    sl_bytes_free(&bytes);
    return code;
}

/* At least one list of each authority. The end of a roll-over leaves that of the old one behind for
 * a moment. Gives: *first, that of the current one. */
static enum sl_exit check(BIO *memory, const struct sl_authority *authority, const char *path,
                          X509_CRL **first)
{
    const struct sl_pki_pair *list[2];
    X509_CRL *lists[LISTS_MAX] = {NULL}, *found[2] = {NULL, NULL};
    size_t authorities = sl_authority_list(authority, list), len = 0;
    while (len < LISTS_MAX && (lists[len] = PEM_read_bio_X509_CRL(memory, NULL, NULL, NULL)))
        len++;
    for (size_t i = 0; i < authorities; i++)
        for (size_t k = 0; k < len && !found[i]; k++)
            if (X509_CRL_verify(lists[k], X509_get0_pubkey(list[i]->certificate)) == 1)
                found[i] = lists[k];
    ERR_clear_error();
    enum sl_exit code = SL_EXIT_DONE;
    if (len == 0 ||
        (authorities == 2 && found[0] && found[1] && !has_same_entries(found[1], found[0])))
        code = sl_cli_fail(SL_ERROR(CRL_BAD), path);
    else if (!found[0] || (authorities == 2 && !found[1]))
        code = sl_cli_fail(SL_ERROR(SIGNER_FOREIGN), path);
    *first = code == SL_EXIT_DONE ? found[0] : NULL;
    for (size_t k = 0; k < len; k++)
        if (lists[k] != *first)
            X509_CRL_free(lists[k]);
    return code;
}

static bool has_same_entries(X509_CRL *crl, X509_CRL *other)
{
    const STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
    bool ok = sk_X509_REVOKED_num(entries) == sk_X509_REVOKED_num(X509_CRL_get_REVOKED(other));
    for (int i = 0; ok && i < sk_X509_REVOKED_num(entries); i++)
        ok = sl_crl_has(other, X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i)));
    return ok;
}

long sl_crl_days_left(const X509_CRL *crl)
{
    return sl_pki_days_until(X509_CRL_get0_lastUpdate(crl), X509_CRL_get0_nextUpdate(crl));
}

uint64_t sl_crl_not_after(const X509_CRL *crl)
{
    return sl_pki_unix_time(X509_CRL_get0_nextUpdate(crl));
}

bool sl_crl_has(X509_CRL *crl, const ASN1_INTEGER *serial)
{
    X509_REVOKED *entry = NULL;
    return X509_CRL_get0_by_serial(crl, &entry, serial) == 1;
}

enum sl_exit sl_crl_find_nodes(const struct sl_site *site, const char *name,
                               struct sl_site_nodes *nodes, uint64_t *not_after_s)
{
    enum sl_exit code = sl_site_find_nodes(site, name, nodes);
    if (code != SL_EXIT_DONE)
        return code;
    code = sl_crl_mark(site, nodes, not_after_s);
    if (code != SL_EXIT_DONE)
        sl_site_free_nodes(nodes);
    return code;
}

enum sl_exit sl_crl_mark(const struct sl_site *site, struct sl_site_nodes *nodes,
                         uint64_t *not_after_s)
{
    struct sl_authority authority;
    X509_CRL *crl = NULL;
    *not_after_s = 0;
    enum sl_exit code = sl_authority_read(site, &authority);
    if (code == SL_EXIT_DONE)
        code = sl_crl_read(site, &authority, &crl);
    for (size_t i = 0; i < nodes->len && code == SL_EXIT_DONE; i++) {
        X509 *certificate = NULL;
        struct sl_path folder = sl_path_join3(site->root, "nodes", nodes->list[i].name);
        code = sl_pki_load_certificate(sl_path_join(folder.text, "certificate.pem").text,
                                       &certificate);
        nodes->list[i].is_revoked =
            code == SL_EXIT_DONE && sl_crl_has(crl, X509_get0_serialNumber(certificate));
        X509_free(certificate);
    }
    if (code == SL_EXIT_DONE) {
        char day[16];
        *not_after_s = sl_crl_not_after(crl);
        sl_site_print_date(day, *not_after_s);
        if (sl_term_judge(SL_TERM_CRL, sl_crl_days_left(crl)) != SL_TERM_FINE)
            sl_cli_note("the revocation list is old: from %s on the broker lets nobody in. "
                        "'sluice broker run' renews it at its start and while it runs",
                        day);
    }
    X509_CRL_free(crl);
    sl_authority_close(&authority);
    return code;
}

/* --- writing -------------------------------------------------------------------------------- */

/* Mosquitto drops a list that it cannot parse and lets everybody in: what it will read is read by
 * us first. */
enum sl_exit sl_crl_write(const struct sl_authority *authority, const char *folder,
                          X509_CRL *before, const STACK_OF(ASN1_INTEGER) * more)
{
    const struct sl_pki_pair *list[2];
    size_t len = sl_authority_list(authority, list);
    struct sl_path path = sl_path_join(folder, "broker/crl.pem");
    struct sl_path canary_path = sl_path_join(folder, "canary/revoked/certificate.pem");
    X509 *canary = NULL;
    if (access(canary_path.text, F_OK) == 0) {
        enum sl_exit read = sl_pki_load_certificate(canary_path.text, &canary);
        if (read != SL_EXIT_DONE)
            return read;
    }
    BIO *memory = BIO_new(BIO_s_mem());
    bool ok = memory != NULL;
    for (size_t i = 0; i < len && ok; i++) {
        X509_CRL *crl = build(list[i], before, more, canary);
        ok = crl && PEM_write_bio_X509_CRL(memory, crl) == 1;
        X509_CRL_free(crl);
    }
    char *text = NULL;
    long text_len = ok ? BIO_get_mem_data(memory, &text) : 0;
    enum sl_exit code = text_len > 0 && text_len <= CRL_MAX
                            ? SL_EXIT_DONE
                            : sl_pki_fail("make the revocation list");
    X509_CRL *again = NULL;
    BIO *copy = code == SL_EXIT_DONE ? BIO_new_mem_buf(text, (int)text_len) : NULL;
    if (code == SL_EXIT_DONE)
        code = copy ? check(copy, authority, path.text, &again) : sl_cli_fail(SL_ERROR(MEMORY));
    if (code == SL_EXIT_DONE && sl_crl_days_left(again) == 0)
        code = sl_cli_fail(SL_ERROR(CRL_BAD), path.text);
    if (code == SL_EXIT_DONE)
        code = sl_file_write(path.text, text, (size_t)text_len, 0600);
    X509_CRL_free(again);
    BIO_free(copy);
    BIO_free(memory);
    X509_free(canary);
    return code;
}

enum sl_exit sl_crl_write_one(const struct sl_authority *authority, const char *folder,
                              X509_CRL *before, const X509 *more)
{
    STACK_OF(ASN1_INTEGER) *serials = sk_ASN1_INTEGER_new_null();
    ASN1_INTEGER *serial = ASN1_INTEGER_dup(X509_get0_serialNumber(more));
    bool ok = serials && serial && sk_ASN1_INTEGER_push(serials, serial) > 0;
    enum sl_exit code =
        ok ? sl_crl_write(authority, folder, before, serials) : sl_cli_fail(SL_ERROR(MEMORY));
    if (!ok)
        ASN1_INTEGER_free(serial);
    sk_ASN1_INTEGER_pop_free(serials, ASN1_INTEGER_free);
    return code;
}

static X509_CRL *build(const struct sl_pki_pair *authority, X509_CRL *before,
                       const STACK_OF(ASN1_INTEGER) * more, const X509 *canary)
{
    X509_CRL *crl = X509_CRL_new();
    /* A day back: the clock of a peer may be slow. */
    ASN1_TIME *from = X509_gmtime_adj(NULL, -DAY_S);
    ASN1_TIME *until = X509_time_adj_ex(NULL, SL_CRL_DAYS, 0, NULL);
    bool ok = crl && from && until && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
              X509_CRL_set_issuer_name(crl, X509_get_subject_name(authority->certificate)) == 1 &&
              X509_CRL_set1_lastUpdate(crl, from) == 1 &&
              X509_CRL_set1_nextUpdate(crl, until) == 1 && (!before || copy_entries(crl, before));
    for (int i = 0; ok && more && i < sk_ASN1_INTEGER_num(more); i++)
        ok = add_entry(crl, sk_ASN1_INTEGER_value(more, i));
    const ASN1_INTEGER *serial = canary ? X509_get0_serialNumber(canary) : NULL;
    if (ok && serial && !sl_crl_has(crl, serial))
        ok = add_entry(crl, serial);
    ok = ok && X509_CRL_sort(crl) == 1 && add_extensions(crl, before, authority) &&
         X509_CRL_sign(crl, authority->key, EVP_sha256()) != 0;
    ASN1_TIME_free(until);
    ASN1_TIME_free(from);
    if (ok)
        return crl;
    X509_CRL_free(crl);
    return NULL;
}

static bool copy_entries(X509_CRL *crl, X509_CRL *before)
{
    const STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(before);
    bool ok = true;
    for (int i = 0; ok && i < sk_X509_REVOKED_num(entries); i++) { /* -1 when there are none */
        X509_REVOKED *copy = X509_REVOKED_dup(sk_X509_REVOKED_value(entries, i));
        ok = copy && X509_CRL_add0_revoked(crl, copy) == 1;
        if (!ok)
            X509_REVOKED_free(copy);
    }
    return ok;
}

static bool add_entry(X509_CRL *crl, const ASN1_INTEGER *serial)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
    ASN1_INTEGER *copy = ASN1_INTEGER_dup(serial);
    bool ok = entry && now && copy && X509_REVOKED_set_serialNumber(entry, copy) == 1 &&
              X509_REVOKED_set_revocationDate(entry, now) == 1 &&
              X509_CRL_add0_revoked(crl, entry) == 1;
    if (!ok)
        X509_REVOKED_free(entry);
    ASN1_INTEGER_free(copy);
    ASN1_TIME_free(now);
    return ok;
}

static bool add_extensions(X509_CRL *crl, X509_CRL *before, const struct sl_pki_pair *authority)
{
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    bool ok = number && ASN1_INTEGER_set_uint64(number, next_number(before)) == 1 &&
              X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1;
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, authority->certificate, NULL, NULL, crl, 0);
    X509_EXTENSION *extension =
        ok ? X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always")
           : NULL;
    ok = extension && X509_CRL_add_ext(crl, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    ASN1_INTEGER_free(number);
    return ok;
}

/* RFC 5280, 5.2.3: never the same, never lower; though the clock was set back, or two lists are of
 * one second. The time is a good one when there was no list, or none with a number. */
static uint64_t next_number(X509_CRL *before)
{
    const uint64_t now = (uint64_t)time(NULL);
    uint64_t last = 0;
    ASN1_INTEGER *number = before ? X509_CRL_get_ext_d2i(before, NID_crl_number, NULL, NULL) : NULL;
    bool is_known = number && ASN1_INTEGER_get_uint64(&last, number) == 1 && last < INT64_MAX;
    ASN1_INTEGER_free(number);
    return is_known && last >= now ? last + 1 : now;
}

/* --- what a name was given ------------------------------------------------------------------ */

enum sl_exit sl_crl_collect(const struct sl_site *site, const char *name, X509_CRL *crl,
                            const ASN1_INTEGER *keep, STACK_OF(ASN1_INTEGER) * serials,
                            bool *is_known)
{
    struct wanted wanted = {"nodes", "node", name, crl, keep, serials, false};
    enum sl_exit code = read_journal(site, &wanted);
    if (code == SL_EXIT_DONE)
        code = take_current(site, &wanted);
    *is_known = wanted.is_known;
    return code;
}

enum sl_exit sl_crl_collect_operator(const struct sl_site *site, const char *user, X509_CRL *crl,
                                     STACK_OF(ASN1_INTEGER) * serials)
{
    struct wanted wanted = {"operators", "operator", user, crl, NULL, serials, false};
    enum sl_exit code = read_journal(site, &wanted);
    return code == SL_EXIT_DONE ? take_current(site, &wanted) : code;
}

enum sl_exit sl_crl_is_known(const struct sl_site *site, const char *name, bool *is_known)
{
    struct wanted wanted = {.purpose = "node", .name = name};
    enum sl_exit code = read_journal(site, &wanted);
    *is_known = wanted.is_known;
    return code;
}

static enum sl_exit read_journal(const struct sl_site *site, struct wanted *wanted)
{
    struct sl_journal journal;
    struct sl_journal_entry entry;
    enum sl_exit code = sl_journal_open(site->root, &journal);
    while (code == SL_EXIT_DONE && sl_journal_next(&journal, &entry))
        if (!take_entry(&entry, wanted))
            code = sl_pki_fail("collect serial numbers");
    sl_journal_close(&journal);
    return code;
}

static bool take_entry(const struct sl_journal_entry *entry, struct wanted *wanted)
{
    char now[24];
    if (strcmp(entry->name, wanted->name) != 0 || strcmp(entry->purpose, wanted->purpose) != 0)
        return true;
    wanted->is_known = true;
    /* A day later than its end: our clock may be fast, and the broker's right. */
    sl_site_print_time(now, (uint64_t)time(NULL) - SL_PKI_BACK_S);
    if (!wanted->serials || strcmp(entry->not_after, now) < 0)
        return true;
    BIGNUM *number = NULL;
    ASN1_INTEGER *serial =
        BN_hex2bn(&number, entry->serial) > 0 ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
    bool ok = serial && take(serial, wanted);
    ASN1_INTEGER_free(serial);
    BN_free(number);
    return ok;
}

/* The journal may have lost its lines; the certificate of today is known all the same. */
static enum sl_exit take_current(const struct sl_site *site, struct wanted *wanted)
{
    struct sl_path folder = sl_path_join3(site->root, wanted->folder, wanted->name);
    if (access(folder.text, F_OK) != 0)
        return SL_EXIT_DONE;
    X509 *certificate = NULL;
    enum sl_exit code =
        sl_pki_load_certificate(sl_path_join(folder.text, "certificate.pem").text, &certificate);
    if (code == SL_EXIT_DONE && !take(X509_get0_serialNumber(certificate), wanted))
        code = sl_pki_fail("collect serial numbers");
    wanted->is_known = true;
    X509_free(certificate);
    return code;
}

/* Unless it is there already. */
static bool take(const ASN1_INTEGER *serial, struct wanted *wanted)
{
    if (sl_crl_has(wanted->crl, serial) ||
        (wanted->keep && ASN1_INTEGER_cmp(serial, wanted->keep) == 0))
        return true;
    for (int i = 0; i < sk_ASN1_INTEGER_num(wanted->serials); i++)
        if (ASN1_INTEGER_cmp(serial, sk_ASN1_INTEGER_value(wanted->serials, i)) == 0)
            return true;
    ASN1_INTEGER *copy = ASN1_INTEGER_dup(serial);
    if (copy && sk_ASN1_INTEGER_push(wanted->serials, copy) > 0)
        return true;
    ASN1_INTEGER_free(copy);
    return false;
}
