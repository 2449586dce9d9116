/* The way to the broker: dial, TLS, CONNECT, SUBSCRIBE, and the pauses in between.
 *
 *   waiting --time known, pause over--> dialling --> handshake --> connecting --> subscribing -->
 * open
 *      ^----------------------------- anything fails, in every stage
 * ------------------------------'
 *
 * Sans-I/O like every engine. Every stage but open has its own time-out; in open, MQTT's keep
 * alive and the wait for acknowledgements end a broker that is silent or takes nothing.
 *
 * MQTT 5 is tried first. A version that the broker refuses in words is not tried again. A broker
 * that just closes, or answers nonsense, gets the other version at the next attempt; but once a
 * version has worked, only after the third such end in a row: a broker that is restarted at a bad
 * moment does not cost the node MQTT 5.
 */
#ifndef SL_NODE_CONNECTION_H
#define SL_NODE_CONNECTION_H

#include "mqtt/session.h"
#include "node/backoff.h"
#include "node/kept.h"
#include "node/log_queue.h"
#include "node/trouble.h"
#include "store/identity.h"
#include "tls/tls.h"

#define SL_CONNECTION_DIAL_MS    15000
#define SL_CONNECTION_TLS_MS     30000
#define SL_CONNECTION_CONNACK_MS 10000
#define SL_CONNECTION_SUBACK_MS  10000
#define SL_CONNECTION_PUBACK_MS  20000 /* without any acknowledgement while some are owed */
#define SL_CONNECTION_STABLE_MS  60000 /* after that the back-off starts small again */
#define SL_CONNECTION_SILENT_MAX 3     /* ends without CONNACK before a proven version is doubted */

#define SL_CONNECTION_IN_LEN   384  /* the longest command with response topic and correlation */
#define SL_CONNECTION_OUT_LEN  1512 /* a report, and the reserve */
#define SL_CONNECTION_RESERVE  400  /* of OUT_LEN, for an answer at QoS 0 when all else is owed */
#define SL_CONNECTION_OVERHEAD 32   /* of a PUBLISH: header, lengths, packet id, properties */
#define SL_CONNECTION_FLIGHTS  10
#define SL_CONNECTION_RECEIVED 4

enum sl_connection_stage {
    SL_CONNECTION_WAITING, /* for the time, or for the end of the pause */
    SL_CONNECTION_DIALLING,
    SL_CONNECTION_HANDSHAKE,
    SL_CONNECTION_CONNECTING,
    SL_CONNECTION_SUBSCRIBING,
    SL_CONNECTION_OPEN,
    SL_CONNECTION_ENDED /* by sl_connection_stop */
};

enum sl_connection_event_kind {
    SL_CONNECTION_NONE,
    SL_CONNECTION_DIAL,
    SL_CONNECTION_HANG_UP, /* peek gives the last bytes until the next call of next */
    SL_CONNECTION_OPENED,  /* subscribed: commands may come, messages may go */
    SL_CONNECTION_LOST,    /* was open */
    SL_CONNECTION_FAILED,  /* an attempt or a session has ended: trouble says why */
    SL_CONNECTION_MESSAGE, /* message, views until the next call */
    SL_CONNECTION_ACKNOWLEDGED
};

struct sl_connection_event {
    enum sl_connection_event_kind kind;
    struct sl_mqtt_message message;
};

enum sl_handshake {
    SL_HANDSHAKE_FULL,
    SL_HANDSHAKE_KNOWN, /* full, but the server's certificates were verified in an earlier one */
    SL_HANDSHAKE_RESUMED
};

struct sl_connection {
    const struct sl_identity *identity;
    struct sl_records *records;
    struct sl_random *random;
    struct sl_log_queue *log;
    uint16_t keep_alive_s;
    bool takes_grants; /* subscribes to what a renewal needs */
    enum sl_connection_stage stage;
    bool is_time_known;
    bool has_due; /* due: end of the pause, of the stage's wait, or of the unstable first minute */
    sl_ms due;
    bool must_dial, must_hang_up, must_tell_opened, must_tell_lost, must_tell_failed;
    bool must_load;  /* identity is another one: before the next attempt */
    bool is_parting; /* HANG_UP was given: the last bytes may go */
    struct sl_backoff backoff;

