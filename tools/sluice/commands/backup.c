/* sluice backup, sluice restore: a whole site in one encrypted file. */
#include "ca/authority.h"
#include "site/pack.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PASSPHRASE_TEXT                                                                            \
    "The passphrase is one of the backup's own, not that of the CA's key, which stays locked "     \
    "inside. It comes from --passphrase-fd, from the file that $SLUICE_BACKUP_PASSPHRASE_FILE "    \
    "names, from the credential backup-passphrase, or from the terminal."

enum { JSON };
static const struct sl_option options[] = {
    [JSON] = SL_OPTION_JSON("what was done as one JSON object"),
    {.name = NULL},
};

static enum sl_exit run_backup(struct sl_cli *cli);
const struct sl_subcommand sl_command_backup = {
    .name = "backup",
    .summary = "put the whole site into one encrypted file",
    .arguments =
        (const struct sl_argument[]){
            {.name = "FILE", .help = "a new file, not inside the site", .offer = SL_OFFER_FILES},
            {.name = NULL}},
    .options = options,
    .text = "Keys, certificates, lists, nodes, the journal: everything but the locks of running "
            "commands. The file is read again and checked before it gets its name; one that "
            "exists is never replaced.\n\n" PASSPHRASE_TEXT,
    .manual =
        "AES-256-GCM with a key by scrypt; docs/spec/backup.md has the format. A backup knows "
        "nothing of what came after it: after 'sluice restore' revoke again what was revoked "
        "since, and replace the nodes that got a certificate since.",
    .examples = (const struct sl_example[]){{"sluice backup /media/stick/site.slb",
                                             "asked for the passphrase:"},
                                            {"SLUICE_BACKUP_PASSPHRASE_FILE=/root/backup.words "
                                             "sluice backup /var/backups/site-today.slb",
                                             "from a script:"},
                                            {NULL, NULL}},
    .run = run_backup,
};

static enum sl_exit run_restore(struct sl_cli *cli);
const struct sl_subcommand sl_command_restore = {
    .name = "restore",
    .summary = "make a site from a backup",
    .arguments =
        (const struct sl_argument[]){
            {.name = "FILE", .help = "made by 'sluice backup'", .offer = SL_OFFER_FILES},
            {.name = NULL}},
    .options = options,
    .text = "The site that --site names must not exist yet. The whole backup is checked before "
            "anything is written, and the site appears whole or not at all.\n\n" PASSPHRASE_TEXT,
    .manual = "The broker's configuration has the old folder's path until 'sluice broker run' "
              "writes it anew. Do not run two copies of a site: each makes certificates and lists "
              "that the other does not know.",
    .examples =
        (const struct sl_example[]){
            {"sluice --site /etc/sluice restore /media/stick/site.slb", "on a new computer:"},
            {NULL, NULL}},
    .run = run_restore,
};

static enum sl_exit find_place(const struct sl_site *site, const char *path);
static enum sl_exit take_passphrase(const char *path, bool is_new,
                                    struct sl_passphrase *passphrase);
static enum sl_exit write_backup(const struct sl_site *site, const char *path, uint64_t now_s,
                                 const struct sl_passphrase *passphrase,
                                 struct sl_pack_count *count);
static enum sl_exit fill(struct sl_archive *archive, const struct sl_site *site,
                         struct sl_pack_count *count);
static enum sl_exit unpack_site(const char *path, const char *root, uint64_t *made_s,
                                const struct sl_passphrase *passphrase,
                                struct sl_pack_count *count);
static enum sl_exit place_site(struct sl_archive *archive, const char *root,
                               struct sl_pack_count *count);
static void print_json(const char *site, const char *file, uint64_t made_s,
                       const struct sl_pack_count *count);

/* --- backup --------------------------------------------------------------------------------- */

