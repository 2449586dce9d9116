/* Hooks on simavr's interrupt lines; a pattern in the RAM that the stack overwrites. */
#include "meter.h"

#include <string.h>

#define ENTRY_CYCLES  4u /* pushing the return address and jumping to the vector */
#define WAKEUP_CYCLES 4u /* more, when the interrupt ends a sleep */

static void note_pending(struct avr_irq_t *irq, uint32_t is_pending, void *param)
{
    (void)irq;
    struct twin_meter_vector *vector = param;
    if (!is_pending)
        return;
    vector->requested_at = vector->meter->avr->cycle;
    vector->was_asleep = vector->meter->avr->state == cpu_Sleeping;
}

/* simavr enters a handler in no time: add what the data sheet says ("Interrupt Response Time"). */
static void note_running(struct avr_irq_t *irq, uint32_t is_running, void *param)
{
    (void)irq;
    struct twin_meter_vector *vector = param;
    if (!is_running)
        return;
    struct twin_meter *meter = vector->meter;
    meter->avr->cycle += vector->was_asleep ? ENTRY_CYCLES + WAKEUP_CYCLES : ENTRY_CYCLES;
    uint64_t waited = meter->avr->cycle - vector->requested_at;
    if (waited > meter->worst_interrupt_cycles)
        meter->worst_interrupt_cycles = (uint32_t)waited;
    if (vector == &meter->vector[TWIN_SPI_VECTOR] && waited > meter->worst_spi_cycles)
        meter->worst_spi_cycles = (uint32_t)waited;
}

void twin_meter_attach(struct twin_meter *meter, avr_t *avr, uint32_t variable_bytes)
{
    memset(meter, 0, sizeof *meter);
    meter->avr = avr;
    meter->stack_end = (uint16_t)(TWIN_RAM + variable_bytes);
    for (uint8_t i = 1; i < TWIN_VECTORS; i++) {
        avr_irq_t *irq = avr_get_interrupt_irq(avr, i);
        if (irq == NULL)
            continue;
        meter->vector[i].meter = meter;
        avr_irq_register_notify(irq + AVR_INT_IRQ_PENDING, note_pending, &meter->vector[i]);
        avr_irq_register_notify(irq + AVR_INT_IRQ_RUNNING, note_running, &meter->vector[i]);
    }
}

static uint8_t pattern(uint32_t address)
{
    uint32_t mixed = address * UINT32_C(2654435761);
    return (uint8_t)(mixed >> 24);
}

void twin_meter_paint(struct twin_meter *meter)
{
    twin_meter_stack(meter);
    meter->is_painted = true;
    for (uint32_t address = TWIN_RAM; address <= meter->avr->ramend; address++)
        meter->avr->data[address] = pattern(address);
}

uint32_t twin_meter_stack(struct twin_meter *meter)
{
    uint32_t address = meter->is_painted ? meter->stack_end : meter->avr->ramend + 1;
    while (address <= meter->avr->ramend && meter->avr->data[address] == pattern(address))
        address++;
    uint32_t used = meter->avr->ramend + 1 - address;
    if (used > meter->stack_max)
        meter->stack_max = used;
    return meter->stack_max;
}
