/* ports/run.c between a scripted node and a scripted board: what moves, in which order, and that
 * nothing turns while nothing happens. Time is the board's own variable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "run.h"
#include <cmocka.h>

/* The node. */
static struct {
    struct sl_node_event events[4];
    unsigned events_len;
    bool must_pull; /* a call was made and its events were not pulled yet */
    bool has_deadline;
    sl_ms deadline;
    uint32_t period_ms; /* the deadline moves on by this at every tick that reaches it */
    size_t feed_max;    /* bytes taken by one feed */
    uint8_t fed[4096];
    size_t fed_len;
    uint8_t out[256];
    size_t out_at, out_len;
    unsigned dialled, hung_up;
    int32_t error;
    size_t fed_at_hang_up;
    bool wants_exchange;
    unsigned exchanges_sent, exchanges_fed;
    uint8_t datagram[SL_SNTP_LEN];
    bool has_datagram;
    size_t datagram_fed;
    enum sl_status time_status;
    unsigned times;
    unsigned identity_ops; /* that it still wants */
    unsigned identity_dids, identity_oks;
} node;

/* The board. */
static struct {
    sl_ms now;
    enum sl_port_line line;
    int32_t error;
    uint8_t in[4096];
    size_t in_at, in_len;
    bool floods;
    uint8_t sent[256];
    size_t sent_len, send_max;
    unsigned hang_ups, dials;
    size_t sent_at_hang_up;
    bool has_answer;
    unsigned starts;
    bool takes_datagrams;
    size_t datagram_in;
    bool has_utc;
    unsigned utc_asks, steps, sleeps;
    sl_ms slept_until;
    unsigned logs;
    unsigned flash_reads, flash_starts;
    struct sl_records_op flash_op;
    bool is_flash_busy, is_flash_done, is_flash_ok;
    uint8_t flash[2][SL_RECORDS_SECTOR_LEN];
    enum sl_identity_op identity_op;
    size_t identity_len;
    unsigned identity_starts;
    bool is_identity_busy, is_identity_done, is_identity_ok;
} board;

static struct sl_records records;

static struct sl_run run;

static void called(void)
{
    assert_false(node.must_pull); /* node.h: pull until false after every other call */
    node.must_pull = true;
}

static void push(enum sl_node_event_kind kind)
{
    assert_true(node.events_len < 4);
    node.events[node.events_len++] =
        (struct sl_node_event){.kind = kind, .host = sl_view_text("broker.example"), .port = 8883};
}

bool sl_node_identity_next(struct sl_node *unused, enum sl_identity_op *op, struct sl_view *image)
{
    (void)unused;
    if (node.identity_ops == 0)
        return false;
    node.identity_ops--;
    *op = SL_IDENTITY_TRY;
    *image = sl_view_text("image");
    return true;
}

void sl_node_identity_did(struct sl_node *unused, sl_ms now, bool ok)
{
    (void)unused;
    (void)now;
    called();
    node.identity_dids++;
    node.identity_oks += ok;
}

bool sl_node_next(struct sl_node *unused, sl_ms now, struct sl_node_event *event)
{
    (void)unused, (void)now;
    node.must_pull = node.events_len > 0;
    if (node.events_len == 0)
        return false;
    *event = node.events[0];
    memmove(node.events, node.events + 1, --node.events_len * sizeof *node.events);
    return true;
}

void sl_node_tick(struct sl_node *unused, sl_ms now)
{
    (void)unused;
    called();
    if (node.period_ms != 0 && sl_ms_is_reached(now, node.deadline))
        node.deadline = now + node.period_ms;
}

bool sl_node_deadline(const struct sl_node *unused, sl_ms now, sl_ms *due)
{
    (void)unused, (void)now;
    *due = node.deadline;
    return node.has_deadline;
}

void sl_node_dialled(struct sl_node *unused, sl_ms now)
{
    (void)unused, (void)now;
    called();
    node.dialled++;
}

