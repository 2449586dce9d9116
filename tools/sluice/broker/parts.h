/* The files of a Mosquitto that the system starts, as bytes: what 'broker install' writes below a
 * root or into a bundle, and what 'broker apply' renews of it.
 *
 * The authority's key is not among them. Mosquitto is never told to read anything but these: a
 * small script beside them, which the service manager calls for every reload and start, compares
 * each with a list of sums. So neither logrotate nor a hand makes it read a broken file.
 */
#ifndef SL_CLI_BROKER_PARTS_H
#define SL_CLI_BROKER_PARTS_H

#include "broker/set.h"

enum sl_part_kind {
    SL_PART_DATA, /* what a running broker reads again: access list, certificates, revocations */
    SL_PART_SUMS,
    SL_PART_FRAME, /* what stays: script, configuration, unit */
    SL_PART_FOLDER
};
struct sl_part {
    enum sl_part_kind kind;
    char inside[64];         /* path below the root, without a slash in front */
    bool is_brokers;         /* its group is Mosquitto's */
    bool is_new, is_changed; /* as sl_parts_compare found it */
    mode_t mode;
    struct sl_bytes bytes;
};
#define SL_PARTS_MAX 16
struct sl_parts {
    struct sl_part list[SL_PARTS_MAX];
    size_t len;
};

/* All parts for a host, in the order in which they are written. The site's revocation list and
 * certificate are taken as they are, the access list is made anew. */
SL_MUST_CHECK enum sl_exit sl_parts_make(const struct sl_site *site, const struct sl_set *set,
                                         struct sl_parts *parts);
/* The data alone, from files of the same names in folder, for going back to them. */
SL_MUST_CHECK enum sl_exit sl_parts_load(const char *folder, struct sl_parts *parts);
void sl_parts_free(struct sl_parts *parts);
/* Which are not below the root, or not the same there. */
SL_MUST_CHECK enum sl_exit sl_parts_compare(const struct sl_set *set, struct sl_parts *parts,
                                            size_t *differ);

/* Write those that differ: beside the file, flushed, owner and mode, checked as a set, and only
 * then renamed, one after the other. The list of sums has the old and the new ones meanwhile, so
 * that at every moment the broker would start with what is there. only_data: the frame stays as it
 * is. */
SL_MUST_CHECK enum sl_exit sl_parts_write(const struct sl_set *set, const struct sl_site *site,
                                          struct sl_parts *parts, bool only_data);

/* A tar file (mode 0600) with all of them, owners by name. Source: POSIX.1-2017, pax, ustar. */
SL_MUST_CHECK enum sl_exit sl_parts_bundle(const struct sl_parts *parts, const char *path);

#endif
