/* doctor --config: what the options of a mosquitto.conf let happen. */
#include "doctor/conf.h"
#include "doctor/doctor.h"
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INCLUDE_DEPTH 10 /* as deep as Mosquitto goes */

/* One listener, and what follows from its options. */
struct listener {
    struct sl_doctor *doctor;
    const struct sl_conf *conf;
    const struct sl_conf_listener *it;
    struct sl_place place; /* of its own line */
    bool is_implied;       /* Mosquitto opens it because nothing asks for another */
    bool is_local, has_tls, asks_certificate, is_anonymous, has_passwords;
};

static bool take_file(struct sl_doctor *doctor, struct sl_conf *conf, const char *path);
static void include(struct sl_conf *conf, const char *folder, struct sl_conf_place place);
static void tell_problems(struct sl_doctor *doctor, const struct sl_conf *conf);
static void judge_listener(struct sl_doctor *doctor, const struct sl_conf *conf, size_t i);
static void judge_access(const struct listener *listener);
static void judge_names(const struct listener *listener);
static void judge_tls(const struct listener *listener);
static void judge_ciphers(const struct listener *listener);
static bool is_strong(const SSL_CIPHER *cipher);
static void judge_limits(struct sl_doctor *doctor, const struct sl_conf *conf);
static void judge_bridges(struct sl_doctor *doctor, const struct sl_conf *conf);
static struct sl_place place_of(const struct sl_conf *conf, struct sl_conf_place at,
                                const char *name);
static struct sl_conf_value get(const struct listener *listener, enum sl_conf_option option);
static bool is_set(const struct listener *listener, enum sl_conf_option option);

void sl_doctor_look_conf(struct sl_doctor *doctor, const char *path)
{
    struct sl_conf *conf = sl_conf_new();
    if (!conf)
        return;
    conf->include = include;
    conf->context = doctor;
    if (take_file(doctor, conf, path)) {
        sl_doctor_judge_conf(doctor, conf);
        sl_doctor_judge_conf_files(doctor, conf);
    }
    sl_conf_free(conf);
}

/* --- reading -------------------------------------------------------------------------------- */

static bool take_file(struct sl_doctor *doctor, struct sl_conf *conf, const char *path)
{
    struct sl_cli_told told = {.is_told = false};
    struct sl_bytes bytes;
    struct stat about;
    sl_cli_listen(&told);
    enum sl_exit code = sl_file_read(path, SL_CONF_FILE_MAX, &bytes);
    sl_cli_listen(NULL);
    if (code != SL_EXIT_DONE) {
        sl_doctor_find(doctor, SL_CHECK_CONF_UNREADABLE, (struct sl_place){.path = path}, "%s",
                       told.text);
        return false;
    }
    if (stat(path, &about) == 0 && (about.st_mode & (S_IWGRP | S_IWOTH)))
        sl_doctor_find(doctor, SL_CHECK_CONF_WRITABLE, (struct sl_place){.path = path}, "mode %04o",
                       (unsigned)about.st_mode & 07777u);
    bool is_taken = sl_conf_parse(conf, path, bytes.data, bytes.len);
    if (!is_taken)
        sl_conf_blame(conf, (struct sl_conf_place){0, 0}, SL_CONF_TOO_MANY, "include_dir");
    sl_bytes_free(&bytes);
    return is_taken;
}

