/* The relay chip: orders from the node in, eight relay lines out, and the last word on safety.
 *
 * All rules live in the engine (src/link/slave.h); here are the registers around it. The loop turns
 * after every interrupt and sleeps in between. Only a millisecond that was counted and carried out
 * feeds the watchdog: when the timer, the loop or the oscillator stops, the chip is reset and every
 * relay is off.
 */
#include "limits.h"
#include "link/slave.h"
#include "outputs.h"
#include "spi.h"
#include "ticks.h"
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>

#define WATCHDOG           WDTO_60MS /* 64 ms nominal: a hung chip holds no relay longer */
#define STATUS_PERIOD_MS   32        /* remaining times in the status are no older */
#define UNUSED_PERIPHERALS (_BV(PRTWI) | _BV(PRTIM2) | _BV(PRTIM1) | _BV(PRUSART0) | _BV(PRADC))
#define RESET_CAUSES                                                                               \
    (SL_RESET_POWER_ON | SL_RESET_EXTERNAL | SL_RESET_BROWN_OUT | SL_RESET_WATCHDOG)

static struct sl_slave slave;
static uint8_t reported_pins; /* in the status that was published last */
static uint8_t status_age_ms;
static bool is_status_stale;

static void configure(void);
static void pass_time(void);
static void take_frame(void);
static void report(void);
static void sleep_until_interrupt(void);

int main(void)
{
    uint32_t hard_limit_ms[SL_ZONES];
    limits_read(hard_limit_ms);
    sl_slave_init(&slave, GPIOR0 & RESET_CAUSES, hard_limit_ms);
    is_status_stale = true;
    configure();
    sei();
    for (;;) {
        pass_time();
        take_frame();
        outputs_drive(sl_slave_outputs(&slave));
        report();
        sleep_until_interrupt();
    }
}

void watchdog_start(void) __attribute__((naked, used, section(".init3")));

/* The fuse starts the watchdog with 16 ms; choose its period and keep the cause of the reset before
 * anything can take long. GPIOR0 is a register that nothing else uses. */
void watchdog_start(void)
{
    GPIOR0 = MCUSR;
    MCUSR = 0;
    wdt_enable(WATCHDOG);
}

/* Every register the chip depends on. It is written again each millisecond, so one that a spike has
 * changed is right again before a relay has moved. */
static void configure(void)
{
    PRR = UNUSED_PERIPHERALS; /* a timer or the UART that came to life could take a relay pin */
    PORTC = 0xFF;             /* unused pins must not float */
    spi_configure();
    ticks_configure();
}

static void pass_time(void)
{
    uint8_t elapsed_ms = ticks_take();
    if (elapsed_ms == 0)
        return;
    wdt_reset();
    sl_slave_tick(&slave, elapsed_ms);
    configure();
    status_age_ms = (uint8_t)(status_age_ms + elapsed_ms);
    if (status_age_ms >= STATUS_PERIOD_MS)
        is_status_stale = true;
}

static void take_frame(void)
{
    if (!spi_has_frame())
        return;
    uint8_t len;
    const uint8_t *frame = spi_frame(&len);
    sl_slave_feed(&slave, frame, len);
    spi_release_frame();
    is_status_stale = true;
}

/* The next status tells what is true after this turn: pins are read when the outputs are set. */
static void report(void)
{
    uint8_t pins = outputs_read();
    if (pins != reported_pins)
        is_status_stale = true;
    if (!is_status_stale || spi_is_selected())
        return;
    sl_slave_peek(&slave, pins, RELAY_CHIP_VERSION, spi_next_status());
    if (!spi_publish_status())
        return;
    reported_pins = pins;
    status_age_ms = 0;
    is_status_stale = false;
}

/* The question and the sleep are one: an interrupt that comes between them is held back by sei
 * until the sleep has begun, and ends it. */
static void sleep_until_interrupt(void)
{
    cli();
    if (!spi_has_frame() && !ticks_are_waiting()) {
        SMCR = _BV(SE); /* idle: timer and SPI go on */
        sei();
        sleep_cpu();
        SMCR = 0;
    }
    sei();
}
