/* From dialling to subscribed, and back. */
#include "node/connection.h"
#include "node/opening.h"
#include "node/topic.h"

#define REASON_NORMAL      0x00
#define REASON_WITH_WILL   0x04
#define REASON_BAD_VERSION 0x84 /* unsupported protocol version */
#define REASON_ERROR       0x80 /* the first of the errors */
#define REASON_NO_WILDCARD 0xA2 /* wildcard subscriptions not supported */

static enum sl_status load_identity(struct sl_connection *connection);
static void fail(struct sl_connection *connection, sl_ms now, enum sl_trouble_kind kind,
                 int32_t number);
static void leave(struct sl_connection *connection, sl_ms now, bool with_will,
                  enum sl_connection_stage next);
static void part(struct sl_connection *connection, sl_ms now, enum sl_connection_stage next);
static bool take_mqtt_event(struct sl_connection *connection, sl_ms now,
                            struct sl_connection_event *event);
static bool take_tls_event(struct sl_connection *connection, sl_ms now);
static void keep_handshake(struct sl_connection *connection, sl_ms now);
static void forget_session(struct sl_connection *connection);
static void connect(struct sl_connection *connection, sl_ms now);
static void subscribe(struct sl_connection *connection, sl_ms now);
static bool move_plain_in(struct sl_connection *connection, sl_ms now);
static void move_plain_out(struct sl_connection *connection, sl_ms now);

static bool is_talking(const struct sl_connection *connection)
{
    return connection->stage >= SL_CONNECTION_HANDSHAKE && connection->stage <= SL_CONNECTION_OPEN;
}

static void wait_until(struct sl_connection *connection, sl_ms due)
{
    connection->has_due = true;
    connection->due = due;
}

enum sl_status sl_connection_init(struct sl_connection *connection,
                                  const struct sl_identity *identity, uint16_t keep_alive_s,
                                  bool takes_grants, struct sl_records *records,
                                  struct sl_random *random, struct sl_log_queue *log)
{
    memset(connection, 0, sizeof *connection);
    connection->identity = identity;
    connection->records = records;
    connection->random = random;
    connection->log = log;
    connection->keep_alive_s = keep_alive_s;
    connection->takes_grants = takes_grants;
    connection->version = SL_MQTT_V5;
    sl_backoff_reset(&connection->backoff);

    const struct sl_mqtt_memory memory = {
        .in = connection->in,
        .in_len = sizeof connection->in,
        .out = connection->out,
        .out_len = sizeof connection->out,
        .flights = connection->flights,
        .flights_len = SL_CONNECTION_FLIGHTS,
        .received = connection->received,
        .received_len = SL_CONNECTION_RECEIVED,
    };
    sl_mqtt_init(&connection->mqtt, &memory);
    return load_identity(connection);
}

static enum sl_status load_identity(struct sl_connection *connection)
{
    const struct sl_identity *identity = connection->identity;
    struct sl_tls_credentials credentials = {
        .anchors_len = identity->anchors_len,
        .certificate = identity->certificate,
        .private_key = identity->private_key,
    };
    for (uint8_t i = 0; i < identity->anchors_len && i < SL_TLS_ANCHORS_MAX; i++)
        credentials.anchors[i] =
            (struct sl_tls_anchor){identity->anchors[i].subject, identity->anchors[i].point};
    const enum sl_status status = sl_tls_init(&connection->tls, &credentials);
    if (status != SL_OK)
        return status;
    sl_kept_check(connection->records, identity);
    const struct sl_tls_known known = sl_kept_known(connection->records);
    sl_tls_recall(&connection->tls, &known);
    return SL_OK;
}

void sl_connection_use(struct sl_connection *connection, sl_ms now,
                       const struct sl_identity *identity)
{
    if (connection->stage == SL_CONNECTION_ENDED)
        return;
    connection->identity = identity;
    connection->must_load = true;
    connection->has_session_due = false;
    leave(connection, now, true, SL_CONNECTION_WAITING);
    sl_backoff_reset(&connection->backoff);
}

