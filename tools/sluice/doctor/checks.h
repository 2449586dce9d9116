/* Everything that 'sluice doctor' looks for: one list makes the identifiers, the words on the
 * terminal and the page docs/doctor.md.
 *
 * Each line: name; severity; FIX when 'doctor --fix' mends it by itself, HAND when a person must;
 * what is wrong; the attack or failure that it allows; the command that mends it, or what to do.
 * The identifier is the name in small letters with hyphens. In a cure {site} stands for the site's
 * folder, {where} for the file or address, {name} for the node, user or option that it is about.
 */
#ifndef SL_CLI_CHECKS_H
#define SL_CLI_CHECKS_H

#include <stdbool.h>

/* A note stops nothing, a warning will, an error is open or broken today. */
#define SL_SEVERITY_LIST(X)                                                                        \
    X(NOTE, "note")                                                                                \
    X(WARNING, "warning")                                                                          \
    X(ERROR, "error")

enum sl_severity {
#define X(id, text) SL_SEVERITY_##id,
    SL_SEVERITY_LIST(X)
#undef X
        SL_SEVERITIES
};

#define SL_CURE_BACKUP   "restore {where} from a backup of the site"
#define SL_CURE_RUN      "sluice --site {site} broker run"
#define SL_CURE_MAINTAIN "sluice --site {site} maintain"
#define SL_CURE_OPERATOR "sluice --site {site} operator renew {name}"
#define SL_CURE_REPLACE  "sluice --site {site} node add {name} --replace"
#define SL_CURE_FIX      "sluice --site {site} doctor --fix"
#define SL_CURE_NEW_SERVER                                                                         \
    "make a P-256 certificate for the broker that lasts 90 days at most; 'sluice init' makes "     \
    "such a site"
#define SL_CURE_INIT                                                                               \
    "'sluice init' makes a site with a configuration, keys and lists that have none of this"

