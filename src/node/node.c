/* The node: time, link, broker and commands brought together. */
#include "node/node.h"
#include "node/control.h"
#include "node/kept.h"

#define KEEP_TIME_MS 3600000 /* between two times kept in flash */
#define STOP_MS      3000    /* for zones off and `offline` out */
#define KEEP_ALIVE_S 30

static bool step(struct sl_node *node, sl_ms now, struct sl_node_event *event);
static bool take_time(struct sl_node *node, sl_ms now);
static bool take_connection(struct sl_node *node, sl_ms now, struct sl_node_event *event);
static void keep_time(struct sl_node *node, sl_ms now);
static void watch_end(struct sl_node *node, sl_ms now);
static void keep_counters(struct sl_node *node);
static bool confirm_time(struct sl_node *node, sl_ms now);
static bool renew(struct sl_node *node, sl_ms now);
static void use_identity(struct sl_node *node, sl_ms now);
static bool leave(struct sl_node *node, sl_ms now);
static enum sl_status set_time(struct sl_node *node, sl_ms now, uint64_t unix_s, uint16_t unix_ms,
                               enum sl_clock_source source);

static bool is_time_known(const struct sl_node *node)
{
    return node->clock.source != SL_CLOCK_UNKNOWN;
}

/* 0: not known. */
static uint64_t trusted_time(const struct sl_node *node, sl_ms now)
{
    return is_time_known(node) ? sl_clock_utc(&node->clock, now) : 0;
}

enum sl_status sl_node_init(struct sl_node *node, sl_ms now, const struct sl_node_config *config,
                            const uint8_t seed[SL_NODE_SEED_LEN])
{
    memset(node, 0, sizeof *node);
    node->config = *config;
    if (node->config.version == NULL)
        node->config.version = "";
    if (node->config.keep_alive_s == 0)
        node->config.keep_alive_s = KEEP_ALIVE_S;
    node->uptime_at = now;
    sl_random_init(&node->random, seed, SL_NODE_SEED_LEN);
    sl_master_init(&node->master, now, config->lease_ms);
    if (config->records == NULL)
        return SL_BAD_ARGUMENT;
    const uint64_t kept_s = sl_kept_time(config->records);
    const uint64_t floor_s = kept_s > config->floor_s ? kept_s : config->floor_s;
    sl_clock_init(&node->clock, floor_s);
    sl_sntp_init(&node->sntp, now, floor_s);
    if (config->lease_ms < SL_MASTER_LEASE_MIN_MS || config->lease_ms > SL_MASTER_LEASE_MAX_MS)
        return SL_BAD_ARGUMENT;
    enum sl_status status = sl_zone_init(&node->zones, config->limits);
    if (status != SL_OK)
        return status;
    node->counters = sl_kept_counters(config->records);
    node->counters.starts++;
    sl_log_push(&node->log, SL_LOG_STARTED, (int32_t)node->counters.starts,
                (int32_t)node->counters.switched);
    sl_renewal_init(&node->renewal, config->slots, config->has_candidate, &node->random,
                    &node->log);
    if (config->slots != NULL)
        node->config.identity = sl_renewal_identity(&node->renewal);
    status = sl_connection_init(&node->connection, node->config.identity, node->config.keep_alive_s,
                                config->slots != NULL, config->records, &node->random, &node->log);
    if (status == SL_OK)
        keep_counters(node);
    return status;
}

bool sl_node_next(struct sl_node *node, sl_ms now, struct sl_node_event *event)
{
    event->kind = SL_NODE_NONE;
    if (node->has_finished)
        return false;
    do {
        if (sl_log_pop(&node->log, &event->log)) {
            event->kind = SL_NODE_LOG;
            return true;
        }
        if (!step(node, now, event))
            return false;
    } while (event->kind == SL_NODE_NONE);
    return true;
}

