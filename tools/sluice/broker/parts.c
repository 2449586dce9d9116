/* Making the parts, comparing them with what is there, and writing them. */
#include "broker/parts.h"
#include "broker/files.h"
#include "broker/host.h"
#include "ca/crl.h"
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUMS_MAX 4096

static struct sl_part *add(struct sl_parts *parts, enum sl_part_kind kind, const char *inside,
                           mode_t mode, bool is_brokers);
static enum sl_exit make_data(const struct sl_site *site, struct sl_parts *parts);
static enum sl_exit make_acl(const struct sl_site *site, struct sl_part *part);
static enum sl_exit make_server(const struct sl_site *site, struct sl_part *part);
static enum sl_exit make_conf(const struct sl_site *site, const struct sl_set *set,
                              struct sl_part *part);
static enum sl_exit make_sums(struct sl_parts *parts, const struct sl_bytes *before);
static enum sl_exit make_frame(const struct sl_site *site, const struct sl_set *set,
                               struct sl_parts *parts);
static enum sl_exit make_folder(const struct sl_set *set, const struct sl_part *part, gid_t group);
static enum sl_exit put_beside(const struct sl_set *set, const struct sl_part *part, gid_t group);
static enum sl_exit check_beside(const struct sl_set *set, const struct sl_site *site);
static enum sl_exit keep_foreign(const struct sl_set *set, const struct sl_part *part);
static enum sl_exit give(const char *path, const struct sl_part *part, gid_t group);

/* --- making --------------------------------------------------------------------------------- */

enum sl_exit sl_parts_make(const struct sl_site *site, const struct sl_set *set,
                           struct sl_parts *parts)
{
    *parts = (struct sl_parts){.len = 0};
    add(parts, SL_PART_FOLDER, SL_SET_FOLDER, 0750, true);
    enum sl_exit code = make_data(site, parts);
    if (code == SL_EXIT_DONE)
        code = make_sums(parts, NULL);
    if (code == SL_EXIT_DONE)
        code = make_frame(site, set, parts);
    if (code != SL_EXIT_DONE)
        sl_parts_free(parts);
    return code;
}

enum sl_exit sl_parts_load(const char *folder, struct sl_parts *parts)
{
    static const char *const names[] = {"authority.pem", "server.pem", "crl.pem", "acl"};
    enum sl_exit code = SL_EXIT_DONE;
    *parts = (struct sl_parts){.len = 0};
    for (size_t i = 0; i < 4 && code == SL_EXIT_DONE; i++) {
        char inside[64];
        snprintf(inside, sizeof inside, SL_SET_FOLDER "/%s", names[i]);
        code = sl_file_read(sl_path_join(folder, names[i]).text, SL_BROKER_FILE_MAX,
                            &add(parts, SL_PART_DATA, inside, 0640, true)->bytes);
    }
    return code == SL_EXIT_DONE ? make_sums(parts, NULL) : code;
}

void sl_parts_free(struct sl_parts *parts)
{
    for (size_t i = 0; i < parts->len; i++)
        sl_bytes_free(&parts->list[i].bytes);
    parts->len = 0;
}

static struct sl_part *add(struct sl_parts *parts, enum sl_part_kind kind, const char *inside,
                           mode_t mode, bool is_brokers)
{
    struct sl_part *part = &parts->list[parts->len++];
    *part = (struct sl_part){.kind = kind, .mode = mode, .is_brokers = is_brokers};
    snprintf(part->inside, sizeof part->inside, "%s", inside);
    return part;
}

static enum sl_exit make_data(const struct sl_site *site, struct sl_parts *parts)
{
    enum sl_exit code =
        sl_file_read(sl_path_join(site->root, "ca/certificate.pem").text, SL_BROKER_FILE_MAX,
                     &add(parts, SL_PART_DATA, SL_SET_FOLDER "/authority.pem", 0640, true)->bytes);
    if (code == SL_EXIT_DONE)
        code = make_server(site, add(parts, SL_PART_DATA, SL_SET_FOLDER "/server.pem", 0640, true));
    if (code == SL_EXIT_DONE)
        code = sl_file_read(sl_path_join(site->root, "broker/crl.pem").text, SL_BROKER_FILE_MAX,
                            &add(parts, SL_PART_DATA, SL_SET_FOLDER "/crl.pem", 0640, true)->bytes);
    return code == SL_EXIT_DONE
               ? make_acl(site, add(parts, SL_PART_DATA, SL_SET_FOLDER "/acl", 0640, true))
               : code;
}