void sl_connection_allow(struct sl_connection *connection)
{
    connection->is_time_known = true;
}

bool sl_connection_next(struct sl_connection *connection, sl_ms now, bool can_take,
                        struct sl_connection_event *event)
{
    event->kind = SL_CONNECTION_NONE;
    connection->is_parting = false;
    for (;;) {
        if (connection->must_tell_lost) {
            connection->must_tell_lost = false;
            event->kind = SL_CONNECTION_LOST;
            return true;
        }
        if (connection->must_hang_up) {
            connection->must_hang_up = false;
            connection->is_parting = true;
            event->kind = SL_CONNECTION_HANG_UP;
            return true;
        }
        if (connection->must_tell_failed) {
            connection->must_tell_failed = false;
            event->kind = SL_CONNECTION_FAILED;
            return true;
        }
        if (connection->must_dial) {
            connection->must_dial = false;
            event->kind = SL_CONNECTION_DIAL;
            return true;
        }
        if (connection->must_tell_opened) {
            connection->must_tell_opened = false;
            event->kind = SL_CONNECTION_OPENED;
            return true;
        }
        if (!is_talking(connection) || !can_take)
            return false;
        /* What was received goes before what ended the session: the law of the cut. */
        if (take_mqtt_event(connection, now, event)) {
            if (event->kind != SL_CONNECTION_NONE)
                return true;
        } else if (!move_plain_in(connection, now) && !take_tls_event(connection, now)) {
            return false;
        }
    }
}

void sl_connection_tick(struct sl_connection *connection, sl_ms now)
{
    static const struct {
        enum sl_trouble_kind kind;
        int32_t wait_ms;
    } timeouts[] = {
        [SL_CONNECTION_DIALLING] = {SL_TROUBLE_DIAL_TIMEOUT, SL_CONNECTION_DIAL_MS},
        [SL_CONNECTION_HANDSHAKE] = {SL_TROUBLE_TLS_TIMEOUT, SL_CONNECTION_TLS_MS},
        [SL_CONNECTION_CONNECTING] = {SL_TROUBLE_CONNACK_TIMEOUT, SL_CONNECTION_CONNACK_MS},
        [SL_CONNECTION_SUBSCRIBING] = {SL_TROUBLE_SUBACK_TIMEOUT, SL_CONNECTION_SUBACK_MS},
    };
    if (connection->stage == SL_CONNECTION_ENDED)
        return;
    if (connection->has_session_due && sl_ms_is_reached(now, connection->session_due))
        forget_session(connection);

    bool is_over = connection->has_due && sl_ms_is_reached(now, connection->due);
    if (is_over)
        connection->has_due = false;
    if (connection->stage == SL_CONNECTION_WAITING) {
        if (connection->is_time_known && !connection->has_due) {
            if (connection->must_load && load_identity(connection) != SL_OK)
                sl_tls_reset(&connection->tls); /* without credentials: refused at the handshake */
            connection->must_load = false;
            connection->stage = SL_CONNECTION_DIALLING;
            connection->must_dial = true;
            wait_until(connection, now + SL_CONNECTION_DIAL_MS);
        }
    } else if (connection->stage == SL_CONNECTION_OPEN) {
        if (is_over)
            sl_backoff_reset(&connection->backoff);
    } else if (is_over) {
        fail(connection, now, timeouts[connection->stage].kind,
             timeouts[connection->stage].wait_ms / 1000);
    }

    if (connection->stage >= SL_CONNECTION_CONNECTING)
        sl_mqtt_tick(&connection->mqtt, now);
    if (sl_mqtt_owed(&connection->mqtt) == 0)
        connection->has_ack_due = false;
    if (connection->has_ack_due && sl_ms_is_reached(now, connection->ack_due))
        fail(connection, now, SL_TROUBLE_PUBACK_TIMEOUT, SL_CONNECTION_PUBACK_MS / 1000);
}

