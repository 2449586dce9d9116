/* sluice-chip: the relay chip with its firmware, simulated, on two Unix sockets. */
#define _GNU_SOURCE
#include "chip.h"
#include "measure.h"
#include "server.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "sluice-chip: the relay chip, simulated: its own firmware, pin by pin\n"
    "\n"
    "  sluice-chip --elf FILE --spi SOCKET --control SOCKET [options]\n"
    "  sluice-chip --elf FILE --measure\n"
    "\n"
    "  --elf FILE            firmware, build/atmega168/relay-chip.elf (make firmware)\n"
    "  --spi SOCKET          the SPI bus, for the node\n"
    "  --control SOCKET      state and faults: state, hang, cut, power off, ...\n"
    "  --vcd FILE            trace of the relay pins, SS and RESET, for gtkwave\n"
    "  --virtual             time comes from the clients instead of the clock\n"
    "  --oscillator PERCENT  how far the chip's oscillator is off, -10 to 10\n"
    "  --measure             print the firmware's sizes and times, and end\n"
    "  --help                this text\n"
    "\n"
    "Examples\n"
    "  sluice-chip --elf build/atmega168/relay-chip.elf --spi /tmp/spi --control /tmp/chip &\n"
    "  sluice-node --identity garden.id --chip /tmp/spi\n"
    "  sluice-chip --elf build/atmega168/relay-chip.elf --measure\n"
    "\n"
    "The protocol of both sockets: docs/spec/twin-socket.md. Links libsimavr (GPLv3).\n";

enum option_code { ELF = 1, SPI, CONTROL, VCD, VIRTUAL, OSCILLATOR, MEASURE, HELP };

static const struct option long_options[] = {
    {"elf", required_argument, NULL, ELF},
    {"spi", required_argument, NULL, SPI},
    {"control", required_argument, NULL, CONTROL},
    {"vcd", required_argument, NULL, VCD},
    {"virtual", no_argument, NULL, VIRTUAL},
    {"oscillator", required_argument, NULL, OSCILLATOR},
    {"measure", no_argument, NULL, MEASURE},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

#define EXIT_USAGE 2

static int refuse(const char *what)
{
    fprintf(stderr, "sluice-chip: %s; see sluice-chip --help\n", what);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct twin_chip_options chip_options = {0};
    struct twin_server_options server_options = {0};
    bool is_measuring = false;
    int code;
    while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        char *end;
        double percent;
        switch (code) {
        case ELF:
            chip_options.elf_path = optarg;
            break;
        case SPI:
            server_options.spi_path = optarg;
            break;
        case CONTROL:
            server_options.control_path = optarg;
            break;
        case VCD:
            chip_options.vcd_path = optarg;
            break;
        case VIRTUAL:
            server_options.is_virtual = true;
            break;
        case OSCILLATOR:
            percent = strtod(optarg, &end);
            if (end == optarg || *end != 0 || !(percent >= -10 && percent <= 10))
                return refuse("--oscillator takes percent, -10 to 10");
            chip_options.oscillator = 1 + percent / 100;
            break;
        case MEASURE:
            is_measuring = true;
            break;
        case HELP:
            fputs(usage, stdout);
            return 0;
        default:
            return refuse("unknown option or missing value");
        }
    }
    if (optind < argc)
        return refuse("only options are taken");
    if (chip_options.elf_path == NULL)
        return refuse("--elf is missing");
    if (!is_measuring && (server_options.spi_path == NULL || server_options.control_path == NULL))
        return refuse("--spi or --control is missing");

    const char *error;
    struct twin_chip *chip = twin_chip_create(&chip_options, &error);
    if (chip == NULL) {
        fprintf(stderr, "sluice-chip: %s\n", error);
        return 1;
    }
    int result = is_measuring ? twin_measure_print(chip) : twin_server_run(chip, &server_options);
    twin_chip_destroy(chip);
    return result;
}
