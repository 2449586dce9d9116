/* Reading the ends of everything. */
#include "site/ends.h"
#include "ca/authority.h"
#include "ca/crl.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

static void add(struct sl_ends *ends, enum sl_term term, const char *name, uint64_t not_after_s,
                long days);
static void add_certificate(struct sl_ends *ends, enum sl_term term, const char *name,
                            const char *folder);

enum sl_exit sl_ends_read(const struct sl_site *site, const struct sl_site_nodes *nodes,
                          struct sl_ends *ends)
{
    struct sl_cli_told told = {.is_told = false};
    struct sl_path ca = sl_path_join(site->root, "ca");
    struct sl_authority authority;
    X509_CRL *crl = NULL;
    ends->len = 0;
    ends->list = calloc(nodes->len + site->operators_len * 2 + 4, sizeof *ends->list);
    if (!ends->list)
        return sl_cli_fail(SL_ERROR(MEMORY));
    sl_cli_listen(&told);
    add_certificate(ends, SL_TERM_AUTHORITY, "", ca.text);
    add_certificate(ends, SL_TERM_AUTHORITY, "next", sl_path_join(ca.text, "next").text);
    add_certificate(ends, SL_TERM_SERVER, "", sl_path_join(site->root, "broker").text);
    if (sl_authority_read(site, &authority) == SL_EXIT_DONE) {
        if (sl_crl_read(site, &authority, &crl) == SL_EXIT_DONE)
            add(ends, SL_TERM_CRL, "", sl_crl_not_after(crl), sl_crl_days_left(crl));
        X509_CRL_free(crl);
        sl_authority_close(&authority);
    }
    for (size_t i = 0; i < site->operators_len * 2; i++) {
        sl_name name;
        sl_site_user(site, i, name);
        add_certificate(ends, SL_TERM_OPERATOR, name,
                        sl_path_join3(site->root, "operators", name).text);
    }
    for (size_t i = 0; i < nodes->len; i++)
        if (!nodes->list[i].is_revoked)
            add_certificate(ends, SL_TERM_NODE, nodes->list[i].name,
                            sl_path_join3(site->root, "nodes", nodes->list[i].name).text);
    sl_cli_listen(NULL);
    return SL_EXIT_DONE;
}

static void add_certificate(struct sl_ends *ends, enum sl_term term, const char *name,
                            const char *folder)
{
    X509 *one = NULL;
    struct sl_path path = sl_path_join(folder, "certificate.pem");
    if (sl_pki_load_certificate(path.text, &one) != SL_EXIT_DONE)
        return;
    add(ends, term, name, sl_pki_not_after(one),
        sl_pki_days_until(X509_get0_notBefore(one), X509_get0_notAfter(one)));
    X509_free(one);
}

static void add(struct sl_ends *ends, enum sl_term term, const char *name, uint64_t not_after_s,
                long days)
{
    struct sl_end *end = &ends->list[ends->len++];
    *end = (struct sl_end){.term = term, .not_after_s = not_after_s, .days = days};
    (void)sl_cli_copy(end->name, sizeof end->name, name);
    end->state = sl_term_judge(term, days);
}

void sl_ends_free(struct sl_ends *ends)
{
    free(ends->list);
    *ends = (struct sl_ends){NULL, 0};
}

void sl_ends_warn(const struct sl_ends *ends)
{
    for (size_t i = 0; i < ends->len; i++) {
        const struct sl_end *end = &ends->list[i];
        char day[16];
        if (end->state == SL_TERM_FINE || end->term == SL_TERM_NODE || end->term == SL_TERM_CRL)
            continue;
        sl_site_print_date(day, end->not_after_s);
        sl_cli_note("the %s%s%s %s on %s%s: see 'sluice doctor'", sl_terms[end->term].what,
                    end->name[0] ? " of " : "", end->name,
                    end->state == SL_TERM_OVER ? "ended" : "ends", day,
                    end->state == SL_TERM_URGENT ? ", which is urgent" : "");
    }
}

cJSON *sl_ends_describe(const struct sl_ends *ends)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < ends->len; i++) {
        const struct sl_end *end = &ends->list[i];
        cJSON *entry = cJSON_CreateObject();
        char day[16];
        sl_site_print_date(day, end->not_after_s);
        cJSON_AddStringToObject(entry, "what", sl_terms[end->term].what);
        if (end->name[0] != '\0')
            cJSON_AddStringToObject(entry, "name", end->name);
        cJSON_AddStringToObject(entry, "last_day", day);
        cJSON_AddNumberToObject(entry, "days_left", (double)end->days);
        cJSON_AddStringToObject(entry, "state", sl_term_text(end->state));
        cJSON_AddItemToArray(list, entry);
    }
    return list;
}
