/* The table of settings, and the grammar of the access list. */
#include "broker/conf.h"
#include "base/bytes.h"
#include "broker/files.h"
#include "store/identity.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVERYWHERE (SL_BROKER_SITE | SL_BROKER_DEBIAN | SL_BROKER_OPENWRT)
#define OWN_FILE   (SL_BROKER_SITE | SL_BROKER_OPENWRT) /* nothing stands beside it */

enum value { FIXED, ROOT, LISTENER, ACL, AUTHORITY, CERTIFICATE, KEY, CRL };
struct setting {
    unsigned hosts;
    enum value value;
    const char *key;
    const char *text;  /* of FIXED */
    const char *above; /* comment */
};

static const struct setting settings[] = {
    {EVERYWHERE, ROOT, "user", NULL,
     "Started by root, Mosquitto would become another user before it reads the keys,\n"
     "# which only their owner may read."},
    {SL_BROKER_SITE, FIXED, "log_dest", "stderr", NULL},
    {SL_BROKER_OPENWRT, FIXED, "log_dest", "syslog", NULL},
    {OWN_FILE, FIXED, "log_type", "error", NULL},
    {OWN_FILE, FIXED, "log_type", "warning", NULL},
    {OWN_FILE, FIXED, "log_type", "notice", NULL},
    {OWN_FILE, FIXED, "log_type", "information", NULL},
    {SL_BROKER_SITE, FIXED, "log_timestamp_format", "%Y-%m-%dT%H:%M:%S", NULL},
    {OWN_FILE, FIXED, "persistence", "false", NULL},
    {SL_BROKER_OPENWRT, FIXED, "pid_file", "/var/run/mosquitto.pid", NULL},
    {EVERYWHERE, FIXED, "per_listener_settings", "false",
     "Nobody without a certificate, nothing that the list does not allow."},
    {EVERYWHERE, FIXED, "allow_anonymous", "false", NULL},
    {EVERYWHERE, ACL, "acl_file", NULL, NULL},
    {EVERYWHERE, FIXED, "allow_zero_length_clientid", "true",
     "mosquitto_pub without -i names itself not at all: the certificate does, below."},
    {EVERYWHERE, FIXED, "set_tcp_nodelay", "true",
     "Small packets go out at once: Nagle's algorithm would hold a command for 40 ms."},
    {EVERYWHERE, FIXED, "max_packet_size", "4096", "What one client can take from the others."},
    {EVERYWHERE, FIXED, "max_inflight_messages", "16", NULL},
    {EVERYWHERE, FIXED, "max_queued_messages", "200", NULL},
    {EVERYWHERE, FIXED, "max_queued_bytes", "65536", NULL},
    {EVERYWHERE, FIXED, "memory_limit", "67108864", NULL},
    {EVERYWHERE, FIXED, "persistent_client_expiration", "7d", NULL},
    {EVERYWHERE, LISTENER, "listener", NULL, ""},
    {EVERYWHERE, FIXED, "max_connections", "2000", NULL},
    {EVERYWHERE, AUTHORITY, "cafile", NULL, NULL},
    {EVERYWHERE, CERTIFICATE, "certfile", NULL, NULL},
    {EVERYWHERE, KEY, "keyfile", NULL, NULL},
    {EVERYWHERE, CRL, "crlfile", NULL,
     "Always, even when it is empty: without it a reload would keep old TLS sessions."},
    {EVERYWHERE, FIXED, "require_certificate", "true", NULL},
    {EVERYWHERE, FIXED, "use_identity_as_username", "true",
     "The common name is the user and the client id: nobody can take another's session."},
    {EVERYWHERE, FIXED, "use_username_as_clientid", "true", NULL},
    {EVERYWHERE, FIXED, "tls_version", "tlsv1.2", "The lowest version; 1.3 is offered too."},
    {EVERYWHERE, FIXED, "ciphers", "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256",
     NULL},
    {EVERYWHERE, FIXED, "ciphers_tls1.3", "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256",
     NULL},
};
#define SETTINGS_LEN (sizeof settings / sizeof settings[0])

static void print_value(FILE *out, const struct setting *setting,
                        const struct sl_broker_conf *conf);
static bool take_value(const struct setting *setting, const char *value,
                       struct sl_broker_conf *conf);
static bool take_listener(const char *value, struct sl_broker_conf *conf);
static bool take_path(const char *value, struct sl_path *path);
static struct sl_path *path_of(enum value value, struct sl_broker_conf *conf);
static char *next_line(char **rest, unsigned *number, bool *is_whole);

/* --- the configuration ---------------------------------------------------------------------- */