/* One piece of work, the most urgent first: valves, then the broker, then what it should hear. */
static bool step(struct sl_node *node, sl_ms now, struct sl_node_event *event)
{
    if (take_time(node, now) || sl_control_next(node, now) || take_connection(node, now, event) ||
        confirm_time(node, now) || sl_publish_next(node, now) || renew(node, now) ||
        leave(node, now))
        return true;
    if (node->has_left) {
        node->has_finished = true;
        event->kind = SL_NODE_FINISHED;
    }
    return node->has_left;
}

void sl_node_tick(struct sl_node *node, sl_ms now)
{
    if (node->has_finished)
        return;
    uint32_t seconds = (now - node->uptime_at) / 1000;
    node->uptime_s += seconds;
    node->uptime_at += seconds * 1000;
    sl_clock_tick(&node->clock, now);
    watch_end(node, now);
    if (node->clock.is_confirmed && sl_ms_is_reached(now, node->keep_due))
        keep_time(node, now);
    if (sl_records_has_failed(node->config.records))
        sl_log_push(&node->log, SL_LOG_NOT_KEPT, 0, 0);
    if (node->config.use_sntp)
        sl_sntp_tick(&node->sntp, now);
    sl_control_tick(node, now);
    sl_publish_tick(node, now);
    sl_renewal_tick(&node->renewal, now,
                    sl_renewal_looks(&node->renewal) ? trusted_time(node, now) : 0);
    sl_connection_tick(&node->connection, now);
}

bool sl_node_deadline(const struct sl_node *node, sl_ms now, sl_ms *due)
{
    bool has = false;
    sl_ms candidate;
    if (node->has_finished)
        return false;
    if (node->clock.is_confirmed)
        sl_ms_earliest(now, &has, due, node->keep_due);
    if (node->config.use_sntp && sl_sntp_deadline(&node->sntp, now, &candidate))
        sl_ms_earliest(now, &has, due, candidate);
    if (node->is_stopping)
        sl_ms_earliest(now, &has, due, node->stop_due);
    sl_control_deadline(node, now, &has, due);
    sl_publish_deadline(node, now, &has, due);
    sl_renewal_deadline(&node->renewal, now, &has, due);
    sl_connection_deadline(&node->connection, now, &has, due);
    return has;
}

/* Transport. */

void sl_node_dialled(struct sl_node *node, sl_ms now)
{
    node->is_time_unproven = false;
    sl_connection_dialled(&node->connection, now, sl_clock_utc(&node->clock, now));
}

void sl_node_hung_up(struct sl_node *node, sl_ms now, int32_t error)
{
    sl_connection_hung_up(&node->connection, now, error);
}

size_t sl_node_feed(struct sl_node *node, sl_ms now, const uint8_t *in, size_t len)
{
    (void)now;
    return sl_connection_feed(&node->connection, in, len);
}

struct sl_view sl_node_peek(struct sl_node *node, sl_ms now)
{
    return sl_connection_peek(&node->connection, now);
}

void sl_node_sent(struct sl_node *node, sl_ms now, size_t len)
{
    (void)now;
    sl_connection_sent(&node->connection, len);
}

static bool take_connection(struct sl_node *node, sl_ms now, struct sl_node_event *event)
{
    struct sl_connection_event taken;
    if (!sl_connection_next(&node->connection, now, !sl_answers_is_full(&node->answers), &taken))
        return false;
    switch (taken.kind) {
    case SL_CONNECTION_DIAL:
        event->kind = SL_NODE_DIAL;
        event->host = node->config.identity->broker_host;
        event->port = node->config.identity->broker_port;
        break;
    case SL_CONNECTION_HANG_UP:
        event->kind = SL_NODE_HANG_UP;
        break;
    case SL_CONNECTION_OPENED:
        sl_renewal_opened(&node->renewal);
        sl_publish_reset(node, now);
        break;
    case SL_CONNECTION_FAILED:
        if (sl_renewal_failed(&node->renewal, now, node->connection.trouble))
            use_identity(node, now);
        break;
    case SL_CONNECTION_LOST:
        node->answers.len = 0; /* whoever asked has lost us too; the zones go on */
        break;
    case SL_CONNECTION_MESSAGE:
        sl_control_feed(node, now, &taken.message);
        break;
    case SL_CONNECTION_ACKNOWLEDGED:
    case SL_CONNECTION_NONE:
        break;
    }
    return true;
}

