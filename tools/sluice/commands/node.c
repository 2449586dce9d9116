/* sluice node add, sluice node list. */
#include "ca/image.h"
#include "ca/issue.h"
#include "site/making.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BASE, HOST, PORT, REPLACE, ADD_JSON };
static const struct sl_option add_options[] = {
    [BASE] = SL_OPTION_BASE,
    [HOST] = SL_OPTION_HOST,
    [PORT] = SL_OPTION_BROKER_PORT("--port"),
    [REPLACE] = {.name = "--replace",
                 .help = "a new key and certificate for a node that exists; base, host and port "
                         "stay as they are unless given"},
    [ADD_JSON] = SL_OPTION_JSON("what was made as one JSON object"),
    {.name = NULL},
};

static enum sl_exit run_add(struct sl_cli *cli);
const struct sl_subcommand sl_command_node_add = {
    .name = "node add",
    .summary = "make a node's identity and let it in",
    .arguments =
        (const struct sl_argument[]){
            {.name = "NAME",
             .help = "a-z, 0-9, then also - and _, at most 23 characters; it is the node's user "
                     "name and client id",
             .offer = SL_OFFER_NODES},
            {.name = NULL}},
    .options = add_options,
    .text = "The key is made on this computer and lies in nodes/NAME/identity, the file that goes "
            "onto the node: treat it like a key. With a serial line to the device prefer 'sluice "
            "node enrol': then the device makes its key, which never leaves it.\n\n"
            "With --replace every certificate that the node had is revoked and its connection "
            "ended, as 'sluice node revoke' does it: the node is out until it has the new file.",
    .manual = "A running broker is told of the node at once, and is then asked for what its list "
              "forbids: one that would allow it is stopped.\n\n"
              "Topics of different nodes never overlap. With --base irrigation a node has the "
              "topics of the original project.",
    .examples =
        (const struct sl_example[]){
            {"sluice node add garden", "a node with the topics irrigation/garden/...:"},
            {"sluice node add garden --base irrigation", "with the original project's topics:"},
            {"sluice node add garden --replace",
             "another device in place of a lost one, or a new key before its certificate ends:"},
            {NULL, NULL}},
    .run = run_add,
};

enum { LIST_JSON };
static const struct sl_option list_options[] = {
    [LIST_JSON] = SL_OPTION_JSON("one JSON object"),
    {.name = NULL},
};
static enum sl_exit run_list(struct sl_cli *cli);
const struct sl_subcommand sl_command_node_list = {
    .name = "node list",
    .summary = "list the nodes of the site",
    .options = list_options,
    .manual =
        "Reads and checks the record, the certificate and the identity image of every node; "
        "needs no broker. A certificate that has ended or was revoked is red. A revocation list "
        "past half of its life is told of: nobody renews it then.",
    .examples = (const struct sl_example[]){{"sluice node list", "every node:"},
                                            {"sluice node list --json | jq -r '.nodes[].base'",
                                             "their base topics, for a script:"},
                                            {NULL, NULL}},
    .run = run_list,
};

static void print_made(const struct sl_site *site, const struct sl_site_node *node,
                       const struct sl_revocation *revocation);
static void print_made_json(const struct sl_site *site, const struct sl_site_node *node,
                            const struct sl_revocation *revocation);
static cJSON *describe(const struct sl_site_node *node);
static void print_row(const struct sl_site_node *node);
static enum sl_exit fill(struct sl_making *making, const struct sl_authority *authority,
                         const char *folder, void *context, X509 **certificate);

static enum sl_exit run_add(struct sl_cli *cli)
{
    const struct sl_making_wish wish = {
        .name = cli->words[0],
        .base = cli->values[BASE].text,
        .host = cli->values[HOST].text,
        .port = (uint16_t)cli->values[PORT].number,
        .may_replace = cli->values[REPLACE].is_given,
    };
    struct sl_making making;
    enum sl_exit code = sl_making_begin(cli->site_root, &wish, &making);
    if (code == SL_EXIT_DONE)
        code = sl_making_carry_out(&making, fill, NULL);
    if (code == SL_EXIT_DONE && cli->values[ADD_JSON].is_given)
        print_made_json(&making.site, &making.node, &making.revocation);
    else if (code == SL_EXIT_DONE)
        print_made(&making.site, &making.node, &making.revocation);
    sl_making_end(&making);
    return code;
}

