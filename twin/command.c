/* One table: the words of a command, what it takes, what it does. */
#include "command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
    struct twin_chip *chip;
    bool is_virtual;
    bool is_quit;
    const char *argument; /* what follows the command's words */
    char *answer;
};

static void run_state(struct request *request);
static void run_run(struct request *request);
static void run_bit_errors(struct request *request);
static void run_frame_loss(struct request *request);
static void run_cut(struct request *request);
static void run_join(struct request *request);
static void run_oscillator(struct request *request);
static void run_stuck(struct request *request);
static void run_free(struct request *request);
static void run_hang(struct request *request);
static void run_reset(struct request *request);
static void run_brown_out(struct request *request);
static void run_power(struct request *request);
static void run_quit(struct request *request);

static const struct {
    const char *word;
    bool has_argument;
    void (*run)(struct request *request);
    const char *usage;
} commands[] = {
    {"state", false, run_state, "state"},
    {"run", true, run_run, "run MS"},
    {"bit-errors", true, run_bit_errors, "bit-errors P"},
    {"frame-loss", true, run_frame_loss, "frame-loss P"},
    {"cut", false, run_cut, "cut"},
    {"join", false, run_join, "join"},
    {"oscillator", true, run_oscillator, "oscillator PERCENT"},
    {"stuck", true, run_stuck, "stuck ZONE high|low"},
    {"free", true, run_free, "free ZONE"},
    {"hang", false, run_hang, "hang"},
    {"reset", false, run_reset, "reset"},
    {"brown-out", false, run_brown_out, "brown-out"},
    {"power", true, run_power, "power on|off"},
    {"quit", false, run_quit, "quit"},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void refuse(struct request *request, const char *what)
{
    snprintf(request->answer, TWIN_ANSWER_MAX, "error: %s", what);
}

static void refuse_unknown(struct request *request)
{
    int len = snprintf(request->answer, TWIN_ANSWER_MAX, "error: unknown command; use ");
    for (size_t i = 0; i < COMMANDS; i++)
        len += snprintf(request->answer + len, (size_t)(TWIN_ANSWER_MAX - len), "%s%s",
                        i > 0 ? ", " : "", commands[i].usage);
}

bool twin_command_run(struct twin_chip *chip, bool is_virtual, const char *line,
                      char answer[TWIN_ANSWER_MAX])
{
    struct request request = {.chip = chip, .is_virtual = is_virtual, .answer = answer};
    snprintf(answer, TWIN_ANSWER_MAX, "ok");
    size_t word_len = strcspn(line, " ");
    request.argument = line[word_len] == ' ' ? line + word_len + 1 : "";
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strlen(commands[i].word) != word_len || memcmp(line, commands[i].word, word_len) != 0)
            continue;
        if (commands[i].has_argument != (request.argument[0] != 0)) {
            snprintf(answer, TWIN_ANSWER_MAX, "error: use %s", commands[i].usage);
            return false;
        }
        commands[i].run(&request);
        return request.is_quit;
    }
    refuse_unknown(&request);
    return false;
}

/* A number in min..max and nothing behind it. */
static bool parse_number(const char *text, double min, double max, double *number)
{
    char *end;
    *number = strtod(text, &end);
    return end != text && *end == 0 && *number >= min && *number <= max;
}

