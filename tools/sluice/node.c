/* sluice node add, sluice node list. */
#include "broker_files.h"
#include "image.h"
#include "issue.h"
#include "probe.h"
#include "revoke.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BASE, HOST, PORT, REPLACE, ADD_JSON };
static const struct sl_option add_options[] = {
    [BASE] = {.name = "--base",
              .kind = SL_OPTION_TEXT,
              .value = "TOPIC",
              .otherwise = "irrigation/NAME",
              .help = "what the node's topics begin with"},
    [HOST] = {.name = "--host",
              .kind = SL_OPTION_TEXT,
              .value = "HOST",
              .otherwise = "the site's",
              .help = "where the node finds the broker"},
    [PORT] = {.name = "--port",
              .kind = SL_OPTION_NUMBER,
              .value = "N",
              .min = 1,
              .max = 65535,
              .otherwise = "the site's",
              .help = "the broker's port"},
    [REPLACE] = {.name = "--replace",
                 .help = "a new key and certificate for a node that exists; base, host and port "
                         "stay as they are unless given"},
    [ADD_JSON] = SL_OPTION_JSON("what was made as one JSON object"),
    {.name = NULL},
};

static enum sl_exit run_add(struct sl_cli *cli);
const struct sl_command sl_command_node_add = {
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
            "onto the node: treat it like a key.\n\n"
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
const struct sl_command sl_command_node_list = {
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
static enum sl_exit check_name(const struct sl_site *site, const char *name);
static const struct sl_site_node *find_node(const struct sl_site_nodes *nodes, const char *name);
static enum sl_exit check_base(const struct sl_site *site, const struct sl_site_nodes *nodes,
                               const char *name, const char *base);
static enum sl_exit write_node(const struct sl_site *site, struct sl_site_nodes *nodes,
                               struct sl_site_node *node, struct sl_revocation *revocation);
static enum sl_exit build(const struct sl_site *site, const struct sl_authority *authority,
                          struct sl_site_node *node, const char *folder, X509 **certificate);
static enum sl_exit publish(const struct sl_site *site, struct sl_site_nodes *nodes,
                            const struct sl_site_node *node, const char *temporary,
                            bool is_replacing);
static enum sl_exit update_broker(const struct sl_site *site);

static enum sl_exit run_add(struct sl_cli *cli)
{
    const char *name = cli->words[0], *base = cli->values[BASE].text;
    const char *host = cli->values[HOST].text;
    bool is_replacing = cli->values[REPLACE].is_given;
    struct sl_site site;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code != SL_EXIT_DONE)
        return code;
    code = check_name(&site, name);
    if (code != SL_EXIT_DONE)
        return code;
    if (base && !sl_identity_is_base(sl_view_text(base)))
        return sl_cli_fail(SL_ERROR(BASE_BAD), base, SL_BASE_MAX);
    if (host && !sl_site_is_host(host))
        return sl_cli_fail(SL_ERROR(HOST_BAD), host);

    code = sl_site_lock(&site, "site", 5000);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(SITE_BUSY), site.root);
    if (code != SL_EXIT_DONE)
        return code;
    struct sl_site_nodes nodes;
    uint64_t list_end_s;
    code = sl_site_read_nodes(&site, &nodes);
    if (code == SL_EXIT_DONE)
        code = sl_crl_mark(&site, &nodes, &list_end_s);
    if (code != SL_EXIT_DONE) {
        sl_site_free_nodes(&nodes);
        return code;
    }
    struct sl_site_node node = {.port = site.port};
    const struct sl_site_node *old = find_node(&nodes, name);
    if (old && is_replacing) {
        node = *old;
        node.is_revoked = false;
    } else {
        snprintf(node.name, sizeof node.name, "%s", name);
        snprintf(node.base, sizeof node.base, "irrigation/%s", name);
        snprintf(node.host, sizeof node.host, "%s", site.host);
    }
    if (base)
        snprintf(node.base, sizeof node.base, "%s", base);
    if (host)
        snprintf(node.host, sizeof node.host, "%s", host);
    if (cli->values[PORT].is_given)
        node.port = (uint16_t)cli->values[PORT].number;
    if (old && !is_replacing)
        code = sl_cli_fail(SL_ERROR(NODE_EXISTS), node.name, node.name);
    else if (!old && is_replacing)
        code = sl_cli_fail(SL_ERROR(NODE_NOT_THERE), node.name);
    else
        code = check_base(&site, &nodes, node.name, node.base);
    struct sl_revocation revocation = {.site = &site};
    if (code == SL_EXIT_DONE)
        code = write_node(&site, &nodes, &node, &revocation);
    sl_site_free_nodes(&nodes);
    if (code == SL_EXIT_DONE)
        code = revocation.name[0] != '\0' ? sl_revoke_enforce(&revocation) : update_broker(&site);
    sl_revoke_end(&revocation);
    if (code != SL_EXIT_DONE)
        return code;
    if (cli->values[ADD_JSON].is_given)
        print_made_json(&site, &node, &revocation);
    else
        print_made(&site, &node, &revocation);
    return code;
}

