/* sluice ca accept: what the CA's machine has signed, checked and put in its place. */
#include "broker/apply.h"
#include "broker/upkeep.h"
#include "ca/carry.h"
#include "ca/image.h"
#include "site/making.h"
#include <cjson/cJSON.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BASE, JSON };
static const struct sl_option options[] = {
    [BASE] = {.name = "--base",
              .kind = SL_OPTION_TEXT,
              .value = "TOPIC",
              .otherwise = "irrigation/NAME",
              .help = "what a new node's topics begin with"},
    [JSON] = SL_OPTION_JSON("what was taken as one JSON object"),
    {.name = NULL},
};
static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_ca_accept = {
    .name = "ca accept",
    .summary = "take what the CA's machine has signed",
    .arguments =
        (const struct sl_argument[]){
            {.name = "ANSWER", .help = "made by 'sluice ca sign'", .offer = SL_OFFER_FILES},
            {.name = NULL}},
    .options = options,
    .text =
        "Checks everything first: signed by this site's authority, for keys that this site has, "
        "for the right names and purposes; a revocation list that is not older than the one "
        "here and lacks none of its entries. Then puts it in place, tells a running broker and "
        "proves it. An interrupted 'ca accept' is given again.",
    .examples =
        (const struct sl_example[]){
            {"sluice ca accept /media/stick/answer.json", "after 'ca sign':"}, {NULL, NULL}},
    .run = run,
};

/* A certificate of the answer, and where it belongs. */
struct taken {
    enum sl_pki_purpose purpose;
    sl_name name; /* the broker's may be longer: site.json has it */
    struct sl_pki_pair pair;
    bool is_placed; /* a node whose folder has it already: this answer was taken before */
};
struct all_taken {
    struct taken list[SL_CARRY_CERTIFICATES_MAX];
    size_t len;
    char *crl; /* PEM */
};

static enum sl_exit check(const struct sl_site *site, const struct sl_authority *authority,
                          const char *path, const cJSON *answer, struct all_taken *all);
static enum sl_exit check_one(const struct sl_site *site, const struct sl_authority *authority,
                              const char *path, const cJSON *entry, struct taken *taken);
static enum sl_exit find_key(const struct sl_site *site, const struct taken *taken, EVP_PKEY **key);
static enum sl_exit check_list(const struct sl_site *site, const struct sl_authority *authority,
                               const char *path, const char *pem);
static enum sl_exit place_all(const struct sl_site *site, const struct sl_authority *authority,
                              const char *path, const struct all_taken *all, const char *base);
static enum sl_exit place_node(const struct sl_site *site, const struct sl_authority *authority,
                               const struct taken *taken, const char *base);
static bool is_placed(const struct sl_site *site, const struct taken *taken);
static struct sl_path pending_key(const struct sl_site *site, const char *name);
static enum sl_exit tell_broker(const struct sl_site *site);

static enum sl_exit run(struct sl_cli *cli)
{
    const char *path = cli->words[0];
    struct sl_site site;
    struct sl_authority authority = {.current = {NULL, NULL}};
    static struct all_taken all;
    cJSON *answer = NULL;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code == SL_EXIT_DONE && !sl_authority_is_elsewhere(&site))
        code = sl_cli_fail(SL_ERROR(CA_HERE), site.root);
    if (code == SL_EXIT_DONE)
        code = sl_authority_read(&site, &authority);
    if (code == SL_EXIT_DONE)
        code = sl_carry_read(path, "sluice_answer", authority.current.certificate, &answer);
    if (code == SL_EXIT_DONE)
        code = check(&site, &authority, path, answer, &all);
    if (code == SL_EXIT_DONE)
        code = place_all(&site, &authority, path, &all, cli->values[BASE].text);
    if (code == SL_EXIT_DONE)
        code = tell_broker(&site);
    if (code == SL_EXIT_DONE && cli->values[JSON].is_given) {
        cJSON *json = cJSON_CreateObject();
        cJSON *list = cJSON_AddArrayToObject(json, "certificates");
        for (size_t i = 0; i < all.len; i++)
            cJSON_AddItemToArray(list, cJSON_CreateString(all.list[i].name));
        sl_cli_print_json(json);
    } else if (code == SL_EXIT_DONE) {
        printf("%zu certificates and the revocation list are in place\n", all.len);
        for (size_t i = 0; i < all.len; i++)
            if (all.list[i].purpose == SL_PKI_NODE)
                printf("node %s: %s/nodes/%s/identity goes onto the node\n", all.list[i].name,
                       site.root, all.list[i].name);
    }
    for (size_t i = 0; i < all.len; i++)
        sl_pki_free(&all.list[i].pair);
    cJSON_Delete(answer);
    sl_authority_close(&authority);
    return code;
}

