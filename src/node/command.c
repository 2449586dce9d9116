/* Topic and payload to command. */
#include "node/command.h"
#include "node/text.h"

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static struct sl_view trim(struct sl_view text)
{
    while (text.len > 0 && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

static bool is_word(struct sl_view text, const char *word)
{
    return sl_view_is_equal(text, sl_view_text(word));
}

/* Takes the digits at the start of *text: false when there are none. Saturates. */
static bool take_number(struct sl_view *text, uint32_t *number)
{
    uint32_t value = 0;
    size_t len = 0;
    for (; len < text->len && is_digit(text->data[len]); len++) {
        uint32_t digit = text->data[len] - (uint32_t)'0';
        const bool fits = value <= UINT32_MAX / 10 && value * 10 <= UINT32_MAX - digit;
        value = fits ? value * 10 + digit : UINT32_MAX;
    }
    text->data += len;
    text->len -= len;
    *number = value;
    return len > 0;
}

static bool is_number(struct sl_view text, uint32_t *number)
{
    return take_number(&text, number) && text.len == 0;
}

static void refuse(struct sl_command *command, enum sl_refusal refusal, uint32_t number)
{
    command->refusal = refusal;
    command->number = number;
}

static void set_zone(struct sl_command *command, uint32_t zone)
{
    if (zone >= SL_ZONES)
        refuse(command, SL_REFUSAL_NO_SUCH_ZONE, zone);
    else
        command->zone = (uint8_t)zone;
}

/* "<zone> <seconds>" */
static void decode_on(struct sl_command *command, struct sl_view text)
{
    uint32_t zone = 0;
    bool is_good = take_number(&text, &zone);
    struct sl_view rest = trim(text);
    is_good = is_good && rest.len < text.len && is_number(rest, &command->seconds);
    if (is_good)
        set_zone(command, zone);
    else
        refuse(command, SL_REFUSAL_ON_FORM, 0);
}

/* "<zone>", "all" or nothing */
static void decode_off(struct sl_command *command, struct sl_view text)
{
    uint32_t zone = 0;
    if (text.len == 0 || is_word(text, "all"))
        command->zone = SL_COMMAND_ALL;
    else if (is_number(text, &zone))
        set_zone(command, zone);
    else
        refuse(command, SL_REFUSAL_OFF_FORM, 0);
}

/* "ON", "OFF" or seconds; the zone comes from the topic */
static void decode_set(struct sl_command *command, struct sl_view text)
{
    if (is_word(text, "ON"))
        command->is_default = true;
    else if (!is_word(text, "OFF") && !is_number(text, &command->seconds))
        refuse(command, SL_REFUSAL_SET_FORM, 0);
}

/* Gives: the part of topic below base; false when it is not below it. */
static bool is_below(struct sl_view base, struct sl_view topic, struct sl_view *rest)
{
    if (topic.len <= base.len || memcmp(topic.data, base.data, base.len) != 0 ||
        topic.data[base.len] != '/')
        return false;
    *rest = (struct sl_view){topic.data + base.len + 1, topic.len - base.len - 1};
    return true;
}

static enum sl_command_topic decode_topic(struct sl_view base, struct sl_view topic, uint32_t *zone)
{
    struct sl_view rest;
    *zone = SL_COMMAND_ALL;
    if (!is_below(base, topic, &rest))
        return SL_TOPIC_OTHER;
    if (is_word(rest, "zone/on"))
        return SL_TOPIC_ON;
    if (is_word(rest, "zone/off"))
        return SL_TOPIC_OFF;
    if (is_word(rest, "zone/status"))
        return SL_TOPIC_STATUS;
    if (is_word(rest, "cert/renew"))
        return SL_TOPIC_RENEW;
    if (is_word(rest, "cert/issue"))
        return SL_TOPIC_ISSUE;
    if (!is_below(sl_view_text("zone"), rest, &rest) || !take_number(&rest, zone) ||
        !is_word(rest, "/set"))
        return SL_TOPIC_OTHER;
    return SL_TOPIC_SET;
}

/* An answer on a command topic would make the node command itself; on its states and reports it
 * would deceive everybody who reads them. */
static bool is_own_topic(struct sl_view base, struct sl_view topic)
{
    struct sl_view rest, below;
    return is_below(base, topic, &rest) &&
           (is_below(sl_view_text("zone"), rest, &below) ||
            is_below(sl_view_text("cert"), rest, &below) || is_word(rest, "report") ||
            is_word(rest, "refused") || is_word(rest, "availability"));
}

static bool is_response_topic(struct sl_view base, struct sl_view topic)
{
    return topic.len <= SL_TOPIC_MAX && memchr(topic.data, '+', topic.len) == NULL &&
           memchr(topic.data, '#', topic.len) == NULL && !is_own_topic(base, topic);
}

/* What makes a message no command at all, whatever its payload says.
 *
 * The node starts every session clean, so whatever the broker may mark DUP has come down this very
 * connection before: carrying it out again would lengthen a watering. */
static enum sl_refusal decode_envelope(struct sl_view base, const struct sl_mqtt_message *message)
{
    if (message->retain)
        return SL_REFUSAL_RETAINED;
    if (message->dup)
        return SL_REFUSAL_DUPLICATE;
    if (message->has_expiry && message->expiry_s == 0)
        return SL_REFUSAL_EXPIRED;
    if (message->response_topic.len > 0 && !is_response_topic(base, message->response_topic))
        return SL_REFUSAL_RESPONSE;
    if (message->correlation.len > SL_COMMAND_CORRELATION)
        return SL_REFUSAL_CORRELATION;
    return SL_REFUSAL_NONE;
}

struct sl_command sl_command_decode(struct sl_view base, const struct sl_mqtt_message *message)
{
    struct sl_command command = {.zone = SL_COMMAND_ALL};
    uint32_t zone;
    command.topic = decode_topic(base, message->topic, &zone);
    if (command.topic == SL_TOPIC_OTHER) {
        command.refusal = SL_REFUSAL_TOPIC;
        return command;
    }
    if (command.topic == SL_TOPIC_SET)
        set_zone(&command, zone);
    enum sl_refusal refusal = decode_envelope(base, message);
    if (refusal == SL_REFUSAL_NONE && message->is_cut && command.topic != SL_TOPIC_STATUS &&
        command.topic != SL_TOPIC_RENEW)
        refusal = SL_REFUSAL_CUT;
    if (refusal != SL_REFUSAL_NONE)
        refuse(&command, refusal, 0);
    if (command.refusal != SL_REFUSAL_NONE)
        return command;

    struct sl_view text = trim(message->payload);
    if (command.topic == SL_TOPIC_ON)
        decode_on(&command, text);
    else if (command.topic == SL_TOPIC_OFF)
        decode_off(&command, text);
    else if (command.topic == SL_TOPIC_SET)
        decode_set(&command, text);
    return command;
}

static const char *text_of(enum sl_refusal refusal)
{
    switch (refusal) {
#define X(code, text)                                                                              \
    case code:                                                                                     \
        return text;
        SL_REFUSAL_LIST(X)
#undef X
    case SL_REFUSAL_COUNT:
        break;
    }
    return "";
}

void sl_refusal_write(struct sl_writer *writer, enum sl_refusal refusal, uint32_t number)
{
    const char *text = text_of(refusal);
    for (const char *mark; (mark = strstr(text, "{a}")) != NULL; text = mark + 3) {
        sl_write_view(writer, (struct sl_view){(const uint8_t *)text, (size_t)(mark - text)});
        sl_text_add_number(writer, number);
    }
    sl_text_add(writer, text);
}