void sl_node_hung_up(struct sl_node *unused, sl_ms now, int32_t error)
{
    (void)unused, (void)now;
    called();
    node.hung_up++;
    node.error = error;
    node.fed_at_hang_up = node.fed_len;
}

size_t sl_node_feed(struct sl_node *unused, sl_ms now, const uint8_t *in, size_t len)
{
    (void)unused, (void)now;
    called();
    const size_t used = len < node.feed_max ? len : node.feed_max;
    if (!board.floods) {
        assert_true(node.fed_len + used <= sizeof node.fed);
        memcpy(node.fed + node.fed_len, in, used);
    }
    node.fed_len += used;
    return used;
}

struct sl_view sl_node_peek(struct sl_node *unused, sl_ms now)
{
    (void)unused, (void)now;
    return (struct sl_view){node.out + node.out_at, node.out_len - node.out_at};
}

void sl_node_sent(struct sl_node *unused, sl_ms now, size_t len)
{
    (void)unused, (void)now;
    node.out_at += len;
    assert_true(node.out_at <= node.out_len);
}

bool sl_node_link_peek(struct sl_node *unused, sl_ms now, uint8_t frame[SL_FRAME_LEN])
{
    (void)unused, (void)now;
    memset(frame, 0x51, SL_FRAME_LEN);
    return node.wants_exchange;
}

void sl_node_link_sent(struct sl_node *unused, sl_ms now)
{
    (void)unused, (void)now;
    called();
    node.wants_exchange = false;
    node.exchanges_sent++;
}

void sl_node_link_feed(struct sl_node *unused, sl_ms now, const uint8_t *frame, size_t len)
{
    (void)unused, (void)now;
    called();
    assert_int_equal(len, SL_FRAME_LEN);
    assert_int_equal(frame[0], 0xA1);
    node.exchanges_fed++;
}

enum sl_status sl_node_set_time(struct sl_node *unused, sl_ms now, uint64_t unix_s,
                                uint16_t unix_ms)
{
    (void)unused, (void)now, (void)unix_s, (void)unix_ms;
    called();
    node.times++;
    return node.time_status;
}

struct sl_view sl_node_sntp_peek(const struct sl_node *unused)
{
    (void)unused;
    return (struct sl_view){node.datagram, node.has_datagram ? sizeof node.datagram : 0};
}

void sl_node_sntp_sent(struct sl_node *unused)
{
    (void)unused;
    called();
    node.has_datagram = false;
}

void sl_node_sntp_feed(struct sl_node *unused, sl_ms now, struct sl_view datagram)
{
    (void)unused, (void)now;
    called();
    node.datagram_fed = datagram.len;
}

sl_ms sl_port_now(void)
{
    return board.now;
}

bool sl_port_utc(uint64_t *unix_s, uint16_t *unix_ms)
{
    board.utc_asks++;
    *unix_s = 1795305600;
    *unix_ms = 0;
    return board.has_utc;
}

bool sl_port_flash_read(const struct sl_records_place *place, uint8_t *out)
{
    board.flash_reads++;
    memcpy(out, board.flash[place->sector] + place->offset, place->len);
    return place->sector == 0; /* the second cannot be read */
}

void sl_port_flash_start(const struct sl_records_op *op)
{
    assert_false(board.is_flash_busy);
    board.flash_starts++;
    board.is_flash_busy = true;
    board.is_flash_done = false;
    board.flash_op = *op;
}

bool sl_port_flash_take(bool *ok)
{
    *ok = board.is_flash_ok;
    if (!board.is_flash_done)
        return false;
    board.is_flash_busy = board.is_flash_done = false;
    return true;
}

void sl_port_dial(struct sl_view host, uint16_t port)
{
    assert_true(sl_view_is_equal(host, sl_view_text("broker.example")));
    assert_int_equal(port, 8883);
    board.dials++;
    board.line = SL_PORT_DIALLING;
}

enum sl_port_line sl_port_line(int32_t *error)
{
    *error = board.error;
    return board.line;
}

