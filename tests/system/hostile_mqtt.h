/* The MQTT side of the hostile broker: just enough of a broker, and its ways to misbehave.
 *
 * Sans-I/O: plaintext in by feed; what it wants to say collects in out. Every packet that arrives
 * is printed as one line, "mqtt CONNECT 5", "mqtt PUBLISH <topic> <payload>", ...
 */
#ifndef TEST_SYSTEM_HOSTILE_MQTT_H
#define TEST_SYSTEM_HOSTILE_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hostile_manner {
    HOSTILE_SERVES,       /* answers as a broker should */
    HOSTILE_IS_DUMB,      /* takes CONNECT, never answers */
    HOSTILE_HALF_CONNACK, /* two bytes of a CONNACK, then silence */
    HOSTILE_KICKS,        /* CONNACK, then hangs up */
    HOSTILE_IS_OLD,       /* refuses MQTT 5, serves 3.1.1 */
    HOSTILE_REFUSES,      /* CONNACK: not authorised */
    HOSTILE_NO_SUBACK,    /* never answers SUBSCRIBE */
    HOSTILE_HALF_PUBLISH, /* after SUBACK half a command, then silence */
    HOSTILE_BREAKS_MQTT   /* after SUBACK a PUBLISH with QoS 3 */
};

enum hostile_message {
    HOSTILE_PLAIN,     /* "2 120", to see that commands work */
    HOSTILE_RETAINED,  /* the same, with the retain flag */
    HOSTILE_EXPIRED,   /* the same, with message expiry interval 0 */
    HOSTILE_DUPLICATE, /* the same, QoS 2, sent twice with one packet id */
    HOSTILE_HUGE,      /* 4096 zeros */
    HOSTILE_MESSAGES
};

#define HOSTILE_OUT_MAX 16384

struct hostile_mqtt {
    enum hostile_manner manner;
    enum hostile_message messages[8];
    size_t messages_len;
    const char *base;

    uint8_t level; /* 4 or 5, as the client said */
    uint16_t next_id;
    bool must_hang_up; /* after out is sent */
    bool has_started;  /* the messages are out */
    bool is_mute;      /* nothing more is said */
    uint8_t in[8192];
    size_t in_len;
    uint8_t out[HOSTILE_OUT_MAX];
    size_t out_len;
};

/* A new connection; manner, messages and base stay. */
void hostile_mqtt_open(struct hostile_mqtt *mqtt);
void hostile_mqtt_feed(struct hostile_mqtt *mqtt, const uint8_t *in, size_t len);

#endif
