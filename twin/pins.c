/* Watches the port's registers and resolves them to levels. */
#include "pins.h"

#include <string.h>

static enum twin_level resolve(const struct twin_pins *pins, uint8_t zone);

static void write_register(avr_t *avr, avr_io_addr_t address, uint8_t value, void *param)
{
    struct twin_pins *pins = param;
    unsigned i = (unsigned)(address - TWIN_PIND);
    pins->inner[i].write(avr, address, value, pins->inner[i].param);
    twin_pins_update(pins);
}

/* simavr gives back what the program wrote; the real register tells what is on the pin. A line that
 * floats reads high, by the pull-up of the relay board. */
static uint8_t read_pins(avr_t *avr, avr_io_addr_t address, void *param)
{
    const struct twin_pins *pins = param;
    uint8_t value = 0;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        if (pins->level[zone] != TWIN_LOW)
            value |= (uint8_t)(1u << zone);
    avr->data[address] = value;
    return value;
}

void twin_pins_attach(struct twin_pins *pins, avr_t *avr, void (*changed)(void *context),
                      void *context)
{
    memset(pins, 0, sizeof *pins);
    pins->avr = avr;
    pins->changed = changed;
    pins->context = context;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        pins->level[zone] = TWIN_FLOATING;
    for (uint16_t address = TWIN_PIND; address <= TWIN_PORTD; address++) {
        unsigned i = (unsigned)(address - TWIN_PIND);
        pins->inner[i].write = avr->io[AVR_DATA_TO_IO(address)].w.c;
        pins->inner[i].param = avr->io[AVR_DATA_TO_IO(address)].w.param;
        twin_register_replace(avr, address, NULL, write_register, pins);
    }
    twin_register_replace(avr, TWIN_PIND, read_pins, NULL, pins);
}

void twin_pins_update(struct twin_pins *pins)
{
    bool is_changed = false;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        enum twin_level level = resolve(pins, zone);
        is_changed |= level != pins->level[zone];
        pins->level[zone] = level;
    }
    if (is_changed)
        pins->changed(pins->context);
}

static enum twin_level resolve(const struct twin_pins *pins, uint8_t zone)
{
    uint8_t bit = (uint8_t)(1u << zone);
    if (pins->stuck & bit)
        return pins->stuck_level & bit ? TWIN_HIGH : TWIN_LOW;
    if (!pins->has_power)
        return TWIN_FLOATING;
    bool is_output = (pins->avr->data[TWIN_DDRD] & bit) != 0;
    bool is_set = (pins->avr->data[TWIN_PORTD] & bit) != 0;
    if (is_output)
        return is_set ? TWIN_HIGH : TWIN_LOW;
    return is_set ? TWIN_WEAK_HIGH : TWIN_FLOATING;
}
