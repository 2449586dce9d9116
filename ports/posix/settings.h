/* Every setting of sluice-node, in one table: from it come the options, the keys of the file, the
 * help, the manual page and the documented node.conf. Pure: no file, no clock, no output.
 */
#ifndef SL_POSIX_SETTINGS_H
#define SL_POSIX_SETTINGS_H

#include "base/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POSIX_VALUE_MAX 1023 /* bytes of a value */
#define POSIX_SNTP_PORT 123

enum posix_setting_id {
    POSIX_IDENTITY,
    POSIX_CHIP,
    POSIX_SPI,
    POSIX_GPIO,
    POSIX_RAW,
    POSIX_STATE,
    POSIX_SERIAL,
    POSIX_RESET,
    POSIX_SNTP,
    POSIX_AT_ONCE,
    POSIX_LONGEST,
    POSIX_DEFAULT,
    POSIX_LEASE,
    POSIX_LOG,
    POSIX_LOG_LEVEL,
    POSIX_SETTINGS /* how many */
};

enum posix_value_kind {
    POSIX_PATH,   /* 1..max bytes */
    POSIX_LINES,  /* gpio_spec.h; at most max of them */
    POSIX_SERVER, /* HOST, HOST:PORT or [ADDRESS]:PORT */
    POSIX_NUMBER, /* min..max, decimal */
    POSIX_WORD    /* one of words */
};

struct posix_setting {
    const char *name;     /* the long option without its hyphens, and the key in the file */
    const char *argument; /* as the help shows it */
    enum posix_value_kind kind;
    long min, max;
    const char *const *words; /* NULL at the end */
    const char *standard;     /* the value when none is given; NULL: `without` says what then */
    const char *without;      /* NULL: it must be given */
    const char *about;        /* one sentence or more, in one line */
    const char *example;      /* a value */
};

extern const struct posix_setting posix_settings[POSIX_SETTINGS];

/* Where the relays are: exactly one of these is given. */
static inline bool posix_setting_is_output(enum posix_setting_id id)
{
    return id >= POSIX_CHIP && id <= POSIX_RAW;
}

/* Values as they were given, each checked. All zeros: none. */
struct posix_values {
    const char *file; /* the configuration file's name, NULL: none; kept */
    struct posix_value {
        unsigned line;                  /* of the file; 0: from the command line */
        char text[POSIX_VALUE_MAX + 1]; /* empty: not given */
    } list[POSIX_SETTINGS];
};

/* NULL: no setting has this name of len bytes. */
const struct posix_setting *posix_setting_find(const char *name, size_t len);
/* The name that differs least, for "did you mean"; NULL: none is near. */
const struct posix_setting *posix_setting_nearest(const char *name, size_t len);
/* Is text a value of this setting? */
bool posix_setting_allows(const struct posix_setting *setting, const char *text);
/* What is allowed, in words that follow "give"; NUL-terminated, cut at out_len. */
void posix_setting_describe(const struct posix_setting *setting, char *out, size_t out_len);

/* The parts of a value of kind POSIX_SERVER. False: it is none; then nothing is written. */
bool posix_server_parse(const char *text, char host[SL_HOST_MAX + 1], uint16_t *port);

#endif