/* Renewal. */

bool sl_node_identity_next(struct sl_node *node, enum sl_identity_op *op, struct sl_view *image)
{
    return sl_renewal_next(&node->renewal, op, image);
}

void sl_node_identity_did(struct sl_node *node, sl_ms now, bool ok)
{
    sl_renewal_did(&node->renewal, now, ok);
    node->outbox.wants_report = true;
}

/* On to the new identity, once everything that was asked here has its answer. */
static bool renew(struct sl_node *node, sl_ms now)
{
    if (node->renewal.stage != SL_RENEWAL_PARTING || node->is_stopping)
        return false;
    const bool is_quiet = node->answers.len == 0 && !sl_connection_is_owed(&node->connection);
    if (!sl_renewal_part(&node->renewal, is_quiet))
        return false;
    use_identity(node, now);
    return true;
}

static void use_identity(struct sl_node *node, sl_ms now)
{
    node->config.identity = sl_renewal_identity(&node->renewal);
    sl_connection_use(&node->connection, now, node->config.identity);
}

/* Relay chip. */

bool sl_node_link_peek(struct sl_node *node, sl_ms now, uint8_t frame[SL_FRAME_LEN])
{
    return !node->has_finished && sl_master_peek(&node->master, now, frame);
}

void sl_node_link_sent(struct sl_node *node, sl_ms now)
{
    sl_master_sent(&node->master, now);
}

void sl_node_link_feed(struct sl_node *node, sl_ms now, const uint8_t *frame, size_t len)
{
    sl_master_feed(&node->master, now, frame, len);
}

/* Time. */

enum sl_status sl_node_set_time(struct sl_node *node, sl_ms now, uint64_t unix_s, uint16_t unix_ms)
{
    return set_time(node, now, unix_s, unix_ms, SL_CLOCK_SYSTEM);
}

static enum sl_status set_time(struct sl_node *node, sl_ms now, uint64_t unix_s, uint16_t unix_ms,
                               enum sl_clock_source source)
{
    bool was_known = is_time_known(node), was_held = node->clock.is_held;
    enum sl_status status = sl_clock_set(&node->clock, now, unix_s, unix_ms, source);
    if (status != SL_OK && !node->is_time_refused) /* said once, however often it is offered */
        sl_log_push(&node->log, SL_LOG_TIME_REFUSED, 0, 0);
    node->is_time_refused = status != SL_OK;
    if (node->clock.is_held && !was_held)
        sl_log_push(&node->log, SL_LOG_TIME_HELD, 0, 0);
    if (was_held && !node->clock.is_held)
        node->is_time_unproven = true;
    if (status == SL_OK && !was_known) {
        sl_log_push(&node->log, SL_LOG_TIME_KNOWN, 0, 0);
        sl_connection_allow(&node->connection);
    }
    return status;
}

/* The floor alone tells it too, while the time is not known. */
static void watch_end(struct sl_node *node, sl_ms now)
{
    const uint64_t floor_s = sl_clock_floor(&node->clock), utc_s = sl_clock_utc(&node->clock, now);
    const bool has_ended = node->config.identity->not_after_s < (utc_s > floor_s ? utc_s : floor_s);
    if (has_ended && !node->has_ended)
        sl_log_push(&node->log, SL_LOG_CERTIFICATE_ENDED, 0, 0);
    node->has_ended = has_ended;
}

/* A broker whose certificate was checked at our time stands behind it, and it is worth keeping. */
static bool confirm_time(struct sl_node *node, sl_ms now)
{
    const struct sl_connection *connection = &node->connection;
    if (node->clock.is_confirmed || node->is_time_unproven ||
        connection->handshake == SL_HANDSHAKE_RESUMED ||
        connection->stage < SL_CONNECTION_CONNECTING || connection->stage > SL_CONNECTION_OPEN)
        return false;
    sl_clock_confirm(&node->clock, now);
    if (!node->clock.is_confirmed)
        return false;
    keep_time(node, now);
    return true;
}