static enum sl_exit run_backup(struct sl_cli *cli)
{
    const char *path = cli->words[0];
    struct sl_site site;
    struct sl_pack_count count = {.files = 0};
    struct sl_passphrase passphrase;
    uint64_t now_s = (uint64_t)time(NULL);
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code == SL_EXIT_DONE)
        code = find_place(&site, path);
    if (code == SL_EXIT_DONE)
        code = take_passphrase(path, true, &passphrase);
    if (code != SL_EXIT_DONE)
        return code;
    code = sl_site_lock(&site, "site", 5000);
    if (code == SL_EXIT_REFUSED)
        code = sl_cli_fail(SL_ERROR(SITE_BUSY), site.root);
    else if (code == SL_EXIT_DONE)
        code = write_backup(&site, path, now_s, &passphrase, &count);
    sl_wipe(&passphrase, sizeof passphrase);
    if (code != SL_EXIT_DONE)
        return code;
    if (cli->values[JSON].is_given)
        print_json(site.root, path, now_s, &count);
    else
        printf("%s: %u files of %s, %llu bytes, encrypted and checked\n"
               "keep it, and its passphrase elsewhere; 'sluice restore' reads it\n",
               path, count.files, site.root, (unsigned long long)count.bytes);
    return code;
}

/* A file in the site would become a part of itself. */
static enum sl_exit find_place(const struct sl_site *site, const char *path)
{
    char copy[PATH_MAX], real[PATH_MAX];
    struct stat about;
    size_t len = strlen(site->root);
    if (!sl_cli_copy(copy, sizeof copy, path))
        return sl_cli_fail(SL_ERROR(PATH_LONG));
    if (lstat(path, &about) == 0)
        return sl_cli_fail(SL_ERROR(BACKUP_EXISTS), path);
    if (!realpath(dirname(copy), real))
        return sl_cli_fail(SL_ERROR(SITE_FOLDER_MISSING), copy);
    if (strncmp(real, site->root, len) == 0 && (real[len] == '\0' || real[len] == '/'))
        return sl_cli_fail(SL_ERROR(BACKUP_INSIDE), path);
    return SL_EXIT_DONE;
}

static enum sl_exit take_passphrase(const char *path, bool is_new, struct sl_passphrase *passphrase)
{
    const struct sl_passphrase_ask ask = {.what = path,
                                          .variable = "SLUICE_BACKUP_PASSPHRASE_FILE",
                                          .credential = "backup-passphrase",
                                          .is_new = is_new,
                                          .may_ask = true};
    enum sl_exit code = sl_passphrase_take(&ask, passphrase);
    return code == SL_EXIT_REFUSED ? sl_cli_fail(SL_ERROR(BACKUP_PASSPHRASE_NONE), path) : code;
}

static enum sl_exit write_backup(const struct sl_site *site, const char *path, uint64_t now_s,
                                 const struct sl_passphrase *passphrase,
                                 struct sl_pack_count *count)
{
    char temporary[PATH_MAX + 8];
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC); /* 0600 from its first moment */
    if (fd < 0)
        return sl_file_fail("write", path);
    struct sl_archive archive;
    enum sl_exit code = sl_archive_create(&archive, fd, path, now_s, passphrase);
    if (code == SL_EXIT_DONE)
        code = fill(&archive, site, count);
    if (code == SL_EXIT_DONE && fsync(fd) != 0)
        code = sl_file_fail("write", path);
    sl_archive_end(&archive);
    close(fd);
    if (code == SL_EXIT_DONE)
        code = sl_folder_publish(temporary, path);
    if (code == SL_EXIT_REFUSED)
        code = sl_cli_fail(SL_ERROR(BACKUP_EXISTS), path);
    if (code != SL_EXIT_DONE)
        unlink(temporary);
    return code;
}

