/* Two figures that only a simulation can measure without disturbing: how long an interrupt waits,
 * and how deep the stack went. */
#ifndef SL_TWIN_METER_H
#define SL_TWIN_METER_H

#include "simavr.h"
#include <stdbool.h>

#define TWIN_VECTORS 32

struct twin_meter {
    avr_t *avr;
    struct twin_meter_vector {
        struct twin_meter *meter;
        uint64_t requested_at; /* cycle */
        bool was_asleep;
    } vector[TWIN_VECTORS];
    uint32_t worst_interrupt_cycles;
    uint32_t worst_spi_cycles; /* of the SPI's interrupt alone */
    uint16_t stack_end;        /* first address above the variables */
    uint32_t stack_max;
    bool is_painted;
};

void twin_meter_attach(struct twin_meter *meter, avr_t *avr, uint32_t variable_bytes);
/* Fill the RAM as a power-on does: with anything, but a known anything. */
void twin_meter_paint(struct twin_meter *meter);
/* Bytes of stack ever used. */
uint32_t twin_meter_stack(struct twin_meter *meter);

#endif
