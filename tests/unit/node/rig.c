/* The bench: moves bytes, frames and time between node, broker and chip. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>

static void close_line(struct rig *rig);
static void follow_events(struct rig *rig);
static void follow_identity(struct rig *rig);
static bool move_out(struct rig *rig);
static bool move_in(struct rig *rig);
static bool serve(struct rig *rig);
static bool exchange(struct rig *rig);

static const char *const version = "0.1.0";

void rig_start(struct rig *rig, sl_ms now)
{
    static const uint32_t hard_limits[SL_ZONES] = {15000000, 15000000, 15000000, 15000000,
                                                   15000000, 15000000, 15000000, 15000000};
    const struct test_pki pki = rig->pki;
    memset(rig, 0, sizeof *rig);
    rig->pki = pki;
    rig->now = rig->chip_at = now;
    rig->pipes[RIG_UP].stop_at = rig->pipes[RIG_DOWN].stop_at = UINT64_MAX;
    rig->identity = (struct sl_identity){
        .name = sl_view_text("garden"),
        .base = sl_view_text(RIG_BASE),
        .broker_host = sl_view_text("192.0.2.1"),
        .broker_port = 8883,
        .server_name = sl_view_text("broker.test"),
        .anchors = {{test_cert_subject(&rig->pki.ca), test_cert_point(&rig->pki.ca)}},
        .anchors_len = 1,
        .certificate = test_cert_der(&rig->pki.client),
        .private_key = test_cert_private_key(&rig->pki.client),
        .not_after_s = RIG_UTC + 86400,
    };
    rig->server_options = (struct test_tls_server_options){.certificate = &rig->pki.server,
                                                           .client_ca = &rig->pki.ca,
                                                           .unix_s = RIG_UTC,
                                                           .has_cache = true};
    test_tls_server_init(&rig->server, &rig->server_options);
    sl_slave_init(&rig->chip, SL_RESET_POWER_ON, hard_limits);
    rig->seed[0] = 6;
    rig->config = (struct sl_node_config){
        .identity = &rig->identity,
        .limits = {.at_once = 1, .longest_s = SL_ZONE_LONGEST_S, .default_s = SL_ZONE_DEFAULT_S},
        .lease_ms = SL_LINK_LEASE_MS,
        .records = &rig->records,
        .floor_s = RIG_UTC - 86400,
        .version = version,
    };
    test_flash_init(&rig->flash, SL_RECORDS_SECTORS);
    rig_boot(rig);
}

/* As a board does: of what it has kept into its memory. */
static void load_identities(struct rig *rig)
{
    memset(rig->slots, 0, sizeof rig->slots);
    for (unsigned i = 0; i < 2; i++) {
        struct sl_identity_slot *slot = &rig->slots[i];
        memcpy(slot->image, rig->kept.images[i], rig->kept.lens[i]);
        if (rig->kept.lens[i] > 0 &&
            sl_identity_decode((struct sl_view){slot->image, rig->kept.lens[i]}, &slot->identity) !=
                SL_OK) {
            fprintf(stderr, "identity %u that the board has kept is damaged\n", i);
            abort();
        }
    }
    rig->config.identity = &rig->slots[0].identity;
    rig->config.slots = rig->slots;
    rig->config.has_candidate = rig->kept.lens[1] > 0;
    rig->is_storing = false;
}

void rig_renewable(struct rig *rig)
{
    if (sl_identity_encode(&rig->identity, rig->kept.images[0], SL_IDENTITY_MAX,
                           &rig->kept.lens[0]) != SL_OK)
        abort();
    rig->config.slots = rig->slots;
    rig_boot(rig);
}

void rig_boot(struct rig *rig)
{
    if (rig->config.slots != NULL)
        load_identities(rig);
    close_line(rig);
    rig->has_finished = false;
    test_flash_read(&rig->flash, &rig->records);
    for (size_t i = 0; i < sizeof rig->seed && ++rig->seed[i] == 0; i++)
        continue;
    if (sl_node_init(&rig->node, rig->now, &rig->config, rig->seed) != SL_OK) {
        fprintf(stderr, "the node does not start\n");
        abort();
    }
}

