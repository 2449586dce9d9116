/* A network that misbehaves, frame by frame: names that are not found, a lease that ends, a path
 * that is silent for a while, and frames that no honest peer sends. The broker, its path and the
 * relay chip are real. Layouts: RFC 791, 768, 1035, 2131. */
#include "frames.h"
#include "garden.h"
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BROKER_NAME "broker.garden"
#define PIN(zone)   (uint8_t)(1u << (zone))

#define IP       14 /* where it starts in a frame */
#define UDP      (IP + 20)
#define PAYLOAD  (UDP + 8)
#define OPTIONS  (PAYLOAD + 240) /* of DHCP */
#define LEASE_S  240
#define HOSTILE  9000  /* frames that the board must have taken */
#define FLOOD    300   /* ... between two of its reports; so it is never far behind */
#define QUIET_MS 60000 /* the longest for lwIP to give back what it will */
#define SAMPLES  64
#define BATCH    4 /* frames that the board's controller has room for at once */
#define BATCH_MS 2

enum names { FOUND, SILENT, NOT_FOUND, CUT };

static struct test_garden garden;
static atomic_int names, leases_renewed;
static atomic_bool is_stalled, is_without_dhcp;
static struct sample {
    uint8_t bytes[FRAME_MAX];
    size_t len;
} samples[SAMPLES]; /* frames that came to the board, the oldest are replaced */
static unsigned samples_len;

static bool is_udp(const uint8_t *frame, size_t len, unsigned from_port, unsigned to_port)
{
    return len >= PAYLOAD && frames_u16(frame + 12) == 0x0800 && frame[IP] == 0x45 &&
           frame[IP + 9] == 17 && (from_port == 0 || frames_u16(frame + UDP) == from_port) &&
           (to_port == 0 || frames_u16(frame + UDP + 2) == to_port);
}

static bool is_tcp(const uint8_t *frame, size_t len)
{
    return len >= UDP + 20 && frames_u16(frame + 12) == 0x0800 && frame[IP + 9] == 6;
}

static void keep(const uint8_t *frame, size_t len)
{
    struct sample *sample = &samples[samples_len++ % SAMPLES];

    sample->len = len;
    memcpy(sample->bytes, frame, len);
}

/* The name server: every name is this computer's. */
static void answer_name(const uint8_t *query, size_t len)
{
    static const uint8_t address[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 2, 2};
    uint8_t frame[FRAME_MAX];

    if (atomic_load(&names) == SILENT || len + sizeof address > sizeof frame)
        return;
    memcpy(frame, query, len);
    memcpy(frame, query + 6, 6); /* back to where it came from */
    memcpy(frame + 6, query, 6);
    memcpy(frame + IP + 12, query + IP + 16, 4);
    memcpy(frame + IP + 16, query + IP + 12, 4);
    memcpy(frame + UDP, query + UDP + 2, 2);
    memcpy(frame + UDP + 2, query + UDP, 2);
    frames_set_u16(frame + PAYLOAD + 2, atomic_load(&names) == NOT_FOUND ? 0x8183 : 0x8180);
    len = IP + frames_u16(frame + IP + 2); /* without padding */
    if (atomic_load(&names) != NOT_FOUND) {
        frames_set_u16(frame + PAYLOAD + 6, 1);
        memcpy(frame + len, address, sizeof address);
        len += atomic_load(&names) == CUT ? sizeof address - 2 : sizeof address;
    }
    frames_set_u16(frame + IP + 2, (uint16_t)(len - IP));
    frames_set_u16(frame + UDP + 4, (uint16_t)(len - UDP));
    frames_mend_checksums(frame, len);
    keep(frame, len);
    frames_send(FRAMES_TO_BOARD, frame, len);
}

/* The address is the board's for LEASE_S, not for a day. */
static void shorten_lease(uint8_t *frame, size_t len)
{
    for (size_t at = OPTIONS; at + 6 <= len && frame[at] != 255; at += 2u + frame[at + 1])
        if (frame[at] == 51) {
            frames_set_u16(frame + at + 2, 0);
            frames_set_u16(frame + at + 4, LEASE_S);
        }
    frames_mend_checksums(frame, len);
}

