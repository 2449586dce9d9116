/* The two files that Mosquitto reads and that follow from the rest of the site: never edited by
 * hand, made anew at every change and at every start. */
#ifndef SL_CLI_BROKER_FILES_H
#define SL_CLI_BROKER_FILES_H

#include "ca/canary.h"
#include "site/site.h"

/* Topics below a node's base; {zone} stands for 0..7 and {operator} for a name. A claim goes out,
 * too, but only to who may command: certificates for reading get none of it. */
enum sl_topic_direction { SL_TOPIC_IN, SL_TOPIC_OUT, SL_TOPIC_CLAIM, SL_TOPIC_ANSWER };
struct sl_topic {
    const char *name;
    enum sl_topic_direction direction;
};
extern const struct sl_topic sl_topics[];
extern const size_t sl_topics_len;
/* Could a topic of a node with the one base be one of a node with the other? */
bool sl_topics_overlap(const char *base, const char *other);

/* The service that answers requests for certificates ('sluice renew --serve'), and may do no more.
 * No node or operator can have this name, which begins with a capital letter. */
#define SL_RENEWAL_USER "Renewal"

#define SL_BROKER_FILE_MAX 16777216 /* bytes of the longest of them */

/* Write acl into folder, which holds certificate.pem and crl.pem already: one line a topic, user
 * and direction; nothing by wildcard; the canary's mark over all three. */
SL_MUST_CHECK enum sl_exit sl_broker_write_acl(const struct sl_site *site,
                                               const struct sl_site_nodes *nodes,
                                               const char *folder);
/* The same text without a file. The caller frees it with sl_bytes_free. */
SL_MUST_CHECK enum sl_exit sl_broker_make_acl(const struct sl_site *site,
                                              const struct sl_site_nodes *nodes, const char *folder,
                                              struct sl_bytes *text);
/* Write broker/mosquitto.conf into folder; the paths in it lie below site->root. */
SL_MUST_CHECK enum sl_exit sl_broker_write_conf(const struct sl_site *site, const char *folder);
SL_MUST_CHECK enum sl_exit sl_broker_make_conf(const struct sl_site *site, struct sl_bytes *text);

/* Tell a running broker of this site to read its files again. Nothing to do: SL_EXIT_DONE. */
SL_MUST_CHECK enum sl_exit sl_broker_reload(const struct sl_site *site, bool *is_running);

#endif
