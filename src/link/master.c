/* The node's side of the SPI link: wants in, exchanges out, read-back events up. */
#include "link/master.h"

#include <string.h>

#define ALL_ZONES 0xFF

/* What an adopted zone loses. The chip rounds its remaining time up to a unit when it tells us, we
 * round up again when we order: two units less, and its end moves nowhere later, however often the
 * node restarts. */
#define ADOPT_MARGIN_MS (2 * SL_LINK_UNIT_MS)

static uint8_t bit(uint8_t zone)
{
    return (uint8_t)(1u << zone);
}

static void clear(uint8_t *mask, uint8_t zones)
{
    *mask &= (uint8_t)~zones;
}

/* Events: one slot a kind with the zones as bits, so that none is lost and none piles up. */

static void post(struct sl_master *master, enum sl_link_event_kind kind, uint8_t zones)
{
    master->pending_kinds |= bit((uint8_t)kind);
    master->pending_zones[kind] |= zones;
}

static void post_zones(struct sl_master *master, enum sl_link_event_kind kind, uint8_t zones)
{
    if (zones != 0)
        post(master, kind, zones);
}

static void take_back(struct sl_master *master, enum sl_link_event_kind kind, uint8_t zones)
{
    clear(&master->pending_zones[kind], zones);
    if (master->pending_zones[kind] == 0)
        clear(&master->pending_kinds, bit((uint8_t)kind));
}

bool sl_master_next(struct sl_master *master, struct sl_link_event *event)
{
    for (int kind = SL_LINK_NONE + 1; kind < SL_LINK_KINDS; kind++) {
        if ((master->pending_kinds & bit((uint8_t)kind)) == 0)
            continue;
        event->kind = (enum sl_link_event_kind)kind;
        event->zones = master->pending_zones[kind];
        take_back(master, event->kind, ALL_ZONES);
        return true;
    }
    event->kind = SL_LINK_NONE;
    event->zones = 0;
    return false;
}

/* Wants. */

/* The next exchange shall come at an instant, unless it comes earlier anyway. */
static void hurry(struct sl_master *master, sl_ms now, sl_ms at)
{
    if (sl_ms_until(now, at) < sl_ms_until(now, master->exchange_due))
        master->exchange_due = at;
}

/* The wants of zones are new: order them at once and read them back. */
static void track(struct sl_master *master, sl_ms now, uint8_t zones)
{
    master->unconfirmed |= zones;
    clear(&master->ending, zones);
    clear(&master->doubted, zones);
    clear(&master->offered, zones);
    clear(&master->carried, zones);
    clear(&master->answered, zones);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        if (zones & bit(zone))
            master->tries[zone] = 0;
    hurry(master, now, now);
}

/* A new command makes older news about its zones void. */
static void supersede(struct sl_master *master, uint8_t zones)
{
    take_back(master, SL_LINK_CONFIRMED, zones);
    take_back(master, SL_LINK_ENDED, zones);
    take_back(master, SL_LINK_UNCONFIRMED, zones);
}

/* What could not be read back is not believed: order it off, and say so once. */
static void disown(struct sl_master *master, sl_ms now, uint8_t zones)
{
    clear(&master->wanted, zones);
    clear(&master->unconfirmed, zones);
    clear(&master->ending, zones);
    master->doubted |= zones;
    post_zones(master, SL_LINK_UNCONFIRMED, zones);
    hurry(master, now, now);
}

/* Zones whose time is up are wanted off from now on. */
static void expire(struct sl_master *master, sl_ms now)
{
    uint8_t over = 0;
    for (uint8_t zone = 0; master->wanted >> zone != 0; zone++)
        if ((master->wanted & bit(zone)) && sl_ms_is_reached(now, master->due_at[zone]))
            over |= bit(zone);
    if (over == 0)
        return;
    clear(&master->wanted, over);
    post_zones(master, SL_LINK_UNCONFIRMED, master->is_up ? over & master->unconfirmed : over);
    if (master->is_up) {
        track(master, now, over);
        master->ending |= over;
    }
}

