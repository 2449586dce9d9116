/* The scripts of fuzz_link_slave on the real firmware, in 16-bit int: the simulated ATmega168 and
 * the same engine compiled for this computer, side by side. replay.c gives the files.
 *
 * Contract: the same outputs after every frame and every pause, and at the end the same account of
 * bad frames, latched zones and remaining times. */
#include "fuzz.h"
#include "link/slave.h"
#include "slave_script.h"
#include "twin/chip.h"

#define BOOT_MS   200
#define GAP_MS    2    /* after a frame */
#define SETTLE_MS 5    /* ticks of both fall differently */
#define PAUSE_MAX 2000 /* of a step: the simulation is far slower than the engine alone */
#define STEPS_MAX 60

struct pair {
    struct twin_chip *chip;
    struct sl_slave host;
    uint64_t host_ms;
};

static void pass(struct pair *pair, uint32_t ms);
static void compare(struct pair *pair);
static void ask(struct pair *pair, uint8_t sequence);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct twin_chip_options options = {.elf_path = SL_CHIP_ELF};
    struct slave_script script = {.input = sl_reader_init((struct sl_view){data, len})};
    struct slave_step step;
    struct pair pair = {0};
    uint32_t limits[SL_ZONES];
    uint8_t answer[SLAVE_FRAME_MAX];
    const char *error = "";

    pair.chip = twin_chip_create(&options, &error);
    if (pair.chip == NULL)
        fprintf(stderr, "chip_replay: %s\n", error);
    FUZZ_CHECK(pair.chip != NULL);
    twin_chip_run(pair.chip, BOOT_MS * UINT64_C(1000));
    pair.host_ms = BOOT_MS;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        limits[zone] = SL_SLAVE_HARD_LIMIT_MS;
    sl_slave_init(&pair.host, SL_RESET_POWER_ON, limits);

    fuzz_u8(&script.input); /* options of the other target: limits and ticks */
    for (unsigned i = 0; i < STEPS_MAX && slave_script_next(&script, &step); i++) {
        if (step.frame_len > 0) {
            twin_chip_exchange(pair.chip, step.frame, answer, step.frame_len);
            pass(&pair, 0);
            sl_slave_feed(&pair.host, step.frame, step.frame_len);
            pass(&pair, GAP_MS);
            compare(&pair);
        }
        pass(&pair, step.pass_ms < PAUSE_MAX ? step.pass_ms : PAUSE_MAX);
        compare(&pair);
    }
    ask(&pair, (uint8_t)(pair.host.sequence + 1));
    FUZZ_CHECK(!twin_chip_counts(pair.chip).crashed && twin_chip_counts(pair.chip).resets == 0);
    twin_chip_destroy(pair.chip);
    return 0;
}

static void pass(struct pair *pair, uint32_t ms)
{
    twin_chip_run(pair->chip, twin_chip_now_us(pair->chip) + ms * UINT64_C(1000));
    for (uint64_t now_ms = twin_chip_now_us(pair->chip) / 1000; pair->host_ms < now_ms;
         pair->host_ms++)
        sl_slave_tick(&pair->host, 1);
}

static void compare(struct pair *pair)
{
    if (twin_chip_conducting(pair->chip) == sl_slave_outputs(&pair->host))
        return;
    pass(pair, SETTLE_MS);
    FUZZ_CHECK(twin_chip_conducting(pair->chip) == sl_slave_outputs(&pair->host));
}

/* The status comes in the exchange after the question. */
static void ask(struct pair *pair, uint8_t sequence)
{
    const struct sl_order order = {.sequence = sequence};
    uint8_t question[SL_FRAME_LEN], answer[SL_FRAME_LEN];
    struct sl_chip_status status;
    sl_order_encode(&order, question);
    for (int i = 0; i < 2; i++) {
        twin_chip_exchange(pair->chip, question, answer, sizeof answer);
        pass(pair, GAP_MS);
    }
    FUZZ_CHECK(sl_chip_status_decode(answer, &status) == SL_OK && status.sequence == sequence);
    FUZZ_CHECK(status.dropped_frames == pair->host.dropped_frames);
    FUZZ_CHECK(status.latched == pair->host.latched);
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        uint16_t host_units = pair->host.remaining[zone].units;
        FUZZ_CHECK(status.remaining_units[zone] + 1 >= host_units);
        FUZZ_CHECK(status.remaining_units[zone] <= host_units + 1);
    }
}
