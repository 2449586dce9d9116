/* The glue between a node and a board, the same for every board.
 *
 * A step goes round until nothing moves, then the port sleeps: nothing is polled. */
#include "run.h"

static void follow_events(struct sl_run *run, sl_ms now);
static void hang_up(struct sl_run *run, sl_ms now);
static bool ask_utc(struct sl_run *run, sl_ms now);
static bool tick(struct sl_run *run, sl_ms now);
static bool move_in(struct sl_run *run, sl_ms now);
static bool follow_line(struct sl_run *run, sl_ms now);
static bool move_out(struct sl_run *run, sl_ms now);
static bool take_frame(struct sl_run *run, sl_ms now);
static bool start_frame(struct sl_run *run, sl_ms now);
static bool take_datagram(struct sl_run *run, sl_ms now);
static bool send_datagram(struct sl_run *run, sl_ms now);
static bool keep(struct sl_run *run, sl_ms now);
static bool take_flash(struct sl_run *run);
static bool start_flash(struct sl_run *run);
static bool take_identity(struct sl_run *run, sl_ms now);
static bool start_identity(struct sl_run *run);

/* True: something moved, so another round is worth it. In this order: a command reaches the relays
 * before anybody is told of it; the broker's last bytes are taken before the node hears that it
 * hung up. */
static bool (*const moves[])(struct sl_run *run, sl_ms now) = {
    ask_utc,  tick,       move_in,       start_frame,   follow_line,
    move_out, take_frame, take_datagram, send_datagram, keep,
};

void sl_run_read_records(struct sl_records *records)
{
    struct sl_records_place place;
    uint8_t window[SL_RECORDS_WINDOW_LEN];

    while (sl_records_wants(records, &place)) {
        const size_t len = sl_port_flash_read(&place, window) ? place.len : 0;
        sl_records_feed(records, (struct sl_view){window, len});
    }
    sl_wipe(window, sizeof window);
}

void sl_run_init(struct sl_run *run, struct sl_node *node, struct sl_records *records, sl_ms now)
{
    *run =
        (struct sl_run){.node = node, .records = records, .told = SL_PORT_CLOSED, .utc_due = now};
}

bool sl_run_step(struct sl_run *run)
{
    const sl_ms now = sl_port_now();
    unsigned rounds = 0;
    bool moved;

    do {
        moved = false;
        for (size_t i = 0; i < sizeof moves / sizeof moves[0] && !run->has_finished; i++) {
            moved |= moves[i](run, now);
            follow_events(run, now);
        }
    } while (moved && !run->has_finished && ++rounds < SL_RUN_ROUNDS);

    run->has_more = moved;
    return !run->has_finished;
}

void sl_run_sleep(struct sl_run *run)
{
    const sl_ms now = sl_port_now();
    bool has_due = false;
    sl_ms due = now;

    if (!run->has_more) {
        has_due = sl_node_deadline(run->node, now, &due);
        sl_ms_earliest(now, &has_due, &due, run->utc_due);
    }
    sl_port_sleep(true, due);
}

bool sl_run_store(struct sl_run *run)
{
    const sl_ms now = sl_port_now();

    while (keep(run, now)) {
    }
    return run->is_storing || run->is_keeping;
}

/* Every event asks something of the board. Pulled until none after every other call. */
static void follow_events(struct sl_run *run, sl_ms now)
{
    struct sl_node_event event;

    while (!run->has_finished && sl_node_next(run->node, now, &event)) {
        switch (event.kind) {
        case SL_NODE_DIAL:
            sl_port_dial(event.host, event.port);
            run->told = SL_PORT_DIALLING;
            break;
        case SL_NODE_HANG_UP:
            hang_up(run, now);
            break;
        case SL_NODE_LOG:
            sl_port_log(&event.log);
            break;
        case SL_NODE_FINISHED:
            hang_up(run, now);
            run->has_finished = true;
            break;
        case SL_NODE_NONE:
            break;
        }
    }
}

/* The node's last bytes go first, as far as the line takes them without waiting. */
static void hang_up(struct sl_run *run, sl_ms now)
{
    while (move_out(run, now)) {
    }
    sl_port_hang_up();
    run->told = SL_PORT_CLOSED;
}

/* The board's own time, where it has one. The node refuses what it cannot trust, and says so. */
static bool ask_utc(struct sl_run *run, sl_ms now)
{
    uint64_t unix_s;
    uint16_t unix_ms;

    if (!sl_ms_is_reached(now, run->utc_due))
        return false;
    const bool is_set = sl_port_utc(&unix_s, &unix_ms) &&
                        sl_node_set_time(run->node, now, unix_s, unix_ms) == SL_OK;
    run->utc_due = now + (is_set ? SL_RUN_UTC_SET_MS : SL_RUN_UTC_ASK_MS);
    return is_set;
}

