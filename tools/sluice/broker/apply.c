/* sluice broker apply. */
#include "broker/apply.h"
#include "broker/check.h"
#include "broker/files.h"
#include "broker/parts.h"
#include "broker/probe.h"
#include "ca/crl.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STOP_MS 5000
#define KILL_MS 2000 /* what the system gets to end what was killed */

enum { ROOT, JSON };
static const struct sl_option options[] = {
    [ROOT] = {.name = "--root",
              .kind = SL_OPTION_TEXT,
              .value = "DIR",
              .help = "the Mosquitto that 'sluice broker install' gave its files below DIR",
              .otherwise = "the broker that 'sluice broker run' has started",
              .offer = SL_OFFER_FOLDERS},
    [JSON] = SL_OPTION_JSON("what was done as one JSON object"),
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_broker_apply = {
    .name = "broker apply",
    .summary = "give the running broker the site's files, and prove it",
    .options = options,
    .text =
        "Writes access list, certificates and revocation list beside the old ones, checks and "
        "tries "
        "them, renames them, and has the running Mosquitto read them (SIGHUP). Then visits it: the "
        "new files are in force, a good certificate is let in, what may not be said reaches "
        "nobody, a revoked certificate is refused, and so is none. Sessions stay open.\n\n"
        "If a visit goes wrong the last files that were proven come back, and are proven again; if "
        "that goes wrong too the broker is stopped: closed beats open.",
    .manual =
        "The last good files are kept in the folder 'good' beside them. They do not come back when "
        "the revocation list among them lacks a certificate that the new one has, because it "
        "would be let in again: then the broker is stopped.\n\n"
        "Settings that Mosquitto reads only at its start (port, address) are the business of "
        "'sluice broker install' and a restart.",
    .examples = (const struct sl_example[]){{"sluice broker apply --root /",
                                             "the Mosquitto of this computer, as root:"},
                                            {"sluice broker apply", "the one of 'broker run':"},
                                            {NULL, NULL}},
    .run = run,
};

/* What a reload reads, and what is kept of it. */
#define KEPT_MAX 4
struct kept {
    const char *names[KEPT_MAX];
    struct sl_path paths[KEPT_MAX];
    size_t len;
};

static enum sl_exit write_site(const struct sl_set *set, const struct sl_site *site,
                               size_t *written);
static enum sl_exit write_root(const struct sl_set *set, const struct sl_site *site,
                               size_t *written);
static enum sl_exit tell(const struct sl_set *set, const struct sl_site *site);
static enum sl_exit probe(const struct sl_set *set, const struct sl_site *site);
static enum sl_exit fall_back(const struct sl_set *set, const struct sl_site *site,
                              struct sl_apply_report *report);
static void list_kept(const struct sl_set *set, struct kept *kept);
static enum sl_exit keep(const struct sl_set *set);
static bool may_come_back(const struct sl_set *set);
static enum sl_exit bring_back(const struct sl_set *set, const struct sl_site *site);
static int find_broker(const struct sl_set *set, const struct sl_site *site);
static void stop(const struct sl_set *set, const struct sl_site *site);

static enum sl_exit run(struct sl_cli *cli)
{
    const char *root = cli->values[ROOT].text;
    struct sl_site site;
    struct sl_set set;
    struct sl_apply_report report = {.written = 0};
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code == SL_EXIT_DONE && root)
        code = sl_set_of_root(root, &set);
    if (code != SL_EXIT_DONE)
        return code;
    if (!root)
        sl_set_of_site(&site, &set);
    code = sl_site_lock(&site, "site", 5000);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(SITE_BUSY), site.root);
    if (code == SL_EXIT_DONE)
        code = sl_apply(&set, &site, &report);
    if (cli->values[JSON].is_given && (code == SL_EXIT_DONE || code == SL_EXIT_REFUSED)) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "folder", set.folder.text);
        cJSON_AddNumberToObject(json, "written", (double)report.written);
        cJSON_AddStringToObject(json, "broker", sl_apply_text(report.end));
        sl_cli_print_json(json);
    } else if (code == SL_EXIT_DONE) {
        printf("%zu file%s of %s written; the broker is %s\n", report.written,
               report.written == 1 ? "" : "s", set.folder.text, sl_apply_text(report.end));
    }
    return code;
}

