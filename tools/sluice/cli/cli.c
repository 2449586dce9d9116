/* Messages and text for a terminal. */
#include "cli/cli.h"
#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_LEN 16384 /* two paths, and words around them */

static struct sl_cli_told *listener;

static size_t print_character(const char *at);
static void print_line(int error, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

enum sl_exit sl_cli_fail(enum sl_error error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line((int)error, format, arguments);
    va_end(arguments);
    return (enum sl_exit)sl_errors[error].exit;
}

void sl_cli_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line(-1, format, arguments);
    va_end(arguments);
}

void sl_cli_listen(struct sl_cli_told *told)
{
    listener = told;
}

/* error -1: a note. */
static void print_line(int error, const char *format, va_list arguments)
{
    char id[SL_ERROR_ID_MAX];
    char line[LINE_MAX_LEN];
    vsnprintf(line, sizeof line, format, arguments);
    sl_error_clean(line);
    if (listener) {
        if (!listener->is_told) {
            snprintf(listener->text, sizeof listener->text, "%.511s", line);
            listener->error = error;
        }
        listener->is_told = true;
        return;
    }
    fflush(stdout); /* keeps the order when both go to one file */
    fprintf(stderr, "sluice: %s", line);
    if (error >= 0)
        fprintf(stderr, " [%s]", sl_error_id(&sl_errors[error], id));
    fputc('\n', stderr);
}

const char *sl_cli_colour(enum sl_colour colour)
{
    static const char *const sequences[] = {
        [SL_COLOUR_OFF] = "\033[0m", [SL_COLOUR_GOOD] = "\033[32m", [SL_COLOUR_BAD] = "\033[31m",
        [SL_COLOUR_DIM] = "\033[2m", [SL_COLOUR_BOLD] = "\033[1m",  [SL_COLOUR_WARN] = "\033[33m",
    };
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    bool is_wanted = !(no_colour && no_colour[0]) && !(terminal && strcmp(terminal, "dumb") == 0);
    return is_wanted && isatty(STDOUT_FILENO) ? sequences[colour] : "";
}

void sl_cli_clean(char *out, size_t out_len, const void *text, size_t len)
{
    const unsigned char *bytes = text;
    size_t kept = len < out_len ? len : out_len - 1;
    for (size_t i = 0; i < kept; i++)
        out[i] = bytes[i] >= 0x20 && bytes[i] < 0x7F ? (char)bytes[i] : '?';
    out[kept] = '\0';
}

void sl_cli_print_json(struct cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    for (const char *at = text; at && *at != '\0';)
        at += print_character(at);
    if (text)
        putchar('\n');
    cJSON_free(text);
}

/* One character of JSON text in ASCII; gives how many bytes it had. */
static struct sl_cli_told *listener;

static size_t print_character(const char *at)
{
    unsigned char first = (unsigned char)*at;
    if (first < 0x7F) {
        putchar(first);
        return 1;
    }
    /* The C library's own decoder needs a locale. Source: RFC 3629, section 3. */
    size_t len = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code = len == 1 ? first : first & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            putchar('?');
            return 1;
        }
        code = code << 6 | ((unsigned char)at[i] & 0x3Fu);
    }
    bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    if ((len == 1 && first != 0x7F) || code < least[len] || code > 0x10FFFF || is_surrogate)
        putchar('?');
    else if (code > 0xFFFF)
        printf("\\u%04x\\u%04x", (unsigned)(0xD800 + ((code - 0x10000) >> 10)),
               (unsigned)(0xDC00 + ((code - 0x10000) & 0x3FF)));
    else
        printf("\\u%04x", (unsigned)code);
    return len;
}

bool sl_cli_copy(char *out, size_t out_len, const char *text)
{
    size_t len = strlen(text);
    bool fits = len < out_len;
    if (fits)
        memcpy(out, text, len + 1);
    else
        out[0] = '\0';
    return fits;
}

uint64_t sl_cli_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