enum sl_status sl_master_switch_on(struct sl_master *master, sl_ms now, uint8_t zone, sl_ms due)
{
    sl_master_tick(master, now);
    if (zone >= SL_ZONES || sl_ms_is_reached(now, due) ||
        due - now > (uint32_t)SL_LINK_UNITS_MAX * SL_LINK_UNIT_MS)
        return SL_BAD_ARGUMENT;
    if (!master->is_up)
        return SL_BAD_STATE;
    supersede(master, bit(zone));
    master->wanted |= bit(zone);
    master->due_at[zone] = due;
    track(master, now, bit(zone));
    return SL_OK;
}

void sl_master_switch_off(struct sl_master *master, sl_ms now, uint8_t zones)
{
    sl_master_tick(master, now);
    if (zones == 0)
        return;
    supersede(master, zones);
    clear(&master->wanted, zones);
    clear(&master->adoptable, zones);
    if (master->is_up)
        track(master, now, zones);
    else
        post(master, SL_LINK_UNCONFIRMED, zones);
}

uint32_t sl_master_remaining_ms(const struct sl_master *master, sl_ms now, uint8_t zone)
{
    if (zone >= SL_ZONES || (master->wanted & bit(zone)) == 0)
        return 0;
    return sl_ms_until(now, master->due_at[zone]);
}

/* Exchanges. */

bool sl_master_peek(struct sl_master *master, sl_ms now, uint8_t frame[SL_FRAME_LEN])
{
    sl_master_tick(master, now);
    if (master->is_waiting || !sl_ms_is_reached(now, master->exchange_due) ||
        !sl_ms_is_reached(now, master->quiet_until))
        return false;

    /* Unheard, an order may only close, and only when nothing could be kept. */
    bool may_keep = (master->wanted | master->adoptable) != 0;
    struct sl_order order = {
        .sequence = (uint8_t)(master->sequence + 1),
        .apply = master->is_up || !may_keep,
        .lease_units = master->lease_units,
    };
    master->offered = order.apply ? ALL_ZONES : 0;
    for (uint8_t zone = 0; order.apply && zone < SL_ZONES; zone++) {
        if ((master->wanted & bit(zone)) == 0)
            continue;
        /* A new want of a latched zone: the chip starts it only after a 0. */
        if (master->unconfirmed & master->latched & bit(zone)) {
            clear(&master->offered, bit(zone));
            continue;
        }
        uint32_t left_ms = sl_ms_until(now, master->due_at[zone]);
        order.remaining_units[zone] = (uint16_t)((left_ms + SL_LINK_UNIT_MS - 1) / SL_LINK_UNIT_MS);
    }
    sl_order_encode(&order, frame);
    return true;
}

void sl_master_sent(struct sl_master *master, sl_ms now)
{
    sl_master_tick(master, now);
    if (master->is_waiting)
        return;
    master->is_waiting = true;
    master->sequence++;
    master->exchanges++;
    master->answered = master->carried;
    master->carried = master->offered;
    master->offered = 0;
    master->answered_at = master->sent_at;
    master->sent_at = now;
    master->answer_due = now + SL_MASTER_ANSWER_MS;
    master->exchange_due = now + SL_LINK_PERIOD_MS;
}

/* An exchange is over, well or badly: count the tries, and plan the next one. */
static void finish(struct sl_master *master, sl_ms now)
{
    master->is_waiting = false;
    master->quiet_until = now + SL_MASTER_GAP_MS;

    uint8_t given_up = 0;
    bool is_young = (master->unconfirmed & ~master->carried) != 0;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        if ((master->unconfirmed & bit(zone)) == 0)
            continue;
        master->tries[zone]++;
        if (master->tries[zone] >= SL_MASTER_TRIES)
            given_up |= bit(zone);
        is_young = is_young || master->tries[zone] == 1;
    }
    if (given_up != 0)
        disown(master, now, given_up);
    if (master->follow_ups > 0) {
        master->follow_ups--;
        hurry(master, now, now + SL_MASTER_GAP_MS);
    }
    if (master->unconfirmed != 0)
        hurry(master, now, now + (is_young ? SL_MASTER_GAP_MS : SL_MASTER_RETRY_MS));
}

