/* MQTT 5.0 reason codes: one list makes the enum, the rules and the texts.
 * Source: MQTT 5.0, section 2.4 and the reason code table of each packet. */
#ifndef SL_MQTT_REASON_H
#define SL_MQTT_REASON_H

#include <stdbool.h>
#include <stdint.h>

/* Packets in which a server may use a reason code. */
#define SL_IN_CONNACK    0x01
#define SL_IN_PUBACK     0x02 /* and PUBREC */
#define SL_IN_PUBREL     0x04 /* and PUBCOMP */
#define SL_IN_SUBACK     0x08
#define SL_IN_UNSUBACK   0x10
#define SL_IN_DISCONNECT 0x20

/* name, code, where a server may use it (a sum of the bits above), text for a person */
#define SL_MQTT_REASON_LIST(X)                                                                     \
    X(SUCCESS, 0x00, 0x3F, "success")                                                              \
    X(GRANTED_QOS_1, 0x01, 0x08, "granted QoS 1")                                                  \
    X(GRANTED_QOS_2, 0x02, 0x08, "granted QoS 2")                                                  \
    X(DISCONNECT_WITH_WILL, 0x04, 0x00, "disconnect with will message")                            \
    X(NO_SUBSCRIBERS, 0x10, 0x02, "no matching subscribers")                                       \
    X(NO_SUBSCRIPTION, 0x11, 0x10, "no subscription existed")                                      \
    X(UNSPECIFIED, 0x80, 0x3B, "unspecified error")                                                \
    X(MALFORMED, 0x81, 0x21, "malformed packet")                                                   \
    X(PROTOCOL, 0x82, 0x21, "protocol error")                                                      \
    X(IMPLEMENTATION, 0x83, 0x3B, "implementation specific error")                                 \
    X(BAD_VERSION, 0x84, 0x01, "unsupported protocol version")                                     \
    X(BAD_CLIENT_ID, 0x85, 0x01, "client identifier not valid")                                    \
    X(BAD_LOGIN, 0x86, 0x01, "bad user name or password")                                          \
    X(NOT_AUTHORIZED, 0x87, 0x3B, "not authorized")                                                \
    X(UNAVAILABLE, 0x88, 0x01, "server unavailable")                                               \
    X(BUSY, 0x89, 0x21, "server busy")                                                             \
    X(BANNED, 0x8A, 0x01, "banned")                                                                \
    X(SHUTTING_DOWN, 0x8B, 0x20, "server shutting down")                                           \
    X(BAD_AUTHENTICATION, 0x8C, 0x21, "bad authentication method")                                 \
    X(KEEP_ALIVE_TIMEOUT, 0x8D, 0x20, "keep alive timeout")                                        \
    X(TAKEN_OVER, 0x8E, 0x20, "session taken over")                                                \
    X(BAD_FILTER, 0x8F, 0x38, "topic filter invalid")                                              \
    X(BAD_TOPIC, 0x90, 0x23, "topic name invalid")                                                 \
    X(ID_IN_USE, 0x91, 0x1A, "packet identifier in use")                                           \
    X(ID_NOT_FOUND, 0x92, 0x04, "packet identifier not found")                                     \
    X(RECEIVE_MAXIMUM, 0x93, 0x20, "receive maximum exceeded")                                     \
    X(BAD_ALIAS, 0x94, 0x20, "topic alias invalid")                                                \
    X(TOO_LARGE, 0x95, 0x21, "packet too large")                                                   \
    X(RATE_TOO_HIGH, 0x96, 0x20, "message rate too high")                                          \
    X(QUOTA_EXCEEDED, 0x97, 0x2B, "quota exceeded")                                                \
    X(ADMINISTRATIVE, 0x98, 0x20, "administrative action")                                         \
    X(BAD_PAYLOAD, 0x99, 0x23, "payload format invalid")                                           \
    X(NO_RETAIN, 0x9A, 0x21, "retain not supported")                                               \
    X(NO_QOS, 0x9B, 0x21, "QoS not supported")                                                     \
    X(USE_ANOTHER_SERVER, 0x9C, 0x21, "use another server")                                        \
    X(SERVER_MOVED, 0x9D, 0x21, "server moved")                                                    \
    X(NO_SHARED, 0x9E, 0x28, "shared subscriptions not supported")                                 \
    X(CONNECTION_RATE, 0x9F, 0x21, "connection rate exceeded")                                     \
    X(CONNECT_TIME, 0xA0, 0x20, "maximum connect time")                                            \
    X(NO_SUBSCRIPTION_ID, 0xA1, 0x28, "subscription identifiers not supported")                    \
    X(NO_WILDCARD, 0xA2, 0x28, "wildcard subscriptions not supported")

enum sl_mqtt_reason {
#define X(name, code, packets, text) SL_MQTT_REASON_##name = (code),
    SL_MQTT_REASON_LIST(X)
#undef X
};

/* True when a server may use code in that packet (one of SL_IN_*). */
bool sl_mqtt_reason_is_allowed(uint8_t code, uint8_t packet);

/* Text of a code, never NULL. Host programs only: the device logs numbers. */
const char *sl_mqtt_reason_text(uint8_t code);

#endif