void sl_connection_deadline(const struct sl_connection *connection, sl_ms now, bool *has,
                            sl_ms *due)
{
    sl_ms mqtt_due;
    if (connection->has_due)
        sl_ms_earliest(now, has, due, connection->due);
    else if (connection->stage == SL_CONNECTION_WAITING && connection->is_time_known)
        sl_ms_earliest(now, has, due, now);
    if (connection->has_ack_due)
        sl_ms_earliest(now, has, due, connection->ack_due);
    if (connection->has_session_due)
        sl_ms_earliest(now, has, due, connection->session_due);
    if (is_talking(connection) && connection->stage >= SL_CONNECTION_CONNECTING &&
        sl_mqtt_deadline(&connection->mqtt, now, &mqtt_due))
        sl_ms_earliest(now, has, due, mqtt_due);
}

void sl_connection_dialled(struct sl_connection *connection, sl_ms now, uint64_t unix_s)
{
    if (connection->stage != SL_CONNECTION_DIALLING)
        return;
    char name[SL_HOST_MAX + 1] = {0};
    uint8_t seed[SL_TLS_SEED_LEN];
    struct sl_tls_session session;
    uint32_t left_s;
    struct sl_view server_name = connection->identity->server_name;
    if (server_name.len < sizeof name)
        memcpy(name, server_name.data, server_name.len);
    sl_random_read(connection->random, seed, sizeof seed);
    connection->dialled_s = unix_s;
    connection->is_resuming = sl_kept_session(connection->records, unix_s, &session, &left_s);
    connection->has_session_due = connection->is_resuming;
    connection->session_due = now + left_s * 1000;
    sl_tls_open(&connection->tls, name, unix_s, seed, &session);
    sl_wipe(&session, sizeof session);
    sl_wipe(seed, sizeof seed);
    connection->plain_used = 0;
    connection->stage = SL_CONNECTION_HANDSHAKE;
    wait_until(connection, now + SL_CONNECTION_TLS_MS);
}

void sl_connection_hung_up(struct sl_connection *connection, sl_ms now, int32_t error)
{
    if (connection->stage == SL_CONNECTION_DIALLING)
        fail(connection, now, SL_TROUBLE_DIAL, error);
    else if (is_talking(connection))
        fail(connection, now, SL_TROUBLE_LOST, error);
    connection->must_hang_up = false; /* it is closed already */
}

size_t sl_connection_feed(struct sl_connection *connection, const uint8_t *in, size_t len)
{
    /* Bytes that come after the end are void. */
    return is_talking(connection) ? sl_tls_feed(&connection->tls, in, len) : len;
}

struct sl_view sl_connection_peek(struct sl_connection *connection, sl_ms now)
{
    if (!is_talking(connection) && !connection->is_parting)
        return (struct sl_view){NULL, 0};
    if (is_talking(connection))
        move_plain_out(connection, now);
    return sl_tls_peek(&connection->tls);
}

void sl_connection_sent(struct sl_connection *connection, size_t len)
{
    if (is_talking(connection) || connection->is_parting)
        sl_tls_sent(&connection->tls, len);
}

bool sl_connection_is_owed(const struct sl_connection *connection)
{
    return connection->stage == SL_CONNECTION_OPEN && sl_mqtt_owed(&connection->mqtt) > 0;
}

/* What is owed an acknowledgement stays in memory.out. The reserve is kept free of it, so that an
 * urgent message finds room even when the acknowledgements are stuck behind commands that wait. */