/* The chip was reset: it is closed, and stays closed until somebody asks again. */
static void drop_all(struct sl_master *master)
{
    uint8_t fell = master->wanted;
    uint8_t unread = fell & master->unconfirmed;
    post(master, SL_LINK_CHIP_RESET, fell);
    post_zones(master, SL_LINK_UNCONFIRMED, unread);
    post_zones(master, SL_LINK_ENDED, fell ^ unread);
    clear(&master->unconfirmed, fell);
    master->wanted = 0;
    master->adoptable = 0;
}

/* Bring both memories together before the first order after a start or a silence. */
static void adopt(struct sl_master *master, sl_ms now)
{
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        uint32_t left_ms = (uint32_t)master->status.remaining_units[zone] * SL_LINK_UNIT_MS;
        sl_ms chip_due = master->answered_at + left_ms;
        bool runs = left_ms > 0 && (master->status.latched & bit(zone)) == 0;

        master->agreed_at[zone] = now;
        if (master->wanted & bit(zone)) {
            if (!runs) {
                clear(&master->wanted, bit(zone));
                post(master, SL_LINK_ENDED, bit(zone));
            } else if (sl_ms_until(now, chip_due) < sl_ms_until(now, master->due_at[zone])) {
                master->due_at[zone] = chip_due;
            }
        } else if ((master->adoptable & bit(zone)) && runs &&
                   sl_ms_until(now, chip_due) > ADOPT_MARGIN_MS) {
            master->wanted |= bit(zone);
            master->due_at[zone] = chip_due - ADOPT_MARGIN_MS;
        }
    }
    master->adoptable = 0;
    master->doubted = 0;
    master->is_up = true;
    post(master, SL_LINK_UP, master->wanted);
    hurry(master, now, now);
}

/* What a status that speaks for the present says about every zone. */
static void judge(struct sl_master *master, sl_ms now)
{
    const struct sl_chip_status *status = &master->status;
    /* Newly latched zones get their order of 0 and its read-back now, so that the next command for
     * them finds them ready. */
    if (status->latched & ~master->latched)
        master->follow_ups = 2;
    master->latched = status->latched;

    uint8_t ended = master->wanted & status->latched & (uint8_t)~master->unconfirmed;
    if (ended != 0) {
        clear(&master->wanted, ended);
        post(master, SL_LINK_ENDED, ended);
        hurry(master, now, now);
    }

    uint8_t running = 0;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        if (status->remaining_units[zone] > 0)
            running |= bit(zone);
    uint8_t pins_agree = (uint8_t) ~(status->pins ^ master->wanted);
    uint8_t chip_agrees = (uint8_t) ~(running ^ master->wanted);
    uint8_t read_back = master->unconfirmed & master->answered & pins_agree & chip_agrees;
    uint8_t over = read_back & master->ending;
    post_zones(master, SL_LINK_ENDED, over);
    post_zones(master, SL_LINK_CONFIRMED, read_back ^ over);
    clear(&master->unconfirmed, read_back);
    clear(&master->ending, read_back);

    clear(&master->doubted, pins_agree);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        if ((pins_agree | master->unconfirmed) & bit(zone))
            master->agreed_at[zone] = now;
        else if ((master->doubted & bit(zone)) == 0 &&
                 sl_ms_is_reached(now, master->agreed_at[zone] + SL_MASTER_DOUBT_MS))
            disown(master, now, bit(zone));
    }
}

