/* sluice client-args: what mosquitto_pub and mosquitto_sub need to be let in. */
#include "pki.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

enum { OPERATOR, WATCH, JSON };
static const struct sl_option options[] = {
    [OPERATOR] = SL_OPTION_OPERATOR("whose certificate"),
    [WATCH] = {.name = "--watch", .help = "the read-only certificate NAME-watch"},
    [JSON] = SL_OPTION_JSON("the same as one JSON object, for other MQTT clients"),
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_command sl_command_client_args = {
    .name = "client-args",
    .summary = "print the options for mosquitto_pub and mosquitto_sub",
    .options = options,
    .text = "One line without quotes, for $(...): the site's path may have no blanks.\n\n"
            "The broker keeps one connection a certificate: a second one ends the first. To listen "
            "while switching, listen with --watch.",
    .examples =
        (const struct sl_example[]){
            {"mosquitto_pub $(sluice client-args) --topic irrigation/zone/on -m \"2 120\"",
             "switch with Mosquitto's own tool:"},
            {"mosquitto_sub $(sluice client-args --watch) -v -t irrigation/zone/2/state",
             "listen with it:"},
            {NULL, NULL}},
    .run = run,
};

static enum sl_exit run(struct sl_cli *cli)
{
    bool wants_json = cli->values[JSON].is_given;
    struct sl_site site;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code != SL_EXIT_DONE)
        return code;
    sl_name user;
    code =
        sl_site_find_operator(&site, cli->values[OPERATOR].text, cli->values[WATCH].is_given, user);
    if (code != SL_EXIT_DONE)
        return code;
    /* A shell would split or expand them, and quotes do not survive $(...). */
    if (!wants_json && strpbrk(site.root, " \t\n*?[]\\\"'"))
        return sl_cli_fail(SL_ERROR(SITE_PATH_SHELL), site.root);

    struct sl_path operators = sl_path_join(site.root, "operators");
    struct sl_path authority = sl_path_join(site.root, "ca/certificate.pem");
    struct sl_path certificate = sl_path_join3(operators.text, user, "certificate.pem");
    struct sl_path key = sl_path_join3(operators.text, user, "key.pem");
    uint64_t not_after_s = 0;
    code = sl_pki_check_operator(&site, user, &not_after_s);
    if (code != SL_EXIT_DONE)
        return code;
    if (wants_json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "client_id", user);
        cJSON_AddStringToObject(json, "host", site.host);
        cJSON_AddNumberToObject(json, "port", site.port);
        cJSON_AddStringToObject(json, "ca_file", authority.text);
        cJSON_AddStringToObject(json, "certificate_file", certificate.text);
        cJSON_AddStringToObject(json, "key_file", key.text);
        sl_cli_print_json(json);
        return SL_EXIT_DONE;
    }
    printf("-V mqttv5 -i %s -h %s -p %u --cafile %s --cert %s --key %s\n", user, site.host,
           site.port, authority.text, certificate.text, key.text);
    return SL_EXIT_DONE;
}
