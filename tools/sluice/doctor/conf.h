/* mosquitto.conf as Mosquitto 2.0 reads it: which setting holds for which listener, and on which
 * line it stands. Nothing is judged here.
 *
 * The bytes may be anybody's: sizes are bounded, text is kept as it came and cleaned by whoever
 * prints it. Source: mosquitto.conf(5) of Mosquitto 2.0.
 */
#ifndef SL_CLI_CONF_H
#define SL_CLI_CONF_H

#include <stdbool.h>
#include <stddef.h>

#define SL_CONF_FILE_MAX      262144 /* bytes of one file */
#define SL_CONF_FILES_MAX     64     /* with those that it includes */
#define SL_CONF_LISTENERS_MAX 16
#define SL_CONF_PROBLEMS_MAX  64

enum sl_conf_kind { SL_KIND_BOOL, SL_KIND_NUMBER, SL_KIND_TEXT, SL_KIND_LIST };
/* Where an option holds: everywhere; at the listener above it, if per_listener_settings is true;
 * always at the listener above it; in the bridge above it. */
enum sl_conf_scope { SL_SCOPE_GLOBAL, SL_SCOPE_SECURITY, SL_SCOPE_LISTENER, SL_SCOPE_BRIDGE };

/* Those that something is made of by name; every other known option is OTHER. */
#define SL_CONF_OPTION_LIST(X)                                                                     \
    X(PER_LISTENER, "per_listener_settings", BOOL, GLOBAL)                                         \
    X(INCLUDE_DIR, "include_dir", LIST, GLOBAL)                                                    \
    X(LISTENER, "listener", LIST, GLOBAL)                                                          \
    X(CONNECTION, "connection", LIST, GLOBAL)                                                      \
    X(ALLOW_ANONYMOUS, "allow_anonymous", BOOL, SECURITY)                                          \
    X(ACL_FILE, "acl_file", TEXT, SECURITY)                                                        \
    X(PASSWORD_FILE, "password_file", TEXT, SECURITY)                                              \
    X(PSK_FILE, "psk_file", TEXT, SECURITY)                                                        \
    X(PLUGIN, "plugin", TEXT, SECURITY)                                                            \
    X(AUTH_PLUGIN, "auth_plugin", TEXT, SECURITY)                                                  \
    X(USER, "user", TEXT, GLOBAL)                                                                  \
    X(NODELAY, "set_tcp_nodelay", BOOL, GLOBAL)                                                    \
    X(PACKET_MAX, "max_packet_size", NUMBER, GLOBAL)                                               \
    X(MESSAGE_MAX, "message_size_limit", NUMBER, GLOBAL)                                           \
    X(QUEUED_MAX, "max_queued_messages", NUMBER, GLOBAL)                                           \
    X(QUEUED_BYTES, "max_queued_bytes", NUMBER, GLOBAL)                                            \
    X(MEMORY, "memory_limit", NUMBER, GLOBAL)                                                      \
    X(EXPIRATION, "persistent_client_expiration", TEXT, GLOBAL)                                    \
    X(PORT, "port", NUMBER, LISTENER)                                                              \
    X(BIND, "bind_address", TEXT, LISTENER)                                                        \
    X(BIND_INTERFACE, "bind_interface", TEXT, LISTENER)                                            \
    X(PROTOCOL, "protocol", TEXT, LISTENER)                                                        \
    X(CONNECTIONS, "max_connections", NUMBER, LISTENER)                                            \
    X(ID_IS_USER, "use_username_as_clientid", BOOL, LISTENER)                                      \
    X(CAFILE, "cafile", TEXT, LISTENER)                                                            \
    X(CAPATH, "capath", TEXT, LISTENER)                                                            \
    X(CERTFILE, "certfile", TEXT, LISTENER)                                                        \
    X(KEYFILE, "keyfile", TEXT, LISTENER)                                                          \
    X(CRLFILE, "crlfile", TEXT, LISTENER)                                                          \
    X(REQUIRE, "require_certificate", BOOL, LISTENER)                                              \
    X(USER_IS_CN, "use_identity_as_username", BOOL, LISTENER)                                      \
    X(USER_IS_DN, "use_subject_as_username", BOOL, LISTENER)                                       \
    X(TLS_VERSION, "tls_version", TEXT, LISTENER)                                                  \
    X(CIPHERS, "ciphers", TEXT, LISTENER)                                                          \
    X(CIPHERS_13, "ciphers_tls1.3", TEXT, LISTENER)                                                \
    X(PSK_HINT, "psk_hint", TEXT, LISTENER)                                                        \
    X(BRIDGE_INSECURE, "bridge_insecure", BOOL, BRIDGE)                                            \
    X(BRIDGE_CAFILE, "bridge_cafile", TEXT, BRIDGE)                                                \
    X(BRIDGE_CAPATH, "bridge_capath", TEXT, BRIDGE)                                                \
    X(BRIDGE_PSK, "bridge_psk", TEXT, BRIDGE)

