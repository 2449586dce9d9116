/* Access rules and configuration for Mosquitto 2.0. */
#include "broker/files.h"
#include "broker/conf.h"
#include <errno.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct sl_topic sl_topics[] = {
    {"zone/on", SL_TOPIC_IN},
    {"zone/off", SL_TOPIC_IN},
    {"zone/status", SL_TOPIC_IN},
    {"zone/{zone}/set", SL_TOPIC_IN},
    {"zone/{zone}/state", SL_TOPIC_OUT},
    {"report", SL_TOPIC_OUT},
    {"refused", SL_TOPIC_OUT},
    {"availability", SL_TOPIC_OUT},
    {"cert/renew", SL_TOPIC_IN},
    {"cert/issue", SL_TOPIC_IN},
    {"cert/request", SL_TOPIC_CLAIM},
    {"answer/{operator}", SL_TOPIC_ANSWER},
};
const size_t sl_topics_len = sizeof sl_topics / sizeof sl_topics[0];

static void print_topic(FILE *out, const char *access, const char *base, const struct sl_topic *t,
                        const char *operator_name);
static enum sl_exit make_mark(const char *folder, const char *text, size_t len,
                              char mark[SL_CANARY_MARK_LEN + 1]);
static enum sl_exit finish(FILE *out, struct sl_bytes *text);
static enum sl_exit save(enum sl_exit code, struct sl_bytes *text, const char *folder,
                         const char *name);

static const char notice[] =
    "# Made by sluice from the rest of the site; changes are overwritten at the next start.\n";

enum sl_exit sl_broker_write_acl(const struct sl_site *site, const struct sl_site_nodes *nodes,
                                 const char *folder)
{
    struct sl_bytes text;
    enum sl_exit code = sl_broker_make_acl(site, nodes, folder, &text);
    return save(code, &text, folder, "acl");
}

enum sl_exit sl_broker_make_acl(const struct sl_site *site, const struct sl_site_nodes *nodes,
                                const char *folder, struct sl_bytes *text)
{
    *text = (struct sl_bytes){NULL, 0};
    FILE *out = open_memstream(&text->data, &text->len);
    if (!out)
        return sl_cli_fail(SL_ERROR(MEMORY));

    fputs(notice, out);
    for (size_t n = 0; n < nodes->len; n++) {
        fprintf(out, "\nuser %s\n", nodes->list[n].name);
        if (nodes->list[n].is_revoked) { /* at the next reload for a session that is open, too */
            fputs("topic deny #\n", out);
            continue;
        }
        for (size_t t = 0; t < sl_topics_len; t++) {
            const char *access = sl_topics[t].direction == SL_TOPIC_IN ? "read" : "write";
            bool is_answer = sl_topics[t].direction == SL_TOPIC_ANSWER;
            for (size_t o = 0; o < (is_answer ? site->operators_len : 1); o++)
                print_topic(out, access, nodes->list[n].base, &sl_topics[t], site->operators[o]);
        }
    }
    for (size_t o = 0; o < site->operators_len; o++) {
        fprintf(out, "\nuser %s\n", site->operators[o]);
        for (size_t n = 0; n < nodes->len; n++)
            for (size_t t = 0; t < sl_topics_len; t++)
                print_topic(out, sl_topics[t].direction == SL_TOPIC_IN ? "write" : "read",
                            nodes->list[n].base, &sl_topics[t], site->operators[o]);
        fprintf(out, "\nuser %s" SL_WATCH_SUFFIX "\n", site->operators[o]);
        for (size_t n = 0; n < nodes->len; n++)
            for (size_t t = 0; t < sl_topics_len; t++)
                if (sl_topics[t].direction == SL_TOPIC_OUT)
                    print_topic(out, "read", nodes->list[n].base, &sl_topics[t], "");
    }
    fputs("\nuser " SL_RENEWAL_USER "\n", out);
    for (size_t n = 0; n < nodes->len; n++)
        if (!nodes->list[n].is_revoked)
            fprintf(out,
                    "topic read %s/cert/request\ntopic read %s/report\ntopic read %s/refused\n"
                    "topic write %s/cert/issue\n",
                    nodes->list[n].base, nodes->list[n].base, nodes->list[n].base,
                    nodes->list[n].base);
    char mark[SL_CANARY_MARK_LEN + 1];
    fflush(out);
    enum sl_exit code = make_mark(folder, text->data, text->len, mark);
    fprintf(out,
            "\nuser " SL_CANARY_GOOD "\n"
            "topic read " SL_CANARY_READ_ONLY "\n"
            "topic write " SL_CANARY_WRITE_ONLY "\n"
            "topic readwrite " SL_CANARY_MARK "%s\n",
            mark);
    enum sl_exit ended = finish(out, text);
    if (code != SL_EXIT_DONE)
        sl_bytes_free(text);
    return code == SL_EXIT_DONE ? ended : code;
}