void rig_set_time(struct rig *rig)
{
    const uint64_t unix_s = rig->kept_s > RIG_UTC ? rig->kept_s : RIG_UTC;
    if (sl_node_set_time(&rig->node, rig->now, unix_s, 0) != SL_OK)
        abort();
}

void rig_connect(struct rig *rig, sl_ms now)
{
    rig_start(rig, now);
    rig_turn(rig);
    rig_run(rig, 100);
    rig_set_time(rig);
    rig_run(rig, 100);
}

/* A tick that nobody needed changes nothing: the law is checked by doing it all the time. */
static void extra_ticks(struct rig *rig)
{
    sl_ms due;
    if (!rig->ticks_extra)
        return;
    for (int i = 0; i < 2; i++) {
        sl_node_tick(&rig->node, rig->now);
        (void)sl_node_deadline(&rig->node, rig->now, &due);
        follow_events(rig);
    }
}

void rig_turn(struct rig *rig)
{
    bool has_moved = true;
    sl_node_tick(&rig->node, rig->now);
    follow_events(rig);
    for (unsigned rounds = 0; has_moved && rounds < 100000; rounds++) {
        has_moved = move_out(rig);
        follow_events(rig);
        has_moved = serve(rig) || has_moved;
        has_moved = move_in(rig) || has_moved;
        has_moved = exchange(rig) || has_moved;
        extra_ticks(rig);
    }
    if (has_moved) {
        fprintf(stderr, "the node never comes to rest\n");
        abort();
    }
}

static void run_chip(struct rig *rig)
{
    while (rig->chip_at != rig->now) {
        uint32_t elapsed = rig->now - rig->chip_at;
        if (elapsed > 1000)
            elapsed = 1000;
        sl_slave_tick(&rig->chip, (uint16_t)elapsed);
        rig->chip_at += elapsed;
    }
}

void rig_run(struct rig *rig, uint32_t ms)
{
    sl_ms end = rig->now + ms;
    unsigned idle = 0;
    rig_turn(rig);
    while (rig->now != end) {
        sl_ms due = end;
        bool has_due = sl_node_deadline(&rig->node, rig->now, &due);
        uint32_t left = end - rig->now;
        uint32_t step = has_due ? sl_ms_until(rig->now, due) : left;
        /* A deadline that stays in the past would keep a board awake for ever. */
        idle = step == 0 ? idle + 1 : 0;
        if (idle > 100) {
            fprintf(stderr, "the node's deadline does not move\n");
            abort();
        }
        if (step == 0 && idle > 3)
            step = 1;
        rig->now += step < left ? step : left;
        run_chip(rig);
        rig_turn(rig);
    }
}

/* The node's events. */

static void close_line(struct rig *rig)
{
    if (rig->line == RIG_OPEN && !rig->has_disconnect)
        rig->is_will_due = true;
    rig->line = RIG_CLOSED;
    rig->was_stopped = rig->was_stopped || rig_is_stopped(rig);
    rig->stops_both = rig->is_only_late = false;
    for (int way = 0; way < RIG_WAYS; way++) {
        struct rig_pipe *pipe = &rig->pipes[way];
        pipe->len = 0;
        if (pipe->arrived >= pipe->stop_at)
            pipe->stop_at = UINT64_MAX;
    }
}

static bool is_host(const char *text, struct sl_view host)
{
    return text != NULL && sl_view_is_equal(sl_view_text(text), host);
}

static void dial(struct rig *rig, struct sl_view host)
{
    rig->dials++;
    rig->line = RIG_DIALLING;
    if (rig->is_unreachable || is_host(rig->unreachable_host, host))
        return;
    rig->is_refusing = is_host(rig->refusing_host, host);
    if (rig->dial_error != 0) {
        rig->line = RIG_CLOSED;
        sl_node_hung_up(&rig->node, rig->now, rig->dial_error);
        return;
    }
    rig->line = RIG_OPEN;
    rig->has_disconnect = rig->is_will_due = rig->is_subscribed = false;
    test_tls_server_open(&rig->server, ++rig->connections);
    test_mqtt_peer_reset(&rig->peer);
    sl_node_dialled(&rig->node, rig->now);
}

