/* getopt_long, with every value checked before it is believed. */
#include "options.h"
#include "link/frame.h"
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define LEASE_MAX_S 63 /* 255 units of 250 ms */
#define SNTP_PORT   123

static bool take_number(const char *option, const char *text, long min, long max, long *value);
static bool take_server(const char *text, struct posix_options *options);
static bool take_level(const char *text, enum sl_log_level *level);
static bool take_output(enum posix_output output, const char *name, struct posix_options *options);
static enum posix_options_verdict wrong(const char *format, const char *text);

static const char help[] =
    "sluice-node: takes commands from an MQTT broker and switches relays.\n"
    "\n"
    "usage: sluice-node --identity FILE --chip SOCKET|--spi DEVICE|--raw DEVICE|--gpio CHIP:LINES\n"
    "                   [options]\n"
    "\n"
    "  --identity FILE      identity image made by 'sluice node add'; mode 0600\n"
    "\n"
    "where the relays are, one of:\n"
    "  --chip SOCKET        simulated relay chip: the socket given to 'sluice-chip --spi'\n"
    "  --spi DEVICE         relay chip on a spidev: mode 0, 500 kHz\n"
    "  --gpio CHIP:LINES    relays on GPIO lines, zone 0 first, 1 to 8: low when on, high "
    "impedance\n"
    "                       when off, so each needs its pull-up; off when either process ends\n"
    "  --raw DEVICE         the original project's AVR on a spidev: one inverted byte. It cannot\n"
    "                       be read back, and holds its relays for ever when nothing is sent\n"
    "\n"
    "options:\n"
    "  --state DIR          where the last trusted time is kept over restarts\n"
    "  --sntp HOST[:PORT]   take the time from this server, not from the system's clock\n"
    "  --at-once N          zones that may be on together, 1..8 (1)\n"
    "  --longest SECONDS    longest time a zone may be on, 1..14400 (14400)\n"
    "  --default SECONDS    time of a command that names none (600, or --longest if less)\n"
    "  --lease SECONDS      silence after which the chip closes everything, 1..63 (10)\n"
    "  --log-level LEVEL    debug, info, warning or error (info)\n"
    "  --help, --version\n"
    "\n"
    "SIGTERM and SIGINT switch every zone off, say so to the broker and end with 0; a second one\n"
    "ends at once. SIGUSR1 logs the report.\n"
    "Exit status: 0 done, 2 wrong usage, 4 a local file, socket, device or the relay process "
    "failed.\n"
    "\n"
    "examples:\n"
    "  sluice-node --identity site/nodes/garden/identity --chip /run/sluice/garden.spi\n"
    "  sluice-node --identity garden.identity --chip chip.spi --state /var/lib/sluice \\\n"
    "              --sntp 192.168.1.1 --at-once 2 --longest 3600\n"
    "  sluice-node --identity garden.identity --spi /dev/spidev0.0 --sntp '[fd00::1]:1123'\n"
    "  sluice-node --identity garden.identity --gpio gpiochip0:17,27,22,5,6,13,19,26\n";