/* A site. */
#define SL_CHECK_LIST_SITE(X)                                                                      \
    X(SITE_BROKEN, ERROR, HAND, "the site's own record cannot be read",                            \
      "no command of sluice works", SL_CURE_BACKUP)                                                \
    X(FILE_GONE, ERROR, HAND, "a file of the site is missing or cannot be read",                   \
      "the broker does not start, or starts without what the file forbids", SL_CURE_BACKUP)        \
    X(FILE_EXPOSED, ERROR, FIX, "others on this computer can read or write what is the site's",    \
      "whoever reads a key is its owner; whoever writes a list lets himself in",                   \
      "chmod go-rwx {where}")                                                                      \
    X(FILE_FOREIGN, ERROR, HAND, "a file of the site belongs to another user",                     \
      "that user can change it at any time, or the broker cannot read it and does not start",      \
      "chown --reference={site} {where}")                                                          \
    X(FILE_LINKED, WARNING, HAND, "a symbolic link stands where a file of the site should be",     \
      "what it leads to is guarded by other rules, and is replaced by a file at the next change",  \
      "put the file itself in place of the link {where}")                                          \
    X(FILE_LEFT, WARNING, FIX, "an interrupted command left something behind",                     \
      "it may hold a private key that nobody looks after", "rm -r {where}")                        \
    X(KEY_COPY, ERROR, HAND, "a private key lies where none belongs",                              \
      "a copy is forgotten, backed up and stolen like any other file", "rm {where}")               \
    X(DISK_FULL, WARNING, HAND, "the disk of the site is nearly full",                             \
      "the revocation list and certificates cannot be renewed: in the end nobody gets in",         \
      "free some space on the disk of {where}")                                                    \
    X(CLOCK_BEHIND, ERROR, HAND, "this computer's clock is behind",                                \
      "expired certificates are taken for good, new ones for not yet good",                        \
      "timedatectl set-ntp true")                                                                  \
    X(LOG_LINE_BROKEN, WARNING, HAND, "a line of the journal of issued certificates is damaged",   \
      "a certificate that stands only there is not revoked with its node", SL_CURE_BACKUP)         \
    X(LOG_INCOMPLETE, ERROR, HAND, "a certificate in use is not in the journal",                   \
      "somebody else signs with the authority's key, or the journal was cut", SL_CURE_BACKUP)      \
    X(SERIAL_TWICE, ERROR, HAND, "two certificates have the same serial number",                   \
      "revoking one shuts out the other; somebody may have copied the authority",                  \
      "make the later one anew: the journal is {where}")                                           \
    X(KEY_TWICE, ERROR, HAND, "two names have the same key",                                       \
      "whoever has one of the devices is both", SL_CURE_REPLACE)                                   \
    X(PAIR_BROKEN, ERROR, HAND, "a key and its certificate do not make a pair",                    \
      "whoever uses them gets no connection", SL_CURE_BACKUP)                                      \
    X(SIGNER_FOREIGN, ERROR, HAND, "a certificate was not signed by the site's authority",         \
      "it lets nobody in; or the authority was exchanged for a stranger's", SL_CURE_BACKUP)        \
    X(PURPOSE_WRONG, ERROR, HAND, "a certificate has not exactly the purpose of its owner",        \
      "a device that may be a server can stand in for the broker; a leaf that may sign makes "     \
      "others",                                                                                    \
      SL_CURE_BACKUP)                                                                              \
    X(NAME_WRONG, ERROR, HAND, "a certificate names somebody else than its owner",                 \
      "its holder has the rights of the name in it, or none", SL_CURE_BACKUP)                      \
    X(KEY_WEAK, ERROR, HAND, "a key or signature is not P-256 with SHA-256",                       \
      "weak ones are computed; nodes do not know others and refuse the broker", SL_CURE_BACKUP)    \
    X(CERTIFICATE_EARLY, ERROR, HAND, "a certificate does not count yet",                          \
      "its owner is refused until then", "timedatectl set-ntp true")                               \
    X(AUTHORITY_OPEN, WARNING, HAND, "the authority's key is not locked by a passphrase",          \
      "whoever copies this one file, from a backup for instance, makes certificates for any name", \
      "sluice --site {site} ca passphrase")                                                        \
    X(AUTHORITY_ENDS, WARNING, HAND, "the site's authority ends soon",                             \
      "with it ends every certificate at once, on every device", "sluice --site {site} ca roll")   \
    X(AUTHORITY_OVER, ERROR, HAND, "the site's authority has ended", "nobody is let in",           \
      "sluice --site {site}-new init")                                                             \
    X(SERVER_ENDS, WARNING, FIX, "the broker's certificate ends soon: nobody renews it",           \
      "nodes and operators refuse the broker from that day on", SL_CURE_MAINTAIN)                  \
    X(SERVER_OVER, ERROR, FIX, "the broker's certificate has ended",                               \
      "every node and operator refuses the broker", SL_CURE_MAINTAIN)                              \
    X(OPERATOR_ENDS, WARNING, HAND, "an operator's certificate ends soon",                         \
      "from that day on this operator can switch nothing off", SL_CURE_OPERATOR)                   \
    X(OPERATOR_OVER, ERROR, HAND, "an operator's certificate has ended",                           \
      "this operator can switch nothing off", SL_CURE_OPERATOR)                                    \
    X(NODE_ENDS, WARNING, HAND, "a node's certificate has passed two thirds of its life",          \
      "the node cannot connect from its end on, and is far away then", SL_CURE_REPLACE)            \
    X(NODE_OVER, ERROR, HAND, "a node's certificate has ended", "the broker refuses the node",     \
      SL_CURE_REPLACE)                                                                             \
    X(CANARY_ENDS, WARNING, FIX,                                                                   \
      "the canaries, which try the broker, end soon: nobody renews "                               \
      "them",                                                                                      \
      "no command can prove that the broker obeys its lists", SL_CURE_MAINTAIN)                    \
    X(NODE_BROKEN, ERROR, HAND, "the files of a node are damaged or do not agree",                 \
      "no command of sluice works; a node that gets this image does not start",                    \
      "rm -r {where} && sluice --site {site} node add {name}")                                     \
    X(NODE_TOPICS, ERROR, HAND, "two nodes share topics",                                          \
      "each gets the other's commands and may speak in its name",                                  \
      "sluice --site {site} node add {name} --replace --base TOPIC")                               \
    X(CRL_BROKEN, ERROR, HAND, "the revocation list cannot be used",                               \
      "at its next reload Mosquitto 2.0 drops revocation without a word, and lets revoked "        \
      "clients in",                                                                                \
      SL_CURE_BACKUP)                                                                              \
    X(CRL_FOREIGN, ERROR, HAND, "the revocation list is not signed by the site's authority",       \
      "the broker refuses everybody", SL_CURE_BACKUP)                                              \
    X(CRL_HALF, WARNING, FIX, "the revocation list is past half of its life: nobody renews it",    \
      "from its end on the broker refuses everybody", SL_CURE_MAINTAIN)                            \
    X(CRL_OVER, ERROR, FIX, "the revocation list has ended", "the broker refuses everybody",       \
      SL_CURE_MAINTAIN)                                                                            \
    X(CRL_CANARY, ERROR, FIX, "the revocation list does not know the canaries",                    \
      "no command can prove that the broker obeys the list", SL_CURE_FIX)                          \
    X(CRL_OURS, ERROR, HAND, "the broker or an operator is on the revocation list",                \
      "its owner is refused", SL_CURE_BACKUP)                                                      \
    X(LISTS_MIXED, WARNING, FIX,                                                                   \
      "the broker's certificate or revocation list was changed without the access list",           \
      "an older revocation list that somebody put there lets a revoked node in again",             \
      SL_CURE_FIX)                                                                                 \
    X(ACL_DIFFERS, ERROR, FIX, "the access list is not what the site makes",                       \
      "whoever changed it has other rights than the site says; at a syntax error Mosquitto 2.0 "   \
      "allows everybody everything",                                                               \
      SL_CURE_FIX)                                                                                 \
    X(CONF_DIFFERS, WARNING, FIX, "the broker's configuration is not what the site makes",         \
      "a Mosquitto that is started with it does not do what the site says", SL_CURE_FIX)           \
    X(INSTALLED_WRONG, ERROR, HAND, "what the installed broker is given is not as it should be",   \
      "it does not start, lets in who should stay out, or holds what it should not, like the "     \
      "authority's key",                                                                           \
      "see 'sluice broker check --root'; remove what does not belong there, then 'sluice broker "  \
      "apply --root'")                                                                             \
    X(BIND_PUBLIC, NOTE, HAND, "the broker listens on every address, or on a public one",          \
      "the whole Internet may try its luck, where no firewall stands before it",                   \
      "name an address of the local network as 'bind' in {where}")