/* --- checking ------------------------------------------------------------------------------- */

static enum sl_exit check(const struct sl_site *site, const struct sl_authority *authority,
                          const char *path, const cJSON *answer, struct all_taken *all)
{
    const cJSON *entry = NULL;
    all->crl = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "revocation_list"));
    enum sl_exit code = all->crl
                            ? check_list(site, authority, path, all->crl)
                            : sl_cli_fail(SL_ERROR(CARRIED_BAD), path, "it has no revocation list");
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(answer, "certificates"))
    {
        if (code == SL_EXIT_DONE)
            code = check_one(site, authority, path, entry, &all->list[all->len++]);
    }
    return code;
}

static enum sl_exit check_one(const struct sl_site *site, const struct sl_authority *authority,
                              const char *path, const cJSON *entry, struct taken *taken)
{
    static const enum sl_pki_purpose purposes[] = {SL_PKI_SERVER, SL_PKI_OPERATOR, SL_PKI_NODE};
    const char *purpose = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "purpose"));
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "name"));
    const char *pem = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "certificate"));
    bool is_known = false;
    *taken = (struct taken){.purpose = SL_PKI_SERVER};
    for (size_t i = 0; purpose && i < 3; i++)
        if (strcmp(purpose, sl_issue_purpose_text(purposes[i])) == 0) {
            taken->purpose = purposes[i];
            is_known = true;
        }
    bool is_server = taken->purpose == SL_PKI_SERVER;
    if (!is_known || !name || !pem ||
        (is_server ? strcmp(name, site->broker_name) != 0
                   : !sl_identity_is_name(sl_view_text(name)) ||
                         !sl_cli_copy(taken->name, sizeof taken->name, name)))
        return sl_cli_fail(SL_ERROR(CARRIED_BAD), path, "a certificate's entry is not whole");
    BIO *memory = BIO_new_mem_buf(pem, -1);
    taken->pair.certificate = memory ? PEM_read_bio_X509(memory, NULL, NULL, NULL) : NULL;
    BIO_free(memory);
    ERR_clear_error();
    X509 *certificate = taken->pair.certificate;
    if (!certificate || sl_pki_days_left(certificate, authority->current.certificate) == 0)
        return sl_cli_fail(SL_ERROR(CARRIED_BAD), path,
                           "a certificate is not of this site's authority, or not valid today");
    char host[SL_PKI_NAMES_MAX];
    if (is_server)
        snprintf(host, sizeof host, "%s", site->broker_name);
    else
        snprintf(host, sizeof host, "%s.%s.invalid", name,
                 taken->purpose == SL_PKI_NODE ? "device" : "operator");
    bool is_right =
        X509_check_host(certificate, host, 0, 0, NULL) == 1 &&
        X509_check_purpose(certificate,
                           is_server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT, 0) == 1;
    taken->is_placed = is_right && is_placed(site, taken);
    if (taken->is_placed)
        return SL_EXIT_DONE;
    enum sl_exit code = is_right ? find_key(site, taken, &taken->pair.key)
                                 : sl_cli_fail(SL_ERROR(CARRIED_BAD), path,
                                               "a certificate is for another name or purpose");
    if (code == SL_EXIT_DONE && X509_check_private_key(certificate, taken->pair.key) != 1)
        code = sl_cli_fail(SL_ERROR(CARRIED_BAD), path,
                           "a certificate is for a key that this site has not");
    ERR_clear_error();
    return code;
}

