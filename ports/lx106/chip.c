#include "chip.h"
#include "base/bytes.h"
#include "clock.h"
#include "port.h"
#include "semihost.h"
#include <string.h>

#define HEADER_LEN 9 /* 'X' and the time */
#define PACKET_LEN (HEADER_LEN + SL_FRAME_LEN)
#define OPEN_MAX   2 /* a chip program that stands still must not find old orders later */

static struct {
    int32_t fd; /* -1: no chip */
    bool keeps_our_time;
    uint8_t open_exchanges; /* answers still to come; only the last one counts */
} chip;

/* Within one page, so that the host moves it in one piece. */
static uint8_t packet[64] __attribute__((section(".rig"), aligned(64)));

void lx106_chip_init(void)
{
    const char *time = lx106_argument("chip-time");

    chip.fd = lx106_argument("chip") ? (int32_t)lx106_argument_number("chip", 0) : -1;
    chip.keeps_our_time = time && strcmp(time, "board") == 0;
    chip.open_exchanges = 0;
    while (chip.fd >= 0 && lx106_host_has_input(chip.fd)) /* answers to the run before a reset */
        if (lx106_host_read(chip.fd, packet, PACKET_LEN) <= 0)
            break;
}

bool lx106_chip_has_answer(void)
{
    return chip.open_exchanges > 0 && lx106_host_has_input(chip.fd);
}

void sl_port_spi_start(const uint8_t frame[SL_FRAME_LEN])
{
    struct sl_writer writer = sl_writer_init(packet, PACKET_LEN);

    if (chip.fd < 0 || chip.open_exchanges >= OPEN_MAX)
        return;
    sl_write_u8(&writer, 'X');
    sl_write_u64(&writer, chip.keeps_our_time ? (uint64_t)sl_port_now() * 1000 : 0);
    sl_write_view(&writer, (struct sl_view){frame, SL_FRAME_LEN});
    if (lx106_host_write(chip.fd, packet, PACKET_LEN) == PACKET_LEN)
        chip.open_exchanges++;
}

bool sl_port_spi_take(uint8_t frame[SL_FRAME_LEN])
{
    while (chip.open_exchanges > 0) {
        if (!chip.keeps_our_time && !lx106_host_has_input(chip.fd))
            return false;
        chip.open_exchanges--;
        if (lx106_host_read(chip.fd, packet, PACKET_LEN) != PACKET_LEN || packet[0] != 'X')
            return false; /* no answer: the node sees a link that is down */
        if (chip.open_exchanges == 0) {
            memcpy(frame, packet + HEADER_LEN, SL_FRAME_LEN);
            return true;
        }
    }
    return false;
}