static void keep_time(struct sl_node *node, sl_ms now)
{
    sl_keep_time(node->config.records, sl_clock_floor(&node->clock));
    keep_counters(node);
    node->keep_due = now + KEEP_TIME_MS;
}

static void keep_counters(struct sl_node *node)
{
    const struct sl_counters counters = sl_node_health(node).counters;

    sl_keep_counters(node->config.records, &counters);
}

static bool take_time(struct sl_node *node, sl_ms now)
{
    struct sl_sntp_event event;
    uint64_t nonce = 0;
    if (!node->config.use_sntp || !sl_sntp_next(&node->sntp, &event))
        return false;
    switch (event.kind) {
    case SL_SNTP_NEEDS_NONCE:
        while (nonce == 0)
            sl_random_read(&node->random, &nonce, sizeof nonce);
        sl_sntp_ask(&node->sntp, now, nonce);
        break;
    case SL_SNTP_TIME:
        (void)!set_time(node, now, event.unix_s, event.unix_ms, SL_CLOCK_SNTP);
        break;
    case SL_SNTP_FAILED:
        sl_log_push(&node->log, SL_LOG_SNTP_FAILED, (int32_t)event.status, 0);
        break;
    case SL_SNTP_NONE:
        break;
    }
    return true;
}

struct sl_view sl_node_sntp_peek(const struct sl_node *node)
{
    return node->config.use_sntp ? sl_sntp_peek(&node->sntp) : (struct sl_view){NULL, 0};
}

void sl_node_sntp_sent(struct sl_node *node)
{
    sl_sntp_sent(&node->sntp);
}

void sl_node_sntp_feed(struct sl_node *node, sl_ms now, struct sl_view datagram)
{
    if (node->config.use_sntp)
        sl_sntp_feed(&node->sntp, now, datagram);
}

/* The end. */

void sl_node_stop(struct sl_node *node, sl_ms now)
{
    if (node->is_stopping)
        return;
    node->is_stopping = true;
    node->stop_due = now + STOP_MS;
    sl_control_close(node, now);
}

/* First the valves, then the word, then the line. When the time is up the will speaks for us. */
static bool leave(struct sl_node *node, sl_ms now)
{
    if (!node->is_stopping || node->has_left)
        return false;
    bool is_over = sl_ms_is_reached(now, node->stop_due);
    bool is_closed = sl_control_is_closed(node);
    bool is_open = node->connection.stage == SL_CONNECTION_OPEN;
    if (!is_over && !is_closed && node->master.is_up)
        return false;
    if (!is_over && is_open && !node->is_leaving) {
        node->is_leaving = true;
        node->outbox.wants_offline = true;
        return true;
    }
    if (!is_over && is_open &&
        (node->outbox.wants_offline || sl_connection_is_owed(&node->connection)))
        return false;
    bool is_said = node->is_leaving && !node->outbox.wants_offline;
    node->has_left = true;
    keep_counters(node);
    sl_connection_stop(&node->connection, now, !is_said);
    if (is_closed)
        sl_log_push(&node->log, SL_LOG_STOPPED, 0, 0);
    else
        sl_log_push(&node->log, SL_LOG_STOPPED_UNSURE, (int32_t)(node->config.lease_ms / 1000), 0);
    return true;
}

struct sl_node_health sl_node_health(const struct sl_node *node)
{
    struct sl_counters counters = node->counters;

    counters.sessions += node->connection.connects;
    counters.handshakes += node->connection.handshakes;
    return (struct sl_node_health){.counters = counters,
                                   .is_connected = node->connection.stage == SL_CONNECTION_OPEN,
                                   .is_link_up = node->master.is_up,
                                   .has_ended = node->has_ended,
                                   .exchanges = node->master.exchanges};
}

struct sl_view sl_node_report(const struct sl_node *node, sl_ms now, uint8_t *out, size_t out_len)
{
    return sl_publish_report(node, now, out, out_len);
}
