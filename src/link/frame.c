/* The codec of the link's two frames. Shared with the AVR: fixed offsets, no cursor, no division.
 */
#include "link/frame.h"

#include "base/crc.h"
#include <string.h>

#define ORDER_START  0x51
#define STATUS_START 0xA1
#define CRC_AT       (SL_FRAME_LEN - 2)
#define REMAINING_AT 4
#define TAIL_AT      (REMAINING_AT + 2 * SL_ZONES)

#define ORDER_FLAGS  SL_ORDER_APPLY
#define STATUS_FLAGS (SL_STATUS_LEASE_ENDED | SL_STATUS_HARD_LIMIT | SL_STATUS_FRESH)
#define RESET_CAUSES                                                                               \
    (SL_RESET_POWER_ON | SL_RESET_EXTERNAL | SL_RESET_BROWN_OUT | SL_RESET_WATCHDOG)

static void put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint16_t get_u16(const uint8_t *at)
{
    return (uint16_t)((unsigned)at[0] << 8 | at[1]);
}

static void put_remaining(uint8_t *frame, const uint16_t units[SL_ZONES])
{
    uint8_t *at = frame + REMAINING_AT;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++, at += 2)
        put_u16(at, units[zone]);
}

static void get_remaining(const uint8_t *frame, uint16_t units[SL_ZONES])
{
    const uint8_t *at = frame + REMAINING_AT;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++, at += 2)
        units[zone] = get_u16(at);
}

/* Checksum first: until it fits, no byte means anything, the version included. */
static enum sl_status check(const uint8_t *frame, uint8_t start)
{
    if (sl_crc16(frame, CRC_AT) != get_u16(frame + CRC_AT))
        return SL_CORRUPT;
    return frame[0] == start ? SL_OK : SL_UNSUPPORTED;
}

void sl_order_encode(const struct sl_order *order, uint8_t frame[SL_FRAME_LEN])
{
    frame[0] = ORDER_START;
    frame[1] = order->sequence;
    frame[2] = order->apply ? SL_ORDER_APPLY : 0;
    frame[3] = order->lease_units;
    put_remaining(frame, order->remaining_units);
    memset(frame + TAIL_AT, 0, CRC_AT - TAIL_AT);
    put_u16(frame + CRC_AT, sl_crc16(frame, CRC_AT));
}

enum sl_status sl_order_decode(const uint8_t frame[SL_FRAME_LEN], struct sl_order *order)
{
    memset(order, 0, sizeof *order);
    enum sl_status status = check(frame, ORDER_START);
    if (status != SL_OK)
        return status;

    bool apply = (frame[2] & SL_ORDER_APPLY) != 0;
    if ((frame[2] & ~ORDER_FLAGS) != 0 || (apply && frame[3] == 0))
        return SL_MALFORMED;
    for (uint8_t i = TAIL_AT; i < CRC_AT; i++)
        if (frame[i] != 0)
            return SL_MALFORMED;

    order->sequence = frame[1];
    order->apply = apply;
    order->lease_units = frame[3];
    get_remaining(frame, order->remaining_units);
    return SL_OK;
}

void sl_chip_status_encode(const struct sl_chip_status *status, uint8_t frame[SL_FRAME_LEN])
{
    frame[0] = STATUS_START;
    frame[1] = status->sequence;
    frame[2] = status->flags;
    frame[3] = status->pins;
    put_remaining(frame, status->remaining_units);
    frame[TAIL_AT] = status->latched;
    frame[TAIL_AT + 1] = status->reset_cause;
    frame[TAIL_AT + 2] = status->dropped_frames;
    frame[TAIL_AT + 3] = status->version;
    put_u16(frame + CRC_AT, sl_crc16(frame, CRC_AT));
}

enum sl_status sl_chip_status_decode(const uint8_t frame[SL_FRAME_LEN],
                                     struct sl_chip_status *status)
{
    memset(status, 0, sizeof *status);
    enum sl_status result = check(frame, STATUS_START);
    if (result != SL_OK)
        return result;

    if ((frame[2] & ~STATUS_FLAGS) != 0 || (frame[TAIL_AT + 1] & ~RESET_CAUSES) != 0)
        return SL_MALFORMED;

    status->sequence = frame[1];
    status->flags = frame[2];
    status->pins = frame[3];
    get_remaining(frame, status->remaining_units);
    status->latched = frame[TAIL_AT];
    status->reset_cause = frame[TAIL_AT + 1];
    status->dropped_frames = frame[TAIL_AT + 2];
    status->version = frame[TAIL_AT + 3];
    return SL_OK;
}
