/* sluice maintain: one command for a timer. */
#include "broker/apply.h"
#include "broker/files.h"
#include "broker/upkeep.h"
#include "ca/authority.h"
#include "ca/crl.h"
#include "site/terms.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROOT, CRON, JSON };
static const struct sl_option options[] = {
    [ROOT] = {.name = "--root",
              .kind = SL_OPTION_TEXT,
              .value = "DIR",
              .help = "the Mosquitto that also gets the files, installed below DIR",
              .otherwise = "where 'broker install' wrote to last",
              .offer = SL_OFFER_FOLDERS},
    [CRON] = {.name = "--cron", .help = "print the line for a crontab, and do nothing"},
    [JSON] = SL_OPTION_JSON("what was done and what needs a person, as one JSON object"),
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_maintain = {
    .name = "maintain",
    .summary = "renew what ends soon, check everything, prove the broker",
    .options = options,
    .text =
        "For a timer, once a day; it does no harm to run it more often. Renews the revocation list "
        "long before half of its life is over, the broker's certificate at two thirds, and the "
        "canaries; checks every file of the broker with a Mosquitto of its own; gives them to a "
        "running broker, without ending a session, and proves it (see 'sluice broker apply'). Then "
        "tells which certificates of nodes, operators and the authority end soon.\n\n"
        "Exit code 0: all is well. 1: something needs a person, and is told. Others: as "
        "everywhere; "
        "then nothing was given to the broker.",
    .manual =
        "With systemd: enable and start sluice-maintain.timer (from 'make install'), for a "
        "site in /etc/sluice/site; options go into /etc/default/sluice-maintain, for example "
        "SLUICE_MAINTAIN=--root /. A passphrase of the authority's key comes from "
        "/etc/credstore/ca-passphrase, or from the file that $SLUICE_PASSPHRASE_FILE names. A "
        "locked key is asked for only when something has to be signed.",
    .examples =
        (const struct sl_example[]){
            {"sluice maintain", "whichever broker the site has on this computer:"},
            {"sluice maintain --cron >> /etc/crontab", "every night, by cron:"},
            {NULL, NULL}},
    .run = run,
};

/* What ends soon and does not renew itself here. */
struct warnings {
    cJSON *list;
    size_t len;
    bool is_quiet;
};

static enum sl_exit print_cron(const struct sl_cli *cli, const struct sl_site *site);
static void print_word(const char *text);
static enum sl_exit work(const struct sl_cli *cli, const struct sl_site *site, cJSON *json);
static enum sl_exit look_around(const struct sl_site *site, struct warnings *warnings);
static void warn(struct warnings *warnings, enum sl_term term, const char *name,
                 uint64_t not_after_s);

static enum sl_exit run(struct sl_cli *cli)
{
    struct sl_site site;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code != SL_EXIT_DONE)
        return code;
    if (cli->values[CRON].is_given)
        return print_cron(cli, &site);
    code = sl_site_lock(&site, "site", 60000);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(SITE_BUSY), site.root);
    cJSON *json = cJSON_CreateObject();
    if (code == SL_EXIT_DONE)
        code = work(cli, &site, json);
    if (cli->values[JSON].is_given)
        sl_cli_print_json(json);
    else
        cJSON_Delete(json);
    return code;
}

/* At a minute of its own, so that not every site of the world works at once. */
static enum sl_exit print_cron(const struct sl_cli *cli, const struct sl_site *site)
{
    char program[PATH_MAX] = "sluice";
    unsigned minute = 0;
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len > 0)
        program[len] = '\0';
    for (const char *at = site->root; *at != '\0'; at++)
        minute = (minute * 31 + (unsigned char)*at) % 60;
    const char *root = cli->values[ROOT].text;
    if (strpbrk(program, "\n\r") || (root && strpbrk(root, "\n\r")))
        return sl_cli_fail(SL_ERROR(SITE_PATH_BREAK), root ? "--root" : "sluice");
    printf("%u 3 * * * root ", minute);
    print_word(program);
    fputs(" --site ", stdout);
    print_word(site->root);
    fputs(root ? " maintain --root " : " maintain", stdout);
    if (root)
        print_word(root);
    putchar('\n');
    return SL_EXIT_DONE;
}

/* One for cron's shell. Cron itself takes a bare % for the end of the line. */
static void print_word(const char *text)
{
    putchar('\'');
    for (; *text != '\0'; text++)
        if (*text == '\'' || *text == '%')
            fputs(*text == '%' ? "\\%" : "'\\''", stdout);
        else
            putchar(*text);
    putchar('\'');
}

static enum sl_exit apply(const struct sl_set *set, const struct sl_site *site, bool is_quiet,
                          cJSON *json)
{
    struct sl_apply_report report = {.end = SL_APPLY_NOT_RUNNING};
    enum sl_exit code = sl_apply(set, site, &report);
    cJSON *broker = cJSON_CreateObject();
    cJSON_AddStringToObject(broker, "folder", set->folder.text);
    cJSON_AddNumberToObject(broker, "written", (double)report.written);
    cJSON_AddStringToObject(broker, "broker", sl_apply_text(report.end));
    cJSON_AddItemToArray(json, broker);
    if (!is_quiet && code == SL_EXIT_DONE)
        printf("%s: %zu file%s written, the broker is %s\n", set->folder.text, report.written,
               report.written == 1 ? "" : "s", sl_apply_text(report.end));
    return code;
}

