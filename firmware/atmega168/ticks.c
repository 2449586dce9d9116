/* Timer 0 counts to 125 at 8 MHz / 64: one interrupt per millisecond. */
#include "ticks.h"

#include <avr/interrupt.h>
#include <avr/io.h>

#define PRESCALER 64
#define TOP       (F_CPU / PRESCALER / 1000 - 1)

static volatile uint8_t counted;
static uint8_t taken;

ISR(TIMER0_COMPA_vect)
{
    counted++;
}

void ticks_configure(void)
{
    TCCR0A = _BV(WGM01);
    TCCR0B = _BV(CS01) | _BV(CS00);
    OCR0A = TOP;
    TIMSK0 = _BV(OCIE0A);
}

uint8_t ticks_take(void)
{
    uint8_t now = counted;
    uint8_t elapsed = (uint8_t)(now - taken);
    taken = now;
    return elapsed;
}

bool ticks_are_waiting(void)
{
    return counted != taken;
}
