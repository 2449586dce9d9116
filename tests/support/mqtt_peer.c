/* MQTT 3.1.1 and 5.0 from the broker's side, just enough for tests. */
#include "support/mqtt_peer.h"

#include <stdio.h>
#include <stdlib.h>

#define LEVEL_5 5

#define PROPERTY_EXPIRY         0x02
#define PROPERTY_RESPONSE_TOPIC 0x08
#define PROPERTY_CORRELATION    0x09

static void die(const char *what)
{
    fprintf(stderr, "the client sent a bad packet: %s\n", what);
    abort();
}

void test_mqtt_peer_reset(struct test_mqtt_peer *peer)
{
    memset(peer, 0, sizeof *peer);
}

void test_mqtt_peer_feed(struct test_mqtt_peer *peer, const uint8_t *in, size_t len)
{
    if (len > sizeof peer->in - peer->in_len)
        die("more than the peer can hold");
    memcpy(peer->in + peer->in_len, in, len);
    peer->in_len += len;
}

/* Reading. */

static uint32_t read_length(struct sl_reader *reader)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        uint8_t byte = sl_read_u8(reader);
        value |= (uint32_t)(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0)
            break;
    }
    return value;
}

static void keep_text(struct test_mqtt_text *text, struct sl_view view)
{
    if (view.len >= sizeof text->text)
        die("a field is longer than the peer can hold");
    memcpy(text->text, view.data, view.len);
    text->text[view.len] = '\0';
    text->len = view.len;
}

static void read_text(struct sl_reader *reader, struct test_mqtt_text *text)
{
    uint16_t len = sl_read_u16(reader);
    struct sl_view view = sl_read_view(reader, len);
    if (reader->failed)
        die("a string runs over the end");
    if (view.len > 0)
        keep_text(text, view);
}

/* The properties that a client of ours sends; the correlation data is kept. */
static void read_properties(struct sl_reader *reader, struct test_mqtt_packet *packet)
{
    uint32_t len = read_length(reader);
    struct sl_view view = sl_read_view(reader, len);
    struct sl_reader in = sl_reader_init(view);
    struct test_mqtt_text text;
    if (reader->failed)
        die("properties run over the end");
    while (sl_reader_left(&in) > 0) {
        uint8_t id = sl_read_u8(&in);
        if (id == 0x01 || id == 0x17 || id == 0x19) /* one byte */
            (void)sl_read_u8(&in);
        else if (id == 0x21 || id == 0x22 || id == 0x23) /* two */
            (void)sl_read_u16(&in);
        else if (id == 0x02 || id == 0x11 || id == 0x18 || id == 0x27) /* four */
            (void)sl_read_u32(&in);
        else if (id == PROPERTY_CORRELATION)
            read_text(&in, &packet->correlation);
        else if (id == 0x03 || id == PROPERTY_RESPONSE_TOPIC || id == 0x1F)
            read_text(&in, &text);
        else
            die("a property that the peer does not know");
    }
    if (in.failed)
        die("a property runs over the end");
}

static void read_connect(struct test_mqtt_peer *peer, struct sl_reader *reader,
                         struct test_mqtt_packet *packet)
{
    struct test_mqtt_text protocol, text;
    read_text(reader, &protocol);
    packet->level = peer->level = sl_read_u8(reader);
    packet->connect_flags = sl_read_u8(reader);
    packet->keep_alive_s = sl_read_u16(reader);
    if (peer->level == LEVEL_5)
        read_properties(reader, packet);
    read_text(reader, &packet->client_id);
    if ((packet->connect_flags & 0x04) != 0) {
        if (peer->level == LEVEL_5)
            read_properties(reader, packet);
        read_text(reader, &packet->will_topic);
        read_text(reader, &packet->will_payload);
    }
    if ((packet->connect_flags & 0x80) != 0)
        read_text(reader, &text);
    if ((packet->connect_flags & 0x40) != 0)
        read_text(reader, &text);
}

