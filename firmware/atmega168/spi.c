/* The SPI slave. SS has its own pin-change interrupt, which delimits the frames: the SPI counts
 * bits, not bytes, so a lost or extra clock edge spoils one frame and no more.
 *
 * Time is short only here: between two bytes the master leaves 20 us, 144 cycles of a slow
 * oscillator, for the interrupt to fetch a byte and lay out the next.
 */
#include "spi.h"

#include "link/frame.h"
#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#define SS        _BV(PB2)
#define MISO      _BV(PB4)
#define IDLE_BYTE 0xFF
#define NO_FRAME  0xFF
#define TOO_LONG  (SL_FRAME_LEN + 1)

static uint8_t frames[2][SL_FRAME_LEN];
static uint8_t statuses[2][SL_FRAME_LEN];

/* Shared with the interrupts; each is one byte or changed with interrupts off. */
static uint8_t *volatile incoming = frames[0];
static const uint8_t *volatile outgoing = statuses[0];
static volatile uint8_t count; /* bytes of the incoming frame, up to TOO_LONG */
static volatile uint8_t waiting_len = NO_FRAME;

static uint8_t *other(uint8_t pair[2][SL_FRAME_LEN], const uint8_t *one)
{
    return one == pair[0] ? pair[1] : pair[0];
}

/* Fetch the received byte and lay out the next one to send. */
static inline __attribute__((always_inline)) void take_byte(void)
{
    uint8_t at = count;
    uint8_t byte = SPDR;
    uint8_t next = (uint8_t)(at + 1);
    SPDR = next < SL_FRAME_LEN ? outgoing[next] : IDLE_BYTE;
    if (at < SL_FRAME_LEN)
        incoming[at] = byte;
    if (at < TOO_LONG)
        count = next;
}

ISR(SPI_STC_vect)
{
    take_byte();
}

/* SS changed. Falling: lay out the first byte within the master's lead of 20 us. Rising: the frame
 * is complete, its last byte perhaps still in the SPI, because this interrupt has priority. */
ISR(PCINT0_vect)
{
    if ((PINB & SS) == 0) {
        count = 0;
        SPDR = outgoing[0];
        return;
    }
    if (SPSR & _BV(SPIF))
        take_byte();
    if (waiting_len == NO_FRAME) {
        waiting_len = count;
        incoming = other(frames, incoming);
    }
    count = 0;
}

void spi_configure(void)
{
    /* Pull-ups on every input: with the link unplugged SS reads high. */
    DDRB = MISO;
    PORTB = (uint8_t)~MISO;
    if (SPCR != (_BV(SPE) | _BV(SPIE))) /* not written without need: a byte may be on its way */
        SPCR = _BV(SPE) | _BV(SPIE);
    PCMSK0 = SS;
    PCICR = _BV(PCIE0);
}

bool spi_has_frame(void)
{
    return waiting_len != NO_FRAME;
}

const uint8_t *spi_frame(uint8_t *len)
{
    *len = waiting_len;
    return other(frames, incoming);
}

void spi_release_frame(void)
{
    waiting_len = NO_FRAME;
}

bool spi_is_selected(void)
{
    return (PINB & SS) == 0;
}

uint8_t *spi_next_status(void)
{
    return other(statuses, outgoing);
}

bool spi_publish_status(void)
{
    bool is_published = false;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        if (!spi_is_selected()) {
            outgoing = other(statuses, outgoing);
            is_published = true;
        }
    }
    return is_published;
}
