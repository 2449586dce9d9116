/* Commands become orders for the relay chip; what it reads back settles them. */
#include "node/control.h"
#include "node/node.h"

#define ALL_ZONES       0xFF
#define EARLY_MS        1000 /* an end that much before its time is worth a warning */
#define LEASE_MARGIN_MS 1000

static uint8_t bit_of(uint8_t zone)
{
    return (uint8_t)(1u << zone);
}

static void refuse(struct sl_command *command, enum sl_refusal refusal, uint32_t number)
{
    command->refusal = refusal;
    command->number = number;
}

/* Gives: the zones whose pins must be read back. */
static uint8_t switch_off(struct sl_node *node, sl_ms now, uint8_t zones)
{
    sl_answers_overtake(&node->answers, zones);
    sl_zone_clear(&node->zones, zones);
    sl_master_switch_off(&node->master, now, zones);
    return zones;
}

/* The rules are asked on a copy first: a refused command must not cost another zone its water. */
static uint8_t switch_on(struct sl_node *node, sl_ms now, struct sl_command *command)
{
    struct sl_zones zones = node->zones;
    uint8_t bit = bit_of(command->zone), displaced = 0;
    uint32_t seconds = command->is_default ? zones.limits.default_s : command->seconds;
    switch (sl_zone_switch(&zones, now, command->zone, seconds, &displaced)) {
    case SL_ZONE_OK:
        break;
    case SL_ZONE_NO_SUCH_ZONE:
        refuse(command, SL_REFUSAL_NO_SUCH_ZONE, command->zone);
        return 0;
    case SL_ZONE_NO_OUTPUT:
        refuse(command, SL_REFUSAL_NO_OUTPUT, zones.limits.zones - 1u);
        return 0;
    case SL_ZONE_TOO_LONG:
        refuse(command, SL_REFUSAL_TOO_LONG, zones.limits.longest_s);
        return 0;
    }
    if (!node->master.is_up) {
        refuse(command, SL_REFUSAL_LINK_DOWN, 0);
        return 0;
    }
    sl_answers_overtake(&node->answers, (uint8_t)(bit | displaced));
    if (displaced != 0) { /* off before on: at no moment more zones than allowed */
        sl_master_switch_off(&node->master, now, displaced);
        sl_log_push(&node->log, SL_LOG_ZONE_OFF, displaced, 0);
    }
    if (sl_master_switch_on(&node->master, now, command->zone, zones.due_at[command->zone]) !=
        SL_OK) {
        sl_zone_clear(&node->zones, displaced);
        refuse(command, SL_REFUSAL_LINK_DOWN, 0);
        return 0;
    }
    node->zones = zones;
    node->counters.switched++;
    sl_log_push(&node->log, SL_LOG_ZONE_ON, command->zone, (int32_t)seconds);
    return bit | displaced;
}

/* A session is open, so its handshake is over and lends its memory. */
static void renew(struct sl_node *node, sl_ms now, struct sl_command *command,
                  struct sl_view payload)
{
    uint32_t number = 0;
    enum sl_refusal refusal;

    if (command->topic == SL_TOPIC_RENEW)
        refusal = sl_renewal_ask(&node->renewal, now);
    else
        refusal = sl_renewal_feed(&node->renewal, payload, sl_clock_utc(&node->clock, now),
                                  &node->connection.tls.chain, &number);
    node->outbox.wants_report = true;
    refuse(command, refusal, number);
}

/* Gives: the zones whose pins must be read back; the refusal in *command. */
static uint8_t carry_out(struct sl_node *node, sl_ms now, struct sl_command *command,
                         struct sl_view payload)
{
    if (command->topic == SL_TOPIC_STATUS) {
        node->outbox.wants_report = true;
        return 0;
    }
    if (node->is_stopping) {
        refuse(command, SL_REFUSAL_STOPPING, 0);
        return 0;
    }
    if (command->topic == SL_TOPIC_RENEW || command->topic == SL_TOPIC_ISSUE) {
        renew(node, now, command, payload);
        return 0;
    }
    if (command->zone != SL_COMMAND_ALL && (command->is_default || command->seconds > 0))
        return switch_on(node, now, command);
    uint8_t zones = command->zone == SL_COMMAND_ALL ? ALL_ZONES : bit_of(command->zone);
    sl_log_push(&node->log, SL_LOG_ZONE_OFF, zones, 0);
    return switch_off(node, now, zones);
}

void sl_control_feed(struct sl_node *node, sl_ms now, const struct sl_mqtt_message *message)
{
    struct sl_command command = sl_command_decode(node->config.identity->base, message);
    uint8_t waiting = 0;
    if (command.refusal == SL_REFUSAL_NONE)
        waiting = carry_out(node, now, &command, message->payload);
    if (command.refusal != SL_REFUSAL_NONE)
        sl_log_push(&node->log, SL_LOG_REFUSED, (int32_t)command.refusal, (int32_t)command.number);
    sl_answers_add(&node->answers, now, &command, message, waiting);
}

/* After a pause of the link the chip and the node may remember differently: the master has made
 * the safe choice of the two, take it over. */
static void adopt(struct sl_node *node, sl_ms now)
{
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        uint32_t remaining_ms = sl_master_remaining_ms(&node->master, now, zone);
        if (remaining_ms == 0)
            sl_zone_clear(&node->zones, bit_of(zone));
        else
            sl_zone_adopt(&node->zones, now, zone, remaining_ms);
    }
}