static bool is_placed(const struct sl_site *site, const struct taken *taken)
{
    X509 *there = NULL;
    struct sl_path path =
        sl_path_join(sl_path_join3(site->root, "nodes", taken->name).text, "certificate.pem");
    bool is_same = taken->purpose == SL_PKI_NODE &&
                   access(pending_key(site, taken->name).text, F_OK) != 0 &&
                   access(path.text, F_OK) == 0 &&
                   sl_pki_load_certificate(path.text, &there) == SL_EXIT_DONE &&
                   X509_cmp(there, taken->pair.certificate) == 0;
    X509_free(there);
    return is_same;
}

static enum sl_exit find_key(const struct sl_site *site, const struct taken *taken, EVP_PKEY **key)
{
    struct sl_path path =
        taken->purpose == SL_PKI_SERVER ? sl_path_join(site->root, "broker/key.pem")
        : taken->purpose == SL_PKI_NODE
            ? pending_key(site, taken->name)
            : sl_path_join(sl_path_join3(site->root, "operators", taken->name).text, "key.pem");
    struct sl_pki_locked loaded;
    enum sl_exit code = sl_pki_load_key(path.text, &loaded);
    if (code == SL_EXIT_DONE && !loaded.key)
        code = sl_cli_fail(SL_ERROR(KEY_BAD), path.text);
    *key = loaded.key;
    loaded.key = NULL;
    sl_pki_free_key(&loaded);
    return code;
}

static struct sl_path pending_key(const struct sl_site *site, const char *name)
{
    char file[SL_NAME_MAX + 8];
    snprintf(file, sizeof file, "%s.pem", name);
    return sl_path_join3(site->root, "pending", file);
}

/* Nobody who is on the list of today may be missing from the next. */
static enum sl_exit check_list(const struct sl_site *site, const struct sl_authority *authority,
                               const char *path, const char *pem)
{
    BIO *memory = BIO_new_mem_buf(pem, -1);
    X509_CRL *next = memory ? PEM_read_bio_X509_CRL(memory, NULL, NULL, NULL) : NULL;
    X509_CRL *now = NULL;
    BIO_free(memory);
    ERR_clear_error();
    enum sl_exit code = SL_EXIT_DONE;
    if (!next || X509_CRL_verify(next, X509_get0_pubkey(authority->current.certificate)) != 1 ||
        sl_crl_days_left(next) == 0)
        code = sl_cli_fail(SL_ERROR(CARRIED_BAD), path,
                           "its revocation list is not of this site's authority, or has ended");
    if (code == SL_EXIT_DONE)
        code = sl_crl_read(site, authority, &now);
    bool is_newer = code == SL_EXIT_DONE && sl_crl_not_after(next) >= sl_crl_not_after(now);
    const STACK_OF(X509_REVOKED) *entries = code == SL_EXIT_DONE ? X509_CRL_get_REVOKED(now) : NULL;
    for (int i = 0; is_newer && i < sk_X509_REVOKED_num(entries); i++)
        is_newer =
            sl_crl_has(next, X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i)));
    if (code == SL_EXIT_DONE && !is_newer)
        code = sl_cli_fail(SL_ERROR(CARRIED_OLD), path);
    X509_CRL_free(now);
    X509_CRL_free(next);
    return code;
}

/* --- placing -------------------------------------------------------------------------------- */

/* The journal and the list first: whatever is cut off, a device that was lost is out. The list is
 * compared again, now that nobody else can put another there. */