enum sl_exit sl_broker_conf_print(const struct sl_broker_conf *conf, struct sl_bytes *text)
{
    *text = (struct sl_bytes){NULL, 0};
    FILE *out = open_memstream(&text->data, &text->len);
    if (!out)
        return sl_cli_fail(SL_ERROR(MEMORY));
    fputs(
        "# Made by sluice from the rest of the site; changes are overwritten at the next start.\n",
        out);
    for (const struct setting *s = settings; s < settings + SETTINGS_LEN; s++) {
        if (!(s->hosts & conf->host) || (s->value == ROOT && !conf->is_root))
            continue;
        if (s->above)
            fprintf(out, s->above[0] == '\0' ? "%s\n" : "\n# %s\n", s->above);
        fprintf(out, "%s ", s->key);
        print_value(out, s, conf);
        fputc('\n', out);
    }
    if (fclose(out) == 0)
        return SL_EXIT_DONE;
    sl_bytes_free(text);
    return sl_cli_fail(SL_ERROR(MEMORY));
}

static void print_value(FILE *out, const struct setting *setting, const struct sl_broker_conf *conf)
{
    struct sl_broker_conf copy = *conf;
    switch (setting->value) {
    case FIXED:
        fputs(setting->text, out);
        break;
    case ROOT:
        fputs("root", out);
        break;
    case LISTENER:
        fprintf(out, "%u %s", conf->port, conf->address);
        break;
    case ACL:
    case AUTHORITY:
    case CERTIFICATE:
    case KEY:
    case CRL:
        fputs(path_of(setting->value, &copy)->text, out);
        break;
    }
}

static struct sl_path *path_of(enum value value, struct sl_broker_conf *conf)
{
    return value == ACL           ? &conf->acl
           : value == AUTHORITY   ? &conf->authority
           : value == CERTIFICATE ? &conf->certificate
           : value == KEY         ? &conf->key
                                  : &conf->crl;
}

/* The lines stand in the order of the table, each once. */
enum sl_exit sl_broker_conf_parse(const char *path, const struct sl_bytes *text,
                                  enum sl_broker_host host, struct sl_broker_conf *conf)
{
    char *copy = malloc(text->len + 1), *rest = copy;
    if (!copy)
        return sl_cli_fail(SL_ERROR(MEMORY));
    memcpy(copy, text->data, text->len + 1);
    *conf = (struct sl_broker_conf){.host = host};
    const struct setting *s = settings, *end = settings + SETTINGS_LEN;
    unsigned number = 0;
    bool is_whole = strlen(copy) == text->len; /* no NUL in it */
    bool ok = is_whole;
    const char *line = NULL;
    while (ok && (line = next_line(&rest, &number, &is_whole)) != NULL) {
        size_t key_len = strcspn(line, " ");
        while (s < end &&
               (!(s->hosts & host) || (s->value == ROOT && strncmp(line, "user ", 5) != 0)))
            s++;
        ok = s < end && is_whole && line[key_len] == ' ' && strlen(s->key) == key_len &&
             strncmp(line, s->key, key_len) == 0 && take_value(s, line + key_len + 1, conf);
        if (ok)
            s++;
    }
    while (ok && s < end && !(s->hosts & host))
        s++;
    enum sl_exit code = SL_EXIT_DONE;
    if (!ok && line)
        code = sl_cli_fail(SL_ERROR(CONF_LINE), path, number, line);
    else if (!ok || s < end)
        code = sl_cli_fail(SL_ERROR(CONF_CUT), path, s < end ? s->key : "text");
    free(copy);
    return code;
}

static bool take_value(const struct setting *setting, const char *value,
                       struct sl_broker_conf *conf)
{
    switch (setting->value) {
    case FIXED:
        return strcmp(value, setting->text) == 0;
    case ROOT:
        conf->is_root = true;
        return strcmp(value, "root") == 0;
    case LISTENER:
        return take_listener(value, conf);
    case ACL:
    case AUTHORITY:
    case CERTIFICATE:
    case KEY:
    case CRL:
        return take_path(value, path_of(setting->value, conf));
    }
    return false;
}

static bool take_listener(const char *value, struct sl_broker_conf *conf)
{
    char digits[8];
    size_t len = strcspn(value, " ");
    long port = 0;
    if (len >= sizeof digits || value[len] != ' ')
        return false;
    snprintf(digits, sizeof digits, "%.*s", (int)len, value);
    if (!sl_cli_read_number(digits, 1, 65535, &port) || !sl_site_is_host(value + len + 1) ||
        !sl_cli_copy(conf->address, sizeof conf->address, value + len + 1))
        return false;
    conf->port = (uint16_t)port;
    return true;
}

static bool take_path(const char *value, struct sl_path *path)
{
    return value[0] == '/' && sl_cli_copy(path->text, sizeof path->text, value);
}

/* The next line that is neither empty nor a comment; NULL at the end. */
static char *next_line(char **rest, unsigned *number, bool *is_whole)
{
    while (**rest != '\0') {
        char *line = *rest, *end = strchr(line, '\n');
        *is_whole = end != NULL;
        *rest = end ? end + 1 : line + strlen(line);
        if (end)
            *end = '\0';
        (*number)++;
        if (line[0] != '\0' && line[0] != '#')
            return line;
    }
    return NULL;
}