static void take_link_down(struct sl_node *node, sl_ms now)
{
    uint32_t lease_ms = node->config.lease_ms;
    node->is_lease_running = true;
    node->lease_due = now + lease_ms + lease_ms / 8 + LEASE_MARGIN_MS;
    sl_answers_fail(&node->answers, ALL_ZONES, SL_REFUSAL_LEASE);
    sl_log_push(&node->log, SL_LOG_LINK_DOWN, (int32_t)((lease_ms + 999) / 1000), 0);
}

static void take_ended(struct sl_node *node, sl_ms now, uint8_t zones)
{
    uint8_t on_time = 0, early = 0;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        uint8_t bit = bit_of(zone);
        if ((zones & node->zones.on & bit) == 0)
            continue;
        if (sl_zone_remaining_ms(&node->zones, now, zone) > EARLY_MS)
            early |= bit;
        else
            on_time |= bit;
    }
    sl_zone_clear(&node->zones, zones);
    if (on_time != 0)
        sl_log_push(&node->log, SL_LOG_TIME_UP, on_time, 0);
    if (early != 0)
        sl_log_push(&node->log, SL_LOG_ENDED_EARLY, early, 0);
}

/* The master has ordered off what did not do as it was told. */
static void take_unconfirmed(struct sl_node *node, uint8_t zones)
{
    sl_zone_clear(&node->zones, zones);
    sl_answers_fail(&node->answers, zones,
                    node->master.is_up ? SL_REFUSAL_NOT_READ_BACK : SL_REFUSAL_LEASE);
    if (node->master.is_up)
        sl_log_push(&node->log, SL_LOG_UNCONFIRMED, zones, 0);
}

bool sl_control_next(struct sl_node *node, sl_ms now)
{
    struct sl_link_event event;
    if (!sl_master_next(&node->master, &event))
        return false;
    switch (event.kind) {
    case SL_LINK_UP:
        node->is_lease_running = false;
        adopt(node, now);
        sl_log_push(&node->log, SL_LOG_LINK_UP, node->master.status.version, 0);
        break;
    case SL_LINK_DOWN:
        take_link_down(node, now);
        break;
    case SL_LINK_CONFIRMED:
        sl_answers_confirm(&node->answers, event.zones);
        return true;
    case SL_LINK_UNCONFIRMED:
        take_unconfirmed(node, event.zones);
        break;
    case SL_LINK_ENDED:
        take_ended(node, now, event.zones);
        break;
    case SL_LINK_CHIP_RESET:
        adopt(node, now);
        sl_log_push(&node->log, SL_LOG_CHIP_RESET, node->master.status.reset_cause, 0);
        break;
    case SL_LINK_PINS:
        break;
    case SL_LINK_NONE:
        return true;
    }
    node->outbox.wants_report = true;
    return true;
}

void sl_control_tick(struct sl_node *node, sl_ms now)
{
    sl_master_tick(&node->master, now);
    uint8_t ended = sl_zone_tick(&node->zones, now), late = 0;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        if ((ended & bit_of(zone)) != 0 && sl_master_remaining_ms(&node->master, now, zone) > 0)
            late |= bit_of(zone); /* adopted with more time than the rules allow */
    sl_master_switch_off(&node->master, now, late);
    if (ended != 0)
        sl_log_push(&node->log, SL_LOG_TIME_UP, ended, 0);
    if (node->is_lease_running && sl_ms_is_reached(now, node->lease_due)) {
        node->is_lease_running = false;
        sl_zone_clear(&node->zones, ALL_ZONES);
        node->outbox.wants_report = true;
    }
    sl_answers_tick(&node->answers, now);
}

void sl_control_deadline(const struct sl_node *node, sl_ms now, bool *has, sl_ms *due)
{
    sl_ms candidate;
    if (sl_master_deadline(&node->master, now, &candidate))
        sl_ms_earliest(now, has, due, candidate);
    if (sl_zone_deadline(&node->zones, now, &candidate))
        sl_ms_earliest(now, has, due, candidate);
    if (node->is_lease_running)
        sl_ms_earliest(now, has, due, node->lease_due);
    sl_answers_deadline(&node->answers, now, has, due);
}

void sl_control_close(struct sl_node *node, sl_ms now)
{
    switch_off(node, now, ALL_ZONES);
}

uint8_t sl_control_pins(const struct sl_node *node)
{
    return node->master.is_up || node->is_lease_running ? node->master.status.pins : 0;
}

bool sl_control_reads_back(const struct sl_node *node)
{
    return !node->master.has_status || node->master.status.version != SL_CHIP_VERSION_BLIND;
}

uint32_t sl_control_remaining_s(const struct sl_node *node, sl_ms now, uint8_t zones)
{
    uint32_t longest_ms = 0;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        uint32_t remaining_ms = sl_zone_remaining_ms(&node->zones, now, zone);
        if ((zones & bit_of(zone)) != 0 && remaining_ms > longest_ms)
            longest_ms = remaining_ms;
    }
    return (longest_ms + 999) / 1000;
}

bool sl_control_is_closed(const struct sl_node *node)
{
    return node->master.is_up && node->master.unconfirmed == 0 && node->master.status.pins == 0;
}