size_t sl_port_send(struct sl_view bytes)
{
    const size_t len = bytes.len < board.send_max ? bytes.len : board.send_max;

    memcpy(board.sent + board.sent_len, bytes.data, len);
    board.sent_len += len;
    return len;
}

struct sl_view sl_port_receive(void)
{
    return (struct sl_view){board.in + board.in_at, board.in_len - board.in_at};
}

void sl_port_taken(size_t len)
{
    assert_in_range(len, 1, board.in_len - board.in_at);
    if (!board.floods)
        board.in_at += len;
}

void sl_port_hang_up(void)
{
    board.hang_ups++;
    board.line = SL_PORT_CLOSED;
    board.sent_at_hang_up = board.sent_len;
}

bool sl_port_sntp_send(struct sl_view datagram)
{
    assert_int_equal(datagram.len, SL_SNTP_LEN);
    return board.takes_datagrams;
}

size_t sl_port_sntp_receive(uint8_t *out, size_t len)
{
    const size_t got = board.datagram_in < len ? board.datagram_in : len;

    memset(out, 0, got);
    board.datagram_in = 0;
    return got;
}

void sl_port_spi_start(const uint8_t frame[SL_FRAME_LEN])
{
    assert_int_equal(frame[0], 0x51);
    board.starts++;
}

bool sl_port_spi_take(uint8_t frame[SL_FRAME_LEN])
{
    if (!board.has_answer)
        return false;
    board.has_answer = false;
    memset(frame, 0xA1, SL_FRAME_LEN);
    return true;
}

void sl_port_identity_start(enum sl_identity_op op, struct sl_view image)
{
    assert_false(board.is_identity_busy);
    board.identity_op = op;
    board.identity_len = image.len;
    board.identity_starts++;
    board.is_identity_busy = true;
}

bool sl_port_identity_take(bool *ok)
{
    if (!board.is_identity_busy || !board.is_identity_done)
        return false;
    board.is_identity_busy = board.is_identity_done = false;
    *ok = board.is_identity_ok;
    return true;
}

void sl_port_log(const struct sl_log_event *event)
{
    (void)event;
    board.logs++;
}

/* Sleeps in no time at all: the clock moves to the deadline. */
void sl_port_sleep(bool has_due, sl_ms due)
{
    assert_true(has_due);
    board.sleeps++;
    board.slept_until = due;
    if (!sl_ms_is_reached(board.now, due))
        board.now = due;
}

static int set_up(void **state)
{
    (void)state;
    memset(&node, 0, sizeof node);
    memset(&board, 0, sizeof board);
    node.feed_max = SIZE_MAX;
    board.send_max = SIZE_MAX;
    board.has_utc = true;
    board.now = UINT32_MAX - 5000; /* so that every test crosses the wrap or starts below it */
    for (size_t i = 0; i < sizeof board.in; i++)
        board.in[i] = (uint8_t)(i * 31 >> 3);
    for (size_t i = 0; i < sizeof node.out; i++)
        node.out[i] = (uint8_t)(i * 17);
    sl_records_init(&records, 0);
    sl_run_init(&run, (struct sl_node *)&node, &records, board.now);
    return 0;
}

static void step(void)
{
    board.steps++;
    assert_true(sl_run_step(&run));
}

static void open_line(void)
{
    push(SL_NODE_DIAL);
    step();
    board.line = SL_PORT_OPEN;
    step();
    assert_int_equal(node.dialled, 1);
}

static void idle_turns_only_at_deadlines(void **state)
{
    const sl_ms start = board.now;

    (void)state;
    open_line();
    node.has_deadline = true;
    node.period_ms = 250;
    node.deadline = board.now + 250;
    board.steps = 0;
    while (board.now - start < 60000 && board.steps < 1000) {
        step();
        sl_run_sleep(&run);
    }
    /* 240 deadlines of the node, and the board's clock once: no turn for nothing. */
    assert_true(board.steps <= 245);
}