/* A key made here, with its certificate, as the image that goes onto the node. */
static enum sl_exit fill(struct sl_making *making, const struct sl_authority *authority,
                         const char *folder, void *context, X509 **certificate)
{
    const struct sl_site *site = &making->site;
    struct sl_site_node *node = &making->node;
    char names[SL_PKI_NAMES_MAX];
    snprintf(names, sizeof names, "DNS:%s.device.invalid", node->name);
    struct sl_pki_pair pair = {NULL, NULL};
    (void)context;
    enum sl_exit code =
        sl_issue_certificate(authority, site->root, SL_PKI_NODE, node->name, names, &pair);
    if (code != SL_EXIT_DONE)
        return code;

    node->not_after_s = sl_pki_not_after(pair.certificate);
    uint8_t image[SL_IDENTITY_MAX];
    size_t len = 0;
    code = sl_pki_encode_identity(site, node, authority, &pair, image, &len);
    if (code == SL_EXIT_DONE)
        code = sl_file_write(sl_path_join(folder, "identity").text, image, len, 0600);
    if (code == SL_EXIT_DONE)
        code = sl_pki_save_certificate(&pair, folder);
    if (code == SL_EXIT_DONE)
        code = sl_site_save_node(node, folder);
    sl_wipe(image, sizeof image);
    *certificate = pair.certificate;
    pair.certificate = NULL;
    sl_pki_free(&pair);
    return code;
}

static void print_made(const struct sl_site *site, const struct sl_site_node *node,
                       const struct sl_revocation *revocation)
{
    bool is_anew = revocation->name[0] != '\0';
    printf("node %s is made%s: topics %s/..., broker %s:%u\n"
           "its key was made on this computer: %s/nodes/%s/identity goes onto the node, and\n"
           "whoever reads that file on the way is the node; with a serial line to it,\n"
           "'sluice node enrol' leaves the key where it is made\n",
           node->name, is_anew ? " anew" : "", node->base, node->host, node->port, site->root,
           node->name);
    if (is_anew)
        sl_revoke_print(revocation);
}

static void print_made_json(const struct sl_site *site, const struct sl_site_node *node,
                            const struct sl_revocation *revocation)
{
    cJSON *json = describe(node);
    struct sl_path folder = sl_path_join3(site->root, "nodes", node->name);
    cJSON_AddStringToObject(json, "identity_file", sl_path_join(folder.text, "identity").text);
    if (revocation->name[0] != '\0')
        sl_revoke_describe(revocation, json);
    sl_cli_print_json(json);
}

/* As 'node list' and 'node add' tell it. */
static cJSON *describe(const struct sl_site_node *node)
{
    char day[16];
    sl_site_print_date(day, node->not_after_s);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "name", node->name);
    cJSON_AddStringToObject(json, "base", node->base);
    cJSON_AddStringToObject(json, "host", node->host);
    cJSON_AddNumberToObject(json, "port", node->port);
    cJSON_AddBoolToObject(json, "has_own_key", node->has_own_key);
    cJSON_AddBoolToObject(json, "confirmed", !node->is_unconfirmed);
    cJSON_AddStringToObject(json, "last_day", day);
    return json;
}

static enum sl_exit run_list(struct sl_cli *cli)
{
    bool wants_json = cli->values[LIST_JSON].is_given;
    struct sl_site site;
    struct sl_site_nodes nodes;
    uint64_t list_end_s;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code == SL_EXIT_DONE)
        code = sl_crl_find_nodes(&site, NULL, &nodes, &list_end_s);
    if (code != SL_EXIT_DONE)
        return code;

    cJSON *json = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(json, "nodes");
    if (!wants_json && nodes.len == 0)
        puts("no node yet: sluice node add NAME");
    else if (!wants_json)
        printf("%-23s  %-24s  %-22s  %s\n", "NODE", "BASE TOPIC", "BROKER", "CERTIFICATE ENDS");
    for (size_t i = 0; i < nodes.len; i++) {
        const struct sl_site_node *node = &nodes.list[i];
        if (wants_json) {
            cJSON *entry = describe(node);
            cJSON_AddBoolToObject(entry, "revoked", node->is_revoked);
            cJSON_AddItemToArray(list, entry);
        } else {
            print_row(node);
        }
    }
    char day[16];
    sl_site_print_date(day, list_end_s);
    cJSON_AddStringToObject(json, "revocation_list_last_day", day);
    if (!wants_json)
        printf("the revocation list lasts until %s\n", day);
    if (wants_json)
        sl_cli_print_json(json);
    else
        cJSON_Delete(json);
    sl_site_free_nodes(&nodes);
    return SL_EXIT_DONE;
}

static void print_row(const struct sl_site_node *node)
{
    char day[16], broker[SL_HOST_MAX + 8];
    sl_site_print_date(day, node->not_after_s);
    snprintf(broker, sizeof broker, "%s:%u", node->host, node->port);
    bool is_bad = node->is_revoked || node->not_after_s <= (uint64_t)time(NULL);
    printf("%-23s  %-24s  %-22s  %s%s%s%s\n", node->name, node->base, broker,
           is_bad ? sl_cli_colour(SL_COLOUR_BAD) : "", node->is_revoked ? "revoked" : day,
           is_bad ? sl_cli_colour(SL_COLOUR_OFF) : "",
           node->is_unconfirmed ? ", enrolment not confirmed" : "");
}
