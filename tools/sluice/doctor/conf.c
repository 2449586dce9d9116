/* Reading mosquitto.conf: lines into values. */
#include "doctor/conf.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t"

struct option {
    const char *name;
    enum sl_conf_kind kind;
    enum sl_conf_scope scope;
};
static const struct option options[] = {
#define X(id, name, kind, scope) {name, SL_KIND_##kind, SL_SCOPE_##scope},
    SL_CONF_OPTION_LIST(X)
#undef X
};

/* Known to Mosquitto, and nothing is made of them here. */
static const char *const others[] = {
    "allow_duplicate_messages",
    "allow_zero_length_clientid",
    "auth_plugin_deny_special_chars",
    "auto_id_prefix",
    "autosave_interval",
    "autosave_on_changes",
    "check_retain_source",
    "clientid_prefixes",
    "connection_messages",
    "log_dest",
    "log_facility",
    "log_timestamp",
    "log_timestamp_format",
    "log_type",
    "max_inflight_bytes",
    "max_inflight_messages",
    "max_keepalive",
    "persistence",
    "persistence_file",
    "persistence_location",
    "pid_file",
    "queue_qos0_messages",
    "retain_available",
    "retry_interval",
    "store_clean_interval",
    "sys_interval",
    "upgrade_outgoing_qos",
    "websockets_headers_size",
    "websockets_log_level",
    "http_dir",
    "max_qos",
    "max_topic_alias",
    "mount_point",
    "socket_domain",
    "tls_engine",
    "tls_engine_kpass_sha1",
    "tls_keyform",
    "dhparamfile",
    "address",
    "addresses",
    "cleansession",
    "local_cleansession",
    "clientid",
    "idle_timeout",
    "keepalive_interval",
    "local_clientid",
    "local_password",
    "local_username",
    "notifications",
    "notifications_local_only",
    "notification_topic",
    "password",
    "remote_clientid",
    "remote_password",
    "remote_username",
    "restart_timeout",
    "round_robin",
    "start_type",
    "threshold",
    "topic",
    "try_private",
    "username",
    "ffdc_output",
    "max_log_entries",
    "trace_level",
    "trace_output",
};
/* Families of options: what begins like this. */
static const char *const families[] = {"plugin_opt_", "auth_opt_", "bridge_"};

static void take_line(struct sl_conf *conf, char *line, struct sl_conf_place place);
static void take(struct sl_conf *conf, enum sl_conf_option option, char *value,
                 struct sl_conf_place place);
static void begin(struct sl_conf *conf, bool is_bridge, char *value, struct sl_conf_place place);
static enum sl_conf_option find(const char *name, bool *is_known);
static bool is_good(enum sl_conf_kind kind, const char *text);

struct sl_conf *sl_conf_new(void)
{
    struct sl_conf *conf = calloc(1, sizeof *conf);
    if (!conf)
        return NULL;
    conf->listeners_len = 1;
    conf->listener = &conf->listeners[0];
    return conf;
}

void sl_conf_free(struct sl_conf *conf)
{
    for (size_t i = 0; conf && i < conf->files_len; i++) {
        free(conf->files[i]);
        free(conf->texts[i]);
    }
    free(conf);
}

