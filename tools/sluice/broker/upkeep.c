/* What ends soon is renewed, if the authority's key is here and opens. */
#include "broker/upkeep.h"
#include "broker/files.h"
#include "ca/crl.h"
#include "ca/issue.h"
#include "site/terms.h"
#include <unistd.h>

#define BUSY_MS 5000 /* what another command gets to finish with the site */

/* What was found, in days, and the canaries. */
struct state {
    long list, server;
    bool needs_list, needs_server, needs_canaries;
};

static enum sl_exit look(const struct sl_site *site, struct state *state);
static enum sl_exit sign(const struct sl_site *site, const struct sl_authority *authority,
                         const struct state *state, struct sl_upkeep *done);
static enum sl_exit renew_list(const struct sl_site *site, const struct sl_authority *authority);
static bool has_canary(const struct sl_site *site, X509_CRL *crl);

bool sl_upkeep_is_renewed(const struct sl_upkeep *done)
{
    return done->has_list || done->has_server || done->has_canaries;
}

enum sl_exit sl_upkeep_renew(const struct sl_site *site, enum sl_upkeep_caller caller,
                             struct sl_upkeep *done)
{
    struct sl_authority authority;
    struct state state;
    *done = (struct sl_upkeep){.is_locked = false};
    enum sl_exit code = look(site, &state);
    done->days = state.list < state.server ? state.list : state.server;
    if (code != SL_EXIT_DONE || (!state.needs_list && !state.needs_server && !state.needs_canaries))
        return code;
    bool may_ask = caller == SL_UPKEEP_COMMAND && isatty(STDIN_FILENO);
    code = sl_authority_open(site, may_ask, &authority);
    if (code == SL_EXIT_REFUSED) {
        done->is_locked = true;
        if (done->days == 0)
            return sl_cli_fail(SL_ERROR(BROKER_FILES_ENDED), site->root);
        sl_cli_note("the CA's key is locked: run 'sluice maintain' within %ld days, before the "
                    "revocation list or the broker's certificate ends",
                    done->days);
        return SL_EXIT_DONE;
    }
    if (code != SL_EXIT_DONE)
        return code;
    /* Not while another command may be adding to the list: what we read would be the one before.
     * That command's own list is new; so what still lasts can wait for the next look. */
    if (caller == SL_UPKEEP_SERVICE)
        code = sl_site_lock(site, "site", done->days > 0 ? 0 : BUSY_MS);
    bool is_busy = code == SL_EXIT_REFUSED;
    if (is_busy)
        code = done->days > 0 ? SL_EXIT_DONE : sl_cli_fail(SL_ERROR(SITE_BUSY), site->root);
    if (code == SL_EXIT_DONE && !is_busy)
        code = look(site, &state); /* after whoever had the lock before us */
    if (code == SL_EXIT_DONE && !is_busy)
        code = sign(site, &authority, &state, done);
    if (caller == SL_UPKEEP_SERVICE && !is_busy)
        sl_site_unlock(site, "site");
    sl_authority_close(&authority);
    return code;
}

static enum sl_exit look(const struct sl_site *site, struct state *state)
{
    struct sl_authority authority;
    X509_CRL *crl = NULL;
    struct sl_pki_pair server = {NULL, NULL};
    *state = (struct state){.list = 0};
    enum sl_exit code = sl_authority_read(site, &authority);
    if (code == SL_EXIT_DONE)
        code = sl_crl_read(site, &authority, &crl);
    if (code == SL_EXIT_DONE)
        code = sl_pki_load(sl_path_join(site->root, "broker").text, &server);
    if (code == SL_EXIT_DONE) {
        state->list = sl_crl_days_left(crl);
        state->server = sl_authority_days_left(&authority, server.certificate);
        state->needs_canaries = sl_canary_is_due(site, &authority);
        state->needs_list = state->list < sl_terms[SL_TERM_CRL].renew || !has_canary(site, crl);
        state->needs_server = state->server < sl_terms[SL_TERM_SERVER].renew;
    }
    sl_pki_free(&server);
    X509_CRL_free(crl);
    sl_authority_close(&authority);
    return code;
}

/* Is the revoked one on the list? Where there is none, that is no fault of the list. */
static bool has_canary(const struct sl_site *site, X509_CRL *crl)
{
    X509 *canary = NULL;
    struct sl_path path = sl_path_join(site->root, "canary/revoked/certificate.pem");
    bool is_listed = access(path.text, F_OK) != 0 ||
                     sl_pki_load_certificate(path.text, &canary) != SL_EXIT_DONE ||
                     sl_crl_has(crl, X509_get0_serialNumber(canary));
    X509_free(canary);
    return is_listed;
}

static enum sl_exit sign(const struct sl_site *site, const struct sl_authority *authority,
                         const struct state *state, struct sl_upkeep *done)
{
    enum sl_exit code = SL_EXIT_DONE;
    if (state->needs_canaries) {
        code = sl_canary_renew(site, authority, &done->has_canaries); /* and the list */
        if (code == SL_EXIT_DONE)
            sl_cli_note("the canaries were made anew");
    }
    if (code == SL_EXIT_DONE && state->needs_list) {
        code = renew_list(site, authority);
        done->has_list = code == SL_EXIT_DONE;
    }
    if (code == SL_EXIT_DONE && state->needs_server) {
        code = sl_upkeep_renew_server(site, authority);
        done->has_server = code == SL_EXIT_DONE;
        if (done->has_server)
            sl_cli_note("the broker's certificate was renewed for %d days", SL_PKI_SERVER_DAYS);
    }
    return code;
}

static enum sl_exit renew_list(const struct sl_site *site, const struct sl_authority *authority)
{
    X509_CRL *crl = NULL;
    enum sl_exit code = sl_crl_read(site, authority, &crl);
    if (code == SL_EXIT_DONE)
        code = sl_crl_write(authority, site->root, crl, NULL);
    if (code == SL_EXIT_DONE)
        sl_cli_note("the revocation list was renewed for %d days", SL_CRL_DAYS);
    X509_CRL_free(crl);
    return code;
}

/* The key stays: certificate.pem alone is replaced, at once. */
enum sl_exit sl_upkeep_renew_server(const struct sl_site *site,
                                    const struct sl_authority *authority)
{
    struct sl_path folder = sl_path_join(site->root, "broker");
    struct sl_pki_pair server = {NULL, NULL};
    char names[SL_PKI_NAMES_MAX];
    sl_pki_list_server_names(site, names);
    enum sl_exit code = sl_pki_load(folder.text, &server);
    if (code != SL_EXIT_DONE)
        return code;
    X509_free(server.certificate);
    server.certificate = NULL;
    code = sl_issue_certificate(authority, site->root, SL_PKI_SERVER, site->broker_name, names,
                                &server);
    if (code == SL_EXIT_DONE)
        code = sl_pki_save_certificate(&server, folder.text);
    sl_pki_free(&server);
    return code;
}

enum sl_exit sl_upkeep_write_acl(const struct sl_site *site)
{
    struct sl_site_nodes nodes;
    uint64_t list_end_s;
    enum sl_exit code = sl_crl_find_nodes(site, NULL, &nodes, &list_end_s);
    if (code != SL_EXIT_DONE)
        return code;
    code = sl_broker_write_acl(site, &nodes, sl_path_join(site->root, "broker").text);
    sl_site_free_nodes(&nodes);
    return code;
}
