/* The files that one broker is given: where they are, and whether they hold what they should.
 *
 * A site has such a set, which 'sluice broker run' uses; 'sluice broker install' makes another
 * below a root, for a Mosquitto that the system starts. Mosquitto gets nothing that was not checked
 * here, because it takes a broken list for none.
 */
#ifndef SL_CLI_BROKER_SET_H
#define SL_CLI_BROKER_SET_H

#include "broker/conf.h"

/* Below a root. */
#define SL_SET_FOLDER       "etc/mosquitto/sluice"
#define SL_SET_CONF_DEBIAN  "etc/mosquitto/conf.d/sluice.conf"
#define SL_SET_CONF_OPENWRT "etc/mosquitto/mosquitto.conf"

struct sl_set {
    enum sl_broker_host host;
    char root[PATH_MAX];   /* "" for "/"; of a site: its folder */
    struct sl_path folder; /* where acl, certificate and list are */
    struct sl_path conf, acl, authority, certificate, key, crl;
};

void sl_set_of_site(const struct sl_site *site, struct sl_set *set);
/* Below root; whichever of Debian's and OpenWRT's is there, Debian's when neither is. */
SL_MUST_CHECK enum sl_exit sl_set_of_root(const char *root, struct sl_set *set);
SL_MUST_CHECK enum sl_exit sl_set_of_host(const char *root, enum sl_broker_host host,
                                          struct sl_set *set);
bool sl_set_is_installed(const struct sl_set *set);
/* The value of a path in the configuration: as the broker's computer will see it. */
struct sl_path sl_set_inside(const struct sl_set *set, const struct sl_path *path);

/* What a check found, a line each. */
#define SL_RESULTS_MAX 12
struct sl_result {
    const char *name;
    bool is_good;
    char text[192];
};
struct sl_results {
    struct sl_result list[SL_RESULTS_MAX];
    size_t len;
};
void sl_results_add(struct sl_results *results, const char *name, enum sl_exit code,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Everything that can be seen without a broker: configuration and access list by our own grammar,
 * certificate, key, authorities and revocation lists, that they belong together, their dates; of
 * installed ones also owner and mode, and that nothing else lies there. Goes on after a failure;
 * gives the code of the first. canary: the revoked one, which must be on the list; NULL: unknown.
 */
SL_MUST_CHECK enum sl_exit sl_set_check(const struct sl_set *set, X509 *canary,
                                        struct sl_results *results);
/* The group that the broker's process has; 0 when files are not given to it (not root). */
SL_MUST_CHECK enum sl_exit sl_set_group(const struct sl_set *set, gid_t *group);

/* Start a real Mosquitto with these files on a free port of the loopback, and probe it. site NULL:
 * there are no canaries; then only its start is tried. */
SL_MUST_CHECK enum sl_exit sl_set_try(const struct sl_set *set, const struct sl_site *site);

#endif
