/* Formats a line and gives it to the sink, which never waits: a stuck reader must not stop the
 * node. */
#include "log.h"
#include "base/limits.h"
#include "log_sinks.h"
#include "node/log_text.h"
#include "port.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_LEN 1024

static void write_line(struct posix_log_line line);

static struct {
    posix_log_write write;
    enum sl_log_level least;
    unsigned long lost; /* lines that the sink did not take */
    char node[SL_NAME_MAX + 1];
} logger = {.write = posix_log_write_stderr, .least = SL_LOG_INFO};

void posix_log_init(enum posix_log_sink sink, enum sl_log_level level)
{
    static const posix_log_write writers[] = {[POSIX_LOG_STDERR] = posix_log_write_stderr,
                                              [POSIX_LOG_JOURNAL] = posix_log_write_journal,
                                              [POSIX_LOG_SYSLOG] = posix_log_write_syslog,
                                              [POSIX_LOG_JSON] = posix_log_write_json};

    if (sink == POSIX_LOG_AUTO)
        sink = posix_log_is_in_journal() ? POSIX_LOG_JOURNAL : POSIX_LOG_STDERR;
    logger.write = writers[sink];
    logger.least = level;
}

void posix_log_name(struct sl_view name)
{
    const size_t len = name.len < SL_NAME_MAX ? name.len : SL_NAME_MAX;

    memcpy(logger.node, name.data, len);
    logger.node[len] = '\0';
}

void sl_port_log(const struct sl_log_event *event)
{
    char text[LINE_MAX_LEN];

    (void)sl_log_text(event, text, sizeof text);
    write_line((struct posix_log_line){sl_log_text_level(event), text, event, NULL, 0});
}

void posix_log(enum sl_log_level level, const char *format, ...)
{
    char text[LINE_MAX_LEN];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sl_error_clean(text);
    write_line((struct posix_log_line){level, text, NULL, NULL, 0});
}

void posix_log_failure(enum posix_error error, const char *format, ...)
{
    const bool goes_on = posix_errors[error].exit == POSIX_EXIT_GOES_ON;
    char text[LINE_MAX_LEN];
    va_list arguments;

    va_start(arguments, format);
    posix_error_line(text, sizeof text, error, format, arguments);
    va_end(arguments);
    write_line(
        (struct posix_log_line){goes_on ? SL_LOG_WARNING : SL_LOG_ERROR, text, NULL, NULL, 0});
}

static void write_line(struct posix_log_line line)
{
    if (line.level < logger.least)
        return;
    line.node = logger.node;
    line.lost = logger.lost;
    if (logger.write(&line))
        logger.lost = 0;
    else
        logger.lost++;
}