static void take(struct sl_master *master, sl_ms now, const struct sl_chip_status *status)
{
    const struct sl_chip_status before = master->status;
    bool is_first = !master->has_status;
    /* Every exchange has its own sequence, so one that did not move was not heard. */
    bool is_news = is_first || status->sequence != before.sequence;
    bool is_answer = !is_first && is_news && status->sequence == (uint8_t)(master->sequence - 1);
    bool is_fresh = (status->flags & SL_STATUS_FRESH) && !(before.flags & SL_STATUS_FRESH);
    bool was_reset = !is_first && (is_fresh || status->reset_cause != before.reset_cause);

    master->status = *status;
    master->has_status = true;
    post_zones(master, SL_LINK_PINS, before.pins ^ status->pins);
    if (was_reset)
        drop_all(master);
    if (is_answer) {
        master->silence_due = now + SL_MASTER_SILENCE_MS;
        if (!master->is_up)
            adopt(master, now);
        judge(master, now);
    } else if (!master->is_up && is_news) {
        hurry(master, now, now); /* it talks: the next exchange tells whether it also hears */
    }
}

void sl_master_feed(struct sl_master *master, sl_ms now, const uint8_t *frame, size_t len)
{
    sl_master_tick(master, now);
    if (!master->is_waiting)
        return;
    struct sl_chip_status status;
    if (len == SL_FRAME_LEN && sl_chip_status_decode(frame, &status) == SL_OK)
        take(master, now, &status);
    else
        master->bad_frames++;
    finish(master, now);
}

/* Time. */

static void go_down(struct sl_master *master)
{
    master->is_up = false;
    /* An UP that nobody has pulled is taken back instead, so that the last one given is true. */
    if (master->pending_kinds & bit(SL_LINK_UP))
        take_back(master, SL_LINK_UP, ALL_ZONES);
    else
        post(master, SL_LINK_DOWN, 0);
    clear(&master->wanted, master->unconfirmed);
    post_zones(master, SL_LINK_UNCONFIRMED, master->unconfirmed);
    master->unconfirmed = 0;
    master->ending = 0;
}

void sl_master_tick(struct sl_master *master, sl_ms now)
{
    /* At its own instant, however late the tick comes: so extra ticks change nothing. */
    if (master->is_waiting && sl_ms_is_reached(now, master->answer_due)) {
        expire(master, master->answer_due);
        master->bad_frames++;
        finish(master, master->answer_due);
    }
    expire(master, now);
    if (master->is_up && sl_ms_is_reached(now, master->silence_due))
        go_down(master);
}

bool sl_master_deadline(const struct sl_master *master, sl_ms now, sl_ms *due)
{
    bool has = false;
    if (master->is_waiting)
        sl_ms_earliest(now, &has, due, master->answer_due);
    else if (sl_ms_until(now, master->quiet_until) > sl_ms_until(now, master->exchange_due))
        sl_ms_earliest(now, &has, due, master->quiet_until);
    else
        sl_ms_earliest(now, &has, due, master->exchange_due);
    if (master->is_up)
        sl_ms_earliest(now, &has, due, master->silence_due);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        if (master->wanted & bit(zone))
            sl_ms_earliest(now, &has, due, master->due_at[zone]);
    return has;
}

void sl_master_init(struct sl_master *master, sl_ms now, uint32_t lease_ms)
{
    if (lease_ms < SL_MASTER_LEASE_MIN_MS)
        lease_ms = SL_MASTER_LEASE_MIN_MS;
    if (lease_ms > SL_MASTER_LEASE_MAX_MS)
        lease_ms = SL_MASTER_LEASE_MAX_MS;
    memset(master, 0, sizeof *master);
    master->lease_units = (uint8_t)((lease_ms + SL_LINK_UNIT_MS - 1) / SL_LINK_UNIT_MS);
    master->adoptable = ALL_ZONES;
    master->exchange_due = now;
    master->quiet_until = now;
    master->sent_at = now;
    master->answered_at = now;
}