static bool tick(struct sl_run *run, sl_ms now)
{
    sl_node_tick(run->node, now);
    return false;
}

/* Bytes that the node does not take stay with the port, and the line is not read further: so the
 * back-pressure reaches the broker. */
static bool move_in(struct sl_run *run, sl_ms now)
{
    if (run->told != SL_PORT_OPEN)
        return false;
    const struct sl_view in = sl_port_receive();
    if (in.len == 0)
        return false;
    const size_t used = sl_node_feed(run->node, now, in.data, in.len);
    if (used > 0)
        sl_port_taken(used);
    return used > 0;
}

/* Tell the node what became of the line; its end only when the last bytes from it were taken. */
static bool follow_line(struct sl_run *run, sl_ms now)
{
    int32_t error = 0;

    if (run->told == SL_PORT_CLOSED)
        return false;
    const enum sl_port_line line = sl_port_line(&error);
    if (line == SL_PORT_OPEN && run->told == SL_PORT_DIALLING) {
        run->told = SL_PORT_OPEN;
        sl_node_dialled(run->node, now);
        return true;
    }
    if (line == SL_PORT_CLOSED && sl_port_receive().len == 0) {
        run->told = SL_PORT_CLOSED;
        sl_node_hung_up(run->node, now, error);
        return true;
    }
    return false;
}

static bool move_out(struct sl_run *run, sl_ms now)
{
    if (run->told != SL_PORT_OPEN)
        return false;
    const struct sl_view out = sl_node_peek(run->node, now);
    if (out.len == 0)
        return false;
    const size_t sent = sl_port_send(out);
    if (sent > 0)
        sl_node_sent(run->node, now, sent);
    return sent > 0;
}

static bool take_frame(struct sl_run *run, sl_ms now)
{
    uint8_t frame[SL_FRAME_LEN];

    if (!sl_port_spi_take(frame))
        return false;
    sl_node_link_feed(run->node, now, frame, sizeof frame);
    return true;
}

/* An exchange that the node has given up is superseded by the next start. */
static bool start_frame(struct sl_run *run, sl_ms now)
{
    uint8_t frame[SL_FRAME_LEN];

    if (!sl_node_link_peek(run->node, now, frame))
        return false;
    sl_port_spi_start(frame);
    sl_node_link_sent(run->node, now);
    return true;
}

static bool take_datagram(struct sl_run *run, sl_ms now)
{
    /* One byte more than an answer may have, so that a longer one is seen to be too long. */
    uint8_t in[SL_SNTP_LEN + 1];
    const size_t len = sl_port_sntp_receive(in, sizeof in);

    if (len == 0)
        return false;
    sl_node_sntp_feed(run->node, now, (struct sl_view){in, len});
    return true;
}

static bool send_datagram(struct sl_run *run, sl_ms now)
{
    const struct sl_view out = sl_node_sntp_peek(run->node);

    (void)now;
    if (out.len == 0 || !sl_port_sntp_send(out))
        return false;
    sl_node_sntp_sent(run->node);
    return true;
}

/* What outlasts a restart. One move, since after each the node is asked for its events. */
static bool keep(struct sl_run *run, sl_ms now)
{
    const bool has_ended = take_flash(run) | take_identity(run, now);

    return start_flash(run) | start_identity(run) | has_ended;
}

static bool take_flash(struct sl_run *run)
{
    bool ok;

    if (!sl_port_flash_take(&ok))
        return false;
    sl_records_did(run->records, ok);
    run->is_storing = false;
    return true;
}

static bool start_flash(struct sl_run *run)
{
    struct sl_records_op op;

    if (!sl_records_next(run->records, &op))
        return false;
    sl_port_flash_start(&op);
    run->is_storing = true;
    return true;
}

static bool take_identity(struct sl_run *run, sl_ms now)
{
    bool ok;

    if (!run->is_keeping || !sl_port_identity_take(&ok))
        return false;
    run->is_keeping = false;
    sl_node_identity_did(run->node, now, ok);
    return true;
}

static bool start_identity(struct sl_run *run)
{
    enum sl_identity_op op;
    struct sl_view image;

    if (!sl_node_identity_next(run->node, &op, &image))
        return false;
    sl_port_identity_start(op, image);
    run->is_keeping = true;
    return true;
}
