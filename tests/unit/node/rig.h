/* A whole node on a bench, on virtual time: a TLS server and a scripted broker at one end, the
 * relay chip's own engine at the other. Nothing waits; time moves when the test says so. */
#ifndef TEST_UNIT_NODE_RIG_H
#define TEST_UNIT_NODE_RIG_H

#include "link/slave.h"
#include "node/kept.h"
#include "node/node.h"
#include "support/flash.h"
#include "support/mqtt_peer.h"
#include "support/pki.h"
#include "support/tls_server.h"

#define RIG_BASE      "irrigation/garden"
#define RIG_UTC       UINT64_C(1795305600)
#define RIG_HEARD_MAX 512
#define RIG_LOGS_MAX  4096

struct rig_heard {
    char topic[160];
    char payload[1024];
    size_t payload_len;
    char correlation[64];
    uint8_t qos;
    bool retain;
};

/* What the board keeps of its identities: the one in use, and one beside it. Lengths 0: none. */
struct rig_kept {
    uint8_t images[2][SL_IDENTITY_MAX];
    size_t lens[2];
};

enum rig_line { RIG_CLOSED, RIG_DIALLING, RIG_OPEN };

/* One direction of the line: what was sent and has not arrived yet. */
enum rig_way { RIG_UP, RIG_DOWN, RIG_WAYS }; /* to the broker, to the node */
struct rig_pipe {
    uint8_t bytes[1 << 14];
    size_t len;
    uint64_t arrived; /* bytes since rig_start, over all connections */
    uint64_t stop_at; /* of these: no more than that arrive */
};

struct rig {
    struct sl_node node;
    uint8_t fence[64]; /* zeros: the node keeps to its own memory */
    struct sl_records records;
    struct test_flash flash;
    sl_ms now;
    size_t cut;       /* at most so many bytes at a time in either direction; 0: as they come */
    bool ticks_extra; /* tick and pull between all other calls */

    /* The broker: what it does not do. */
    bool is_unreachable; /* dialling gets no answer */
    int32_t dial_error;  /* not 0: dialling fails with it */
    bool mutes_connack;  /* CONNECT is heard, nothing said */
    bool closes_connect; /* CONNECT ends the connection */
    uint8_t level_only;  /* not 0: another protocol level is refused with 0x84 / 0x01 */
    uint8_t connack;     /* reason of CONNACK */
    bool mutes_suback;
    uint8_t suback;               /* code of SUBACK */
    bool refuses_cert;            /* SUBACK 0x87 for the subscriptions behind the first four */
    const char *unreachable_host; /* as is_unreachable, for this address only */
    const char *refusing_host;    /* CONNACK 0x87 there */
    bool mutes_puback;
    uint8_t puback; /* reason of PUBACK */
    bool mutes_pingresp;
    bool is_deaf;   /* takes no bytes from the line */
    bool is_frozen; /* neither takes nor gives */

    /* The line: a pipe that came to its stop gives nothing more, until the test moves stop_at or
     * the connection is closed. */
    struct rig_pipe pipes[RIG_WAYS];
    bool was_stopped;  /* since rig_forget */
    bool stops_both;   /* and then the other one gives nothing either */
    bool is_only_late; /* what is on its way to the broker still gets there when the node hangs up
                        */

    /* The chip. */
    bool is_chip_elsewhere; /* the test carries the frames itself; the rest is unused */
    struct sl_slave chip;
    bool is_chip_cut;            /* the lines read 0xFF */
    bool is_chip_blind;          /* cannot read its pins, and says so */
    uint8_t stuck_on, stuck_off; /* pins held from outside, bit z */
    sl_ms chip_at;

    /* The board's identities, when config.slots is set (rig_renewable). */
    struct sl_identity_slot slots[2];
    struct rig_kept kept;
    bool refuses_store; /* an operation fails, and changes nothing */
    bool holds_store;   /* an operation does not end */
    bool is_storing;    /* one is held */
    unsigned stores;    /* operations asked for */

    /* What happened. */
    struct rig_heard heard[RIG_HEARD_MAX]; /* PUBLISHes of the node, oldest first */
    size_t heard_len;
    struct sl_log_event logs[RIG_LOGS_MAX];
    size_t logs_len;
    unsigned dials, hang_ups, connects, subscribes, pings, acks, keeps;
    uint64_t kept_s;
    bool has_finished;
    bool is_refusing;   /* on this connection */
    bool is_subscribed; /* on this connection */
    bool has_disconnect;
    uint8_t disconnect;                         /* reason of the node's DISCONNECT */
    bool is_will_due;                           /* a session ended without DISCONNECT 0x00 */
    struct test_mqtt_packet connect, subscribe; /* the last ones */
    size_t feeds_refused;                       /* back-pressure was seen */

    enum rig_line line;
    struct test_pki pki;
    struct test_tls_server server;
    struct test_tls_server_options server_options;
    struct test_mqtt_peer peer;
    struct sl_identity identity;
    struct sl_node_config config;
    uint8_t seed[SL_NODE_SEED_LEN];
    uint64_t connections;
};

/* pki must have been made; the rest starts anew at now, without time. */
void rig_start(struct rig *rig, sl_ms now);
/* The node starts anew, with config as it is now: broker, chip, flash and what was heard go on. */
void rig_boot(struct rig *rig);
/* Give the board memory for a second identity; then boot it, with what it has kept. */
void rig_renewable(struct rig *rig);
/* As rig_start, then UTC, link up and a session. */
void rig_connect(struct rig *rig, sl_ms now);
/* Everything that happens without time going on. */
void rig_turn(struct rig *rig);
/* ms go by, from deadline to deadline. */
void rig_run(struct rig *rig, uint32_t ms);
/* RIG_UTC, or the time kept if that is later. */
void rig_set_time(struct rig *rig);

/* A QoS 1 PUBLISH to the node, topic below the base; then rig_turn. */
void rig_say(struct rig *rig, const char *tail, const char *payload);
/* The same with a response topic. */
void rig_ask(struct rig *rig, const char *tail, const char *payload, const char *response_topic);
void rig_say_message(struct rig *rig, const struct test_mqtt_publish *publish);
/* The broker ends the connection: in order, or cut (error). */
void rig_kick(struct rig *rig);
void rig_break_line(struct rig *rig, int32_t error);
bool rig_is_stopped(const struct rig *rig);
/* The chip's supply goes off and on. */
void rig_reset_chip(struct rig *rig, uint8_t cause);

uint8_t rig_pins(const struct rig *rig);
/* The last PUBLISH of the node to a topic (below the base; "=topic": the whole topic). NULL: none.
 */
const struct rig_heard *rig_last(const struct rig *rig, const char *topic);
unsigned rig_count(const struct rig *rig, const char *topic);
/* How often the node logged code; the last event's a. */
unsigned rig_logged(const struct rig *rig, enum sl_log_code code);
int32_t rig_logged_a(const struct rig *rig, enum sl_log_code code);
void rig_forget(struct rig *rig);

#endif
