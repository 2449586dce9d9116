/* MQTT control packets: pure codec, no state.
 *
 * Decoders take the body of one whole packet (what follows the fixed header), check everything that
 * can be checked without knowing the session, and give a reason code: SL_MQTT_REASON_SUCCESS or the
 * code to close the connection with. What they give on failure is not to be used.
 * Sources: MQTT 3.1.1 (OASIS 2014) and 5.0 (OASIS 2019), sections 2 and 3.
 */
#ifndef SL_MQTT_PACKET_H
#define SL_MQTT_PACKET_H

#include "base/bytes.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

enum sl_mqtt_version {
    SL_MQTT_V3 = 4, /* MQTT 3.1.1: protocol level 4 */
    SL_MQTT_V5 = 5  /* MQTT 5.0: protocol version 5 */
};

/* The high half of a packet's first byte. */
enum sl_mqtt_type {
    SL_MQTT_CONNECT = 1,
    SL_MQTT_CONNACK,
    SL_MQTT_PUBLISH,
    SL_MQTT_PUBACK,
    SL_MQTT_PUBREC,
    SL_MQTT_PUBREL,
    SL_MQTT_PUBCOMP,
    SL_MQTT_SUBSCRIBE,
    SL_MQTT_SUBACK,
    SL_MQTT_UNSUBSCRIBE,
    SL_MQTT_UNSUBACK,
    SL_MQTT_PINGREQ,
    SL_MQTT_PINGRESP,
    SL_MQTT_DISCONNECT,
    SL_MQTT_AUTH
};

#define SL_MQTT_REMAINING_MAX UINT32_C(268435455) /* four bytes of seven bits */

/* An application message. Views; len 0 means absent for everything but the payload, and data is
 * then without meaning. */
struct sl_mqtt_message {
    struct sl_view topic;
    struct sl_view payload;
    uint8_t qos;
    bool retain;
    bool dup;    /* received: may have come before */
    bool is_cut; /* received: the payload did not fit and is empty here */
    /* 5.0; left out when sent with 3.1.1 */
    bool has_expiry;
    bool is_text;      /* payload format indicator 1: UTF-8, as the sender claims */
    uint32_t expiry_s; /* 0: expired on arrival */
    struct sl_view response_topic;
    struct sl_view correlation;
    struct sl_view content_type;
};

/* What the server said in CONNACK; defaults of the standard where it said nothing. */
struct sl_mqtt_limits {
    uint16_t receive_max;
    uint16_t keep_alive_s; /* in force: ours, or the server's */
    uint32_t packet_max;   /* 0: no limit */
    uint32_t session_expiry_s;
    uint8_t qos_max;
    bool retain_available;
    bool wildcard_available;
};

struct sl_mqtt_filter {
    struct sl_view filter;
    uint8_t qos;
    bool no_local;            /* 5.0 */
    bool retain_as_published; /* 5.0: a live message keeps its sender's retain flag */
    uint8_t retain_handling;  /* 5.0: 0 send retained, 1 only on a new subscription, 2 never */
};

/* How to connect: what CONNECT carries. */
struct sl_mqtt_config {
    enum sl_mqtt_version version;
    bool clean_start;
    uint16_t keep_alive_s;     /* 0: off */
    uint32_t session_expiry_s; /* 5.0 only */
    /* The largest packet taken, 5.0 announces it. It may exceed memory.in: a PUBLISH that does not
     * fit there is given with message.is_cut and without payload, and acknowledged, so the caller
     * can refuse it in words; any other packet that does not fit ends the session (0x95). Topic and
     * properties of a PUBLISH must fit too. 0: memory.in. */
    uint32_t packet_max;
    struct sl_view client_id;    /* 1..SL_NAME_MAX bytes */
    struct sl_mqtt_message will; /* topic empty: no will */
};

/* first: the packet's first byte; its flags are legal. Topic and properties are checked.
 * message->is_cut is set by the caller: body is only the beginning; then the payload is given as
 * empty, and topic and properties that do not fit are SL_MQTT_REASON_TOO_LARGE. *id: set by QoS 1
 * and 2. */
uint8_t sl_mqtt_decode_publish(enum sl_mqtt_version version, unsigned first, const uint8_t *body,
                               size_t len, struct sl_mqtt_message *message, uint16_t *id);

/* What acknowledgements and DISCONNECT carry. */
struct sl_mqtt_ack {
    uint16_t id;          /* 0 in DISCONNECT, else nonzero */
    uint8_t reason;       /* 0 in SUBACK, UNSUBACK and 3.1.1 */
    struct sl_view codes; /* SUBACK, UNSUBACK: a byte per filter, each checked */
};

/* PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK; in 5.0 DISCONNECT. */
uint8_t sl_mqtt_decode_ack(enum sl_mqtt_version version, uint8_t type, struct sl_view body,
                           struct sl_mqtt_ack *ack);

/* limits: set to defaults by the caller, overwritten by what the server says. reason: 3.1.1 return
 * codes are translated, also when a 3.1.1 server refuses our 5.0 in its own format. */
uint8_t sl_mqtt_decode_connack(enum sl_mqtt_version version, struct sl_view body,
                               bool *session_present, uint8_t *reason,
                               struct sl_mqtt_limits *limits);

#endif
