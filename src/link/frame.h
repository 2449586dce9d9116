/* The two frames of the SPI link, 26 bytes each, exchanged at the same time.
 *
 * The master's frame says what every zone should do; the chip's frame, clocked out during the next
 * exchange, says what became of it. Wire layout: docs/spec/spi-link.md.
 *
 *   byte   order (master to chip)            status (chip to master)
 *   0      0x51: order, link version 1       0xA1: status, link version 1
 *   1      sequence                          sequence of the last valid order
 *   2      flags (SL_ORDER_*)                flags (SL_STATUS_*)
 *   3      lease in units of 250 ms          pins read back, bit z = 1: zone z conducts
 *   4..19  remaining time, 8 x 16 bits       remaining time, 8 x 16 bits
 *   20     0                                 zones at rest that need a zero order first (latched)
 *   21     0                                 cause of the last reset (SL_RESET_*)
 *   22     0                                 frames dropped: CRC, length or version (saturates)
 *   23     0                                 firmware version, major << 4 | minor, or
 *                                            SL_CHIP_VERSION_BLIND
 *   24..25 CRC-16/XMODEM of bytes 0..23      CRC-16/XMODEM of bytes 0..23
 *
 * Remaining times are in units of 250 ms, rounded up; 0 is off. Integers are big-endian.
 */
#ifndef SL_LINK_FRAME_H
#define SL_LINK_FRAME_H

#include "base/limits.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

#define SL_FRAME_LEN      26
#define SL_LINK_UNIT_MS   250
#define SL_LINK_LEASE_MS  10000 /* default: silence after which the chip closes everything */
#define SL_LINK_PERIOD_MS 250   /* the master sends at least this often */
#define SL_LINK_UNITS_MAX UINT16_MAX

/* Order flags. Without SL_ORDER_APPLY the order asks for status only: it renews no lease and
 * changes no zone, so a master that has just started can read the remaining times back. */
#define SL_ORDER_APPLY 0x01

/* Status flags. */
#define SL_STATUS_LEASE_ENDED 0x01 /* the lease ran out since the last applied order */
#define SL_STATUS_HARD_LIMIT                                                                       \
    0x02                     /* a zone met the chip's own limit and has not been zeroed yet        \
                              */
#define SL_STATUS_FRESH 0x04 /* no order was applied since the last reset */

/* Reset causes: the bits of MCUSR (ATmega168 data sheet, section "MCU Status Register"). */
#define SL_RESET_POWER_ON  0x01
#define SL_RESET_EXTERNAL  0x02
#define SL_RESET_BROWN_OUT 0x04
#define SL_RESET_WATCHDOG  0x08

/* The outputs cannot be read: pins repeats what was sent to them. */
#define SL_CHIP_VERSION_BLIND 0

struct sl_order {
    uint8_t sequence;
    bool apply;
    uint8_t lease_units;                /* 1..255; ignored unless apply */
    uint16_t remaining_units[SL_ZONES]; /* 0 = off */
};

struct sl_chip_status {
    uint8_t sequence;
    uint8_t flags;
    uint8_t pins; /* bit z: the pin of zone z reads low, so its relay conducts */
    uint16_t remaining_units[SL_ZONES];
    uint8_t
        latched; /* bit z: zone z ended by itself; it needs an order of 0 before it starts again */
    uint8_t reset_cause;
    uint8_t dropped_frames;
    uint8_t version;
};

void sl_order_encode(const struct sl_order *order, uint8_t frame[SL_FRAME_LEN]);
void sl_chip_status_encode(const struct sl_chip_status *status, uint8_t frame[SL_FRAME_LEN]);

/* Fails: SL_CORRUPT (CRC), SL_UNSUPPORTED (first byte), SL_MALFORMED (reserved bytes or bits set,
 * apply with lease 0). On failure *order is all zeros. */
SL_MUST_CHECK enum sl_status sl_order_decode(const uint8_t frame[SL_FRAME_LEN],
                                             struct sl_order *order);

/* Fails as sl_order_decode; on failure *status is all zeros. */
SL_MUST_CHECK enum sl_status sl_chip_status_decode(const uint8_t frame[SL_FRAME_LEN],
                                                   struct sl_chip_status *status);

#endif
