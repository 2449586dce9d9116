/* A line is written in one piece or not at all. */
#include "log_sinks.h"
#include "datagram.h"
#include "node/log_text.h"
#include "node/text.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define IDENTIFIER     "sluice-node"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET  "/dev/log"
#define LINE_MAX_LEN   3072 /* below PIPE_BUF, so a writable pipe takes a line whole */

static struct sl_writer begin(uint8_t line[LINE_MAX_LEN]);
static void add_field(struct sl_writer *writer, const char *before, int64_t number);
static void add_time(struct sl_writer *writer);
static void add_text(struct sl_writer *writer, const struct posix_log_line *line);
static bool write_stderr(struct sl_writer *writer);
static bool send_to(const char *path, const struct sl_writer *writer);

static const char *const words[] = {
    [SL_LOG_DEBUG] = "debug",
    [SL_LOG_INFO] = "info",
    [SL_LOG_WARNING] = "warning",
    [SL_LOG_ERROR] = "error",
};
static const int priorities[] = {
    [SL_LOG_DEBUG] = LOG_DEBUG,
    [SL_LOG_INFO] = LOG_INFO,
    [SL_LOG_WARNING] = LOG_WARNING,
    [SL_LOG_ERROR] = LOG_ERR,
};

bool posix_log_write_stderr(const struct posix_log_line *line)
{
    uint8_t bytes[LINE_MAX_LEN];
    struct sl_writer writer = begin(bytes);

    if (posix_log_is_in_journal()) {
        add_field(&writer, "<", priorities[line->level]);
        sl_text_add(&writer, ">");
    } else {
        add_time(&writer);
        sl_text_add(&writer, " ");
        sl_text_add(&writer, words[line->level]);
        sl_text_add(&writer, ": ");
    }
    add_text(&writer, line);
    sl_text_add(&writer, "\n");
    return write_stderr(&writer);
}

bool posix_log_write_json(const struct posix_log_line *line)
{
    uint8_t bytes[LINE_MAX_LEN];
    struct sl_writer writer = begin(bytes);

    sl_text_add(&writer, "{\"time\":\"");
    add_time(&writer);
    sl_text_add(&writer, "\",\"level\":\"");
    sl_text_add(&writer, words[line->level]);
    sl_text_add(&writer, "\",\"node\":");
    sl_text_add_string(&writer, sl_view_text(line->node));
    if (line->event) {
        sl_text_add(&writer, ",\"event\":\"");
        sl_text_add(&writer, sl_log_text_name(line->event));
        add_field(&writer, "\",\"code\":", line->event->code);
        add_field(&writer, ",\"a\":", line->event->a);
        add_field(&writer, ",\"b\":", line->event->b);
    }
    add_field(&writer, ",\"lost\":", (int64_t)line->lost);
    sl_text_add(&writer, ",\"message\":");
    sl_text_add_string(&writer, sl_view_text(line->text));
    sl_text_add(&writer, "}\n");
    return write_stderr(&writer);
}

bool posix_log_write_journal(const struct posix_log_line *line)
{
    uint8_t bytes[LINE_MAX_LEN];
    struct sl_writer writer = begin(bytes);

    sl_text_add(&writer, "MESSAGE=");
    add_text(&writer, line);
    add_field(&writer, "\nPRIORITY=", priorities[line->level]);
    sl_text_add(&writer, "\nSYSLOG_IDENTIFIER=" IDENTIFIER);
    if (line->node[0] != '\0') {
        sl_text_add(&writer, "\nSLUICE_NODE=");
        sl_text_add(&writer, line->node);
    }
    if (line->event) {
        sl_text_add(&writer, "\nSLUICE_EVENT=");
        sl_text_add(&writer, sl_log_text_name(line->event));
        add_field(&writer, "\nSLUICE_EVENT_CODE=", line->event->code);
        add_field(&writer, "\nSLUICE_A=", line->event->a);
        add_field(&writer, "\nSLUICE_B=", line->event->b);
    }
    sl_text_add(&writer, "\n");
    return send_to(JOURNAL_SOCKET, &writer);
}

bool posix_log_write_syslog(const struct posix_log_line *line)
{
    uint8_t bytes[LINE_MAX_LEN];
    struct sl_writer writer = begin(bytes);
    const time_t now = time(NULL);
    struct tm local;
    char stamp[32];

    localtime_r(&now, &local);
    strftime(stamp, sizeof stamp, ">%b %e %H:%M:%S " IDENTIFIER "[", &local);
    add_field(&writer, "<", LOG_DAEMON | priorities[line->level]);
    add_field(&writer, stamp, getpid());
    sl_text_add(&writer, "]: ");
    add_text(&writer, line);
    if (line->node[0] != '\0') {
        sl_text_add(&writer, " node=");
        sl_text_add(&writer, line->node);
    }
    if (line->event) {
        sl_text_add(&writer, " event=");
        sl_text_add(&writer, sl_log_text_name(line->event));
        add_field(&writer, " code=", line->event->code);
        add_field(&writer, " a=", line->event->a);
        add_field(&writer, " b=", line->event->b);
    }
    return send_to(SYSLOG_SOCKET, &writer);
}

bool posix_log_is_in_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat info;
    char own[48];

    if (!stream || fstat(STDERR_FILENO, &info) != 0)
        return false;
    snprintf(own, sizeof own, "%llu:%llu", (unsigned long long)info.st_dev,
             (unsigned long long)info.st_ino);
    return strcmp(stream, own) == 0;
}

static struct sl_writer begin(uint8_t line[LINE_MAX_LEN])
{
    return sl_writer_init(line, LINE_MAX_LEN);
}

static void add_field(struct sl_writer *writer, const char *before, int64_t number)
{
    sl_text_add(writer, before);
    if (number < 0)
        sl_text_add(writer, "-");
    sl_text_add_number(writer, number < 0 ? (uint64_t)-number : (uint64_t)number);
}

/* UTC, ISO 8601 with milliseconds. */
static void add_time(struct sl_writer *writer)
{
    char stamp[32], text[40];
    struct timespec now;
    struct tm utc;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, sizeof text, "%s.%03dZ", stamp, (int)(now.tv_nsec / 1000000));
    sl_text_add(writer, text);
}

static void add_text(struct sl_writer *writer, const struct posix_log_line *line)
{
    if (line->lost > 0) {
        add_field(writer, "(", (int64_t)line->lost);
        sl_text_add(writer, " lines lost) ");
    }
    sl_text_add(writer, line->text);
}

static bool write_stderr(struct sl_writer *writer)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    const size_t len = sl_writer_len(writer);

    return poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0 &&
           write(STDERR_FILENO, writer->start, len) == (ssize_t)len;
}

static bool send_to(const char *path, const struct sl_writer *writer)
{
    return posix_datagram_send(path, (struct sl_view){writer->start, sl_writer_len(writer)});
}
