/* MQTT client session engine: 3.1.1 and 5.0, QoS 0, 1 and 2 in both directions.
 *
 * Sans-I/O: bytes from the transport go in by feed, events come out by next, bytes for the
 * transport by peek and sent. All memory is given by the caller at init and never grows.
 *
 * One packet at a time is held, in memory.in when it came in parts. sl_mqtt_feed stops there until
 * sl_mqtt_next has given its event, and for a QoS 1 or 2 PUBLISH has been called once more:
 * back-pressure that reaches the broker by TCP. Such a PUBLISH is acknowledged only when the caller
 * comes back for the next event, so a message that was never looked at is never acknowledged. When
 * memory.out has no room for an acknowledgement, no input is taken until there is; a few bytes are
 * kept free for control packets, so waiting messages can never hold back what the server waits for.
 *
 * Whatever the standard calls malformed or a protocol error ends the session: the engine queues a
 * DISCONNECT with the reason code (5.0), gives SL_MQTT_FAILED once, and takes nothing more until
 * sl_mqtt_open. Sources: MQTT 3.1.1 (OASIS 2014), MQTT 5.0 (OASIS 2019).
 *
 * Where the standard leaves a choice:
 * - A packet in the wrong state, an undefined reason code, a packet identifier of 0 give 0x82;
 *   wrong flags or lengths, an undefined property and bad UTF-8 give 0x81; a wildcard in a topic
 *   name gives 0x90.
 * - PUBACK for an identifier that waits for none is a mismatch of state: 0x82. PUBREC for an
 *   unknown one is answered by PUBREL (5.0: 0x92), and PUBCOMP for an unknown one is ignored: both
 *   happen when one side lost its state. A repeated PUBREC is ignored: our PUBREL is on its way.
 * - PUBREL for an unknown identifier is answered by PUBCOMP (5.0: 0x92).
 * - When a resumed session turns out to be gone at the server, every unacknowledged PUBLISH ends
 *   with SL_MQTT_DELIVERED: reason 0 when the server had taken it over (PUBREC), else 0x80: whether
 *   it arrived is not known, and only the caller knows if it may be sent twice.
 * - A resumed PUBLISH that the server's new limits forbid ends the same way, with their reason.
 * - A server that takes less than the five bytes of an acknowledgement cannot be served: 0x95.
 * - PINGREQ is sent when for the keep alive either nothing was sent or nothing was heard: a dead
 *   server is noticed even by a node that only sends.
 */
#ifndef SL_MQTT_SESSION_H
#define SL_MQTT_SESSION_H

#include "base/bytes.h"
#include "base/status.h"
#include "base/time.h"
#include "mqtt/packet.h"

/* Longest wait for CONNACK and for PINGRESP; a shorter keep alive shortens it. */
#define SL_MQTT_ANSWER_MS 10000
#define SL_MQTT_RESERVE   16 /* bytes of memory.out that only control packets use */
#define SL_MQTT_IN_MIN    16 /* least memory.in */

/* An outbound QoS 1 or 2 PUBLISH, or a SUBSCRIBE or UNSUBSCRIBE, not yet acknowledged. The bytes
 * of a PUBLISH, later of its PUBREL, stay in memory.out so that they can be sent again when the
 * session is resumed. */
struct sl_mqtt_flight {
    uint16_t id;
    uint8_t state;
    uint8_t detail;  /* how many codes its answer has; lost: reason code */
    uint16_t offset; /* its place in memory.out */
    uint16_t len;    /* of the packet that is kept there; 0: none */
};

/* Caller's memory; must outlive the session. */
struct sl_mqtt_memory {
    uint8_t *in; /* one received packet; a longer PUBLISH is cut to fit, see packet_max below */
    size_t in_len;
    uint8_t *out;                   /* packets that wait to be sent or acknowledged */
    size_t out_len;                 /* at most 65535 */
    struct sl_mqtt_flight *flights; /* how many outbound packets may wait for acknowledgement */
    size_t flights_len;
    /* Ids of inbound QoS 2 messages between PUBLISH and PUBREL. Their number is our receive
     * maximum, 1..65535. 3.1.1 cannot announce it: there, make it as large as the server's
     * window. */
    uint16_t *received;
    size_t received_len;
};