/* And read it again: a backup that cannot be read is none. */
static enum sl_exit fill(struct sl_archive *archive, const struct sl_site *site,
                         struct sl_pack_count *count)
{
    struct sl_pack_count again;
    enum sl_exit code = sl_pack(archive, site->root, count);
    if (code == SL_EXIT_DONE)
        code = sl_archive_finish(archive);
    if (code == SL_EXIT_DONE)
        code = sl_archive_rewind(archive);
    if (code == SL_EXIT_DONE)
        code = sl_unpack(archive, NULL, &again);
    if (code == SL_EXIT_DONE && (again.files != count->files || again.bytes != count->bytes))
        code = sl_cli_fail(SL_ERROR(BACKUP_CHANGED), archive->path);
    return code;
}

/* --- restore -------------------------------------------------------------------------------- */

static enum sl_exit run_restore(struct sl_cli *cli)
{
    const char *path = cli->words[0];
    struct sl_pack_count count = {.files = 0};
    struct sl_passphrase passphrase;
    struct stat about;
    uint64_t made_s = 0;
    if (lstat(cli->site_root, &about) == 0)
        return sl_cli_fail(SL_ERROR(SITE_EXISTS), cli->site_root);
    if (access(path, F_OK) != 0)
        return sl_cli_fail(SL_ERROR(BACKUP_MISSING), path);
    enum sl_exit code = take_passphrase(path, false, &passphrase);
    if (code == SL_EXIT_DONE)
        code = unpack_site(path, cli->site_root, &made_s, &passphrase, &count);
    sl_wipe(&passphrase, sizeof passphrase);
    if (code != SL_EXIT_DONE)
        return code;
    char when[24];
    sl_site_print_time(when, made_s);
    if (cli->values[JSON].is_given)
        print_json(cli->site_root, path, made_s, &count);
    else
        printf("site %s is as it was at %s: %u files\n"
               "what was made or revoked since then is not known to it: see 'sluice ca log'\n",
               cli->site_root, when, count.files);
    return code;
}

static enum sl_exit unpack_site(const char *path, const char *root, uint64_t *made_s,
                                const struct sl_passphrase *passphrase, struct sl_pack_count *count)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return sl_file_fail("read", path);
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        close(fd);
        return sl_cli_fail(SL_ERROR(BACKUP_FOREIGN), path);
    }
    struct sl_archive archive;
    enum sl_exit code = sl_archive_open(&archive, fd, path, passphrase);
    *made_s = archive.made_s;
    if (code == SL_EXIT_DONE)
        code = sl_unpack(&archive, NULL, count); /* all of it, before anything is written */
    if (code == SL_EXIT_DONE)
        code = sl_archive_rewind(&archive);
    if (code == SL_EXIT_DONE)
        code = place_site(&archive, root, count);
    sl_archive_end(&archive);
    close(fd);
    return code;
}

/* Built beside its place, then named. */
static enum sl_exit place_site(struct sl_archive *archive, const char *root,
                               struct sl_pack_count *count)
{
    struct sl_path temporary, path;
    enum sl_exit code = sl_folder_begin(root, &path, &temporary);
    if (code != SL_EXIT_DONE)
        return code;
    struct sl_site site;
    code = sl_unpack(archive, temporary.text, count);
    if (code == SL_EXIT_DONE)
        code = sl_folder_flush_all(temporary.text);
    if (code == SL_EXIT_DONE)
        code = sl_site_open(temporary.text, &site); /* a backup of something else */
    if (code == SL_EXIT_DONE)
        code = sl_folder_publish(temporary.text, path.text);
    if (code == SL_EXIT_REFUSED)
        code = sl_cli_fail(SL_ERROR(SITE_EXISTS), root);
    if (code != SL_EXIT_DONE)
        sl_folder_remove(temporary.text);
    return code;
}

static void print_json(const char *site, const char *file, uint64_t made_s,
                       const struct sl_pack_count *count)
{
    char when[24];
    sl_site_print_time(when, made_s);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "site", site);
    cJSON_AddStringToObject(json, "file", file);
    cJSON_AddStringToObject(json, "made", when);
    cJSON_AddNumberToObject(json, "files", count->files);
    cJSON_AddNumberToObject(json, "bytes", (double)count->bytes);
    sl_cli_print_json(json);
}