static enum sl_exit make_acl(const struct sl_site *site, struct sl_part *part)
{
    struct sl_site_nodes nodes;
    uint64_t list_end_s;
    enum sl_exit code = sl_crl_find_nodes(site, NULL, &nodes, &list_end_s);
    if (code != SL_EXIT_DONE)
        return code;
    code = sl_broker_make_acl(site, &nodes, sl_path_join(site->root, "broker").text, &part->bytes);
    sl_site_free_nodes(&nodes);
    return code;
}

/* Certificate and key in one file: they cannot be of different times. */
static enum sl_exit make_server(const struct sl_site *site, struct sl_part *part)
{
    struct sl_bytes certificate = {NULL, 0}, key = {NULL, 0};
    struct sl_path path = sl_path_join(site->root, "broker/certificate.pem");
    enum sl_exit code = sl_file_read(path.text, SL_CONF_BYTES_MAX, &certificate);
    path = sl_path_join(site->root, "broker/key.pem");
    if (code == SL_EXIT_DONE)
        code = sl_file_read(path.text, SL_CONF_BYTES_MAX, &key);
    if (code == SL_EXIT_DONE) {
        part->bytes.data = malloc(certificate.len + key.len + 1);
        if (!part->bytes.data)
            code = sl_cli_fail(SL_ERROR(MEMORY));
    }
    if (code == SL_EXIT_DONE && part->bytes.data) {
        memcpy(part->bytes.data, certificate.data, certificate.len);
        memcpy(part->bytes.data + certificate.len, key.data, key.len + 1);
        part->bytes.len = certificate.len + key.len;
    }
    sl_bytes_free(&key);
    sl_bytes_free(&certificate);
    return code;
}

/* before: a list whose lines stay. */
static enum sl_exit make_sums(struct sl_parts *parts, const struct sl_bytes *before)
{
    struct sl_part *sums = NULL;
    for (size_t i = 0; i < parts->len; i++)
        if (parts->list[i].kind == SL_PART_SUMS)
            sums = &parts->list[i];
    if (!sums)
        sums = add(parts, SL_PART_SUMS, SL_SET_FOLDER "/SUMS", 0640, true);
    sl_bytes_free(&sums->bytes);
    FILE *out = open_memstream(&sums->bytes.data, &sums->bytes.len);
    bool ok = out != NULL;
    for (size_t i = 0; ok && i < parts->len; i++) {
        const struct sl_part *part = &parts->list[i];
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned len = 0;
        if (part->kind != SL_PART_DATA)
            continue;
        ok = EVP_Digest(part->bytes.data, part->bytes.len, digest, &len, EVP_sha256(), NULL) == 1;
        for (unsigned k = 0; k < len; k++)
            fprintf(out, "%02x", digest[k]);
        fprintf(out, "  %s\n", strrchr(part->inside, '/') + 1);
    }
    if (ok && before && before->len > 0)
        fwrite(before->data, 1, before->len, out);
    if (out && fclose(out) == 0 && ok)
        return SL_EXIT_DONE;
    return sl_cli_fail(SL_ERROR(MEMORY));
}

static enum sl_exit make_frame(const struct sl_site *site, const struct sl_set *set,
                               struct sl_parts *parts)
{
    bool is_debian = set->host == SL_BROKER_DEBIAN;
    enum sl_exit code =
        sl_host_make_reload(&add(parts, SL_PART_FRAME, SL_SET_FOLDER "/reload", 0750, true)->bytes);
    if (code == SL_EXIT_DONE && is_debian) {
        add(parts, SL_PART_FOLDER, "etc/systemd/system/mosquitto.service.d", 0755, false);
        code =
            sl_host_make_unit(site, &add(parts, SL_PART_FRAME, SL_HOST_UNIT, 0644, false)->bytes);
    }
    if (code == SL_EXIT_DONE && !is_debian) {
        add(parts, SL_PART_FOLDER, "lib/upgrade/keep.d", 0755, false);
        code = sl_host_make_keep(&add(parts, SL_PART_FRAME, SL_HOST_KEEP, 0644, false)->bytes);
    }
    if (code == SL_EXIT_DONE && !is_debian) {
        add(parts, SL_PART_FOLDER, "etc/config", 0755, false);
        code = sl_host_make_uci(&add(parts, SL_PART_FRAME, SL_HOST_UCI, 0644, false)->bytes);
    }
    /* Last: before it is there, Mosquitto knows nothing of the rest. */
    if (is_debian)
        add(parts, SL_PART_FOLDER, "etc/mosquitto/conf.d", 0755, false);
    return code == SL_EXIT_DONE
               ? make_conf(site, set,
                           add(parts, SL_PART_FRAME,
                               is_debian ? SL_SET_CONF_DEBIAN : SL_SET_CONF_OPENWRT, 0644, false))
               : code;
}

