/* sluice ca offline, sluice ca request: a site whose CA's key is on another machine. */
#include "ca/carry.h"
#include "site/making.h"
#include <cjson/cJSON.h>
#include <openssl/bn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OFFLINE_JSON };
static const struct sl_option offline_options[] = {
    [OFFLINE_JSON] = SL_OPTION_JSON("what was done as one JSON object"),
    {.name = NULL},
};
static enum sl_exit run_offline(struct sl_cli *cli);
const struct sl_subcommand sl_command_ca_offline = {
    .name = "ca offline",
    .summary = "take the CA's key away, onto another machine",
    .arguments = (const struct sl_argument[]){{.name = "DIR",
                                               .help = "a new folder, on a stick for example",
                                               .offer = SL_OFFER_FOLDERS},
                                              {.name = NULL}},
    .options = offline_options,
    .text =
        "Makes a small folder with the CA's key and what it needs to sign (site.json, the "
        "journal, the revocation list), then removes the key from this site. Carry the folder "
        "to the CA's machine: there it is a --site for 'ca sign', 'ca log' and 'ca passphrase'.",
    .manual =
        "What has to be signed is carried by files from then on: 'sluice ca request', 'sluice "
        "ca sign', 'sluice ca accept'; the revocation list lasts for 30 days and the broker's "
        "certificate for 90, so once in four weeks is a good habit. To bring the key back, "
        "copy ca/key.pem and issued.log into the site. On disks and cards old blocks may "
        "outlive the file that was removed.",
    .examples = (const struct sl_example[]){{"sluice ca offline /media/stick/ca", "after init:"},
                                            {NULL, NULL}},
    .run = run_offline,
};

enum { NODE, REVOKE, REQUEST_JSON };
static const struct sl_option request_options[] = {
    [NODE] = {.name = "--node",
              .kind = SL_OPTION_LIST,
              .value = "NAME",
              .otherwise = "none",
              .help = "also a new node, or a new key for one that is there",
              .offer = SL_OFFER_NODES},
    [REVOKE] = {.name = "--revoke",
                .kind = SL_OPTION_LIST,
                .value = "NAME",
                .otherwise = "nobody",
                .help = "also shut this node out",
                .offer = SL_OFFER_NODES},
    [REQUEST_JSON] = SL_OPTION_JSON("what is asked for as one JSON object"),
    {.name = NULL},
};
static enum sl_exit run_request(struct sl_cli *cli);
const struct sl_subcommand sl_command_ca_request = {
    .name = "ca request",
    .summary = "write down what the CA's machine has to sign",
    .arguments =
        (const struct sl_argument[]){
            {.name = "FILE", .help = "the request file", .offer = SL_OFFER_FILES}, {.name = NULL}},
    .options = request_options,
    .text =
        "For a site after 'sluice ca offline'. The file always asks for a fresh revocation list "
        "and for new certificates of the broker and the operators, for the keys that they "
        "have. It holds no secret. Next: 'sluice ca sign' where the CA's key is.",
    .manual = "The key of a new node is made here and waits in pending/. A node that is replaced "
              "has its earlier certificates revoked by the same answer.",
    .examples =
        (const struct sl_example[]){
            {"sluice ca request /media/stick/request.json", "once in four weeks:"},
            {"sluice ca request request.json --node garden --revoke pond",
             "a new node, a lost one:"},
            {NULL, NULL}},
    .run = run_request,
};

static enum sl_exit move_key(const struct sl_site *site, const char *root);
static enum sl_exit fill(const struct sl_site *site, const char *folder);
static enum sl_exit copy(const char *from, const char *to, const char *name);
static enum sl_exit check_node(const char *root, const char *name);
static enum sl_exit gather(const struct sl_site *site, const struct sl_cli *cli, cJSON **json);
static enum sl_exit ask_of(cJSON *json, const char *folder, const char *purpose, const char *name);
static enum sl_exit ask_node(const struct sl_site *site, cJSON *json, const char *name);
static enum sl_exit list_serials(const struct sl_site *site, const struct sl_authority *authority,
                                 const struct sl_cli *cli, cJSON *json);
static bool add_serial(cJSON *list, const ASN1_INTEGER *serial);

/* --- taking the key away -------------------------------------------------------------------- */

static enum sl_exit run_offline(struct sl_cli *cli)
{
    struct sl_site site;
    struct sl_authority authority;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code == SL_EXIT_DONE)
        code = sl_site_lock(&site, "site", 5000);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(SITE_BUSY), site.root);
    if (code == SL_EXIT_DONE) /* whoever takes it away can also open it */
        code = sl_authority_open(&site, true, &authority);
    if (code != SL_EXIT_DONE)
        return code;
    if (authority.next.certificate)
        code = sl_cli_fail(SL_ERROR(ROLL_UNDER_WAY), site.root);
    sl_authority_close(&authority);
    if (code == SL_EXIT_DONE)
        code = move_key(&site, cli->words[0]);
    if (code != SL_EXIT_DONE)
        return code;
    if (cli->values[OFFLINE_JSON].is_given) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "site", site.root);
        cJSON_AddStringToObject(json, "ca", cli->words[0]);
        sl_cli_print_json(json);
    } else {
        printf("%s has the CA's key now, and %s has it no more\n"
               "next: carry it to the CA's machine; 'sluice ca request FILE' asks it to sign\n",
               cli->words[0], site.root);
    }
    return code;
}

