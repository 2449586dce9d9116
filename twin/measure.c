/* Eight zones on, a frame every few milliseconds at every phase of the chip's own tick. */
#include "measure.h"

#include "link/frame.h"
#include <stdio.h>

#define PHASES      64
#define PHASE_STEP  137 /* us: coprime to the millisecond of the tick */
#define GAP_STEP_US 10
#define GAP_MAX_US  5000
#define START_US    200000
#define FRAMES      10000

static uint8_t sequence;

/* One order with all zones on; gives the sequence that the chip's answer tells, -1 for none. */
static int exchange(struct twin_chip *chip)
{
    sequence++;
    struct sl_order order = {.sequence = sequence, .apply = true, .lease_units = 40};
    struct sl_chip_status status;
    uint8_t out[SL_FRAME_LEN], in[SL_FRAME_LEN];
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        order.remaining_units[zone] = (uint16_t)(sequence < 2 ? 0 : 1000 + sequence);
    sl_order_encode(&order, out);
    twin_chip_exchange(chip, out, in, sizeof in);
    return sl_chip_status_decode(in, &status) == SL_OK ? status.sequence : -1;
}

static void pass_us(struct twin_chip *chip, uint64_t us)
{
    twin_chip_run(chip, twin_chip_now_us(chip) + us);
}

/* The shortest pause between two frames after which the second always brings the answer. */
static unsigned status_ready_us(struct twin_chip *chip)
{
    for (unsigned gap = GAP_STEP_US; gap < GAP_MAX_US; gap += GAP_STEP_US) {
        unsigned answered = 0;
        for (unsigned phase = 0; phase < PHASES; phase++) {
            pass_us(chip, 5000 + PHASE_STEP * phase);
            exchange(chip);
            uint8_t asked = sequence;
            pass_us(chip, gap);
            answered += exchange(chip) == asked;
        }
        if (answered == PHASES)
            return gap;
    }
    return GAP_MAX_US;
}

/* How long the relays stay on after the program went astray. */
static unsigned hang_ms(struct twin_chip *chip)
{
    exchange(chip);
    pass_us(chip, 5000);
    uint64_t hung = twin_chip_now_us(chip);
    twin_chip_hang(chip);
    while (twin_chip_conducting(chip) != 0 && twin_chip_now_us(chip) - hung < 1000000)
        pass_us(chip, 1000);
    return (unsigned)((twin_chip_now_us(chip) - hung) / 1000);
}

int twin_measure_print(struct twin_chip *chip)
{
    pass_us(chip, START_US);
    for (int i = 0; i < 3; i++) {
        exchange(chip);
        pass_us(chip, 5000);
    }
    if (twin_chip_conducting(chip) != 0xFF) {
        fputs("firmware: it does not carry out orders; build it with 'make firmware'\n", stderr);
        return 1;
    }
    for (int i = 0; i < FRAMES; i++) {
        exchange(chip);
        pass_us(chip, 1000 + PHASE_STEP * (unsigned)(i % PHASES));
    }
    struct twin_chip_counts counts = twin_chip_counts(chip);
    printf("flash                     %5u bytes\n", counts.flash_bytes);
    printf("RAM, variables            %5u bytes\n", counts.ram_bytes);
    printf("RAM, deepest stack        %5u bytes\n", counts.stack_max);
    printf("worst interrupt latency   %5u cycles, %.1f us at 8 MHz\n",
           counts.worst_interrupt_cycles, counts.worst_interrupt_cycles / 8.0);
    printf("  of the SPI              %5u cycles, %.1f us\n", counts.worst_spi_cycles,
           counts.worst_spi_cycles / 8.0);
    printf("status ready after frame  %5u us\n", status_ready_us(chip));
    printf("relays off after a hang   %5u ms\n", hang_ms(chip));
    return 0;
}
