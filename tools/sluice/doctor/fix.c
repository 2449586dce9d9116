/* doctor --fix: what can be mended without asking anybody. Nothing is thrown away but what a
 * command that never came to its end has left behind. */
#include "broker/files.h"
#include "broker/upkeep.h"
#include "ca/crl.h"
#include "doctor/site.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 5000
#define TURNS   3

static const struct remedy *find_remedy(enum sl_check check);
static bool close_mode(struct sl_doctor *doctor, struct sl_finding *finding);
static bool remove_left(struct sl_doctor *doctor, struct sl_finding *finding);
static bool keep_up(struct sl_doctor *doctor, struct sl_finding *finding);
static bool renew_crl(struct sl_doctor *doctor, struct sl_finding *finding);
static bool write_acl(struct sl_doctor *doctor, struct sl_finding *finding);
static bool write_conf(struct sl_doctor *doctor, struct sl_finding *finding);
static bool reload(struct sl_doctor *doctor, struct sl_finding *finding);
static void change_acl(struct sl_doctor *doctor);

/* The access list stands over the revocation list and comes after it; the broker reads both then.
 */
static const struct remedy {
    enum sl_check check;
    int turn;
    bool (*mend)(struct sl_doctor *doctor, struct sl_finding *finding);
    const char *done;
} remedies[] = {
    {SL_CHECK_FILE_EXPOSED, 0, close_mode, "only its owner can reach it now"},
    {SL_CHECK_FILE_LEFT, 0, remove_left, "it was removed"},
    {SL_CHECK_CRL_HALF, 0, keep_up, "the list was renewed"},
    {SL_CHECK_CRL_OVER, 0, keep_up, "the list was renewed"},
    {SL_CHECK_SERVER_ENDS, 0, keep_up, "the certificate was renewed"},
    {SL_CHECK_SERVER_OVER, 0, keep_up, "the certificate was renewed"},
    {SL_CHECK_CANARY_ENDS, 0, keep_up, "the canaries were renewed"},
    {SL_CHECK_CRL_CANARY, 0, renew_crl, "the list was made anew"},
    {SL_CHECK_ACL_DIFFERS, 1, write_acl, "the list was made anew from the site"},
    {SL_CHECK_LISTS_MIXED, 1, write_acl, "the list was made anew from the site"},
    {SL_CHECK_CONF_DIFFERS, 1, write_conf,
     "it was made anew from the site; start the broker again"},
    {SL_CHECK_BROKER_LIST_OLD, 2, reload, "the broker was told to read its files again"},
    {SL_CHECK_BROKER_CERTIFICATE_OLD, 2, reload, "the broker was told to read its files again"},
};

size_t sl_doctor_fix(struct sl_doctor *doctor)
{
    struct sl_cli_told told = {.is_told = false};
    size_t mended = 0;
    bool is_running = false;
    sl_cli_listen(&told);
    if (sl_site_lock(doctor->site, "site", BUSY_MS) == SL_EXIT_DONE) {
        for (int turn = 0; turn < TURNS; turn++)
            for (size_t i = 0; i < doctor->len; i++) {
                struct sl_finding *finding = &doctor->list[i];
                const struct remedy *remedy = find_remedy(finding->check);
                if (!remedy || remedy->turn != turn || !remedy->mend(doctor, finding))
                    continue;
                snprintf(finding->mended, sizeof finding->mended, "%s", remedy->done);
                mended++;
            }
        sl_site_unlock(doctor->site, "site");
    }
    enum sl_exit code = mended > 0 ? sl_broker_reload(doctor->site, &is_running) : SL_EXIT_DONE;
    sl_cli_listen(NULL);
    if (code != SL_EXIT_DONE)
        sl_cli_note("the running broker does not know of it: %s", told.text);
    return mended;
}

bool sl_doctor_can_fix(enum sl_check check)
{
    return find_remedy(check) != NULL;
}

static const struct remedy *find_remedy(enum sl_check check)
{
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++)
        if (remedies[i].check == check)
            return &remedies[i];
    return NULL;
}

/* Not by way of a link that somebody put there since. */
static bool close_mode(struct sl_doctor *doctor, struct sl_finding *finding)
{
    (void)doctor;
    struct stat about;
    int fd = open(finding->where, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fstat(fd, &about) == 0 && fchmod(fd, about.st_mode & S_IRWXU) == 0;
    close(fd);
    return ok;
}

static bool remove_left(struct sl_doctor *doctor, struct sl_finding *finding)
{
    (void)doctor;
    struct stat about;
    sl_folder_remove(finding->where);
    return lstat(finding->where, &about) != 0;
}

/* What is due is renewed at once, for every finding of the kind. */
static bool keep_up(struct sl_doctor *doctor, struct sl_finding *finding)
{
    (void)finding;
    struct sl_upkeep done;
    if (sl_upkeep_renew(doctor->site, SL_UPKEEP_COMMAND, &done) != SL_EXIT_DONE || done.is_locked)
        return false;
    if (sl_upkeep_is_renewed(&done))
        change_acl(doctor);
    return true;
}

/* A list that is not due. */
static bool renew_crl(struct sl_doctor *doctor, struct sl_finding *finding)
{
    (void)finding;
    struct sl_authority authority;
    X509_CRL *before = NULL;
    if (sl_authority_open(doctor->site, true, &authority) != SL_EXIT_DONE)
        return false;
    bool ok = sl_crl_read(doctor->site, &authority, &before) == SL_EXIT_DONE &&
              sl_crl_write(&authority, doctor->site->root, before, NULL) == SL_EXIT_DONE;
    X509_CRL_free(before);
    sl_authority_close(&authority);
    if (ok)
        change_acl(doctor);
    return ok;
}

/* Its mark is over the revocation list, too; unless it was changed by hand: then that is a finding
 * of its own. */
static void change_acl(struct sl_doctor *doctor)
{
    struct sl_finding none = {.check = SL_CHECK_LISTS_MIXED};
    if (!sl_doctor_has(doctor, SL_CHECK_ACL_DIFFERS))
        (void)write_acl(doctor, &none);
}

static bool write_acl(struct sl_doctor *doctor, struct sl_finding *finding)
{
    (void)finding;
    struct sl_path folder = sl_path_join(doctor->site->root, "broker");
    uint64_t list_end_s;
    struct sl_site_nodes nodes; /* as they are under the lock */
    if (sl_site_read_nodes(doctor->site, &nodes) != SL_EXIT_DONE)
        return false;
    bool ok = sl_crl_mark(doctor->site, &nodes, &list_end_s) == SL_EXIT_DONE &&
              sl_broker_write_acl(doctor->site, &nodes, folder.text) == SL_EXIT_DONE;
    sl_site_free_nodes(&nodes);
    return ok;
}

static bool write_conf(struct sl_doctor *doctor, struct sl_finding *finding)
{
    (void)finding;
    struct sl_path folder = sl_path_join(doctor->site->root, "broker");
    return sl_broker_write_conf(doctor->site, folder.text) == SL_EXIT_DONE;
}

/* All of them are followed by one reload; what the broker made of it is looked at afterwards. */
static bool reload(struct sl_doctor *doctor, struct sl_finding *finding)
{
    (void)finding;
    return sl_site_lock_owner(doctor->site, "broker") > 0;
}