static void read_subscribe(const struct test_mqtt_peer *peer, struct sl_reader *reader,
                           struct test_mqtt_packet *packet)
{
    packet->id = sl_read_u16(reader);
    if (peer->level == LEVEL_5)
        read_properties(reader, packet);
    while (sl_reader_left(reader) > 0 && packet->filters_len < TEST_MQTT_FILTERS_MAX) {
        read_text(reader, &packet->filters[packet->filters_len]);
        packet->options[packet->filters_len++] = sl_read_u8(reader);
    }
}

static void read_publish(const struct test_mqtt_peer *peer, struct sl_reader *reader,
                         struct test_mqtt_packet *packet)
{
    packet->qos = packet->flags >> 1 & 3;
    packet->retain = (packet->flags & 1) != 0;
    packet->dup = (packet->flags & 8) != 0;
    read_text(reader, &packet->topic);
    if (packet->qos > 0)
        packet->id = sl_read_u16(reader);
    if (peer->level == LEVEL_5)
        read_properties(reader, packet);
    keep_text(&packet->payload, sl_read_view(reader, sl_reader_left(reader)));
}

bool test_mqtt_peer_next(struct test_mqtt_peer *peer, struct test_mqtt_packet *packet)
{
    struct sl_reader reader = sl_reader_init((struct sl_view){peer->in, peer->in_len});
    memset(packet, 0, sizeof *packet);
    uint8_t first = sl_read_u8(&reader);
    uint32_t len = read_length(&reader);
    if (reader.failed || sl_reader_left(&reader) < len)
        return false;
    struct sl_view body = sl_read_view(&reader, len);
    size_t rest = sl_reader_left(&reader);
    struct sl_reader in = sl_reader_init(body);
    packet->type = first >> 4;
    packet->flags = first & 15;
    switch (packet->type) {
    case TEST_MQTT_CONNECT:
        read_connect(peer, &in, packet);
        break;
    case TEST_MQTT_SUBSCRIBE:
        read_subscribe(peer, &in, packet);
        break;
    case TEST_MQTT_PUBLISH:
        read_publish(peer, &in, packet);
        break;
    case TEST_MQTT_PUBACK:
        packet->id = sl_read_u16(&in);
        packet->reason = sl_reader_left(&in) > 0 ? sl_read_u8(&in) : 0;
        break;
    case TEST_MQTT_DISCONNECT:
        packet->reason = sl_reader_left(&in) > 0 ? sl_read_u8(&in) : 0;
        break;
    default:
        break;
    }
    if (in.failed)
        die("a packet ends too early");
    memmove(peer->in, peer->in + peer->in_len - rest, rest);
    peer->in_len = rest;
    return true;
}

/* Writing. */

static void write_length(struct sl_writer *writer, size_t len)
{
    do {
        uint8_t byte = len & 0x7F;
        len >>= 7;
        sl_write_u8(writer, byte | (len > 0 ? 0x80 : 0));
    } while (len > 0);
}

static void write_text(struct sl_writer *writer, struct sl_view text)
{
    sl_write_u16(writer, (uint16_t)text.len);
    sl_write_view(writer, text);
}

void test_mqtt_peer_raw(struct test_mqtt_peer *peer, const uint8_t *bytes, size_t len)
{
    if (len > sizeof peer->out - peer->out_len)
        die("(the test wrote more than the peer can hold)");
    memcpy(peer->out + peer->out_len, bytes, len);
    peer->out_len += len;
}

static void send_packet(struct test_mqtt_peer *peer, uint8_t first, const struct sl_writer *body)
{
    uint8_t header[5];
    struct sl_writer writer = sl_writer_init(header, sizeof header);
    if (body->failed)
        die("(the test wrote a packet that is too long)");
    sl_write_u8(&writer, first);
    write_length(&writer, sl_writer_len(body));
    test_mqtt_peer_raw(peer, header, sl_writer_len(&writer));
    test_mqtt_peer_raw(peer, body->start, sl_writer_len(body));
}