static bool rule(enum frames_way way, uint8_t *frame, size_t len)
{
    if (atomic_load(&is_stalled) && is_tcp(frame, len))
        return false;
    if (way == FRAMES_FROM_BOARD && is_udp(frame, len, 0, 53)) {
        answer_name(frame, len);
        return false;
    }
    if (way == FRAMES_FROM_BOARD && is_udp(frame, len, 0, 67)) {
        static const uint8_t none[4];
        const bool has_address = memcmp(frame + PAYLOAD + 12, none, sizeof none) != 0;
        if (has_address)
            atomic_fetch_add(&leases_renewed, 1);
        return !atomic_load(&is_without_dhcp);
    }
    if (way == FRAMES_TO_BOARD) {
        if (is_udp(frame, len, 67, 68))
            shorten_lease(frame, len);
        keep(frame, len);
    }
    return true;
}

static int set_up(void **state)
{
    (void)state;
    test_garden_make(&garden, BROKER_NAME);
    garden.has_own_way = true; /* the name is known to the board only */
    garden.node_program = SL_BOARD_PROGRAM;
    test_garden_start_broker(&garden);
    test_garden_start_chip(&garden);
    test_garden_connect(&garden);
    frames_start(&garden.place);
    frames_set_rule(rule);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    frames_stop();
    test_garden_close(&garden);
    return 0;
}

static void start_node(const char *set)
{
    const char *args[FRAMES_ARGS_LEN + 5] = {"--elf", SL_FAULTY_ELF, "--set", set};

    memcpy(args + 4, frames_args(), FRAMES_ARGS_LEN * sizeof args[0]);
    test_garden_start_node(&garden, args);
}

static void command_is_answered(const char *command, uint8_t pins)
{
    const size_t from = garden.messages_len;

    test_ask(&garden, "zone/on", command, command);
    test_hear_at(&garden, from, "answer/operator", "done", 60000, __FILE__, __LINE__);
    assert_int_equal(test_pins(&garden), pins);
}

/* A node that had to connect again has missed what was said meanwhile: say it until it is heard. */
static void command_is_answered_at_last(const char *command, uint8_t pins)
{
    const size_t from = garden.messages_len;

    for (int i = 0; i < 120 && test_heard(&garden, from, "answer/operator", "done") == 0; i++) {
        test_ask(&garden, "zone/on", command, command);
        test_listen(&garden, 1000);
    }
    assert_true(test_heard(&garden, from, "answer/operator", "done") > 0);
    assert_int_equal(test_pins(&garden), pins);
}

/* What the board says of lwIP. A lowest number hides no leak: what is lost stays lost. */
struct pools {
    unsigned reports; /* so far */
    unsigned frames;  /* in the last one */
    unsigned lowest;  /* bytes given out, of the reports from a first one on while connected */
};

static struct pools read_pools(unsigned from)
{
    struct pools pools = {.lowest = UINT_MAX};
    bool is_connected = false;
    char line[400];
    FILE *file = fopen(garden.node.output.text, "r");

    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        const char *bytes = strstr(line, "pools "), *frames = strstr(line, " frames ");
        if (strstr(line, "connected: "))
            is_connected = true;
        if (strstr(line, "next attempt in"))
            is_connected = false;
        if (!bytes || !frames)
            continue;
        pools.frames = (unsigned)strtoul(frames + strlen(" frames "), NULL, 10);
        const unsigned used = (unsigned)strtoul(bytes + strlen("pools "), NULL, 10);
        if (pools.reports++ >= from && is_connected && used < pools.lowest)
            pools.lowest = used;
    }
    fclose(file);
    return pools;
}

/* Of a connected board at rest, in everything that it has said. */
static unsigned used_at_rest(void)
{
    const unsigned from = read_pools(0).reports;

    while (read_pools(0).reports < from + 20)
        test_listen(&garden, 100);
    return read_pools(0).lowest;
}

static void nothing_more_is_used_than(unsigned used)
{
    const uint64_t end = test_now_ms() + QUIET_MS;
    const unsigned from = read_pools(0).reports;

    while (read_pools(from).lowest > used && test_now_ms() < end)
        test_listen(&garden, 100);
    if (read_pools(from).lowest > used)
        test_show(&garden.node);
    assert_in_range(read_pools(from).lowest, 1, used);
}

static void names_are_not_found_and_then_found(void **state)
{
    (void)state;
    atomic_store(&names, SILENT);
    start_node("pools=1");
    test_expect(&garden.node, "cannot reach the broker", 1);
    atomic_store(&names, NOT_FOUND);
    test_expect(&garden.node, "cannot reach the broker", 2);
    atomic_store(&names, CUT);
    test_expect(&garden.node, "cannot reach the broker", 3);
    assert_int_equal(test_count(&garden.node, "connected"), 0);
    atomic_store(&names, FOUND);
    test_hear_at(&garden, 0, "availability", "online", 60000, __FILE__, __LINE__);
    command_is_answered("1 60", PIN(1));
}