static void follow_events(struct rig *rig)
{
    struct sl_node_event event;
    while (sl_node_next(&rig->node, rig->now, &event)) {
        switch (event.kind) {
        case SL_NODE_DIAL:
            dial(rig, event.host);
            break;
        case SL_NODE_HANG_UP:
            rig->hang_ups++;
            if (rig->is_only_late)
                rig->pipes[RIG_UP].stop_at = UINT64_MAX;
            while (rig->line == RIG_OPEN && (move_out(rig) || serve(rig))) {
            }
            close_line(rig);
            break;
        case SL_NODE_LOG:
            if (rig->logs_len < RIG_LOGS_MAX)
                rig->logs[rig->logs_len++] = event.log;
            break;
        case SL_NODE_FINISHED:
            rig->has_finished = true;
            break;
        case SL_NODE_NONE:
            break;
        }
    }
    follow_identity(rig);
    test_flash_settle(&rig->flash, &rig->records);
    if (sl_kept_time(&rig->records) != rig->kept_s) {
        rig->kept_s = sl_kept_time(&rig->records);
        rig->keeps++;
    }
}

/* As ports/port.h has it: each operation happens at a stroke. */
static void follow_identity(struct rig *rig)
{
    enum sl_identity_op op;
    struct sl_view image;
    while (!rig->is_storing && sl_node_identity_next(&rig->node, &op, &image)) {
        struct rig_kept *kept = &rig->kept;
        rig->stores++;
        rig->is_storing = rig->holds_store;
        if (rig->holds_store)
            break;
        if (!rig->refuses_store) {
            if (op == SL_IDENTITY_ADOPT) {
                memcpy(kept->images[0], kept->images[1], sizeof kept->images[0]);
                kept->lens[0] = kept->lens[1];
            }
            kept->lens[1] = image.len;
            if (op == SL_IDENTITY_TRY)
                memcpy(kept->images[1], image.data, image.len);
        }
        sl_node_identity_did(&rig->node, rig->now, !rig->refuses_store);
    }
}

static size_t at_most(const struct rig *rig, size_t len)
{
    return rig->cut != 0 && len > rig->cut ? rig->cut : len;
}

bool rig_is_stopped(const struct rig *rig)
{
    return rig->pipes[RIG_UP].arrived >= rig->pipes[RIG_UP].stop_at ||
           rig->pipes[RIG_DOWN].arrived >= rig->pipes[RIG_DOWN].stop_at;
}

/* How much of a pipe arrives at once. */
static size_t offered(const struct rig *rig, enum rig_way way)
{
    const struct rig_pipe *pipe = &rig->pipes[way];
    uint64_t left = pipe->stop_at > pipe->arrived ? pipe->stop_at - pipe->arrived : 0;
    if (rig->stops_both && rig_is_stopped(rig))
        return 0;
    return at_most(rig, pipe->len < left ? pipe->len : (size_t)left);
}

static void fill(struct rig_pipe *pipe, const uint8_t *bytes, size_t len)
{
    if (len == 0)
        return;
    memcpy(pipe->bytes + pipe->len, bytes, len);
    pipe->len += len;
}

static void drain(struct rig_pipe *pipe, size_t len)
{
    memmove(pipe->bytes, pipe->bytes + len, pipe->len - len);
    pipe->len -= len;
    pipe->arrived += len;
}

static size_t room(const struct rig_pipe *pipe, size_t len)
{
    size_t left = sizeof pipe->bytes - pipe->len;
    return len < left ? len : left;
}

static bool move_out(struct rig *rig)
{
    struct rig_pipe *pipe = &rig->pipes[RIG_UP];
    if (rig->line != RIG_OPEN || rig->is_deaf || rig->is_frozen)
        return false;
    struct sl_view out = sl_node_peek(&rig->node, rig->now);
    size_t len = room(pipe, at_most(rig, out.len));
    if (len > 0) {
        fill(pipe, out.data, len);
        sl_node_sent(&rig->node, rig->now, len);
    }
    size_t used = test_tls_server_feed(&rig->server, pipe->bytes, offered(rig, RIG_UP));
    drain(pipe, used);
    return len > 0 || used > 0;
}

