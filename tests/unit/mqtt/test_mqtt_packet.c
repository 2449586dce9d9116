/* The codec by itself: UTF-8 against a slow reference, topics, reason codes, and bytes of packets.
 */
#include "harness.h"
#include "mqtt/encode.h"
#include "mqtt/topic.h"
#include "mqtt/utf8.h"

/* Well-formed by definition: encode every code point and compare (RFC 3629, section 3). */
static size_t encode_point(uint32_t point, uint8_t out[4])
{
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    size_t tail = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = {0, 0xC0, 0xE0, 0xF0};
    for (size_t i = tail; i > 0; i--, point >>= 6)
        out[i] = (uint8_t)(0x80 | (point & 0x3F));
    out[0] = (uint8_t)(leads[tail] | point);
    return tail + 1;
}

static void test_utf8_every_code_point(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x120000; point++) {
        uint8_t bytes[4];
        struct sl_view view = {bytes, encode_point(point, bytes)};
        bool expected = point > 0 && point <= 0x10FFFF && !(point >= 0xD800 && point <= 0xDFFF);
        if (sl_utf8_is_valid(view) != expected)
            fail_msg("U+%04X", (unsigned)point);
        if (sl_utf8_is_plain(view) != (expected && point != '+' && point != '#'))
            fail_msg("U+%04X, plain", (unsigned)point);
    }
}

/* Every string of one and two bytes, and every string of three from a set of boundary values. */
static void test_utf8_short_strings(void **state)
{
    static const uint8_t edges[] = {0x00, 0x01, 0x23, 0x2B, 0x7F, 0x80, 0x8F, 0x90, 0x9F,
                                    0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC,
                                    0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF};
    size_t valid = 0;
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            uint8_t bytes[] = {(uint8_t)a, (uint8_t)b};
            struct sl_view view = {bytes, 2};
            valid += sl_utf8_is_valid(view);
        }
    }
    assert_int_equal(valid, 127 * 127 + 30 * 64); /* two of ASCII, or one of two bytes */
    valid = 0;
    for (size_t a = 0; a < sizeof edges; a++) {
        for (size_t b = 0; b < sizeof edges; b++) {
            for (size_t c = 0; c < sizeof edges; c++) {
                uint8_t bytes[] = {edges[a], edges[b], edges[c]};
                struct sl_view view = {bytes, 3};
                valid += sl_utf8_is_valid(view);
            }
        }
    }
    /* ASCII: 4 edges, tails: 6 (A0 and BF: 2; 80..9F: 4), leads of two: 2.
     * three ASCII; lead of two + tail with ASCII before or behind; leads of three: E0 with 2 tails,
     * ED with 4, E1 EC EE EF with 6. */
    assert_int_equal(valid, 64 + 2 * 2 * 6 * 4 + (2 + 4 + 4 * 6) * 6);
}

/* The quick look must see what the exact scan sees, at every place and alignment. */
static void test_utf8_every_place(void **state)
{
    static const uint8_t bad[] = {0x00, '+', '#', 0x80, 0xFF};
    uint8_t bytes[24];
    (void)state;
    for (size_t start = 0; start < 4; start++) {
        for (size_t len = 0; len <= 16; len++) {
            struct sl_view view = {bytes + start, len};
            memset(bytes, '*', sizeof bytes);
            assert_true(sl_utf8_is_plain(view));
            for (size_t at = 0; at < sizeof bytes; at++) {
                for (size_t i = 0; i < sizeof bad; i++) {
                    memset(bytes, i & 1 ? '/' : 0x7F, sizeof bytes);
                    bytes[at] = bad[i];
                    bool is_inside = at >= start && at < start + len;
                    assert_int_equal(sl_utf8_is_plain(view), !is_inside);
                    assert_int_equal(sl_utf8_is_simple(view.data, len), !is_inside);
                    bool is_wildcard = i == 1 || i == 2;
                    assert_int_equal(sl_utf8_is_valid(view), !is_inside || is_wildcard);
                }
            }
        }
    }
}

static void test_topics(void **state)
{
    static const char *const filters[] = {"#",   "+",     "a",  "/",    "+/+",  "/+", "+/",
                                          "a/#", "a/+/b", "/#", "a//b", "$a/#", "+/#"};
    static const char *const no_filters[] = {"",     "a#", "#/",   "#a",   "a/#/b",
                                             "a+",   "+a", "a/b+", "++",   "##",
                                             "a/+b", "+#", "/a#",  "\xC3", "a/\xED\xA0\x80"};
    static uint8_t longest[65536];
    (void)state;
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
        assert_true(sl_topic_is_filter(sl_view_text(filters[i])));
    for (size_t i = 0; i < sizeof no_filters / sizeof no_filters[0]; i++)
        assert_false(sl_topic_is_filter(sl_view_text(no_filters[i])));
    assert_true(sl_topic_is_name(sl_view_text("irrigation/zone/on")));
    assert_false(sl_topic_is_name(sl_view_text("")));
    assert_false(sl_topic_is_name(sl_view_text("a/+")));
    memset(longest, 'a', sizeof longest);
    struct sl_view view = {longest, 65535};
    assert_true(sl_topic_is_name(view) && sl_topic_is_filter(view));
    view.len++;
    assert_false(sl_topic_is_name(view) || sl_topic_is_filter(view));
}

