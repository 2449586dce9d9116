/* What happens to a relay chip, as bytes: frames good and bad, and time. Read by the fuzz target,
 * which runs the engine compiled for this computer, and by the test that replays the same scripts
 * on the real firmware. */
#ifndef SL_TESTS_FUZZ_SLAVE_SCRIPT_H
#define SL_TESTS_FUZZ_SLAVE_SCRIPT_H

#include "base/crc.h"
#include "fuzz.h"
#include "link/frame.h"

#define SLAVE_FRAME_MAX 32

struct slave_step {
    uint8_t frame[SLAVE_FRAME_MAX];
    uint8_t frame_len; /* 0: none */
    uint32_t pass_ms;  /* after the frame */
};

struct slave_script {
    struct sl_reader input;
    uint8_t sequence;
    uint8_t last[SLAVE_FRAME_MAX]; /* the frame before */
    uint8_t last_len;
};

static inline void slave_seal(uint8_t frame[SL_FRAME_LEN])
{
    struct sl_writer crc = sl_writer_init(frame + SL_FRAME_LEN - 2, 2);
    sl_write_u16(&crc, sl_crc16(frame, SL_FRAME_LEN - 2));
}

/* Zones named in `mask` get a time each, the others 0. */
static inline void slave_read_order(struct slave_script *script, uint8_t frame[SL_FRAME_LEN])
{
    struct sl_order order = {.apply = true};
    uint8_t advance = fuzz_u8(&script->input);
    uint8_t mask = fuzz_u8(&script->input);
    uint8_t lease = fuzz_u8(&script->input);
    script->sequence = (uint8_t)(script->sequence + advance);
    order.sequence = script->sequence;
    order.lease_units = lease > 0 ? lease : 1;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        if (mask >> zone & 1)
            order.remaining_units[zone] = fuzz_u8(&script->input);
    sl_order_encode(&order, frame);
}

/* The next step; false at the end of the script. */
static inline bool slave_script_next(struct slave_script *script, struct slave_step *step)
{
    struct sl_reader *input = &script->input;
    struct sl_view bytes;

    memset(step, 0, sizeof *step);
    if (!fuzz_has_more(input))
        return false;
    switch (fuzz_u8(input) & 7) {
    case 0: /* any bytes */
        bytes = fuzz_take(input, fuzz_u8(input) % (SLAVE_FRAME_MAX + 1));
        step->frame_len = (uint8_t)bytes.len;
        if (bytes.len > 0)
            memcpy(step->frame, bytes.data, bytes.len);
        break;
    case 1: /* any bytes under a right checksum */
        bytes = fuzz_take(input, SL_FRAME_LEN - 2);
        step->frame_len = SL_FRAME_LEN;
        if (bytes.len > 0)
            memcpy(step->frame, bytes.data, bytes.len);
        slave_seal(step->frame);
        break;
    case 2:
    case 3:
        slave_read_order(script, step->frame);
        step->frame_len = SL_FRAME_LEN;
        break;
    case 4:
        step->pass_ms = fuzz_u16(input);
        break;
    case 5:
        step->pass_ms = fuzz_u8(input);
        break;
    case 6: /* the same frame once more */
        step->frame_len = script->last_len;
        memcpy(step->frame, script->last, sizeof step->frame);
        break;
    default: { /* a flipped bit, and the checksum set right again or not */
        uint8_t where = fuzz_u8(input);
        step->frame_len = script->last_len;
        memcpy(step->frame, script->last, sizeof step->frame);
        step->frame[(where >> 3) % SL_FRAME_LEN] ^= (uint8_t)(1u << (where & 7));
        if (fuzz_u8(input) & 1)
            slave_seal(step->frame);
    }
    }
    if (step->frame_len > 0) {
        script->last_len = step->frame_len;
        memcpy(script->last, step->frame, sizeof step->frame);
    }
    return true;
}

#endif