enum sl_status sl_connection_publish(struct sl_connection *connection, sl_ms now,
                                     struct sl_mqtt_message message, bool is_urgent)
{
    if (connection->stage != SL_CONNECTION_OPEN)
        return SL_BAD_STATE;
    const struct sl_mqtt_limits *limits = sl_mqtt_limits(&connection->mqtt);
    size_t len =
        SL_CONNECTION_OVERHEAD + message.topic.len + message.payload.len + message.correlation.len;
    bool has_room =
        sl_mqtt_owed(&connection->mqtt) + len <= SL_CONNECTION_OUT_LEN - SL_CONNECTION_RESERVE;
    uint16_t id = 0;
    enum sl_status status = SL_FULL;
    message.retain = message.retain && limits->retain_available;
    message.qos = limits->qos_max > 0 ? 1 : 0;
    if (has_room || message.qos == 0)
        status = sl_mqtt_publish(&connection->mqtt, now, &message, &id);
    if (status == SL_FULL && is_urgent) {
        message.qos = 0;
        status = sl_mqtt_publish(&connection->mqtt, now, &message, &id);
    }
    if (status == SL_OK && id != 0 && !connection->has_ack_due) {
        connection->has_ack_due = true;
        connection->ack_due = now + SL_CONNECTION_PUBACK_MS;
    }
    if (sl_mqtt_owed(&connection->mqtt) > connection->out_max)
        connection->out_max = (uint16_t)sl_mqtt_owed(&connection->mqtt);
    return status;
}

void sl_connection_stop(struct sl_connection *connection, sl_ms now, bool with_will)
{
    if (connection->stage != SL_CONNECTION_ENDED)
        leave(connection, now, with_will, SL_CONNECTION_ENDED);
}

static void leave(struct sl_connection *connection, sl_ms now, bool with_will,
                  enum sl_connection_stage next)
{
    bool is_mqtt =
        connection->stage >= SL_CONNECTION_SUBSCRIBING && connection->stage <= SL_CONNECTION_OPEN;
    if (is_mqtt)
        sl_mqtt_disconnect(&connection->mqtt, now, with_will ? REASON_WITH_WILL : REASON_NORMAL);
    part(connection, now, next);
}

/* The first failure of an attempt: say why, pause, try again. */
static void fail(struct sl_connection *connection, sl_ms now, enum sl_trouble_kind kind,
                 int32_t number)
{
    /* A full handshake may mend what came of resuming: the broker judges our certificate anew. */
    if (connection->stage >= SL_CONNECTION_HANDSHAKE && connection->stage < SL_CONNECTION_OPEN &&
        connection->is_resuming)
        forget_session(connection);
    if (connection->stage == SL_CONNECTION_CONNECTING &&
        (kind == SL_TROUBLE_LOST || kind == SL_TROUBLE_TLS || kind == SL_TROUBLE_PROTOCOL)) {
        connection->silent_ends++;
        bool is_doubted =
            !connection->is_proven || connection->silent_ends >= SL_CONNECTION_SILENT_MAX;
        connection->is_guessing = connection->trying == connection->version && is_doubted;
        if (connection->is_guessing)
            connection->silent_ends = 0;
    }
    connection->trouble = (struct sl_trouble){kind, number};
    sl_log_push(connection->log, sl_trouble_log(kind), number, 0);
    part(connection, now, SL_CONNECTION_WAITING);
    uint32_t pause_ms = sl_backoff_next_ms(&connection->backoff, connection->random);
    sl_log_push(connection->log, SL_LOG_RETRY, (int32_t)pause_ms, 0);
    wait_until(connection, now + pause_ms);
    connection->must_tell_failed = true;
}

/* Let go of the transport; the last bytes (DISCONNECT, close_notify) stay in peek for a while. */
static void part(struct sl_connection *connection, sl_ms now, enum sl_connection_stage next)
{
    connection->must_dial = connection->must_tell_opened = false;
    connection->must_hang_up = connection->stage != SL_CONNECTION_WAITING;
    connection->must_tell_lost = connection->stage >= SL_CONNECTION_SUBSCRIBING;
    if (is_talking(connection)) {
        move_plain_out(connection, now);
        sl_tls_close(&connection->tls);
    }
    sl_mqtt_close(&connection->mqtt);
    connection->stage = next;
    connection->has_due = connection->has_ack_due = false;
}

