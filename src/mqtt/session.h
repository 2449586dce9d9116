/* MQTT client session engine: 3.1.1 and 5.0, QoS 0, 1 and 2 in both directions.
 *
 * Sans-I/O: bytes from the transport go in by feed, events come out by next, bytes for the
 * transport by peek and sent. All memory is given by the caller at init and never grows.
 *
 * One packet at a time is held in memory.in. sl_mqtt_feed stops there until sl_mqtt_next has
 * given its event and has been called once more: back-pressure that reaches the broker by TCP.
 * A received QoS 1 or 2 PUBLISH is acknowledged only when the caller comes back for the next
 * event, so a message that was never looked at is never acknowledged.
 *
 * Whatever the standard calls malformed or a protocol error ends the session: the engine queues a
 * DISCONNECT with the reason code (5.0), gives SL_MQTT_FAILED once, and takes nothing more until
 * sl_mqtt_open. Sources: MQTT 3.1.1 (OASIS 2014), MQTT 5.0 (OASIS 2019).
 */
#ifndef SL_MQTT_SESSION_H
#define SL_MQTT_SESSION_H

#include "base/bytes.h"
#include "base/status.h"
#include "base/time.h"
#include "mqtt/packet.h"

/* An outbound QoS 1 or 2 PUBLISH, or a SUBSCRIBE or UNSUBSCRIBE, not yet acknowledged. The bytes
 * of a PUBLISH stay in memory.out so that it can be sent again when the session is resumed. */
struct sl_mqtt_flight {
    uint16_t id; /* 0: free */
    uint8_t state;
    uint16_t offset, len; /* its packet in the store */
};

/* Caller's memory; must outlive the session. */
struct sl_mqtt_memory {
    uint8_t *in; /* one received packet; a longer PUBLISH is cut to fit, see packet_max below */
    size_t in_len;
    uint8_t *out; /* packets that wait to be sent or acknowledged */
    size_t out_len;
    struct sl_mqtt_flight *flights; /* how many outbound packets may wait for acknowledgement */
    size_t flights_len;
    uint16_t *received; /* ids of inbound QoS 2 messages between PUBLISH and PUBREL */
    size_t received_len;
};

struct sl_mqtt_config {
    enum sl_mqtt_version version;
    bool clean_start;
    uint16_t keep_alive_s;     /* 0: off */
    uint32_t session_expiry_s; /* 5.0 only */
    /* The largest packet taken, 5.0 announces it. It may exceed memory.in: a PUBLISH that does not
     * fit there is given with message.is_cut and without payload, and acknowledged, so the caller
     * can refuse it in words; any other packet that does not fit ends the session (0x95). */
    uint32_t packet_max;
    struct sl_view client_id;    /* 1..SL_NAME_MAX bytes */
    struct sl_mqtt_message will; /* topic empty: no will */
};

/* What the server said in CONNACK; defaults of the standard where it said nothing. */
struct sl_mqtt_limits {
    uint16_t receive_max;
    uint32_t packet_max; /* 0: no limit */
    uint8_t qos_max;
    bool retain_available;
    bool wildcard_available;
    uint16_t keep_alive_s; /* in force: ours, or the server's */
};

enum sl_mqtt_event_kind {
    SL_MQTT_NONE,
    SL_MQTT_OPENED,       /* CONNACK with success: session_present, limits are valid */
    SL_MQTT_REFUSED,      /* CONNACK with an error: reason; the transport should be closed */
    SL_MQTT_RECEIVED,     /* a PUBLISH: message; each QoS 2 message exactly once */
    SL_MQTT_SUBSCRIBED,   /* SUBACK: id, codes (one byte per filter) */
    SL_MQTT_UNSUBSCRIBED, /* UNSUBACK: id, codes (5.0; empty in 3.1.1) */
    SL_MQTT_DELIVERED, /* our QoS 1 or 2 PUBLISH came to its end: id, reason (>= 0x80: refused) */
    SL_MQTT_DROPPED,   /* the server sent DISCONNECT: reason; close the transport */
    SL_MQTT_FAILED /* the first failure: status, reason; close the transport after the last peek */
};

