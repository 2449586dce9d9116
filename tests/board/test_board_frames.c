/* The virtual ESP8266 on a wire with nobody but us: a DHCP server that lends for a short time, then
 * a stranger who sends whatever comes to mind. The board renews its address, answers an ARP request
 * after everything, and never breaks down. */
#include "harness.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FRAME_MAX 1514
#define ETH       14
#define IP        (ETH + 20)
#define DHCP      (IP + 8)
#define OPTIONS   (DHCP + 240)
#define FLOOD     20000
#define LEASE_S   120

enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK };

static const uint8_t board[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
static const uint8_t ours[6] = {0x52, 0x55, 10, 0, 2, 2};
static const uint8_t board_ip[4] = {10, 0, 2, 15}, our_ip[4] = {10, 0, 2, 2};

static struct test_place place;
static struct test_process node, broker;
static struct sockaddr_un board_end;
static int wire = -1;
static unsigned requests; /* DHCP REQUESTs, renewals among them */

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint16_t checksum(const uint8_t *bytes, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < len; i += 2)
        sum += get16(bytes + i);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void send_frame(const uint8_t *frame, size_t len)
{
    (void)sendto(wire, frame, len, 0, (const struct sockaddr *)&board_end, sizeof board_end);
}

/* The answer to a DISCOVER or a REQUEST. */
static void answer_dhcp(const uint8_t *question, uint8_t type)
{
    static const uint8_t options[] = {54,      4, 10, 0,   2,   2,   51, 4, 0,  0,  0,
                                      LEASE_S, 1, 4,  255, 255, 255, 0,  3, 4,  10, 0,
                                      2,       2, 6,  4,   10,  0,   2,  2, 255};
    uint8_t frame[OPTIONS + 3 + sizeof options] = {0};

    memcpy(frame, board, 6);
    memcpy(frame + 6, ours, 6);
    put16(frame + 12, 0x0800);
    frame[ETH] = 0x45;
    put16(frame + ETH + 2, sizeof frame - ETH);
    frame[ETH + 8] = 64;
    frame[ETH + 9] = 17;
    memcpy(frame + ETH + 12, our_ip, 4);
    memcpy(frame + ETH + 16, board_ip, 4);
    put16(frame + ETH + 10, checksum(frame + ETH, 20));
    put16(frame + IP, 67);
    put16(frame + IP + 2, 68);
    put16(frame + IP + 4, sizeof frame - IP);
    memcpy(frame + DHCP, question + DHCP, 240);
    frame[DHCP] = 2;
    memcpy(frame + DHCP + 16, board_ip, 4);
    frame[OPTIONS] = 53;
    frame[OPTIONS + 1] = 1;
    frame[OPTIONS + 2] = type;
    memcpy(frame + OPTIONS + 3, options, sizeof options);
    send_frame(frame, sizeof frame);
}

static void send_arp(uint8_t kind)
{
    uint8_t frame[60] = {0};

    memset(frame, 0xff, 6);
    if (kind == 2)
        memcpy(frame, board, 6);
    memcpy(frame + 6, ours, 6);
    put16(frame + 12, 0x0806);
    put16(frame + 14, 1);
    put16(frame + 16, 0x0800);
    frame[18] = 6;
    frame[19] = 4;
    put16(frame + 20, kind);
    memcpy(frame + 22, ours, 6);
    memcpy(frame + 28, our_ip, 4);
    memcpy(frame + 38, board_ip, 4);
    send_frame(frame, sizeof frame);
}

/* Serve for ms what the board asks. True: it has answered an ARP request of ours. */
static bool serve(uint32_t ms)
{
    const uint64_t end = test_now_ms() + ms;
    bool has_answered = false;

    while (test_now_ms() < end && !has_answered) {
        struct pollfd line = {.fd = wire, .events = POLLIN};
        uint8_t frame[2048];
        if (poll(&line, 1, 20) <= 0)
            continue;
        const ssize_t len = recv(wire, frame, sizeof frame, 0);
        if (len >= 42 && get16(frame + 12) == 0x0806) {
            has_answered = get16(frame + 20) == 2;
            if (get16(frame + 20) == 1 && memcmp(frame + 38, our_ip, 4) == 0)
                send_arp(2);
        } else if (len > OPTIONS + 3 && frame[ETH + 9] == 17 && get16(frame + IP + 2) == 67 &&
                   frame[OPTIONS] == 53) {
            if (frame[OPTIONS + 2] == DISCOVER)
                answer_dhcp(frame, OFFER);
            if (frame[OPTIONS + 2] == REQUEST) {
                requests++;
                answer_dhcp(frame, ACK);
            }
        }
    }
    return has_answered;
}

static bool answers_arp(void)
{
    for (int i = 0; i < 20; i++) {
        send_arp(1);
        if (serve(500))
            return true;
    }
    return false;
}

static int set_up(void **state)
{
    struct sockaddr_un own = {.sun_family = AF_UNIX};
    char frames[2 * TEST_PATH_MAX + 2];

    (void)state;
    test_place_make(&place);
    const struct test_path identity = test_place_path(&place, "identity");
    const struct test_path our_path = test_place_path(&place, "ours");
    const struct test_path board_path = test_place_path(&place, "board");
    /* Only for its identity file: nobody reaches it. */
    const char *const broker_args[] = {"--identity", identity.text, NULL};
    test_start(&broker, &place, "broker", SL_HOSTILE_BROKER, broker_args, NULL);
    test_expect(&broker, "port ", 1);

    wire = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(own.sun_path, our_path.text, sizeof our_path.text);
    assert_int_equal(bind(wire, (const struct sockaddr *)&own, sizeof own), 0);
    board_end.sun_family = AF_UNIX;
    memcpy(board_end.sun_path, board_path.text, sizeof board_path.text);
    snprintf(frames, sizeof frames, "%s:%s", board_path.text, our_path.text);
    const char *const args[] = {"--identity", identity.text, "--frames", frames,       "--elf",
                                SL_DAY_ELF,   "--exact",     "--set",    "leap-ms=20", NULL};
    test_start(&node, &place, "node", SL_BOARD_PROGRAM, args, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_stop(&node);
    test_stop(&broker);
    close(wire);
    test_place_remove(&place);
    return 0;
}

static void address_is_renewed(void **state)
{
    (void)state;
    const uint64_t end = test_now_ms() + TEST_WAIT_MS;
    while (requests < 4 && test_now_ms() < end)
        (void)serve(200);
    assert_true(requests >= 4); /* the first, and three renewals */
    assert_true(answers_arp());
}

/* Noise, and headers that are nearly right: lengths, options and fragments that lie. */
static void spoil(uint8_t *frame, size_t *len, unsigned number)
{
    static const uint16_t types[] = {0x0800, 0x0800, 0x0800, 0x0806, 0x86dd, 0x8100};
    static const uint8_t protocols[] = {1, 6, 17, 2, 255};

    *len = (size_t)rand() % FRAME_MAX + 1;
    for (size_t i = 0; i < FRAME_MAX; i++)
        frame[i] = (uint8_t)rand();
    if (number % 8 == 0)
        return;
    memcpy(frame, board, 6);
    memcpy(frame + 6, ours, 6);
    const uint16_t type = types[(unsigned)rand() % 6];
    put16(frame + 12, type);
    if (type == 0x0806) {
        put16(frame + 14, 1);
        put16(frame + 16, 0x0800);
        return;
    }
    frame[ETH] = (uint8_t)(rand() % 4 == 0 ? 0x40 | (rand() % 16) : 0x45);
    if (rand() % 4 != 0)
        put16(frame + ETH + 2, (uint32_t)(*len > ETH ? *len - ETH : 0));
    if (rand() % 4 != 0)
        put16(frame + ETH + 6, 0);
    frame[ETH + 9] = protocols[(unsigned)rand() % 5];
    memcpy(frame + ETH + 12, our_ip, 4);
    memcpy(frame + ETH + 16, board_ip, 4);
    put16(frame + ETH + 10, 0);
    put16(frame + ETH + 10, checksum(frame + ETH, 20));
    if (frame[ETH + 9] == 17) {
        put16(frame + IP, rand() % 2 ? 67 : 53);
        put16(frame + IP + 2, rand() % 2 ? 68 : (uint32_t)(rand() % 65536));
        put16(frame + IP + 6, 0); /* UDP without a checksum is believed */
    }
}

static void strange_frames_do_no_harm(void **state)
{
    uint8_t frame[FRAME_MAX];
    size_t len;

    (void)state;
    srand(1);
    for (unsigned i = 0; i < FLOOD; i++) {
        spoil(frame, &len, i);
        send_frame(frame, len);
        if (i % 64 == 0)
            (void)serve(1);
    }
    assert_true(answers_arp());
    assert_int_equal(test_count(&node, "fault"), 0);
    assert_int_equal(test_count(&node, "on lx106"), 1);
    assert_true(test_is_running(&node));
}

/* The last line of its kind: what lwIP uses at a quiet moment. */
static void read_pools(unsigned *heap, unsigned *used)
{
    FILE *log = fopen(node.output.text, "r");
    char line[512];

    assert_non_null(log);
    *heap = *used = 0;
    while (fgets(line, sizeof line, log)) {
        const char *at = strstr(line, "pools: ");
        if (at)
            assert_int_equal(sscanf(at, "pools: heap %u used %u", heap, used), 2);
    }
    fclose(log);
}

/* Hours after the flood no buffer of it is left: what is used is the node's, which dials. */
static void nothing_is_kept_of_them(void **state)
{
    (void)state;
    const unsigned before = test_count(&node, "pools: ");
    const uint64_t end = test_now_ms() + TEST_WAIT_MS;
    while (test_count(&node, "pools: ") < before + 2 && test_now_ms() < end)
        (void)serve(100);
    assert_true(test_count(&node, "pools: ") >= before + 2);
    unsigned heap, used;
    read_pools(&heap, &used);
    print_message("heap %u bytes, %u elements of pools\n", heap, used);
    assert_in_range(heap, 0, 200);
    assert_in_range(used, 1, 12);
    assert_true(answers_arp());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_is_renewed),
        cmocka_unit_test(strange_frames_do_no_harm),
        cmocka_unit_test(nothing_is_kept_of_them),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