/* The copy is on its disk before the original goes. */
static enum sl_exit move_key(const struct sl_site *site, const char *root)
{
    struct sl_path path, temporary, key = sl_path_join(site->root, "ca/key.pem");
    enum sl_exit code = sl_folder_begin(root, &path, &temporary);
    if (code != SL_EXIT_DONE)
        return code;
    code = fill(site, temporary.text);
    if (code == SL_EXIT_DONE)
        code = sl_folder_flush_all(temporary.text);
    if (code == SL_EXIT_DONE)
        code = sl_folder_publish(temporary.text, path.text);
    if (code == SL_EXIT_REFUSED)
        code = sl_cli_fail(SL_ERROR(SITE_EXISTS), path.text);
    if (code != SL_EXIT_DONE) {
        sl_folder_remove(temporary.text);
        return code;
    }
    code = sl_file_write(sl_path_join(site->root, "ca/offline").text, "", 0, 0600);
    if (code == SL_EXIT_DONE && unlink(key.text) != 0)
        code = sl_file_fail("remove", key.text);
    return code == SL_EXIT_DONE ? sl_folder_flush(sl_path_join(site->root, "ca").text) : code;
}

static enum sl_exit fill(const struct sl_site *site, const char *folder)
{
    static const char *const folders[] = {"ca", "broker", "run"};
    static const char *const files[] = {"site.json", "issued.log", "broker/crl.pem",
                                        "ca/certificate.pem", "ca/key.pem"};
    enum sl_exit code = SL_EXIT_DONE;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && code == SL_EXIT_DONE; i++)
        code = sl_folder_make(sl_path_join(folder, folders[i]).text);
    for (size_t i = 0; i < sizeof files / sizeof files[0] && code == SL_EXIT_DONE; i++)
        code = copy(site->root, folder, files[i]);
    return code;
}

static enum sl_exit copy(const char *from, const char *to, const char *name)
{
    struct sl_bytes bytes;
    enum sl_exit code = sl_file_read(sl_path_join(from, name).text, 67108864, &bytes);
    if (code == SL_EXIT_DONE)
        code = sl_file_write(sl_path_join(to, name).text, bytes.data, bytes.len, 0600);
    sl_bytes_free(&bytes);
    return code;
}

/* --- asking --------------------------------------------------------------------------------- */

static enum sl_exit run_request(struct sl_cli *cli)
{
    const struct sl_value *nodes = &cli->values[NODE];
    struct sl_site site;
    cJSON *json = NULL;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code == SL_EXIT_DONE && !sl_authority_is_elsewhere(&site))
        code = sl_cli_fail(SL_ERROR(CA_HERE), site.root);
    for (size_t i = 0; i < nodes->list_len && code == SL_EXIT_DONE; i++)
        code = check_node(cli->site_root, nodes->list[i]);
    if (code == SL_EXIT_DONE) {
        code = sl_site_lock(&site, "site", 5000);
        if (code == SL_EXIT_REFUSED)
            code = sl_cli_fail(SL_ERROR(SITE_BUSY), site.root);
    }
    if (code == SL_EXIT_DONE)
        code = gather(&site, cli, &json);
    if (code == SL_EXIT_DONE)
        code = sl_carry_write(cli->words[0], json);
    if (code == SL_EXIT_DONE && cli->values[REQUEST_JSON].is_given) {
        sl_cli_print_json(json);
        json = NULL;
    } else if (code == SL_EXIT_DONE) {
        printf("%s asks for %d certificates and a revocation list\n"
               "next, where the CA's key is: sluice --site DIR ca sign REQUEST --out ANSWER\n"
               "then here: sluice --site %s ca accept ANSWER\n",
               cli->words[0],
               cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(json, "certificates")),
               cli->site_root);
    }
    cJSON_Delete(json);
    return code;
}

/* By the rules of 'node add', before anybody is bothered. */
static enum sl_exit check_node(const char *root, const char *name)
{
    struct sl_making making;
    struct sl_path folder = sl_path_join3(root, "nodes", name);
    const struct sl_making_wish wish = {.name = name,
                                        .may_replace = sl_identity_is_name(sl_view_text(name)) &&
                                                       access(folder.text, F_OK) == 0};
    enum sl_exit code = sl_making_begin(root, &wish, &making);
    sl_making_end(&making);
    return code;
}

