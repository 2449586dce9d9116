/* sluice ca passphrase, sluice ca log. */
#include "ca/authority.h"
#include "ca/passphrase.h"
#include "site/journal.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NEW_FD, NO_PASSPHRASE, JSON };
static const struct sl_option passphrase_options[] = {
    [NEW_FD] = {.name = "--new-passphrase-fd",
                .kind = SL_OPTION_NUMBER,
                .value = "N",
                .min = 0,
                .max = 65535,
                .otherwise = "the terminal",
                .help = "read the new passphrase from this open file"},
    [NO_PASSPHRASE] = {.name = "--no-passphrase", .help = "leave the key open from now on"},
    [JSON] = SL_OPTION_JSON("what was done as one JSON object"),
    {.name = NULL},
};

static enum sl_exit run_passphrase(struct sl_cli *cli);
const struct sl_subcommand sl_command_ca_passphrase = {
    .name = "ca passphrase",
    .summary = "lock the CA's key by another passphrase",
    .options = passphrase_options,
    .text = "The key stays the same, and so does every certificate: only ca/key.pem is written "
            "anew, whole or not at all. A key that was open is locked by this.\n\n"
            "The passphrase of today comes from --passphrase-fd, the file named by "
            "$SLUICE_PASSPHRASE_FILE, the credential ca-passphrase, or the terminal.",
    .manual = "The file is PKCS#8 with scrypt and AES-256-CBC; 'openssl pkey -in ca/key.pem' reads "
              "it. Copies of the old file, in backups too, keep the old passphrase: where it was "
              "seen by somebody else, 'sluice ca roll' makes a new key.",
    .examples = (const struct sl_example[]){{"sluice ca passphrase", "asked for on the terminal:"},
                                            {"3<old 4<new sluice ca passphrase --passphrase-fd 3 "
                                             "--new-passphrase-fd 4",
                                             "from a script:"},
                                            {NULL, NULL}},
    .run = run_passphrase,
};

enum { LOG_JSON };
static const struct sl_option log_options[] = {
    [LOG_JSON] = SL_OPTION_JSON("one JSON object a line"),
    {.name = NULL},
};
static enum sl_exit run_log(struct sl_cli *cli);
const struct sl_subcommand sl_command_ca_log = {
    .name = "ca log",
    .summary = "list every certificate that was ever made",
    .options = log_options,
    .text = "Reads issued.log: each certificate that the site's authority has signed stands there, "
            "and nothing takes it away.",
    .manual = "A line that a power cut left half written is told of on standard error: nobody got "
              "its certificate. KEY is the beginning of the SHA-256 of the public key.",
    .examples = (const struct sl_example[]){{"sluice ca log", "all of it:"},
                                            {"sluice ca log --json | jq -r "
                                             "'select(.name==\"garden\").serial'",
                                             "the serials of one node, for a script:"},
                                            {NULL, NULL}},
    .run = run_log,
};

static enum sl_exit change(const struct sl_site *site, struct sl_cli *cli, bool *is_locked);
static enum sl_exit take_new(const struct sl_site *site, const struct sl_cli *cli, bool was_locked,
                             struct sl_passphrase *passphrase);
static void print_entry(const struct sl_journal_entry *entry);
static void print_entry_json(const struct sl_journal_entry *entry);

/* --- the passphrase ------------------------------------------------------------------------- */

static enum sl_exit run_passphrase(struct sl_cli *cli)
{
    struct sl_site site;
    bool is_locked = false;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code == SL_EXIT_DONE)
        code = sl_site_lock(&site, "site", 5000);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(SITE_BUSY), site.root);
    if (code == SL_EXIT_DONE)
        code = change(&site, cli, &is_locked);
    if (code != SL_EXIT_DONE)
        return code;
    if (cli->values[JSON].is_given) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "site", site.root);
        cJSON_AddBoolToObject(json, "ca_key_locked", is_locked);
        sl_cli_print_json(json);
    } else if (is_locked) {
        puts("the CA's key is locked by the new passphrase; copies of the site keep the old one");
    } else {
        puts("the CA's key is open: whoever reads ca/key.pem can make certificates");
    }
    return SL_EXIT_DONE;
}

