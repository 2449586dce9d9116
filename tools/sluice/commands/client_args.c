/* sluice client-args: what an MQTT client needs to be let in. */
#include "ca/authority.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_MAX_LEN 1000 /* Mosquitto's clients read 1023 bytes of a line */
#define FILE_MAX_LEN (8 * LINE_MAX_LEN)
#define NOTICE       "# Made by 'sluice client-args --write', which may replace it.\n"

enum { OPERATOR, WATCH, JSON, WRITE };
static const struct sl_option options[] = {
    [OPERATOR] = SL_OPTION_OPERATOR("whose certificate"),
    [WATCH] = {.name = "--watch", .help = "the read-only certificate NAME-watch"},
    [JSON] = SL_OPTION_JSON("the same as one JSON object, for other MQTT clients"),
    [WRITE] = {.name = "--write",
               .kind = SL_OPTION_TEXT,
               .value = "FILE",
               .offer = SL_OFFER_FILES,
               .help = "make FILE a file of default options, as mosquitto_pub reads "
                       "~/.config/mosquitto_pub and mosquitto_sub ~/.config/mosquitto_sub"},
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_client_args = {
    .name = "client-args",
    .summary = "print the options for mosquitto_pub and mosquitto_sub",
    .options = options,
    .text = "One line without quotes, for $(...): the site's path may have no blanks then; with "
            "--write and --json it may.\n\n"
            "The broker keeps one connection a certificate: a second one ends the first. To listen "
            "while switching, listen with --watch.",
    .manual = "Other clients (paho, Home Assistant, Node-RED, a phone) want the same things under "
              "names of their own: host, port, the file of the authority, and certificate and key "
              "of the client; the client id is that of the certificate in any case. MQTT 5 and "
              "3.1.1 are both spoken. A file that was not made by --write is never replaced.",
    .examples =
        (const struct sl_example[]){
            {"mosquitto_pub $(sluice client-args) --topic irrigation/zone/on -m \"2 120\"",
             "switch with Mosquitto's own tool:"},
            {"mosquitto_sub $(sluice client-args --watch) -v -t irrigation/zone/2/state",
             "listen with it:"},
            {"sluice client-args --watch --write ~/.config/mosquitto_sub",
             "from then on without options:"},
            {"sluice client-args --json | jq -r .key_file", "one of the values, for a script:"},
            {NULL, NULL}},
    .run = run,
};

/* What a client is told. */
struct client {
    sl_name id;
    const char *host;
    unsigned port;
    struct sl_path authority, certificate, key;
    char last_day[16];
};

static enum sl_exit find_client(const struct sl_cli *cli, struct sl_site *site,
                                struct client *client);
static void print_json(const struct client *client);
static enum sl_exit write_file(const struct client *client, const char *path);
static enum sl_exit check_replaceable(const char *path);

static enum sl_exit run(struct sl_cli *cli)
{
    struct sl_site site;
    struct client client;
    enum sl_exit code = find_client(cli, &site, &client);
    if (code != SL_EXIT_DONE)
        return code;
    bool wants_json = cli->values[JSON].is_given, wants_file = cli->values[WRITE].is_given;
    /* A shell would split or expand them, and quotes do not survive $(...). */
    if (!wants_json && !wants_file && strpbrk(site.root, " \t\n*?[]\\\"'"))
        return sl_cli_fail(SL_ERROR(SITE_PATH_SHELL), site.root);
    if (wants_file)
        code = write_file(&client, cli->values[WRITE].text);
    if (code == SL_EXIT_DONE && wants_json)
        print_json(&client);
    else if (code == SL_EXIT_DONE && !wants_file)
        printf("-V mqttv5 -i %s -h %s -p %u --cafile %s --cert %s --key %s\n", client.id,
               client.host, client.port, client.authority.text, client.certificate.text,
               client.key.text);
    return code;
}

static enum sl_exit find_client(const struct sl_cli *cli, struct sl_site *site,
                                struct client *client)
{
    uint64_t not_after_s = 0;
    enum sl_exit code = sl_site_open(cli->site_root, site);
    if (code == SL_EXIT_DONE)
        code = sl_site_find_operator(site, cli->values[OPERATOR].text, cli->values[WATCH].is_given,
                                     client->id);
    if (code == SL_EXIT_DONE)
        code = sl_authority_check_operator(site, client->id, &not_after_s);
    if (code != SL_EXIT_DONE)
        return code;
    struct sl_path operators = sl_path_join(site->root, "operators");
    client->host = site->host;
    client->port = site->port;
    client->authority = sl_path_join(site->root, "ca/certificate.pem");
    client->certificate = sl_path_join3(operators.text, client->id, "certificate.pem");
    client->key = sl_path_join3(operators.text, client->id, "key.pem");
    sl_site_print_date(client->last_day, not_after_s);
    return SL_EXIT_DONE;
}

static void print_json(const struct client *client)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "client_id", client->id);
    cJSON_AddStringToObject(json, "host", client->host);
    cJSON_AddNumberToObject(json, "port", client->port);
    cJSON_AddStringToObject(json, "ca_file", client->authority.text);
    cJSON_AddStringToObject(json, "certificate_file", client->certificate.text);
    cJSON_AddStringToObject(json, "key_file", client->key.text);
    cJSON_AddStringToObject(json, "last_day", client->last_day);
    sl_cli_print_json(json);
}

/* An option and its value on each line; the value goes to the line's end, blanks and all. */
static enum sl_exit write_file(const struct client *client, const char *path)
{
    char text[FILE_MAX_LEN];
    const char *const paths[] = {client->authority.text, client->certificate.text,
                                 client->key.text};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (strlen(paths[i]) > LINE_MAX_LEN)
            return sl_cli_fail(SL_ERROR(PATH_LONG));
    enum sl_exit code = check_replaceable(path);
    if (code != SL_EXIT_DONE)
        return code;
    int len = snprintf(text, sizeof text,
                       NOTICE "-V mqttv5\n-i %s\n-h %s\n-p %u\n--cafile %s\n--cert %s\n--key %s\n",
                       client->id, client->host, client->port, paths[0], paths[1], paths[2]);
    return sl_file_write(path, text, (size_t)len, 0600);
}

/* Nothing is there, or what we made. */
static enum sl_exit check_replaceable(const char *path)
{
    struct stat about;
    struct sl_bytes bytes;
    if (lstat(path, &about) != 0)
        return SL_EXIT_DONE;
    /* Told here, as the cure of a site's own file, a backup, is none for this one. */
    if (!S_ISREG(about.st_mode) || about.st_size == 0 || about.st_size > FILE_MAX_LEN)
        return sl_cli_fail(SL_ERROR(FILE_NOT_OURS), path);
    enum sl_exit code = sl_file_read(path, FILE_MAX_LEN, &bytes);
    if (code != SL_EXIT_DONE)
        return code;
    bool is_ours = strncmp(bytes.data, NOTICE, strlen(NOTICE)) == 0;
    sl_bytes_free(&bytes);
    return is_ours ? SL_EXIT_DONE : sl_cli_fail(SL_ERROR(FILE_NOT_OURS), path);
}
