/* The table, and what a value of each kind may be. */
#include "settings.h"
#include "gpio_spec.h"
#include "zone/zone.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define NEAR_MAX 3 /* edits between what was written and meant, and less than half of it */

#define TEXT(number)    TEXT_OF(number)
#define TEXT_OF(number) #number

static bool parse_number(const char *text, long min, long max, long *value);
static unsigned distance(const char *a, size_t a_len, const char *b);

static const char *const levels[] = {"debug", "info", "warning", "error", NULL};
static const char *const sinks[] = {"auto", "stderr", "journal", "syslog", "json", NULL};

/* clang-format off: a table */
const struct posix_setting posix_settings[POSIX_SETTINGS] = {
    [POSIX_IDENTITY] =
        {"identity", "FILE", POSIX_PATH, .max = POSIX_VALUE_MAX,
         .about = "The identity image made by 'sluice node add', or where to put that of an "
                  "enrolment (see serial). Nobody but the node's user (mode "
                  "0600) or, for a credential of systemd, its service may read it.",
         .example = "/etc/sluice/garden.identity"},
    [POSIX_CHIP] = {"chip", "SOCKET", POSIX_PATH,
                    .max = sizeof((struct sockaddr_un *)0)->sun_path - 1,
                    .without = "another kind of output",
                    .about = "A simulated relay chip: the socket given to 'sluice-chip --spi'.",
                    .example = "/run/sluice/garden.spi"},
    [POSIX_SPI] = {"spi", "DEVICE", POSIX_PATH, .max = POSIX_VALUE_MAX,
                   .without = "another kind of output",
                   .about = "A relay chip on a spidev: mode 0, 500 kHz.",
                   .example = "/dev/spidev0.0"},
    [POSIX_GPIO] =
        {"gpio", "CHIP:LINES", POSIX_LINES, .max = SL_ZONES, .without = "another kind of output",
         .about = "Relays on GPIO lines, zone 0 first, 1 to 8: low when on, high impedance when "
                  "off, so each needs its pull-up. Off when either process ends.",
         .example = "gpiochip0:17,27,22,5,6,13,19,26"},
    [POSIX_RAW] =
        {"raw", "DEVICE", POSIX_PATH, .max = POSIX_VALUE_MAX, .without = "another kind of output",
         .about = "The original project's AVR on a spidev: one inverted byte. It cannot be read "
                  "back, and holds its relays for ever when nothing is sent.",
         .example = "/dev/spidev0.0"},
    [POSIX_STATE] = {"state", "DIR", POSIX_PATH, .max = POSIX_VALUE_MAX,
                     .without = "nothing is kept",
                     .about = "A folder of this node alone, where the last trusted time, the TLS "
                              "session and renewed identities are kept over restarts.",
                     .example = "/var/lib/sluice/garden"},
    [POSIX_SERIAL] =
        {"serial", "DEVICE", POSIX_PATH, .max = POSIX_VALUE_MAX,
         .without = "a node without an identity does not start",
         .about = "A serial line over which a node without an identity gets one from 'sluice node "
                  "enrol': a tty, or pty:PATH for a pseudo terminal of the node's own. A node that "
                  "has one does not open it.",
         .example = "/dev/ttyS0"},
    [POSIX_RESET] =
        {"reset", "CHIP:LINE", POSIX_LINES, .max = 1, .without = "a node with an identity keeps it",
         .about = "A GPIO line that, held low for a second at the start, lets a node with an "
                  "identity be enrolled again.",
         .example = "gpiochip0:3"},
    [POSIX_SNTP] = {"sntp", "HOST[:PORT]", POSIX_SERVER, .without = "the system's clock",
                    .about = "Take the time from this server, not from the system's clock.",
                    .example = "192.168.1.1"},
    [POSIX_AT_ONCE] =
        {"at-once", "N", POSIX_NUMBER, 1, SL_ZONES, .standard = "1",
         .about = "Zones that may be on together; a further one displaces the one that ends first.",
         .example = "2"},
    [POSIX_LONGEST] = {"longest", "SECONDS", POSIX_NUMBER, 1, SL_ZONE_LONGEST_S,
                       .standard = TEXT(SL_ZONE_LONGEST_S),
                       .about = "The longest time a zone may be on; a command for more is refused.",
                       .example = "3600"},
    [POSIX_DEFAULT] = {"default", "SECONDS", POSIX_NUMBER, 1, SL_ZONE_LONGEST_S,
                       .without = TEXT(SL_ZONE_DEFAULT_S) ", or 'longest' if that is less",
                       .about = "The time of a command that names none; at most 'longest'.",
                       .example = "900"},
    [POSIX_LEASE] = {"lease", "SECONDS", POSIX_NUMBER, 1, 63 /* 255 units of 250 ms */,
                     .standard = "10",
                     .about = "Silence of the node after which the relay chip closes everything.",
                     .example = "5"},
    [POSIX_LOG] =
        {"log", "SINK", POSIX_WORD, .words = sinks, .standard = "auto",
         .about = "Where log lines go: to the journal with event fields when stderr is the "
                  "journal's, else to stderr (auto); to stderr as text; to the journal; to syslog "
                  "(event and numbers at the end of the line); to stderr as JSON, one object a "
                  "line.",
         .example = "syslog"},
    [POSIX_LOG_LEVEL] = {"log-level", "LEVEL", POSIX_WORD, .words = levels, .standard = "info",
                         .about = "The least important lines that are logged.",
                         .example = "warning"},
};
/* clang-format on */

