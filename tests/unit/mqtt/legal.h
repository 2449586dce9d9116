/* What a client may say: reads every packet of ours with nothing but the standard in mind, and
 * fails the test at the first byte that breaks a rule. It shares no code with src/mqtt.
 *
 * It also holds what docs/conformance.md says that this client never does: no login, no AUTH, no
 * topic alias, no subscription identifier, no reason string, no PUBACK or PUBREC but with success.
 *
 * Sources: MQTT 3.1.1 (OASIS 2014) and 5.0 (OASIS 2019), sections 1.5, 2 and 3.
 */
#ifndef SL_TESTS_MQTT_LEGAL_H
#define SL_TESTS_MQTT_LEGAL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

struct legal {
    int level;      /* 4 or 5 */
    unsigned dials; /* connections so far */
    bool has_connect, has_disconnect;
    uint8_t packet[1024];
    size_t len;
    unsigned seen[16]; /* packets of each type */
};

struct legal_cursor {
    const uint8_t *at, *end;
};

#define LEGAL(rule)                                                                                \
    do {                                                                                           \
        if (!(rule))                                                                               \
            fail_msg("said against the standard: %s", #rule);                                      \
    } while (0)

/* A new connection. */
static inline void legal_begin(struct legal *legal, int level)
{
    legal->level = level;
    legal->dials++;
    legal->has_connect = legal->has_disconnect = false;
    legal->len = 0;
}

static inline uint32_t legal_number(struct legal_cursor *c, size_t width)
{
    uint32_t number = 0;
    LEGAL((size_t)(c->end - c->at) >= width);
    while (width-- > 0)
        number = number * 256 + *c->at++;
    return number;
}

static inline struct legal_cursor legal_part(struct legal_cursor *c, size_t len)
{
    struct legal_cursor part = {c->at, c->at + len};
    LEGAL((size_t)(c->end - c->at) >= len);
    c->at += len;
    return part;
}

/* A string: each character in its shortest form, no surrogate, no U+0000. */
static inline struct legal_cursor legal_text(struct legal_cursor *c)
{
    struct legal_cursor text = legal_part(c, legal_number(c, 2));
    for (struct legal_cursor rest = text; rest.at != rest.end;) {
        static const uint32_t least[] = {1, 0x80, 0x800, 0x10000}, lead[] = {0, 0xC0, 0xE0, 0xF0};
        uint32_t first = legal_number(&rest, 1);
        size_t tail = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
        LEGAL(first >= lead[tail]);
        uint32_t point = first - lead[tail];
        for (size_t i = 0; i < tail; i++) {
            uint32_t next = legal_number(&rest, 1);
            LEGAL(next >> 6 == 2);
            point = point * 64 + (next - 0x80);
        }
        LEGAL(point >= least[tail] && point <= 0x10FFFF);
        LEGAL(point < 0xD800 || point > 0xDFFF);
    }
    return text;
}

static inline void legal_topic(struct legal_cursor *c)
{
    struct legal_cursor topic = legal_text(c);
    LEGAL(topic.at != topic.end);
    for (; topic.at != topic.end; topic.at++)
        LEGAL(*topic.at != '+' && *topic.at != '#');
}

static inline void legal_filter(struct legal_cursor *c)
{
    struct legal_cursor filter = legal_text(c);
    LEGAL(filter.at != filter.end);
    for (const uint8_t *p = filter.at; p != filter.end; p++) {
        if (*p != '+' && *p != '#')
            continue;
        LEGAL(p == filter.at || p[-1] == '/');
        LEGAL(p + 1 == filter.end || (*p == '+' && p[1] == '/'));
    }
}

static inline uint32_t legal_varint(struct legal_cursor *c)
{
    uint32_t number = 0, byte;
    for (unsigned shift = 0;; shift += 7) {
        LEGAL(shift <= 21);
        byte = legal_number(c, 1);
        number |= (byte & 127) << shift;
        if (byte < 128) {
            LEGAL(byte > 0 || shift == 0);
            return number;
        }
    }
}

/* allowed: the identifiers that may come here, each once. */
static inline void legal_properties(struct legal_cursor *c, const char *allowed)
{
    struct legal_cursor list = legal_part(c, legal_varint(c));
    bool has[64] = {false};
    while (list.at != list.end) {
        uint32_t id = legal_number(&list, 1);
        LEGAL(id > 0 && id < 64 && strchr(allowed, (int)id) != NULL && !has[id]);
        has[id] = true;
        switch (id) {
        case 0x01: /* payload format indicator */
            LEGAL(legal_number(&list, 1) <= 1);
            break;
        case 0x02: /* message expiry interval */
        case 0x11: /* session expiry interval */
            legal_number(&list, 4);
            break;
        case 0x03: /* content type */
            legal_text(&list);
            break;
        case 0x08: /* response topic */
            legal_topic(&list);
            break;
        case 0x09: /* correlation data */
            legal_part(&list, legal_number(&list, 2));
            break;
        case 0x21: /* receive maximum */
            LEGAL(legal_number(&list, 2) > 0);
            break;
        case 0x27: /* maximum packet size */
            LEGAL(legal_number(&list, 4) > 0);
            break;
        default:
            fail_msg("property %02x", (unsigned)id);
        }
    }
}

#define LEGAL_IN_CONNECT "\x11\x21\x27"
#define LEGAL_IN_MESSAGE "\x01\x02\x03\x08\x09"

static inline void legal_connect(struct legal *legal, struct legal_cursor *c)
{
    LEGAL(!legal->has_connect);
    legal->has_connect = true;
    struct legal_cursor name = legal_text(c);
    LEGAL(name.end - name.at == 4 && memcmp(name.at, "MQTT", 4) == 0);
    LEGAL((int)legal_number(c, 1) == legal->level);
    uint32_t flags = legal_number(c, 1);
    bool has_will = flags >> 2 & 1;
    LEGAL((flags & 0xC1) == 0); /* no login, reserved bit 0 */
    LEGAL(has_will ? (flags >> 3 & 3) < 3 : (flags & 0x38) == 0);
    legal_number(c, 2); /* keep alive */
    if (legal->level == 5)
        legal_properties(c, LEGAL_IN_CONNECT);
    struct legal_cursor client_id = legal_text(c);
    LEGAL(client_id.at != client_id.end);
    if (has_will) {
        if (legal->level == 5)
            legal_properties(c, LEGAL_IN_MESSAGE);
        legal_topic(c);
        legal_part(c, legal_number(c, 2));
    }
}

static inline void legal_publish(struct legal *legal, unsigned flags, struct legal_cursor *c)
{
    unsigned qos = flags >> 1 & 3;
    LEGAL(qos < 3);
    LEGAL(!(flags & 8) || (qos > 0 && legal->dials > 1)); /* DUP: sent in a connection before */
    legal_topic(c);
    if (qos > 0)
        LEGAL(legal_number(c, 2) > 0);
    if (legal->level == 5)
        legal_properties(c, LEGAL_IN_MESSAGE);
    c->at = c->end; /* the payload */
}

/* reasons: what a client may say besides success. */
static inline void legal_ack(struct legal *legal, struct legal_cursor *c, const char *reasons)
{
    LEGAL(legal_number(c, 2) > 0);
    if (legal->level == 5 && c->at != c->end) {
        uint32_t reason = legal_number(c, 1);
        LEGAL(reason == 0 || strchr(reasons, (int)reason) != NULL);
    }
}

static inline void legal_request(struct legal *legal, bool is_subscribe, struct legal_cursor *c)
{
    LEGAL(legal_number(c, 2) > 0);
    if (legal->level == 5)
        legal_properties(c, "");
    LEGAL(c->at != c->end);
    while (c->at != c->end) {
        legal_filter(c);
        if (!is_subscribe)
            continue;
        uint32_t options = legal_number(c, 1);
        LEGAL((options & 3) < 3);
        LEGAL(legal->level == 5 ? options >> 6 == 0 && (options >> 4 & 3) < 3 : options < 3);
    }
}

static inline void legal_disconnect(struct legal *legal, struct legal_cursor *c)
{
    static const char reasons[] = "\x04\x80\x81\x82\x83\x90\x93\x94\x95\x96\x97\x98\x99";
    legal->has_disconnect = true;
    if (legal->level == 5 && c->at != c->end) {
        uint32_t reason = legal_number(c, 1);
        LEGAL(reason == 0 || strchr(reasons, (int)reason) != NULL);
    }
}

static inline void legal_packet(struct legal *legal, unsigned first, struct legal_cursor *c)
{
    static const uint8_t flags[16] = {[6] = 2, [8] = 2, [10] = 2};
    unsigned type = first >> 4;
    LEGAL(type == 1 || legal->has_connect);
    LEGAL(!legal->has_disconnect);
    LEGAL(type == 3 || (first & 15) == flags[type]);
    legal->seen[type]++;
    switch (type) {
    case 1:
        legal_connect(legal, c);
        break;
    case 3:
        legal_publish(legal, first & 15, c);
        break;
    case 4:
    case 5:
        legal_ack(legal, c, "");
        break;
    case 6:
    case 7:
        legal_ack(legal, c, "\x92");
        break;
    case 8:
    case 10:
        legal_request(legal, type == 8, c);
        break;
    case 12:
        break;
    case 14:
        legal_disconnect(legal, c);
        break;
    default:
        fail_msg("a client sends no packet of type %u", type);
    }
    LEGAL(c->at == c->end);
}

/* Bytes of ours, in any cut. */
static inline void legal_feed(struct legal *legal, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len && legal->dials > 0; i++) {
        LEGAL(legal->len < sizeof legal->packet);
        legal->packet[legal->len++] = bytes[i];
        if (legal->len < 2 ||
            (legal->len < 5 && legal->packet[legal->len - 1] >= 128 && legal->packet[1] >= 128))
            continue;
        struct legal_cursor c = {legal->packet + 1, legal->packet + legal->len};
        size_t remaining = legal_varint(&c);
        if ((size_t)(c.end - c.at) < remaining)
            continue;
        legal_packet(legal, legal->packet[0], &c);
        legal->len = 0;
    }
}

#endif