void test_mqtt_peer_connack(struct test_mqtt_peer *peer, uint8_t reason)
{
    uint8_t body[8];
    struct sl_writer writer = sl_writer_init(body, sizeof body);
    sl_write_u8(&writer, 0);
    sl_write_u8(&writer, reason);
    if (peer->level == LEVEL_5)
        sl_write_u8(&writer, 0);
    send_packet(peer, 0x20, &writer);
}

void test_mqtt_peer_suback(struct test_mqtt_peer *peer, uint16_t id, uint8_t code, size_t count)
{
    uint8_t codes[TEST_MQTT_FILTERS_MAX];
    memset(codes, code, sizeof codes);
    test_mqtt_peer_suback_each(peer, id, (struct sl_view){codes, count});
}

void test_mqtt_peer_suback_each(struct test_mqtt_peer *peer, uint16_t id, struct sl_view codes)
{
    uint8_t body[64];
    struct sl_writer writer = sl_writer_init(body, sizeof body);
    sl_write_u16(&writer, id);
    if (peer->level == LEVEL_5)
        sl_write_u8(&writer, 0);
    sl_write_view(&writer, codes);
    send_packet(peer, 0x90, &writer);
}

void test_mqtt_peer_puback(struct test_mqtt_peer *peer, uint16_t id, uint8_t reason)
{
    uint8_t body[4];
    struct sl_writer writer = sl_writer_init(body, sizeof body);
    sl_write_u16(&writer, id);
    if (reason != 0)
        sl_write_u8(&writer, reason);
    send_packet(peer, 0x40, &writer);
}

void test_mqtt_peer_pingresp(struct test_mqtt_peer *peer)
{
    test_mqtt_peer_raw(peer, (const uint8_t[]){0xD0, 0x00}, 2);
}

void test_mqtt_peer_disconnect(struct test_mqtt_peer *peer, uint8_t reason)
{
    test_mqtt_peer_raw(peer, (const uint8_t[]){0xE0, 0x01, reason}, 3);
}

void test_mqtt_peer_publish(struct test_mqtt_peer *peer, const struct test_mqtt_publish *publish)
{
    static uint8_t body[1 << 16];
    uint8_t properties[1024];
    struct sl_writer writer = sl_writer_init(body, sizeof body);
    struct sl_writer extra = sl_writer_init(properties, sizeof properties);
    write_text(&writer, sl_view_text(publish->topic));
    if (publish->qos > 0) {
        peer->last_id = peer->last_id == UINT16_MAX ? 1 : (uint16_t)(peer->last_id + 1);
        sl_write_u16(&writer, peer->last_id);
    }
    if (publish->has_expiry) {
        sl_write_u8(&extra, PROPERTY_EXPIRY);
        sl_write_u32(&extra, publish->expiry_s);
    }
    if (publish->response_topic != NULL) {
        sl_write_u8(&extra, PROPERTY_RESPONSE_TOPIC);
        write_text(&extra, sl_view_text(publish->response_topic));
    }
    if (publish->correlation.len > 0) {
        sl_write_u8(&extra, PROPERTY_CORRELATION);
        write_text(&extra, publish->correlation);
    }
    if (peer->level == LEVEL_5) {
        write_length(&writer, sl_writer_len(&extra));
        sl_write_view(&writer, (struct sl_view){properties, sl_writer_len(&extra)});
    }
    sl_write_view(&writer, publish->payload);
    send_packet(
        peer,
        (uint8_t)(0x30 | (publish->dup ? 8 : 0) | publish->qos << 1 | (publish->retain ? 1 : 0)),
        &writer);
}

struct sl_view test_mqtt_peer_peek(const struct test_mqtt_peer *peer)
{
    return (struct sl_view){peer->out, peer->out_len};
}

void test_mqtt_peer_sent(struct test_mqtt_peer *peer, size_t len)
{
    memmove(peer->out, peer->out + len, peer->out_len - len);
    peer->out_len -= len;
}