static enum sl_exit gather(const struct sl_site *site, const struct sl_cli *cli, cJSON **json)
{
    struct sl_authority authority;
    enum sl_exit code = sl_authority_read(site, &authority);
    if (code != SL_EXIT_DONE)
        return code;
    *json = sl_carry_begin("sluice_request", authority.current.certificate);
    code = ask_of(*json, sl_path_join(site->root, "broker").text,
                  sl_issue_purpose_text(SL_PKI_SERVER), site->broker_name);
    for (size_t i = 0; i < site->operators_len * 2 && code == SL_EXIT_DONE; i++) {
        sl_name name;
        sl_site_user(site, i, name);
        code = ask_of(*json, sl_path_join3(site->root, "operators", name).text,
                      sl_issue_purpose_text(SL_PKI_OPERATOR), name);
    }
    for (size_t i = 0; i < cli->values[NODE].list_len && code == SL_EXIT_DONE; i++)
        code = ask_node(site, *json, cli->values[NODE].list[i]);
    if (code == SL_EXIT_DONE)
        code = list_serials(site, &authority, cli, *json);
    sl_authority_close(&authority);
    return code;
}

static enum sl_exit ask_of(cJSON *json, const char *folder, const char *purpose, const char *name)
{
    struct sl_pki_pair pair;
    enum sl_exit code = sl_pki_load(folder, &pair);
    if (code == SL_EXIT_DONE)
        code = sl_carry_ask(json, purpose, name, pair.key);
    sl_pki_free(&pair);
    return code;
}

/* Asked again before the answer came, it is the same key. */
static enum sl_exit ask_node(const struct sl_site *site, cJSON *json, const char *name)
{
    char file[SL_NAME_MAX + 8];
    struct sl_path folder = sl_path_join(site->root, "pending");
    struct sl_pki_locked key = {NULL, NULL};
    snprintf(file, sizeof file, "%s.pem", name);
    struct sl_path path = sl_path_join(folder.text, file);
    enum sl_exit code = access(folder.text, F_OK) == 0 ? SL_EXIT_DONE : sl_folder_make(folder.text);
    if (code == SL_EXIT_DONE && access(path.text, F_OK) == 0) {
        code = sl_pki_load_key(path.text, &key);
    } else if (code == SL_EXIT_DONE) {
        key.key = EVP_EC_gen("P-256");
        code = key.key ? sl_pki_save_key(path.text, key.key, NULL, 0) : sl_pki_fail("make a key");
    }
    if (code == SL_EXIT_DONE && !key.key)
        code = sl_cli_fail(SL_ERROR(KEY_BAD), path.text);
    if (code == SL_EXIT_DONE)
        code = sl_carry_ask(json, sl_issue_purpose_text(SL_PKI_NODE), name, key.key);
    sl_pki_free_key(&key);
    return code;
}

/* Those on the list of today, and those of the nodes that are replaced or shut out. */
static enum sl_exit list_serials(const struct sl_site *site, const struct sl_authority *authority,
                                 const struct sl_cli *cli, cJSON *json)
{
    X509_CRL *crl = NULL;
    STACK_OF(ASN1_INTEGER) *serials = sk_ASN1_INTEGER_new_null();
    cJSON *list = cJSON_AddArrayToObject(json, "revoke");
    enum sl_exit code =
        serials ? sl_crl_read(site, authority, &crl) : sl_cli_fail(SL_ERROR(MEMORY));
    for (size_t o = 0; o < 2; o++) {
        const struct sl_value *names = &cli->values[o == 0 ? NODE : REVOKE];
        for (size_t i = 0; i < names->list_len && code == SL_EXIT_DONE; i++) {
            bool is_known = false;
            code = sl_crl_collect(site, names->list[i], crl, NULL, serials, &is_known);
            if (code == SL_EXIT_DONE && !is_known && o == 1)
                code = sl_cli_fail(SL_ERROR(NODE_UNKNOWN), names->list[i]);
        }
    }
    bool ok = true;
    const STACK_OF(X509_REVOKED) *entries = code == SL_EXIT_DONE ? X509_CRL_get_REVOKED(crl) : NULL;
    for (int i = 0; ok && i < sk_X509_REVOKED_num(entries); i++)
        ok = add_serial(list, X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i)));
    for (int i = 0; ok && i < sk_ASN1_INTEGER_num(serials); i++)
        ok = add_serial(list, sk_ASN1_INTEGER_value(serials, i));
    sk_ASN1_INTEGER_pop_free(serials, ASN1_INTEGER_free);
    X509_CRL_free(crl);
    return code == SL_EXIT_DONE && !ok ? sl_pki_fail("list serial numbers") : code;
}

static bool add_serial(cJSON *list, const ASN1_INTEGER *serial)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    char *text = number ? BN_bn2hex(number) : NULL;
    bool ok = text && cJSON_AddItemToArray(list, cJSON_CreateString(text));
    OPENSSL_free(text);
    BN_free(number);
    return ok;
}
