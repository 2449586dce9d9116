/* sluice renew --serve: somebody who is there when a node asks. */
#include "broker/files.h"
#include "ca/crl.h"
#include "commands/renew.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SLICE_MS      1000
#define PAUSE_FIRST_S 1
#define PAUSE_MAX_S   60
#define OWN_LEFT_S    43200 /* of the day that its certificate lasts */

/* Of the service. The access list knows its name, and no file holds its key. */
static struct sl_pki_pair own;

static enum sl_exit serve_session(const struct sl_site *site, unsigned a_day, bool *was_good);
static enum sl_exit connect_as_service(const struct sl_site *site, struct sl_renews *renews,
                                       struct sl_talk **talk);
static enum sl_exit take_own(const struct sl_site *site);
static bool is_own_good(const struct sl_site *site);
static enum sl_exit answer_all(struct sl_renews *renews, struct sl_talk *talk);
static uint64_t look_at_nodes(const struct sl_site *site);
static void pause_for(unsigned seconds);
static void tell(const char *text);
static void say(const char *name, const char *words);

enum sl_exit sl_renew_serve(const struct sl_site *site, unsigned a_day)
{
    struct sl_authority authority;
    unsigned pause_s = PAUSE_FIRST_S;
    (void)mlockall(MCL_CURRENT); /* best effort: rights may be missing */
    enum sl_exit code = sl_authority_open(site, true, &authority);
    if (code != SL_EXIT_DONE)
        return code;
    sl_authority_close(&authority);
    tell("READY=1\nSTATUS=the CA's key is unlocked");
    do {
        bool was_good = false;
        code = serve_session(site, a_day, &was_good);
        if (sl_talk_is_stopping() || code == SL_EXIT_FILES || code == SL_EXIT_USAGE)
            break;
        pause_s = was_good ? PAUSE_FIRST_S : pause_s;
        if (code != SL_EXIT_DONE) {
            tell("STATUS=no broker: tries again");
            pause_for(pause_s);
            pause_s = pause_s < PAUSE_MAX_S / 2 ? 2 * pause_s : PAUSE_MAX_S;
        }
    } while (!sl_talk_is_stopping());
    sl_pki_free(&own);
    tell("STOPPING=1");
    return sl_talk_is_stopping() ? SL_EXIT_DONE : code;
}

/* One connection, until it ends or the site has other nodes. */
static enum sl_exit serve_session(const struct sl_site *site, unsigned a_day, bool *was_good)
{
    struct sl_site_nodes nodes;
    struct sl_renews renews = {.len = 0};
    struct sl_talk *talk = NULL;
    uint64_t end_s;
    const uint64_t seen = look_at_nodes(site);
    enum sl_exit code = sl_crl_find_nodes(site, NULL, &nodes, &end_s);
    if (code != SL_EXIT_DONE)
        return code;
    if (code == SL_EXIT_DONE)
        code = sl_renew_init(&renews, site, &nodes);
    renews.a_day = a_day;
    if (code == SL_EXIT_DONE)
        code = connect_as_service(site, &renews, &talk);
    if (code == SL_EXIT_DONE)
        code = sl_renew_subscribe(&renews, talk);
    if (code == SL_EXIT_DONE) {
        char words[64];
        snprintf(words, sizeof words, "answers the requests of %zu node%s", renews.len,
                 renews.len == 1 ? "" : "s");
        say("service", words);
        tell("STATUS=connected to the broker");
        *was_good = true;
    }
    while (code == SL_EXIT_DONE && !sl_talk_is_stopping()) {
        code = sl_talk_wait(talk, NULL, SLICE_MS);
        if (code == SL_EXIT_DONE)
            code = answer_all(&renews, talk);
        if (look_at_nodes(site) != seen && access(site->root, F_OK) == 0)
            break;
    }
    sl_talk_close(talk);
    sl_renew_free(&renews);
    sl_site_free_nodes(&nodes);
    return code;
}