static enum sl_exit make_conf(const struct sl_site *site, const struct sl_set *set,
                              struct sl_part *part)
{
    struct sl_broker_conf conf = {.host = set->host,
                                  .port = site->port,
                                  .acl = sl_set_inside(set, &set->acl),
                                  .authority = sl_set_inside(set, &set->authority),
                                  .certificate = sl_set_inside(set, &set->certificate),
                                  .key = sl_set_inside(set, &set->key),
                                  .crl = sl_set_inside(set, &set->crl)};
    snprintf(conf.address, sizeof conf.address, "%s", site->bind);
    return sl_broker_conf_print(&conf, &part->bytes);
}

/* --- comparing ------------------------------------------------------------------------------ */

enum sl_exit sl_parts_compare(const struct sl_set *set, struct sl_parts *parts, size_t *differ)
{
    enum sl_exit code = SL_EXIT_DONE;
    gid_t group = 0;
    *differ = 0;
    code = sl_set_group(set, &group);
    for (size_t i = 0; i < parts->len && code == SL_EXIT_DONE; i++) {
        struct sl_part *part = &parts->list[i];
        struct sl_path path = sl_path_join(set->root, part->inside);
        struct stat about;
        part->is_new = lstat(path.text, &about) != 0;
        part->is_changed = !part->is_new && (part->kind != SL_PART_FOLDER || part->is_brokers) &&
                           ((about.st_mode & 07777) != part->mode ||
                            (geteuid() == 0 &&
                             (about.st_uid != 0 || (part->is_brokers && about.st_gid != group))));
        if (part->kind != SL_PART_FOLDER && !part->is_new && S_ISREG(about.st_mode) &&
            about.st_size <= SL_BROKER_FILE_MAX) {
            struct sl_bytes bytes;
            code = sl_file_read(path.text, SL_BROKER_FILE_MAX, &bytes);
            part->is_changed =
                part->is_changed ||
                (code == SL_EXIT_DONE && (bytes.len != part->bytes.len ||
                                          memcmp(bytes.data, part->bytes.data, bytes.len) != 0));
            sl_bytes_free(&bytes);
        }
        *differ += part->is_new || part->is_changed;
    }
    return code;
}

/* --- writing -------------------------------------------------------------------------------- */

static struct sl_path beside(const struct sl_set *set, const struct sl_part *part)
{
    struct sl_path path = sl_path_join(set->root, part->inside);
    size_t len = strlen(path.text);
    snprintf(path.text + len, sizeof path.text - len, ".new");
    return path;
}

enum sl_exit sl_parts_write(const struct sl_set *set, const struct sl_site *site,
                            struct sl_parts *parts, bool only_data)
{
    gid_t group = 0;
    struct sl_bytes before = {NULL, 0};
    struct sl_path sums = sl_path_join(set->folder.text, "SUMS");
    enum sl_exit code = sl_set_group(set, &group);
    if (code == SL_EXIT_DONE && access(sums.text, F_OK) == 0)
        code = sl_file_read(sums.text, SUMS_MAX, &before);
    for (size_t i = 0; i < parts->len && code == SL_EXIT_DONE; i++)
        if (parts->list[i].kind == SL_PART_FOLDER && !only_data)
            code = make_folder(set, &parts->list[i], group);
    if (code == SL_EXIT_DONE)
        code = make_sums(parts, &before); /* for as long as it is both */
    for (size_t i = 0; i < parts->len && code == SL_EXIT_DONE; i++)
        if (parts->list[i].kind != SL_PART_FOLDER &&
            (!only_data || parts->list[i].kind != SL_PART_FRAME))
            code = put_beside(set, &parts->list[i], group);
    if (code == SL_EXIT_DONE)
        code = check_beside(set, site);
    /* The sums, the data, the frame. */
    for (int turn = SL_PART_DATA; turn <= SL_PART_FRAME; turn++) {
        enum sl_part_kind kind = turn == 0   ? SL_PART_SUMS
                                 : turn == 1 ? SL_PART_DATA
                                             : SL_PART_FRAME;
        for (size_t i = 0; i < parts->len && code == SL_EXIT_DONE; i++) {
            const struct sl_part *part = &parts->list[i];
            if (part->kind != kind || (only_data && kind == SL_PART_FRAME))
                continue;
            code = keep_foreign(set, part);
            if (code == SL_EXIT_DONE)
                code = sl_file_rename(beside(set, part).text,
                                      sl_path_join(set->root, part->inside).text);
        }
    }
    if (code == SL_EXIT_DONE)
        code = make_sums(parts, NULL);
    for (size_t i = 0; i < parts->len && code == SL_EXIT_DONE; i++) {
        const struct sl_part *part = &parts->list[i];
        if (part->kind == SL_PART_SUMS) {
            code = put_beside(set, part, group);
            if (code == SL_EXIT_DONE)
                code = sl_file_rename(beside(set, part).text, sums.text);
        }
    }
    for (size_t i = 0; i < parts->len; i++)
        if (parts->list[i].kind != SL_PART_FOLDER)
            unlink(beside(set, &parts->list[i]).text); /* what a failure left */
    sl_bytes_free(&before);
    return code;
}

