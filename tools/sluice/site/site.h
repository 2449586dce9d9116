/* The site: one folder that holds everything a broker, its operators and its nodes are.
 *
 *   site.json                     broker name, host, port, operators
 *   issued.log                    every certificate ever made: journal.h
 *   ca/                           key.pem, certificate.pem: authority.h
 *   ca/offline                    the key was taken to another machine: offline.c
 *   pending/                      keys of nodes whose certificates that machine is asked for
 *   ca/next/                      the same of the authority that takes over, during a roll-over
 *   broker/                       key.pem, certificate.pem, crl.pem; acl and mosquitto.conf are
 *                                 made from the rest at every change and every start
 *   operators/NAME/               key.pem, certificate.pem
 *   operators/NAME-watch/         the same, with the right to read only
 *   nodes/NAME/                   node.json, certificate.pem, identity (holds the private key;
 *                                 not for a node that made its own)
 *   canary/                       good/ and revoked/: they try the broker: canary.h
 *   run/                          locks of running commands
 *
 * Everything is checked when it is read; a message says which file is wrong and what to do.
 */
#ifndef SL_CLI_SITE_H
#define SL_CLI_SITE_H

#include "site/file.h"

#define SL_SITE_OPERATORS_MAX 8
#define SL_SITE_NODES_MAX     2000 /* max_connections of the broker */
#define SL_OPERATOR_NAME_MAX  17   /* leaves room for "-watch" in a name */
#define SL_WATCH_SUFFIX       "-watch"

typedef char sl_name[SL_NAME_MAX + 1];

/* Where clients find a broker. */
struct sl_address {
    char host[SL_HOST_MAX + 1];
    uint16_t port;
};
#define SL_SITE_FORMER_MAX 8

struct sl_site {
    char root[PATH_MAX];               /* absolute */
    char broker_name[SL_HOST_MAX + 1]; /* the name in the broker's certificate that nodes expect */
    char host[SL_HOST_MAX + 1];        /* where clients find the broker */
    char bind[SL_HOST_MAX + 1];        /* the address it listens on */
    uint16_t port;
    sl_name operators[SL_SITE_OPERATORS_MAX];
    size_t operators_len;
    struct sl_address
        former[SL_SITE_FORMER_MAX]; /* where it was before 'broker move', latest last */
    size_t former_len;
};

struct sl_site_node {
    sl_name name;
    char base[SL_BASE_MAX + 1];
    char host[SL_HOST_MAX + 1];
    uint16_t port;
    uint64_t not_after_s;
    bool is_revoked;     /* as sl_crl_mark found it */
    bool has_own_key;    /* its private key was made on the device: there is no identity file */
    bool is_unconfirmed; /* enrolled, but the device has not said that it has its identity */
};

struct sl_site_nodes {
    struct sl_site_node *list; /* sorted by name */
    size_t len;
};

/* Find and check site.json. */
SL_MUST_CHECK enum sl_exit sl_site_open(const char *root, struct sl_site *site);
/* Write site.json into folder. */
SL_MUST_CHECK enum sl_exit sl_site_save(const struct sl_site *site, const char *folder);

/* Read every node's record and compare it with its certificate, and its identity image. */
SL_MUST_CHECK enum sl_exit sl_site_read_nodes(const struct sl_site *site,
                                              struct sl_site_nodes *nodes);
/* One of them. */
SL_MUST_CHECK enum sl_exit sl_site_read_node(const struct sl_site *site, const char *name,
                                             struct sl_site_node *node);
void sl_site_free_nodes(struct sl_site_nodes *nodes);
/* Read the nodes and keep only this one; name NULL keeps all. SL_EXIT_USAGE: no such node. */
SL_MUST_CHECK enum sl_exit sl_site_find_nodes(const struct sl_site *site, const char *name,
                                              struct sl_site_nodes *nodes);
SL_MUST_CHECK enum sl_exit sl_site_save_node(const struct sl_site_node *node, const char *folder);

/* A node that dials where the broker was before dials where it is now; another one stays as it is.
 */
void sl_site_new_address(const struct sl_site *site, struct sl_site_node *node);

/* The user name of an operator's certificate: name, or the site's first when NULL; of the read-only
 * one when is_watching. SL_EXIT_USAGE: no such operator. */
SL_MUST_CHECK enum sl_exit sl_site_find_operator(const struct sl_site *site, const char *name,
                                                 bool is_watching, sl_name user);

/* The user names of all operators, two for each: `which` is 0 to 2 * operators_len - 1. */
void sl_site_user(const struct sl_site *site, size_t which, sl_name user);

/* What follows the node's base and a slash in topic; NULL when it is not below that base. */
const char *sl_site_topic_below(const struct sl_site_node *node, const char *topic);

/* The zone of "zone/<n>/state" below a base; -1 for any other topic. */
int sl_site_state_zone(const char *below);

/* Hold run/<name>.lock until the process ends, or until sl_site_unlock; waits up to wait_ms.
 * Fails: SL_EXIT_REFUSED (silent) when another process holds it. */
SL_MUST_CHECK enum sl_exit sl_site_lock(const struct sl_site *site, const char *name,
                                        unsigned wait_ms);
void sl_site_unlock(const struct sl_site *site, const char *name);
/* The process that holds run/<name>.lock, 0 when nobody does. Told by the kernel: a lock cannot
 * outlive its process. */
int sl_site_lock_owner(const struct sl_site *site, const char *name);

/* A DNS name or an address literal, as the identity image and the certificate take it. */
bool sl_site_is_host(const char *text);
bool sl_site_is_address(const char *text);
bool sl_site_is_loopback(const char *host);
/* "2026-11-22" and "2026-11-22T18:42:07Z". */
void sl_site_print_date(char out[16], uint64_t unix_s);
void sl_site_print_time(char out[24], uint64_t unix_s);

#endif
