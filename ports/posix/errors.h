/* Every failure that sluice-node tells of itself: one list makes the identifier, the exit code, the
 * words, sluice-errors(7) and docs/errors.md. A message names the thing and its cause, then the
 * cure; the events of the node itself are in base/log.h. */
#ifndef SL_POSIX_ERRORS_H
#define SL_POSIX_ERRORS_H

#include "base/error_list.h"
#include <stdarg.h>
#include <stdbool.h>

enum posix_exit {
    POSIX_EXIT_GOES_ON = -1, /* told in the log, as a warning */
    POSIX_EXIT_DONE = 0,
    POSIX_EXIT_USAGE = 2,
    POSIX_EXIT_LOCAL = 4
};

#define POSIX_CURE_NEW_IMAGE  "make a new one with 'sluice node add NAME --replace'"
#define POSIX_CURE_FOLDER     "make it, writable for this user, or leave --state out"
#define POSIX_CURE_DESCRIPTOR "raise the limit of open files (ulimit -n, or LimitNOFILE=)"
#define POSIX_CURE_HELP       "see 'sluice-node --help'"
#define POSIX_CURE_DRIVER     "look into the kernel's log (dmesg) for its driver, and at the wiring"
#define POSIX_CURE_RESOLVER   "and this machine's DNS (/etc/resolv.conf)"

/* Name; exit code; what the marks stand for, in their order; the thing and its cause; the cure.
 * The marks are printf's, so that the compiler checks every call. */
