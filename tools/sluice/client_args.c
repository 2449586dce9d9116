/* sluice client-args: what mosquitto_pub and mosquitto_sub need to be let in. */
#include "pki.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

const char sl_client_args_help[] =
    "  --operator NAME    whose certificate (default: the site's first)\n"
    "  --watch            the read-only certificate NAME-watch\n"
    "  --json             the same as one JSON object, for other MQTT clients\n\n"
    "One line without quotes, for $(...): the site's path may have no blanks. The broker keeps "
    "one\n"
    "connection a certificate: a second one ends the first. To listen while switching, listen "
    "with\n"
    "--watch.\n\n"
    "examples:\n"
    "  mosquitto_pub $(sluice client-args) --topic irrigation/zone/on -m \"2 120\"\n"
    "  mosquitto_sub $(sluice client-args --watch) -v -t irrigation/zone/2/state\n";

enum sl_exit sl_client_args_run(struct sl_cli *cli, int argc, char **argv)
{
    const char *operator_name = NULL;
    bool is_watching = false, wants_json = false;
    size_t words_len = 0;
    const struct sl_option options[] = {
        {"--operator", SL_OPTION_TEXT, {.text = &operator_name}, 0, 0, 0, NULL},
        {"--watch", SL_OPTION_FLAG, {.flag = &is_watching}, 0, 0, 0, NULL},
        {"--json", SL_OPTION_FLAG, {.flag = &wants_json}, 0, 0, 0, NULL},
    };
    enum sl_exit code = sl_cli_parse(argc, argv, options, 3, NULL, 0, 0, &words_len);
    if (code != SL_EXIT_DONE)
        return code;
    struct sl_site site;
    code = sl_site_open(cli->site_root, &site);
    if (code != SL_EXIT_DONE)
        return code;
    sl_name user;
    code = sl_site_find_operator(&site, operator_name, is_watching, user);
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
