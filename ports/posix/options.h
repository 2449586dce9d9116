/* What sluice-node was told: its command line, and the file that --config names. */
#ifndef SL_POSIX_OPTIONS_H
#define SL_POSIX_OPTIONS_H

#include "log.h"
#include "settings.h"
#include "zone/zone.h"

enum posix_output { POSIX_OUTPUT_SOCKET, POSIX_OUTPUT_SPI, POSIX_OUTPUT_GPIO, POSIX_OUTPUT_RAW };

struct posix_options {
    const char *identity_path;
    enum posix_output output;
    const char *output_name; /* SOCKET, DEVICE or CHIP:LINES of it */
    const char *state_dir;   /* NULL: none */
    const char *serial;      /* tty or pty:PATH; NULL: none */
    const char *reset;       /* CHIP:LINE; NULL: none */
    bool use_sntp;
    char sntp_host[SL_HOST_MAX + 1];
    uint16_t sntp_port;
    struct sl_zone_limits limits;
    uint32_t lease_ms;
    enum posix_log_sink log_sink;
    enum sl_log_level log_level;
};

enum posix_options_verdict {
    POSIX_OPTIONS_RUN,
    POSIX_OPTIONS_CHECK, /* --check-config */
    POSIX_OPTIONS_DONE,  /* --help or --version was answered */
    POSIX_OPTIONS_FAILED
};

/* Gives: *values, what was given, the command line before the file; and *options made of it;
 * after POSIX_OPTIONS_FAILED *failure, whose exit tells wrong usage from an unreadable file. */
enum posix_options_verdict posix_options_parse(struct posix_options *options,
                                               struct posix_values *values, int argc, char **argv,
                                               struct posix_failure *failure);

/* The options that *values mean, with defaults for what is not given. Pure.
 * Requires: *values as the parsers leave it, every value allowed. Gives: strings in *values.
 * False: they do not go together, or one is missing; *failure says which. */
bool posix_options_make(struct posix_options *options, const struct posix_values *values,
                        struct posix_failure *failure);

#endif
