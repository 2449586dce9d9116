/* Master and chip on one wire, in virtual milliseconds, with faults on request. */
#include "unit/link/wire.h"

#include <string.h>

#define VERSION 0x10

uint32_t test_wire_random(struct test_wire *wire, uint32_t below)
{
    /* xorshift32 (Marsaglia 2003) */
    wire->random ^= wire->random << 13;
    wire->random ^= wire->random >> 17;
    wire->random ^= wire->random << 5;
    return (uint32_t)((uint64_t)wire->random * below >> 32);
}

static bool chance(struct test_wire *wire, uint16_t permille)
{
    return permille > 0 && test_wire_random(wire, 1000) < permille;
}

static void trace(struct test_wire *wire, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        wire->trace = (wire->trace ^ bytes[i]) * 16777619u; /* FNV-1a */
}

uint8_t test_wire_pins(const struct test_wire *wire)
{
    return (uint8_t)((sl_slave_outputs(&wire->slave) | wire->stuck_on) & ~wire->stuck_off);
}

static void write_status(struct test_wire *wire)
{
    sl_slave_peek(&wire->slave, test_wire_pins(wire), VERSION, wire->status);
}

void test_wire_reset_chip(struct test_wire *wire, uint8_t cause)
{
    uint32_t limits[SL_ZONES];
    for (int zone = 0; zone < SL_ZONES; zone++)
        limits[zone] = TEST_HARD_LIMIT_MS;
    sl_slave_init(&wire->slave, cause, limits);
    wire->order.is_there = false;
    write_status(wire);
}

void test_wire_restart_node(struct test_wire *wire)
{
    sl_master_init(&wire->master, wire->now, SL_LINK_LEASE_MS);
    wire->answer.is_there = false;
}

void test_wire_init(struct test_wire *wire, sl_ms now, uint32_t seed)
{
    memset(wire, 0, sizeof *wire);
    wire->now = now;
    wire->random = seed * 2654435761u | 1;
    wire->clock_permille = 1000;
    wire->applied_at = now;
    test_wire_reset_chip(wire, SL_RESET_POWER_ON);
    test_wire_restart_node(wire);
}

/* One to three wrong bits, which the CRC always finds; a wrong length; or another line state. */
static void spoil(struct test_wire *wire, struct test_packet *packet)
{
    switch (test_wire_random(wire, 5)) {
    case 0:
        packet->len = (uint8_t)test_wire_random(wire, SL_FRAME_LEN);
        break;
    case 1:
        packet->len = SL_FRAME_LEN + 1;
        break;
    case 2:
        memset(packet->bytes, test_wire_random(wire, 2) ? 0xFF : 0x00, SL_FRAME_LEN);
        break;
    default:
        for (uint32_t n = 1 + test_wire_random(wire, 3); n > 0; n--) {
            uint32_t where = test_wire_random(wire, SL_FRAME_LEN * 8);
            packet->bytes[where / 8] ^= (uint8_t)(1u << where % 8);
        }
        /* The same bit twice is no error: make one that is. */
        packet->bytes[0] ^= 0x80;
        break;
    }
}

static void load(struct test_wire *wire, struct test_packet *packet, const uint8_t *frame,
                 uint16_t noise)
{
    packet->is_there = true;
    packet->len = SL_FRAME_LEN;
    memcpy(packet->bytes, frame, SL_FRAME_LEN);
    if (chance(wire, noise))
        spoil(wire, packet);
}

static void deliver_order(struct test_wire *wire)
{
    struct sl_order order;
    struct test_packet *packet = &wire->order;
    bool is_repeat =
        packet->bytes[1] == wire->slave.sequence && (wire->slave.flags & SL_STATUS_FRESH) == 0;
    packet->is_there = false;
    if (packet->len == SL_FRAME_LEN && sl_order_decode(packet->bytes, &order) == SL_OK &&
        order.apply && !is_repeat) {
        wire->applied_at = wire->now;
        wire->applied++;
    }
    sl_slave_feed(&wire->slave, packet->bytes, packet->len);
    write_status(wire);
}

static void exchange(struct test_wire *wire, const uint8_t *frame)
{
    const struct test_faults *faults = &wire->faults;
    sl_ms at = wire->now + 1 + test_wire_random(wire, faults->delay_max_ms + 1u);

    if (wire->order.is_there) /* one exchange at a time: the last one was given up */
        deliver_order(wire);
    if (!chance(wire, faults->mosi_loss)) {
        load(wire, &wire->order, frame, faults->mosi_noise);
        wire->order.at = at;
    }
    if (!wire->answer.is_there && !chance(wire, faults->miso_loss)) {
        load(wire, &wire->answer, wire->status, faults->miso_noise);
        wire->answer.at = at;
    }
}

static void node_turn(struct test_wire *wire)
{
    uint8_t frame[SL_FRAME_LEN];
    sl_ms due;
    for (uint8_t i = 0; i < wire->extra_ticks; i++)
        sl_master_tick(&wire->master, wire->now);
    if (wire->is_lazy &&
        (!sl_master_deadline(&wire->master, wire->now, &due) || !sl_ms_is_reached(wire->now, due)))
        return;
    if (sl_master_peek(&wire->master, wire->now, frame)) {
        trace(wire, frame, sizeof frame);
        memcpy(wire->last_frame, frame, sizeof frame);
        sl_master_sent(&wire->master, wire->now);
        exchange(wire, frame);
    }
}

void test_wire_step(struct test_wire *wire)
{
    const uint8_t mark = 0;
    wire->now++;
    trace(wire, &mark, 1);

    wire->clock_rest = (uint16_t)(wire->clock_rest + wire->clock_permille);
    sl_slave_tick(&wire->slave, wire->clock_rest / 1000);
    wire->clock_rest %= 1000;

    if (wire->order.is_there && sl_ms_is_reached(wire->now, wire->order.at))
        deliver_order(wire);
    if (wire->is_node_asleep)
        return;
    if (wire->answer.is_there && sl_ms_is_reached(wire->now, wire->answer.at)) {
        wire->answer.is_there = false;
        sl_master_feed(&wire->master, wire->now, wire->answer.bytes, wire->answer.len);
    }
    node_turn(wire);
}

bool test_wire_pull(struct test_wire *wire, struct sl_link_event *event)
{
    if (!sl_master_next(&wire->master, event))
        return false;
    const uint8_t bytes[2] = {(uint8_t)event->kind, event->zones};
    trace(wire, bytes, sizeof bytes);
    wire->given[event->kind]++;
    wire->given_zones[event->kind] |= event->zones;
    return true;
}

void test_wire_run(struct test_wire *wire, uint32_t ms)
{
    struct sl_link_event event;
    while (test_wire_pull(wire, &event))
        continue;
    for (; ms > 0; ms--) {
        test_wire_step(wire);
        while (test_wire_pull(wire, &event))
            continue;
    }
}

void test_wire_forget(struct test_wire *wire)
{
    memset(wire->given, 0, sizeof wire->given);
    memset(wire->given_zones, 0, sizeof wire->given_zones);
}
