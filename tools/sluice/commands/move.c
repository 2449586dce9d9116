/* sluice broker move: where the broker will be found from now on. */
#include "broker/files.h"
#include "broker/upkeep.h"
#include "ca/issue.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JSON };
static const struct sl_option options[] = {
    [JSON] = SL_OPTION_JSON("what was done as one JSON object"),
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_broker_move = {
    .name = "broker move",
    .summary = "give the site's broker another address",
    .arguments =
        (const struct sl_argument[]){
            {.name = "HOST[:PORT]",
             .help = "where clients will find it; without a port the one that it has"},
            {.name = NULL}},
    .options = options,
    .text =
        "The broker's certificate gets the new name beside the one before, and commands dial the "
        "new address from now on. Nodes go on dialling the old one until 'sluice renew' has told "
        "them: it reaches them by the broker at the old address, which must run until then. A node "
        "that does not find the new broker goes back to the old one.\n\n"
        "So: move, start the broker at the new address with this site's files, run 'sluice renew "
        "--all', and stop the old one when 'sluice node list' shows the new address everywhere.",
    .manual = "Nodes that were added with an address of their own keep it. The "
              "name that nodes check in the broker's certificate does not change.",
    .examples =
        (const struct sl_example[]){{"sluice broker move broker.lan", "to another computer:"},
                                    {"sluice broker move 192.168.1.5:8884", "and another port:"},
                                    {NULL, NULL}},
    .run = run,
};

static enum sl_exit move(struct sl_site *site, const struct sl_address *to);
static bool read_address(const char *text, uint16_t usual, struct sl_address *address);
static void remember(struct sl_site *site, const struct sl_address *to);

static enum sl_exit run(struct sl_cli *cli)
{
    struct sl_site site;
    struct sl_address to;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code != SL_EXIT_DONE)
        return code;
    if (!read_address(cli->words[0], site.port, &to))
        return sl_cli_fail(SL_ERROR(HOST_BAD), cli->words[0]);
    code = sl_site_lock(&site, "site", 5000);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(SITE_BUSY), site.root);
    if (code == SL_EXIT_DONE)
        code = move(&site, &to);
    if (code != SL_EXIT_DONE)
        return code;
    if (cli->values[JSON].is_given) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "host", site.host);
        cJSON_AddNumberToObject(json, "port", site.port);
        sl_cli_print_json(json);
        return code;
    }
    printf("the broker is to be found at %s:%u from now on\n"
           "next: start it there with this site's files, keep the old one running, and tell the "
           "nodes: sluice renew --all\n",
           site.host, site.port);
    return code;
}

/* The certificate first: with a name more it serves the old address, too. */
static enum sl_exit move(struct sl_site *site, const struct sl_address *to)
{
    struct sl_authority authority;
    bool is_running;
    if (strcmp(site->host, to->host) == 0 && site->port == to->port)
        return sl_cli_fail(SL_ERROR(BROKER_THERE_ALREADY), to->host, to->port);
    enum sl_exit code = sl_authority_open(site, true, &authority);
    if (code != SL_EXIT_DONE)
        return code;
    remember(site, to);
    code = sl_upkeep_renew_server(site, &authority);
    sl_authority_close(&authority);
    if (code == SL_EXIT_DONE)
        code = sl_upkeep_write_acl(site); /* it is bound to the certificate */
    if (code == SL_EXIT_DONE)
        code = sl_site_save(site, site->root);
    return code == SL_EXIT_DONE ? sl_broker_reload(site, &is_running) : code;
}

/* HOST, HOST:PORT or [ADDRESS]:PORT. */
static bool read_address(const char *text, uint16_t usual, struct sl_address *address)
{
    const char *colon = strrchr(text, ':'), *start = text;
    size_t len = strlen(text);
    long port = usual;
    if (text[0] == '[') {
        const char *close = strchr(text, ']');
        if (!close || (close[1] != '\0' && close[1] != ':'))
            return false;
        start = text + 1;
        len = (size_t)(close - start);
        colon = close[1] == ':' ? close + 1 : NULL;
    } else if (colon && colon == strchr(text, ':')) {
        len = (size_t)(colon - text);
    } else {
        colon = NULL; /* an IPv6 address has several */
    }
    if (len == 0 || len > SL_HOST_MAX ||
        (colon && !sl_cli_read_number(colon + 1, 1, UINT16_MAX, &port)))
        return false;
    memcpy(address->host, start, len);
    address->host[len] = '\0';
    address->port = (uint16_t)port;
    return sl_site_is_host(address->host);
}

/* The oldest gives way; a place to which it comes back is no former one. */
static void remember(struct sl_site *site, const struct sl_address *to)
{
    struct sl_address now = {.port = site->port};
    size_t len = 0;
    snprintf(now.host, sizeof now.host, "%s", site->host);
    for (size_t i = 0; i < site->former_len; i++)
        if (strcmp(site->former[i].host, to->host) != 0 || site->former[i].port != to->port)
            site->former[len++] = site->former[i];
    if (len == SL_SITE_FORMER_MAX)
        memmove(site->former, site->former + 1, --len * sizeof site->former[0]);
    site->former[len++] = now;
    site->former_len = len;
    snprintf(site->host, sizeof site->host, "%s", to->host);
    site->port = to->port;
}