const char *sl_apply_text(enum sl_apply_end end)
{
    static const char *const texts[] = {[SL_APPLY_PROVEN] = "proven",
                                        [SL_APPLY_NOT_RUNNING] = "not running",
                                        [SL_APPLY_ROLLED_BACK] = "rolled back",
                                        [SL_APPLY_STOPPED] = "stopped"};
    return texts[end];
}

enum sl_exit sl_apply(const struct sl_set *set, const struct sl_site *site,
                      struct sl_apply_report *report)
{
    report->end = SL_APPLY_NOT_RUNNING;
    enum sl_exit code = sl_set_is_installed(set) ? write_root(set, site, &report->written)
                                                 : write_site(set, site, &report->written);
    if (code != SL_EXIT_DONE || find_broker(set, site) == 0)
        return code;
    code = tell(set, site);
    if (code == SL_EXIT_DONE)
        code = probe(set, site);
    if (code != SL_EXIT_DONE)
        return fall_back(set, site, report);
    report->end = SL_APPLY_PROVEN;
    return keep(set);
}

/* --- writing -------------------------------------------------------------------------------- */

static enum sl_exit write_site(const struct sl_set *set, const struct sl_site *site,
                               size_t *written)
{
    struct sl_site_nodes nodes;
    struct sl_results results = {.len = 0};
    struct sl_bytes acl = {NULL, 0}, before = {NULL, 0};
    uint64_t list_end_s;
    enum sl_exit code = sl_crl_find_nodes(site, NULL, &nodes, &list_end_s);
    if (code != SL_EXIT_DONE)
        return code;
    code = sl_broker_make_acl(site, &nodes, set->folder.text, &acl);
    if (code == SL_EXIT_DONE && access(set->acl.text, F_OK) == 0)
        code = sl_file_read(set->acl.text, SL_BROKER_FILE_MAX, &before);
    bool is_same = code == SL_EXIT_DONE && before.data && before.len == acl.len &&
                   memcmp(before.data, acl.data, acl.len) == 0;
    *written = is_same ? 0 : 1;
    if (code == SL_EXIT_DONE && !is_same)
        code = sl_file_write(set->acl.text, acl.data, acl.len, 0600);
    sl_bytes_free(&before);
    sl_bytes_free(&acl);
    sl_site_free_nodes(&nodes);
    return code == SL_EXIT_DONE ? sl_broker_check(set, site, &results) : code;
}

static enum sl_exit write_root(const struct sl_set *set, const struct sl_site *site,
                               size_t *written)
{
    struct sl_parts parts;
    size_t differ = 0;
    struct sl_path conf = set->conf;
    if (access(conf.text, F_OK) != 0)
        return sl_cli_fail(SL_ERROR(BROKER_NOT_INSTALLED), set->root[0] ? set->root : "/");
    enum sl_exit code = sl_parts_make(site, set, &parts);
    if (code == SL_EXIT_DONE)
        code = sl_parts_compare(set, &parts, &differ);
    *written = 0;
    for (size_t i = 0; i < parts.len; i++)
        if (parts.list[i].kind == SL_PART_DATA)
            *written += parts.list[i].is_new || parts.list[i].is_changed;
    if (code == SL_EXIT_DONE && differ > 0)
        code = sl_parts_write(set, site, &parts, true);
    sl_parts_free(&parts);
    struct sl_results results = {.len = 0};
    return code == SL_EXIT_DONE ? sl_set_check(set, NULL, &results) : code;
}

/* --- the broker ----------------------------------------------------------------------------- */

/* The process to signal; 0: none runs. */
static int find_broker(const struct sl_set *set, const struct sl_site *site)
{
    if (!sl_set_is_installed(set))
        return sl_site_lock_owner(site, "broker");
    static const char *const files[] = {"run/mosquitto/mosquitto.pid", "var/run/mosquitto.pid"};
    for (size_t i = 0; i < 2; i++) {
        struct sl_path path = sl_path_join(set->root, files[i]);
        struct sl_bytes text, name = {NULL, 0};
        char comm[64];
        long pid = 0;
        if (access(path.text, F_OK) != 0 || sl_file_read(path.text, 32, &text) != SL_EXIT_DONE)
            continue;
        text.data[strcspn(text.data, "\n ")] = '\0';
        bool is_number = sl_cli_read_number(text.data, 2, 4194304, &pid);
        sl_bytes_free(&text);
        snprintf(comm, sizeof comm, "/proc/%ld/comm", pid);
        if (!is_number || access(comm, F_OK) != 0 || sl_file_read(comm, 64, &name) != SL_EXIT_DONE)
            continue; /* of an earlier one */
        bool is_mosquitto = strcmp(name.data, "mosquitto\n") == 0;
        sl_bytes_free(&name);
        if (is_mosquitto)
            return (int)pid;
    }
    return 0;
}