static void partial_writes_keep_order(void **state)
{
    (void)state;
    open_line();
    node.out_len = sizeof node.out;
    board.send_max = 7;
    for (unsigned i = 0; i < 10; i++)
        step();
    assert_int_equal(board.sent_len, sizeof node.out);
    assert_memory_equal(board.sent, node.out, sizeof node.out);
}

static void full_line_is_not_turned_on(void **state)
{
    (void)state;
    open_line();
    node.out_len = 100;
    board.send_max = 0;
    step();
    const sl_ms now = board.now;
    sl_run_sleep(&run);
    assert_int_not_equal(board.slept_until, now); /* not: at once again */
    assert_int_equal(node.out_at, 0);
}

static void back_pressure_keeps_bytes(void **state)
{
    (void)state;
    open_line();
    board.in_len = sizeof board.in;
    for (unsigned i = 0; node.fed_len < sizeof board.in; i++) {
        assert_true(i < 4096);
        node.feed_max = i % 3 == 0 ? 0 : 11;
        step();
    }
    assert_memory_equal(node.fed, board.in, sizeof board.in);
}

static void refused_bytes_do_not_turn(void **state)
{
    (void)state;
    open_line();
    board.in_len = 100;
    node.feed_max = 0;
    step();
    sl_run_sleep(&run);
    assert_int_equal(board.slept_until, run.utc_due);
    assert_int_equal(board.in_at, 0); /* they are still the line's */
}

static void last_words_come_before_the_end(void **state)
{
    (void)state;
    open_line();
    board.in_len = 1000;
    board.line = SL_PORT_CLOSED;
    board.error = 104;
    node.feed_max = 10;
    for (unsigned i = 0; i < 10 && node.hung_up == 0; i++)
        step();
    assert_int_equal(node.hung_up, 1);
    assert_int_equal(node.error, 104);
    assert_int_equal(node.fed_at_hang_up, 1000);
    step();
    assert_int_equal(node.hung_up, 1);
}

static void hang_up_sends_what_waits(void **state)
{
    (void)state;
    open_line();
    node.out_len = 100;
    board.send_max = 30;
    push(SL_NODE_HANG_UP);
    step();
    assert_int_equal(board.hang_ups, 1);
    assert_int_equal(board.sent_at_hang_up, 100);
    assert_int_equal(node.hung_up, 0); /* it knows: it was its own wish */
}

static void dialling_that_fails_is_told(void **state)
{
    (void)state;
    push(SL_NODE_DIAL);
    step();
    assert_int_equal(node.hung_up + node.dialled, 0);
    board.line = SL_PORT_CLOSED;
    board.error = 111;
    step();
    assert_int_equal(node.hung_up, 1);
    assert_int_equal(node.error, 111);
}

static void flood_leaves_the_step(void **state)
{
    (void)state;
    open_line();
    board.floods = true;
    board.in_len = sizeof board.in;
    step();
    assert_in_range(node.fed_len, 1, SL_RUN_ROUNDS * sizeof board.in);
    const sl_ms now = board.now;
    sl_run_sleep(&run);
    assert_int_equal(board.slept_until, now); /* and comes back at once */
}

static void frames_move_both_ways(void **state)
{
    (void)state;
    node.wants_exchange = true;
    step();
    assert_int_equal(board.starts, 1);
    assert_int_equal(node.exchanges_sent, 1);
    step();
    assert_int_equal(node.exchanges_fed, 0);
    board.has_answer = true;
    step();
    assert_int_equal(node.exchanges_fed, 1);
    assert_int_equal(board.starts, 1);
}

static void datagrams_move_both_ways(void **state)
{
    (void)state;
    node.has_datagram = true;
    step();
    assert_true(node.has_datagram); /* the board could not yet */
    board.takes_datagrams = true;
    step();
    assert_false(node.has_datagram);
    board.datagram_in = 500;
    step();
    assert_int_equal(node.datagram_fed, SL_SNTP_LEN + 1); /* too long, and seen to be */
}

