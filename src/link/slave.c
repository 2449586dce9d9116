/* The relay chip's engine. 8-bit friendly: no division, no 64-bit arithmetic, 100 bytes of state.
 */
#include "link/slave.h"

#include <string.h>

#define ALL_ZONES 0xFF

static uint8_t bit(uint8_t zone)
{
    return (uint8_t)(1u << zone);
}

static void start(struct sl_slave_count *count, uint16_t units)
{
    count->units = units;
    count->left_ms = units > 0 ? SL_LINK_UNIT_MS : 0;
}

/* Count down by ms. True: this made it end. */
static bool count_down(struct sl_slave_count *count, uint32_t ms)
{
    if (count->units == 0)
        return false;
    while (ms >= count->left_ms) {
        ms -= count->left_ms;
        count->left_ms = SL_LINK_UNIT_MS;
        if (--count->units == 0) {
            count->left_ms = 0;
            return true;
        }
    }
    count->left_ms = (uint8_t)(count->left_ms - ms);
    return false;
}

/* Off by other means than an order. */
static void latch(struct sl_slave *slave, uint8_t zone)
{
    start(&slave->remaining[zone], 0);
    slave->latched |= bit(zone);
}

static void apply(struct sl_slave *slave, const struct sl_order *order)
{
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        uint16_t units = order->remaining_units[zone];
        if (units == 0 && slave->hard_limit_ms[zone] > 0) {
            slave->latched &= (uint8_t)~bit(zone);
            slave->limited &= (uint8_t)~bit(zone);
            slave->on_ms[zone] = 0;
        }
        if ((slave->latched & bit(zone)) == 0)
            start(&slave->remaining[zone], units);
    }
    start(&slave->lease, order->lease_units);
    slave->flags = 0;
}

void sl_slave_init(struct sl_slave *slave, uint8_t reset_cause,
                   const uint32_t hard_limit_ms[SL_ZONES])
{
    memset(slave, 0, sizeof *slave);
    memcpy(slave->hard_limit_ms, hard_limit_ms, sizeof slave->hard_limit_ms);
    slave->latched = ALL_ZONES;
    slave->flags = SL_STATUS_FRESH;
    slave->reset_cause = reset_cause;
}

void sl_slave_feed(struct sl_slave *slave, const uint8_t *frame, uint8_t len)
{
    struct sl_order order;
    if (len != SL_FRAME_LEN || sl_order_decode(frame, &order) != SL_OK) {
        if (slave->dropped_frames < UINT8_MAX)
            slave->dropped_frames++;
        return;
    }
    /* A fresh chip has no last sequence that could be repeated. */
    bool is_fresh = (slave->flags & SL_STATUS_FRESH) != 0;
    bool is_repeat = !is_fresh && order.sequence == slave->sequence;
    slave->sequence = order.sequence;
    if (order.apply && !is_repeat)
        apply(slave, &order);
}

void sl_slave_tick(struct sl_slave *slave, uint16_t elapsed_ms)
{
    /* elapsed_ms * 9 / 8 without a product that could overflow. */
    uint8_t eighths = (uint8_t)(slave->eighths + (elapsed_ms & 7));
    uint32_t counted_ms = (uint32_t)elapsed_ms + (elapsed_ms >> 3) + (eighths >> 3);
    slave->eighths = eighths & 7;

    bool lease_ended = count_down(&slave->lease, counted_ms);
    if (lease_ended)
        slave->flags |= SL_STATUS_LEASE_ENDED;

    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        if (slave->remaining[zone].units == 0)
            continue;
        slave->on_ms[zone] += elapsed_ms;
        bool is_limited = slave->on_ms[zone] >= slave->hard_limit_ms[zone];
        if (is_limited)
            slave->limited |= bit(zone);
        if (count_down(&slave->remaining[zone], counted_ms) || lease_ended || is_limited)
            latch(slave, zone);
    }
}

uint8_t sl_slave_outputs(const struct sl_slave *slave)
{
    uint8_t outputs = 0;
    if (slave->lease.units == 0) /* holds without it; a flipped bit in RAM opens nothing alone */
        return outputs;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        if (slave->remaining[zone].units > 0)
            outputs |= bit(zone);
    return outputs;
}

void sl_slave_peek(const struct sl_slave *slave, uint8_t pins, uint8_t version,
                   uint8_t frame[SL_FRAME_LEN])
{
    struct sl_chip_status status = {
        .sequence = slave->sequence,
        .flags = slave->flags,
        .pins = pins,
        .latched = slave->latched,
        .reset_cause = slave->reset_cause,
        .dropped_frames = slave->dropped_frames,
        .version = version,
    };
    if (slave->limited != 0)
        status.flags |= SL_STATUS_HARD_LIMIT;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        status.remaining_units[zone] = slave->remaining[zone].units;
    sl_chip_status_encode(&status, frame);
}
