/* sluice node revoke, and what 'node add' takes from it. */
#include "ca/revoke.h"
#include "broker/apply.h"
#include "broker/files.h"
#include "broker/probe.h"
#include "ca/issue.h"
#include <cjson/cJSON.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { JSON };
static const struct sl_option options[] = {
    [JSON] = SL_OPTION_JSON("what was done as one JSON object"),
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_node_revoke = {
    .name = "node revoke",
    .summary = "shut a node out, now and for good",
    .arguments = (const struct sl_argument[]){{.name = "NAME",
                                               .help = "the node; also one whose folder is gone",
                                               .offer = SL_OFFER_NODES},
                                              {.name = NULL}},
    .options = options,
    .text =
        "Every certificate that was ever made for the node goes on the revocation list, and the "
        "broker's access list forbids it everything. A running broker reads both at once, the "
        "node's connection is ended, and a certificate that was revoked with the others is tried: "
        "a broker that lets it in is stopped. Without a running broker the lists hold from its "
        "next start.\n\n"
        "'sluice node enrol NAME --port LINE --replace' gives the name to another device, which "
        "makes "
        "its own key; 'sluice node add NAME --replace' to one that gets its key as a file.",
    .manual =
        "The two certificates that are made for the proof stand in issued.log as visitors; they "
        "last for a day, and their keys are in no file. It does no harm to revoke a node again.\n\n"
        "The broker is that of 'sluice broker run', or else the Mosquitto of this computer that "
        "'sluice broker install' gave its files. One on another computer has to be given them: see "
        "the bundles of 'sluice broker install'.",
    .examples =
        (const struct sl_example[]){{"sluice node revoke garden", "a device that was lost:"},
                                    {"sluice node revoke garden --json | jq -r .broker",
                                     "whether a broker had to be told, for a script:"},
                                    {NULL, NULL}},
    .run = run,
};

static enum sl_exit shut_out(const struct sl_site *site, struct sl_site_nodes *nodes,
                             const char *name, struct sl_revocation *revocation);
static enum sl_exit make_visitors(const struct sl_site *site, const struct sl_authority *authority,
                                  struct sl_revocation *revocation);
static enum sl_exit add_to_list(const struct sl_site *site, const struct sl_authority *authority,
                                X509_CRL *before, STACK_OF(ASN1_INTEGER) * serials,
                                struct sl_revocation *revocation);
static enum sl_exit prove(const struct sl_revocation *revocation);

/* --- the subcommand ------------------------------------------------------------------------- */

static enum sl_exit run(struct sl_cli *cli)
{
    const char *name = cli->words[0];
    struct sl_site site;
    struct sl_site_nodes nodes;
    char clean[64];
    sl_cli_clean(clean, sizeof clean, name, strlen(name));
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code != SL_EXIT_DONE)
        return code;
    if (!sl_identity_is_name(sl_view_text(name)))
        return sl_cli_fail(SL_ERROR(NODE_NAME_BAD), clean, SL_NAME_MAX);
    code = sl_site_lock(&site, "site", 5000);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(SITE_BUSY), site.root);
    if (code == SL_EXIT_DONE)
        code = sl_site_read_nodes(&site, &nodes);
    if (code != SL_EXIT_DONE)
        return code;

    struct sl_revocation revocation = {.site = &site};
    code = shut_out(&site, &nodes, name, &revocation);
    if (code == SL_EXIT_DONE && cli->values[JSON].is_given) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "name", revocation.name);
        sl_revoke_describe(&revocation, json);
        sl_cli_print_json(json);
    } else if (code == SL_EXIT_DONE) {
        sl_revoke_print(&revocation);
        printf("%s is revoked; another device gets the name by 'sluice node enrol %s --port LINE "
               "--replace', or as a file by 'sluice node add %s --replace'\n",
               revocation.name, revocation.name, revocation.name);
    }
    sl_revoke_end(&revocation);
    sl_site_free_nodes(&nodes);
    return code;
}

static enum sl_exit shut_out(const struct sl_site *site, struct sl_site_nodes *nodes,
                             const char *name, struct sl_revocation *revocation)
{
    struct sl_authority authority;
    uint64_t list_end_s;
    enum sl_exit code = sl_authority_open(site, true, &authority);
    if (code != SL_EXIT_DONE)
        return code;
    code = sl_revoke_begin(site, &authority, name, NULL, revocation);
    sl_authority_close(&authority);
    if (code == SL_EXIT_DONE)
        code = sl_crl_mark(site, nodes, &list_end_s);
    if (code == SL_EXIT_DONE)
        code = sl_broker_write_acl(site, nodes, sl_path_join(site->root, "broker").text);
    return code == SL_EXIT_DONE ? sl_revoke_enforce(revocation) : code;
}

/* --- the files ------------------------------------------------------------------------------ */