static enum sl_exit place_all(const struct sl_site *site, const struct sl_authority *authority,
                              const char *path, const struct all_taken *all, const char *base)
{
    enum sl_exit code = sl_site_lock(site, "site", 5000);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(SITE_BUSY), site->root);
    if (code == SL_EXIT_DONE)
        code = check_list(site, authority, path, all->crl);
    for (size_t i = 0; i < all->len && code == SL_EXIT_DONE; i++) {
        const struct taken *taken = &all->list[i];
        code = sl_issue_record(site->root, taken->purpose,
                               taken->purpose == SL_PKI_SERVER ? site->broker_name : taken->name,
                               taken->pair.certificate);
    }
    if (code == SL_EXIT_DONE)
        code = sl_file_write(sl_path_join(site->root, "broker/crl.pem").text, all->crl,
                             strlen(all->crl), 0600);
    for (size_t i = 0; i < all->len && code == SL_EXIT_DONE; i++) {
        const struct taken *taken = &all->list[i];
        if (taken->purpose == SL_PKI_SERVER)
            code = sl_pki_save_certificate(&taken->pair, sl_path_join(site->root, "broker").text);
        else if (taken->purpose == SL_PKI_OPERATOR)
            code = sl_pki_save_certificate(
                &taken->pair, sl_path_join3(site->root, "operators", taken->name).text);
    }
    sl_site_unlock(site, "site");
    for (size_t i = 0; i < all->len && code == SL_EXIT_DONE; i++)
        if (all->list[i].purpose == SL_PKI_NODE && !all->list[i].is_placed)
            code = place_node(site, authority, &all->list[i], base);
    return code;
}

/* As 'node add' makes a node. The key leaves pending/ when the node has its folder. */
static enum sl_exit place_node(const struct sl_site *site, const struct sl_authority *authority,
                               const struct taken *taken, const char *base)
{
    struct sl_making making;
    struct sl_path folder = sl_path_join3(site->root, "nodes", taken->name);
    struct sl_path temporary = sl_path_join3(site->root, "nodes", ".new.XXXXXX");
    const struct sl_making_wish wish = {
        .name = taken->name, .base = base, .may_replace = access(folder.text, F_OK) == 0};
    uint8_t image[SL_IDENTITY_MAX];
    size_t len = 0;
    enum sl_exit code = sl_making_begin(site->root, &wish, &making);
    if (code == SL_EXIT_DONE && !mkdtemp(temporary.text))
        code = sl_file_fail("make a folder in", temporary.text);
    if (code != SL_EXIT_DONE) {
        sl_making_end(&making);
        return code;
    }
    making.node.not_after_s = sl_pki_not_after(taken->pair.certificate);
    code = sl_pki_encode_identity(site, &making.node, authority, &taken->pair, image, &len);
    if (code == SL_EXIT_DONE)
        code = sl_file_write(sl_path_join(temporary.text, "identity").text, image, len, 0600);
    sl_wipe(image, sizeof image);
    if (code == SL_EXIT_DONE)
        code = sl_pki_save_certificate(&taken->pair, temporary.text);
    if (code == SL_EXIT_DONE)
        code = sl_site_save_node(&making.node, temporary.text);
    if (code == SL_EXIT_DONE)
        code = sl_folder_flush(temporary.text);
    if (code == SL_EXIT_DONE)
        code = sl_making_publish(&making, temporary.text);
    if (code != SL_EXIT_DONE || making.is_replacing)
        sl_folder_remove(temporary.text);
    if (code == SL_EXIT_DONE)
        (void)unlink(pending_key(site, taken->name).text);
    sl_making_end(&making);
    return code;
}

/* Wherever it is: who was shut out by the answer must be out at the system's Mosquitto, too. */
static enum sl_exit tell_broker(const struct sl_site *site)
{
    bool is_running = false;
    enum sl_exit code = sl_site_lock(site, "site", 5000);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(SITE_BUSY), site->root);
    if (code == SL_EXIT_DONE)
        code = sl_upkeep_write_acl(site);
    if (code == SL_EXIT_DONE)
        code = sl_apply_everywhere(site, &is_running);
    sl_site_unlock(site, "site");
    return code;
}