static enum sl_exit work(const struct sl_cli *cli, const struct sl_site *site, cJSON *json)
{
    bool is_quiet = cli->values[JSON].is_given;
    struct sl_path root;
    struct sl_upkeep done;
    struct sl_set set;
    struct warnings warnings = {.is_quiet = is_quiet};
    cJSON *renewed = cJSON_AddArrayToObject(json, "renewed");
    cJSON *brokers = cJSON_AddArrayToObject(json, "brokers");
    warnings.list = cJSON_AddArrayToObject(json, "warnings");
    enum sl_exit code = sl_upkeep_renew(site, SL_UPKEEP_COMMAND, &done);
    if (done.has_list)
        cJSON_AddItemToArray(renewed, cJSON_CreateString(sl_terms[SL_TERM_CRL].what));
    if (done.has_server)
        cJSON_AddItemToArray(renewed, cJSON_CreateString(sl_terms[SL_TERM_SERVER].what));
    if (done.has_canaries)
        cJSON_AddItemToArray(renewed, cJSON_CreateString(sl_terms[SL_TERM_CANARY].what));
    if (code == SL_EXIT_DONE)
        code = sl_broker_write_conf(site, sl_path_join(site->root, "broker").text);
    sl_set_of_site(site, &set);
    if (code == SL_EXIT_DONE)
        code = apply(&set, site, is_quiet, brokers);
    if (code == SL_EXIT_DONE)
        code = sl_apply_recall(site, &root);
    if (cli->values[ROOT].text)
        (void)sl_cli_copy(root.text, sizeof root.text, cli->values[ROOT].text);
    if (code == SL_EXIT_DONE && root.text[0] != '\0') {
        code = sl_set_of_root(root.text, &set);
        if (code == SL_EXIT_DONE)
            code = apply(&set, site, is_quiet, brokers);
    }
    if (code == SL_EXIT_DONE)
        code = look_around(site, &warnings);
    if (done.is_locked)
        warnings.len++; /* told already */
    cJSON_AddBoolToObject(json, "locked", done.is_locked);
    cJSON_AddBoolToObject(json, "good", code == SL_EXIT_DONE && warnings.len == 0);
    if (code == SL_EXIT_DONE && warnings.len > 0)
        return SL_EXIT_REFUSED;
    if (code == SL_EXIT_DONE && !is_quiet)
        printf("%s: all is well\n", site->root);
    return code;
}

/* --- what needs a person -------------------------------------------------------------------- */

static enum sl_exit look_around(const struct sl_site *site, struct warnings *warnings)
{
    struct sl_site_nodes nodes;
    struct sl_authority authority;
    uint64_t list_end_s;
    enum sl_exit code = sl_crl_find_nodes(site, NULL, &nodes, &list_end_s);
    if (code != SL_EXIT_DONE)
        return code;
    for (size_t i = 0; i < nodes.len && code == SL_EXIT_DONE; i++)
        if (!nodes.list[i].is_revoked)
            warn(warnings, SL_TERM_NODE, nodes.list[i].name, nodes.list[i].not_after_s);
    sl_site_free_nodes(&nodes);
    for (size_t i = 0; i < 2 * site->operators_len && code == SL_EXIT_DONE; i++) {
        sl_name user;
        X509 *certificate = NULL;
        code = sl_site_find_operator(site, site->operators[i / 2], i % 2 != 0, user);
        struct sl_path folder = sl_path_join3(site->root, "operators", user);
        if (code == SL_EXIT_DONE)
            code = sl_pki_load_certificate(sl_path_join(folder.text, "certificate.pem").text,
                                           &certificate);
        if (code == SL_EXIT_DONE)
            warn(warnings, SL_TERM_OPERATOR, user, sl_pki_not_after(certificate));
        X509_free(certificate);
    }
    if (code == SL_EXIT_DONE)
        code = sl_authority_read(site, &authority);
    if (code == SL_EXIT_DONE) {
        const X509 *last =
            authority.next.certificate ? authority.next.certificate : authority.current.certificate;
        warn(warnings, SL_TERM_AUTHORITY, "ca", sl_pki_not_after(last));
        sl_authority_close(&authority);
    }
    return code;
}

static void warn(struct warnings *warnings, enum sl_term term, const char *name,
                 uint64_t not_after_s)
{
    int64_t left_s = (int64_t)not_after_s - (int64_t)time(NULL);
    long days = left_s > 0 ? (long)(left_s / 86400) + 1 : 0;
    enum sl_term_state state = sl_term_judge(term, days);
    char day[16];
    if (state == SL_TERM_FINE)
        return;
    warnings->len++;
    sl_site_print_date(day, not_after_s);
    cJSON *warning = cJSON_CreateObject();
    cJSON_AddStringToObject(warning, "what", sl_terms[term].what);
    cJSON_AddStringToObject(warning, "name", name);
    cJSON_AddStringToObject(warning, "last_day", day);
    cJSON_AddStringToObject(warning, "state", sl_term_text(state));
    cJSON_AddItemToArray(warnings->list, warning);
    if (!warnings->is_quiet)
        printf("%s of %s %s on %s (%ld days)\n", sl_terms[term].what, name,
               state == SL_TERM_OVER ? "ended" : "ends", day, days);
}