enum sl_conf_option {
#define X(id, name, kind, scope) SL_CONF_##id,
    SL_CONF_OPTION_LIST(X)
#undef X
        SL_CONF_OTHER,
    SL_CONF_OPTIONS = SL_CONF_OTHER
};

/* A file's number is its place in sl_conf.files. */
struct sl_conf_place {
    unsigned file, line; /* line 0: it stands nowhere */
};
struct sl_conf_value {
    const char *text; /* NULL: not set */
    struct sl_conf_place place;
};

/* The first listener has no line of its own when it is made of 'port' and 'bind_address', or of
 * nothing: Mosquitto 2.0 then takes port 1883 of this computer only, and lets everybody in. */
struct sl_conf_listener {
    struct sl_conf_place place;
    long port;           /* 0: a socket of this computer */
    const char *address; /* NULL: every one */
    struct sl_conf_value values[SL_CONF_OPTIONS];
};

enum sl_conf_fault {
    SL_CONF_UNKNOWN, /* no option of that name */
    SL_CONF_NO_VALUE,
    SL_CONF_BAD_VALUE,
    SL_CONF_REPEATED,  /* Mosquitto does not take a text twice */
    SL_CONF_MISPLACED, /* an option of a bridge without a bridge */
    SL_CONF_NO_TEXT,   /* a byte that no text has */
    SL_CONF_TOO_MANY   /* listeners, files or bytes */
};
struct sl_conf_problem {
    struct sl_conf_place place;
    enum sl_conf_fault fault;
    const char *option; /* as it is written */
};

struct sl_conf {
    char *files[SL_CONF_FILES_MAX];
    size_t files_len;
    struct sl_conf_value global[SL_CONF_OPTIONS]; /* what stands above every listener, too */
    struct sl_conf_listener listeners[SL_CONF_LISTENERS_MAX]; /* [0]: the one without a line */
    size_t listeners_len;
    struct sl_conf_listener bridges[SL_CONF_LISTENERS_MAX];
    size_t bridges_len;
    struct sl_conf_problem problems[SL_CONF_PROBLEMS_MAX];
    size_t problems_len;

    /* the reader's */
    char *texts[SL_CONF_FILES_MAX]; /* what the values point into */
    struct sl_conf_listener *listener, *bridge;
    unsigned depth;
    /* Reads what 'include_dir' names, with sl_conf_parse; NULL: it is passed over. */
    void (*include)(struct sl_conf *conf, const char *folder, struct sl_conf_place place);
    void *context;
};

/* On the heap, empty; NULL: out of memory. */
struct sl_conf *sl_conf_new(void);
void sl_conf_free(struct sl_conf *conf);

/* Take one more file's bytes; name is for whoever tells of it. False: no room, or no memory. */
bool sl_conf_parse(struct sl_conf *conf, const char *name, const char *text, size_t len);
void sl_conf_blame(struct sl_conf *conf, struct sl_conf_place place, enum sl_conf_fault fault,
                   const char *option);

/* What holds for a listener; text NULL: it is not set. */
struct sl_conf_value sl_conf_get(const struct sl_conf *conf,
                                 const struct sl_conf_listener *listener,
                                 enum sl_conf_option option);
bool sl_conf_is_true(struct sl_conf_value value);
/* The first of the listeners that Mosquitto opens: 0 when something stands above every 'listener'
 * line that needs a listener, or there is no such line. */
size_t sl_conf_first(const struct sl_conf *conf);

#endif