bool sl_conf_parse(struct sl_conf *conf, const char *name, const char *text, size_t len)
{
    if (conf->files_len == SL_CONF_FILES_MAX || len > SL_CONF_FILE_MAX)
        return false;
    char *copy = malloc(len + 1), *file = strdup(name);
    if (!copy || !file) {
        free(copy);
        free(file);
        return false;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    struct sl_conf_place place = {.file = (unsigned)conf->files_len};
    conf->files[conf->files_len] = file;
    conf->texts[conf->files_len++] = copy;

    for (char *line = copy, *end = copy + len; line < end;) {
        char *stop = memchr(line, '\n', (size_t)(end - line));
        stop = stop ? stop : end;
        *stop = '\0';
        place.line++;
        if (strlen(line) != (size_t)(stop - line))
            sl_conf_blame(conf, place, SL_CONF_NO_TEXT, "");
        take_line(conf, line, place);
        line = stop + 1;
    }
    return true;
}

void sl_conf_blame(struct sl_conf *conf, struct sl_conf_place place, enum sl_conf_fault fault,
                   const char *option)
{
    if (conf->problems_len < SL_CONF_PROBLEMS_MAX)
        conf->problems[conf->problems_len++] = (struct sl_conf_problem){place, fault, option};
}

/* "option value", where a value may have blanks inside. */
static void take_line(struct sl_conf *conf, char *line, struct sl_conf_place place)
{
    size_t len = strlen(line);
    while (len > 0 && strchr(BLANKS "\r", line[len - 1]))
        line[--len] = '\0';
    line += strspn(line, BLANKS);
    if (*line == '\0' || *line == '#')
        return;
    char *value = line + strcspn(line, BLANKS);
    if (*value != '\0')
        *value++ = '\0';
    value += strspn(value, BLANKS);

    bool is_known = false;
    enum sl_conf_option option = find(line, &is_known);
    if (!is_known)
        sl_conf_blame(conf, place, SL_CONF_UNKNOWN, line);
    else if (*value == '\0')
        sl_conf_blame(conf, place, SL_CONF_NO_VALUE, line);
    else if (option != SL_CONF_OTHER)
        take(conf, option, value, place);
}

static void take(struct sl_conf *conf, enum sl_conf_option option, char *value,
                 struct sl_conf_place place)
{
    const struct option *about = &options[option];
    if (option == SL_CONF_LISTENER || option == SL_CONF_CONNECTION) {
        begin(conf, option == SL_CONF_CONNECTION, value, place);
        return;
    }
    if (option == SL_CONF_INCLUDE_DIR) {
        if (conf->include)
            conf->include(conf, value, place);
        return;
    }
    if (!is_good(about->kind, value)) {
        sl_conf_blame(conf, place, SL_CONF_BAD_VALUE, about->name);
        return;
    }
    struct sl_conf_value *values = conf->global;
    if (about->scope == SL_SCOPE_BRIDGE && !conf->bridge) {
        sl_conf_blame(conf, place, SL_CONF_MISPLACED, about->name);
        return;
    }
    if (about->scope == SL_SCOPE_BRIDGE)
        values = conf->bridge->values;
    else if (about->scope != SL_SCOPE_GLOBAL)
        values = conf->listener->values;
    if (values[option].text && about->kind == SL_KIND_TEXT)
        sl_conf_blame(conf, place, SL_CONF_REPEATED, about->name);
    values[option] = (struct sl_conf_value){value, place};
    if (about->scope == SL_SCOPE_SECURITY) /* what counts unless each listener has its own */
        conf->global[option] = values[option];
    if (option == SL_CONF_PORT)
        conf->listener->port = strtol(value, NULL, 10);
    if (option == SL_CONF_BIND)
        conf->listener->address = value;
}

/* "listener PORT [ADDRESS]", "connection NAME". */
static void begin(struct sl_conf *conf, bool is_bridge, char *value, struct sl_conf_place place)
{
    struct sl_conf_listener *list = is_bridge ? conf->bridges : conf->listeners;
    size_t *len = is_bridge ? &conf->bridges_len : &conf->listeners_len;
    const char *option = is_bridge ? "connection" : "listener";
    if (*len == SL_CONF_LISTENERS_MAX) {
        sl_conf_blame(conf, place, SL_CONF_TOO_MANY, option);
        return;
    }
    struct sl_conf_listener *made = &list[*len];
    made->place = place;
    if (!is_bridge) {
        char *address = value + strcspn(value, BLANKS);
        if (*address != '\0')
            *address++ = '\0';
        address += strspn(address, BLANKS);
        char *end = NULL;
        made->port = strtol(value, &end, 10);
        made->address = *address != '\0' ? address : NULL;
        bool is_socket = made->port == 0 && made->address; /* "listener 0 PATH" */
        if (*end != '\0' || made->port < 0 || made->port > 65535 ||
            (made->port == 0 && !is_socket)) {
            sl_conf_blame(conf, place, SL_CONF_BAD_VALUE, option);
            return;
        }
    }
    ++*len;
    *(is_bridge ? &conf->bridge : &conf->listener) = made;
}

static enum sl_conf_option find(const char *name, bool *is_known)
{
    *is_known = true;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(options[i].name, name) == 0)
            return (enum sl_conf_option)i;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(others[i], name) == 0)
            return SL_CONF_OTHER;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if (strncmp(families[i], name, strlen(families[i])) == 0)
            return SL_CONF_OTHER;
    *is_known = false;
    return SL_CONF_OTHER;
}

static bool is_good(enum sl_conf_kind kind, const char *text)
{
    char *end = NULL;
    switch (kind) {
    case SL_KIND_BOOL:
        return strcmp(text, "true") == 0 || strcmp(text, "1") == 0 || strcmp(text, "false") == 0 ||
               strcmp(text, "0") == 0;
    case SL_KIND_NUMBER:
        (void)strtol(text, &end, 10);
        return *end == '\0';
    case SL_KIND_TEXT:
    case SL_KIND_LIST:
    default:
        return true;
    }
}

struct sl_conf_value sl_conf_get(const struct sl_conf *conf,
                                 const struct sl_conf_listener *listener,
                                 enum sl_conf_option option)
{
    bool is_own = options[option].scope == SL_SCOPE_LISTENER ||
                  options[option].scope == SL_SCOPE_BRIDGE ||
                  (options[option].scope == SL_SCOPE_SECURITY &&
                   sl_conf_is_true(conf->global[SL_CONF_PER_LISTENER]));
    return is_own ? listener->values[option] : conf->global[option];
}

bool sl_conf_is_true(struct sl_conf_value value)
{
    return value.text && (strcmp(value.text, "true") == 0 || strcmp(value.text, "1") == 0);
}

size_t sl_conf_first(const struct sl_conf *conf)
{
    for (size_t i = 0; i < SL_CONF_OPTIONS; i++)
        if (options[i].scope == SL_SCOPE_LISTENER && conf->listeners[0].values[i].text)
            return 0;
    return conf->listeners_len == 1 ? 0 : 1;
}
