/* From a request to a grant, and from a node's word to the site's record. */
#include "site/renewing.h"
#include "ca/crl.h"
#include "ca/issue.h"
#include "site/journal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BUSY_MS 5000

static enum sl_exit answer(const struct sl_site *site, const struct sl_site_node *node,
                           const struct sl_authority *authority, struct sl_view request,
                           unsigned a_day, struct sl_renewing *renewing);
static enum sl_exit find_node(const struct sl_site *site, const char *name,
                              struct sl_site_node *node);
static bool is_for(const X509 *certificate, struct sl_view request);
static enum sl_exit check_rate(const struct sl_site *site, const char *name, unsigned a_day);
static enum sl_exit wait_for_later(const struct sl_site *site, const struct sl_site_node *node);
static enum sl_exit save(const struct sl_site *site, struct sl_site_node *node, X509 *certificate);

static struct sl_path next_folder(const struct sl_site *site, const char *name)
{
    char hidden[SL_NAME_MAX + 16];
    snprintf(hidden, sizeof hidden, ".renewed.%s", name);
    return sl_path_join3(site->root, "nodes", hidden);
}

static enum sl_exit lock(const struct sl_site *site)
{
    enum sl_exit code = sl_site_lock(site, "site", BUSY_MS);
    return code == SL_EXIT_REFUSED ? sl_cli_fail(SL_ERROR(SITE_BUSY), site->root) : code;
}

enum sl_exit sl_renewing_answer(const struct sl_site *site, const char *name,
                                struct sl_view request, unsigned a_day, bool may_ask,
                                struct sl_renewing *renewing)
{
    struct sl_authority authority = {.current = {NULL, NULL}};
    struct sl_site_node node;
    memset(renewing, 0, sizeof *renewing);
    enum sl_exit code = lock(site);
    if (code != SL_EXIT_DONE)
        return code;
    code = find_node(site, name, &node);
    if (code == SL_EXIT_DONE)
        code = sl_authority_open(site, may_ask, &authority);
    if (code == SL_EXIT_REFUSED && !may_ask && !authority.current.key)
        code = sl_cli_fail(SL_ERROR(RENEW_LOCKED), site->root);
    if (code == SL_EXIT_DONE)
        code = answer(site, &node, &authority, request, a_day, renewing);
    sl_authority_close(&authority);
    sl_site_unlock(site, "site");
    return code;
}

static enum sl_exit answer(const struct sl_site *site, const struct sl_site_node *node,
                           const struct sl_authority *authority, struct sl_view request,
                           unsigned a_day, struct sl_renewing *renewing)
{
    struct sl_path path = sl_path_join(next_folder(site, node->name).text, "certificate.pem");
    struct sl_site_node next = *node;
    X509 *certificate = NULL;
    enum sl_exit code = SL_EXIT_DONE;
    if (access(path.text, F_OK) == 0)
        code = sl_pki_load_certificate(path.text, &certificate);
    renewing->is_again = certificate && is_for(certificate, request) &&
                         sl_authority_days_left(authority, certificate) > 0;
    if (code == SL_EXIT_DONE && !renewing->is_again) {
        X509_free(certificate);
        certificate = NULL;
        code = check_rate(site, node->name, a_day);
        if (code == SL_EXIT_DONE)
            code = wait_for_later(site, node);
        if (code == SL_EXIT_DONE)
            code = sl_issue_for_request(authority, site->root, node->name, request, &certificate);
    }
    sl_site_new_address(site, &next);
    if (code == SL_EXIT_DONE)
        code = save(site, &next, certificate);
    if (code == SL_EXIT_DONE) {
        renewing->issued_s = sl_pki_issued(certificate);
        renewing->not_after_s = sl_pki_not_after(certificate);
        code = sl_pki_encode_grant(site, &next, authority, certificate, (struct sl_view){NULL, 0},
                                   (struct sl_view){NULL, 0}, renewing->grant, &renewing->len);
    }
    X509_free(certificate);
    return code;
}

static enum sl_exit find_node(const struct sl_site *site, const char *name,
                              struct sl_site_node *node)
{
    struct sl_site_nodes nodes;
    uint64_t end_s;
    enum sl_exit code = sl_crl_find_nodes(site, name, &nodes, &end_s);
    if (code != SL_EXIT_DONE)
        return code;
    if (nodes.list[0].is_revoked)
        code = sl_cli_fail(SL_ERROR(NODE_IS_REVOKED), name, name);
    *node = nodes.list[0];
    sl_site_free_nodes(&nodes);
    return code;
}