static enum sl_exit connect_as_service(const struct sl_site *site, struct sl_renews *renews,
                                       struct sl_talk **talk)
{
    enum sl_talk_welcome welcome = SL_WELCOME_IN;
    enum sl_exit code = sl_site_lock(site, "site", 5000);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(SITE_BUSY), site->root);
    if (code != SL_EXIT_DONE)
        return code;
    if (!is_own_good(site))
        code = take_own(site);
    sl_site_unlock(site, "site");
    const struct sl_talk_visitor visitor = {.site = site,
                                            .name = SL_RENEWAL_USER,
                                            .pair = &own,
                                            .receive = sl_renew_hear,
                                            .context = renews};
    if (code == SL_EXIT_DONE)
        code = sl_talk_visit(&visitor, &welcome, talk);
    if (code == SL_EXIT_DONE && welcome != SL_WELCOME_IN) {
        sl_pki_free(&own); /* another one may do */
        code = sl_cli_fail(SL_ERROR(BROKER_REFUSES_ALL), site->root);
    }
    return code;
}

/* Used again: one for each try at a broker that is away would fill the journal. */
static bool is_own_good(const struct sl_site *site)
{
    struct sl_authority authority;
    if (!own.certificate || sl_authority_read(site, &authority) != SL_EXIT_DONE)
        return false;
    bool is_good = sl_authority_days_left(&authority, own.certificate) > 0 &&
                   sl_pki_not_after(own.certificate) > (uint64_t)time(NULL) + OWN_LEFT_S;
    sl_authority_close(&authority);
    return is_good;
}

static enum sl_exit take_own(const struct sl_site *site)
{
    struct sl_authority authority;
    sl_pki_free(&own);
    enum sl_exit code = sl_authority_open(site, false, &authority);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(RENEW_LOCKED), site->root);
    if (code != SL_EXIT_DONE)
        return code;
    code = sl_issue_certificate(&authority, site->root, SL_PKI_VISITOR, SL_RENEWAL_USER,
                                "DNS:renewal.service.invalid", &own);
    sl_authority_close(&authority);
    return code;
}

/* A node that is refused does not end the service. */
static enum sl_exit answer_all(struct sl_renews *renews, struct sl_talk *talk)
{
    enum sl_exit code = SL_EXIT_DONE;
    for (size_t i = 0; i < renews->len && code == SL_EXIT_DONE; i++) {
        struct sl_renew *renew = &renews->list[i];
        const char *name = renew->node->name;
        bool is_again = false, is_done = false;
        if (renew->has_request) {
            code = sl_renew_answer(renews, renew, talk, &is_again);
            if (code == SL_EXIT_DONE)
                say(name, is_again ? "certificate sent again" : "certificate made and sent");
        }
        if (renew->has_report && code == SL_EXIT_DONE) {
            code = sl_renew_look(renews, renew, &is_done);
            if (is_done)
                say(name, "uses its new certificate");
            if (renew->stage == SL_RENEW_ANSWERED && renew->error[0] != '\0' &&
                !renew->is_error_old) {
                sl_cli_note("%s could not use its new certificate (%s)", name, renew->error);
                renew->stage = SL_RENEW_FAILED;
            }
        }
        if (renew->refusal[0] != '\0')
            sl_cli_note("%s refused: %s", name, renew->refusal);
        renew->refusal[0] = '\0';
        if (code == SL_EXIT_REFUSED || code == SL_EXIT_USAGE)
            code = SL_EXIT_DONE;
    }
    return code;
}

/* Changes when a node comes or goes, and when its record or the revocation list is another. */
static uint64_t look_at_nodes(const struct sl_site *site)
{
    static const char *const paths[] = {"broker/acl", "broker/crl.pem", "site.json"};
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct stat info;
        if (stat(sl_path_join(site->root, paths[i]).text, &info) == 0)
            sum = sum * 31 + info.st_ino + (uint64_t)info.st_mtim.tv_sec * 1000003 +
                  (uint64_t)info.st_mtim.tv_nsec;
    }
    return sum;
}

static void pause_for(unsigned seconds)
{
    for (unsigned i = 0; i < seconds * 10 && !sl_talk_is_stopping(); i++)
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
}

/* sd_notify(3): one datagram of lines NAME=value. */
static void tell(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const size_t len = path ? strlen(path) : 0;
    if (len < 2 || len >= sizeof to.sun_path)
        return;
    memcpy(to.sun_path, path, len);
    if (to.sun_path[0] == '@')
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&to,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    close(fd);
}

static void say(const char *name, const char *words)
{
    char now[24];
    sl_site_print_time(now, (uint64_t)time(NULL));
    printf("%s %s: %s\n", now, name, words);
    fflush(stdout);
}
