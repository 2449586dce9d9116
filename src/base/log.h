/* Log events: a number and two arguments. The device sends numbers, the host holds the words.
 *
 * One list makes the code, the level and the text. In a text, {a} and {b} stand for the arguments;
 * {tls} for the words of TLS error a, {mqtt} for MQTT reason code a, {errno} for system error a,
 * {status} for result code a, {refusal} for refusal a, {zones} for the zones in the bits of a,
 * {reset} for the reset causes in the bits of a, {chip} for firmware version a, {handshake} for TLS
 * handshake b, {fingerprint} for the 64 bits of a and b, {enrol} for refusal a of an enrolment.
 * Words: node/log_text.h.
 */
#ifndef SL_BASE_LOG_H
#define SL_BASE_LOG_H

#include <stdint.h>

enum sl_log_level { SL_LOG_DEBUG, SL_LOG_INFO, SL_LOG_WARNING, SL_LOG_ERROR };

/* code, level, text */
#define SL_LOG_LIST(X)                                                                             \
    X(SL_LOG_STARTED, SL_LOG_INFO, "started; so far {a} starts, zones switched on {b} times")      \
    X(SL_LOG_STOPPED, SL_LOG_INFO, "stopped: every zone is off")                                   \
    X(SL_LOG_STOPPED_UNSURE, SL_LOG_WARNING,                                                       \
      "stopped, but the relay chip did not confirm that every zone is off: it closes them by "     \
      "itself within {a} s")                                                                       \
    /* the way to the broker */                                                                    \
    X(SL_LOG_DIAL_FAILED, SL_LOG_WARNING,                                                          \
      "cannot reach the broker ({errno}): check that it runs, its host and port, and the network") \
    X(SL_LOG_DIAL_TIMEOUT, SL_LOG_WARNING,                                                         \
      "no answer from the broker's address in {a} s: check its host and port, and the network")    \
    X(SL_LOG_TLS_FAILED, SL_LOG_WARNING, "no TLS session with the broker: {tls}")                  \
    X(SL_LOG_TLS_TIMEOUT, SL_LOG_WARNING,                                                          \
      "the broker did not finish the TLS handshake in {a} s: check that its port speaks TLS")      \
    X(SL_LOG_CONNACK_TIMEOUT, SL_LOG_WARNING,                                                      \
      "the broker did not answer CONNECT in {a} s: check that its port speaks MQTT")               \
    X(SL_LOG_REFUSED_CONNECT, SL_LOG_WARNING,                                                      \
      "the broker refused the session ({mqtt}): check that it is this site's broker and knows "    \
      "this node; its log says why")                                                               \
    X(SL_LOG_SUBACK_TIMEOUT, SL_LOG_WARNING,                                                       \
      "the broker did not answer SUBSCRIBE in {a} s: check that it is not overloaded")             \
    X(SL_LOG_SUBSCRIBE_REFUSED, SL_LOG_WARNING,                                                    \
      "the broker refused a subscription ({mqtt}): its access list must let this node read its "   \
      "zone/on, zone/off, zone/status and zone/+/set")                                             \
    X(SL_LOG_PUBACK_TIMEOUT, SL_LOG_WARNING,                                                       \
      "the broker did not acknowledge a message in {a} s, so the connection is given up: check "   \
      "that it is not overloaded")                                                                 \
    X(SL_LOG_DROPPED, SL_LOG_WARNING,                                                              \
      "the broker ended the session ({mqtt}): its log says why; with 'taken over' another client " \
      "uses this node's certificate")                                                              \
    X(SL_LOG_KEEP_ALIVE, SL_LOG_WARNING,                                                           \
      "the broker is silent, so the connection is given up: check that it runs, and the network")  \
    X(SL_LOG_PROTOCOL, SL_LOG_WARNING,                                                             \
      "the broker broke the MQTT protocol ({mqtt}): use another version of it, or another broker") \
    X(SL_LOG_LOST, SL_LOG_WARNING,                                                                 \
      "the connection to the broker ended ({errno}): where it goes on, check broker and network")  \
    X(SL_LOG_RETRY, SL_LOG_INFO, "next attempt in {a} ms")                                         \
    X(SL_LOG_CONNECTED, SL_LOG_INFO, "connected: MQTT protocol level {a}, {handshake}")            \
    X(SL_LOG_PUBLISH_REFUSED, SL_LOG_WARNING,                                                      \
      "the broker refused a message ({mqtt}): its access list must let this node write below its " \
      "base topic, and to the response topics of operators")                                       \
    X(SL_LOG_PUBLISH_DROPPED, SL_LOG_WARNING,                                                      \
      "a message could not be published ({status}): use a shorter base, or a broker that takes "   \
      "messages of 1 KB")                                                                          \
    /* renewal */                                                                                  \
    X(SL_LOG_RENEWAL_ASKS, SL_LOG_INFO,                                                            \
      "asks the site for a new certificate; again in {a} s if nobody answers: 'sluice renew' "     \
      "does")                                                                                      \
    X(SL_LOG_RENEWAL_TRIES, SL_LOG_INFO, "tries its new identity on a new connection")             \
    X(SL_LOG_RENEWED, SL_LOG_INFO,                                                                 \
      "the new identity works and has taken the place of the old one")                             \
    X(SL_LOG_RENEWAL_FAILED, SL_LOG_WARNING,                                                       \
      "the new identity opened no session, so the old one goes on: the lines above say why; asks " \
      "for another in {a} s")                                                                      \
    X(SL_LOG_RENEWAL_UNKEPT, SL_LOG_WARNING,                                                       \
      "the new identity cannot be stored: check the space and the rights in the state folder, or " \
      "the flash; it is tried again")                                                              \
    /* the relay chip */                                                                           \
    X(SL_LOG_LINK_UP, SL_LOG_INFO, "the relay chip answers: firmware {chip}")                      \
    X(SL_LOG_LINK_DOWN, SL_LOG_ERROR,                                                              \
      "the relay chip does not answer: it closes every zone by itself within {a} s; check its "    \
      "supply and the SPI wires")                                                                  \
    X(SL_LOG_CHIP_RESET, SL_LOG_WARNING,                                                           \
      "the relay chip was reset ({reset}): every zone is off; where it goes on, check its supply") \
    X(SL_LOG_ZONE_ON, SL_LOG_INFO, "zone {a} on for {b} s")                                        \
    X(SL_LOG_ZONE_OFF, SL_LOG_INFO, "off by command: {zones}")                                     \
    X(SL_LOG_TIME_UP, SL_LOG_INFO, "off, the time is up: {zones}")                                 \
    X(SL_LOG_ENDED_EARLY, SL_LOG_WARNING,                                                          \
      "ended early by the relay chip: {zones}; check its supply and the SPI wires")                \
    X(SL_LOG_UNCONFIRMED, SL_LOG_ERROR,                                                            \
      "the pins did not follow: {zones}; check the relay board and its wires")                     \
    X(SL_LOG_REFUSED, SL_LOG_WARNING, "refused a command: {refusal}")                              \
    /* time */                                                                                     \
    X(SL_LOG_TIME_KNOWN, SL_LOG_INFO, "the time is known")                                         \
    X(SL_LOG_TIME_REFUSED, SL_LOG_WARNING,                                                         \
      "the time offered was refused: it lies before the last trusted time, or too far from it; "   \
      "set the clock right")                                                                       \
    X(SL_LOG_TIME_HELD, SL_LOG_WARNING,                                                            \
      "the clock is behind the last trusted time, by a day at most: dates are judged at that "     \
      "time until the clock has reached it; set the clock right")                                  \
    X(SL_LOG_CERTIFICATE_ENDED, SL_LOG_ERROR,                                                      \
      "this device's certificate has ended, by the last trusted time, and no broker lets it in: "  \
      "'sluice node add NAME --replace' at the site makes a new identity; a device that made its " \
      "own key takes a new certificate over its serial line ('sluice node enrol NAME'), started "  \
      "with its reset line held")                                                                  \
    X(SL_LOG_SNTP_FAILED, SL_LOG_WARNING,                                                          \
      "no time from the SNTP server ({status}): check its name, that it is set itself, and UDP "   \
      "port 123 on the way")                                                                       \
    /* flash */                                                                                    \
    X(SL_LOG_NOT_KEPT, SL_LOG_WARNING,                                                             \
      "what should outlast a restart cannot be stored: the flash or disk below it does not take "  \
      "what is written; check or replace it")                                                      \
    /* enrolment */                                                                                \
    X(SL_LOG_ENROL_WAITS, SL_LOG_INFO,                                                             \
      "waiting on the serial line for 'sluice node enrol NAME --port DEVICE'")                     \
    X(SL_LOG_ENROL_KEY, SL_LOG_INFO,                                                               \
      "has a key of its own; 'sluice node enrol' must show this fingerprint: {fingerprint}")       \
    X(SL_LOG_ENROL_REFUSED, SL_LOG_WARNING, "refused an enrolment: {enrol}")                       \
    X(SL_LOG_ENROL_TIMEOUT, SL_LOG_WARNING,                                                        \
      "gave up an enrolment after {a} minutes of silence: run 'sluice node enrol' again")          \
    X(SL_LOG_ENROL_STORED, SL_LOG_INFO, "enrolled: the identity is stored")

struct sl_log_event {
    uint16_t code;
    int32_t a, b;
};

enum sl_log_code {
#define X(code, level, text) code,
    SL_LOG_LIST(X)
#undef X
        SL_LOG_COUNT
};

#endif