static enum sl_exit tell(const struct sl_set *set, const struct sl_site *site)
{
    int pid = find_broker(set, site);
    if (pid > 0 && kill(pid, SIGHUP) == 0)
        return SL_EXIT_DONE;
    return sl_cli_fail(SL_ERROR(BROKER_NOT_TOLD), pid, strerror(pid > 0 ? errno : ESRCH));
}

static enum sl_exit probe(const struct sl_set *set, const struct sl_site *site)
{
    const struct sl_probe probe = {.who = "the running broker",
                                   .site = site,
                                   .acl = set->acl.text,
                                   .certificate = set->certificate.text};
    bool is_open = false;
    return sl_probe_broker(&probe, &is_open);
}

static void stop(const struct sl_set *set, const struct sl_site *site)
{
    int pid = find_broker(set, site);
    const uint64_t end = sl_cli_now_ms() + STOP_MS, last = end + KILL_MS;
    for (int signal_number = SIGTERM; pid > 0 && kill(pid, signal_number) == 0;
         signal_number = sl_cli_now_ms() < end ? 0 : SIGKILL) {
        if (sl_cli_now_ms() >= last) /* dead, and its parent does not look */
            return;
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

static enum sl_exit fall_back(const struct sl_set *set, const struct sl_site *site,
                              struct sl_apply_report *report)
{
    bool ok = may_come_back(set) && bring_back(set, site) == SL_EXIT_DONE &&
              tell(set, site) == SL_EXIT_DONE && probe(set, site) == SL_EXIT_DONE;
    if (ok) {
        report->end = SL_APPLY_ROLLED_BACK;
        return sl_cli_fail(SL_ERROR(BROKER_ROLLED_BACK), set->folder.text);
    }
    stop(set, site);
    report->end = SL_APPLY_STOPPED;
    return sl_cli_fail(SL_ERROR(BROKER_STOPPED), set->folder.text);
}

/* --- wherever it is ------------------------------------------------------------------------- */

enum sl_exit sl_apply_everywhere(const struct sl_site *site, bool *is_running)
{
    struct sl_path root;
    struct sl_set set;
    struct sl_apply_report report = {.end = SL_APPLY_NOT_RUNNING};
    enum sl_exit code = sl_broker_reload(site, is_running);
    if (*is_running)
        return code == SL_EXIT_DONE ? sl_probe_site(site) : code;
    code = sl_apply_recall(site, &root);
    if (code != SL_EXIT_DONE || root.text[0] == '\0')
        return code;
    code = sl_set_of_root(root.text, &set);
    if (code == SL_EXIT_DONE)
        code = sl_apply(&set, site, &report);
    *is_running = report.end != SL_APPLY_NOT_RUNNING;
    return code;
}

void sl_apply_stop(const struct sl_site *site)
{
    struct sl_path root;
    struct sl_set set;
    sl_set_of_site(site, &set);
    stop(&set, site);
    if (sl_apply_recall(site, &root) == SL_EXIT_DONE && root.text[0] != '\0' &&
        sl_set_of_root(root.text, &set) == SL_EXIT_DONE)
        stop(&set, site);
}

enum sl_exit sl_apply_remember(const struct sl_site *site, const char *root)
{
    struct sl_path path = sl_path_join(site->root, "broker/installed"), before;
    char line[PATH_MAX + 2];
    int len = snprintf(line, sizeof line, "%s\n", root[0] ? root : "/");
    enum sl_exit code = sl_apply_recall(site, &before);
    return code != SL_EXIT_DONE || strcmp(before.text, root[0] ? root : "/") == 0
               ? code
               : sl_file_write(path.text, line, (size_t)len, 0600);
}

enum sl_exit sl_apply_recall(const struct sl_site *site, struct sl_path *root)
{
    struct sl_path path = sl_path_join(site->root, "broker/installed");
    struct sl_bytes line;
    root->text[0] = '\0';
    if (access(path.text, F_OK) != 0)
        return SL_EXIT_DONE;
    enum sl_exit code = sl_file_read(path.text, PATH_MAX, &line);
    if (code != SL_EXIT_DONE)
        return code;
    snprintf(root->text, sizeof root->text, "%.*s", (int)strcspn(line.data, "\n"), line.data);
    sl_bytes_free(&line);
    return SL_EXIT_DONE;
}

/* --- the last good files -------------------------------------------------------------------- */

static void list_kept(const struct sl_set *set, struct kept *kept)
{
    const struct sl_path *const paths[] = {&set->acl, &set->crl, &set->certificate,
                                           &set->authority};
    kept->len = sl_set_is_installed(set) ? 4 : 3; /* a site's authority is nobody's copy */
    for (size_t i = 0; i < kept->len; i++) {
        kept->names[i] = strrchr(paths[i]->text, '/') + 1;
        kept->paths[i] = *paths[i];
    }
}

/* As a folder that is there whole. */
static enum sl_exit keep(const struct sl_set *set)
{
    struct kept kept;
    struct sl_path good = sl_path_join(set->folder.text, "good");
    struct sl_path next = sl_path_join(set->folder.text, "good.new");
    list_kept(set, &kept);
    sl_folder_remove(next.text);
    enum sl_exit code = sl_folder_make(next.text);
    for (size_t i = 0; i < kept.len && code == SL_EXIT_DONE; i++) {
        struct sl_bytes bytes;
        code = sl_file_read(kept.paths[i].text, SL_BROKER_FILE_MAX, &bytes);
        if (code == SL_EXIT_DONE)
            code = sl_file_write(sl_path_join(next.text, kept.names[i]).text, bytes.data, bytes.len,
                                 0600);
        sl_bytes_free(&bytes);
    }
    if (code == SL_EXIT_DONE)
        code = sl_folder_flush(next.text);
    if (code == SL_EXIT_DONE)
        code = access(good.text, F_OK) == 0 ? sl_folder_exchange(next.text, good.text)
                                            : sl_folder_publish(next.text, good.text);
    sl_folder_remove(next.text);
    return code;
}

static X509_CRL *read_list(const char *path)
{
    struct sl_bytes bytes;
    if (access(path, F_OK) != 0 || sl_file_read(path, SL_BROKER_FILE_MAX, &bytes) != SL_EXIT_DONE)
        return NULL;
    BIO *memory = bytes.len > 0 ? BIO_new_mem_buf(bytes.data, (int)bytes.len) : NULL;
    X509_CRL *crl = memory ? PEM_read_bio_X509_CRL(memory, NULL, NULL, NULL) : NULL;
    BIO_free(memory);
    sl_bytes_free(&bytes);
    return crl;
}

/* Not when somebody who was revoked meanwhile would be let in again. */
static bool may_come_back(const struct sl_set *set)
{
    struct sl_path good = sl_path_join(set->folder.text, "good");
    X509_CRL *now = read_list(set->crl.text);
    X509_CRL *then = read_list(sl_path_join(good.text, "crl.pem").text);
    bool ok = now && then && sl_crl_days_left(then) > 0;
    const STACK_OF(X509_REVOKED) *entries = now ? X509_CRL_get_REVOKED(now) : NULL;
    for (int i = 0; ok && i < sk_X509_REVOKED_num(entries); i++)
        ok = sl_crl_has(then, X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i)));
    X509_CRL_free(then);
    X509_CRL_free(now);
    return ok;
}

static enum sl_exit bring_back(const struct sl_set *set, const struct sl_site *site)
{
    struct kept kept;
    struct sl_path good = sl_path_join(set->folder.text, "good");
    list_kept(set, &kept);
    if (sl_set_is_installed(set)) {
        struct sl_parts parts;
        enum sl_exit code = sl_parts_load(good.text, &parts);
        if (code == SL_EXIT_DONE)
            code = sl_parts_write(set, site, &parts, true);
        sl_parts_free(&parts);
        return code;
    }
    enum sl_exit code = SL_EXIT_DONE;
    for (size_t i = 0; i < kept.len && code == SL_EXIT_DONE; i++) {
        struct sl_bytes bytes;
        code =
            sl_file_read(sl_path_join(good.text, kept.names[i]).text, SL_BROKER_FILE_MAX, &bytes);
        if (code == SL_EXIT_DONE)
            code = sl_file_write(kept.paths[i].text, bytes.data, bytes.len, 0600);
        sl_bytes_free(&bytes);
    }
    return code;
}
