/* Formats a line and writes it when stderr can take it: a stuck reader must not stop the node. */
#include "log.h"
#include "node/log_text.h"
#include "port.h"
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_LEN 1024 /* below PIPE_BUF, so a writable pipe takes a line whole */

static void write_line(enum sl_log_level level, const char *text);

static const char *const words[] = {
    [SL_LOG_DEBUG] = "debug",
    [SL_LOG_INFO] = "info",
    [SL_LOG_WARNING] = "warning",
    [SL_LOG_ERROR] = "error",
};

static enum sl_log_level least = SL_LOG_INFO;
static unsigned long lost; /* lines that stderr did not take */

void posix_log_init(enum sl_log_level level)
{
    least = level;
}

void sl_port_log(const struct sl_log_event *event)
{
    char text[LINE_MAX_LEN];

    (void)sl_log_text(event, text, sizeof text);
    write_line(sl_log_text_level(event), text);
}

void posix_log(enum sl_log_level level, const char *format, ...)
{
    char text[LINE_MAX_LEN];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    write_line(level, text);
}

static void write_line(enum sl_log_level level, const char *text)
{
    char line[LINE_MAX_LEN + 128], stamp[32];
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    struct timespec now;
    struct tm utc;
    int len;

    if (level < least)
        return;
    if (poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0) {
        lost++;
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    if (lost > 0)
        len = snprintf(line, sizeof line, "%s.%03ldZ %s: (%lu lines lost) %s\n", stamp,
                       now.tv_nsec / 1000000, words[level], lost, text);
    else
        len = snprintf(line, sizeof line, "%s.%03ldZ %s: %s\n", stamp, now.tv_nsec / 1000000,
                       words[level], text);
    if (len > 0 && write(STDERR_FILENO, line, (size_t)len) == len)
        lost = 0;
}
