/* A line at a time, each byte checked before it is taken for text. */
#include "config_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHOWN_MAX 40 /* bytes of a wrong word that a message repeats */

struct line {
    const char *file;
    unsigned number;
    struct sl_view text; /* what is left of it */
};

static bool take_line(struct posix_values *values, struct line line, char *error);
static bool take_value(struct posix_values *values, const struct line *line, struct sl_view key,
                       struct sl_view value, char *error);
static const char *fault_of(struct sl_view text);
static struct sl_view strip_comment(struct sl_view text);
static struct sl_view trim(struct sl_view text);
static const char *show(struct sl_view text, char out[SHOWN_MAX + 4]);
static bool check(int fd, const char *path, char *error);
__attribute__((format(printf, 3, 4))) static bool wrong(const struct line *line, char *error,
                                                        const char *format, ...);

bool posix_config_parse(struct posix_values *values, const char *name, struct sl_view bytes,
                        char error[POSIX_ERROR_LEN])
{
    struct posix_values next = *values;
    struct line line = {.file = name};

    next.file = name;
    if (bytes.len > POSIX_CONFIG_MAX) {
        snprintf(error, POSIX_ERROR_LEN, "%s: larger than %d bytes, so it is no configuration",
                 name, POSIX_CONFIG_MAX);
        return false;
    }
    while (bytes.len > 0) {
        const uint8_t *end = memchr(bytes.data, '\n', bytes.len);
        const size_t len = end ? (size_t)(end - bytes.data) : bytes.len;
        line.number++;
        line.text = (struct sl_view){bytes.data, len};
        if (!take_line(&next, line, error))
            return false;
        bytes.data += end ? len + 1 : len;
        bytes.len -= end ? len + 1 : len;
    }
    *values = next;
    return true;
}

enum posix_config_result posix_config_read(struct posix_values *values, const char *path,
                                           char error[POSIX_ERROR_LEN])
{
    static uint8_t bytes[POSIX_CONFIG_MAX + 1]; /* one more, so that a longer one is seen */
    size_t len = 0;
    ssize_t got = 0;

    /* Without O_NONBLOCK a FIFO in the file's place would hold us for ever. */
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        snprintf(error, POSIX_ERROR_LEN, "%s: %s; give the path of a configuration file", path,
                 strerror(errno));
        return POSIX_CONFIG_NO_FILE;
    }
    const bool is_good = check(fd, path, error);
    while (is_good && len < sizeof bytes &&
           ((got = read(fd, bytes + len, sizeof bytes - len)) > 0 || (got < 0 && errno == EINTR)))
        len += got > 0 ? (size_t)got : 0;
    if (is_good && got < 0)
        snprintf(error, POSIX_ERROR_LEN, "%s: %s", path, strerror(errno));
    close(fd);
    if (!is_good || got < 0)
        return POSIX_CONFIG_NO_FILE;
    return posix_config_parse(values, path, (struct sl_view){bytes, len}, error)
               ? POSIX_CONFIG_READ
               : POSIX_CONFIG_WRONG;
}

/* It says which outputs are driven: whoever may write it switches relays. */
static bool check(int fd, const char *path, char *error)
{
    struct stat info;

    if (fstat(fd, &info) != 0)
        snprintf(error, POSIX_ERROR_LEN, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(info.st_mode))
        snprintf(error, POSIX_ERROR_LEN, "%s: not a regular file; name the file itself", path);
    else if ((info.st_mode & S_IWOTH) != 0)
        snprintf(error, POSIX_ERROR_LEN, "%s: everybody may change it; run 'chmod o-w %s'", path,
                 path);
    else
        return true;
    return false;
}

static bool take_line(struct posix_values *values, struct line line, char *error)
{
    const char *fault = fault_of(line.text);

    if (fault)
        return wrong(&line, error, "%s", fault);
    const struct sl_view text = trim(strip_comment(line.text));
    if (text.len == 0)
        return true;
    const uint8_t *equals = memchr(text.data, '=', text.len);
    if (!equals)
        return wrong(&line, error, "'=' is missing: write key = value");
    const size_t key_len = (size_t)(equals - text.data);
    const struct sl_view rest = {equals + 1, text.len - key_len - 1};
    return take_value(values, &line, trim((struct sl_view){text.data, key_len}),
                      trim(strip_comment(rest)), error);
}

static bool take_value(struct posix_values *values, const struct line *line, struct sl_view key,
                       struct sl_view value, char *error)
{
    const struct posix_setting *setting = posix_setting_find((const char *)key.data, key.len);
    char shown[SHOWN_MAX + 4], allowed[128];

    if (!setting) {
        setting = posix_setting_nearest((const char *)key.data, key.len);
        return wrong(line, error, "'%s' is no setting%s%s%s ('sluice-node --help' lists them)",
                     show(key, shown), setting ? ": did you mean '" : "",
                     setting ? setting->name : "", setting ? "'?" : "");
    }
    struct posix_value *kept = &values->list[setting - posix_settings];
    if (kept->text[0] != '\0')
        return wrong(line, error, "'%s' was given in line %u already: keep one of them",
                     setting->name, kept->line);
    posix_setting_describe(setting, allowed, sizeof allowed);
    if (value.len > 0 && (value.data[0] == '"' || value.data[0] == '\''))
        return wrong(line, error, "%s = %s: write the value without quotes", setting->name,
                     show(value, shown));

    struct posix_value next = {.line = line->number};
    memcpy(next.text, value.data, value.len); /* shorter than the line, which is not too long */
    if (!posix_setting_allows(setting, next.text))
        return wrong(line, error, "%s = %s: give %s", setting->name, show(value, shown), allowed);
    *kept = next;
    return true;
}

/* Gives: what is wrong with the bytes of a line; NULL: nothing. */
static const char *fault_of(struct sl_view text)
{
    if (text.len > POSIX_CONFIG_LINE_MAX)
        return "the line is longer than 1023 bytes";
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\0')
            return "a NUL byte: this is no text file";
        if ((text.data[i] < ' ' && text.data[i] != '\t' && text.data[i] != '\r') ||
            text.data[i] == 0x7F)
            return "a control character: write plain text";
    }
    return NULL;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* From a '#' on, at the beginning or after a blank. */
static struct sl_view strip_comment(struct sl_view text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '#' && (i == 0 || is_blank(text.data[i - 1])))
            text.len = i;
    return text;
}

static struct sl_view trim(struct sl_view text)
{
    for (; text.len > 0 && is_blank(text.data[0]); text.len--)
        text.data++;
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

/* A message repeats at most the beginning of what it found, and only printable ASCII. */
static const char *show(struct sl_view text, char out[SHOWN_MAX + 4])
{
    const size_t len = text.len < SHOWN_MAX ? text.len : SHOWN_MAX;
    const char *end = text.len > len ? "..." : "";

    for (size_t i = 0; i < len; i++)
        out[i] = text.data[i] >= ' ' && text.data[i] <= '~' ? (char)text.data[i] : '?';
    memcpy(out + len, end, strlen(end) + 1);
    return out;
}

static bool wrong(const struct line *line, char *error, const char *format, ...)
{
    const int len = snprintf(error, POSIX_ERROR_LEN, "%s:%u: ", line->file, line->number);
    va_list arguments;

    va_start(arguments, format);
    if (len > 0 && len < POSIX_ERROR_LEN)
        vsnprintf(error + len, POSIX_ERROR_LEN - (size_t)len, format, arguments);
    va_end(arguments);
    return false;
}
