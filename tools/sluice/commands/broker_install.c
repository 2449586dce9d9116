/* sluice broker install: what a Mosquitto that the system starts needs, and not one file more. */
#include "broker/apply.h"
#include "broker/files.h"
#include "broker/parts.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROOT, OPENWRT, BUNDLE, DRY_RUN, JSON };
static const struct sl_option options[] = {
    [ROOT] = {.name = "--root",
              .kind = SL_OPTION_TEXT,
              .value = "DIR",
              .preset = "/",
              .help = "write below DIR",
              .offer = SL_OFFER_FOLDERS},
    [OPENWRT] = {.name = "--openwrt", .help = "for OpenWRT instead of Debian with systemd"},
    [BUNDLE] = {.name = "--bundle",
                .kind = SL_OPTION_TEXT,
                .value = "FILE.tar",
                .help = "write a tar file instead, for a computer without sluice",
                .offer = SL_OFFER_FILES},
    [DRY_RUN] = {.name = "--dry-run", .help = "only say what would be written"},
    [JSON] = SL_OPTION_JSON("the files and the next steps as one JSON object"),
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_broker_install = {
    .name = "broker install",
    .summary = "give the system's Mosquitto what it needs",
    .options = options,
    .text =
        "Writes /etc/mosquitto/conf.d/sluice.conf, the files it names in /etc/mosquitto/sluice "
        "(root:mosquitto 0640), and a drop-in for mosquitto.service: enough open files, few "
        "rights, and no start or reload with files that are not whole. The authority's key is "
        "never among them. Everything is checked and tried with a Mosquitto of its own first. A "
        "second run writes only what has changed.\n\n"
        "It neither starts nor restarts anything: it prints what to do next.",
    .manual =
        "OpenWRT gets the plain /etc/mosquitto/mosquitto.conf (with use_uci 0), and a keep.d entry "
        "that carries the files over a sysupgrade. 'service mosquitto reload' does nothing there: "
        "use /etc/mosquitto/sluice/reload.\n\n"
        "What somebody else had written in a file of these names is kept in "
        "/etc/mosquitto/sluice/before.\n\n"
        "A bundle holds the broker's private key: it is 0600, and to be removed once it is "
        "unpacked.",
    .examples =
        (const struct sl_example[]){
            {"sluice broker install --dry-run", "what would be written on this computer?"},
            {"sluice broker install", "on this computer, as root:"},
            {"sluice broker install --openwrt --bundle broker.tar",
             "for a router, which then does 'tar -x -C / -f broker.tar':"},
            {NULL, NULL}},
    .run = run,
};

static enum sl_exit install(struct sl_cli *cli, const struct sl_site *site,
                            const struct sl_set *set, struct sl_parts *parts);
static void print(const struct sl_cli *cli, const struct sl_set *set, const struct sl_parts *parts,
                  size_t differ);
static void print_json(const struct sl_cli *cli, const struct sl_set *set,
                       const struct sl_parts *parts);
static const char *const *next_steps(const struct sl_cli *cli, const struct sl_set *set);

static enum sl_exit run(struct sl_cli *cli)
{
    struct sl_site site;
    struct sl_set set;
    struct sl_parts parts = {.len = 0};
    enum sl_broker_host host = cli->values[OPENWRT].is_given ? SL_BROKER_OPENWRT : SL_BROKER_DEBIAN;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code == SL_EXIT_DONE)
        code = sl_set_of_host(cli->values[ROOT].text, host, &set);
    if (code != SL_EXIT_DONE)
        return code;
    code = sl_site_lock(&site, "site", 5000);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(SITE_BUSY), site.root);
    if (code == SL_EXIT_DONE)
        code = sl_parts_make(&site, &set, &parts);
    if (code == SL_EXIT_DONE)
        code = install(cli, &site, &set, &parts);
    sl_parts_free(&parts);
    return code;
}

