/* What a message means: topic and payload become a command, or a refusal with its words.
 *
 * Pure. Whether a zone may run that long, and whether the chip answers, is asked later.
 * Topics and payloads: docs/spec/topics.md.
 */
#ifndef SL_NODE_COMMAND_H
#define SL_NODE_COMMAND_H

#include "base/bytes.h"
#include "base/limits.h"
#include "mqtt/packet.h"

#define SL_COMMAND_ALL         0xFF /* in place of a zone: every zone */
#define SL_COMMAND_CORRELATION 32   /* bytes of correlation data kept for an answer */

enum sl_command_topic {
    SL_TOPIC_ON,     /* zone/on */
    SL_TOPIC_OFF,    /* zone/off */
    SL_TOPIC_STATUS, /* zone/status */
    SL_TOPIC_SET,    /* zone/<n>/set */
    SL_TOPIC_RENEW,  /* cert/renew */
    SL_TOPIC_ISSUE,  /* cert/issue */
    SL_TOPIC_OTHER
};

/* code, text for a person; {a} stands for the refusal's number */
#define SL_REFUSAL_LIST(X)                                                                         \
    X(SL_REFUSAL_NONE, "")                                                                         \
    X(SL_REFUSAL_NO_SUCH_ZONE, "zone {a} does not exist: use 0 to 7")                              \
    X(SL_REFUSAL_NO_OUTPUT, "this zone has no output here: use 0 to {a}")                          \
    X(SL_REFUSAL_TOO_LONG, "the time is longer than the {a} s allowed: use 0 to {a}")              \
    X(SL_REFUSAL_ON_FORM,                                                                          \
      "the payload must be a zone and seconds with a space between, for example 2 120")            \
    X(SL_REFUSAL_OFF_FORM, "the payload must be a zone from 0 to 7, or all, or empty")             \
    X(SL_REFUSAL_SET_FORM, "the payload must be ON, OFF or a number of seconds")                   \
    X(SL_REFUSAL_CUT, "the payload is far longer than any command")                                \
    X(SL_REFUSAL_RETAINED,                                                                         \
      "a retained command is not carried out: send it without retain, and clear the retained one " \
      "with an empty retained message")                                                            \
    X(SL_REFUSAL_DUPLICATE,                                                                        \
      "a repeated delivery is not carried out: send the command again if it had no effect")        \
    X(SL_REFUSAL_EXPIRED, "the command expired before it arrived: send it again")                  \
    X(SL_REFUSAL_TOPIC, "no command has this topic: use zone/on, zone/off, zone/status or "        \
                        "zone/0/set to zone/7/set")                                                \
    X(SL_REFUSAL_RESPONSE,                                                                         \
      "the response topic must have at most 128 bytes, no wildcard, and be no topic of this node") \
    X(SL_REFUSAL_CORRELATION, "the correlation data must have at most 32 bytes")                   \
    X(SL_REFUSAL_LINK_DOWN,                                                                        \
      "the relay chip does not answer, so nothing was switched: check its supply and its wires")   \
    X(SL_REFUSAL_STOPPING, "the node is closing down: send the command again when it is back")     \
    X(SL_REFUSAL_NOT_READ_BACK,                                                                    \
      "the pins did not follow, so the zone was taken back: check the relay board")                \
    X(SL_REFUSAL_LEASE,                                                                            \
      "the relay chip does not answer: it closes every zone by itself when its lease ends")        \
    X(SL_REFUSAL_OVERTAKEN, "another command changed the zone before it was read back")            \
    /* grants */                                                                                   \
    X(SL_REFUSAL_RENEWAL, "this node cannot keep a new identity: give it a state folder")          \
    X(SL_REFUSAL_GRANT_UNASKED,                                                                    \
      "this node waits for no grant: publish to cert/renew, and answer the request that comes")    \
    X(SL_REFUSAL_GRANT_PART,                                                                       \
      "a part of a grant is its offset and the whole length (2 bytes each), then at most 256 "     \
      "bytes, in order from offset 0 on: send the grant again from the start")                     \
    X(SL_REFUSAL_GRANT_TOO_LARGE, "the grant has more than {a} bytes: use shorter names")          \
    X(SL_REFUSAL_GRANT_DAMAGED, "this is no grant, or a damaged one: send it again, by a "         \
                                "sluice as new as this node, which seals it")                      \
    X(SL_REFUSAL_GRANT_VERSION,                                                                    \
      "the grant is of a version that this node does not know: update the node")                   \
    X(SL_REFUSAL_GRANT_NAME, "the grant is for another node")                                      \
    X(SL_REFUSAL_GRANT_KEY,                                                                        \
      "the grant's certificate is not for the key that this node has made: answer its last "       \
      "request")                                                                                   \
    X(SL_REFUSAL_GRANT_CURVE, "the grant's certificate has a key that is not of the curve P-256")  \
    X(SL_REFUSAL_GRANT_UNTRUSTED,                                                                  \
      "the grant's certificate does not lead to its trust anchors (X.509 error {a})")              \
    X(SL_REFUSAL_GRANT_DATES,                                                                      \
      "the grant's certificate is not valid at this time, or does not end when the grant says: "   \
      "check the clocks")                                                                          \
    X(SL_REFUSAL_GRANT_OLD, "the grant is not later than the identity in use")                     \
    X(SL_REFUSAL_GRANT_UNSEALED,                                                                   \
      "the grant's seal is not of an authority that this node trusts: somebody has changed it, "   \
      "or it is of another site")

enum sl_refusal {
#define X(code, text) code,
    SL_REFUSAL_LIST(X)
#undef X
        SL_REFUSAL_COUNT
};

struct sl_command {
    enum sl_command_topic topic;
    uint8_t zone;     /* 0..7, or SL_COMMAND_ALL: every zone, or none that exists was named */
    bool is_default;  /* on for the configured default time; seconds is 0 */
    uint32_t seconds; /* 0: off */
    enum sl_refusal refusal; /* SL_REFUSAL_NONE: carry it out */
    uint32_t number;         /* the refusal's {a} */
};

/* base: the node's base topic, without a slash at its end. A number too large for 32 bits counts
 * as 2^32 - 1, which no limit admits. */
struct sl_command sl_command_decode(struct sl_view base, const struct sl_mqtt_message *message);

/* The words of a refusal. */
void sl_refusal_write(struct sl_writer *writer, enum sl_refusal refusal, uint32_t number);

#endif