/* Of the key alone: whether it is a good request, is asked before anything is made of it. */
static bool is_for(const X509 *certificate, struct sl_view request)
{
    const unsigned char *at = request.data;
    X509_REQ *parsed = d2i_X509_REQ(NULL, &at, (long)request.len);
    EVP_PKEY *key = parsed ? X509_REQ_get0_pubkey(parsed) : NULL;
    bool is_same = key && EVP_PKEY_eq(key, X509_get0_pubkey(certificate)) == 1;
    X509_REQ_free(parsed);
    return is_same;
}

static enum sl_exit check_rate(const struct sl_site *site, const char *name, unsigned a_day)
{
    struct sl_journal journal;
    struct sl_journal_entry entry;
    char since[24];
    unsigned count = 0;
    if (a_day == 0)
        return SL_EXIT_DONE;
    sl_site_print_time(since, (uint64_t)time(NULL) - 86400);
    enum sl_exit code = sl_journal_open(site->root, &journal);
    while (code == SL_EXIT_DONE && sl_journal_next(&journal, &entry))
        count += strcmp(entry.name, name) == 0 && strcmp(entry.purpose, "node") == 0 &&
                 strcmp(entry.when, since) > 0;
    sl_journal_close(&journal);
    if (code == SL_EXIT_DONE && count >= a_day)
        code = sl_cli_fail(SL_ERROR(RENEW_TOO_OFTEN), name, count, name);
    return code;
}

/* A node takes only a certificate that is later than its own, by whole seconds. */
static enum sl_exit wait_for_later(const struct sl_site *site, const struct sl_site_node *node)
{
    struct sl_path folder = sl_path_join3(site->root, "nodes", node->name);
    X509 *certificate = NULL;
    enum sl_exit code =
        sl_pki_load_certificate(sl_path_join(folder.text, "certificate.pem").text, &certificate);
    if (code != SL_EXIT_DONE)
        return code;
    const uint64_t issued_s = sl_pki_issued(certificate);
    X509_free(certificate);
    while ((uint64_t)time(NULL) == issued_s)
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    return SL_EXIT_DONE;
}

/* The folder appears whole, in place of an earlier one. */
static enum sl_exit save(const struct sl_site *site, struct sl_site_node *node, X509 *certificate)
{
    const struct sl_pki_pair pair = {certificate, NULL};
    struct sl_path nodes = sl_path_join(site->root, "nodes");
    struct sl_path temporary = sl_path_join(nodes.text, ".new.XXXXXX");
    struct sl_path folder = next_folder(site, node->name);
    bool is_there = access(folder.text, F_OK) == 0;
    if (!mkdtemp(temporary.text))
        return sl_file_fail("make a folder in", nodes.text);
    node->not_after_s = sl_pki_not_after(certificate);
    node->has_own_key = true;
    node->is_unconfirmed = false;
    enum sl_exit code = sl_pki_save_certificate(&pair, temporary.text);
    if (code == SL_EXIT_DONE)
        code = sl_site_save_node(node, temporary.text);
    if (code == SL_EXIT_DONE)
        code = sl_folder_flush(temporary.text);
    if (code == SL_EXIT_DONE)
        code = is_there ? sl_folder_exchange(temporary.text, folder.text)
                        : sl_folder_publish(temporary.text, folder.text);
    if (code != SL_EXIT_DONE || is_there)
        sl_folder_remove(temporary.text);
    return code;
}

enum sl_exit sl_renewing_confirm(const struct sl_site *site, const char *name, uint64_t issued_s,
                                 bool *is_done)
{
    struct sl_path next = next_folder(site, name);
    struct sl_path path = sl_path_join(next.text, "certificate.pem");
    struct sl_path folder = sl_path_join3(site->root, "nodes", name);
    X509 *certificate = NULL;
    *is_done = false;
    if (issued_s == 0 || access(path.text, F_OK) != 0)
        return SL_EXIT_DONE;
    enum sl_exit code = lock(site);
    if (code != SL_EXIT_DONE)
        return code;
    if (access(folder.text, F_OK) == 0 && access(path.text, F_OK) == 0)
        code = sl_pki_load_certificate(path.text, &certificate);
    if (certificate && sl_pki_issued(certificate) == issued_s) {
        code = sl_folder_exchange(next.text, folder.text);
        *is_done = code == SL_EXIT_DONE;
        if (*is_done)
            sl_folder_remove(next.text); /* a key that was made here is in there, too */
    }
    X509_free(certificate);
    sl_site_unlock(site, "site");
    return code;
}
