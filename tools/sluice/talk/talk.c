/* MQTT for commands: libmosquitto's single-threaded loop, driven with deadlines. */
#include "talk/talk.h"
#include "ca/crl.h"
#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASK_WHY      20 /* a lost word is a matter of luck: the next one comes */
#define KEEP_ALIVE_S 30
#define PROBE_MS     5000
#define SLICE_MS     50 /* how long one turn may sleep: signals and ends are noticed after it */

struct visit {
    enum sl_talk_welcome welcome;
    bool is_trial, is_lost;
    bool may_try_again;
};

struct sl_talk {
    struct mosquitto *client;
    const struct sl_site *site;
    sl_name user;
    sl_talk_receive receive;
    void *context;
    unsigned timeout_ms;

    bool is_connected;
    int refused;         /* reason code of CONNACK, -1: none yet */
    int disconnected;    /* reason code of DISCONNECT, -1: none */
    int pending;         /* packet identifier that is waited for */
    int reason;          /* its reason code, -1: none yet */
    struct visit *visit; /* what is found out instead of told; NULL: nothing */
    unsigned asked_why;  /* times: the broker has hung up, and its word was lost */
    bool is_wordless;
    char tls_error[256];
    uint64_t not_after_s; /* of our certificate */
    struct sockaddr_storage address;
    socklen_t address_len;
};

static volatile sig_atomic_t is_stopping;

/* Where the library reads who we are; both empty: nobody. */
struct credentials {
    struct sl_path certificate, key;
};

static struct sl_talk *make(const struct sl_site *site, const char *user, unsigned timeout_ms);
static enum sl_exit connect_as_operator(struct sl_talk *talk);
static enum sl_exit connect_with(struct sl_talk *talk, const struct credentials *own);
static enum sl_exit stay(struct sl_talk *talk);
static enum sl_exit find_broker(struct sl_talk *talk);
static int dial_error(const struct sl_talk *talk);
static enum sl_exit turn(struct sl_talk *talk, int *error);
static enum sl_exit explain(struct sl_talk *talk, int error, int number);
static enum sl_exit explain_ended(const struct sl_talk *talk, const char *day);
static bool has_list_ended(const struct sl_site *site, char day[16]);
static enum sl_exit explain_stranger(const struct sl_talk *talk);
static enum sl_exit explain_tls(const struct sl_talk *talk);
static void on_connect(struct mosquitto *client, void *context, int reason, int flags,
                       const mosquitto_property *properties);
static void on_disconnect(struct mosquitto *client, void *context, int reason,
                          const mosquitto_property *properties);
static void on_acknowledged(struct mosquitto *client, void *context, int id, int reason,
                            const mosquitto_property *properties);
static void on_subscribed(struct mosquitto *client, void *context, int id, int count,
                          const int *granted, const mosquitto_property *properties);
static void on_message(struct mosquitto *client, void *context,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties);
static void on_log(struct mosquitto *client, void *context, int level, const char *text);
static void stop(int signal_number);

/* --- connection ----------------------------------------------------------------------------- */

enum sl_exit sl_talk_open(const struct sl_site *site, const char *operator_name, bool is_watching,
                          unsigned timeout_ms, sl_talk_receive receive, void *context,
                          struct sl_talk **opened)
{
    *opened = NULL;
    sl_name user;
    enum sl_exit code = sl_site_find_operator(site, operator_name, is_watching, user);
    if (code != SL_EXIT_DONE)
        return code;

    struct sl_talk *talk = make(site, user, timeout_ms);
    if (!talk)
        return sl_cli_fail(SL_ERROR(MEMORY));
    talk->receive = receive;
    talk->context = context;
    char lock[64];
    snprintf(lock, sizeof lock, "operator-%s", talk->user);
    code = sl_site_lock(site, lock, is_watching ? 0 : timeout_ms);
    if (code == SL_EXIT_REFUSED)
        code = sl_cli_fail(SL_ERROR(OPERATOR_BUSY), talk->user);
    if (code == SL_EXIT_DONE)
        code = connect_as_operator(talk);
    if (code == SL_EXIT_DONE)
        *opened = talk;
    else
        sl_talk_close(talk);
    return code;
}