enum posix_options_verdict posix_options_parse(struct posix_options *options, int argc, char **argv)
{
    static const struct option names[] = {
        {"identity", required_argument, NULL, 'i'},
        {"chip", required_argument, NULL, 'c'},
        {"state", required_argument, NULL, 's'},
        {"sntp", required_argument, NULL, 't'},
        {"at-once", required_argument, NULL, 'n'},
        {"longest", required_argument, NULL, 'm'},
        {"default", required_argument, NULL, 'd'},
        {"lease", required_argument, NULL, 'l'},
        {"log-level", required_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {"spi", required_argument, NULL, 'p'},
        {"raw", required_argument, NULL, 'r'},
        {"gpio", required_argument, NULL, 'g'},
        {NULL, 0, NULL, 0},
    };
    long at_once = 1, longest = SL_ZONE_LONGEST_S, standard = 0, lease = SL_LINK_LEASE_MS / 1000;
    bool ok = true;
    int option;

    *options = (struct posix_options){.log_level = SL_LOG_INFO};
    optind = 1;
    while (ok && (option = getopt_long(argc, argv, "", names, NULL)) != -1)
        switch (option) {
        case 'i':
            options->identity_path = optarg;
            break;
        case 'c':
            ok = take_output(POSIX_OUTPUT_SOCKET, optarg, options);
            break;
        case 'p':
            ok = take_output(POSIX_OUTPUT_SPI, optarg, options);
            break;
        case 'r':
            ok = take_output(POSIX_OUTPUT_RAW, optarg, options);
            break;
        case 'g':
            ok = take_output(POSIX_OUTPUT_GPIO, optarg, options);
            break;
        case 's':
            options->state_dir = optarg;
            break;
        case 't':
            ok = take_server(optarg, options);
            break;
        case 'n':
            ok = take_number("--at-once", optarg, 1, SL_ZONES, &at_once);
            break;
        case 'm':
            ok = take_number("--longest", optarg, 1, SL_ZONE_LONGEST_S, &longest);
            break;
        case 'd':
            ok = take_number("--default", optarg, 1, SL_ZONE_LONGEST_S, &standard);
            break;
        case 'l':
            ok = take_number("--lease", optarg, 1, LEASE_MAX_S, &lease);
            break;
        case 'v':
            ok = take_level(optarg, &options->log_level);
            break;
        case 'h':
            fputs(help, stdout);
            return POSIX_OPTIONS_DONE;
        case 'V':
            puts("sluice-node " SL_VERSION);
            return POSIX_OPTIONS_DONE;
        default: /* getopt_long has said what is wrong */
            return wrong("%s", "");
        }
    if (!ok)
        return POSIX_OPTIONS_WRONG;
    if (optind < argc)
        return wrong("sluice-node: '%s' belongs to no option\n", argv[optind]);
    if (!options->identity_path || !options->output_name)
        return wrong("sluice-node: %s is missing\n",
                     options->identity_path ? "--chip, --spi, --gpio or --raw" : "--identity FILE");
    if (options->output == POSIX_OUTPUT_SOCKET &&
        strlen(options->output_name) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return wrong("sluice-node: --chip %s: the path of a socket has at most 107 bytes\n",
                     options->output_name);
    if (standard > longest)
        return wrong("sluice-node: --default is above --longest%s\n", "");
    if (standard == 0)
        standard = longest < SL_ZONE_DEFAULT_S ? longest : SL_ZONE_DEFAULT_S;

    options->limits = (struct sl_zone_limits){.at_once = (uint8_t)at_once,
                                              .longest_s = (uint16_t)longest,
                                              .default_s = (uint16_t)standard};
    options->lease_ms = (uint32_t)lease * 1000;
    return POSIX_OPTIONS_RUN;
}

static enum posix_options_verdict wrong(const char *format, const char *text)
{
    fprintf(stderr, format, text);
    fputs("'sluice-node --help' tells the options\n", stderr);
    return POSIX_OPTIONS_WRONG;
}

static bool take_number(const char *option, const char *text, long min, long max, long *value)
{
    char *end;

    *value = strtol(text, &end, 10);
    if (isdigit((unsigned char)text[0]) && *end == '\0' && *value >= min && *value <= max)
        return true;
    fprintf(stderr, "sluice-node: %s %s: give a number from %ld to %ld\n", option, text, min, max);
    return false;
}

static bool take_level(const char *text, enum sl_log_level *level)
{
    static const char *const words[] = {[SL_LOG_DEBUG] = "debug",
                                        [SL_LOG_INFO] = "info",
                                        [SL_LOG_WARNING] = "warning",
                                        [SL_LOG_ERROR] = "error"};

    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i]) == 0) {
            *level = (enum sl_log_level)i;
            return true;
        }
    fprintf(stderr, "sluice-node: --log-level %s: give debug, info, warning or error\n", text);
    return false;
}

static bool take_output(enum posix_output output, const char *name, struct posix_options *options)
{
    if (options->output_name) {
        fputs("sluice-node: give only one of --chip, --spi, --gpio and --raw\n", stderr);
        return false;
    }
    options->output = output;
    options->output_name = name;
    return true;
}

/* HOST, HOST:PORT, [ADDRESS]:PORT, or an IPv6 address, which has colons of its own. */
static bool take_server(const char *text, struct posix_options *options)
{
    const char *host = text, *port = NULL;
    size_t len = strlen(text);
    long number = SNTP_PORT;

    if (text[0] == '[') {
        const char *close = strchr(text, ']');
        host = text + 1;
        len = close ? (size_t)(close - host) : 0;
        if (close && close[1] == ':')
            port = close + 2;
        else if (close && close[1] != '\0')
            len = 0;
    } else if (strchr(text, ':') && strchr(text, ':') == strrchr(text, ':')) {
        len = (size_t)(strchr(text, ':') - text);
        port = text + len + 1;
    }
    if (len == 0 || len >= sizeof options->sntp_host) {
        fprintf(stderr, "sluice-node: --sntp %s: give HOST, HOST:PORT or [ADDRESS]:PORT\n", text);
        return false;
    }
    if (port && !take_number("port of --sntp", port, 1, UINT16_MAX, &number))
        return false;
    memcpy(options->sntp_host, host, len);
    options->sntp_host[len] = '\0';
    options->sntp_port = (uint16_t)number;
    options->use_sntp = true;
    return true;
}