#define POSIX_ERROR_LIST(X)                                                                        \
    /* the command line */                                                                         \
    X(OPTION_UNKNOWN, USAGE, "OPTION", "'%.200s' is no option, or not the whole of one",           \
      POSIX_CURE_HELP)                                                                             \
    X(OPTION_MISSPELT, USAGE, "OPTION OPTION", "'%.200s' is no option, or not the whole of one",   \
      "did you mean '--%s'?")                                                                      \
    X(OPTION_VALUE_MISSING, USAGE, "OPTION", "%.200s has no value", POSIX_CURE_HELP)               \
    X(OPTION_VALUE_BAD, USAGE, "VALUE OPTION ALLOWED", "'%.200s' is no value of --%s", "give %s")  \
    X(ARGUMENT_EXTRA, USAGE, "WORD", "'%.200s' belongs to no option", POSIX_CURE_HELP)             \
    X(IDENTITY_UNNAMED, USAGE, "FILE", "--identity FILE is missing",                               \
      "give it here, or as 'identity = FILE' in %s")                                               \
    X(OUTPUT_UNNAMED, USAGE, "FILE", "--chip, --spi, --gpio or --raw is missing",                  \
      "give one of them, here or in %s")                                                           \
    X(OUTPUT_TWICE, USAGE, "FILE", "more than one of --chip, --spi, --gpio and --raw is given",    \
      "keep one of them, here or in %s")                                                           \
    X(RESET_WITHOUT_SERIAL, USAGE, "",                                                             \
      "'reset' is given without 'serial', so holding it would do nothing",                         \
      "give the serial line, too, or leave the reset out")                                         \
    X(DEFAULT_ABOVE_LONGEST, USAGE, "SECONDS SECONDS",                                             \
      "'default' (%ld s) is above 'longest' (%ld s)", "lower the one, or raise the other")         \
    /* the configuration file */                                                                   \
    X(CONFIG_UNREADABLE, LOCAL, "FILE CAUSE", "%s: cannot be read (%s)",                           \
      "give the path of a configuration file that this user may read")                             \
    X(CONFIG_NO_FILE, LOCAL, "FILE", "%s: not a regular file", "name the file itself")             \
    X(CONFIG_OPEN, LOCAL, "FILE FILE", "%s: everybody may change it", "run 'chmod o-w %s'")        \
    X(CONFIG_TOO_LARGE, USAGE, "FILE MAX", "%s: larger than %d bytes, so it is no configuration",  \
      "name another file")                                                                         \
    X(LINE_TOO_LONG, USAGE, "FILE LINE MAX", "%s:%u: the line is longer than %d bytes",            \
      "shorten it")                                                                                \
    X(LINE_NO_TEXT, USAGE, "FILE LINE", "%s:%u: the line holds a control character",               \
      "write plain text")                                                                          \
    X(LINE_NO_SETTING, USAGE, "FILE LINE", "%s:%u: '=' is missing", "write key = value")           \
    X(SETTING_UNKNOWN, USAGE, "FILE LINE KEY", "%s:%u: '%s' is no setting",                        \
      "'sluice-node --help' lists them")                                                           \
    X(SETTING_MISSPELT, USAGE, "FILE LINE KEY KEY", "%s:%u: '%s' is no setting",                   \
      "did you mean '%s'?")                                                                        \
    X(SETTING_TWICE, USAGE, "FILE LINE KEY LINE", "%s:%u: '%s' was given in line %u already",      \
      "keep one of them")                                                                          \
    X(VALUE_QUOTED, USAGE, "FILE LINE VALUE KEY", "%s:%u: the value %s of %s has quotes",          \
      "write it without them")                                                                     \
    X(VALUE_BAD, USAGE, "FILE LINE VALUE KEY ALLOWED", "%s:%u: '%s' is no value of %s", "give %s") \
    /* the identity */                                                                             \
    X(IDENTITY_MISSING, LOCAL, "FILE CAUSE", "identity %s: cannot be found (%s)",                  \
      "make one with 'sluice node add NAME' and give its path, or give --serial and enrol the "    \
      "node")                                                                                      \
    X(IDENTITY_DENIED, LOCAL, "FILE CAUSE", "identity %s: this user may not read it (%s)",         \
      "run sluice-node as its owner, or make this user its owner with chown")                      \
    X(IDENTITY_LINK, LOCAL, "FILE", "identity %s: it is a symbolic link", "name the file itself")  \
    X(IDENTITY_UNREADABLE, LOCAL, "FILE CAUSE", "identity %s: cannot be read (%s)",                \
      "check the disk, or copy it again from the site")                                            \
    X(IDENTITY_NO_FILE, LOCAL, "FILE", "identity %s: not a regular file", "name the image itself") \
    X(IDENTITY_FOREIGN, LOCAL, "FILE USER USER USER FILE",                                         \
      "identity %s: belongs to user %lu, not to us (%lu), so somebody else can change it",         \
      "run 'chown %lu %s'")                                                                        \
    X(IDENTITY_OPEN, LOCAL, "FILE MODE FILE",                                                      \
      "identity %s: its mode is %04o, so others can use its private key",                          \
      "run 'chmod 600 %s', and if others may have read it, add the node under another name (see "  \
      "'sluice node add --help')")                                                                 \
    X(IDENTITY_TOO_LARGE, LOCAL, "FILE BYTES MAX",                                                 \
      "identity %s: %lld bytes, but an image has at most %d",                                      \
      "name an image that 'sluice node add' has made")                                             \
    X(IDENTITY_VERSION, LOCAL, "FILE CAUSE",                                                       \
      "identity %s: it was made for another version of sluice-node (%s)",                          \
      "use programs of one version")                                                               \
    X(IDENTITY_DAMAGED, LOCAL, "FILE CAUSE", "identity %s: no identity image, or damaged (%s)",    \
      "copy it again from the site, or " POSIX_CURE_NEW_IMAGE)                                     \
    X(IDENTITY_UNUSABLE, LOCAL, "FILE CAUSE", "identity %s: the node cannot use it (%s)",          \
      POSIX_CURE_NEW_IMAGE)                                                                        \
    X(IDENTITY_EXPIRED, LOCAL, "FILE DAY NODE", "identity %s: its certificate ended on %s",        \
      "run 'sluice node add %.*s --replace' at the site and copy the new image")                   \
    X(IDENTITY_NO_PLACE, LOCAL, "FILE CAUSE",                                                      \
      "identity %s: it cannot be written there when this node is enrolled (%s)",                   \
      "name a file in a folder that this user may write, such as the state folder")                \
    X(IDENTITY_UNWRITTEN, GOES_ON, "FILE CAUSE", "identity %s: cannot be written (%s)",            \
      "check the folder's rights, the disk and its free space, then enrol again")                  \
    X(IDENTITY_KEPT_BAD, GOES_ON, "FILE CAUSE", "renewed identity %s: passed over (%s)",           \
      "if --identity no longer connects, run 'sluice node add NAME --replace' at the site and "    \
      "copy the new image")                                                                        \
    X(IDENTITY_UNKEPT, GOES_ON, "FOLDER CAUSE",                                                    \
      "%s/identity: the new identity cannot be written (%s)",                                      \
      "check the folder's rights, the disk and its free space")                                    \
    /* enrolment */                                                                                \
    X(SERIAL_MISSING, LOCAL, "DEVICE CAUSE", "serial line %s: cannot be found (%s)",               \
      "name a tty such as /dev/ttyS0, or pty:PATH")                                                \
    X(SERIAL_DENIED, LOCAL, "DEVICE CAUSE", "serial line %s: this user may not use it (%s)",       \
      "give the node's user the device (Debian: group dialout)")                                   \
    X(SERIAL_BUSY, LOCAL, "DEVICE", "serial line %s: another program uses it",                     \
      "end that, such as a login (serial-getty@) or a terminal")                                   \
    X(SERIAL_UNFIT, LOCAL, "DEVICE CAUSE", "serial line %s: cannot be set up (%s)",                \
      "name a tty that does 115200 baud")                                                          \
    X(SERIAL_NO_PTY, LOCAL, "PATH CAUSE", "no pseudo terminal could be put at %s (%s)",            \
      "name a path in a folder that this user may write, where nothing is yet")                    \
    X(SERIAL_LOST, GOES_ON, "DEVICE CAUSE", "serial line %s: it went away (%s)",                   \
      "put it back; the node looks for it")                                                        \
    X(RESET_UNREADABLE, LOCAL, "LINE CAUSE", "reset %s: cannot be read (%s)",                      \
      "'gpioinfo' tells what the line can do, and who holds it")                                   \
    /* the state folder, and time */                                                               \
    X(STATE_UNUSABLE, LOCAL, "FOLDER CAUSE", "state folder %s: cannot be used (%s)",               \
      POSIX_CURE_FOLDER)                                                                           \
    X(STATE_LOCK_BAD, LOCAL, "FOLDER",                                                             \
      "state folder %s: its file 'lock' is not one that this user's node made",                    \
      "remove it, and let nobody else write in the folder")                                        \
    X(STATE_BUSY, LOCAL, "FOLDER PROCESS", "state folder %s: in use by process %ld",               \
      "give each node a folder of its own")                                                        \
    X(STATE_NO_LOCKS, LOCAL, "FOLDER CAUSE",                                                       \
      "state folder %s: its file 'lock' cannot be locked (%s)", "put it on a local file system")   \
    X(RECORDS_ANEW, GOES_ON, "FOLDER CAUSE",                                                       \
      "%s/records: %s, so it begins anew, without the last trusted time",                          \
      "let only this node's user write in that folder, and check its disk")                        \
    X(RECORDS_UNMADE, GOES_ON, "FOLDER CAUSE",                                                     \
      "%s/records: cannot be made (%s), so nothing is kept over restarts",                         \
      "check the folder's rights and the free space")                                              \
    X(RECORDS_UNWRITTEN, GOES_ON, "FOLDER CAUSE", "%s/records: cannot be written (%s)",            \
      "check the disk and its free space")                                                         \
    X(CLOCK_BEHIND, GOES_ON, "SECONDS SECONDS",                                                    \
      "the system's clock says %lld, which was already over at %lld (Unix seconds), and the node " \
      "waits until it is set",                                                                     \
      "set it, or use --sntp HOST")                                                                \
    /* relays: the chip on an SPI device or a socket */                                            \
    X(SPI_MISSING, LOCAL, "DEVICE CAUSE", "SPI device %s: cannot be found (%s)",                   \
      "name one of /dev/spidev*, or enable the SPI (Raspberry Pi: dtparam=spi=on)")                \
    X(SPI_DENIED, LOCAL, "DEVICE CAUSE", "SPI device %s: this user may not use it (%s)",           \
      "give the node's user the device (Debian: group spi)")                                       \
    X(SPI_NO_DEVICE, LOCAL, "DEVICE CAUSE", "SPI device %s: it is no spidev (%s)",                 \
      "name one of /dev/spidev*")                                                                  \
    X(SPI_UNFIT, LOCAL, "DEVICE CAUSE", "SPI device %s: cannot be set up (%s)",                    \
      "use one that does mode 0 with 8 bits at 500 kHz")                                           \
    X(SPI_UNSENT, LOCAL, "DEVICE CAUSE", "SPI device %s: no byte could be sent (%s)",              \
      POSIX_CURE_DRIVER)                                                                           \
    X(SPI_FAILED, GOES_ON, "DEVICE CAUSE", "SPI device %s: %s, and the relay chip hears nothing",  \
      POSIX_CURE_DRIVER)                                                                           \
    X(CHIP_AWAY, GOES_ON, "SOCKET CAUSE SOCKET", "the chip's socket %s: no chip (%s)",             \
      "start sluice-chip with --spi %s")                                                           \
    X(CHIP_TAKEN, GOES_ON, "SOCKET",                                                               \
      "the chip's socket %s closes at once, as when another sluice-node holds the chip",           \
      "end that one")                                                                              \
    /* relays: GPIO lines, and the process that holds outputs */                                   \
    X(GPIO_LINES_BAD, USAGE, "LINES", "'%s' are no GPIO lines",                                    \
      "give CHIP:LINE[,LINE...], 1 to 8 different lines, zone 0 first, as in "                     \
      "gpiochip0:17,27,22,5,6,13,19,26")                                                           \
    X(GPIO_MISSING, LOCAL, "DEVICE CAUSE", "GPIO chip %s: there is none (%s)",                     \
      "'gpiodetect' lists the chips")                                                              \
    X(GPIO_DENIED, LOCAL, "DEVICE CAUSE", "GPIO chip %s: this user may not use it (%s)",           \
      "give the node's user the device (Debian: group gpio)")                                      \
    X(GPIO_UNFIT, LOCAL, "DEVICE CAUSE", "GPIO chip %s: its lines cannot be had as outputs (%s)",  \
      "'gpioinfo' tells what they can do, and who holds them")                                     \
    X(GPIO_LINE_UNKNOWN, LOCAL, "DEVICE LINE MAX", "GPIO chip %s has no line %u", "use 0 to %u")   \
    X(GPIO_LINE_BUSY, LOCAL, "DEVICE LINE USER", "GPIO line %s:%u is in use by '%s'",              \
      "end that, or choose another line")                                                          \
    X(RELAYS_NO_SOCKET, LOCAL, "CAUSE", "the relay process can get no socket (%s)",                \
      POSIX_CURE_DESCRIPTOR)                                                                       \
    X(RELAYS_NO_PROCESS, LOCAL, "CAUSE", "the relay process cannot be started (%s)",               \
      "raise the limit of processes (ulimit -u, or TasksMax=), or free some memory")               \
    X(RELAYS_ENDED, LOCAL, "", "the relay process has ended, and everything is off",               \
      "start sluice-node again; a line above may say why")                                         \
    X(RELAYS_FAILED, LOCAL, "DEVICE CAUSE",                                                        \
      "relays %s: cannot be driven (%s); all are switched off, as far as they obey",               \
      "check the device and its driver, then start sluice-node again")                             \
    X(RELAYS_LOST, GOES_ON, "PROCESS CAUSE", "%s cannot be reached (%s)",                          \
      "start sluice-node again")                                                                   \
    X(RELAYS_SILENT, GOES_ON, "",                                                                  \
      "the relay process is silent, and everything was switched off in its place",                 \
      "let it go on, or start sluice-node again")                                                  \
    X(RELAYS_STUCK, GOES_ON, "CAUSE",                                                              \
      "the relay process is silent, and nothing can be switched off in its place (%s)",            \
      "cut the power of the relays, then check their device")                                      \
    /* the system */                                                                               \
    X(SIGNALS_UNREADABLE, LOCAL, "CAUSE", "signals cannot be read (%s)", POSIX_CURE_DESCRIPTOR)    \
    X(OUTPUT_UNWRITTEN, LOCAL, "CAUSE", "cannot write the output (%s)",                            \
      "check the disk, or the program behind the pipe")                                            \
    X(RANDOM_MISSING, LOCAL, "CAUSE", "the system gives no random numbers (%s)",                   \
      "use a kernel with getrandom, and let the sandbox pass it")                                  \
    X(BROKER_NAME_UNKNOWN, GOES_ON, "HOST CAUSE", "the broker's name '%s' has no address (%s)",    \
      "check the name in the identity, " POSIX_CURE_RESOLVER)                                      \
    X(SERVER_NAME_UNKNOWN, GOES_ON, "HOST CAUSE",                                                  \
      "the time server's name '%s' has no address (%s)", "check --sntp, " POSIX_CURE_RESOLVER)