static void print_made(const struct sl_site *site, const struct sl_site_node *node,
                       const struct sl_revocation *revocation)
{
    bool is_anew = revocation->name[0] != '\0';
    printf("node %s is made%s: topics %s/..., broker %s:%u\n"
           "its key was made on this computer: %s/nodes/%s/identity goes onto the node\n",
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
    cJSON_AddStringToObject(json, "last_day", day);
    return json;
}

/* A node that could pass for the broker or an operator would be one. */
static enum sl_exit check_name(const struct sl_site *site, const char *name)
{
    char clean[64];
    sl_cli_clean(clean, sizeof clean, name, strlen(name));
    if (!sl_identity_is_name(sl_view_text(name)))
        return sl_cli_fail(SL_ERROR(NODE_NAME_BAD), clean, SL_NAME_MAX);
    bool is_taken = strcasecmp(name, site->broker_name) == 0 || strcasecmp(name, site->host) == 0 ||
                    strcmp(name, "localhost") == 0;
    for (size_t i = 0; i < site->operators_len; i++) {
        size_t len = strlen(site->operators[i]);
        if (strncmp(name, site->operators[i], len) == 0 &&
            (name[len] == '\0' || strcmp(name + len, SL_WATCH_SUFFIX) == 0))
            is_taken = true;
    }
    if (is_taken)
        return sl_cli_fail(SL_ERROR(NODE_NAME_TAKEN), clean);
    return SL_EXIT_DONE;
}

/* True when a topic of the one could be a topic of the other. */
static bool is_inside(const char *base, const char *other)
{
    size_t len = strlen(other);
    if (strncmp(base, other, len) != 0)
        return false;
    const char *rest = base + len;
    return *rest == '\0' || strcmp(rest, "/zone") == 0 || strncmp(rest, "/zone/", 6) == 0 ||
           strcmp(rest, "/answer") == 0 || strncmp(rest, "/answer/", 8) == 0;
}

static const struct sl_site_node *find_node(const struct sl_site_nodes *nodes, const char *name)
{
    for (size_t i = 0; i < nodes->len; i++)
        if (strcmp(nodes->list[i].name, name) == 0)
            return &nodes->list[i];
    return NULL;
}

/* A node replaced may keep its own base, or take another that is free. */
static enum sl_exit check_base(const struct sl_site *site, const struct sl_site_nodes *nodes,
                               const char *name, const char *base)
{
    for (size_t i = 0; i < nodes->len; i++) {
        const struct sl_site_node *node = &nodes->list[i];
        if (strcmp(node->name, name) == 0)
            continue;
        if (is_inside(base, node->base) || is_inside(node->base, base))
            return sl_cli_fail(SL_ERROR(BASE_TAKEN), base, node->name, node->base);
    }
    if (nodes->len == SL_SITE_NODES_MAX && !find_node(nodes, name))
        return sl_cli_fail(SL_ERROR(NODES_TOO_MANY), site->root, SL_SITE_NODES_MAX);
    return SL_EXIT_DONE;
}

/* The folder is built under a hidden name and appears whole; one before it goes at that moment.
 * What the name had before is revoked first: whatever fails then, a device that was lost stays out.
 */
static enum sl_exit write_node(const struct sl_site *site, struct sl_site_nodes *nodes,
                               struct sl_site_node *node, struct sl_revocation *revocation)
{
    struct sl_authority authority;
    bool is_known = false, is_replacing = find_node(nodes, node->name) != NULL;
    enum sl_exit code = sl_crl_is_known(site, node->name, &is_known);
    if (code == SL_EXIT_DONE)
        code = sl_authority_open(site, true, &authority);
    if (code != SL_EXIT_DONE)
        return code;
    struct sl_path folder = sl_path_join(site->root, "nodes");
    struct sl_path temporary = sl_path_join(folder.text, ".new.XXXXXX");
    if (!mkdtemp(temporary.text)) {
        sl_authority_close(&authority);
        return sl_file_fail("make a folder in", folder.text);
    }
    X509 *certificate = NULL;
    code = build(site, &authority, node, temporary.text, &certificate);
    if (code == SL_EXIT_DONE)
        code = sl_folder_flush(temporary.text);
    if (code == SL_EXIT_DONE && (is_known || is_replacing))
        code = sl_revoke_begin(site, &authority, node->name, certificate, revocation);
    if (code == SL_EXIT_DONE)
        code = publish(site, nodes, node, temporary.text, is_replacing);
    if (code != SL_EXIT_DONE || is_replacing)
        sl_folder_remove(temporary.text);
    X509_free(certificate);
    sl_authority_close(&authority);
    return code;
}

/* Gives: *certificate, which the caller frees. */
static enum sl_exit build(const struct sl_site *site, const struct sl_authority *authority,
                          struct sl_site_node *node, const char *folder, X509 **certificate)
{
    char names[SL_PKI_NAMES_MAX];
    snprintf(names, sizeof names, "DNS:%s.device.invalid", node->name);
    struct sl_pki_pair pair = {NULL, NULL};
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

/* The broker's list comes first: what fails before the folder has its name leaves a name in the
 * list that nobody has a certificate for, and the same 'node add' can be repeated. */
static enum sl_exit publish(const struct sl_site *site, struct sl_site_nodes *nodes,
                            const struct sl_site_node *node, const char *temporary,
                            bool is_replacing)
{
    struct sl_site_node *place = nodes->list;
    const struct sl_site_node *end = place + nodes->len;
    while (place < end && strcmp(place->name, node->name) < 0)
        place++;
    if (!is_replacing) { /* check_base has seen to the room */
        memmove(place + 1, place, (size_t)(end - place) * sizeof *place);
        nodes->len++;
    }
    *place = *node;
    enum sl_exit code = sl_broker_write_acl(site, nodes, sl_path_join(site->root, "broker").text);
    if (code != SL_EXIT_DONE)
        return code;

    struct sl_path folder = sl_path_join3(site->root, "nodes", node->name);
    code = is_replacing ? sl_folder_exchange(temporary, folder.text)
                        : sl_folder_publish(temporary, folder.text);
    if (code == SL_EXIT_REFUSED)
        code = sl_cli_fail(SL_ERROR(NODE_FOLDER_TAKEN), folder.text);
    return code;
}

/* Mosquitto 2.0 lets everybody do everything when it cannot read its list at a reload. So the list
 * was whole when it got its name, and what the broker made of it is tried out. */
static enum sl_exit update_broker(const struct sl_site *site)
{
    bool is_running = false;
    enum sl_exit code = sl_broker_reload(site, &is_running);
    if (code == SL_EXIT_DONE && is_running)
        code = sl_probe_site(site);
    return code;
}

static enum sl_exit run_list(struct sl_cli *cli)
{
    bool wants_json = cli->values[LIST_JSON].is_given;
    struct sl_site site;
    struct sl_site_nodes nodes;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code == SL_EXIT_DONE)
        code = sl_site_read_nodes(&site, &nodes);
    if (code != SL_EXIT_DONE)
        return code;
    uint64_t list_end_s;
    code = sl_crl_mark(&site, &nodes, &list_end_s);
    if (code != SL_EXIT_DONE) {
        sl_site_free_nodes(&nodes);
        return code;
    }

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
    printf("%-23s  %-24s  %-22s  %s%s%s\n", node->name, node->base, broker,
           is_bad ? sl_cli_colour(SL_COLOUR_BAD) : "", node->is_revoked ? "revoked" : day,
           is_bad ? sl_cli_colour(SL_COLOUR_OFF) : "");
}