static int is_conf(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

/* Every *.conf of a folder, by name. */
static void include(struct sl_conf *conf, const char *folder, struct sl_conf_place place)
{
    struct sl_doctor *doctor = conf->context;
    struct dirent **entries = NULL;
    int len = conf->depth < INCLUDE_DEPTH ? scandir(folder, &entries, is_conf, alphasort) : -1;
    if (len < 0) {
        sl_doctor_find(doctor, SL_CHECK_CONF_UNREADABLE, place_of(conf, place, "include_dir"),
                       "%s: %s", folder,
                       conf->depth < INCLUDE_DEPTH ? strerror(errno) : "too deep");
        return;
    }
    conf->depth++;
    for (int i = 0; i < len; i++) {
        struct sl_path path = sl_path_join(folder, entries[i]->d_name);
        (void)take_file(doctor, conf, path.text);
        free(entries[i]);
    }
    conf->depth--;
    free(entries);
}

/* --- judging -------------------------------------------------------------------------------- */

void sl_doctor_judge_conf(struct sl_doctor *doctor, const struct sl_conf *conf)
{
    tell_problems(doctor, conf);
    for (size_t i = sl_conf_first(conf); i < conf->listeners_len; i++)
        judge_listener(doctor, conf, i);
    judge_limits(doctor, conf);
    judge_bridges(doctor, conf);
}

static void tell_problems(struct sl_doctor *doctor, const struct sl_conf *conf)
{
    static const char *const texts[] = {
        [SL_CONF_UNKNOWN] = "there is no option of this name",
        [SL_CONF_NO_VALUE] = "the option has no value",
        [SL_CONF_BAD_VALUE] = "the value is not allowed",
        [SL_CONF_REPEATED] = "the option is given a second time",
        [SL_CONF_MISPLACED] = "the option belongs below a 'connection'",
        [SL_CONF_NO_TEXT] = "a zero byte ends the line",
        [SL_CONF_TOO_MANY] = "there are too many of these, or too much text",
    };
    for (size_t i = 0; i < conf->problems_len; i++) {
        const struct sl_conf_problem *problem = &conf->problems[i];
        sl_doctor_find(doctor, SL_CHECK_CONF_SYNTAX,
                       place_of(conf, problem->place, problem->option), "'%.60s': %s",
                       problem->option, texts[problem->fault]);
    }
}

static void judge_listener(struct sl_doctor *doctor, const struct sl_conf *conf, size_t i)
{
    struct listener listener = {.doctor = doctor, .conf = conf, .it = &conf->listeners[i]};
    const struct sl_conf_listener *it = listener.it;
    listener.is_implied =
        conf->listeners_len == 1 && !it->values[SL_CONF_PORT].text && !it->address;
    const struct sl_conf_value at_port = it->values[SL_CONF_PORT];
    listener.place = place_of(conf, it->place.line ? it->place : at_port.place, "listener");
    listener.is_local = listener.is_implied || (it->place.line && it->port == 0) ||
                        (it->address && sl_site_is_loopback(it->address));
    listener.has_tls = is_set(&listener, SL_CONF_CERTFILE) || is_set(&listener, SL_CONF_PSK_HINT);
    listener.asks_certificate =
        is_set(&listener, SL_CONF_CERTFILE) && sl_conf_is_true(get(&listener, SL_CONF_REQUIRE));
    listener.is_anonymous =
        listener.is_implied || sl_conf_is_true(get(&listener, SL_CONF_ALLOW_ANONYMOUS));
    listener.has_passwords = is_set(&listener, SL_CONF_PASSWORD_FILE) ||
                             is_set(&listener, SL_CONF_PLUGIN) ||
                             is_set(&listener, SL_CONF_AUTH_PLUGIN);
    judge_access(&listener);
    judge_names(&listener);
    if (listener.has_tls)
        judge_tls(&listener);
}

/* Who comes in, and what he may do then. */
static void judge_access(const struct listener *listener)
{
    struct sl_doctor *doctor = listener->doctor;
    const struct sl_conf_listener *it = listener->it;
    long port = it->port ? it->port : 1883;
    char name[16];
    snprintf(name, sizeof name, "%ld", port);
    if (!listener->has_tls)
        sl_doctor_find(doctor, listener->is_local ? SL_CHECK_CONF_PLAIN_LOCAL : SL_CHECK_CONF_PLAIN,
                       listener->place, "port %ld, no certfile%s", port,
                       listener->is_implied ? ", and no listener is named" : "");
    const struct sl_conf_value anonymous = get(listener, SL_CONF_ALLOW_ANONYMOUS);
    if (listener->is_anonymous && anonymous.text)
        sl_doctor_find(doctor,
                       listener->asks_certificate ? SL_CHECK_CONF_ANONYMOUS_LATENT
                                                  : SL_CHECK_CONF_ANONYMOUS,
                       place_of(listener->conf, anonymous.place, "allow_anonymous"),
                       "allow_anonymous %s", anonymous.text);
    if (listener->has_tls && !listener->asks_certificate && listener->is_anonymous)
        sl_doctor_find(doctor, SL_CHECK_CONF_NO_CERTIFICATE, listener->place,
                       "require_certificate is not true at port %ld", port);
    else if (!listener->asks_certificate && listener->has_passwords)
        sl_doctor_find(doctor, SL_CHECK_CONF_PASSWORDS, listener->place,
                       "require_certificate is not true at port %ld", port);
    if (is_set(listener, SL_CONF_PLUGIN) || is_set(listener, SL_CONF_AUTH_PLUGIN))
        sl_doctor_find(doctor, SL_CHECK_CONF_PLUGIN, listener->place, "plugin");
    else if (!is_set(listener, SL_CONF_ACL_FILE))
        sl_doctor_find(doctor, SL_CHECK_CONF_NO_ACL,
                       (struct sl_place){.path = listener->place.path, .name = "acl_file"},
                       "no acl_file at port %ld", port);
    const struct sl_conf_value protocol = get(listener, SL_CONF_PROTOCOL);
    if (protocol.text && strcmp(protocol.text, "websockets") == 0)
        sl_doctor_find(doctor, SL_CHECK_CONF_WEBSOCKETS,
                       place_of(listener->conf, protocol.place, "protocol"), "port %ld", port);
    struct sl_place at = listener->place;
    at.name = name;
    if (!it->address && !listener->is_local)
        sl_doctor_find(doctor, SL_CHECK_CONF_BIND_ALL, at, "no address behind port %ld", port);
}

/* What a certificate's name is worth. */
static void judge_names(const struct listener *listener)
{
    bool uses_name = sl_conf_is_true(get(listener, SL_CONF_USER_IS_CN)) ||
                     sl_conf_is_true(get(listener, SL_CONF_USER_IS_DN));
    if (listener->asks_certificate && !uses_name)
        sl_doctor_find(listener->doctor, SL_CHECK_CONF_NAME_UNUSED, listener->place,
                       "neither use_identity_as_username nor use_subject_as_username is true");
    bool is_bound = sl_conf_is_true(get(listener, SL_CONF_ID_IS_USER));
    if (!listener->is_implied && (!is_bound || (listener->is_anonymous && !uses_name)))
        sl_doctor_find(listener->doctor, SL_CHECK_CONF_SESSION_THEFT, listener->place,
                       is_bound ? "a client without a name keeps the id that it chose"
                                : "use_username_as_clientid is not true");
}

static void judge_tls(const struct listener *listener)
{
    if (listener->asks_certificate && !is_set(listener, SL_CONF_CRLFILE))
        sl_doctor_find(listener->doctor, SL_CHECK_CONF_NO_CRL, listener->place, "no crlfile");
    const struct sl_conf_value version = get(listener, SL_CONF_TLS_VERSION);
    if (version.text && strcmp(version.text, "tlsv1.2") != 0 &&
        strcmp(version.text, "tlsv1.3") != 0)
        sl_doctor_find(listener->doctor, SL_CHECK_CONF_TLS_OLD,
                       place_of(listener->conf, version.place, "tls_version"), "tls_version %.40s",
                       version.text);
    if (is_set(listener, SL_CONF_CIPHERS))
        judge_ciphers(listener);
    else
        sl_doctor_find(listener->doctor, SL_CHECK_CONF_CIPHERS_UNSET, listener->place,
                       "no ciphers");
}

/* OpenSSL says what its own list means. */
static void judge_ciphers(const struct listener *listener)
{
    const struct sl_conf_value value = get(listener, SL_CONF_CIPHERS);
    const struct sl_place place = place_of(listener->conf, value.place, "ciphers");
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    char weak[160] = "";
    size_t len = 0, count = 0;
    if (!context || SSL_CTX_set_cipher_list(context, value.text) != 1)
        sl_doctor_find(listener->doctor, SL_CHECK_CONF_SYNTAX, place, "'ciphers': %.60s",
                       "OpenSSL knows none of them");
    const STACK_OF(SSL_CIPHER) *list = context ? SSL_CTX_get_ciphers(context) : NULL;
    for (int i = 0; list && i < sk_SSL_CIPHER_num(list); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(list, i);
        if (is_strong(cipher))
            continue;
        if (++count <= 3)
            len += (size_t)snprintf(weak + len, sizeof weak - len, "%s%.40s", len ? ", " : "",
                                    SSL_CIPHER_get_name(cipher));
    }
    if (count > 0)
        sl_doctor_find(listener->doctor, SL_CHECK_CONF_CIPHERS_WEAK, place, "%zu, among them %s",
                       count, weak);
    SSL_CTX_free(context);
    ERR_clear_error();
}

/* Authenticated encryption, and a key that is forgotten afterwards. */
static bool is_strong(const SSL_CIPHER *cipher)
{
    int exchange = SSL_CIPHER_get_kx_nid(cipher), signer = SSL_CIPHER_get_auth_nid(cipher);
    bool forgets = exchange == NID_kx_ecdhe || exchange == NID_kx_dhe ||
                   exchange == NID_kx_ecdhe_psk || exchange == NID_kx_dhe_psk ||
                   exchange == NID_kx_any;
    return forgets && signer != NID_auth_null && SSL_CIPHER_is_aead(cipher) == 1 &&
           SSL_CIPHER_get_bits(cipher, NULL) >= 128;
}

static void judge_limits(struct sl_doctor *doctor, const struct sl_conf *conf)
{
    const struct sl_conf_value *global = conf->global;
    char missing[128] = "";
    size_t len = 0;
    static const struct {
        enum sl_conf_option option, other;
        const char *name;
    } limits[] = {{SL_CONF_PACKET_MAX, SL_CONF_MESSAGE_MAX, "max_packet_size"},
                  {SL_CONF_QUEUED_BYTES, SL_CONF_QUEUED_BYTES, "max_queued_bytes"},
                  {SL_CONF_MEMORY, SL_CONF_MEMORY, "memory_limit"},
                  {SL_CONF_EXPIRATION, SL_CONF_EXPIRATION, "persistent_client_expiration"}};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (!global[limits[i].option].text && !global[limits[i].other].text)
            len += (size_t)snprintf(missing + len, sizeof missing - len, "%s%s", len ? ", " : "",
                                    limits[i].name);
    const struct sl_place whole = {.path = conf->files_len ? conf->files[0] : ""};
    if (len > 0)
        sl_doctor_find(doctor, SL_CHECK_CONF_NO_LIMITS, whole, "not set: %s", missing);
    if (!sl_conf_is_true(global[SL_CONF_NODELAY]))
        sl_doctor_find(doctor, SL_CHECK_CONF_NAGLE, whole, "set_tcp_nodelay is not true");
    /* A site's own broker, started by root, has no other user's right to its keys. */
    if (!doctor->site && global[SL_CONF_USER].text &&
        strcmp(global[SL_CONF_USER].text, "root") == 0)
        sl_doctor_find(doctor, SL_CHECK_CONF_ROOT,
                       place_of(conf, global[SL_CONF_USER].place, "user"), "user root");
}

static void judge_bridges(struct sl_doctor *doctor, const struct sl_conf *conf)
{
    for (size_t i = 0; i < conf->bridges_len; i++) {
        const struct sl_conf_listener *bridge = &conf->bridges[i];
        const struct sl_conf_value *insecure = &bridge->values[SL_CONF_BRIDGE_INSECURE];
        if (sl_conf_is_true(*insecure))
            sl_doctor_find(doctor, SL_CHECK_CONF_BRIDGE_INSECURE,
                           place_of(conf, insecure->place, "bridge_insecure"),
                           "bridge_insecure true");
        if (!bridge->values[SL_CONF_BRIDGE_CAFILE].text &&
            !bridge->values[SL_CONF_BRIDGE_CAPATH].text && !bridge->values[SL_CONF_BRIDGE_PSK].text)
            sl_doctor_find(doctor, SL_CHECK_CONF_BRIDGE_PLAIN,
                           place_of(conf, bridge->place, "connection"), "no bridge_cafile");
    }
}

/* --- places --------------------------------------------------------------------------------- */

static struct sl_place place_of(const struct sl_conf *conf, struct sl_conf_place at,
                                const char *name)
{
    return (struct sl_place){.path = at.file < conf->files_len ? conf->files[at.file] : "",
                             .line = at.line,
                             .name = name};
}

static struct sl_conf_value get(const struct listener *listener, enum sl_conf_option option)
{
    return sl_conf_get(listener->conf, listener->it, option);
}

static bool is_set(const struct listener *listener, enum sl_conf_option option)
{
    return get(listener, option).text != NULL;
}