/* Two keys cannot change at one stroke: not during a roll-over. */
static enum sl_exit change(const struct sl_site *site, struct sl_cli *cli, bool *is_locked)
{
    struct sl_authority authority;
    struct sl_passphrase passphrase = {.len = 0};
    bool was_locked = false;
    if (access(sl_path_join(site->root, "ca/next").text, F_OK) == 0)
        return sl_cli_fail(SL_ERROR(ROLL_UNDER_WAY), site->root);
    if (sl_authority_is_elsewhere(site))
        return sl_cli_fail(SL_ERROR(CA_ELSEWHERE), site->root);
    enum sl_exit code = sl_authority_is_locked(site, &was_locked);
    if (code == SL_EXIT_DONE)
        code = sl_authority_open(site, true, &authority);
    if (code != SL_EXIT_DONE)
        return code;
    if (!cli->values[NO_PASSPHRASE].is_given)
        code = take_new(site, cli, was_locked, &passphrase);
    if (code == SL_EXIT_DONE)
        code = sl_pki_save_key(sl_path_join(site->root, "ca/key.pem").text, authority.current.key,
                               passphrase.text, passphrase.len);
    *is_locked = passphrase.len > 0;
    sl_wipe(&passphrase, sizeof passphrase);
    sl_authority_close(&authority);
    return code;
}

/* Of a key that was open, every source can give the first passphrase. */
static enum sl_exit take_new(const struct sl_site *site, const struct sl_cli *cli, bool was_locked,
                             struct sl_passphrase *passphrase)
{
    char what[PATH_MAX + 32];
    snprintf(what, sizeof what, "the CA's key of %s", site->root);
    const struct sl_passphrase_ask ask = {
        .what = what,
        .variable = was_locked ? NULL : SL_AUTHORITY_VARIABLE,
        .credential = was_locked ? NULL : SL_AUTHORITY_CREDENTIAL,
        .is_new = true,
        .may_ask = true,
    };
    if (cli->values[NEW_FD].is_given)
        return sl_passphrase_read_fd(&ask, (int)cli->values[NEW_FD].number, passphrase);
    enum sl_exit code = sl_passphrase_take(&ask, passphrase);
    return code == SL_EXIT_REFUSED ? sl_cli_fail(SL_ERROR(PASSPHRASE_NEW_NONE)) : code;
}

/* --- the journal ---------------------------------------------------------------------------- */

static enum sl_exit run_log(struct sl_cli *cli)
{
    struct sl_site site;
    struct sl_journal journal;
    struct sl_journal_entry entry;
    bool wants_json = cli->values[LOG_JSON].is_given;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code == SL_EXIT_DONE)
        code = sl_journal_open(site.root, &journal);
    if (code != SL_EXIT_DONE)
        return code;
    if (!wants_json)
        printf("%-20s  %-9s  %-25s  %-10s  %-12s  %s\n", "MADE", "FOR", "NAME", "LAST DAY", "KEY",
               "SERIAL");
    while (sl_journal_next(&journal, &entry))
        (wants_json ? print_entry_json : print_entry)(&entry);
    if (journal.torn > 0)
        sl_cli_note("issued.log has %zu line%s that a power cut left unfinished: nobody got %s",
                    journal.torn, journal.torn == 1 ? "" : "s",
                    journal.torn == 1 ? "its certificate" : "their certificates");
    sl_journal_close(&journal);
    return SL_EXIT_DONE;
}

static void print_entry(const struct sl_journal_entry *entry)
{
    printf("%-20s  %-9s  %-25s  %.10s  %-12.12s  %s\n", entry->when, entry->purpose, entry->name,
           entry->not_after, entry->key[0] != '\0' ? entry->key : "-", entry->serial);
}

static void print_entry_json(const struct sl_journal_entry *entry)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "made", entry->when);
    cJSON_AddStringToObject(json, "purpose", entry->purpose);
    cJSON_AddStringToObject(json, "name", entry->name);
    cJSON_AddStringToObject(json, "not_after", entry->not_after);
    cJSON_AddStringToObject(json, "key_sha256", entry->key);
    cJSON_AddStringToObject(json, "serial", entry->serial);
    sl_cli_print_json(json);
}
