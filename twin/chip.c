/* The chip as a whole: time, supply, resets, and the bus master that talks to it. */
#include "chip.h"

#include "firmware.h"
#include "meter.h"
#include "pins.h"
#include "spi_slave.h"
#include "vcd.h"
#include "watchdog.h"
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Resets: the bits of MCUSR. */
#define PORF  0x01
#define EXTRF 0x02
#define BORF  0x04
#define WDRF  0x08

/* Fuses. */
#define HIGH_WDTON     0x10 /* 0: watchdog always on */
#define BODLEVEL       0x07 /* all ones: no brown-out detector */
#define STARTUP_MS     65   /* SUT 10, counted by the watchdog's oscillator */
#define STARTUP_CYCLES 14
#define RESET_PULSE_US 100
#define DIP_US         1000

/* The bus: 500 kHz with a pause before every byte. */
#define HALF_BIT_NS 1000
#define PAUSE_NS    20000

#define BATCH_CYCLES  100    /* instructions that simavr may run without looking up */
#define LOOP_FOR_EVER 0xCFFF /* rjmp .-2 */

struct twin_chip {
    avr_t *avr;
    struct twin_firmware firmware;
    struct twin_spi spi;
    struct twin_watchdog watchdog;
    struct twin_pins pins;
    struct twin_meter meter;
    struct twin_vcd *vcd; /* NULL: no trace */

    /* True time: cycle from_cycle was at from_ns; from there cycles_per_ns. */
    uint64_t from_cycle, from_ns;
    double cycles_per_ns;
    double watchdog_ratio;

    uint64_t held_until; /* cycle at which the reset is over */
    bool is_held;
    bool has_power;
    uint64_t stop_at; /* cycle of the timer that ends a batch; 0: none */
    uint64_t changed_ns;
    uint8_t conducted; /* zones, since the last question */

    bool is_link_cut;
    double bit_errors, clock_loss, frame_loss;
    uint64_t random;

    uint32_t resets, watchdog_resets, exchanges;
    bool crashed;
};

static void be_silent(struct avr_t *avr, const int level, const char *format, va_list arguments);
static void stay_awake(avr_t *avr, avr_cycle_count_t cycles);
static void note_change(void *context);
static void set_clock(struct twin_chip *chip, double oscillator);
static uint64_t now_ns(const struct twin_chip *chip);
static uint64_t cycle_at(const struct twin_chip *chip, uint64_t time_ns);
static void run_to(struct twin_chip *chip, uint64_t cycle);
static void reset(struct twin_chip *chip, uint8_t cause, uint64_t hold_us);
static void unhook_external_interrupts(avr_t *avr);
static bool happens(struct twin_chip *chip, double probability);
static void trace(struct twin_chip *chip, enum twin_signal signal, char value);

struct twin_chip *twin_chip_create(const struct twin_chip_options *options, const char **error)
{
    avr_global_logger_set(be_silent);
    struct twin_chip *chip = calloc(1, sizeof *chip);
    if (chip == NULL) {
        *error = "no memory for the simulated chip";
        return NULL;
    }
    chip->avr = twin_firmware_load(options->elf_path, options->mcu, &chip->firmware, error);
    if (chip->avr == NULL) {
        free(chip);
        return NULL;
    }
    avr_t *avr = chip->avr;
    avr->frequency = 8000000;
    avr->sleep = stay_awake;
    chip->watchdog_ratio = options->watchdog > 0 ? options->watchdog : 1;
    chip->random = 1;
    twin_watchdog_attach(&chip->watchdog, avr, (avr->fuse[1] & HIGH_WDTON) == 0);
    twin_pins_attach(&chip->pins, avr, note_change, chip);
    twin_meter_attach(&chip->meter, avr, chip->firmware.ram_bytes);
    if (!twin_spi_attach(&chip->spi, avr)) {
        *error = "the simulated chip has no SPI on port B; use atmega168 or atmega328p";
        twin_chip_destroy(chip);
        return NULL;
    }
    if (options->vcd_path != NULL && (chip->vcd = twin_vcd_create(options->vcd_path)) == NULL) {
        *error = "the trace file cannot be written; check the path given with --vcd";
        twin_chip_destroy(chip);
        return NULL;
    }
    if (options->eeprom != NULL) {
        avr_eeprom_desc_t eeprom = {
            .ee = (uint8_t *)options->eeprom, .offset = 0, .size = (uint32_t)options->eeprom_len};
        avr_ioctl(avr, AVR_IOCTL_EEPROM_SET, &eeprom);
    }
    set_clock(chip, options->oscillator > 0 ? options->oscillator : 1);
    trace(chip, TWIN_SIGNAL_SS, '1');
    note_change(chip);
    twin_chip_set_power(chip, true);
    chip->resets = 0;
    return chip;
}