static void run_state(struct request *request)
{
    static const char *const levels[] = {[TWIN_LOW] = "low",
                                         [TWIN_HIGH] = "high",
                                         [TWIN_WEAK_HIGH] = "weak",
                                         [TWIN_FLOATING] = "floating"};
    struct twin_chip *chip = request->chip;
    struct twin_chip_counts counts = twin_chip_counts(chip);
    char pins[SL_ZONES * 12];
    int len = 0;
    for (uint8_t zone = 0; zone < SL_ZONES; zone++)
        len += snprintf(pins + len, sizeof pins - (size_t)len, "%s\"%s\"", zone > 0 ? "," : "",
                        levels[twin_chip_pin(chip, zone)]);
    snprintf(request->answer, TWIN_ANSWER_MAX,
             "{\"time_us\":%" PRIu64 ",\"conducting\":%u,\"pins\":[%s],\"changed_us\":%" PRIu64
             ",\"powered\":%s,\"link\":\"%s\",\"resets\":%u,\"watchdog_resets\":%u,"
             "\"exchanges\":%u,\"overruns\":%u,\"collisions\":%u,\"stack_max\":%u,"
             "\"worst_interrupt_cycles\":%u,\"crashed\":%s}",
             twin_chip_now_us(chip), twin_chip_conducting(chip), pins, twin_chip_changed_us(chip),
             twin_chip_has_power(chip) ? "true" : "false",
             twin_chip_is_link_cut(chip) ? "cut" : "up", counts.resets, counts.watchdog_resets,
             counts.exchanges, counts.overruns, counts.collisions, counts.stack_max,
             counts.worst_interrupt_cycles, counts.crashed ? "true" : "false");
}

static void run_run(struct request *request)
{
    double ms;
    if (!request->is_virtual) {
        refuse(request, "run: the chip keeps its own pace; start sluice-chip with --virtual");
        return;
    }
    if (!parse_number(request->argument, 0, (double)TWIN_STEP_MAX_US / 1000, &ms)) {
        refuse(request, "run: milliseconds, 0 to 86400000");
        return;
    }
    twin_chip_run(request->chip, twin_chip_now_us(request->chip) + (uint64_t)(ms * 1000));
    run_state(request);
}

static void run_bit_errors(struct request *request)
{
    double probability;
    if (parse_number(request->argument, 0, 1, &probability))
        twin_chip_set_bit_errors(request->chip, probability, 1);
    else
        refuse(request, "bit-errors: a probability, 0 to 1");
}

static void run_frame_loss(struct request *request)
{
    double probability;
    if (parse_number(request->argument, 0, 1, &probability))
        twin_chip_set_frame_loss(request->chip, probability);
    else
        refuse(request, "frame-loss: a probability, 0 to 1");
}

static void run_cut(struct request *request)
{
    twin_chip_set_link_cut(request->chip, true);
}

static void run_join(struct request *request)
{
    twin_chip_set_link_cut(request->chip, false);
}

static void run_oscillator(struct request *request)
{
    double percent;
    if (parse_number(request->argument, -10, 10, &percent))
        twin_chip_set_oscillator(request->chip, 1 + percent / 100);
    else
        refuse(request, "oscillator: percent, -10 to 10");
}

static bool parse_zone(const char *text, uint8_t *zone)
{
    *zone = (uint8_t)(text[0] - '0');
    return text[0] >= '0' && text[0] < '0' + SL_ZONES;
}

static void run_stuck(struct request *request)
{
    uint8_t zone;
    const char *text = request->argument;
    bool is_zone = parse_zone(text, &zone);
    if (is_zone && strcmp(text + 1, " high") == 0)
        twin_chip_set_pin_stuck(request->chip, zone, true, true);
    else if (is_zone && strcmp(text + 1, " low") == 0)
        twin_chip_set_pin_stuck(request->chip, zone, true, false);
    else
        refuse(request, "stuck: a zone, 0 to 7, and high or low");
}

static void run_free(struct request *request)
{
    uint8_t zone;
    if (parse_zone(request->argument, &zone) && request->argument[1] == 0)
        twin_chip_set_pin_stuck(request->chip, zone, false, false);
    else
        refuse(request, "free: a zone, 0 to 7");
}

static void run_hang(struct request *request)
{
    twin_chip_hang(request->chip);
}

static void run_reset(struct request *request)
{
    twin_chip_reset(request->chip);
}

static void run_brown_out(struct request *request)
{
    twin_chip_brown_out(request->chip);
}

static void run_power(struct request *request)
{
    bool is_on = strcmp(request->argument, "on") == 0;
    if (is_on || strcmp(request->argument, "off") == 0)
        twin_chip_set_power(request->chip, is_on);
    else
        refuse(request, "power: on or off");
}

static void run_quit(struct request *request)
{
    request->is_quit = true;
}
