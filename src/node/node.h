/* The node: the one place where the modules meet.
 *
 *   transport bytes -> tls -> mqtt -> command -> zone -> link -> chip
 *   chip status -> link -> node -> answers, states and reports -> mqtt -> tls -> transport bytes
 *
 * Sans-I/O, no allocation, no blocking. A port (ports/port.h) moves bytes and time in and out.
 * The node decides when to connect and for how long to wait: every wait has an end in here.
 *
 * Topics, payloads and their meaning: docs/spec/topics.md.
 */
#ifndef SL_NODE_NODE_H
#define SL_NODE_NODE_H

#include "base/bytes.h"
#include "base/log.h"
#include "base/status.h"
#include "base/time.h"
#include "clock/clock.h"
#include "clock/sntp.h"
#include "link/master.h"
#include "node/answer.h"
#include "node/connection.h"
#include "node/kept.h"
#include "node/publish.h"
#include "node/renewal.h"
#include "store/identity.h"
#include "store/records.h"
#include "tls/random.h"
#include "zone/zone.h"

#define SL_NODE_SEED_LEN 48

/* Peaks of memory that the port watches, in bytes; 0: not watched. */
struct sl_memory_marks {
    uint16_t stack_max;
    uint16_t network_max; /* the network's buffers and tables */
};

struct sl_node_config {
    const struct sl_identity *identity; /* outlives the node */
    /* Two, for renewal: identity is that of the first. NULL: the board cannot keep a new one. With
     * has_candidate the second holds one that was kept but not adopted, to be tried first. */
    struct sl_identity_slot *slots;
    bool has_candidate;
    struct sl_zone_limits limits;
    uint32_t lease_ms; /* SL_LINK_LEASE_MS unless there is a reason; SL_MASTER_LEASE_MIN_MS.. */
    struct sl_records *records; /* what is kept over restarts: read already; outlives the node */
    uint64_t floor_s;      /* trusted-time floor: build time, say; the node adds the time kept */
    bool use_sntp;         /* else the port gives the time with sl_node_set_time */
    uint16_t keep_alive_s; /* 0: the default, 30 */
    const char *version;   /* of the firmware, for reports */
    const struct sl_memory_marks *marks; /* kept by the port, outlives the node; NULL: none */
};

enum sl_node_event_kind {
    SL_NODE_NONE,
    SL_NODE_DIAL,    /* open a TCP connection to host and port, then sl_node_dialled */
    SL_NODE_HANG_UP, /* close the connection (or give up dialling). What is in peek goes first, as
                        far as it goes at once; it is void after the next sl_node_next, and no
                        sl_node_hung_up follows */
    SL_NODE_LOG,     /* log */
    SL_NODE_FINISHED /* after sl_node_stop: zones are off, `offline` is out or cannot be */
};

struct sl_node_event {
    enum sl_node_event_kind kind;
    struct sl_view host;
    uint16_t port;
    struct sl_log_event log;
};

struct sl_node; /* defined below; its fields belong to the node */

/* Fails: SL_BAD_ARGUMENT (limits, lease, no records, identity that TLS cannot use). */
SL_MUST_CHECK enum sl_status sl_node_init(struct sl_node *node, sl_ms now,
                                          const struct sl_node_config *config,
                                          const uint8_t seed[SL_NODE_SEED_LEN]);

/* Pull until false after every other call. */
bool sl_node_next(struct sl_node *node, sl_ms now, struct sl_node_event *event);
void sl_node_tick(struct sl_node *node, sl_ms now);
bool sl_node_deadline(const struct sl_node *node, sl_ms now, sl_ms *due);

/* Transport. dialled: the connection asked for by SL_NODE_DIAL is open.
 * hung_up: it failed or was closed by the peer; error is the port's errno, 0 for an orderly end. */
void sl_node_dialled(struct sl_node *node, sl_ms now);
void sl_node_hung_up(struct sl_node *node, sl_ms now, int32_t error);
/* Gives: how many bytes were taken. Fewer than len is back-pressure: pull the events, send what is
 * in peek, then offer the rest again. */
size_t sl_node_feed(struct sl_node *node, sl_ms now, const uint8_t *in, size_t len);
struct sl_view sl_node_peek(struct sl_node *node, sl_ms now);
void sl_node_sent(struct sl_node *node, sl_ms now, size_t len);

/* Relay chip: one exchange at a time, as link/master.h says. */
bool sl_node_link_peek(struct sl_node *node, sl_ms now, uint8_t frame[SL_FRAME_LEN]);
void sl_node_link_sent(struct sl_node *node, sl_ms now);
void sl_node_link_feed(struct sl_node *node, sl_ms now, const uint8_t *frame, size_t len);

/* Time: from the port's own trusted clock, or datagrams from and to the SNTP server. */
SL_MUST_CHECK enum sl_status sl_node_set_time(struct sl_node *node, sl_ms now, uint64_t unix_s,
                                              uint16_t unix_ms);
struct sl_view sl_node_sntp_peek(const struct sl_node *node);
void sl_node_sntp_sent(struct sl_node *node);
void sl_node_sntp_feed(struct sl_node *node, sl_ms now, struct sl_view datagram);

/* The identity that the board keeps: one operation at a time. next: the operation to carry out now;
 * image, of SL_IDENTITY_TRY, stays as it is until did. ok: it was carried out, and outlasts a power
 * cut. */
bool sl_node_identity_next(struct sl_node *node, enum sl_identity_op *op, struct sl_view *image);
void sl_node_identity_did(struct sl_node *node, sl_ms now, bool ok);

/* Close down: zones off, states and `offline` published, DISCONNECT; at most 3 s, then
 * SL_NODE_FINISHED. */
void sl_node_stop(struct sl_node *node, sl_ms now);

/* The report as JSON, as it is published, in out: SL_REPORT_LEN bytes are enough, with less the
 * view is empty. For a local status display. */
struct sl_view sl_node_report(const struct sl_node *node, sl_ms now, uint8_t *out, size_t out_len);

/* For whoever watches over the node: is it where it should be, and does it get on? */
struct sl_node_health {
    struct sl_counters counters; /* over all starts, as far as they were kept */
    bool is_connected;           /* to the broker, and subscribed */
    bool is_link_up;             /* the relay chip answers */
    bool has_ended;              /* its certificate, by the last trusted time */
    uint32_t exchanges;          /* with the relay chip, started since the start; wraps */
};
struct sl_node_health sl_node_health(const struct sl_node *node);

struct sl_node {
    struct sl_node_config config;
    struct sl_random random;
    struct sl_log_queue log;

    struct sl_counters counters; /* from earlier starts; starts and switched go on here */
    struct sl_clock clock;
    struct sl_sntp sntp;
    bool is_time_refused;
    bool is_time_unproven; /* it left the floor, where it was held, after the last attempt began */
    bool has_ended;        /* the certificate; said once */
    sl_ms keep_due;        /* valid once the time is confirmed */

    struct sl_zones zones;
    struct sl_master master;
    bool is_lease_running; /* the link is down, but the chip may not have closed everything yet */
    sl_ms lease_due;

    struct sl_answers answers;
    struct sl_outbox outbox;
    struct sl_connection connection;
    struct sl_renewal renewal;

    bool is_stopping, is_leaving, has_left,
        has_finished; /* offline is asked for; the line is left */
    sl_ms stop_due;
    uint32_t uptime_s;
    sl_ms uptime_at; /* when uptime_s was right */
};

#endif