void twin_chip_destroy(struct twin_chip *chip)
{
    if (chip == NULL)
        return;
    if (chip->vcd != NULL)
        twin_vcd_destroy(chip->vcd, now_ns(chip));
    avr_terminate(chip->avr);
    free(chip->avr);
    free(chip);
}

uint64_t twin_chip_now_us(const struct twin_chip *chip)
{
    return now_ns(chip) / 1000;
}

void twin_chip_run(struct twin_chip *chip, uint64_t time_us)
{
    if (time_us * 1000 > now_ns(chip))
        run_to(chip, cycle_at(chip, time_us * 1000));
}

void twin_chip_flush_trace(struct twin_chip *chip)
{
    if (chip->vcd != NULL)
        twin_vcd_flush(chip->vcd, now_ns(chip));
}

static void set_ss(struct twin_chip *chip, bool level)
{
    twin_spi_set_ss(&chip->spi, level);
    trace(chip, TWIN_SIGNAL_SS, level ? '1' : '0');
}

/* One bit: MOSI is set, half a bit later both sides sample, half a bit later both shift. */
static bool exchange_bit(struct twin_chip *chip, bool mosi, uint32_t half_ns, uint64_t *at_ns)
{
    twin_spi_set_mosi(&chip->spi, mosi != happens(chip, chip->bit_errors));
    run_to(chip, cycle_at(chip, *at_ns += half_ns));
    bool miso = twin_spi_miso(&chip->spi) != happens(chip, chip->bit_errors);
    twin_spi_set_sck(&chip->spi, !happens(chip, chip->clock_loss));
    run_to(chip, cycle_at(chip, *at_ns += half_ns));
    twin_spi_set_sck(&chip->spi, false);
    return miso;
}

static uint8_t exchange_byte(struct twin_chip *chip, uint8_t out, uint32_t half_ns, uint64_t *at_ns)
{
    uint8_t in = 0;
    for (int bit = 7; bit >= 0; bit--)
        in = (uint8_t)(in << 1 | exchange_bit(chip, out >> bit & 1, half_ns, at_ns));
    return in;
}

void twin_chip_exchange(struct twin_chip *chip, const uint8_t *out, uint8_t *in, size_t len)
{
    assert(len >= 1 && len <= TWIN_EXCHANGE_MAX);
    uint64_t at_ns = now_ns(chip);
    bool is_lost = happens(chip, chip->frame_loss) || chip->is_link_cut || !chip->has_power;
    chip->exchanges++;
    if (is_lost) {
        memset(in, 0xFF, len);
        run_to(chip, cycle_at(chip, at_ns + len * (PAUSE_NS + 16 * HALF_BIT_NS) + HALF_BIT_NS));
        return;
    }
    set_ss(chip, false);
    for (size_t i = 0; i < len; i++) {
        run_to(chip, cycle_at(chip, at_ns += PAUSE_NS));
        in[i] = exchange_byte(chip, out[i], HALF_BIT_NS, &at_ns);
    }
    run_to(chip, cycle_at(chip, at_ns + HALF_BIT_NS));
    set_ss(chip, true);
}

void twin_chip_select(struct twin_chip *chip, bool selected)
{
    set_ss(chip, !selected);
}

uint8_t twin_chip_clock(struct twin_chip *chip, uint8_t out, uint32_t hz)
{
    uint64_t at_ns = now_ns(chip);
    return exchange_byte(chip, out, 500000000 / hz, &at_ns);
}

enum twin_level twin_chip_pin(const struct twin_chip *chip, uint8_t zone)
{
    return chip->pins.level[zone];
}

uint8_t twin_chip_conducting(const struct twin_chip *chip)
{
    uint8_t zones = 0;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        if (chip->pins.level[zone] == TWIN_LOW)
            zones |= (uint8_t)(1u << zone);
    return zones;
}

uint8_t twin_chip_take_conducted(struct twin_chip *chip)
{
    uint8_t zones = chip->conducted;
    chip->conducted = twin_chip_conducting(chip);
    return zones;
}

uint64_t twin_chip_changed_us(const struct twin_chip *chip)
{
    return chip->changed_ns / 1000;
}

bool twin_chip_has_power(const struct twin_chip *chip)
{
    return chip->has_power;
}

bool twin_chip_is_link_cut(const struct twin_chip *chip)
{
    return chip->is_link_cut;
}

void twin_chip_set_bit_errors(struct twin_chip *chip, double per_bit, uint32_t seed)
{
    chip->bit_errors = per_bit;
    chip->random = seed + UINT64_C(0x9E3779B97F4A7C15);
}