struct sl_mqtt_event {
    enum sl_mqtt_event_kind kind;
    enum sl_status status;
    uint8_t reason; /* MQTT 5.0 reason code; 3.1.1 return codes are translated */
    bool session_present;
    uint16_t id;
    struct sl_view codes;
    struct sl_mqtt_message message; /* views into memory.in, until the next call */
};

struct sl_mqtt; /* defined below; its fields belong to session.c */

/* Take the memory; no connection, no session state. */
void sl_mqtt_init(struct sl_mqtt *mqtt, const struct sl_mqtt_memory *memory);

/* A new transport is there: queue CONNECT. With clean_start the session state is dropped first,
 * otherwise unacknowledged packets are sent again once the server says the session is present.
 * Keeps: nothing of config. Fails: SL_BAD_ARGUMENT, SL_FULL (CONNECT does not fit memory.out). */
SL_MUST_CHECK enum sl_status sl_mqtt_open(struct sl_mqtt *mqtt, sl_ms now,
                                          const struct sl_mqtt_config *config);

/* The transport is gone: bytes that wait are void, session state is kept for resumption. */
void sl_mqtt_close(struct sl_mqtt *mqtt);

size_t sl_mqtt_feed(struct sl_mqtt *mqtt, sl_ms now, const uint8_t *in, size_t len);
bool sl_mqtt_next(struct sl_mqtt *mqtt, sl_ms now, struct sl_mqtt_event *event);
/* Bytes that want out, in order; valid until the next call. Empty: nothing. */
struct sl_view sl_mqtt_peek(struct sl_mqtt *mqtt);
void sl_mqtt_sent(struct sl_mqtt *mqtt, sl_ms now, size_t len);
void sl_mqtt_tick(struct sl_mqtt *mqtt, sl_ms now);
bool sl_mqtt_deadline(const struct sl_mqtt *mqtt, sl_ms now, sl_ms *due);
enum sl_status sl_mqtt_status(const struct sl_mqtt *mqtt);
/* Back to the state after init, same memory. */
void sl_mqtt_reset(struct sl_mqtt *mqtt);

/* Queue one PUBLISH.
 * Requires: session open; topic 1..65535 bytes without wildcard, valid UTF-8.
 * Gives:    *id: 0 for QoS 0, else nonzero and unique among unacknowledged packets.
 * Keeps:    nothing; topic, properties and payload are copied.
 * Fails:    SL_FULL (no room, or the server's receive maximum is reached: try again after an
 * event), SL_TOO_LARGE (server's maximum packet size, or memory.out), SL_REFUSED (server's maximum
 *           QoS, or retain not available), SL_BAD_STATE, SL_BAD_ARGUMENT. No partial effect. */
SL_MUST_CHECK enum sl_status sl_mqtt_publish(struct sl_mqtt *mqtt, sl_ms now,
                                             const struct sl_mqtt_message *message, uint16_t *id);

struct sl_mqtt_filter {
    struct sl_view filter;
    uint8_t qos;
    bool no_local;           /* 5.0 */
    uint8_t retain_handling; /* 5.0: 0 send retained, 1 only on a new subscription, 2 never */
};

/* Queue one SUBSCRIBE. Fails as sl_mqtt_publish. */
SL_MUST_CHECK enum sl_status sl_mqtt_subscribe(struct sl_mqtt *mqtt, sl_ms now,
                                               const struct sl_mqtt_filter *filters, size_t len,
                                               uint16_t *id);
SL_MUST_CHECK enum sl_status sl_mqtt_unsubscribe(struct sl_mqtt *mqtt, sl_ms now,
                                                 const struct sl_view *filters, size_t len,
                                                 uint16_t *id);

/* Queue DISCONNECT with reason (5.0; plain in 3.1.1) and take nothing more. 0x04: with will. */
void sl_mqtt_disconnect(struct sl_mqtt *mqtt, sl_ms now, uint8_t reason);

/* The limits in force; valid after SL_MQTT_OPENED. */
const struct sl_mqtt_limits *sl_mqtt_limits(const struct sl_mqtt *mqtt);

struct sl_mqtt {
    struct sl_mqtt_memory memory;
    struct sl_mqtt_limits limits;
    enum sl_status status;
};

#endif