const struct posix_setting *posix_setting_find(const char *name, size_t len)
{
    for (unsigned id = 0; id < POSIX_SETTINGS; id++)
        if (strlen(posix_settings[id].name) == len &&
            memcmp(posix_settings[id].name, name, len) == 0)
            return &posix_settings[id];
    return NULL;
}

const struct posix_setting *posix_setting_nearest(const char *name, size_t len)
{
    const struct posix_setting *nearest = NULL;
    unsigned least = NEAR_MAX + 1;

    for (unsigned id = 0; id < POSIX_SETTINGS; id++) {
        const unsigned edits = distance(name, len, posix_settings[id].name);
        if (edits < least && 2 * edits < strlen(posix_settings[id].name)) {
            least = edits;
            nearest = &posix_settings[id];
        }
    }
    return nearest;
}

bool posix_setting_allows(const struct posix_setting *setting, const char *text)
{
    char host[SL_HOST_MAX + 1];
    struct posix_gpio_spec spec;
    uint16_t port;
    long number;

    switch (setting->kind) {
    case POSIX_PATH:
        return text[0] != '\0' && strlen(text) <= (size_t)setting->max;
    case POSIX_LINES:
        return posix_gpio_spec_parse(text, &spec) && spec.len <= (unsigned long)setting->max;
    case POSIX_SERVER:
        return posix_server_parse(text, host, &port);
    case POSIX_NUMBER:
        return parse_number(text, setting->min, setting->max, &number);
    case POSIX_WORD:
        for (const char *const *word = setting->words; *word; word++)
            if (strcmp(text, *word) == 0)
                return true;
        return false;
    }
    return false;
}

void posix_setting_describe(const struct posix_setting *setting, char *out, size_t out_len)
{
    size_t at = 0;

    switch (setting->kind) {
    case POSIX_PATH:
        snprintf(out, out_len, "a path of 1 to %ld bytes", setting->max);
        break;
    case POSIX_LINES:
        if (setting->max == 1)
            snprintf(out, out_len, "CHIP:LINE");
        else
            snprintf(out, out_len, "CHIP:LINE[,LINE...], 1 to %ld different lines, zone 0 first",
                     setting->max);
        break;
    case POSIX_SERVER:
        snprintf(out, out_len,
                 "HOST, HOST:PORT or [ADDRESS]:PORT, with a port from 1 to 65535 (%d)",
                 POSIX_SNTP_PORT);
        break;
    case POSIX_NUMBER:
        snprintf(out, out_len, "a number from %ld to %ld", setting->min, setting->max);
        break;
    case POSIX_WORD:
        for (const char *const *word = setting->words; *word && at < out_len; word++) {
            const char *before = word == setting->words ? "" : word[1] ? ", " : " or ";
            at += (size_t)snprintf(out + at, out_len - at, "%s%s", before, *word);
        }
        break;
    }
}

/* An IPv6 address has colons of its own, so only one colon outside brackets is a port's. */
bool posix_server_parse(const char *text, char host[SL_HOST_MAX + 1], uint16_t *port)
{
    const char *start = text, *digits = NULL;
    const char *colon = strchr(text, ':');
    size_t len = strlen(text);
    long number = POSIX_SNTP_PORT;

    if (text[0] == '[') {
        const char *close = strchr(text, ']');
        if (!close || (close[1] != ':' && close[1] != '\0'))
            return false;
        start = text + 1;
        len = (size_t)(close - start);
        digits = close[1] == ':' ? close + 2 : NULL;
    } else if (colon && colon == strrchr(text, ':')) {
        len = (size_t)(colon - text);
        digits = colon + 1;
    }
    if (len == 0 || len > SL_HOST_MAX || memchr(start, ' ', len) || memchr(start, '[', len) ||
        (digits && !parse_number(digits, 1, UINT16_MAX, &number)))
        return false;
    memcpy(host, start, len);
    host[len] = '\0';
    *port = (uint16_t)number;
    return true;
}

/* Digits and nothing else: strtol alone would take a sign, blanks and an overflow. */
static bool parse_number(const char *text, long min, long max, long *value)
{
    const size_t len = strspn(text, "0123456789");

    if (len == 0 || len > 9 || text[len] != '\0')
        return false;
    *value = strtol(text, NULL, 10);
    return *value >= min && *value <= max;
}

/* How many single-byte edits make a of b (Levenshtein). A long a is near to nothing. */
static unsigned distance(const char *a, size_t a_len, const char *b)
{
    unsigned row[32];
    const size_t b_len = strlen(b);

    if (a_len > 2 * b_len || b_len >= sizeof row / sizeof row[0])
        return UINT16_MAX;
    for (unsigned j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 0; i < a_len; i++) {
        unsigned diagonal = row[0]++;
        for (size_t j = 0; j < b_len; j++) {
            const unsigned replaced = diagonal + (a[i] != b[j]);
            const unsigned other = 1 + (row[j] < row[j + 1] ? row[j] : row[j + 1]);
            diagonal = row[j + 1];
            row[j + 1] = replaced < other ? replaced : other;
        }
    }
    return row[b_len];
}