/* The running broker. */
#define SL_CHECK_LIST_BROKER(X)                                                                    \
    X(BROKER_STRANGE, ERROR, HAND, "what answers at the broker's address cannot be talked to",     \
      "no command reaches a node", SL_CURE_RUN)                                                    \
    X(BROKER_ANONYMOUS, ERROR, HAND, "the running broker lets in clients without a certificate",   \
      "anybody who reaches its port reads everything and switches every valve",                    \
      "stop it, then: " SL_CURE_RUN)                                                               \
    X(BROKER_REVOKED_IN, ERROR, HAND, "the running broker lets in revoked certificates",           \
      "a stolen device goes on reading and speaking", "stop it, then: " SL_CURE_RUN)               \
    X(BROKER_REFUSES, ERROR, HAND, "the running broker refuses who should be let in",              \
      "no command reaches a node", SL_CURE_RUN)                                                    \
    X(BROKER_OPEN, ERROR, HAND, "the running broker does not keep to the access list",             \
      "every client may read and switch everything", "stop it, then: " SL_CURE_RUN)                \
    X(BROKER_LIST_OLD, WARNING, FIX, "the running broker has an older access list",                \
      "a node that was added is shut out, one that was removed is not", SL_CURE_FIX)               \
    X(BROKER_TLS_OLD, ERROR, HAND, "the running broker speaks TLS 1.0 or 1.1",                     \
      "who is on the way can use their known weaknesses", "stop it, then: " SL_CURE_RUN)           \
    X(BROKER_CIPHERS, ERROR, HAND, "the running broker takes cipher suites that the site forbids", \
      "recorded traffic can be read later, or be changed on the way",                              \
      "stop it, then: " SL_CURE_RUN)                                                               \
    X(BROKER_CERTIFICATE_OLD, WARNING, FIX,                                                        \
      "the running broker shows another certificate than the one in the site",                     \
      "it ends unnoticed, and everybody is out", SL_CURE_FIX)                                      \
    X(BROKER_CONF_OLD, WARNING, HAND,                                                              \
      "the configuration was changed since the broker was started",                                \
      "what the files say is not what runs; a reload does not read it",                            \
      "stop it, then: " SL_CURE_RUN)                                                               \
    X(BROKER_FILES_MAX, WARNING, HAND, "the running broker may open too few files",                \
      "it stops taking clients long before max_connections", "ulimit -n 4096 && " SL_CURE_RUN)     \
    X(BROKER_ROOT, WARNING, HAND, "the broker runs as root where others can reach it",             \
      "a fault in Mosquitto gives away the whole computer",                                        \
      "make the site as a user of its own, and run the broker as that user")                       \
    X(BROKER_LISTENS, ERROR, HAND, "the running broker listens where the site does not say",       \
      "another listener may ask for no certificate and know no revocation list",                   \
      "stop it, then: " SL_CURE_RUN)                                                               \
    X(BROKER_SLOW, WARNING, HAND, "the broker takes long to answer",                               \
      "valves open and close late; nodes give up", "look for what keeps its computer busy")        \
    X(MOSQUITTO_OLD, ERROR, HAND, "this Mosquitto is older than 2.0",                              \
      "it lets everybody in unless told otherwise, and does not know every setting of the site",   \
      "apt-get install mosquitto")                                                                 \
    X(NODE_REVOKED_ONLINE, ERROR, HAND, "a revoked node is connected",                             \
      "it hears commands, and may still speak", "sluice --site {site} node revoke {name}")         \
    X(NODE_CLOCK, WARNING, HAND, "a node has another time than this computer",                     \
      "certificates begin and end too early or too late for it",                                   \
      "see 'sluice --site {site} status {name}' for where it has its time from")

