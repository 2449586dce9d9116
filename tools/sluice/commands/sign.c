/* sluice ca sign: on the machine that has the CA's key. */
#include "ca/carry.h"
#include "site/journal.h"
#include <cjson/cJSON.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#define PEM_MAX 4096

enum { OUT, JSON };
static const struct sl_option options[] = {
    [OUT] = {.name = "--out",
             .kind = SL_OPTION_TEXT,
             .value = "FILE",
             .preset = "answer.json",
             .help = "the answer file",
             .offer = SL_OFFER_FILES},
    [JSON] = SL_OPTION_JSON("what was signed as one JSON object"),
    {.name = NULL},
};
static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_ca_sign = {
    .name = "ca sign",
    .summary = "sign what a site has asked for",
    .arguments =
        (const struct sl_argument[]){
            {.name = "REQUEST", .help = "made by 'sluice ca request'", .offer = SL_OFFER_FILES},
            {.name = NULL}},
    .options = options,
    .text = "--site names the folder that 'sluice ca offline' made. What is signed is told before "
            "the passphrase is asked for. Every name comes from this folder's own site.json; of "
            "the request only the public keys count, and the names of nodes.",
    .manual = "Serials that the request wants revoked are added to the list of this folder, from "
              "which nothing is ever taken: an old or a changed request lets nobody in again.",
    .examples = (const struct sl_example[]){{"sluice --site /media/stick/ca ca sign request.json "
                                             "--out answer.json",
                                             "then carry answer.json back:"},
                                            {NULL, NULL}},
    .run = run,
};

static void tell(const cJSON *request);
static enum sl_exit sign_all(const struct sl_site *site, const struct sl_authority *authority,
                             const char *path, const cJSON *request, cJSON *answer);
static enum sl_exit sign_one(const struct sl_site *site, const struct sl_authority *authority,
                             const char *path, const cJSON *wish, cJSON *answer);
static enum sl_exit find_names(const struct sl_site *site, const char *path, const char *purpose,
                               const char *name, enum sl_pki_purpose *is, char *names);
static enum sl_exit make_list(const struct sl_site *site, const struct sl_authority *authority,
                              const char *path, const cJSON *request, cJSON *answer);
static ASN1_INTEGER *read_serial(const char *text);

static enum sl_exit run(struct sl_cli *cli)
{
    const char *path = cli->words[0];
    struct sl_site site;
    struct sl_authority authority = {.current = {NULL, NULL}};
    cJSON *request = NULL, *answer = NULL;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code == SL_EXIT_DONE)
        code = sl_site_lock(&site, "site", 5000);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(SITE_BUSY), site.root);
    if (code == SL_EXIT_DONE)
        code = sl_authority_read(&site, &authority);
    if (code == SL_EXIT_DONE)
        code = sl_carry_read(path, "sluice_request", authority.current.certificate, &request);
    if (code == SL_EXIT_DONE && !cli->values[JSON].is_given)
        tell(request);
    sl_authority_close(&authority);
    if (code == SL_EXIT_DONE)
        code = sl_authority_open(&site, true, &authority);
    if (code == SL_EXIT_DONE && authority.next.certificate)
        code = sl_cli_fail(SL_ERROR(ROLL_UNDER_WAY), site.root);
    if (code == SL_EXIT_DONE) {
        answer = sl_carry_begin("sluice_answer", authority.current.certificate);
        code = sign_all(&site, &authority, path, request, answer);
    }
    if (code == SL_EXIT_DONE)
        code = sl_carry_write(cli->values[OUT].text, answer);
    if (code == SL_EXIT_DONE && cli->values[JSON].is_given) {
        sl_cli_print_json(answer);
        answer = NULL;
    } else if (code == SL_EXIT_DONE) {
        printf("%s is signed; next, at the site: sluice ca accept %s\n", cli->values[OUT].text,
               cli->values[OUT].text);
    }
    cJSON_Delete(answer);
    cJSON_Delete(request);
    sl_authority_close(&authority);
    return code;
}

static void tell(const cJSON *request)
{
    const cJSON *wish = NULL;
    cJSON_ArrayForEach(wish, cJSON_GetObjectItemCaseSensitive(request, "certificates"))
    {
        const char *purpose =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(wish, "purpose"));
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(wish, "name"));
        char clean[2][64];
        sl_cli_clean(clean[0], sizeof clean[0], purpose ? purpose : "?",
                     purpose ? strlen(purpose) : 1);
        sl_cli_clean(clean[1], sizeof clean[1], name ? name : "?", name ? strlen(name) : 1);
        printf("a certificate for %s %s\n", clean[0], clean[1]);
    }
    printf("a revocation list with at least %d entries\n",
           cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(request, "revoke")));
    fflush(stdout);
}

static enum sl_exit sign_all(const struct sl_site *site, const struct sl_authority *authority,
                             const char *path, const cJSON *request, cJSON *answer)
{
    const cJSON *wish = NULL;
    enum sl_exit code = make_list(site, authority, path, request, answer);
    cJSON_ArrayForEach(wish, cJSON_GetObjectItemCaseSensitive(request, "certificates"))
    {
        if (code == SL_EXIT_DONE)
            code = sign_one(site, authority, path, wish, answer);
    }
    return code;
}