static bool move_in(struct rig *rig)
{
    struct rig_pipe *pipe = &rig->pipes[RIG_DOWN];
    if (rig->line != RIG_OPEN || rig->is_frozen)
        return false;
    struct sl_view out = test_tls_server_peek(&rig->server);
    size_t len = room(pipe, out.len);
    if (len > 0) {
        fill(pipe, out.data, len);
        test_tls_server_sent(&rig->server, len);
    }
    if (pipe->len == 0) {
        if (len == 0 && test_tls_server_is_closed(&rig->server) && !rig_is_stopped(rig)) {
            close_line(rig);
            sl_node_hung_up(&rig->node, rig->now, 0);
            follow_events(rig);
            return true;
        }
        return len > 0;
    }
    size_t part = offered(rig, RIG_DOWN);
    size_t used = sl_node_feed(&rig->node, rig->now, pipe->bytes, part);
    if (used < part)
        rig->feeds_refused++;
    drain(pipe, used);
    follow_events(rig);
    return used > 0 || len > 0;
}

/* The broker. */

static void copy_text(char *out, size_t out_len, const struct test_mqtt_text *text)
{
    size_t len = text->len < out_len ? text->len : out_len - 1;
    memcpy(out, text->text, len);
    out[len] = '\0';
}

static void hear(struct rig *rig, const struct test_mqtt_packet *packet)
{
    if (rig->heard_len == RIG_HEARD_MAX)
        rig_forget(rig);
    struct rig_heard *heard = &rig->heard[rig->heard_len++];
    copy_text(heard->topic, sizeof heard->topic, &packet->topic);
    copy_text(heard->payload, sizeof heard->payload, &packet->payload);
    heard->payload_len = packet->payload.len;
    copy_text(heard->correlation, sizeof heard->correlation, &packet->correlation);
    heard->qos = packet->qos;
    heard->retain = packet->retain;
    if (packet->qos > 0 && !rig->mutes_puback)
        test_mqtt_peer_puback(&rig->peer, packet->id, rig->peer.level == 5 ? rig->puback : 0);
}

static void answer_connect(struct rig *rig, const struct test_mqtt_packet *packet)
{
    rig->connects++;
    rig->connect = *packet;
    if (rig->mutes_connack)
        return;
    if (rig->closes_connect)
        test_tls_server_close(&rig->server);
    else if (rig->level_only != 0 && packet->level != rig->level_only)
        test_mqtt_peer_connack(&rig->peer, packet->level == 5 ? 0x84 : 0x01);
    else
        test_mqtt_peer_connack(&rig->peer, rig->is_refusing ? 0x87 : rig->connack);
}

static void answer(struct rig *rig, const struct test_mqtt_packet *packet)
{
    switch (packet->type) {
    case TEST_MQTT_CONNECT:
        answer_connect(rig, packet);
        break;
    case TEST_MQTT_SUBSCRIBE:
        rig->subscribes++;
        rig->is_subscribed = true;
        rig->subscribe = *packet;
        if (rig->refuses_cert) {
            static const uint8_t codes[] = {1, 1, 1, 1, 0x87, 0x87};
            test_mqtt_peer_suback_each(&rig->peer, packet->id,
                                       (struct sl_view){codes, packet->filters_len});
        } else if (!rig->mutes_suback)
            test_mqtt_peer_suback(&rig->peer, packet->id, rig->suback != 0 ? rig->suback : 1,
                                  packet->filters_len);
        break;
    case TEST_MQTT_PUBLISH:
        hear(rig, packet);
        break;
    case TEST_MQTT_PUBACK:
        rig->acks++;
        break;
    case TEST_MQTT_PINGREQ:
        rig->pings++;
        if (!rig->mutes_pingresp)
            test_mqtt_peer_pingresp(&rig->peer);
        break;
    case TEST_MQTT_DISCONNECT:
        rig->has_disconnect = true;
        rig->disconnect = packet->reason;
        break;
    default:
        break;
    }
}

static bool serve(struct rig *rig)
{
    uint8_t plain[1024];
    struct test_mqtt_packet packet;
    bool has_moved = false;
    if (rig->line != RIG_OPEN || rig->is_frozen)
        return false;
    for (size_t len; (len = test_tls_server_read(&rig->server, plain, sizeof plain)) > 0;) {
        test_mqtt_peer_feed(&rig->peer, plain, len);
        has_moved = true;
        while (test_mqtt_peer_next(&rig->peer, &packet))
            answer(rig, &packet);
    }
    struct sl_view out = test_mqtt_peer_peek(&rig->peer);
    if (out.len > 0 && test_tls_server_is_open(&rig->server)) {
        size_t used = test_tls_server_write(&rig->server, out.data, out.len);
        test_mqtt_peer_sent(&rig->peer, used);
        has_moved = has_moved || used > 0;
    }
    return has_moved;
}