enum posix_error {
#define X(name, exit, marks, what, cure) POSIX_ERROR_##name,
    POSIX_ERROR_LIST(X)
#undef X
        POSIX_ERRORS /* how many */
};

extern const struct sl_error_entry posix_errors[POSIX_ERRORS];

/* The words of each as a constant of its own: the compiler reads the marks from it. */
#define X(name, exit, marks, what, cure)                                                           \
    static const char posix_error_text_##name[] = what ": " cure;
POSIX_ERROR_LIST(X)
#undef X

/* The two arguments of the functions below that say which failure it is. */
#define POSIX_ERROR(name) POSIX_ERROR_##name, posix_error_text_##name

/* Two paths, and words around them. */
#define POSIX_FAILURE_LEN 2560

/* Why something could not be done: in one line, which ends with the identifier in brackets. What
 * came from outside shows as '?' where it would move a terminal's cursor. */
struct posix_failure {
    enum posix_exit exit;
    char line[POSIX_FAILURE_LEN];
};

/* Writes *failure. False, for the caller to give on. */
bool posix_fail(struct posix_failure *failure, enum posix_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says it on stderr, where no log is yet or the start has failed. */
void posix_failure_show(const struct posix_failure *failure);

/* A full disk or a closed pipe must not look like success. Fails: stdout did not take all of it. */
bool posix_output_end(struct posix_failure *failure);

/* The line alone, for who has another place for it. However long a name in it is, the identifier
 * has its room.
 * Requires: line_len above SL_ERROR_ID_MAX + 3. */
void posix_error_line(char *line, size_t line_len, enum posix_error error, const char *format,
                      va_list arguments) __attribute__((format(printf, 4, 0)));

#endif