/* A zone ends in time meanwhile; what was sent into the silence is done after it, over the same
 * connection. */
static void path_is_silent_for_a_while(void **state)
{
    (void)state;
    command_is_answered("2 2", PIN(2));
    const uint64_t start_us = test_chip_changed_us(&garden);
    const size_t from = garden.messages_len;
    atomic_store(&is_stalled, true);
    test_ask(&garden, "zone/on", "3 60", "silent");
    assert_in_range(test_wait_off(&garden, start_us), 1500, 2400);
    test_listen(&garden, 1000);
    assert_int_equal(test_heard(&garden, from, "answer/operator", "done"), 0);
    atomic_store(&is_stalled, false);
    test_hear_at(&garden, from, "answer/operator", "done", 60000, __FILE__, __LINE__);
    assert_int_equal(test_pins(&garden), PIN(3));
    assert_int_equal(test_count(&garden.node, "connected"), 1);
}

static uint32_t draw(uint32_t below)
{
    static uint32_t state = 20261122;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % below;
}

/* Of the broker's, to the board. */
static const uint8_t *last_segment(void)
{
    unsigned i = samples_len;

    do {
        assert_true(i > 0 && samples_len - i < SAMPLES);
        i--;
    } while (!is_tcp(samples[i % SAMPLES].bytes, samples[i % SAMPLES].len));
    return samples[i % SAMPLES].bytes;
}

/* Noise behind headers that are nearly right: lengths, options and fragments that lie. */
static size_t make_strange(uint8_t *frame)
{
    static const uint16_t types[] = {0x0800, 0x0800, 0x0800, 0x0806, 0x86dd, 0x8100};
    static const uint8_t protocols[] = {1, 6, 17, 2, 255};
    const uint8_t *sample = last_segment(); /* whose addresses are the right ones */
    const size_t len = PAYLOAD + draw(FRAME_MAX - PAYLOAD);
    const uint16_t type = types[draw(6)];

    memcpy(frame, sample, 12);
    frames_set_u16(frame + 12, type);
    if (type == 0x0806) {
        frames_set_u16(frame + 14, 1);
        frames_set_u16(frame + 16, 0x0800);
    }
    if (type != 0x0800)
        return len;
    frame[IP] = (uint8_t)(draw(4) == 0 ? 0x40 | draw(16) : 0x45);
    if (draw(4) != 0)
        frames_set_u16(frame + IP + 2, (uint16_t)(len - IP));
    if (draw(4) != 0)
        frames_set_u16(frame + IP + 6, 0);
    frame[IP + 9] = protocols[draw(5)];
    memcpy(frame + IP + 12, sample + IP + 12, 8);
    if (frame[IP + 9] == 17) {
        frames_set_u16(frame + UDP, draw(2) ? 67 : 53);
        frames_set_u16(frame + UDP + 2, (uint16_t)(draw(2) ? 68 : draw(65536)));
    }
    frames_mend_checksums(frame, len);
    return len;
}

/* A frame that came before, with a few things wrong in it; or nothing right at all. */
static size_t make_hostile(uint8_t *frame)
{
    static const uint8_t lengths[] = {12,      IP,      IP + 2,   IP + 3,  IP + 6,     IP + 9,
                                      UDP + 4, UDP + 5, UDP + 12, PAYLOAD, PAYLOAD + 5};
    const struct sample *sample = &samples[draw(samples_len < SAMPLES ? samples_len : SAMPLES)];
    size_t len = sample->len;

    for (size_t i = 0; i < FRAME_MAX; i++)
        frame[i] = (uint8_t)draw(256);
    if (draw(20) == 0)
        return 1 + draw(FRAME_MAX);
    if (draw(3) == 0)
        return make_strange(frame);
    memcpy(frame, sample->bytes, len);
    if (draw(3) == 0)
        len = 1 + draw((uint32_t)len);
    else if (draw(6) == 0)
        len += draw((uint32_t)(FRAME_MAX - len));
    for (uint32_t i = draw(5); i > 0; i--) {
        const size_t at = draw(2) == 0 ? lengths[draw(sizeof lengths)] : draw((uint32_t)len);
        if (at < len)
            frame[at] = draw(3) == 0 ? (uint8_t)(255 * draw(2)) : (uint8_t)draw(256);
    }
    if (draw(4) != 0)
        frames_mend_checksums(frame, len);
    return len;
}

