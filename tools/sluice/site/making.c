/* Checks, the folder, the broker: in the order in which nothing is lost. */
#include "site/making.h"
#include "broker/apply.h"
#include "broker/files.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum sl_exit plan(const struct sl_making_wish *wish, struct sl_making *making);
static enum sl_exit check_name(const struct sl_site *site, const char *name);
static const struct sl_site_node *find_node(const struct sl_site_nodes *nodes, const char *name);
static enum sl_exit check_base(const struct sl_making *making);
static enum sl_exit write_node(struct sl_making *making, const struct sl_authority *authority,
                               sl_making_fill fill, void *context);
static enum sl_exit update_broker(const struct sl_site *site);

enum sl_exit sl_making_begin(const char *root, const struct sl_making_wish *wish,
                             struct sl_making *making)
{
    memset(making, 0, sizeof *making);
    enum sl_exit code = sl_site_open(root, &making->site);
    if (code == SL_EXIT_DONE)
        code = check_name(&making->site, wish->name);
    if (code != SL_EXIT_DONE)
        return code;
    if (wish->base && !sl_identity_is_base(sl_view_text(wish->base)))
        return sl_cli_fail(SL_ERROR(BASE_BAD), wish->base, SL_BASE_MAX);
    if (wish->host && !sl_site_is_host(wish->host))
        return sl_cli_fail(SL_ERROR(HOST_BAD), wish->host);

    code = sl_site_lock(&making->site, "site", 5000);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(SITE_BUSY), making->site.root);
    making->is_locked = code == SL_EXIT_DONE;
    if (code == SL_EXIT_DONE)
        code = sl_site_read_nodes(&making->site, &making->nodes);
    uint64_t list_end_s;
    if (code == SL_EXIT_DONE)
        code = sl_crl_mark(&making->site, &making->nodes, &list_end_s);
    making->revocation.site = &making->site;
    return code == SL_EXIT_DONE ? plan(wish, making) : code;
}

static enum sl_exit plan(const struct sl_making_wish *wish, struct sl_making *making)
{
    struct sl_site_node *node = &making->node;
    const struct sl_site_node *old = find_node(&making->nodes, wish->name);
    const bool may_replace =
        wish->may_replace || (wish->is_enrolment && old && old->is_unconfirmed);
    making->is_replacing = old != NULL;
    if (old) {
        *node = *old;
        node->is_revoked = node->is_unconfirmed = node->has_own_key = false;
    } else {
        node->port = making->site.port;
        snprintf(node->name, sizeof node->name, "%s", wish->name);
        snprintf(node->base, sizeof node->base, "irrigation/%s", wish->name);
        snprintf(node->host, sizeof node->host, "%s", making->site.host);
    }
    if (wish->base)
        snprintf(node->base, sizeof node->base, "%s", wish->base);
    if (wish->host)
        snprintf(node->host, sizeof node->host, "%s", wish->host);
    if (wish->port > 0)
        node->port = wish->port;
    if (old && !may_replace)
        return sl_cli_fail(SL_ERROR(NODE_EXISTS), node->name, wish->is_enrolment ? "enrol" : "add",
                           node->name);
    if (!old && wish->may_replace)
        return sl_cli_fail(SL_ERROR(NODE_NOT_THERE), node->name);
    return check_base(making);
}

void sl_making_end(struct sl_making *making)
{
    sl_revoke_end(&making->revocation);
    sl_site_free_nodes(&making->nodes);
    if (making->is_locked)
        sl_site_unlock(&making->site, "site");
    making->is_locked = false;
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

static const struct sl_site_node *find_node(const struct sl_site_nodes *nodes, const char *name)
{
    for (size_t i = 0; i < nodes->len; i++)
        if (strcmp(nodes->list[i].name, name) == 0)
            return &nodes->list[i];
    return NULL;
}

/* A node replaced may keep its own base, or take another that is free. */
static enum sl_exit check_base(const struct sl_making *making)
{
    const char *base = making->node.base;
    for (size_t i = 0; i < making->nodes.len; i++) {
        const struct sl_site_node *node = &making->nodes.list[i];
        if (strcmp(node->name, making->node.name) == 0)
            continue;
        if (sl_topics_overlap(base, node->base))
            return sl_cli_fail(SL_ERROR(BASE_TAKEN), base, node->name, node->base);
    }
    if (making->nodes.len == SL_SITE_NODES_MAX && !making->is_replacing)
        return sl_cli_fail(SL_ERROR(NODES_TOO_MANY), making->site.root, SL_SITE_NODES_MAX);
    return SL_EXIT_DONE;
}

enum sl_exit sl_making_carry_out(struct sl_making *making, sl_making_fill fill, void *context)
{
    struct sl_authority authority;
    enum sl_exit code = sl_authority_open(&making->site, true, &authority);
    if (code != SL_EXIT_DONE)
        return code;
    code = write_node(making, &authority, fill, context);
    sl_authority_close(&authority);
    if (code != SL_EXIT_DONE)
        return code;
    return making->revocation.name[0] != '\0' ? sl_revoke_enforce(&making->revocation)
                                              : update_broker(&making->site);
}

static enum sl_exit write_node(struct sl_making *making, const struct sl_authority *authority,
                               sl_making_fill fill, void *context)
{
    const struct sl_site *site = &making->site;
    bool is_known = false;
    enum sl_exit code = sl_crl_is_known(site, making->node.name, &is_known);
    if (code != SL_EXIT_DONE)
        return code;
    struct sl_path folder = sl_path_join(site->root, "nodes");
    struct sl_path temporary = sl_path_join(folder.text, ".new.XXXXXX");
    if (!mkdtemp(temporary.text))
        return sl_file_fail("make a folder in", folder.text);
    X509 *certificate = NULL;
    code = fill(making, authority, temporary.text, context, &certificate);
    if (code == SL_EXIT_DONE)
        code = sl_folder_flush(temporary.text);
    if (code == SL_EXIT_DONE && (is_known || making->is_replacing))
        code =
            sl_revoke_begin(site, authority, making->node.name, certificate, &making->revocation);
    if (code == SL_EXIT_DONE)
        code = sl_making_publish(making, temporary.text);
    if (code != SL_EXIT_DONE || making->is_replacing)
        sl_folder_remove(temporary.text);
    X509_free(certificate);
    return code;
}

/* The broker's list comes first: what fails before the folder has its name leaves a name in the
 * list that nobody has a certificate for, and the same command can be repeated. */
enum sl_exit sl_making_publish(struct sl_making *making, const char *temporary)
{
    struct sl_site_nodes *nodes = &making->nodes;
    struct sl_site_node *place = nodes->list;
    const struct sl_site_node *end = place + nodes->len;
    while (place < end && strcmp(place->name, making->node.name) < 0)
        place++;
    if (!making->is_replacing) { /* check_base has seen to the room */
        memmove(place + 1, place, (size_t)(end - place) * sizeof *place);
        nodes->len++;
    }
    *place = making->node;
    const char *root = making->site.root;
    enum sl_exit code =
        sl_broker_write_acl(&making->site, nodes, sl_path_join(root, "broker").text);
    if (code != SL_EXIT_DONE)
        return code;

    struct sl_path folder = sl_path_join3(root, "nodes", making->node.name);
    code = making->is_replacing ? sl_folder_exchange(temporary, folder.text)
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
    return sl_apply_everywhere(site, &is_running);
}