/* With the folders above it, which are the system's own. */
static enum sl_exit make_folder(const struct sl_set *set, const struct sl_part *part, gid_t group)
{
    struct sl_path path = sl_path_join(set->root, part->inside);
    struct sl_path above = sl_path_join(set->root, ".");
    enum sl_exit code = SL_EXIT_DONE;
    for (char *slash = path.text + strlen(set->root) + 1; slash && code == SL_EXIT_DONE;) {
        slash = strchr(slash, '/');
        if (slash)
            *slash = '\0';
        if (access(path.text, F_OK) != 0) {
            code = mkdir(path.text, slash ? 0755 : 0700) == 0 ? sl_folder_flush(above.text)
                                                              : sl_file_fail("make", path.text);
        }
        above = path;
        if (slash)
            *slash++ = '/';
    }
    if (code != SL_EXIT_DONE || (!part->is_brokers && !part->is_new))
        return code;
    return give(path.text, part, group);
}

static enum sl_exit put_beside(const struct sl_set *set, const struct sl_part *part, gid_t group)
{
    return sl_file_prepare(beside(set, part).text, part->bytes.data, part->bytes.len, part->mode,
                           part->is_brokers ? group : 0);
}

static enum sl_exit give(const char *path, const struct sl_part *part, gid_t group)
{
    bool ok = (geteuid() != 0 || chown(path, 0, part->is_brokers ? group : 0) == 0) &&
              chmod(path, part->mode) == 0;
    return ok ? SL_EXIT_DONE : sl_file_fail("give away", path);
}

/* What lies beside is what will be read. */
static enum sl_exit check_beside(const struct sl_set *set, const struct sl_site *site)
{
    struct sl_set next = *set;
    struct sl_canaries canaries;
    struct sl_results results = {.len = 0};
    struct sl_path *const files[] = {&next.acl, &next.authority, &next.certificate, &next.crl};
    for (size_t i = 0; i < 4; i++) {
        size_t len = strlen(files[i]->text);
        snprintf(files[i]->text + len, PATH_MAX - len, ".new");
    }
    next.key = next.certificate;
    next.conf.text[0] = '\0';
    enum sl_exit code = sl_canary_load(site, &canaries);
    if (code == SL_EXIT_DONE)
        code = sl_set_check(&next, canaries.revoked.certificate, &results);
    if (code == SL_EXIT_DONE)
        code = sl_set_try(&next, site);
    sl_canary_free(&canaries);
    return code;
}

/* What somebody else wrote is kept, once: sluice/before. */
static enum sl_exit keep_foreign(const struct sl_set *set, const struct sl_part *part)
{
    struct sl_path path = sl_path_join(set->root, part->inside);
    if (part->kind != SL_PART_FRAME || access(path.text, F_OK) != 0)
        return SL_EXIT_DONE;
    struct sl_bytes bytes;
    enum sl_exit code = sl_file_read(path.text, SL_BROKER_FILE_MAX, &bytes);
    if (code != SL_EXIT_DONE)
        return code;
    bool is_ours = strstr(bytes.data, "Made by sluice") != NULL;
    char name[64];
    snprintf(name, sizeof name, "%s", part->inside);
    for (char *at = name; *at != '\0'; at++)
        *at = *at == '/' ? '-' : *at;
    struct sl_path folder = sl_path_join(set->folder.text, "before");
    struct sl_path kept = sl_path_join(folder.text, name);
    if (!is_ours && access(kept.text, F_OK) != 0) {
        if (access(folder.text, F_OK) != 0)
            code = sl_folder_make(folder.text);
        if (code == SL_EXIT_DONE)
            code = sl_file_write(kept.text, bytes.data, bytes.len, 0600);
        if (code == SL_EXIT_DONE)
            sl_cli_note("what was in %s is kept in %s", path.text, kept.text);
    }
    sl_bytes_free(&bytes);
    return code;
}