static void test_reasons(void **state)
{
    unsigned known = 0;
    (void)state;
    for (unsigned code = 0; code < 256; code++) {
        bool is_known = strcmp(sl_mqtt_reason_text((uint8_t)code),
                               "reason code that MQTT 5.0 does not know") != 0;
        known += is_known;
        if (!is_known)
            assert_false(sl_mqtt_reason_is_allowed((uint8_t)code, 0xFF));
    }
    assert_int_equal(known, 41);
    assert_string_equal(sl_mqtt_reason_text(0x87), "not authorized");
    assert_true(sl_mqtt_reason_is_allowed(SL_MQTT_REASON_GRANTED_QOS_1, SL_IN_SUBACK));
    assert_false(sl_mqtt_reason_is_allowed(SL_MQTT_REASON_GRANTED_QOS_1, SL_IN_UNSUBACK));
    assert_false(sl_mqtt_reason_is_allowed(SL_MQTT_REASON_DISCONNECT_WITH_WILL, 0xFF));
}

/* The reason code tables of MQTT 5.0: 3.2.2.2, 3.4.2.1 (as 3.5.2.1), 3.6.2.1 (as 3.7.2.1), 3.9.3,
 * 3.11.3, 3.14.2.1 (what a server may say; 8c by 2.4). */
static void test_reasons_of_each_packet(void **state)
{
    static const struct {
        uint8_t packet;
        const char *codes;
    } tables[] = {
        {SL_IN_CONNACK, "00 80 81 82 83 84 85 86 87 88 89 8a 8c 90 95 97 99 9a 9b 9c 9d 9f"},
        {SL_IN_PUBACK, "00 10 80 83 87 90 91 97 99"},
        {SL_IN_PUBREL, "00 92"},
        {SL_IN_SUBACK, "00 01 02 80 83 87 8f 91 97 9e a1 a2"},
        {SL_IN_UNSUBACK, "00 11 80 83 87 8f 91"},
        {SL_IN_DISCONNECT,
         "00 80 81 82 83 87 89 8b 8c 8d 8e 8f 90 93 94 95 96 97 98 99 9a 9b 9c 9d "
         "9e 9f a0 a1 a2"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        uint8_t codes[64];
        size_t len = from_hex(tables[i].codes, codes, sizeof codes);
        for (unsigned code = 0; code < 256; code++) {
            bool is_listed = memchr(codes, (int)code, len) != NULL;
            if (sl_mqtt_reason_is_allowed((uint8_t)code, tables[i].packet) != is_listed)
                fail_msg("code %02x, packet %02x", code, tables[i].packet);
        }
    }
}

static void assert_connect(enum sl_mqtt_version version, const struct sl_mqtt_message *will,
                           uint32_t expiry_s, const char *hex)
{
    struct fixture f;
    fixture_init(&f, version, 0);
    f.config.session_expiry_s = expiry_s;
    if (will)
        f.config.will = *will;
    dial(&f);
    assert_wire(&f, hex);
    fixture_free(&f);
}

static void test_connect(void **state)
{
    struct sl_mqtt_message will = {
        .topic = sl_view_text("a/w"), .payload = sl_view_text("off"), .qos = 1, .retain = true};
    (void)state;
    assert_connect(SL_MQTT_V3, NULL, 0,
                   "101200044d51545404"
                   "02001e000667617264656e");
    assert_connect(SL_MQTT_V3, &will, 0,
                   "101c00044d51545404"
                   "2e001e000667617264656e0003612f7700036f6666");
    assert_connect(SL_MQTT_V5, NULL, 0,
                   "102000044d51545405"
                   "02001e0d1100000000210002"
                   "27000000c8000667617264656e");
    will.has_expiry = true;
    will.expiry_s = 0x01020304;
    will.is_text = true;
    will.content_type = sl_view_text("t");
    will.response_topic = sl_view_text("r");
    will.correlation = sl_view_text("k");
    will.qos = 2;
    will.retain = false;
    assert_connect(SL_MQTT_V5, &will, 3600,
                   "103e00044d51545405"
                   "16001e0d1100000e10210002270000"
                   "00c8000667617264656e"
                   "13010102010203040300017408000172090001"
                   "6b0003612f7700036f6666");
}

/* Remaining lengths of one to four bytes. */
static void test_publish_lengths(void **state)
{
    static const struct {
        uint32_t payload;
        const char *head;
    } cases[] = {{124, "307f"}, {125, "308001"}, {16380, "30ff7f"}, {16381, "30808001"}};
    static uint8_t out[20000];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static uint8_t payload[20000];
        struct text text;
        struct sl_mqtt_message message = {.topic = sl_view_text("a"),
                                          .payload = {payload, cases[i].payload}};
        uint32_t remaining = sl_mqtt_publish_len(SL_MQTT_V3, &message);
        struct sl_view head = {out, strlen(cases[i].head) / 2};
        assert_int_equal(sl_mqtt_packet_len(remaining), remaining + head.len);
        out[0] = (uint8_t)sl_mqtt_publish_first(&message);
        sl_mqtt_encode_publish(out, remaining, SL_MQTT_V3, &message, NULL);
        text_clear(&text);
        text_add_hex(&text, head);
        assert_string_equal(text.at, cases[i].head);
    }
    assert_int_equal(sl_mqtt_packet_len(SL_MQTT_REMAINING_MAX), SL_MQTT_REMAINING_MAX + 5);
}

