/* Time, bytes, datagrams and frames. */
#include "simulation/world.h"
#include "support/known_random.h"
#include "support/quick_curves.h"

#include <stdio.h>
#include <stdlib.h>

/* The node's clock wraps after a minute, and 49.7 days later. */
#define START        (UINT32_MAX - 59999)
#define STUCK_MAX    200
#define LATE_MS      (SL_MASTER_ANSWER_MS + 50)
#define MAIL_MS      10 /* one way */
#define MAIL_SLOW_MS (SL_SNTP_ANSWER_MS - 400)
#define MAIL_LATE_MS (SL_SNTP_ANSWER_MS + 700)
#define NTP_EPOCH    UINT64_C(2208988800) /* 1970 in seconds since 1900 */

static void pass(struct sim_world *world, uint64_t until_ms);
static void turn(struct sim_world *world);
static uint64_t next_at(const struct sim_world *world);

static const struct test_pki *certificates(void)
{
    static struct test_pki pki;
    if (pki.ca.der_len == 0) {
        test_random_start(1);
        test_curves_remember();
        test_pki_make(&pki, (int64_t)RIG_UTC);
    }
    return &pki;
}

static void set_time(struct sim_world *world)
{
    struct rig *rig = &world->rig;
    if (!rig->config.use_sntp && sl_node_set_time(&rig->node, rig->now, RIG_UTC + world->ms / 1000,
                                                  (uint16_t)(world->ms % 1000)) != SL_OK)
        sim_judge_fail(world, "the node refuses the right time");
}

void sim_start(struct sim_world *world, const struct sim_options *options)
{
    struct rig *rig = &world->rig;
    memset(world, 0, sizeof *world);
    world->chip = options->chip;
    world->random = options->seed;
    world->end_ms = options->length_ms;
    rig->pki = *certificates();
    rig_start(rig, START);
    rig->is_chip_elsewhere = true;
    rig->level_only = options->level_only;
    rig->config.keep_alive_s = options->keep_alive_s;
    rig->config.use_sntp = options->use_sntp;
    sim_judge_init(world, options->replay);
    sim_world_boot(world, options->at_once != 0 ? options->at_once : 1);
}

void sim_run(struct sim_world *world, const struct sim_driver *driver)
{
    unsigned stuck = 0;
    world->driver = driver;
    turn(world);
    while (world->ms < world->end_ms) {
        uint64_t at = next_at(world);
        stuck = at == world->ms ? stuck + 1 : 0;
        if (stuck > STUCK_MAX)
            sim_judge_fail(world, "time stands still: a deadline stays in the past");
        pass(world, at);
        driver->tick(world);
        turn(world);
    }
    sim_judge_end(world);
}

static void earlier(uint64_t *at, uint64_t candidate)
{
    if (candidate < *at)
        *at = candidate;
}

static uint64_t next_at(const struct sim_world *world)
{
    uint64_t at = world->end_ms;
    sl_ms due;
    earlier(&at, world->driver->wake_at(world));
    if (world->is_asleep)
        return at > world->ms ? at : world->ms + 1;
    for (uint8_t i = 0; i < world->mail_len; i++)
        earlier(&at, world->mail[i].at);
    if (sl_node_deadline(&world->rig.node, world->rig.now, &due))
        earlier(&at, world->ms + sl_ms_until(world->rig.now, due));
    if (world->is_answer_due && (world->answer_at < at || at <= world->ms))
        at = world->answer_at; /* nothing else happens on the wires meanwhile */
    return at > world->ms ? at : world->ms;
}

static void pass(struct sim_world *world, uint64_t until_ms)
{
    while (world->ms < until_ms) {
        uint8_t seen;
        world->ms = world->chip->run(world->chip, until_ms, &seen);
        sim_judge_pins(world, seen);
    }
    world->rig.now = (sl_ms)(START + world->ms);
}

/* Gives: false when the driver has stalled or reset the node meanwhile. */
static bool step(struct sim_world *world, enum sim_point point)
{
    uint64_t life = world->counts.node_starts;
    if (world->driver->step != NULL)
        world->driver->step(world, point);
    return !world->is_asleep && world->counts.node_starts == life;
}

/* Frames. */

static unsigned clock_out(struct sim_world *world, const uint8_t order[SL_FRAME_LEN],
                          enum sim_frame frame)
{
    uint8_t wrong[SL_FRAME_LEN];
    bool is_unheard = frame == SIM_FRAME_ORDER_LOST || frame == SIM_FRAME_BOTH_LOST;
    memcpy(wrong, order, sizeof wrong);
    wrong[SL_FRAME_LEN - 1] ^= 1;
    unsigned took_ms =
        world->chip->exchange(world->chip, is_unheard ? wrong : order, world->status);
    if (frame == SIM_FRAME_TWICE)
        took_ms += world->chip->exchange(world->chip, order, world->status);
    if (frame == SIM_FRAME_STATUS_LOST || frame == SIM_FRAME_BOTH_LOST)
        memset(world->status, 0xFF, sizeof world->status);
    if ((order[2] & SL_ORDER_APPLY) != 0 && !is_unheard)
        sim_judge_ordered(world, world->ms + took_ms);
    return frame == SIM_FRAME_LATE ? LATE_MS : took_ms;
}

static void carry(struct sim_world *world, const uint8_t order[SL_FRAME_LEN])
{
    enum sim_frame frame =
        world->driver->frame != NULL ? world->driver->frame(world) : SIM_FRAME_WHOLE;
    world->answer_at = world->ms + clock_out(world, order, frame);
    world->is_answer_due = true;
    sim_judge_pins(world, world->chip->pins(world->chip));
}

