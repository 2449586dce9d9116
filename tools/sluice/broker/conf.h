/* The two texts that decide who gets in: mosquitto.conf as sluice writes it, and the access list.
 *
 * One table writes the configuration and reads it back, line by line: what sluice would not write
 * is refused, because Mosquitto 2.0 has no way to try a file, and takes a broken access list for
 * none at all. Source: mosquitto.conf(5) of 2.0.
 */
#ifndef SL_CLI_BROKER_CONF_H
#define SL_CLI_BROKER_CONF_H

#include "ca/canary.h"

/* Whose file it is: a site's own, run by 'sluice broker run'; one of Debian's conf.d, beside a
 * mosquitto.conf with log, pid file and persistence; the only one, on OpenWRT. */
enum sl_broker_host { SL_BROKER_SITE = 1, SL_BROKER_DEBIAN = 2, SL_BROKER_OPENWRT = 4 };

struct sl_broker_conf {
    enum sl_broker_host host;
    bool is_root; /* Mosquitto keeps the rights of root */
    char address[SL_HOST_MAX + 1];
    uint16_t port;
    struct sl_path acl, authority, certificate, key, crl;
};

/* The whole text, on the heap; free it with sl_bytes_free. */
SL_MUST_CHECK enum sl_exit sl_broker_conf_print(const struct sl_broker_conf *conf,
                                                struct sl_bytes *text);
/* Exactly what sl_broker_conf_print writes for host, but for comments and empty lines.
 * path: for the message. Fails: SL_EXIT_FILES, naming the line. */
SL_MUST_CHECK enum sl_exit sl_broker_conf_parse(const char *path, const struct sl_bytes *text,
                                                enum sl_broker_host host,
                                                struct sl_broker_conf *conf);

struct sl_broker_acl {
    size_t users, topics;
    char mark[sizeof SL_CANARY_MARK + SL_CANARY_MARK_LEN]; /* the canary's topic in it */
};
/* Users by name, topics without wildcards, the canary's part at the end. Fails as above. */
SL_MUST_CHECK enum sl_exit sl_broker_acl_parse(const char *path, const struct sl_bytes *text,
                                               struct sl_broker_acl *acl);

#endif
