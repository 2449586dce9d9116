/* The command line of sluice-node. */
#ifndef SL_POSIX_OPTIONS_H
#define SL_POSIX_OPTIONS_H

#include "base/limits.h"
#include "base/log.h"
#include "zone/zone.h"
#include <stdbool.h>
#include <stdint.h>

enum posix_output { POSIX_OUTPUT_SOCKET, POSIX_OUTPUT_SPI, POSIX_OUTPUT_RAW, POSIX_OUTPUT_GPIO };

struct posix_options {
    const char *identity_path;
    enum posix_output output;
    const char *output_name; /* SOCKET, DEVICE or CHIP:LINES of it */
    const char *state_dir;   /* NULL: none */
    bool use_sntp;
    char sntp_host[SL_HOST_MAX + 1];
    uint16_t sntp_port;
    struct sl_zone_limits limits;
    uint32_t lease_ms;
    enum sl_log_level log_level;
};

enum posix_options_verdict {
    POSIX_OPTIONS_RUN,
    POSIX_OPTIONS_DONE, /* --help or --version was answered */
    POSIX_OPTIONS_WRONG /* the reason is on stderr */
};

/* Gives: *options with defaults for what is not named; strings point into argv. */
enum posix_options_verdict posix_options_parse(struct posix_options *options, int argc,
                                               char **argv);

#endif