enum sl_mqtt_event_kind {
    SL_MQTT_NONE,
    SL_MQTT_OPENED,       /* CONNACK with success: session_present, limits are valid */
    SL_MQTT_REFUSED,      /* CONNACK with an error: reason; the transport should be closed */
    SL_MQTT_RECEIVED,     /* a PUBLISH: message; each QoS 2 message exactly once */
    SL_MQTT_SUBSCRIBED,   /* SUBACK: id, codes (one byte per filter) */
    SL_MQTT_UNSUBSCRIBED, /* UNSUBACK: id, codes (5.0; empty in 3.1.1) */
    SL_MQTT_DELIVERED, /* our QoS 1 or 2 PUBLISH came to its end: id, reason (>= 0x80: not taken) */
    SL_MQTT_DROPPED,   /* the server sent DISCONNECT: reason; close the transport */
    SL_MQTT_FAILED /* the first failure: status, reason; close the transport after the last peek */
};

/* Only the fields named at the kind, and kind, status, reason and id, are set. */
struct sl_mqtt_event {
    enum sl_mqtt_event_kind kind;
    enum sl_status status;
    uint8_t reason; /* MQTT 5.0 reason code; 3.1.1 return codes are translated */
    bool session_present;
    uint16_t id;
    struct sl_view codes;
    struct sl_mqtt_message
        message; /* views into memory.in or into what feed took, until the next call */
};

struct sl_mqtt; /* defined below; its fields belong to the engine */

/* Take the memory; no connection, no session state. */
void sl_mqtt_init(struct sl_mqtt *mqtt, const struct sl_mqtt_memory *memory);

/* A new transport is there: queue CONNECT. With clean_start the session state is dropped first,
 * silently; otherwise unacknowledged packets are sent again, in their order and with DUP, once the
 * server says the session is present. Without session state (after init or reset, or when it ended
 * with the connection) 5.0 asks for a clean start in any case [MQTT-3.2.2-4]. State does not
 * outlive a change of version, in 3.1.1 nor a connection with clean_start. While it is kept,
 * client_id stays the same. Keeps: nothing of config. Fails: SL_BAD_ARGUMENT, SL_FULL (CONNECT does
 * not fit memory.out). */
SL_MUST_CHECK enum sl_status sl_mqtt_open(struct sl_mqtt *mqtt, sl_ms now,
                                          const struct sl_mqtt_config *config);

/* The transport is gone: bytes that wait are void, session state is kept for resumption.
 * SUBSCRIBE and UNSUBSCRIBE without an answer are forgotten. */
void sl_mqtt_close(struct sl_mqtt *mqtt);

/* Bytes from the transport. Gives how many were taken: at most the rest of one packet.
 * Requires: what was taken stays as it is while events are pulled, until sl_mqtt_next gives false:
 *           a packet that came whole is read there. */
size_t sl_mqtt_feed(struct sl_mqtt *mqtt, sl_ms now, const uint8_t *in, size_t len);
/* At most one event. Pull until false after every other call. */
bool sl_mqtt_next(struct sl_mqtt *mqtt, sl_ms now, struct sl_mqtt_event *event);
/* Bytes that want out, in order; valid until the next call. Empty: nothing. */
struct sl_view sl_mqtt_peek(struct sl_mqtt *mqtt);
/* The first len bytes of peek are out. */
void sl_mqtt_sent(struct sl_mqtt *mqtt, sl_ms now, size_t len);
/* Keep alive, and the end of waiting for CONNACK and PINGRESP. */
void sl_mqtt_tick(struct sl_mqtt *mqtt, sl_ms now);
bool sl_mqtt_deadline(const struct sl_mqtt *mqtt, sl_ms now, sl_ms *due);
/* SL_OK while a session is opening or open. SL_CLOSED without one, after SL_MQTT_DROPPED or our own
 * disconnect; SL_REFUSED after SL_MQTT_REFUSED; else the failure, until the next open. */
enum sl_status sl_mqtt_status(const struct sl_mqtt *mqtt);
/* Back to the state after init, same memory. */
void sl_mqtt_reset(struct sl_mqtt *mqtt);