static void refused(struct sl_connection *connection, sl_ms now, uint8_t reason)
{
    connection->is_guessing = false;
    connection->silent_ends = 0;
    if (reason == REASON_BAD_VERSION) {
        connection->version = connection->trying == SL_MQTT_V5 ? SL_MQTT_V3 : SL_MQTT_V5;
        connection->is_proven = false;
    }
    fail(connection, now, SL_TROUBLE_REFUSED, reason);
}

static void subscribed(struct sl_connection *connection, sl_ms now,
                       const struct sl_mqtt_event *event)
{
    if (connection->stage != SL_CONNECTION_SUBSCRIBING || event->id != connection->subscribe_id)
        return;
    for (size_t i = 0; i < event->codes.len && i < SL_TOPIC_COMMAND_FILTERS; i++)
        if (event->codes.data[i] >= REASON_ERROR) {
            fail(connection, now, SL_TROUBLE_SUBSCRIBE, event->codes.data[i]);
            return;
        }
    connection->stage = SL_CONNECTION_OPEN;
    connection->connects++;
    connection->must_tell_opened = true;
    wait_until(connection, now + SL_CONNECTION_STABLE_MS);
    sl_log_push(connection->log, SL_LOG_CONNECTED, (int32_t)connection->trying,
                (int32_t)connection->handshake);
}

static void acknowledged(struct sl_connection *connection, sl_ms now, uint8_t reason)
{
    connection->has_ack_due = sl_mqtt_owed(&connection->mqtt) > 0;
    connection->ack_due = now + SL_CONNECTION_PUBACK_MS;
    if (reason >= REASON_ERROR)
        sl_log_push(connection->log, SL_LOG_PUBLISH_REFUSED, reason, 0);
}

static bool take_mqtt_event(struct sl_connection *connection, sl_ms now,
                            struct sl_connection_event *event)
{
    struct sl_mqtt_event mqtt_event;
    if (connection->stage < SL_CONNECTION_CONNECTING ||
        !sl_mqtt_next(&connection->mqtt, now, &mqtt_event))
        return false;
    switch (mqtt_event.kind) {
    case SL_MQTT_OPENED:
        connection->silent_ends = 0;
        connection->is_guessing = false;
        connection->is_proven = connection->is_proven || connection->trying == connection->version;
        subscribe(connection, now);
        break;
    case SL_MQTT_REFUSED:
        refused(connection, now, mqtt_event.reason);
        break;
    case SL_MQTT_SUBSCRIBED:
        subscribed(connection, now, &mqtt_event);
        break;
    case SL_MQTT_RECEIVED: /* also before SUBACK (MQTT 5.0, section 3.8.4) */
        event->kind = SL_CONNECTION_MESSAGE;
        event->message = mqtt_event.message;
        break;
    case SL_MQTT_DELIVERED:
        acknowledged(connection, now, mqtt_event.reason);
        event->kind = SL_CONNECTION_ACKNOWLEDGED;
        break;
    case SL_MQTT_DROPPED:
        fail(connection, now, SL_TROUBLE_DROPPED, mqtt_event.reason);
        break;
    case SL_MQTT_FAILED:
        if (mqtt_event.status == SL_TIMEOUT)
            fail(connection, now, SL_TROUBLE_KEEP_ALIVE, 0);
        else
            fail(connection, now, SL_TROUBLE_PROTOCOL, mqtt_event.reason);
        break;
    case SL_MQTT_UNSUBSCRIBED:
    case SL_MQTT_NONE:
        break;
    }
    return true;
}

