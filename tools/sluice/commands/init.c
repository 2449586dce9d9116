/* sluice init: a whole site, or none. */
#include "broker/files.h"
#include "ca/canary.h"
#include "ca/crl.h"
#include "ca/issue.h"
#include "ca/passphrase.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BROKER_NAME, BROKER_HOST, PORT, BIND, OPERATOR, NO_PASSPHRASE, JSON };
static const struct sl_option options[] = {
    [BROKER_NAME] = {.name = "--broker-name",
                     .kind = SL_OPTION_TEXT,
                     .value = "DNS",
                     .preset = "sluice-broker",
                     .help = "the name in the broker's certificate, which nodes expect wherever "
                             "they dial"},
    [BROKER_HOST] = {.name = "--broker-host",
                     .kind = SL_OPTION_TEXT,
                     .value = "HOST",
                     .preset = "127.0.0.1",
                     .help = "where clients find the broker; also in its certificate, for clients "
                             "that check what they dial"},
    [PORT] = {.name = "--port",
              .kind = SL_OPTION_NUMBER,
              .value = "N",
              .min = 1,
              .max = 65535,
              .preset = "8883",
              .help = "the broker's port"},
    [BIND] = {.name = "--bind",
              .kind = SL_OPTION_TEXT,
              .value = "ADDRESS",
              .preset = "127.0.0.1",
              .help = "the address to listen on; 127.0.0.1 is this computer only"},
    [OPERATOR] = {.name = "--operator",
                  .kind = SL_OPTION_LIST,
                  .value = "NAME",
                  .otherwise = "operator",
                  .help = "who may switch"},
    [NO_PASSPHRASE] = {.name = "--no-passphrase",
                       .help = "leave the CA's key open: whoever reads its file can make "
                               "certificates"},
    [JSON] = SL_OPTION_JSON("what was made as one JSON object"),
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_init = {
    .name = "init",
    .summary = "make a site: keys, certificates, broker files",
    .options = options,
    .text = "The folder is made elsewhere and then given its name: an interrupted run leaves no "
            "site. ca/key.pem signs everything: it is locked by a passphrase, which is asked for "
            "here and whenever a certificate or the revocation list is made. Keep a copy of the "
            "site off this computer ('sluice backup').",
    .manual =
        "A site is one folder that holds everything a broker, its operators and its nodes are: "
        "a certificate authority of its own, the broker's certificate and configuration, and for "
        "every operator a certificate that may switch and a second one, NAME-watch, that may only "
        "read. All keys are P-256. A folder that exists is never overwritten.\n\n"
        "The authority lasts 20 years, an operator's or a node's certificate 3 years, the "
        "broker's 90 days; 'sluice broker run' renews the broker's by itself.\n\n"
        "The passphrase comes from --passphrase-fd, from the file that $SLUICE_PASSPHRASE_FILE "
        "names, from the credential ca-passphrase of a service, or from the terminal, where it is "
        "typed twice. 'sluice ca passphrase' changes it.\n\n"
        "To reach the broker from other computers, give the address it has there as --bind and "
        "the name or address that others use as --broker-host.",
    .examples =
        (const struct sl_example[]){
            {"sluice init", "a site in ./site, for this computer only:"},
            {"sluice --site /etc/sluice init --broker-host broker.lan --bind 192.168.1.1",
             "a site whose broker is reached from the network:"},
            {"sluice init --operator anna --operator bob", "two operators, each with a key:"},
            {"3</run/secrets/ca sluice init --passphrase-fd 3", "from a script:"},
            {NULL, NULL}},
    .run = run,
};

static enum sl_exit make(const struct sl_site *site, const char *temporary,
                         const struct sl_passphrase *passphrase);
static void print_made(const struct sl_site *site, const char *root, bool is_locked);
static void print_json(const struct sl_site *site, bool is_locked);
static enum sl_exit check_names(struct sl_site *site, const char *const *operators, size_t len);
static enum sl_exit take_passphrase(const char *root, bool wants_none,
                                    struct sl_passphrase *passphrase);
static enum sl_exit build(const struct sl_site *site, const char *folder,
                          const struct sl_passphrase *passphrase);
static enum sl_exit make_canaries(const struct sl_authority *authority, const char *folder);
static enum sl_exit issue_into(const struct sl_authority *authority, const char *root,
                               const char *folder, enum sl_pki_purpose purpose, const char *name,
                               const char *names);

static enum sl_exit run(struct sl_cli *cli)
{
    struct sl_value *operators = &cli->values[OPERATOR];
    if (operators->list_len == 0)
        operators->list[operators->list_len++] = "operator";
    struct sl_site site = {.port = (uint16_t)cli->values[PORT].number};
    const char *const given[] = {cli->values[BROKER_NAME].text, cli->values[BROKER_HOST].text,
                                 cli->values[BIND].text};
    char *const taken[] = {site.broker_name, site.host, site.bind};
    for (size_t i = 0; i < 3; i++)
        if (!sl_cli_copy(taken[i], SL_HOST_MAX + 1, given[i]) || !sl_site_is_host(given[i]))
            return sl_cli_fail(SL_ERROR(HOST_BAD), given[i]);
    if (!sl_site_is_address(site.bind))
        return sl_cli_fail(SL_ERROR(BIND_BAD), site.bind);
    enum sl_exit code = check_names(&site, operators->list, operators->list_len);
    if (code != SL_EXIT_DONE)
        return code;

    bool is_open = cli->values[NO_PASSPHRASE].is_given;
    struct sl_passphrase passphrase;
    struct sl_path path, temporary;
    code = take_passphrase(cli->site_root, is_open, &passphrase);
    if (code == SL_EXIT_DONE)
        code = sl_folder_begin(cli->site_root, &path, &temporary);
    if (code == SL_EXIT_DONE) {
        snprintf(site.root, sizeof site.root, "%s", path.text);
        code = make(&site, temporary.text, &passphrase);
    }
    sl_wipe(&passphrase, sizeof passphrase);
    if (code != SL_EXIT_DONE)
        return code;
    if (cli->values[JSON].is_given)
        print_json(&site, !is_open);
    else
        print_made(&site, cli->site_root, !is_open);
    return SL_EXIT_DONE;
}

/* Before anything is written. */
static enum sl_exit take_passphrase(const char *root, bool wants_none,
                                    struct sl_passphrase *passphrase)
{
    struct stat about;
    *passphrase = (struct sl_passphrase){.len = 0};
    if (lstat(root, &about) == 0) /* nobody likes to be told after typing it twice */
        return sl_cli_fail(SL_ERROR(SITE_EXISTS), root);
    if (wants_none)
        return SL_EXIT_DONE;
    const struct sl_passphrase_ask ask = {.what = "the new CA's key",
                                          .variable = SL_AUTHORITY_VARIABLE,
                                          .credential = SL_AUTHORITY_CREDENTIAL,
                                          .is_new = true,
                                          .may_ask = true};
    enum sl_exit code = sl_passphrase_take(&ask, passphrase);
    return code == SL_EXIT_REFUSED ? sl_cli_fail(SL_ERROR(PASSPHRASE_UNCHOSEN)) : code;
}

/* temporary: an empty folder, which becomes the site or goes. */
static enum sl_exit make(const struct sl_site *site, const char *temporary,
                         const struct sl_passphrase *passphrase)
{
    enum sl_exit code = build(site, temporary, passphrase);
    if (code == SL_EXIT_DONE) {
        code = sl_folder_publish(temporary, site->root);
        if (code == SL_EXIT_REFUSED)
            code = sl_cli_fail(SL_ERROR(SITE_EXISTS), site->root);
    }
    if (code != SL_EXIT_DONE)
        sl_folder_remove(temporary);
    return code;
}

static void print_made(const struct sl_site *site, const char *root, bool is_locked)
{
    printf("site %s is made: broker '%s' at %s:%u, %zu operator%s\n"
           "the CA's key is %s\n"
           "next: sluice --site %s broker run\n"
           "then: sluice --site %s node enrol NAME --port LINE\n",
           site->root, site->broker_name, site->host, site->port, site->operators_len,
           site->operators_len == 1 ? "" : "s",
           is_locked ? "locked by the passphrase: without it no certificate can be made"
                     : "not locked: whoever reads ca/key.pem can make certificates "
                       "('sluice ca passphrase' locks it)",
           root, root);
}

static void print_json(const struct sl_site *site, bool is_locked)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "site", site->root);
    cJSON *broker = cJSON_AddObjectToObject(json, "broker");
    cJSON_AddStringToObject(broker, "name", site->broker_name);
    cJSON_AddStringToObject(broker, "host", site->host);
    cJSON_AddNumberToObject(broker, "port", site->port);
    cJSON *operators = cJSON_AddArrayToObject(json, "operators");
    for (size_t i = 0; i < site->operators_len; i++)
        cJSON_AddItemToArray(operators, cJSON_CreateString(site->operators[i]));
    cJSON_AddBoolToObject(json, "ca_key_locked", is_locked);
    sl_cli_print_json(json);
}