/* Queue one PUBLISH.
 * Requires: session open; topic 1..65535 bytes without wildcard, valid UTF-8.
 * Gives:    *id: 0 for QoS 0, else nonzero and unique among unacknowledged packets.
 * Keeps:    nothing; topic, properties and payload are copied.
 * Fails:    SL_FULL (no room, or the server's receive maximum is reached: try again after an
 *           event), SL_TOO_LARGE (server's maximum packet size, or memory.out), SL_REFUSED
 * (server's maximum QoS, or retain not available), SL_BAD_STATE, SL_BAD_ARGUMENT. No partial
 * effect. Source:   MQTT 5.0, section 3.3. 3.1.1 leaves the 5.0 fields out. */
SL_MUST_CHECK enum sl_status sl_mqtt_publish(struct sl_mqtt *mqtt, sl_ms now,
                                             const struct sl_mqtt_message *message, uint16_t *id);

/* Queue one SUBSCRIBE of 1..255 filters, none of them shared ($share/...). Gives *id, nonzero.
 * Fails as sl_mqtt_publish; SL_REFUSED: the server takes no wildcards. */
SL_MUST_CHECK enum sl_status sl_mqtt_subscribe(struct sl_mqtt *mqtt, sl_ms now,
                                               const struct sl_mqtt_filter *filters, size_t len,
                                               uint16_t *id);
SL_MUST_CHECK enum sl_status sl_mqtt_unsubscribe(struct sl_mqtt *mqtt, sl_ms now,
                                                 const struct sl_view *filters, size_t len,
                                                 uint16_t *id);

/* Queue DISCONNECT with reason, one that MQTT 5.0 gives to a client, and take nothing more. A
 * reason other than 0 (0x04: publish the will) cannot be said in 3.1.1: there nothing is queued,
 * closing the transport makes the will. */
void sl_mqtt_disconnect(struct sl_mqtt *mqtt, sl_ms now, uint8_t reason);

/* The limits in force; valid after SL_MQTT_OPENED. */
const struct sl_mqtt_limits *sl_mqtt_limits(const struct sl_mqtt *mqtt);
/* Bytes of memory.out in packets that the server has not acknowledged. */
size_t sl_mqtt_owed(const struct sl_mqtt *mqtt);

struct sl_mqtt {
    struct sl_mqtt_memory memory; /* first: reset clears what follows */
    const uint8_t *packet;        /* that is complete: in memory.in, or in what feed was given */
    uint32_t packet_len;          /* bytes of it there */
    uint32_t in_have;             /* bytes that came of a packet that is not complete */
    size_t out_used;              /* of memory.out: kept and waiting packets */
    size_t out_sent;              /* up to here they are out */
    size_t flights_used;          /* in the order of their packets */
    size_t flights_free;          /* from here on the server's receive maximum holds them back */
    size_t flights_lost;          /* that wait for SL_MQTT_DELIVERED */
    size_t received_used;
    uint32_t packet_max; /* the largest packet taken */
    uint32_t send_max;   /* the largest that may go: the server's limit, and memory.out */
    sl_ms sent_at, heard_at, asked_at;
    enum sl_status status;
    uint8_t version;     /* enum sl_mqtt_version */
    uint8_t phase;       /* of the packet in memory.in, or the end */
    uint8_t packet_head; /* length of its fixed header */
    bool is_cut;         /* it is longer than memory.in */
    uint8_t reason;      /* of the failure */
    bool is_open;        /* CONNACK came, nothing ended the session since */
    bool is_waiting;     /* for CONNACK or PINGRESP, since asked_at */
    bool is_clean;       /* CONNECT asked for a clean start */
    bool is_kept;        /* there is session state that outlives the connection */
    uint8_t ack;         /* first byte of the acknowledgement that is due; 0: none */
    uint8_t ack_reason;  /* 5.0 */
    uint16_t ack_id;
    uint16_t accepted; /* bit t: packet type t may come now */
    uint8_t barred;    /* flags of a PUBLISH that the server does not take */
    uint16_t last_id;  /* given to a packet of ours */
    struct sl_mqtt_limits limits;
};

#endif