static void utc_is_asked_until_taken(void **state)
{
    (void)state;
    board.has_utc = false;
    step();
    sl_run_sleep(&run);
    step();
    assert_int_equal(board.utc_asks, 2);
    assert_int_equal(node.times, 0);
    board.has_utc = true;
    node.time_status = SL_REFUSED;
    sl_run_sleep(&run);
    step();
    assert_int_equal(node.times, 1);
    node.time_status = SL_OK;
    sl_run_sleep(&run);
    step();
    assert_int_equal(node.times, 2);
    const sl_ms taken_at = board.now;
    sl_run_sleep(&run);
    assert_int_equal(board.now - taken_at, SL_RUN_UTC_SET_MS);
}

static void events_reach_the_board_and_the_end_flushes(void **state)
{
    (void)state;
    open_line();
    push(SL_NODE_LOG);
    step();
    assert_int_equal(board.logs, 1);
    node.out_len = 50;
    push(SL_NODE_FINISHED);
    assert_false(sl_run_step(&run));
    assert_int_equal(board.sent_at_hang_up, 50);
    assert_int_equal(board.hang_ups, 1);
}

static void flash_is_read_then_written_one_operation_at_a_time(void **state)
{
    static const uint8_t value[8] = {1, 2, 3, 4, 5, 6, 7, 8};

    (void)state;
    memset(board.flash, 0xFF, sizeof board.flash);
    sl_records_init(&records, 2);
    sl_run_read_records(&records);
    assert_true(board.flash_reads > 2);
    step();
    assert_int_equal(board.flash_op.kind, SL_RECORDS_ERASE); /* the one that cannot be read */
    assert_int_equal(board.flash_op.place.sector, 1);
    sl_records_put(&records, SL_RECORD_TIME, (struct sl_view){value, sizeof value});
    step();
    assert_int_equal(board.flash_starts, 1);
    board.is_flash_done = board.is_flash_ok = true;
    step();
    assert_int_equal(board.flash_starts, 2);
    assert_int_equal(board.flash_op.kind, SL_RECORDS_ERASE);
    assert_int_equal(board.flash_op.place.sector, 0);
    board.is_flash_done = true;
    board.is_flash_ok = false;
    step();
    assert_int_equal(board.flash_starts, 3);
    assert_int_equal(board.flash_op.place.sector, 1); /* the failure was told */
}

static void identities_are_kept_one_operation_at_a_time(void **state)
{
    (void)state;
    node.identity_ops = 1;
    step();
    assert_int_equal(board.identity_starts, 1);
    assert_int_equal(board.identity_op, SL_IDENTITY_TRY);
    assert_int_equal(board.identity_len, 5);
    step();
    assert_int_equal(node.identity_dids, 0);
    assert_true(sl_run_store(&run)); /* at the end it would be waited for */
    board.is_identity_done = board.is_identity_ok = true;
    step();
    assert_int_equal(node.identity_dids, 1);
    assert_int_equal(node.identity_oks, 1);
    assert_false(sl_run_store(&run));
    node.identity_ops = 1;
    step();
    board.is_identity_done = true;
    board.is_identity_ok = false;
    step();
    assert_int_equal(node.identity_dids, 2);
    assert_int_equal(node.identity_oks, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(idle_turns_only_at_deadlines),
        TEST(partial_writes_keep_order),
        TEST(full_line_is_not_turned_on),
        TEST(back_pressure_keeps_bytes),
        TEST(refused_bytes_do_not_turn),
        TEST(last_words_come_before_the_end),
        TEST(hang_up_sends_what_waits),
        TEST(dialling_that_fails_is_told),
        TEST(flood_leaves_the_step),
        TEST(frames_move_both_ways),
        TEST(datagrams_move_both_ways),
        TEST(utc_is_asked_until_taken),
        TEST(events_reach_the_board_and_the_end_flushes),
        TEST(flash_is_read_then_written_one_operation_at_a_time),
        TEST(identities_are_kept_one_operation_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