static enum sl_exit check_names(struct sl_site *site, const char *const *operators, size_t len)
{
    if (strchr(site->broker_name, ':') || strlen(site->broker_name) < 2)
        return sl_cli_fail(SL_ERROR(BROKER_NAME_BAD), site->broker_name);
    for (size_t i = 0; i < len && operators[i]; i++) {
        const char *name = operators[i];
        size_t name_len = strlen(name), suffix_len = strlen(SL_WATCH_SUFFIX);
        if (!sl_identity_is_name(sl_view_text(name)) || name_len > SL_OPERATOR_NAME_MAX)
            return sl_cli_fail(SL_ERROR(OPERATOR_NAME_BAD), name, SL_OPERATOR_NAME_MAX);
        /* Names of hosts have no case. */
        if (strcasecmp(name, site->broker_name) == 0 || strcasecmp(name, site->host) == 0 ||
            strcmp(name, "localhost") == 0)
            return sl_cli_fail(SL_ERROR(OPERATOR_NAME_BROKER), name);
        if (name_len >= suffix_len && strcmp(name + name_len - suffix_len, SL_WATCH_SUFFIX) == 0)
            return sl_cli_fail(SL_ERROR(OPERATOR_NAME_WATCH), name);
        for (size_t k = 0; k < site->operators_len; k++)
            if (strcmp(site->operators[k], name) == 0)
                return sl_cli_fail(SL_ERROR(OPERATOR_TWICE), name);
        snprintf(site->operators[site->operators_len++], sizeof(sl_name), "%s", name);
    }
    return SL_EXIT_DONE;
}