static struct sl_talk *make(const struct sl_site *site, const char *user, unsigned timeout_ms)
{
    struct sl_talk *talk = calloc(1, sizeof *talk);
    if (!talk)
        return NULL;
    *talk = (struct sl_talk){
        .site = site, .timeout_ms = timeout_ms, .refused = -1, .disconnected = -1, .reason = -1};
    snprintf(talk->user, sizeof talk->user, "%s", user);
    return talk;
}

static enum sl_exit connect_as_operator(struct sl_talk *talk)
{
    /* Read the files ourselves first: our words name the file, the library's do not. */
    struct sl_path operators = sl_path_join(talk->site->root, "operators");
    enum sl_exit code = sl_authority_check_operator(talk->site, talk->user, &talk->not_after_s);
    const struct credentials own = {sl_path_join3(operators.text, talk->user, "certificate.pem"),
                                    sl_path_join3(operators.text, talk->user, "key.pem")};
    if (code != SL_EXIT_DONE)
        return code;
    code = connect_with(talk, &own);
    while (talk->is_wordless && !is_stopping) { /* ASK_WHY times at most */
        mosquitto_destroy(talk->client);
        talk->client = NULL;
        talk->is_wordless = false;
        talk->asked_why++;
        code = connect_with(talk, &own);
    }
    return code;
}

