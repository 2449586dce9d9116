/* Edges in, bits shifted, the interrupt raised; and the three registers as the program sees them.
 */
#include "spi_slave.h"

#include <string.h>

#define SPIF 0x80
#define WCOL 0x40
#define SPIE 0x80
#define SPE  0x40
#define MODE 0x3C /* DORD, MSTR, CPOL, CPHA: all 0 for a slave in mode 0, MSB first */

#define PIN_SS              2
#define PIN_MOSI            3
#define PIN_MISO            4
#define PIN_SCK             5
#define PRR_SPI             0x04
#define SYNCHRONISER_CYCLES 2 /* from the pin to the flag */

static uint8_t read_data(avr_t *avr, avr_io_addr_t address, void *param);
static void write_data(avr_t *avr, avr_io_addr_t address, uint8_t value, void *param);
static uint8_t read_status(avr_t *avr, avr_io_addr_t address, void *param);
static void write_status(avr_t *avr, avr_io_addr_t address, uint8_t value, void *param);
static void write_control(avr_t *avr, avr_io_addr_t address, uint8_t value, void *param);

bool twin_spi_attach(struct twin_spi *spi, avr_t *avr)
{
    memset(spi, 0, sizeof *spi);
    spi->avr = avr;
    spi->ss = true;
    for (uint8_t i = 0; i < avr->interrupts.vector_count; i++)
        if (avr->interrupts.vector[i]->vector == TWIN_SPI_VECTOR)
            spi->vector = avr->interrupts.vector[i];
    for (avr_io_t *io = avr->io_port; io != NULL; io = io->next)
        if (strcmp(io->kind, "port") == 0 && ((avr_ioport_t *)io)->name == 'B')
            spi->port = (avr_ioport_t *)io;
    if (spi->vector == NULL || spi->port == NULL)
        return false;
    twin_register_replace(avr, TWIN_SPDR, read_data, write_data, spi);
    twin_register_replace(avr, TWIN_SPSR, read_status, write_status, spi);
    twin_register_replace(avr, TWIN_SPCR, NULL, write_control, spi);
    return true;
}

/* Put the levels of the wires on the pins. The pull mask makes them outlast writes to PORTB, which
 * would otherwise show the chip its own pull-ups. */
static void drive_pins(struct twin_spi *spi)
{
    uint8_t levels = (uint8_t)(spi->ss << PIN_SS | spi->mosi << PIN_MOSI | spi->sck << PIN_SCK);
    uint8_t wires = 1 << PIN_SS | 1 << PIN_MOSI | 1 << PIN_SCK;
    spi->port->external.pull_mask = wires;
    spi->port->external.pull_value = levels;
    avr_raise_irq(spi->port->io.irq + PIN_SS, spi->ss);
    avr_raise_irq(spi->port->io.irq + PIN_MOSI, spi->mosi);
    avr_raise_irq(spi->port->io.irq + PIN_SCK, spi->sck);
}

void twin_spi_reset(struct twin_spi *spi)
{
    spi->bits = 0;
    spi->shift = 0;
    spi->received = 0;
    spi->was_flag_read = false;
    drive_pins(spi);
    /* avr_reset cleared the pin register, and simavr's lines tell only changes. */
    uint8_t *pins = &spi->avr->data[TWIN_PINB];
    *pins = (uint8_t)((*pins & ~spi->port->external.pull_mask) | spi->port->external.pull_value);
}

static bool is_slave(const struct twin_spi *spi)
{
    return (spi->avr->data[TWIN_SPCR] & (SPE | MODE)) == SPE &&
           !(spi->avr->data[TWIN_PRR] & PRR_SPI);
}

static avr_cycle_count_t raise_flag(avr_t *avr, avr_cycle_count_t when, void *param)
{
    (void)when;
    struct twin_spi *spi = param;
    if (avr->data[TWIN_SPSR] & SPIF)
        spi->overruns++;
    avr_raise_interrupt(avr, spi->vector);
    return 0;
}

void twin_spi_set_ss(struct twin_spi *spi, bool level)
{
    if (level == spi->ss)
        return;
    spi->ss = level;
    spi->bits = 0; /* SS is what keeps the slave in step: a broken byte ends here */
    drive_pins(spi);
}

void twin_spi_set_mosi(struct twin_spi *spi, bool level)
{
    if (level == spi->mosi)
        return;
    spi->mosi = level;
    drive_pins(spi);
}

/* Mode 0: MOSI is sampled on the rising edge, the register shifts on the falling one. The byte is
 * complete, and SPDR free again, with the last shift. */
void twin_spi_set_sck(struct twin_spi *spi, bool level)
{
    if (level == spi->sck)
        return;
    spi->sck = level;
    drive_pins(spi);
    if (spi->ss || !is_slave(spi))
        return;
    if (level) {
        spi->sampled = spi->mosi;
        spi->bits++;
        return;
    }
    if (spi->bits == 0)
        return;
    spi->shift = (uint8_t)(spi->shift << 1 | spi->sampled);
    if (spi->bits < 8)
        return;
    spi->bits = 0;
    spi->received = spi->shift;
    avr_cycle_timer_register(spi->avr, SYNCHRONISER_CYCLES, raise_flag, spi);
}

bool twin_spi_miso(const struct twin_spi *spi)
{
    const uint8_t *data = spi->avr->data;
    if (!(data[TWIN_DDRB] & 1 << PIN_MISO) || spi->ss)
        return true;
    if (!is_slave(spi))
        return (data[TWIN_PORTB] & 1 << PIN_MISO) != 0;
    return spi->shift >> 7;
}

static void clear_flag(struct twin_spi *spi)
{
    if (!spi->was_flag_read)
        return;
    spi->was_flag_read = false;
    avr_clear_interrupt(spi->avr, spi->vector);
    spi->avr->data[TWIN_SPSR] &= (uint8_t) ~(SPIF | WCOL);
}

static uint8_t read_data(avr_t *avr, avr_io_addr_t address, void *param)
{
    (void)avr;
    (void)address;
    struct twin_spi *spi = param;
    clear_flag(spi);
    return spi->received;
}

static void write_data(avr_t *avr, avr_io_addr_t address, uint8_t value, void *param)
{
    (void)address;
    struct twin_spi *spi = param;
    clear_flag(spi);
    if (spi->bits > 0) {
        avr->data[TWIN_SPSR] |= WCOL;
        spi->collisions++;
        return;
    }
    spi->shift = value;
}

static uint8_t read_status(avr_t *avr, avr_io_addr_t address, void *param)
{
    struct twin_spi *spi = param;
    if (avr->data[address] & (SPIF | WCOL))
        spi->was_flag_read = true;
    return avr->data[address];
}

static void write_status(avr_t *avr, avr_io_addr_t address, uint8_t value, void *param)
{
    (void)param;
    avr->data[address] = (uint8_t)((avr->data[address] & (SPIF | WCOL)) | (value & 1));
}

static void write_control(avr_t *avr, avr_io_addr_t address, uint8_t value, void *param)
{
    struct twin_spi *spi = param;
    avr->data[address] = value;
    if (!(value & SPE))
        spi->bits = 0;
    bool is_due = (value & SPIE) && (avr->data[TWIN_SPSR] & SPIF);
    if (is_due && !avr_is_interrupt_pending(avr, spi->vector))
        avr_raise_interrupt(avr, spi->vector);
}