static bool take_tls_event(struct sl_connection *connection, sl_ms now)
{
    struct sl_tls_event event;
    if (!sl_tls_next(&connection->tls, &event))
        return false;
    if (event.kind == SL_TLS_OPENED) {
        connection->handshake = event.is_resumed                    ? SL_HANDSHAKE_RESUMED
                                : sl_tls_is_known(&connection->tls) ? SL_HANDSHAKE_KNOWN
                                                                    : SL_HANDSHAKE_FULL;
        if (!event.is_resumed)
            keep_handshake(connection, now);
        connect(connection, now);
    } else if (event.kind == SL_TLS_CLOSED) {
        fail(connection, now, SL_TROUBLE_LOST, 0);
    } else if (event.kind == SL_TLS_FAILED) {
        fail(connection, now, SL_TROUBLE_TLS, sl_tls_error(&connection->tls));
    }
    return true;
}

/* What a full handshake has proved, for the next one; also after a restart. A resumed session is as
 * old as its full handshake: resuming it does not make its life longer. */
static void keep_handshake(struct sl_connection *connection, sl_ms now)
{
    struct sl_tls_session session;
    uint32_t left_s;

    connection->handshakes++;
    sl_tls_save(&connection->tls, &session);
    sl_keep_session(connection->records, connection->identity, &session, connection->dialled_s);
    connection->has_session_due =
        sl_kept_session(connection->records, connection->dialled_s, &session, &left_s);
    connection->session_due = now + left_s * 1000;
    sl_wipe(&session, sizeof session);
    sl_keep_known(connection->records, connection->identity, sl_tls_known(&connection->tls));
}

static void forget_session(struct sl_connection *connection)
{
    connection->has_session_due = false;
    sl_kept_forget_session(connection->records);
}

static void connect(struct sl_connection *connection, sl_ms now)
{
    enum sl_mqtt_version other = connection->version == SL_MQTT_V5 ? SL_MQTT_V3 : SL_MQTT_V5;
    connection->trying = connection->is_guessing ? other : connection->version;
    connection->stage = SL_CONNECTION_CONNECTING;
    wait_until(connection, now + SL_CONNECTION_CONNACK_MS);
    if (sl_opening_connect(&connection->mqtt, now, connection->identity, connection->trying,
                           connection->keep_alive_s) != SL_OK)
        fail(connection, now, SL_TROUBLE_PROTOCOL, 0);
}

static void subscribe(struct sl_connection *connection, sl_ms now)
{
    const size_t filters =
        connection->takes_grants ? SL_TOPIC_FILTERS : (size_t)SL_TOPIC_COMMAND_FILTERS;
    connection->stage = SL_CONNECTION_SUBSCRIBING;
    wait_until(connection, now + SL_CONNECTION_SUBACK_MS);
    enum sl_status status = sl_opening_subscribe(&connection->mqtt, now, connection->identity,
                                                 filters, &connection->subscribe_id);
    if (status == SL_REFUSED)
        fail(connection, now, SL_TROUBLE_SUBSCRIBE, REASON_NO_WILDCARD);
    else if (status != SL_OK)
        fail(connection, now, SL_TROUBLE_PROTOCOL, 0);
}

static bool move_plain_in(struct sl_connection *connection, sl_ms now)
{
    if (connection->stage < SL_CONNECTION_CONNECTING)
        return false;
    sl_tls_taken(&connection->tls, connection->plain_used); /* the events of it were given */
    struct sl_view plain = sl_tls_peek_plain(&connection->tls);
    connection->plain_used = 0;
    if (plain.len == 0)
        return false;
    connection->plain_used = sl_mqtt_feed(&connection->mqtt, now, plain.data, plain.len);
    return connection->plain_used > 0;
}

static void move_plain_out(struct sl_connection *connection, sl_ms now)
{
    if (connection->stage < SL_CONNECTION_CONNECTING)
        return;
    for (;;) {
        struct sl_view plain = sl_mqtt_peek(&connection->mqtt);
        size_t used = plain.len == 0 ? 0 : sl_tls_write(&connection->tls, plain.data, plain.len);
        if (used == 0)
            break;
        sl_mqtt_sent(&connection->mqtt, now, used);
    }
    sl_tls_flush(&connection->tls);
}
