/* Visits to a broker, by the site's canaries and by certificates that were revoked a moment ago. */
#include "broker/probe.h"
#include "broker/conf.h"
#include "broker/files.h"
#include <signal.h>
#include <string.h>
#include <time.h>

#define OBEY_MS 5000 /* what the broker gets to read its files again */
#define BUSY_MS 20000

/* What the good canary heard. */
struct ear {
    const char *mark;
    unsigned marks;
    bool is_open; /* something that it may not say or hear */
};

static enum sl_exit ask(const struct sl_probe *probe, const struct sl_canaries *canaries,
                        bool *is_open);
static enum sl_exit visit_good(const struct sl_probe *probe, const struct sl_pki_pair *good,
                               bool *is_open);
static enum sl_exit hear_mark(const struct sl_probe *probe, struct sl_talk *talk,
                              const struct ear *ear);
static enum sl_exit say_all(const struct sl_probe *probe, struct sl_talk *talk,
                            const struct ear *ear);
static enum sl_exit check_shown(const struct sl_probe *probe, const struct sl_talk *talk);
static void hear(void *context, const struct sl_talk_message *message);

enum sl_exit sl_probe_broker(const struct sl_probe *probe, bool *is_open)
{
    struct sl_canaries canaries;
    *is_open = false;
    enum sl_exit code = sl_canary_load(probe->site, &canaries);
    if (code == SL_EXIT_DONE)
        code = sl_site_lock(probe->site, "canary", BUSY_MS);
    if (code == SL_EXIT_REFUSED)
        code = sl_cli_fail(SL_ERROR(SITE_BUSY), probe->site->root);
    if (code == SL_EXIT_DONE) {
        code = ask(probe, &canaries, is_open);
        sl_site_unlock(probe->site, "canary");
    }
    sl_canary_free(&canaries);
    return code;
}

/* The mark first: what follows is then about the files that are meant. */
static enum sl_exit ask(const struct sl_probe *probe, const struct sl_canaries *canaries,
                        bool *is_open)
{
    enum sl_exit code = visit_good(probe, &canaries->good, is_open);
    if (code != SL_EXIT_DONE)
        return code;
    enum sl_talk_welcome welcome;
    struct sl_talk_visitor visitor = {
        .site = probe->site,
        .name = SL_CANARY_REVOKED,
        .pair = &canaries->revoked,
        .is_trial = probe->is_trial,
    };
    code = sl_talk_visit(&visitor, &welcome, NULL);
    *is_open = code == SL_EXIT_DONE && welcome == SL_WELCOME_IN;
    if (*is_open)
        return sl_cli_fail(SL_ERROR(BROKER_LETS_IN), probe->who);
    if (code != SL_EXIT_DONE)
        return code;
    visitor.name = "nobody";
    visitor.pair = NULL;
    code = sl_talk_visit(&visitor, &welcome, NULL);
    *is_open = code == SL_EXIT_DONE && welcome == SL_WELCOME_IN;
    return *is_open ? sl_cli_fail(SL_ERROR(BROKER_LETS_ALL_IN), probe->who) : code;
}

static enum sl_exit visit_good(const struct sl_probe *probe, const struct sl_pki_pair *good,
                               bool *is_open)
{
    struct sl_bytes text;
    struct sl_broker_acl acl;
    enum sl_exit code = sl_file_read(probe->acl, SL_BROKER_FILE_MAX, &text);
    if (code == SL_EXIT_DONE)
        code = sl_broker_acl_parse(probe->acl, &text, &acl);
    sl_bytes_free(&text);
    if (code != SL_EXIT_DONE)
        return code;
    struct ear ear = {.mark = acl.mark};
    const struct sl_talk_visitor visitor = {
        .site = probe->site,
        .name = SL_CANARY_GOOD,
        .pair = good,
        .is_trial = probe->is_trial,
        .receive = hear,
        .context = &ear,
    };
    enum sl_talk_welcome welcome;
    struct sl_talk *talk = NULL;
    code = sl_talk_visit(&visitor, &welcome, &talk);
    if (code == SL_EXIT_DONE && welcome != SL_WELCOME_IN)
        code = sl_cli_fail(SL_ERROR(BROKER_REFUSES_ALL), probe->who);
    if (code == SL_EXIT_DONE)
        code = sl_talk_subscribe(talk, SL_CANARY_ALL);
    if (code == SL_EXIT_DONE)
        code = hear_mark(probe, talk, &ear);
    if (code == SL_EXIT_DONE)
        code = say_all(probe, talk, &ear);
    sl_talk_close(talk);
    *is_open = ear.is_open;
    if (code != SL_EXIT_DONE)
        return code;
    if (ear.is_open)
        return sl_cli_fail(SL_ERROR(BROKER_OPEN), probe->who);
    /* A session from before the reload was shown the certificate before. */
    code = sl_talk_visit(&visitor, &welcome, &talk);
    if (code == SL_EXIT_DONE && welcome != SL_WELCOME_IN)
        code = sl_cli_fail(SL_ERROR(BROKER_REFUSES_ALL), probe->who);
    if (code == SL_EXIT_DONE)
        code = check_shown(probe, talk);
    sl_talk_close(talk);
    return code;
}