/* The chip. Its status is clocked out while the order is clocked in, so it answers the one before.
 */

uint8_t rig_pins(const struct rig *rig)
{
    return (uint8_t)((sl_slave_outputs(&rig->chip) | rig->stuck_on) & ~rig->stuck_off);
}

static bool exchange(struct rig *rig)
{
    uint8_t order[SL_FRAME_LEN], status[SL_FRAME_LEN];
    if (rig->is_chip_elsewhere || !sl_node_link_peek(&rig->node, rig->now, order))
        return false;
    sl_node_link_sent(&rig->node, rig->now);
    sl_slave_peek(&rig->chip, rig_pins(rig), rig->is_chip_blind ? SL_CHIP_VERSION_BLIND : 0x10,
                  status);
    if (rig->is_chip_cut)
        memset(status, 0xFF, sizeof status);
    else
        sl_slave_feed(&rig->chip, order, sizeof order);
    sl_node_link_feed(&rig->node, rig->now, status, sizeof status);
    follow_events(rig);
    return true;
}

void rig_reset_chip(struct rig *rig, uint8_t cause)
{
    uint32_t limits[SL_ZONES];
    memcpy(limits, rig->chip.hard_limit_ms, sizeof limits);
    sl_slave_init(&rig->chip, cause, limits);
}

/* The test's hands. */

void rig_say_message(struct rig *rig, const struct test_mqtt_publish *publish)
{
    test_mqtt_peer_publish(&rig->peer, publish);
    rig_turn(rig);
}

void rig_ask(struct rig *rig, const char *tail, const char *payload, const char *response_topic)
{
    char topic[160];
    snprintf(topic, sizeof topic, RIG_BASE "/%s", tail);
    rig_say_message(rig, &(struct test_mqtt_publish){
                             .topic = topic,
                             .payload = sl_view_text(payload),
                             .qos = 1,
                             .response_topic = response_topic,
                             .correlation = sl_view_text(response_topic != NULL ? "c0" : "")});
}

void rig_say(struct rig *rig, const char *tail, const char *payload)
{
    rig_ask(rig, tail, payload, NULL);
}

void rig_kick(struct rig *rig)
{
    test_tls_server_close(&rig->server);
    rig_turn(rig);
}

void rig_break_line(struct rig *rig, int32_t error)
{
    if (rig->line == RIG_CLOSED)
        return;
    close_line(rig);
    sl_node_hung_up(&rig->node, rig->now, error);
    rig_turn(rig);
}

static bool is_topic(const struct rig_heard *heard, const char *topic)
{
    size_t base = strlen(RIG_BASE);
    if (topic[0] == '=')
        return strcmp(heard->topic, topic + 1) == 0;
    return strncmp(heard->topic, RIG_BASE "/", base + 1) == 0 &&
           strcmp(heard->topic + base + 1, topic) == 0;
}

const struct rig_heard *rig_last(const struct rig *rig, const char *topic)
{
    for (size_t i = rig->heard_len; i > 0; i--)
        if (is_topic(&rig->heard[i - 1], topic))
            return &rig->heard[i - 1];
    return NULL;
}

unsigned rig_count(const struct rig *rig, const char *topic)
{
    unsigned count = 0;
    for (size_t i = 0; i < rig->heard_len; i++)
        count += is_topic(&rig->heard[i], topic);
    return count;
}

unsigned rig_logged(const struct rig *rig, enum sl_log_code code)
{
    unsigned count = 0;
    for (size_t i = 0; i < rig->logs_len; i++)
        count += rig->logs[i].code == code;
    return count;
}

int32_t rig_logged_a(const struct rig *rig, enum sl_log_code code)
{
    for (size_t i = rig->logs_len; i > 0; i--)
        if (rig->logs[i - 1].code == code)
            return rig->logs[i - 1].a;
    return -1;
}

void rig_forget(struct rig *rig)
{
    rig->heard_len = 0;
    rig->logs_len = 0;
    rig->was_stopped = false;
}