    enum sl_mqtt_version version; /* that the broker did not refuse in words */
    enum sl_mqtt_version trying;  /* of this attempt, or session */
    bool is_proven;               /* version has opened a session */
    bool is_guessing;             /* the next attempt tries the other version */
    uint8_t silent_ends;          /* in a row: the broker ended a connection without CONNACK */
    uint16_t subscribe_id;
    bool has_ack_due;
    sl_ms ack_due;

    uint64_t dialled_s; /* UTC of this attempt */
    bool is_resuming;
    enum sl_handshake handshake; /* of the last session */
    bool has_session_due;        /* the session that is kept may not be resumed after it */
    sl_ms session_due;

    uint32_t connects, handshakes; /* handshakes: full ones */
    struct sl_trouble trouble;     /* the last one */
    uint16_t out_max;              /* most bytes ever owed an acknowledgement */

    struct sl_tls tls;
    size_t plain_used; /* bytes of its plaintext that mqtt took, and may still look at */
    struct sl_mqtt mqtt;
    struct sl_mqtt_flight flights[SL_CONNECTION_FLIGHTS];
    uint16_t received[SL_CONNECTION_RECEIVED];
    uint8_t in[SL_CONNECTION_IN_LEN];
    uint8_t out[SL_CONNECTION_OUT_LEN];
};

/* identity, records, random and log outlive the connection. Fails: SL_BAD_ARGUMENT (credentials).
 */
SL_MUST_CHECK enum sl_status sl_connection_init(struct sl_connection *connection,
                                                const struct sl_identity *identity,
                                                uint16_t keep_alive_s, bool takes_grants,
                                                struct sl_records *records,
                                                struct sl_random *random, struct sl_log_queue *log);

/* Use another identity from now on: a connection that there is ends in order, with the will, and
 * the next attempt begins at once. TLS session and known server of the old one are forgotten then.
 */
void sl_connection_use(struct sl_connection *connection, sl_ms now,
                       const struct sl_identity *identity);

/* UTC is known from now on: dialling may begin. */
void sl_connection_allow(struct sl_connection *connection);

/* can_take: a message may be given. When false, nothing more is taken from the broker. */
bool sl_connection_next(struct sl_connection *connection, sl_ms now, bool can_take,
                        struct sl_connection_event *event);
void sl_connection_tick(struct sl_connection *connection, sl_ms now);
void sl_connection_deadline(const struct sl_connection *connection, sl_ms now, bool *has,
                            sl_ms *due);

/* unix_s: UTC, for the certificates' dates. */
void sl_connection_dialled(struct sl_connection *connection, sl_ms now, uint64_t unix_s);
void sl_connection_hung_up(struct sl_connection *connection, sl_ms now, int32_t error);
size_t sl_connection_feed(struct sl_connection *connection, const uint8_t *in, size_t len);
struct sl_view sl_connection_peek(struct sl_connection *connection, sl_ms now);
void sl_connection_sent(struct sl_connection *connection, size_t len);

/* Publish at QoS 1, within what the broker allows. is_urgent: at QoS 0 rather than later.
 * Fails: SL_FULL (again after SL_CONNECTION_ACKNOWLEDGED, or once bytes were sent); anything else:
 * never with this broker. */
SL_MUST_CHECK enum sl_status sl_connection_publish(struct sl_connection *connection, sl_ms now,
                                                   struct sl_mqtt_message message, bool is_urgent);
/* Messages that the broker has not acknowledged yet. */
bool sl_connection_is_owed(const struct sl_connection *connection);

/* Leave for good. with_will: the broker shall publish the will. */
void sl_connection_stop(struct sl_connection *connection, sl_ms now, bool with_will);

#endif