static enum sl_exit sign_one(const struct sl_site *site, const struct sl_authority *authority,
                             const char *path, const cJSON *wish, cJSON *answer)
{
    const char *purpose = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(wish, "purpose"));
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(wish, "name"));
    const char *pem = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(wish, "request"));
    char names[SL_PKI_NAMES_MAX];
    enum sl_pki_purpose is = SL_PKI_NODE;
    if (!purpose || !name || !pem || strlen(pem) > PEM_MAX)
        return sl_cli_fail(SL_ERROR(CARRIED_BAD), path, "a certificate's wish is not whole");
    enum sl_exit code = find_names(site, path, purpose, name, &is, names);
    if (code != SL_EXIT_DONE)
        return code;
    BIO *memory = BIO_new_mem_buf(pem, -1);
    X509_REQ *request = memory ? PEM_read_bio_X509_REQ(memory, NULL, NULL, NULL) : NULL;
    unsigned char *der = NULL;
    int len = request ? i2d_X509_REQ(request, &der) : 0;
    ERR_clear_error();
    X509 *certificate = NULL;
    BIO *out = BIO_new(BIO_s_mem());
    code = len > 0 ? sl_issue_for_request_as(authority, site->root, is, name, names,
                                             (struct sl_view){der, (size_t)len}, &certificate)
                   : sl_cli_fail(SL_ERROR(REQUEST_BAD), name, "it is no PKCS#10 request");
    if (code == SL_EXIT_DONE && (!out || PEM_write_bio_X509(out, certificate) != 1 ||
                                 !sl_carry_add(answer, purpose, name, "certificate", out)))
        code = sl_pki_fail("write a certificate");
    BIO_free(out);
    X509_free(certificate);
    OPENSSL_free(der);
    X509_REQ_free(request);
    BIO_free(memory);
    return code;
}

/* By this folder's site.json. */
static enum sl_exit find_names(const struct sl_site *site, const char *path, const char *purpose,
                               const char *name, enum sl_pki_purpose *is, char *names)
{
    bool is_operator = false;
    for (size_t i = 0; i < site->operators_len; i++) {
        size_t len = strlen(site->operators[i]);
        if (strncmp(name, site->operators[i], len) == 0 &&
            (name[len] == '\0' || strcmp(name + len, SL_WATCH_SUFFIX) == 0))
            is_operator = true;
    }
    bool is_broker = strcasecmp(name, site->broker_name) == 0 ||
                     strcasecmp(name, site->host) == 0 || strcmp(name, "localhost") == 0;
    if (strcmp(purpose, "broker") == 0 && strcmp(name, site->broker_name) == 0) {
        *is = SL_PKI_SERVER;
        sl_pki_list_server_names(site, names);
    } else if (strcmp(purpose, "operator") == 0 && is_operator) {
        *is = SL_PKI_OPERATOR;
        snprintf(names, SL_PKI_NAMES_MAX, "DNS:%.23s.operator.invalid", name);
    } else if (strcmp(purpose, "node") == 0 && !is_operator && !is_broker &&
               sl_identity_is_name(sl_view_text(name))) {
        *is = SL_PKI_NODE;
        snprintf(names, SL_PKI_NAMES_MAX, "DNS:%.23s.device.invalid", name);
    } else {
        return sl_cli_fail(SL_ERROR(CARRIED_BAD), path,
                           "it asks for a certificate that no part of the site has");
    }
    return SL_EXIT_DONE;
}

static enum sl_exit make_list(const struct sl_site *site, const struct sl_authority *authority,
                              const char *path, const cJSON *request, cJSON *answer)
{
    X509_CRL *before = NULL;
    STACK_OF(ASN1_INTEGER) *more = sk_ASN1_INTEGER_new_null();
    const cJSON *entry = NULL;
    enum sl_exit code =
        more ? sl_crl_read(site, authority, &before) : sl_cli_fail(SL_ERROR(MEMORY));
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(request, "revoke"))
    {
        ASN1_INTEGER *serial =
            code == SL_EXIT_DONE ? read_serial(cJSON_GetStringValue(entry)) : NULL;
        if (code == SL_EXIT_DONE && !serial)
            code = sl_cli_fail(SL_ERROR(CARRIED_BAD), path, "a serial is no number");
        if (!serial || sl_crl_has(before, serial) || sk_ASN1_INTEGER_push(more, serial) <= 0)
            ASN1_INTEGER_free(serial);
    }
    if (code == SL_EXIT_DONE)
        code = sl_crl_write(authority, site->root, before, more);
    sk_ASN1_INTEGER_pop_free(more, ASN1_INTEGER_free);
    X509_CRL_free(before);
    struct sl_bytes list = {NULL, 0};
    if (code == SL_EXIT_DONE)
        code = sl_file_read(sl_path_join(site->root, "broker/crl.pem").text, SL_CARRY_MAX, &list);
    if (code == SL_EXIT_DONE)
        cJSON_AddStringToObject(answer, "revocation_list", list.data);
    sl_bytes_free(&list);
    return code;
}

static ASN1_INTEGER *read_serial(const char *text)
{
    BIGNUM *number = NULL;
    size_t len = text ? strlen(text) : 0;
    bool is_number = len > 0 && len <= SL_JOURNAL_SERIAL_LEN &&
                     strspn(text, "0123456789ABCDEF") == len && BN_hex2bn(&number, text) > 0;
    ASN1_INTEGER *serial = is_number ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
    BN_free(number);
    return serial;
}
