/* sluice doctor: what is wrong with a site, with its running broker, or with a mosquitto.conf. */
#include "ca/crl.h"
#include "doctor/site.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JSON, FIX, NO_PROBE, ROOT, CONFIG };
static const struct sl_option options[] = {
    [JSON] = SL_OPTION_JSON("one JSON object"),
    [FIX] = {.name = "--fix",
             .help = "mend what is safe to mend: modes, leftovers, the access list, the "
                     "configuration, the revocation list; then look again"},
    [NO_PROBE] = {.name = "--no-probe", .help = "leave the running broker alone"},
    [ROOT] = {.name = "--root",
              .kind = SL_OPTION_TEXT,
              .value = "DIR",
              .help = "look also at what 'sluice broker install' wrote below DIR",
              .offer = SL_OFFER_FOLDERS},
    [CONFIG] = {.name = "--config",
                .kind = SL_OPTION_TEXT,
                .value = "FILE",
                .help = "look at this mosquitto.conf, and the files that it names, instead of a "
                        "site",
                .offer = SL_OFFER_FILES},
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_doctor = {
    .name = "doctor",
    .summary = "find what is wrong, what it allows, and how to mend it",
    .arguments = (const struct sl_argument[]){SL_ARGUMENT_NODE("only what is about this one", true),
                                              {.name = NULL}},
    .options = options,
    .text =
        "Looks at every file of the site: modes, owners, keys and certificates, dates, purposes "
        "and names, the journal, the lists. Then at the running broker: whom it lets in, what it "
        "lets be said, which TLS it speaks, which certificate it shows, what process it is. Each "
        "finding has a severity, its evidence, the attack or failure that it allows, and the "
        "command that mends it.\n\n"
        "With --config it looks at a mosquitto.conf of whatever origin.\n\n"
        "Exit code 0 when there is nothing worse than a note, 5 when the worst is a warning, 6 "
        "when it is an error.",
    .manual =
        "docs/doctor.md lists everything that is looked for. Without --fix nothing is changed. A "
        "broker that does not answer is no finding: only its files are looked at then. The live "
        "tries are made as the site's canaries and its first operator; they switch nothing.\n\n"
        "--fix needs the authority's key only for the revocation list, and asks for its "
        "passphrase on a terminal.",
    .examples = (const struct sl_example[]){{"sluice doctor", "the site and its broker:"},
                                            {"sluice doctor --fix", "and mend what is safe:"},
                                            {"sluice doctor --json | jq -r '.findings[].check'",
                                             "what was found, for a script that watches over it:"},
                                            {"sluice doctor --config /etc/mosquitto/mosquitto.conf",
                                             "somebody else's broker:"},
                                            {NULL, NULL}},
    .run = run,
};

static enum sl_exit run_config(const struct sl_cli *cli);
static enum sl_exit open_site(const struct sl_cli *cli, struct sl_site *site,
                              struct sl_doctor *doctor);
static enum sl_exit check_node(struct sl_doctor *doctor, const char *name);
static void look(struct sl_doctor *doctor, bool has_probe);
static bool read_nodes(const struct sl_site *site, struct sl_site_nodes *nodes);
static void fix(struct sl_doctor *doctor, bool has_probe);
static enum sl_exit finish(struct sl_doctor *doctor, bool wants_json);

static enum sl_exit run(struct sl_cli *cli)
{
    struct sl_doctor doctor = {.site = NULL};
    struct sl_site site;
    bool has_probe = !cli->values[NO_PROBE].is_given;
    if (cli->values[CONFIG].is_given)
        return run_config(cli);
    enum sl_exit code = open_site(cli, &site, &doctor);
    if (code != SL_EXIT_DONE)
        return code;
    doctor.root = cli->values[ROOT].text;
    if (doctor.len == 0) {
        look(&doctor, has_probe);
        if (cli->values[FIX].is_given)
            fix(&doctor, has_probe);
    }
    return finish(&doctor, cli->values[JSON].is_given);
}

static enum sl_exit run_config(const struct sl_cli *cli)
{
    struct sl_doctor doctor = {.site = NULL};
    const char *extra = cli->words[0]                    ? cli->words[0]
                        : cli->values[FIX].is_given      ? "--fix"
                        : cli->values[NO_PROBE].is_given ? "--no-probe"
                        : cli->values[ROOT].is_given     ? "--root"
                                                         : NULL;
    if (extra)
        return sl_cli_fail(SL_ERROR(CONFIG_ALONE), extra);
    sl_doctor_look_conf(&doctor, cli->values[CONFIG].text);
    return finish(&doctor, cli->values[JSON].is_given);
}

/* A site that is not there is a failure, a record that is damaged is a finding. */
static enum sl_exit open_site(const struct sl_cli *cli, struct sl_site *site,
                              struct sl_doctor *doctor)
{
    struct sl_cli_told told = {.is_told = false};
    sl_cli_listen(&told);
    enum sl_exit code = sl_site_open(cli->site_root, site);
    sl_cli_listen(NULL);
    bool is_record = told.is_told && told.error != SL_ERROR_SITE_MISSING &&
                     told.error != SL_ERROR_SITE_PATH_BREAK;
    if (code != SL_EXIT_DONE && !is_record)
        return sl_site_open(cli->site_root, site); /* says so */
    doctor->site = site;
    if (code != SL_EXIT_DONE) {
        sl_doctor_find_told(doctor, SL_CHECK_SITE_BROKEN,
                            (struct sl_place){.path = sl_path_join(site->root, "site.json").text},
                            &told);
        return SL_EXIT_DONE;
    }
    return cli->words[0] ? check_node(doctor, cli->words[0]) : SL_EXIT_DONE;
}

/* Its folder is enough: what is in it may be damaged. */
static enum sl_exit check_node(struct sl_doctor *doctor, const char *name)
{
    char clean[64];
    struct sl_path folder = sl_path_join3(doctor->site->root, "nodes", name);
    sl_cli_clean(clean, sizeof clean, name, strlen(name));
    DIR *entries = sl_identity_is_name(sl_view_text(name)) ? opendir(folder.text) : NULL;
    if (!entries)
        return sl_cli_fail(SL_ERROR(NODE_UNKNOWN), clean);
    closedir(entries);
    doctor->only = name;
    return SL_EXIT_DONE;
}

static void look(struct sl_doctor *doctor, bool has_probe)
{
    struct sl_holders holders;
    struct sl_site_nodes nodes;
    doctor->nodes = read_nodes(doctor->site, &nodes) ? &nodes : NULL;
    sl_doctor_look_files(doctor);
    sl_doctor_look_pki(doctor, &holders);
    if (!doctor->only) {
        sl_doctor_look_journal(doctor, &holders);
        sl_doctor_look_lists(doctor, &holders);
        sl_doctor_look_process(doctor);
    }
    doctor->broker = "not asked";
    if (has_probe)
        sl_doctor_look_broker(doctor, &holders);
    sl_doctor_free_holders(&holders);
    doctor->nodes = NULL;
    sl_site_free_nodes(&nodes);
}

/* Those that are whole. False: a damaged list does not tell which of them are revoked. */
static bool read_nodes(const struct sl_site *site, struct sl_site_nodes *nodes)
{
    struct sl_cli_told told = {.is_told = false};
    struct dirent **entries = NULL;
    uint64_t list_end_s;
    *nodes = (struct sl_site_nodes){calloc(SL_SITE_NODES_MAX, sizeof *nodes->list), 0};
    sl_cli_listen(&told);
    int len = scandir(sl_path_join(site->root, "nodes").text, &entries, NULL, alphasort);
    for (int i = 0; i < len; i++) {
        const char *name = entries[i]->d_name;
        if (nodes->list && nodes->len < SL_SITE_NODES_MAX &&
            sl_identity_is_name(sl_view_text(name)) &&
            sl_site_read_node(site, name, &nodes->list[nodes->len]) == SL_EXIT_DONE)
            nodes->len++;
        free(entries[i]);
    }
    free(entries);
    bool is_marked = sl_crl_mark(site, nodes, &list_end_s) == SL_EXIT_DONE;
    sl_cli_listen(NULL);
    return is_marked;
}

/* What is mended is told of as mended; what a second look finds stands beside it. */
static void fix(struct sl_doctor *doctor, bool has_probe)
{
    if (sl_doctor_fix(doctor) == 0)
        return;
    struct sl_doctor again = {.site = doctor->site, .root = doctor->root, .only = doctor->only};
    look(&again, has_probe);
    sl_doctor_keep_mended(&again, doctor);
    sl_doctor_free(doctor);
    *doctor = again;
}

static enum sl_exit finish(struct sl_doctor *doctor, bool wants_json)
{
    if (wants_json)
        sl_doctor_print_json(doctor);
    else
        sl_doctor_print(doctor);
    enum sl_exit code = SL_EXIT_DONE;
    if (sl_doctor_count(doctor, SL_SEVERITY_ERROR) > 0)
        code = SL_EXIT_ERRORS;
    else if (sl_doctor_count(doctor, SL_SEVERITY_WARNING) > 0)
        code = SL_EXIT_WARNINGS;
    sl_doctor_free(doctor);
    return code;
}