enum sl_exit sl_revoke_begin(const struct sl_site *site, const struct sl_authority *authority,
                             const char *name, X509 *keep, struct sl_revocation *revocation)
{
    *revocation = (struct sl_revocation){.site = site};
    snprintf(revocation->name, sizeof revocation->name, "%s", name);
    X509_CRL *before = NULL;
    STACK_OF(ASN1_INTEGER) *serials = sk_ASN1_INTEGER_new_null();
    bool is_known = false;
    enum sl_exit code =
        serials ? sl_crl_read(site, authority, &before) : sl_cli_fail(SL_ERROR(MEMORY));
    if (code == SL_EXIT_DONE)
        code = sl_crl_collect(site, name, before, keep ? X509_get0_serialNumber(keep) : NULL,
                              serials, &is_known);
    if (code == SL_EXIT_DONE && !is_known)
        code = sl_cli_fail(SL_ERROR(NODE_UNKNOWN), revocation->name);
    if (code == SL_EXIT_DONE) {
        revocation->revoked = (size_t)sk_ASN1_INTEGER_num(serials);
        code = make_visitors(site, authority, revocation);
    }
    if (code == SL_EXIT_DONE)
        code = add_to_list(site, authority, before, serials, revocation);
    sk_ASN1_INTEGER_pop_free(serials, ASN1_INTEGER_free);
    X509_CRL_free(before);
    return code;
}

static enum sl_exit make_visitors(const struct sl_site *site, const struct sl_authority *authority,
                                  struct sl_revocation *revocation)
{
    char names[SL_PKI_NAMES_MAX];
    snprintf(names, sizeof names, "DNS:%s.device.invalid", revocation->name);
    enum sl_exit code = sl_issue_certificate(authority, site->root, SL_PKI_VISITOR,
                                             revocation->name, names, &revocation->refused);
    return code == SL_EXIT_DONE ? sl_issue_certificate(authority, site->root, SL_PKI_VISITOR,
                                                       revocation->name, names, &revocation->good)
                                : code;
}

static enum sl_exit add_to_list(const struct sl_site *site, const struct sl_authority *authority,
                                X509_CRL *before, STACK_OF(ASN1_INTEGER) * serials,
                                struct sl_revocation *revocation)
{
    ASN1_INTEGER *refused =
        ASN1_INTEGER_dup(X509_get0_serialNumber(revocation->refused.certificate));
    if (!refused || sk_ASN1_INTEGER_push(serials, refused) <= 0) {
        ASN1_INTEGER_free(refused);
        return sl_cli_fail(SL_ERROR(MEMORY));
    }
    revocation->list_end_s = (uint64_t)time(NULL) + SL_CRL_DAYS * 86400u;
    return sl_crl_write(authority, site->root, before, serials);
}

void sl_revoke_end(struct sl_revocation *revocation)
{
    sl_pki_free(&revocation->refused);
    sl_pki_free(&revocation->good);
}

/* --- the broker ----------------------------------------------------------------------------- */

enum sl_exit sl_revoke_enforce(struct sl_revocation *revocation)
{
    const struct sl_site *site = revocation->site;
    enum sl_exit code = sl_apply_everywhere(site, &revocation->is_running);
    if (!revocation->is_running)
        return code;
    if (code == SL_EXIT_DONE)
        code = prove(revocation);
    if (code != SL_EXIT_DONE && sl_talk_is_stopping()) {
        sl_cli_note("%s is on the revocation list, and the broker was told; stopped before it was "
                    "shown to obey: 'sluice node revoke %s' again shows it",
                    revocation->name, revocation->name);
    } else if (code != SL_EXIT_DONE) {
        sl_apply_stop(site);
        sl_cli_note("%s is on the revocation list, but the broker could not be shown to obey it "
                    "and was stopped",
                    revocation->name);
    }
    return code;
}

/* In this order: once a revoked certificate is refused the list is read and TLS sessions are
 * forgotten, so the session that the good one ends cannot come back. */
static enum sl_exit prove(const struct sl_revocation *revocation)
{
    struct sl_talk_visitor visitor = {
        .site = revocation->site, .name = revocation->name, .pair = &revocation->refused};
    enum sl_talk_welcome welcome = SL_WELCOME_IN;
    enum sl_exit code = sl_probe_refusal(&visitor);
    visitor.pair = &revocation->good;
    if (code == SL_EXIT_DONE)
        code = sl_talk_visit(&visitor, &welcome, NULL);
    return code == SL_EXIT_DONE && welcome != SL_WELCOME_IN
               ? sl_cli_fail(SL_ERROR(BROKER_REFUSES_ALL), SL_PROBE_SITE)
               : code;
}

/* --- words ---------------------------------------------------------------------------------- */

void sl_revoke_print(const struct sl_revocation *revocation)
{
    char day[16];
    sl_site_print_date(day, revocation->list_end_s);
    if (revocation->revoked > 0)
        printf("%zu certificate%s of %s put on the revocation list, which lasts until %s\n",
               revocation->revoked, revocation->revoked == 1 ? "" : "s", revocation->name, day);
    else
        printf("every earlier certificate of %s is on the revocation list, which lasts until %s\n",
               revocation->name, day);
    if (!revocation->is_running) {
        puts("no broker runs here: the list holds from its next start");
        return;
    }
    printf("the broker has read its lists again: it refuses a certificate revoked with them\n"
           "no connection made with them is open; the broker lets in who may, and no further\n");
}

void sl_revoke_describe(const struct sl_revocation *revocation, cJSON *json)
{
    char day[16];
    sl_site_print_date(day, revocation->list_end_s);
    cJSON_AddNumberToObject(json, "revoked", (double)revocation->revoked);
    cJSON_AddStringToObject(json, "revocation_list_last_day", day);
    cJSON_AddStringToObject(json, "broker", revocation->is_running ? "proven" : "not running");
}