void twin_chip_set_clock_loss(struct twin_chip *chip, double per_bit)
{
    chip->clock_loss = per_bit;
}

void twin_chip_set_frame_loss(struct twin_chip *chip, double per_frame)
{
    chip->frame_loss = per_frame;
}

void twin_chip_set_link_cut(struct twin_chip *chip, bool cut)
{
    chip->is_link_cut = cut;
}

void twin_chip_set_oscillator(struct twin_chip *chip, double ratio)
{
    set_clock(chip, ratio);
}

void twin_chip_set_pin_stuck(struct twin_chip *chip, uint8_t zone, bool stuck, bool high)
{
    uint8_t bit = (uint8_t)(1u << zone);
    chip->pins.stuck = (uint8_t)((chip->pins.stuck & ~bit) | (stuck ? bit : 0));
    chip->pins.stuck_level = (uint8_t)((chip->pins.stuck_level & ~bit) | (high ? bit : 0));
    twin_pins_update(&chip->pins);
}

/* A program that went astray: an endless loop in the last word of the flash, interrupts off. */
void twin_chip_hang(struct twin_chip *chip)
{
    avr_t *avr = chip->avr;
    uint32_t last_word = avr->flashend - 1;
    avr->flash[last_word] = LOOP_FOR_EVER & 0xFF;
    avr->flash[last_word + 1] = LOOP_FOR_EVER >> 8;
    avr->pc = last_word;
    avr->sreg[S_I] = 0;
    if (avr->state == cpu_Sleeping)
        avr->state = cpu_Running;
}

void twin_chip_reset(struct twin_chip *chip)
{
    if (chip->has_power)
        reset(chip, EXTRF, RESET_PULSE_US);
}

void twin_chip_brown_out(struct twin_chip *chip)
{
    const uint8_t *fuse = chip->avr->fuse;
    uint8_t level = chip->avr->flashend > 0x3FFF ? fuse[2] : fuse[1];
    if (chip->has_power && (level & BODLEVEL) != BODLEVEL)
        reset(chip, BORF, DIP_US);
}

void twin_chip_set_power(struct twin_chip *chip, bool on)
{
    if (on == chip->has_power)
        return;
    chip->has_power = on;
    chip->pins.has_power = on;
    if (on)
        twin_meter_paint(&chip->meter);
    reset(chip, PORF, 0);
}

void twin_chip_glitch(struct twin_chip *chip, uint16_t address, uint8_t value)
{
    avr_t *avr = chip->avr;
    assert(address >= 0x20 && address <= avr->ramend);
    uint16_t io = (uint16_t)AVR_DATA_TO_IO(address);
    if (address < TWIN_RAM && avr->io[io].w.c != NULL)
        avr->io[io].w.c(avr, address, value, avr->io[io].w.param);
    else
        avr->data[address] = value;
}

struct twin_chip_counts twin_chip_counts(struct twin_chip *chip)
{
    struct twin_chip_counts counts = {
        .cycles = chip->avr->cycle,
        .resets = chip->resets,
        .watchdog_resets = chip->watchdog_resets,
        .exchanges = chip->exchanges,
        .overruns = chip->spi.overruns,
        .collisions = chip->spi.collisions,
        .worst_interrupt_cycles = chip->meter.worst_interrupt_cycles,
        .worst_spi_cycles = chip->meter.worst_spi_cycles,
        .stack_max = twin_meter_stack(&chip->meter),
        .flash_bytes = chip->firmware.flash_bytes,
        .ram_bytes = chip->firmware.ram_bytes,
        .crashed = chip->crashed,
    };
    return counts;
}

static void be_silent(struct avr_t *avr, const int level, const char *format, va_list arguments)
{
    (void)avr;
    (void)level;
    (void)format;
    (void)arguments;
}

/* simavr would sleep in real time; here time is the caller's. */
static void stay_awake(avr_t *avr, avr_cycle_count_t cycles)
{
    (void)avr;
    (void)cycles;
}

static void trace(struct twin_chip *chip, enum twin_signal signal, char value)
{
    if (chip->vcd != NULL)
        twin_vcd_change(chip->vcd, now_ns(chip), signal, value);
}

static void note_change(void *context)
{
    static const char shown[] = {
        [TWIN_LOW] = '0', [TWIN_HIGH] = '1', [TWIN_WEAK_HIGH] = '1', [TWIN_FLOATING] = 'z'};
    struct twin_chip *chip = context;
    chip->changed_ns = now_ns(chip);
    chip->conducted |= twin_chip_conducting(chip);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        trace(chip, (enum twin_signal)(TWIN_SIGNAL_PD0 + zone), shown[chip->pins.level[zone]]);
}