static void take_answer(struct sim_world *world)
{
    if (!world->is_answer_due || world->ms < world->answer_at)
        return;
    world->is_answer_due = false;
    sl_node_link_feed(&world->rig.node, world->rig.now, world->status, SL_FRAME_LEN);
}

/* One exchange at a time. A node that stalls between making an order and sending it sends it when
 * it wakes up, as old as it is then. */
static void exchange(struct sim_world *world)
{
    struct sl_node *node = &world->rig.node;
    uint8_t order[SL_FRAME_LEN];
    uint64_t life = world->counts.node_starts;
    if (world->is_holding) {
        world->is_holding = false;
        sim_judge_held(world, world->held);
        carry(world, world->held);
    }
    take_answer(world);
    if (world->is_answer_due || !sl_node_link_peek(node, world->rig.now, order))
        return;
    sl_node_link_sent(node, world->rig.now);
    world->counts.exchanges++;
    world->exchanges++;
    bool goes_on = step(world, SIM_AT_ORDER);
    if (world->counts.node_starts != life)
        return; /* the order fell with the node that made it */
    if (!goes_on || world->stalls_in_exchange) {
        world->stalls_in_exchange = false;
        world->is_asleep = world->is_holding = true;
        memcpy(world->held, order, sizeof order);
        return;
    }
    carry(world, order);
    if (step(world, SIM_AT_STATUS))
        take_answer(world);
}

/* Datagrams. */

static void post(struct sim_world *world, const uint8_t bytes[SL_SNTP_LEN], uint64_t at)
{
    if (world->mail_len == SIM_MAIL_MAX)
        return;
    struct sim_mail *mail = &world->mail[world->mail_len++];
    mail->at = at;
    memcpy(mail->bytes, bytes, sizeof mail->bytes);
}

static void answer_time(struct sim_world *world, const uint8_t question[SL_SNTP_LEN],
                        enum sim_datagram fate)
{
    uint8_t answer[SL_SNTP_LEN] = {4 << 3 | 4, 2};
    uint64_t server_ms = world->ms + MAIL_MS;
    uint64_t at = server_ms + MAIL_MS;
    struct sl_writer writer = sl_writer_init(answer + 40, 8);
    memcpy(answer + 24, question + 40, 8);
    sl_write_u32(&writer, (uint32_t)(RIG_UTC + NTP_EPOCH + server_ms / 1000));
    sl_write_u32(&writer, (uint32_t)((server_ms % 1000 << 32) / 1000));
    switch (fate) {
    case SIM_DATAGRAM_LOST:
        return;
    case SIM_DATAGRAM_TWICE:
        post(world, answer, at);
        at += 1;
        break;
    case SIM_DATAGRAM_SLOW:
        at += MAIL_SLOW_MS;
        break;
    case SIM_DATAGRAM_LATE:
        at += MAIL_LATE_MS;
        break;
    case SIM_DATAGRAM_FORGED:
        answer[24] ^= 1;
        answer[40] ^= 0x40;
        post(world, answer, at - 1);
        answer[24] ^= 1;
        answer[40] ^= 0x40;
        break;
    case SIM_DATAGRAM_WHOLE:
    case SIM_DATAGRAMS:
        break;
    }
    post(world, answer, at);
}

static void move_mail(struct sim_world *world)
{
    struct sl_node *node = &world->rig.node;
    for (uint8_t i = 0; i < world->mail_len;) {
        struct sim_mail mail = world->mail[i];
        if (mail.at > world->ms) {
            i++;
            continue;
        }
        world->mail[i] = world->mail[--world->mail_len];
        sl_node_sntp_feed(node, world->rig.now, (struct sl_view){mail.bytes, sizeof mail.bytes});
    }
    struct sl_view question = sl_node_sntp_peek(node);
    if (question.len == 0)
        return;
    enum sim_datagram fate =
        world->driver->datagram != NULL ? world->driver->datagram(world) : SIM_DATAGRAM_WHOLE;
    answer_time(world, question.data, fate);
    sl_node_sntp_sent(node);
}

/* One instant. */

static void turn(struct sim_world *world)
{
    if (!step(world, SIM_AT_TURN)) {
        sim_world_settle(world);
        return;
    }
    exchange(world);
    if (!world->is_asleep) {
        if (step(world, SIM_AT_LINE)) {
            rig_turn(&world->rig);
            move_mail(world);
            rig_turn(&world->rig);
        }
    }
    sim_world_settle(world);
    (void)step(world, SIM_AT_REST);
    sim_world_settle(world);
}

void sim_world_settle(struct sim_world *world)
{
    sim_judge_turn(world);
    if (world->is_asleep || !world->rig.has_finished)
        return;
    sim_judge_finished(world);
    sim_world_boot(world, world->judge.at_once);
}

void sim_world_boot(struct sim_world *world, uint8_t at_once)
{
    struct rig *rig = &world->rig;
    rig->config.limits.at_once = at_once;
    rig_boot(rig);
    world->is_answer_due = world->is_holding = world->stalls_in_exchange = false;
    world->is_stopping = false;
    world->exchanges = 0;
    world->booted_at = world->ms;
    world->mail_len = 0;
    world->counts.node_starts++;
    sim_judge_node_start(world, at_once);
    set_time(world);
}

void sim_world_stop(struct sim_world *world)
{
    world->is_stopping = true;
    sl_node_stop(&world->rig.node, world->rig.now);
    sim_judge_node_stop(world);
}

void sim_world_say(struct sim_world *world, const char *tail, struct test_mqtt_publish publish,
                   struct sim_asked asked)
{
    char topic[160];
    snprintf(topic, sizeof topic, RIG_BASE "/%s", tail);
    publish.topic = topic;
    world->acks_owed += publish.qos;
    sim_judge_asked(world, asked);
    test_mqtt_peer_publish(&world->rig.peer, &publish);
}