static enum sl_exit build(const struct sl_site *site, const char *folder,
                          const struct sl_passphrase *passphrase)
{
    static const char *const folders[] = {"ca", "broker", "operators", "nodes", "run"};
    enum sl_exit code = SL_EXIT_DONE;
    for (size_t i = 0; i < 5 && code == SL_EXIT_DONE; i++)
        code = sl_folder_make(sl_path_join(folder, folders[i]).text);

    struct sl_authority authority = {.current = {NULL, NULL}};
    if (code == SL_EXIT_DONE)
        code = sl_issue_authority(folder, &authority.current);
    if (code == SL_EXIT_DONE)
        code = sl_authority_save(&authority.current, sl_path_join(folder, "ca").text,
                                 passphrase->text, passphrase->len);
    if (code == SL_EXIT_DONE)
        code = make_canaries(&authority, folder);

    char names[SL_PKI_NAMES_MAX];
    sl_pki_list_server_names(site, names);
    if (code == SL_EXIT_DONE)
        code = issue_into(&authority, folder, "broker", SL_PKI_SERVER, site->broker_name, names);
    for (size_t i = 0; i < site->operators_len * 2 && code == SL_EXIT_DONE; i++) {
        char name[SL_NAME_MAX + 1], path[64];
        sl_site_user(site, i, name);
        snprintf(path, sizeof path, "operators/%s", name);
        snprintf(names, sizeof names, "DNS:%s.operator.invalid", name);
        code = sl_folder_make(sl_path_join(folder, path).text);
        if (code == SL_EXIT_DONE)
            code = issue_into(&authority, folder, path, SL_PKI_OPERATOR, name, names);
    }
    if (code == SL_EXIT_DONE)
        code = sl_folder_flush(sl_path_join(folder, "operators").text);
    struct sl_path broker = sl_path_join(folder, "broker");
    const struct sl_site_nodes none = {NULL, 0};
    if (code == SL_EXIT_DONE)
        code = sl_broker_write_acl(site, &none, broker.text);
    if (code == SL_EXIT_DONE)
        code = sl_broker_write_conf(site, broker.text);
    if (code == SL_EXIT_DONE)
        code = sl_site_save(site, folder);
    if (code == SL_EXIT_DONE)
        code = sl_folder_flush(folder);
    sl_authority_close(&authority);
    return code;
}

/* And the first revocation list, which the revoked one is on. */
static enum sl_exit make_canaries(const struct sl_authority *authority, const char *folder)
{
    struct sl_canaries canaries;
    enum sl_exit code = sl_canary_make(authority, folder, &canaries);
    if (code == SL_EXIT_DONE)
        code = sl_crl_write(authority, folder, NULL, NULL);
    sl_canary_free(&canaries);
    return code;
}

static enum sl_exit issue_into(const struct sl_authority *authority, const char *root,
                               const char *folder, enum sl_pki_purpose purpose, const char *name,
                               const char *names)
{
    struct sl_pki_pair pair = {NULL, NULL};
    enum sl_exit code = sl_issue_certificate(authority, root, purpose, name, names, &pair);
    if (code == SL_EXIT_DONE)
        code = sl_pki_save(&pair, sl_path_join(root, folder).text);
    sl_pki_free(&pair);
    return code;
}