static void set_clock(struct twin_chip *chip, double oscillator)
{
    if (chip->cycles_per_ns > 0) {
        uint64_t now = now_ns(chip);
        chip->from_ns = now;
        chip->from_cycle = chip->avr->cycle;
    }
    chip->cycles_per_ns = TWIN_CYCLES_PER_US * oscillator / 1000;
    twin_watchdog_set_clock(&chip->watchdog, chip->cycles_per_ns * 1e6 * chip->watchdog_ratio);
}

static uint64_t now_ns(const struct twin_chip *chip)
{
    return chip->from_ns +
           (uint64_t)((double)(chip->avr->cycle - chip->from_cycle) / chip->cycles_per_ns);
}

/* Rounded up: who runs to an instant has reached it. */
static uint64_t cycle_at(const struct twin_chip *chip, uint64_t time_ns)
{
    return chip->from_cycle +
           (uint64_t)ceil((double)(time_ns - chip->from_ns) * chip->cycles_per_ns);
}

/* The timer that bounds a batch and a sleep. It stays due: a program that falls asleep at the very
 * end would otherwise sleep on to the next timer. */
static avr_cycle_count_t stop(avr_t *avr, avr_cycle_count_t when, void *param)
{
    (void)when;
    (void)param;
    return avr->cycle + 1;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Until the clock has reached the cycle; an instruction is not cut, so up to 4 cycles beyond. */
static void run_to(struct twin_chip *chip, uint64_t cycle)
{
    avr_t *avr = chip->avr;
    while (avr->cycle < cycle) {
        if (!chip->has_power) {
            avr->cycle = cycle;
        } else if (chip->is_held) {
            avr->cycle = earlier(cycle, chip->held_until);
            if (avr->cycle == chip->held_until) {
                chip->is_held = false;
                twin_watchdog_reset(&chip->watchdog);
                trace(chip, TWIN_SIGNAL_RESET, '1');
            }
        } else if (avr->cycle >= chip->watchdog.due) {
            chip->watchdog_resets++;
            reset(chip, WDRF, 0);
        } else if (avr->state == cpu_Crashed || avr->state == cpu_Done) {
            /* Astray, or asleep with interrupts off: only the watchdog ends this. */
            chip->crashed |= avr->state == cpu_Crashed;
            avr->cycle = earlier(cycle, chip->watchdog.due);
        } else {
            if (chip->stop_at != cycle) {
                chip->stop_at = cycle;
                avr_cycle_timer_register(avr, cycle - avr->cycle, stop, chip);
            }
            avr_run(avr);
        }
    }
}

/* Everything back to its initial value but the RAM and the other causes in MCUSR, which only a
 * power-on clears; then the start-up delay of the fuses. */
static void reset(struct twin_chip *chip, uint8_t cause, uint64_t hold_us)
{
    avr_t *avr = chip->avr;
    uint64_t cycle = avr->cycle;
    uint8_t causes = cause == PORF ? 0 : avr->data[TWIN_MCUSR];
    avr_reset(avr);
    avr->cycle = cycle;
    avr->state = cpu_Running;
    avr->run_cycle_limit = BATCH_CYCLES;
    avr->data[TWIN_MCUSR] = causes | cause;
    double delay_ns = (double)hold_us * 1000 + STARTUP_MS * 1e6 * chip->watchdog_ratio;
    chip->held_until = cycle + (uint64_t)(delay_ns * chip->cycles_per_ns) + STARTUP_CYCLES;
    chip->is_held = true;
    chip->stop_at = 0;
    chip->resets++;
    unhook_external_interrupts(avr);
    twin_spi_reset(&chip->spi);
    twin_pins_update(&chip->pins);
    trace(chip, TWIN_SIGNAL_RESET, '0');
}

/* PD2 and PD3 could be interrupt inputs, and simavr polls such a pin on every cycle while it is
 * low. They are relay lines, so cut it off from them. */
static void unhook_external_interrupts(avr_t *avr)
{
    for (int i = 0; i < 2; i++)
        avr_unconnect_irq(avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ('D'), 2 + i),
                          avr_io_getirq(avr, AVR_IOCTL_EXTINT_GETIRQ(), i));
}

/* xorshift64*: the same seed gives the same faults. */
static bool happens(struct twin_chip *chip, double probability)
{
    if (probability <= 0)
        return false;
    chip->random ^= chip->random >> 12;
    chip->random ^= chip->random << 25;
    chip->random ^= chip->random >> 27;
    uint64_t drawn = chip->random * UINT64_C(0x2545F4914F6CDD1D);
    return (double)(drawn >> 11) < probability * 9007199254740992.0;
}
