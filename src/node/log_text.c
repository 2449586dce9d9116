/* Log events as lines for a person. */
#include "node/log_text.h"
#include "base/bytes.h"
#include "base/status.h"
#include "enrol/text.h"
#include "link/frame.h"
#include "mqtt/reason.h"
#include "node/command.h"
#include "node/connection.h"
#include "node/text.h"
#include "tls/tls_text.h"
#include <string.h>

typedef void (*write_words)(struct sl_writer *writer, const struct sl_log_event *event);

static void add_signed(struct sl_writer *writer, int32_t number)
{
    if (number < 0)
        sl_text_add(writer, "-");
    sl_text_add_number(writer,
                       number < 0 ? (uint64_t)(-(int64_t)number) : (uint64_t)(int64_t)number);
}

static void add_a(struct sl_writer *writer, const struct sl_log_event *event)
{
    add_signed(writer, event->a);
}

static void add_b(struct sl_writer *writer, const struct sl_log_event *event)
{
    add_signed(writer, event->b);
}

/* Alerts are counted from 256 when received and from 512 when sent; people know them by number. */
static void add_tls(struct sl_writer *writer, const struct sl_log_event *event)
{
    const struct sl_tls_text *text = sl_tls_text((uint16_t)event->a);
    sl_text_add(writer, text->what);
    if (event->a >= 256 && event->a < 768) {
        sl_text_add(writer, event->a < 512 ? " (TLS alert " : " (TLS alert sent ");
        add_signed(writer, event->a % 256);
    } else {
        sl_text_add(writer, " (TLS error ");
        add_signed(writer, event->a);
    }
    sl_text_add(writer, "): ");
    sl_text_add(writer, text->cure);
}

static void add_mqtt(struct sl_writer *writer, const struct sl_log_event *event)
{
    sl_text_add(writer, sl_mqtt_reason_text((uint8_t)event->a));
    sl_text_add(writer, ", reason ");
    add_signed(writer, event->a);
}

static void add_errno(struct sl_writer *writer, const struct sl_log_event *event)
{
    if (event->a == 0) {
        sl_text_add(writer, "closed by the other side");
        return;
    }
    sl_text_add(writer, strerror(event->a));
    sl_text_add(writer, ", error ");
    add_signed(writer, event->a);
}

static void add_status(struct sl_writer *writer, const struct sl_log_event *event)
{
    sl_text_add(writer, sl_status_text((enum sl_status)event->a));
}

static void add_refusal(struct sl_writer *writer, const struct sl_log_event *event)
{
    sl_refusal_write(writer, (enum sl_refusal)event->a, (uint32_t)event->b);
}

static void add_zones(struct sl_writer *writer, const struct sl_log_event *event)
{
    if (event->a == 0xFF) {
        sl_text_add(writer, "every zone");
        return;
    }
    const char *before = "zone ";
    for (uint32_t zone = 0; zone < SL_ZONES; zone++) {
        if (((uint32_t)event->a >> zone & 1) == 0)
            continue;
        sl_text_add(writer, before);
        sl_text_add_number(writer, zone);
        before = ", ";
    }
}

static void add_reset(struct sl_writer *writer, const struct sl_log_event *event)
{
    static const char *const causes[] = {"power-on", "external", "brown-out", "watchdog"};
    const char *before = "";
    for (uint32_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        if (((uint32_t)event->a >> i & 1) == 0)
            continue;
        sl_text_add(writer, before);
        sl_text_add(writer, causes[i]);
        before = ", ";
    }
    if (before[0] == '\0')
        sl_text_add(writer, "cause unknown");
}

static void add_chip(struct sl_writer *writer, const struct sl_log_event *event)
{
    sl_text_add_number(writer, (uint32_t)event->a >> 4 & 15);
    sl_text_add(writer, ".");
    sl_text_add_number(writer, (uint32_t)event->a & 15);
}

static void add_handshake(struct sl_writer *writer, const struct sl_log_event *event)
{
    static const char *const kinds[] = {[SL_HANDSHAKE_FULL] = "full TLS handshake",
                                        [SL_HANDSHAKE_KNOWN] = "TLS handshake with a known server",
                                        [SL_HANDSHAKE_RESUMED] = "TLS session resumed"};
    sl_text_add(writer, event->b >= 0 && event->b <= SL_HANDSHAKE_RESUMED ? kinds[event->b] : "");
}

static void add_fingerprint(struct sl_writer *writer, const struct sl_log_event *event)
{
    char text[SL_ENROL_FINGERPRINT_LEN];

    sl_enrol_print_fingerprint(text, (uint64_t)(uint32_t)event->a << 32 | (uint32_t)event->b);
    sl_text_add(writer, text);
}

/* b tells what the grant's check found. */
static void add_enrol(struct sl_writer *writer, const struct sl_log_event *event)
{
    const struct sl_enrol_words words = sl_enrol_refusal_words((uint8_t)event->a);

    sl_text_add(writer, words.what);
    sl_text_add(writer, ": ");
    sl_text_add(writer, words.cure);
}

static const struct {
    const char *mark;
    write_words write;
} marks[] = {
    {"{a}", add_a},
    {"{b}", add_b},
    {"{tls}", add_tls},
    {"{mqtt}", add_mqtt},
    {"{errno}", add_errno},
    {"{status}", add_status},
    {"{refusal}", add_refusal},
    {"{zones}", add_zones},
    {"{reset}", add_reset},
    {"{chip}", add_chip},
    {"{handshake}", add_handshake},
    {"{fingerprint}", add_fingerprint},
    {"{enrol}", add_enrol},
};

/* Writes the words of the mark at text. Gives: the mark's length; 0 when there is none. */
static size_t add_mark(struct sl_writer *writer, const char *text, const struct sl_log_event *event)
{
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        size_t len = strlen(marks[i].mark);
        if (strncmp(text, marks[i].mark, len) != 0)
            continue;
        marks[i].write(writer, event);
        return len;
    }
    return 0;
}

static const char *text_of(uint16_t log_code)
{
    switch (log_code) {
#define X(code, level, text)                                                                       \
    case code:                                                                                     \
        return text;
        SL_LOG_LIST(X)
#undef X
    default:
        return "unknown event {a} {b}";
    }
}

size_t sl_log_text(const struct sl_log_event *event, char *out, size_t out_len)
{
    if (out_len == 0)
        return 0;
    struct sl_writer writer = sl_writer_init((uint8_t *)out, out_len - 1);
    const char *text = text_of(event->code);
    while (*text != '\0') {
        size_t len = *text == '{' ? add_mark(&writer, text, event) : 0;
        if (len == 0)
            sl_write_u8(&writer, (uint8_t)text[len++]);
        text += len;
    }
    size_t len = sl_writer_len(&writer);
    out[len] = '\0';
    return len;
}

const char *sl_log_text_name(const struct sl_log_event *event)
{
    static const char *const names[] = {
#define X(code, level, text) #code,
        SL_LOG_LIST(X)
#undef X
    };
    return event->code < SL_LOG_COUNT ? names[event->code] + strlen("SL_LOG_") : "UNKNOWN";
}

enum sl_log_level sl_log_text_level(const struct sl_log_event *event)
{
    static const uint8_t levels[] = {
#define X(code, level, text) level,
        SL_LOG_LIST(X)
#undef X
    };
    return event->code < SL_LOG_COUNT ? (enum sl_log_level)levels[event->code] : SL_LOG_WARNING;
}