/* Whatever of the broker's files changes, the mark does. */
static enum sl_exit make_mark(const char *folder, const char *text, size_t len,
                              char mark[SL_CANARY_MARK_LEN + 1])
{
    static const char *const files[] = {"certificate.pem", "crl.pem"};
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    bool ok = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(hash, text, len) == 1;
    enum sl_exit code = SL_EXIT_DONE;
    for (size_t i = 0; ok && i < 2 && code == SL_EXIT_DONE; i++) {
        struct sl_bytes bytes;
        code = sl_file_read(sl_path_join(folder, files[i]).text, SL_BROKER_FILE_MAX, &bytes);
        if (code != SL_EXIT_DONE)
            break;
        ok = EVP_DigestUpdate(hash, bytes.data, bytes.len) == 1;
        sl_bytes_free(&bytes);
    }
    ok = ok && EVP_DigestFinal_ex(hash, digest, NULL) == 1;
    EVP_MD_CTX_free(hash);
    mark[0] = '\0';
    for (size_t i = 0; ok && i < SL_CANARY_MARK_LEN / 2; i++)
        snprintf(mark + 2 * i, 3, "%02x", digest[i]);
    return ok || code != SL_EXIT_DONE ? code : sl_pki_fail("make the mark of the broker's files");
}

bool sl_topics_overlap(const char *base, const char *other)
{
    const char *upper = strlen(base) < strlen(other) ? base : other;
    const char *lower = upper == base ? other : base;
    size_t len = strlen(upper);
    if (strncmp(upper, lower, len) != 0)
        return false;
    const char *rest = lower + len;
    bool is_inside = *rest == '\0';
    for (size_t i = 0; i < sl_topics_len && *rest == '/'; i++) {
        size_t level = strcspn(sl_topics[i].name, "/"); /* "zone" of "zone/on" */
        is_inside = is_inside || (sl_topics[i].name[level] == '/' &&
                                  strncmp(rest + 1, sl_topics[i].name, level) == 0 &&
                                  (rest[1 + level] == '/' || rest[1 + level] == '\0'));
    }
    return is_inside;
}

/* One line, or one a zone. */
static void print_topic(FILE *out, const char *access, const char *base, const struct sl_topic *t,
                        const char *operator_name)
{
    const char *brace = strchr(t->name, '{');
    if (!brace) {
        fprintf(out, "topic %s %s/%s\n", access, base, t->name);
        return;
    }
    int before = (int)(brace - t->name);
    const char *after = strchr(brace, '}') + 1;
    if (t->direction == SL_TOPIC_ANSWER) {
        fprintf(out, "topic %s %s/%.*s%s%s\n", access, base, before, t->name, operator_name, after);
        return;
    }
    for (int zone = 0; zone < SL_ZONES; zone++)
        fprintf(out, "topic %s %s/%.*s%d%s\n", access, base, before, t->name, zone, after);
}

enum sl_exit sl_broker_write_conf(const struct sl_site *site, const char *folder)
{
    struct sl_bytes text;
    enum sl_exit code = sl_broker_make_conf(site, &text);
    return save(code, &text, folder, "mosquitto.conf");
}

enum sl_exit sl_broker_make_conf(const struct sl_site *site, struct sl_bytes *text)
{
    struct sl_broker_conf conf = {
        .host = SL_BROKER_SITE,
        .is_root = geteuid() == 0,
        .port = site->port,
        .acl = sl_path_join(site->root, "broker/acl"),
        .authority = sl_path_join(site->root, "ca/certificate.pem"),
        .certificate = sl_path_join(site->root, "broker/certificate.pem"),
        .key = sl_path_join(site->root, "broker/key.pem"),
        .crl = sl_path_join(site->root, "broker/crl.pem"),
    };
    snprintf(conf.address, sizeof conf.address, "%s", site->bind);
    return sl_broker_conf_print(&conf, text);
}

static enum sl_exit finish(FILE *out, struct sl_bytes *text)
{
    if (fclose(out) == 0)
        return SL_EXIT_DONE;
    sl_bytes_free(text);
    return sl_cli_fail(SL_ERROR(MEMORY));
}

static enum sl_exit save(enum sl_exit code, struct sl_bytes *text, const char *folder,
                         const char *name)
{
    if (code == SL_EXIT_DONE)
        code = sl_file_write(sl_path_join(folder, name).text, text->data, text->len, 0600);
    sl_bytes_free(text);
    return code;
}

enum sl_exit sl_broker_reload(const struct sl_site *site, bool *is_running)
{
    int owner = sl_site_lock_owner(site, "broker");
    *is_running = owner > 0;
    if (owner > 0 && kill(owner, SIGHUP) != 0)
        return sl_cli_fail(SL_ERROR(BROKER_NOT_TOLD), owner, strerror(errno));
    return SL_EXIT_DONE;
}