/* What we encode, a decoder understands: all properties, both versions, every QoS. */
static void test_publish_round_trip(void **state)
{
    (void)state;
    for (uint8_t qos = 0; qos <= 2; qos++) {
        struct sl_mqtt_message message = {
            .topic = sl_view_text("a/b"),
            .payload = sl_view_text("payload"),
            .qos = qos,
            .retain = qos == 1,
            .has_expiry = true,
            .expiry_s = 90,
            .is_text = true,
            .response_topic = sl_view_text("r/1"),
            .correlation = {(const uint8_t *)"\0\xFF", 2},
            .content_type = sl_view_text("text/plain"),
        };
        uint8_t bytes[128];
        struct sl_mqtt_message back;
        uint16_t id;
        for (enum sl_mqtt_version version = SL_MQTT_V3; version <= SL_MQTT_V5; version++) {
            uint32_t remaining = sl_mqtt_publish_len(version, &message);
            bytes[0] = (uint8_t)sl_mqtt_publish_first(&message);
            sl_mqtt_encode_publish(bytes, remaining, version, &message, &(uint16_t){0x1234});
            back.is_cut = false;
            id = 0;
            assert_int_equal(
                sl_mqtt_decode_publish(version, bytes[0], bytes + 2, remaining, &back, &id), 0);
            assert_int_equal(id, qos ? 0x1234 : 0);
            assert_int_equal(back.qos, qos);
            assert_int_equal(back.retain, qos == 1);
            assert_true(sl_view_is_equal(back.topic, message.topic));
            assert_true(sl_view_is_equal(back.payload, message.payload));
            if (version == SL_MQTT_V3) {
                assert_false(back.has_expiry);
                continue;
            }
            assert_true(back.has_expiry && back.is_text);
            assert_int_equal(back.expiry_s, 90);
            assert_true(sl_view_is_equal(back.response_topic, message.response_topic));
            assert_true(sl_view_is_equal(back.correlation, message.correlation));
            assert_true(sl_view_is_equal(back.content_type, message.content_type));
        }
    }
}

/* The smallest property list there is, to the byte. */
static void test_publish_with_one_property(void **state)
{
    struct sl_mqtt_message message = {.topic = sl_view_text("a"), .is_text = true};
    struct sl_mqtt_message back = {.is_cut = false};
    uint8_t bytes[16];
    uint16_t id;
    (void)state;
    uint32_t remaining = sl_mqtt_publish_len(SL_MQTT_V5, &message);
    assert_int_equal(remaining, 6);
    bytes[0] = (uint8_t)sl_mqtt_publish_first(&message);
    sl_mqtt_encode_publish(bytes, remaining, SL_MQTT_V5, &message, &id);
    assert_memory_equal(bytes, "\x30\x06\x00\x01\x61\x02\x01\x01", 8);
    assert_int_equal(sl_mqtt_decode_publish(SL_MQTT_V5, bytes[0], bytes + 2, remaining, &back, &id),
                     0);
    assert_true(back.is_text);
    assert_int_equal(back.payload.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_every_code_point),
        cmocka_unit_test(test_utf8_short_strings),
        cmocka_unit_test(test_utf8_every_place),
        cmocka_unit_test(test_topics),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_reasons_of_each_packet),
        cmocka_unit_test(test_connect),
        cmocka_unit_test(test_publish_lengths),
        cmocka_unit_test(test_publish_round_trip),
        cmocka_unit_test(test_publish_with_one_property),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
