/* sluice broker check: everything that a broker would be given, tried before it gets it. */
#include "broker/check.h"
#include "broker/probe.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <unistd.h>

enum { ROOT, RUNNING, JSON };
static const struct sl_option options[] = {
    [ROOT] = {.name = "--root",
              .kind = SL_OPTION_TEXT,
              .value = "DIR",
              .help = "what 'sluice broker install' wrote below DIR (/ on the broker's computer)",
              .otherwise = "the site's own files",
              .offer = SL_OFFER_FOLDERS},
    [RUNNING] = {.name = "--running", .help = "try the broker that runs, too"},
    [JSON] = SL_OPTION_JSON("the checks as one JSON object"),
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_broker_check = {
    .name = "broker check",
    .summary = "check what the broker is given, and try it",
    .options = options,
    .text =
        "Reads configuration and access list by a grammar that knows only what sluice writes, and "
        "certificate, key, authority and revocation list: that they belong together, and their "
        "dates. Then starts a Mosquitto of its own with them on a free port of the loopback and "
        "visits it: a good certificate is let in, a revoked one and none are not, and nothing "
        "reaches who may not have it. The running broker notices nothing of this.",
    .manual =
        "Installed files (--root) must also be root:mosquitto 0640 in a folder 0750, with nothing "
        "else beside them; of other files that Mosquitto reads none may speak of access. Without a "
        "site beside them, on the broker's computer, only the start of Mosquitto is tried.\n\n"
        "--running visits the broker at the site's host and port in the same way. It changes "
        "nothing there.",
    .examples =
        (const struct sl_example[]){
            {"sluice broker check", "the site's files:"},
            {"sluice broker check --root / --json", "those of this computer's Mosquitto:"},
            {"sluice broker check --running", "and is the running one closed?"},
            {NULL, NULL}},
    .run = run,
};

static enum sl_exit run(struct sl_cli *cli)
{
    const char *root = cli->values[ROOT].text;
    struct sl_site site;
    struct sl_set set;
    struct sl_results results = {.len = 0};
    bool has_site = !root || access(sl_path_join(cli->site_root, "site.json").text, F_OK) == 0;
    enum sl_exit code = has_site ? sl_site_open(cli->site_root, &site) : SL_EXIT_DONE;
    if (code == SL_EXIT_DONE && root)
        code = sl_set_of_root(root, &set);
    if (code != SL_EXIT_DONE)
        return code;
    if (!root)
        sl_set_of_site(&site, &set);
    code = sl_broker_check(&set, has_site ? &site : NULL, &results);
    if (code == SL_EXIT_DONE && cli->values[RUNNING].is_given) {
        bool is_open = false;
        const struct sl_probe probe = {.who = "the running broker",
                                       .site = &site,
                                       .acl = set.acl.text,
                                       .certificate = set.certificate.text};
        code = has_site ? sl_probe_broker(&probe, &is_open)
                        : sl_cli_fail(SL_ERROR(SITE_MISSING), cli->site_root);
        sl_results_add(&results, "running broker", code, "%s", "has read these files, is closed");
    }
    if (cli->values[JSON].is_given) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "folder", set.folder.text);
        cJSON_AddBoolToObject(json, "good", code == SL_EXIT_DONE);
        sl_results_describe(&results, json);
        sl_cli_print_json(json);
    } else {
        sl_results_print(&results);
    }
    return code;
}

enum sl_exit sl_broker_check(const struct sl_set *set, const struct sl_site *site,
                             struct sl_results *results)
{
    struct sl_canaries canaries = {{NULL, NULL}, {NULL, NULL}};
    enum sl_exit code = site ? sl_canary_load(site, &canaries) : SL_EXIT_DONE;
    if (code == SL_EXIT_DONE)
        code = sl_set_check(set, canaries.revoked.certificate, results);
    if (code == SL_EXIT_DONE) {
        code = sl_set_try(set, site);
        sl_results_add(results, "trial", code, "%s",
                       site ? "Mosquitto starts with them, lets in a good certificate and nobody "
                              "else, and keeps to the list"
                            : "Mosquitto starts with them");
    }
    sl_canary_free(&canaries);
    return code;
}

void sl_results_print(const struct sl_results *results)
{
    for (size_t i = 0; i < results->len; i++) {
        const struct sl_result *result = &results->list[i];
        printf("%s%-4s%s %-15s %s\n",
               sl_cli_colour(result->is_good ? SL_COLOUR_GOOD : SL_COLOUR_BAD),
               result->is_good ? "ok" : "BAD", sl_cli_colour(SL_COLOUR_OFF), result->name,
               result->text);
    }
}

void sl_results_describe(const struct sl_results *results, cJSON *json)
{
    cJSON *checks = cJSON_AddArrayToObject(json, "checks");
    for (size_t i = 0; i < results->len; i++) {
        const struct sl_result *result = &results->list[i];
        cJSON *check = cJSON_CreateObject();
        cJSON_AddStringToObject(check, "name", result->name);
        cJSON_AddBoolToObject(check, "good", result->is_good);
        cJSON_AddStringToObject(check, "text", result->text);
        cJSON_AddItemToArray(checks, check);
    }
}