static enum sl_exit install(struct sl_cli *cli, const struct sl_site *site,
                            const struct sl_set *set, struct sl_parts *parts)
{
    const char *bundle = cli->values[BUNDLE].text;
    size_t differ = parts->len;
    struct sl_set own;
    struct sl_results results = {.len = 0};
    enum sl_exit code = SL_EXIT_DONE;
    if (bundle) {
        /* Unpacked, it is what the site has: that is checked. */
        sl_set_of_site(site, &own);
        own.conf.text[0] = '\0';
        code = sl_set_check(&own, NULL, &results);
        if (code == SL_EXIT_DONE)
            code = sl_set_try(&own, site);
        if (code == SL_EXIT_DONE && !cli->values[DRY_RUN].is_given)
            code = sl_parts_bundle(parts, bundle);
    } else {
        code = sl_parts_compare(set, parts, &differ);
        bool is_real = code == SL_EXIT_DONE && !cli->values[DRY_RUN].is_given;
        if (is_real && differ > 0)
            code = sl_parts_write(set, site, parts, false);
        if (is_real && code == SL_EXIT_DONE)
            code = sl_apply_remember(site, set->root);
    }
    if (code == SL_EXIT_DONE && cli->values[JSON].is_given)
        print_json(cli, set, parts);
    else if (code == SL_EXIT_DONE)
        print(cli, set, parts, differ);
    return code;
}

static const char *verb(const struct sl_cli *cli, const struct sl_part *part)
{
    return cli->values[BUNDLE].text ? "pack"
           : part->is_new           ? "new"
           : part->is_changed       ? "change"
                                    : "same";
}

static void print(const struct sl_cli *cli, const struct sl_set *set, const struct sl_parts *parts,
                  size_t differ)
{
    for (size_t i = 0; i < parts->len; i++) {
        const struct sl_part *part = &parts->list[i];
        printf("%-6s  %04o root:%-9s  /%s%s\n", verb(cli, part), (unsigned)part->mode,
               part->is_brokers ? "mosquitto" : "root", part->inside,
               part->kind == SL_PART_FOLDER ? "/" : "");
    }
    if (cli->values[DRY_RUN].is_given) {
        puts("nothing was written");
        return;
    }
    if (differ == 0) {
        printf("everything is there already below %s\n", set->root[0] ? set->root : "/");
        return;
    }
    puts("next:");
    for (const char *const *step = next_steps(cli, set); *step; step++)
        printf("  %s\n", *step);
}

static void print_json(const struct sl_cli *cli, const struct sl_set *set,
                       const struct sl_parts *parts)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "root", set->root[0] ? set->root : "/");
    cJSON_AddBoolToObject(json, "dry_run", cli->values[DRY_RUN].is_given);
    cJSON *files = cJSON_AddArrayToObject(json, "files");
    for (size_t i = 0; i < parts->len; i++) {
        char mode[8], path[80];
        cJSON *file = cJSON_CreateObject();
        snprintf(mode, sizeof mode, "%04o", (unsigned)parts->list[i].mode);
        snprintf(path, sizeof path, "/%s", parts->list[i].inside);
        cJSON_AddStringToObject(file, "path", path);
        cJSON_AddStringToObject(file, "mode", mode);
        cJSON_AddStringToObject(file, "group", parts->list[i].is_brokers ? "mosquitto" : "root");
        cJSON_AddStringToObject(file, "is", verb(cli, &parts->list[i]));
        cJSON_AddItemToArray(files, file);
    }
    cJSON *next = cJSON_AddArrayToObject(json, "next");
    for (const char *const *step = next_steps(cli, set); *step; step++)
        cJSON_AddItemToArray(next, cJSON_CreateString(*step));
    sl_cli_print_json(json);
}

/* For a shell, in their order. */
static const char *const *next_steps(const struct sl_cli *cli, const struct sl_set *set)
{
    static const char *const debian[] = {"systemctl daemon-reload", "systemctl restart mosquitto",
                                         "sluice broker apply --root /", NULL};
    static const char *const openwrt[] = {"service mosquitto restart",
                                          "sluice broker check --running", NULL};
    static const char *const debian_bundle[] = {
        "tar -x -p -C / -f FILE.tar && rm FILE.tar     # on the broker's computer, as root",
        "systemctl daemon-reload && systemctl restart mosquitto",
        "sluice broker check --running                 # here",
        "and after a later bundle, instead of the restart: systemctl reload mosquitto", NULL};
    static const char *const openwrt_bundle[] = {
        "tar -x -p -C / -f FILE.tar && rm FILE.tar     # on the router",
        "service mosquitto restart", "sluice broker check --running                 # here",
        "and after a later bundle, instead of the restart: /etc/mosquitto/sluice/reload", NULL};
    bool is_openwrt = set->host == SL_BROKER_OPENWRT;
    if (cli->values[BUNDLE].text)
        return is_openwrt ? openwrt_bundle : debian_bundle;
    return is_openwrt ? openwrt : debian;
}