static enum sl_exit check_shown(const struct sl_probe *probe, const struct sl_talk *talk)
{
    X509 *certificate = NULL;
    enum sl_exit code = sl_pki_load_certificate(probe->certificate, &certificate);
    if (code == SL_EXIT_DONE && !sl_talk_is_shown(talk, certificate))
        code = sl_cli_fail(SL_ERROR(BROKER_SHOWS_OTHER), probe->who, probe->certificate);
    X509_free(certificate);
    return code;
}

/* Until the list is in force: Mosquitto reads it last of all files. */
static enum sl_exit hear_mark(const struct sl_probe *probe, struct sl_talk *talk,
                              const struct ear *ear)
{
    const struct sl_talk_request request = {.expiry_s = 5};
    uint64_t end = sl_cli_now_ms() + OBEY_MS;
    enum sl_exit code = SL_EXIT_DONE;
    while (code == SL_EXIT_DONE && ear->marks == 0) {
        enum sl_talk_fate fate;
        if (sl_talk_is_stopping())
            return SL_EXIT_NO_ANSWER;
        if (sl_cli_now_ms() >= end)
            return sl_cli_fail(SL_ERROR(BROKER_LIST_IGNORED), probe->who);
        code = sl_talk_publish(talk, ear->mark, "", &request, &fate);
        if (code == SL_EXIT_DONE)
            code = sl_talk_wait(talk, NULL, 20);
    }
    return code;
}

/* The broker delivers in order: what comes at all comes before the mark comes again. */
static enum sl_exit say_all(const struct sl_probe *probe, struct sl_talk *talk,
                            const struct ear *ear)
{
    const char *const topics[] = {SL_CANARY_NOBODYS, SL_CANARY_READ_ONLY, SL_CANARY_WRITE_ONLY,
                                  ear->mark};
    const struct sl_talk_request request = {.expiry_s = 5};
    enum sl_talk_fate fate;
    enum sl_exit code = SL_EXIT_DONE;
    unsigned before = ear->marks;
    for (size_t i = 0; i < 4 && code == SL_EXIT_DONE; i++)
        code = sl_talk_publish(talk, topics[i], "", &request, &fate);
    uint64_t end = sl_cli_now_ms() + OBEY_MS;
    while (code == SL_EXIT_DONE && ear->marks == before) {
        if (sl_talk_is_stopping())
            return SL_EXIT_NO_ANSWER;
        if (sl_cli_now_ms() >= end)
            return sl_cli_fail(SL_ERROR(BROKER_LIST_IGNORED), probe->who);
        code = sl_talk_wait(talk, NULL, 20);
    }
    return code;
}

static void hear(void *context, const struct sl_talk_message *message)
{
    struct ear *ear = context;
    if (message->is_retained)
        return;
    if (strcmp(message->topic, ear->mark) == 0)
        ear->marks++;
    else if (strncmp(message->topic, SL_CANARY_MARK, strlen(SL_CANARY_MARK)) != 0)
        ear->is_open = true; /* a mark of the files before is no news */
}

/* --- the site's own broker ------------------------------------------------------------------ */

enum sl_exit sl_probe_site(const struct sl_site *site)
{
    const struct sl_path acl = sl_path_join(site->root, "broker/acl");
    const struct sl_path certificate = sl_path_join(site->root, "broker/certificate.pem");
    const struct sl_probe probe = {
        .who = SL_PROBE_SITE, .site = site, .acl = acl.text, .certificate = certificate.text};
    bool is_open = false;
    enum sl_exit code = sl_probe_broker(&probe, &is_open);
    int owner = is_open ? sl_site_lock_owner(site, "broker") : 0;
    if (owner > 0 && kill(owner, SIGTERM) == 0)
        sl_cli_note("the broker was stopped: closed beats open");
    return code;
}

enum sl_exit sl_probe_refusal(const struct sl_talk_visitor *visitor)
{
    uint64_t end = sl_cli_now_ms() + OBEY_MS;
    enum sl_talk_welcome welcome = SL_WELCOME_IN;
    enum sl_exit code = SL_EXIT_DONE;
    while (code == SL_EXIT_DONE && welcome == SL_WELCOME_IN) {
        code = sl_talk_visit(visitor, &welcome, NULL);
        if (code == SL_EXIT_DONE && welcome == SL_WELCOME_IN) {
            if (sl_cli_now_ms() >= end)
                return sl_cli_fail(SL_ERROR(BROKER_LETS_IN), SL_PROBE_SITE);
            nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        }
    }
    return code;
}