/* The last segment of the broker, and behind it a record that it has not sent. */
static size_t forge_segment(uint8_t *frame)
{
    static const uint8_t record[] = {23, 3, 3, 0, 24};

    memcpy(frame, last_segment(), FRAME_MAX);
    uint8_t *tcp = frame + UDP;
    const size_t header = (size_t)(tcp[12] >> 4) * 4;
    const uint32_t seq = ((uint32_t)frames_u16(tcp + 4) << 16 | frames_u16(tcp + 6)) +
                         frames_u16(frame + IP + 2) - 20 - (uint32_t)header;
    frames_set_u16(tcp + 4, (uint16_t)(seq >> 16));
    frames_set_u16(tcp + 6, (uint16_t)seq);
    memset(tcp + header, 0, sizeof record + 24);
    memcpy(tcp + header, record, sizeof record);
    frames_set_u16(frame + IP + 2, (uint16_t)(20 + header + sizeof record + 24));
    frames_mend_checksums(frame, UDP + header + sizeof record + 24);
    return UDP + header + sizeof record + 24;
}

/* The node ends the connection, and the broker's side never takes its end: the forged bytes are
 * acknowledged with it. The next connection is all that is left of it. */
static void forged_segment_costs_one_connection(void **state)
{
    (void)state;
    uint8_t frame[FRAME_MAX];

    const unsigned used = used_at_rest(), connects = test_count(&garden.node, "connected");
    frames_set_rule(NULL); /* the samples stay as they are */
    frames_send(FRAMES_TO_BOARD, frame, forge_segment(frame));
    test_expect(&garden.node, "next attempt in", 4);
    frames_set_rule(rule);
    test_expect_at(&garden.node, "connected", connects + 1, 60000, __FILE__, __LINE__);
    command_is_answered_at_last("2 60", PIN(2));
    nothing_more_is_used_than(used);
}

/* A frame that cost a buffer would have cost all of them. */
static void hostile_frames_cost_nothing(void **state)
{
    (void)state;
    uint8_t frame[FRAME_MAX];

    const unsigned used = used_at_rest(), frames = read_pools(0).frames;
    frames_set_rule(NULL); /* the samples stay as they are */
    for (unsigned flood = 0; flood < 100 && read_pools(0).frames < frames + HOSTILE; flood++) {
        const unsigned reports = read_pools(0).reports;
        for (unsigned i = 0; i < FLOOD; i++) {
            frames_send(FRAMES_TO_BOARD, frame, make_hostile(frame));
            if (i % BATCH == 0)
                test_pause(BATCH_MS);
        }
        while (read_pools(0).reports < reports + 2 && test_is_running(&garden.node))
            test_pause(20);
    }
    frames_set_rule(rule);
    assert_true(read_pools(0).frames >= frames + HOSTILE);
    command_is_answered_at_last("4 60", PIN(4));
    nothing_more_is_used_than(used);
    assert_int_equal(test_count(&garden.node, "fault"), 0);
    assert_int_equal(test_count(&garden.node, "sluice 0.1.0 on lx106"), 1);
}

static void lease_is_renewed_and_ends(void **state)
{
    (void)state;
    const size_t from = garden.messages_len;

    test_stop(&garden.node);
    atomic_store(&leases_renewed, 0);
    start_node("minute-ms=500");
    test_hear_at(&garden, from, "availability", "online", 60000, __FILE__, __LINE__);
    for (int i = 0; i < 200 && atomic_load(&leases_renewed) < 4; i++)
        test_listen(&garden, 100);
    assert_true(atomic_load(&leases_renewed) >= 4);
    command_is_answered("5 60", PIN(5));
    assert_int_equal(test_count(&garden.node, "connected"), 1);

    atomic_store(&is_without_dhcp, true);
    test_expect(&garden.node, "next attempt in", 1);
    atomic_store(&is_without_dhcp, false);
    test_expect_at(&garden.node, "connected", 2, 60000, __FILE__, __LINE__);
    command_is_answered_at_last("6 60", PIN(6));
    assert_int_equal(test_count(&garden.node, "fault"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_not_found_and_then_found),
        cmocka_unit_test(path_is_silent_for_a_while),
        cmocka_unit_test(forged_segment_costs_one_connection),
        cmocka_unit_test(hostile_frames_cost_nothing),
        cmocka_unit_test(lease_is_renewed_and_ends),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
