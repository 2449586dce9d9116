/* sluice operator renew: an operator's keys and certificates anew. */
#include "broker/apply.h"
#include "broker/files.h"
#include "ca/crl.h"
#include "ca/issue.h"
#include <cjson/cJSON.h>
#include <openssl/asn1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JSON };
static const struct sl_option options[] = {
    [JSON] = SL_OPTION_JSON("what was made as one JSON object"),
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_operator_renew = {
    .name = "operator renew",
    .summary = "make an operator's keys and certificates anew",
    .arguments =
        (const struct sl_argument[]){
            {.name = "NAME",
             .help = "the operator; the read-only NAME-watch is renewed with it",
             .offer = SL_OFFER_OPERATORS},
            {.name = NULL}},
    .options = options,
    .text = "For a certificate that ends or has ended, and for a key that somebody else may have: "
            "every earlier certificate of the operator goes on the revocation list, and a running "
            "broker is told.",
    .manual = "The new files are in operators/NAME and operators/NAME-watch: copies of the old "
              "ones, for instance those that 'sluice client-args' names on another computer, stop "
              "working. A connection that is open with an old certificate is not cut. When the "
              "command is interrupted, run it again.",
    .examples = (const struct sl_example[]){{"sluice operator renew operator",
                                             "before or after the certificate's end:"},
                                            {NULL, NULL}},
    .run = run,
};

#define USERS 2 /* the operator, and the one who may only read */

static enum sl_exit renew(const struct sl_site *site, const struct sl_authority *authority,
                          const sl_name users[USERS], uint64_t *not_after_s);
static enum sl_exit revoke(const struct sl_site *site, const struct sl_authority *authority,
                           const sl_name users[USERS]);
static enum sl_exit replace(const struct sl_site *site, const struct sl_authority *authority,
                            const char *user, uint64_t *not_after_s);
static void print_made(const struct sl_site *site, const sl_name users[USERS], uint64_t not_after_s,
                       bool wants_json);

static enum sl_exit run(struct sl_cli *cli)
{
    struct sl_site site;
    sl_name users[USERS];
    uint64_t not_after_s = 0;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    for (int i = 0; i < USERS && code == SL_EXIT_DONE; i++)
        code = sl_site_find_operator(&site, cli->words[0], i == 1, users[i]);
    if (code != SL_EXIT_DONE)
        return code;
    code = sl_site_lock(&site, "site", 5000);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(SITE_BUSY), site.root);
    struct sl_authority authority;
    if (code == SL_EXIT_DONE)
        code = sl_authority_open(&site, true, &authority);
    if (code != SL_EXIT_DONE)
        return code;
    code = renew(&site, &authority, users, &not_after_s);
    sl_authority_close(&authority);
    bool is_running = false;
    if (code == SL_EXIT_DONE)
        code = sl_apply_everywhere(&site, &is_running);
    if (code == SL_EXIT_DONE)
        print_made(&site, users, not_after_s, cli->values[JSON].is_given);
    return code;
}

/* The list first: what fails then leaves an operator who is shut out, and the same command to
 * repeat, but no key that still works and stands nowhere. */
static enum sl_exit renew(const struct sl_site *site, const struct sl_authority *authority,
                          const sl_name users[USERS], uint64_t *not_after_s)
{
    enum sl_exit code = revoke(site, authority, users);
    for (int i = 0; i < USERS && code == SL_EXIT_DONE; i++)
        code = replace(site, authority, users[i], not_after_s);
    return code;
}

static enum sl_exit revoke(const struct sl_site *site, const struct sl_authority *authority,
                           const sl_name users[USERS])
{
    X509_CRL *before = NULL;
    STACK_OF(ASN1_INTEGER) *serials = sk_ASN1_INTEGER_new_null();
    enum sl_exit code =
        serials ? sl_crl_read(site, authority, &before) : sl_cli_fail(SL_ERROR(MEMORY));
    for (int i = 0; i < USERS && code == SL_EXIT_DONE; i++)
        code = sl_crl_collect_operator(site, users[i], before, serials);
    if (code == SL_EXIT_DONE)
        code = sl_crl_write(authority, site->root, before, serials);
    sk_ASN1_INTEGER_pop_free(serials, ASN1_INTEGER_free);
    X509_CRL_free(before);
    return code;
}

/* The folder is built under a hidden name and takes the place of the one before at one stroke. */
static enum sl_exit replace(const struct sl_site *site, const struct sl_authority *authority,
                            const char *user, uint64_t *not_after_s)
{
    struct sl_path folder = sl_path_join(site->root, "operators");
    struct sl_path temporary = sl_path_join(folder.text, ".new.XXXXXX");
    if (!mkdtemp(temporary.text))
        return sl_file_fail("make a folder in", folder.text);
    char names[SL_PKI_NAMES_MAX];
    snprintf(names, sizeof names, "DNS:%s.operator.invalid", user);
    struct sl_pki_pair pair = {NULL, NULL};
    enum sl_exit code =
        sl_issue_certificate(authority, site->root, SL_PKI_OPERATOR, user, names, &pair);
    if (code == SL_EXIT_DONE)
        code = sl_pki_save(&pair, temporary.text);
    if (code == SL_EXIT_DONE)
        code = sl_folder_flush(temporary.text);
    if (code == SL_EXIT_DONE)
        code = sl_folder_exchange(temporary.text, sl_path_join(folder.text, user).text);
    if (code == SL_EXIT_DONE)
        *not_after_s = sl_pki_not_after(pair.certificate);
    sl_folder_remove(temporary.text);
    sl_pki_free(&pair);
    return code;
}

static void print_made(const struct sl_site *site, const sl_name users[USERS], uint64_t not_after_s,
                       bool wants_json)
{
    char day[16];
    sl_site_print_date(day, not_after_s);
    if (!wants_json) {
        printf("operator %s has new keys and certificates until %s, also to read only, in "
               "%s/operators\n"
               "every earlier certificate of it is on the revocation list\n",
               users[0], day, site->root);
        return;
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "operator", users[0]);
    cJSON_AddStringToObject(json, "last_day", day);
    sl_cli_print_json(json);
}