/* A foreign mosquitto.conf. */
#define SL_CHECK_LIST_CONF(X)                                                                      \
    X(CONF_UNREADABLE, ERROR, HAND, "a configuration file cannot be read",                         \
      "what it says is not known", "run this as a user who may read {where}")                      \
    X(CONF_SYNTAX, ERROR, HAND, "Mosquitto does not take this line",                               \
      "the broker does not start; a reload goes on with something else than what stands there",    \
      "correct {name} in {where}")                                                                 \
    X(CONF_WRITABLE, ERROR, HAND, "others can write a file that the broker obeys",                 \
      "any user or program of this computer makes the rules", "chmod go-w {where}")                \
    X(CONF_FILE_GONE, ERROR, HAND, "a file that the configuration names is missing or empty",      \
      "the broker does not start; at a reload Mosquitto 2.0 goes on without the list, open to "    \
      "everybody",                                                                                 \
      "put {where} there, or remove the option {name}")                                            \
    X(CONF_FILE_UNREAD, NOTE, HAND, "a file that the configuration names cannot be read by you",   \
      "what is in it is not judged", "run this as a user who may read {where}")                    \
    X(CONF_ANONYMOUS, ERROR, HAND, "clients need no name (allow_anonymous)",                       \
      "anybody who reaches the port reads every message and commands every device",                \
      "allow_anonymous false, require_certificate true")                                           \
    X(CONF_ANONYMOUS_LATENT, WARNING, HAND, "clients need no name, only a certificate",            \
      "one more listener, or require_certificate forgotten once, and the broker is open",          \
      "allow_anonymous false")                                                                     \
    X(CONF_NO_ACL, ERROR, HAND, "there is no access list",                                         \
      "every client reads every message and commands every device: one stolen sensor opens every " \
      "valve",                                                                                     \
      "acl_file FILE, with one line for each user, topic and direction")                           \
    X(CONF_PLAIN, ERROR, HAND, "a listener has no TLS",                                            \
      "who is on the way reads passwords and messages, and sends commands of his own",             \
      "remove the listener, or give it cafile, certfile, keyfile and require_certificate true")    \
    X(CONF_PLAIN_LOCAL, NOTE, HAND, "a listener of this computer only has no TLS",                 \
      "every program and user of this computer can use it", "remove it, if nothing needs it")      \
    X(CONF_NO_CERTIFICATE, ERROR, HAND, "clients need neither a certificate nor a password",       \
      "anybody who reaches the port is in", "require_certificate true")                            \
    X(CONF_PASSWORDS, WARNING, HAND, "clients need no certificate, only a password",               \
      "passwords are guessed, shared and read out of devices, and stand for any device",           \
      "require_certificate true, use_identity_as_username true")                                   \
    X(CONF_NAME_UNUSED, ERROR, HAND, "the name in a client's certificate is not used",             \
      "any certificate claims any user name: identity means nothing",                              \
      "use_identity_as_username true")                                                             \
    X(CONF_SESSION_THEFT, WARNING, HAND, "a client may choose any client id",                      \
      "with another's id it throws that client out, again and again, and takes its messages",      \
      "use_username_as_clientid true")                                                             \
    X(CONF_NO_CRL, ERROR, HAND, "there is no revocation list",                                     \
      "a stolen device is let in for as long as its certificate lasts; after a reload TLS "        \
      "sessions from before go on",                                                                \
      "crlfile FILE, also when the list is empty")                                                 \
    X(CONF_WEBSOCKETS, ERROR, HAND, "a websockets listener ignores the revocation list",           \
      "a revoked device comes in by it; it listens on every address, whatever is written",         \
      "remove the listener")                                                                       \
    X(CONF_TLS_OLD, ERROR, HAND, "TLS 1.0 or 1.1 is allowed",                                      \
      "who is on the way can use their known weaknesses", "tls_version tlsv1.2")                   \
    X(CONF_CIPHERS_WEAK, ERROR, HAND, "weak cipher suites are allowed",                            \
      "recorded traffic can be read later, or be changed on the way",                              \
      "ciphers ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256")                       \
    X(CONF_CIPHERS_UNSET, NOTE, HAND, "cipher suites are left to OpenSSL",                         \
      "some of them keep no secret once the server's key is known",                                \
      "ciphers ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256")                       \
    X(CONF_BIND_ALL, NOTE, HAND, "a listener takes every address of this computer",                \
      "it can be reached from every network, also from those that come later",                     \
      "listener {name} ADDRESS")                                                                   \
    X(CONF_NO_LIMITS, WARNING, HAND, "a client may take what it wants",                            \
      "one client fills the memory with large or queued messages, and the broker dies",            \
      "max_packet_size 4096, max_queued_bytes 65536, memory_limit 67108864, "                      \
      "persistent_client_expiration 7d")                                                           \
    X(CONF_NAGLE, NOTE, HAND, "small packets are held back",                                       \
      "a command waits about 40 ms for the acknowledgement of the one before",                     \
      "set_tcp_nodelay true")                                                                      \
    X(CONF_ROOT, WARNING, HAND, "the broker runs as root",                                         \
      "a fault in Mosquitto gives away the whole computer", "user mosquitto")                      \
    X(CONF_PLUGIN, NOTE, HAND, "a plugin decides who may do what",                                 \
      "its rules are not judged here", "look into the plugin's own configuration")                 \
    X(CONF_ACL_WIDE, ERROR, HAND, "the access list allows everything by a wildcard",               \
      "whoever has this right reads every message and commands every device",                      \
      "name each topic instead of the wildcard in {where}")                                        \
    X(CONF_ACL_BROKEN, ERROR, HAND, "Mosquitto does not take this line of the access list",        \
      "at the next reload, which log rotation does by itself, everybody may do everything",        \
      "correct the line in {where}")                                                               \
    X(CONF_PASSWORD_CLEAR, ERROR, HAND, "the password file holds a password in the clear",         \
      "who reads the file, or a backup of it, is that user", "mosquitto_passwd -U {where}")        \
    X(CONF_PASSWORD_EXPOSED, ERROR, HAND, "everybody on this computer can read the passwords",     \
      "their hashes can be guessed at leisure", "chmod o-rwx {where}")                             \
    X(CONF_KEY_EXPOSED, ERROR, HAND, "everybody on this computer can read the broker's key",       \
      "whoever has read it can pass as the broker", "chmod o-rwx {where}")                         \
    X(CONF_KEY_FOREIGN, ERROR, HAND, "the key does not belong to the broker's certificate",        \
      "the listener does not start", "put the right key at {where}")                               \
    X(CONF_CERTIFICATE_BROKEN, ERROR, HAND, "a file holds no certificate",                         \
      "the listener does not start", "put a certificate (PEM) at {where}")                         \
    X(CONF_CERTIFICATE_OVER, ERROR, HAND, "a certificate does not count today",                    \
      "clients that check dates refuse the broker; those that do not take any forgery",            \
      SL_CURE_NEW_SERVER)                                                                          \
    X(CONF_CERTIFICATE_ENDS, WARNING, HAND, "a certificate ends soon",                             \
      "clients that check dates refuse the broker then", SL_CURE_NEW_SERVER)                       \
    X(CONF_CERTIFICATE_LONG, NOTE, HAND, "the broker's certificate lasts for more than 398 days",  \
      "a stolen key stands for the broker all that time: small devices read no revocation list",   \
      SL_CURE_NEW_SERVER)                                                                          \
    X(CONF_KEY_SHORT, ERROR, HAND, "a key is too short",                                           \
      "it can be computed from the certificate; then anybody is the broker, or signs clients",     \
      SL_CURE_NEW_SERVER)                                                                          \
    X(CONF_SIGNATURE_WEAK, ERROR, HAND, "a certificate is signed with MD5 or SHA-1",               \
      "a second certificate with the same signature can be made", SL_CURE_NEW_SERVER)              \
    X(CONF_PURPOSE_BOTH, ERROR, HAND, "the broker's certificate may also be a client's",           \
      "who has a device's or the server's key has both: each can stand in for the other",          \
      "make it with extendedKeyUsage serverAuth alone, and devices' with clientAuth alone")        \
    X(CONF_PURPOSE_WRONG, ERROR, HAND, "the broker's certificate may not be a server's",           \
      "clients that look refuse it; those that do not take any device for the broker",             \
      "make it with extendedKeyUsage serverAuth")                                                  \
    X(CONF_NO_HOST_NAME, WARNING, HAND, "the broker's certificate has no alternative name",        \
      "clients do not check the name then, and any certificate of the authority is the broker",    \
      "make it with subjectAltName DNS:NAME")                                                      \
    X(CONF_SELF_SIGNED, ERROR, HAND, "the broker's certificate is its own authority",              \
      "clients that trust it trust everything that its key signs, and the key is on the broker",   \
      SL_CURE_INIT)                                                                                \
    X(CONF_AUTHORITY_NONE, ERROR, HAND, "what cafile names is no certificate authority",           \
      "no client's certificate counts; or, by old rules, every client can sign others",            \
      SL_CURE_INIT)                                                                                \
    X(CONF_AUTHORITIES_MANY, ERROR, HAND, "many authorities are trusted for clients",              \
      "anybody buys or gets a certificate from one of them and is in",                             \
      "cafile with your own authority alone")                                                      \
    X(CONF_AUTHORITY_KEY, ERROR, HAND, "the authority's private key lies on the broker",           \
      "who gets into the broker makes certificates for any name",                                  \
      "move {where} off this computer")                                                            \
    X(CONF_ONE_NAME, ERROR, HAND, "several certificates have one name",                            \
      "devices cannot be told apart: no rights of their own, and one stolen key is all of them",   \
      "a name of its own for each device; 'sluice node add NAME' makes such a certificate")        \
    X(CONF_CRL_BROKEN, ERROR, HAND, "the revocation list cannot be used",                          \
      "at the next reload, which log rotation does by itself, Mosquitto 2.0 lets revoked clients " \
      "in",                                                                                        \
      "openssl ca -gencrl -out {where}, or restore it from a backup")                              \
    X(CONF_CRL_OVER, ERROR, HAND, "the revocation list has ended or is a stranger's",              \
      "the broker refuses everybody", "openssl ca -gencrl -out {where}")                           \
    X(CONF_CRL_HALF, WARNING, HAND, "the revocation list is past half of its life",                \
      "from its end on the broker refuses everybody", "openssl ca -gencrl -out {where}")           \
    X(CONF_BRIDGE_INSECURE, ERROR, HAND, "a bridge does not check the other broker's name",        \
      "who is on the way is the other broker, and commands every device", "bridge_insecure false") \
    X(CONF_BRIDGE_PLAIN, WARNING, HAND, "a bridge has no TLS",                                     \
      "who is on the way reads and sends everything that the bridge carries",                      \
      "bridge_cafile FILE")

#define SL_CHECK_LIST(X) SL_CHECK_LIST_SITE(X) SL_CHECK_LIST_BROKER(X) SL_CHECK_LIST_CONF(X)

enum sl_check {
#define X(name, severity, fix, what, harm, cure) SL_CHECK_##name,
    SL_CHECK_LIST(X)
#undef X
        SL_CHECKS
};

struct sl_check_entry {
    const char *name; /* in capitals, as in the list */
    enum sl_severity severity;
    bool is_mended; /* by 'doctor --fix' */
    const char *what, *harm, *cure;
};
extern const struct sl_check_entry sl_checks[SL_CHECKS];

#define SL_CHECK_ID_MAX 32
/* "file-exposed"; and "note", "warning", "error". Gives: id. */
const char *sl_check_id(enum sl_check check, char id[SL_CHECK_ID_MAX]);
const char *sl_severity_text(enum sl_severity severity);

#endif
