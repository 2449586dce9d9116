/* A line at a time, each byte checked before it is taken for text. */
#include "config_file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHOWN_MAX 40 /* bytes of a wrong word that a message repeats */

struct line {
    const char *file;
    unsigned number;
    struct sl_view text; /* what is left of it */
};

static bool take_line(struct posix_values *values, struct line line, struct posix_failure *failure);
static bool take_value(struct posix_values *values, const struct line *line, struct sl_view key,
                       struct sl_view value, struct posix_failure *failure);
static bool is_text(struct sl_view text);
static struct sl_view strip_comment(struct sl_view text);
static struct sl_view trim(struct sl_view text);
static const char *show(struct sl_view text, char out[SHOWN_MAX + 4]);
static bool check(int fd, const char *path, struct posix_failure *failure);

bool posix_config_parse(struct posix_values *values, const char *name, struct sl_view bytes,
                        struct posix_failure *failure)
{
    struct posix_values next = *values;
    struct line line = {.file = name};

    next.file = name;
    if (bytes.len > POSIX_CONFIG_MAX)
        return posix_fail(failure, POSIX_ERROR(CONFIG_TOO_LARGE), name, POSIX_CONFIG_MAX);
    while (bytes.len > 0) {
        const uint8_t *end = memchr(bytes.data, '\n', bytes.len);
        const size_t len = end ? (size_t)(end - bytes.data) : bytes.len;
        line.number++;
        line.text = (struct sl_view){bytes.data, len};
        if (!take_line(&next, line, failure))
            return false;
        bytes.data += end ? len + 1 : len;
        bytes.len -= end ? len + 1 : len;
    }
    *values = next;
    return true;
}

bool posix_config_read(struct posix_values *values, const char *path, struct posix_failure *failure)
{
    static uint8_t bytes[POSIX_CONFIG_MAX + 1]; /* one more, so that a longer one is seen */
    size_t len = 0;
    ssize_t got = 0;

    /* Without O_NONBLOCK a FIFO in the file's place would hold us for ever. */
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return posix_fail(failure, POSIX_ERROR(CONFIG_UNREADABLE), path, strerror(errno));
    const bool is_good = check(fd, path, failure);
    while (is_good && len < sizeof bytes &&
           ((got = read(fd, bytes + len, sizeof bytes - len)) > 0 || (got < 0 && errno == EINTR)))
        len += got > 0 ? (size_t)got : 0;
    if (is_good && got < 0)
        posix_fail(failure, POSIX_ERROR(CONFIG_UNREADABLE), path, strerror(errno));
    close(fd);
    return is_good && got >= 0 &&
           posix_config_parse(values, path, (struct sl_view){bytes, len}, failure);
}

/* It says which outputs are driven: whoever may write it switches relays. */
static bool check(int fd, const char *path, struct posix_failure *failure)
{
    struct stat info;

    if (fstat(fd, &info) != 0)
        return posix_fail(failure, POSIX_ERROR(CONFIG_UNREADABLE), path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return posix_fail(failure, POSIX_ERROR(CONFIG_NO_FILE), path);
    if ((info.st_mode & S_IWOTH) != 0)
        return posix_fail(failure, POSIX_ERROR(CONFIG_OPEN), path, path);
    return true;
}

static bool take_line(struct posix_values *values, struct line line, struct posix_failure *failure)
{
    if (line.text.len > POSIX_CONFIG_LINE_MAX)
        return posix_fail(failure, POSIX_ERROR(LINE_TOO_LONG), line.file, line.number,
                          POSIX_CONFIG_LINE_MAX);
    if (!is_text(line.text))
        return posix_fail(failure, POSIX_ERROR(LINE_NO_TEXT), line.file, line.number);
    const struct sl_view text = trim(strip_comment(line.text));
    if (text.len == 0)
        return true;
    const uint8_t *equals = memchr(text.data, '=', text.len);
    if (!equals)
        return posix_fail(failure, POSIX_ERROR(LINE_NO_SETTING), line.file, line.number);
    const size_t key_len = (size_t)(equals - text.data);
    const struct sl_view rest = {equals + 1, text.len - key_len - 1};
    return take_value(values, &line, trim((struct sl_view){text.data, key_len}),
                      trim(strip_comment(rest)), failure);
}

static bool take_value(struct posix_values *values, const struct line *line, struct sl_view key,
                       struct sl_view value, struct posix_failure *failure)
{
    const struct posix_setting *setting = posix_setting_find((const char *)key.data, key.len);
    char shown[SHOWN_MAX + 4], allowed[128];

    if (!setting) {
        setting = posix_setting_nearest((const char *)key.data, key.len);
        show(key, shown);
        return setting ? posix_fail(failure, POSIX_ERROR(SETTING_MISSPELT), line->file,
                                    line->number, shown, setting->name)
                       : posix_fail(failure, POSIX_ERROR(SETTING_UNKNOWN), line->file, line->number,
                                    shown);
    }
    struct posix_value *kept = &values->list[setting - posix_settings];
    if (kept->text[0] != '\0')
        return posix_fail(failure, POSIX_ERROR(SETTING_TWICE), line->file, line->number,
                          setting->name, kept->line);
    if (value.len > 0 && (value.data[0] == '"' || value.data[0] == '\''))
        return posix_fail(failure, POSIX_ERROR(VALUE_QUOTED), line->file, line->number,
                          show(value, shown), setting->name);

    struct posix_value next = {.line = line->number};
    memcpy(next.text, value.data, value.len); /* shorter than the line, which is not too long */
    if (!posix_setting_allows(setting, next.text)) {
        posix_setting_describe(setting, allowed, sizeof allowed);
        return posix_fail(failure, POSIX_ERROR(VALUE_BAD), line->file, line->number,
                          show(value, shown), setting->name, allowed);
    }
    *kept = next;
    return true;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static bool is_text(struct sl_view text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((text.data[i] < ' ' && !is_blank(text.data[i])) || text.data[i] == 0x7F)
            return false;
    return true;
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