/* --- the access list ------------------------------------------------------------------------ */

/* What has been read of it. */
struct reader {
    struct sl_broker_acl *acl;
    char user[SL_NAME_MAX + 2];
    bool is_denied, has_topic, is_canary;
    char *users; /* a list with a blank around each */
    size_t users_len;
};

static bool take_user(struct reader *reader, const char *name);
static bool take_topic(struct reader *reader, const char *words);
static bool take_canary(struct reader *reader, const char *words);
static bool is_plain_topic(const char *topic);

enum sl_exit sl_broker_acl_parse(const char *path, const struct sl_bytes *text,
                                 struct sl_broker_acl *acl)
{
    *acl = (struct sl_broker_acl){0};
    char *copy = malloc(text->len + 1), *rest = copy;
    struct reader reader = {.acl = acl, .users = calloc(1, text->len + 2)};
    unsigned number = 0;
    bool is_whole = true, ok = copy && reader.users;
    enum sl_exit code = ok ? SL_EXIT_DONE : sl_cli_fail(SL_ERROR(MEMORY));
    if (ok) {
        memcpy(copy, text->data, text->len + 1);
        ok = strlen(copy) == text->len;
    }
    const char *line = NULL;
    while (ok && (line = next_line(&rest, &number, &is_whole)) != NULL)
        ok = is_whole && (strncmp(line, "user ", 5) == 0    ? take_user(&reader, line + 5)
                          : strncmp(line, "topic ", 6) == 0 ? take_topic(&reader, line + 6)
                                                            : false);
    if (code == SL_EXIT_DONE && !ok && line)
        code = sl_cli_fail(SL_ERROR(ACL_LINE), path, number, line);
    else if (code == SL_EXIT_DONE && (!ok || acl->mark[0] == '\0'))
        code = sl_cli_fail(SL_ERROR(ACL_NO_MARK), path);
    free(reader.users);
    free(copy);
    return code;
}

/* Each user once; nobody after the canary, so that a list that was cut is noticed. */
static bool take_user(struct reader *reader, const char *name)
{
    char word[SL_NAME_MAX + 4];
    reader->is_denied = reader->has_topic = false;
    bool was_canary = reader->is_canary;
    reader->is_canary = strcmp(name, SL_CANARY_GOOD) == 0;
    bool is_ours = reader->is_canary || strcmp(name, SL_RENEWAL_USER) == 0;
    if (was_canary || (!is_ours && !sl_identity_is_name(sl_view_text(name))))
        return false;
    snprintf(reader->user, sizeof reader->user, "%s", name);
    int len = snprintf(word, sizeof word, " %s ", name);
    if (strstr(reader->users, word))
        return false;
    memcpy(reader->users + reader->users_len, word, (size_t)len + 1);
    reader->users_len += (size_t)len - 1;
    reader->acl->users++;
    return true;
}

static bool take_topic(struct reader *reader, const char *words)
{
    if (reader->user[0] == '\0' || reader->is_denied)
        return false; /* before the first user it would be for everybody */
    reader->acl->topics++;
    if (reader->is_canary)
        return take_canary(reader, words);
    if (strcmp(words, "deny #") == 0) {
        reader->is_denied = true;
        return !reader->has_topic;
    }
    reader->has_topic = true;
    const char *topic = strncmp(words, "read ", 5) == 0    ? words + 5
                        : strncmp(words, "write ", 6) == 0 ? words + 6
                                                           : "";
    return is_plain_topic(topic);
}

static bool take_canary(struct reader *reader, const char *words)
{
    static const char mark[] = "readwrite " SL_CANARY_MARK;
    if (strcmp(words, "read " SL_CANARY_READ_ONLY) == 0 ||
        strcmp(words, "write " SL_CANARY_WRITE_ONLY) == 0)
        return reader->acl->mark[0] == '\0';
    const char *digits = words + sizeof mark - 1;
    return strncmp(words, mark, sizeof mark - 1) == 0 && strlen(digits) == SL_CANARY_MARK_LEN &&
           strspn(digits, "0123456789abcdef") == SL_CANARY_MARK_LEN &&
           reader->acl->mark[0] == '\0' &&
           sl_cli_copy(reader->acl->mark, sizeof reader->acl->mark, words + strlen("readwrite "));
}

/* Levels of letters, digits, '.', '-' and '_', as bases and topics below them are made. */
static bool is_plain_topic(const char *topic)
{
    char before = '/';
    size_t len = strlen(topic);
    for (size_t i = 0; i < len; i++) {
        char c = topic[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_';
        if (!is_word && (c != '/' || before == '/'))
            return false;
        before = c;
    }
    return len > 0 && len <= SL_TOPIC_MAX && before != '/';
}