static enum sl_exit connect_with(struct sl_talk *talk, const struct credentials *own)
{
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    signal(SIGPIPE, SIG_IGN);
    mosquitto_lib_init();
    talk->client = mosquitto_new(talk->user, true, talk);
    if (!talk->client)
        return sl_cli_fail(SL_ERROR(MEMORY));
    mosquitto_int_option(talk->client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(talk->client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_connect_v5_callback_set(talk->client, on_connect);
    mosquitto_disconnect_v5_callback_set(talk->client, on_disconnect);
    mosquitto_publish_v5_callback_set(talk->client, on_acknowledged);
    mosquitto_subscribe_v5_callback_set(talk->client, on_subscribed);
    mosquitto_message_v5_callback_set(talk->client, on_message);
    mosquitto_log_callback_set(talk->client, on_log);

    /* A refusal in TLS 1.3 comes after the handshake and can be lost behind what we write. */
    if (talk->visit || talk->asked_why > 0)
        mosquitto_tls_opts_set(talk->client, 1, "tlsv1.2", NULL);
    struct sl_path authority = sl_path_join(talk->site->root, "ca/certificate.pem");
    bool is_nobody = own->certificate.text[0] == '\0';
    int error = mosquitto_tls_set(talk->client, authority.text, NULL,
                                  is_nobody ? NULL : own->certificate.text,
                                  is_nobody ? NULL : own->key.text, NULL);
    if (error == MOSQ_ERR_SUCCESS && talk->visit && talk->visit->is_trial)
        error = mosquitto_tls_insecure_set(talk->client, true);
    if (error != MOSQ_ERR_SUCCESS)
        return sl_cli_fail(SL_ERROR(TLS_FILES), own->certificate.text, mosquitto_strerror(error));

    enum sl_exit code = find_broker(talk);
    if (code != SL_EXIT_DONE)
        return code;
    errno = 0;
    error = mosquitto_connect_async(talk->client, talk->site->host, talk->site->port, KEEP_ALIVE_S);
    return error == MOSQ_ERR_SUCCESS ? stay(talk) : explain(talk, error, errno);
}

/* Until the broker has said yes or no. */
static enum sl_exit stay(struct sl_talk *talk)
{
    uint64_t end = sl_cli_now_ms() + talk->timeout_ms;
    int error = MOSQ_ERR_SUCCESS;
    while (!talk->is_connected && talk->refused < 0) {
        enum sl_exit turned = turn(talk, &error);
        int number = turned == SL_EXIT_DONE ? dial_error(talk) : errno;
        if (turned != SL_EXIT_DONE || number != 0)
            return explain(talk, turned == SL_EXIT_DONE ? MOSQ_ERR_ERRNO : error, number);
        if (is_stopping)
            return SL_EXIT_NO_ANSWER;
        if (sl_cli_now_ms() >= end)
            return sl_cli_fail(SL_ERROR(BROKER_SILENT), talk->site->host, talk->site->port);
    }
    if (talk->refused >= 0)
        return sl_cli_fail(SL_ERROR(BROKER_REFUSED), talk->user,
                           mosquitto_reason_string(talk->refused));
    return SL_EXIT_DONE;
}

/* A connection that failed while it was being made: the library has taken the error number and
 * goes on waiting. Ask again for it with a connection of our own. */
static int dial_error(const struct sl_talk *talk)
{
    struct pollfd line = {.fd = mosquitto_socket(talk->client), .events = POLLIN};
    if (line.fd < 0 || poll(&line, 1, 0) <= 0 || !(line.revents & (POLLERR | POLLHUP)))
        return 0;
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof peer;
    if (getpeername(line.fd, (struct sockaddr *)&peer, &peer_len) == 0)
        return 0; /* it was open: the library will find out what ended it */
    char byte;
    if (recv(line.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
        return 0; /* it was open, too, and the broker's last words are still to be read */

    int number = ECONNREFUSED;
    int fd = socket(talk->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return number;
    if (connect(fd, (const struct sockaddr *)&talk->address, talk->address_len) != 0)
        number = errno;
    if (number == EINPROGRESS) {
        struct pollfd second = {.fd = fd, .events = POLLOUT};
        socklen_t len = sizeof number;
        if (poll(&second, 1, 1000) != 1 ||
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &len) != 0 || number == 0)
            number = ETIMEDOUT;
    }
    close(fd);
    return number;
}

/* The library says "lookup error" for everything: ask the resolver for the reason. */
static enum sl_exit find_broker(struct sl_talk *talk)
{
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const struct sl_site *site = talk->site;
    char port[8];
    snprintf(port, sizeof port, "%u", site->port);
    int error = getaddrinfo(site->host, port, &hints, &found);
    if (error != 0)
        return sl_cli_fail(SL_ERROR(BROKER_HOST_UNKNOWN), site->host, gai_strerror(error));
    memcpy(&talk->address, found->ai_addr, found->ai_addrlen);
    talk->address_len = found->ai_addrlen;
    freeaddrinfo(found);
    return SL_EXIT_DONE;
}

void sl_talk_close(struct sl_talk *talk)
{
    if (!talk)
        return;
    if (talk->client) {
        int error = 0;
        mosquitto_disconnect(talk->client);
        for (int i = 0; i < 5 && talk->is_connected && turn(talk, &error) == SL_EXIT_DONE; i++)
            ;
        mosquitto_destroy(talk->client);
    }
    free(talk);
}

/* One turn of the library's loop. */
static enum sl_exit turn(struct sl_talk *talk, int *error)
{
    errno = 0;
    *error = mosquitto_loop(talk->client, SLICE_MS, 1);
    return *error == MOSQ_ERR_SUCCESS ? SL_EXIT_DONE : SL_EXIT_NO_ANSWER;
}

/* --- requests ------------------------------------------------------------------------------- */

static enum sl_exit wait_for_reason(struct sl_talk *talk, const char *what)
{
    uint64_t end = sl_cli_now_ms() + talk->timeout_ms;
    int error = 0;
    while (talk->reason < 0) {
        if (turn(talk, &error) != SL_EXIT_DONE)
            return explain(talk, error, errno);
        if (is_stopping)
            return SL_EXIT_NO_ANSWER;
        if (sl_cli_now_ms() >= end)
            return sl_cli_fail(SL_ERROR(BROKER_UNCONFIRMED), what);
    }
    return SL_EXIT_DONE;
}

enum sl_exit sl_talk_subscribe(struct sl_talk *talk, const char *topic)
{
    talk->reason = -1;
    int error = mosquitto_subscribe_v5(talk->client, &talk->pending, topic, 1, 0, NULL);
    if (error != MOSQ_ERR_SUCCESS)
        return explain(talk, error, errno);
    enum sl_exit code = wait_for_reason(talk, topic);
    if (code == SL_EXIT_DONE && talk->reason >= 0x80)
        code = sl_cli_fail(SL_ERROR(TOPIC_NO_READ), talk->user, topic,
                           mosquitto_reason_string(talk->reason));
    return code;
}

enum sl_exit sl_talk_publish(struct sl_talk *talk, const char *topic, const char *payload,
                             const struct sl_talk_request *request, enum sl_talk_fate *fate)
{
    mosquitto_property *properties = NULL;
    int error = MOSQ_ERR_SUCCESS;
    if (request->response_topic)
        error = mosquitto_property_add_string(&properties, MQTT_PROP_RESPONSE_TOPIC,
                                              request->response_topic);
    if (!error && request->correlation)
        error = mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA,
                                              request->correlation, SL_CORRELATION_LEN);
    if (!error && request->expiry_s)
        error = mosquitto_property_add_int32(&properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                             request->expiry_s);
    talk->reason = -1;
    size_t len = request->payload_len > 0 ? request->payload_len : strlen(payload);
    if (!error)
        error = mosquitto_publish_v5(talk->client, &talk->pending, topic, (int)len, payload, 1,
                                     false, properties);
    mosquitto_property_free_all(&properties);
    if (error != MOSQ_ERR_SUCCESS)
        return explain(talk, error, errno);
    enum sl_exit code = wait_for_reason(talk, topic);
    if (code != SL_EXIT_DONE)
        return code;
    if (talk->reason == MQTT_RC_NOT_AUTHORIZED)
        *fate = SL_FATE_FORBIDDEN;
    else if (talk->reason == MQTT_RC_NO_MATCHING_SUBSCRIBERS)
        *fate = SL_FATE_NOBODY;
    else if (talk->reason < 0x80)
        *fate = SL_FATE_TAKEN;
    else
        code = sl_cli_fail(SL_ERROR(MESSAGE_REFUSED), topic, mosquitto_reason_string(talk->reason));
    return code;
}

enum sl_exit sl_talk_wait(struct sl_talk *talk, const bool *done, unsigned timeout_ms)
{
    uint64_t end = sl_cli_now_ms() + timeout_ms;
    int error = 0;
    while (!(done && *done) && !is_stopping && sl_cli_now_ms() < end)
        if (turn(talk, &error) != SL_EXIT_DONE)
            return explain(talk, error, errno);
    return SL_EXIT_DONE;
}

bool sl_talk_is_stopping(void)
{
    return is_stopping != 0;
}

enum sl_exit sl_talk_visit(const struct sl_talk_visitor *visitor, enum sl_talk_welcome *welcome,
                           struct sl_talk **stays)
{
    struct sl_pki_lent lent = {-1, -1};
    struct credentials own = {{""}, {""}};
    if (stays)
        *stays = NULL; /* whatever fails: the caller closes what is there */
    enum sl_exit code = visitor->pair ? sl_pki_lend(visitor->pair, &lent) : SL_EXIT_DONE;
    if (code != SL_EXIT_DONE)
        return code;
    if (visitor->pair) {
        snprintf(own.certificate.text, PATH_MAX, "/proc/self/fd/%d", lent.certificate_fd);
        snprintf(own.key.text, PATH_MAX, "/proc/self/fd/%d", lent.key_fd);
    }
    uint64_t end = sl_cli_now_ms() + PROBE_MS;
    struct visit visit = {.is_trial = visitor->is_trial};
    struct sl_talk *talk = NULL;
    do {
        visit.may_try_again = sl_cli_now_ms() < end;
        visit.welcome = SL_WELCOME_IN;
        visit.is_lost = false;
        sl_talk_close(talk);
        talk = make(visitor->site, visitor->name, PROBE_MS);
        if (!talk) {
            code = sl_cli_fail(SL_ERROR(MEMORY));
            break;
        }
        talk->visit = &visit;
        talk->not_after_s = visitor->pair ? sl_pki_not_after(visitor->pair->certificate) : 0;
        talk->receive = visitor->receive;
        talk->context = visitor->context;
        code = connect_with(talk, &own);
    } while (visit.is_lost && !is_stopping);
    sl_pki_take_back(&lent);
    *welcome = visit.welcome;
    if (talk)
        talk->visit = NULL;
    if (stays)
        *stays = code == SL_EXIT_DONE ? talk : NULL;
    if (!stays || code != SL_EXIT_DONE)
        sl_talk_close(talk);
    return visit.welcome != SL_WELCOME_IN ? SL_EXIT_DONE : code;
}

bool sl_talk_is_shown(const struct sl_talk *talk, const X509 *certificate)
{
    X509 *shown = SSL_get1_peer_certificate(mosquitto_ssl_get(talk->client));
    bool is_same = shown && X509_cmp(shown, certificate) == 0;
    X509_free(shown);
    return is_same;
}

/* --- words for failures --------------------------------------------------------------------- */

static enum sl_exit explain(struct sl_talk *talk, int error, int number)
{
    const char *host = talk->site->host;
    unsigned port = talk->site->port;
    if (talk->disconnected == MQTT_RC_SESSION_TAKEN_OVER)
        return sl_cli_fail(SL_ERROR(OPERATOR_TAKEN_OVER), talk->user);
    if (talk->tls_error[0] != '\0' && !talk->is_connected)
        return explain_tls(talk);
    bool is_wordless = !talk->is_connected && (error != MOSQ_ERR_ERRNO || number == EPROTO ||
                                               number == ECONNRESET || number == EPIPE);
    if (is_wordless && talk->visit && talk->visit->may_try_again) {
        talk->visit->is_lost = true;
        return SL_EXIT_NO_ANSWER;
    }
    talk->is_wordless = is_wordless && !talk->visit && talk->asked_why < ASK_WHY;
    if (talk->is_wordless)
        return SL_EXIT_NO_ANSWER;
    char day[16];
    if (is_wordless && !talk->visit && has_list_ended(talk->site, day)) /* its word was lost */
        return sl_cli_fail(SL_ERROR(TLS_LIST_ENDED), host, port, day);
    if (error == MOSQ_ERR_ERRNO && number == ECONNREFUSED)
        return sl_cli_fail(SL_ERROR(BROKER_DOWN), host, port);
    /* A broker that dies while we write to it: the same end, seen from the other side. */
    if (error == MOSQ_ERR_ERRNO && (number == EPIPE || number == ECONNRESET))
        error = MOSQ_ERR_CONN_LOST;
    else if (error == MOSQ_ERR_ERRNO && number != 0)
        return sl_cli_fail(SL_ERROR(BROKER_FAR), host, port, strerror(number));
    if (!talk->is_connected)
        return sl_cli_fail(SL_ERROR(BROKER_HUNG_UP), host, port);
    /* Below 0x80 it is no word of the broker but an error number of the library. */
    const char *why = mosquitto_strerror(error);
    if (talk->disconnected >= MQTT_RC_UNSPECIFIED)
        why = mosquitto_reason_string(talk->disconnected);
    else if (error == MOSQ_ERR_CONN_LOST || error == MOSQ_ERR_NO_CONN)
        why = "it ended, or the network did";
    return sl_cli_fail(SL_ERROR(BROKER_LOST), host, port, why);
}

/* The library gives OpenSSL's words, not its numbers. */
static enum sl_exit explain_tls(const struct sl_talk *talk)
{
    const char *host = talk->site->host, *said = talk->tls_error;
    unsigned port = talk->site->port;
    char day[16];
    sl_site_print_date(day, talk->not_after_s);
    if (strstr(said, "alert certificate revoked") && talk->visit) {
        talk->visit->welcome = SL_WELCOME_REVOKED;
        return SL_EXIT_REFUSED;
    }
    /* No certificate, in the words of TLS 1.2 and 1.3. */
    if (talk->visit &&
        (strstr(said, "alert handshake failure") || strstr(said, "alert certificate required"))) {
        talk->visit->welcome = SL_WELCOME_NAMELESS;
        return SL_EXIT_REFUSED;
    }
    if (strstr(said, "alert certificate revoked"))
        return sl_cli_fail(SL_ERROR(TLS_CERTIFICATE_REVOKED), host, port, talk->user);
    if (strstr(said, "alert bad certificate"))
        return sl_cli_fail(SL_ERROR(TLS_CERTIFICATE_EARLY), host, port, talk->user);
    if (strstr(said, "alert certificate expired")) /* it was valid by our clock a moment ago */
        return explain_ended(talk, day);
    if (strstr(said, "alert unknown ca"))
        return sl_cli_fail(SL_ERROR(TLS_CERTIFICATE_STRANGE), host, port, talk->user);
    if (strstr(said, "host name"))
        return sl_cli_fail(SL_ERROR(TLS_BROKER_NAME), host, port);
    if (strstr(said, "verify failed"))
        return explain_stranger(talk);
    if (strstr(said, "wrong version"))
        return sl_cli_fail(SL_ERROR(TLS_NOT_SPOKEN), host, port);
    return sl_cli_fail(SL_ERROR(TLS_FAILED), host, port, said);
}

/* The broker has one alert for a certificate and a list that have ended; ours tell them apart. */
static enum sl_exit explain_ended(const struct sl_talk *talk, const char *day)
{
    const struct sl_site *site = talk->site;
    char list_day[16];
    return has_list_ended(site, list_day)
               ? sl_cli_fail(SL_ERROR(TLS_LIST_ENDED), site->host, site->port, list_day)
               : sl_cli_fail(SL_ERROR(TLS_CERTIFICATE_EXPIRED), site->host, site->port, talk->user,
                             day);
}

static bool has_list_ended(const struct sl_site *site, char day[16])
{
    struct sl_authority authority;
    X509_CRL *crl = NULL;
    enum sl_exit code = sl_authority_read(site, &authority);
    if (code == SL_EXIT_DONE)
        code = sl_crl_read(site, &authority, &crl);
    sl_authority_close(&authority);
    bool has_ended = code == SL_EXIT_DONE && sl_crl_days_left(crl) == 0;
    if (has_ended)
        sl_site_print_date(day, sl_crl_not_after(crl));
    X509_CRL_free(crl);
    return has_ended;
}

/* OpenSSL gives its library one reason for all; the site has the certificate that the broker shows
 * unless somebody else answers there. */
static enum sl_exit explain_stranger(const struct sl_talk *talk)
{
    const struct sl_site *site = talk->site;
    X509 *server = NULL;
    char from[16], to[16];
    enum sl_exit code =
        sl_pki_load_certificate(sl_path_join(site->root, "broker/certificate.pem").text, &server);
    if (code != SL_EXIT_DONE)
        return code;
    bool is_valid = sl_pki_days_until(X509_get0_notBefore(server), X509_get0_notAfter(server)) > 0;
    sl_site_print_date(from, sl_pki_unix_time(X509_get0_notBefore(server)));
    sl_site_print_date(to, sl_pki_not_after(server));
    X509_free(server);
    return is_valid ? sl_cli_fail(SL_ERROR(TLS_BROKER_STRANGE), site->host, site->port)
                    : sl_cli_fail(SL_ERROR(TLS_BROKER_DATES), site->host, site->port, from, to);
}

/* --- callbacks of the library --------------------------------------------------------------- */

static void on_connect(struct mosquitto *client, void *context, int reason, int flags,
                       const mosquitto_property *properties)
{
    (void)client, (void)flags, (void)properties;
    struct sl_talk *talk = context;
    talk->is_connected = reason == 0;
    if (reason != 0)
        talk->refused = reason;
}

static void on_disconnect(struct mosquitto *client, void *context, int reason,
                          const mosquitto_property *properties)
{
    (void)client, (void)properties;
    struct sl_talk *talk = context;
    talk->disconnected = reason;
}

static void on_acknowledged(struct mosquitto *client, void *context, int id, int reason,
                            const mosquitto_property *properties)
{
    (void)client, (void)properties;
    struct sl_talk *talk = context;
    if (id == talk->pending)
        talk->reason = reason;
}

static void on_subscribed(struct mosquitto *client, void *context, int id, int count,
                          const int *granted, const mosquitto_property *properties)
{
    (void)client, (void)properties;
    struct sl_talk *talk = context;
    if (id == talk->pending)
        talk->reason = count == 1 ? granted[0] : MQTT_RC_PROTOCOL_ERROR;
}

static void on_message(struct mosquitto *client, void *context,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
    (void)client;
    struct sl_talk *talk = context;
    if (!talk->receive || message->payloadlen < 0)
        return;
    struct sl_talk_message received = {
        .topic = message->topic,
        .payload = message->payload ? message->payload : "",
        .len = (size_t)message->payloadlen,
        .is_retained = message->retain,
    };
    void *correlation = NULL;
    uint16_t correlation_len = 0;
    if (mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &correlation,
                                       &correlation_len, false)) {
        received.correlation = correlation;
        received.correlation_len = correlation_len;
    }
    talk->receive(talk->context, &received);
    free(correlation);
}

/* The library tells the cause of a failed handshake only here. */
static void on_log(struct mosquitto *client, void *context, int level, const char *text)
{
    (void)client;
    struct sl_talk *talk = context;
    bool is_tls = strstr(text, "OpenSSL") || strstr(text, "host name");
    if (level != MOSQ_LOG_ERR || !is_tls || talk->tls_error[0] != '\0')
        return;
    sl_cli_clean(talk->tls_error, sizeof talk->tls_error, text, strlen(text));
}

static void stop(int signal_number)
{
    (void)signal_number;
    is_stopping = 1;
}
