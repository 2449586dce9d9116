/* The Linux board's TCP line against sockets of this test: dialling, partial writes, ends, and for
 * what it wakes the loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "net.h"
#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TURNS 2000 /* of 1 ms: the end of every wait */

static int listener, peer;
static uint16_t port;

static int set_up(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;

    (void)state;
    posix_net_init();
    peer = -1;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    port = ntohs(address.sin_port);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sl_port_hang_up();
    if (peer >= 0)
        close(peer);
    if (listener >= 0)
        close(listener);
    return 0;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Takes up to len bytes of what has come. */
static size_t receive(uint8_t *out, size_t len)
{
    const struct sl_view in = sl_port_receive();
    const size_t part = in.len < len ? in.len : len;

    if (part > 0) {
        memcpy(out, in.data, part);
        sl_port_taken(part);
    }
    return part;
}

static enum sl_port_line line(void)
{
    int32_t error;
    return sl_port_line(&error);
}

static void dial(const char *host)
{
    sl_port_dial(sl_view_text(host), port);
    for (int i = 0; i < TURNS && line() == SL_PORT_DIALLING; i++)
        pause_ms(1);
}

static void open_line(void)
{
    dial("127.0.0.1");
    assert_int_equal(line(), SL_PORT_OPEN);
    peer = accept(listener, NULL, NULL);
    assert_true(peer >= 0);
}

/* The line's own end: the socket of this process whose name is the peer's peer. */
static int find_line(void)
{
    struct sockaddr_in address, name;
    socklen_t len = sizeof address;

    assert_int_equal(getpeername(peer, (struct sockaddr *)&address, &len), 0);
    for (int fd = 0; fd < 1024; fd++) {
        len = sizeof name;
        if (fd != peer && getsockname(fd, (struct sockaddr *)&name, &len) == 0 &&
            name.sin_family == AF_INET && name.sin_port == address.sin_port)
            return fd;
    }
    fail_msg("no socket of this process is the line");
    return -1;
}

/* The events that the line waits for, 0 for none. */
static int waits_for(void)
{
    struct posix_wait wait;

    posix_wait_init(&wait, sl_port_now());
    posix_net_wait(&wait);
    return wait.len == 0 ? 0 : wait.fds[0].events;
}

static void address_and_name_are_dialled(void **state)
{
    (void)state;
    open_line();
    sl_port_hang_up();
    dial("localhost"); /* perhaps ::1 first, where nobody listens */
    assert_int_equal(line(), SL_PORT_OPEN);
}

/* Nagle's algorithm would hold an answer until the broker has acknowledged the packet before it. */
static void small_packets_go_out_at_once(void **state)
{
    int is_on = 0;
    socklen_t len = sizeof is_on;

    (void)state;
    open_line();
    assert_int_equal(getsockopt(find_line(), IPPROTO_TCP, TCP_NODELAY, &is_on, &len), 0);
    assert_true(is_on);
}

static void refusal_has_its_errno(void **state)
{
    int32_t error = 0;

    (void)state;
    close(listener);
    listener = -1;
    dial("127.0.0.1");
    assert_int_equal(sl_port_line(&error), SL_PORT_CLOSED);
    assert_int_equal(error, ECONNREFUSED);
}

static void name_without_address_is_no_route(void **state)
{
    int32_t error = 0;

    (void)state;
    dial("nobody.invalid"); /* RFC 6761, section 6.4: never resolves */
    for (int i = 0; i < 12 * 1000 && line() == SL_PORT_DIALLING; i++)
        pause_ms(1);
    assert_int_equal(sl_port_line(&error), SL_PORT_CLOSED);
    assert_int_equal(error, EHOSTUNREACH);
}

static void partial_writes_arrive_whole(void **state)
{
    static uint8_t out[1 << 20], in[1 << 20];
    size_t sent = 0, got = 0;
    bool was_short = false;

    (void)state;
    open_line();
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i * 7 >> 3);
    /* Nobody reads: the line fills up, and from then on it waits for room. */
    for (size_t part; sent < sizeof out && !was_short; sent += part) {
        part = sl_port_send((struct sl_view){out + sent, sizeof out - sent});
        was_short = part < sizeof out - sent;
    }
    if (was_short)
        assert_true(waits_for() & POLLOUT);
    for (int i = 0; i < TURNS && got < sizeof in; i++) {
        const ssize_t part = recv(peer, in + got, sizeof in - got, MSG_DONTWAIT);
        if (part > 0)
            got += (size_t)part;
        else
            pause_ms(1);
        if (sent < sizeof out)
            sent += sl_port_send((struct sl_view){out + sent, sizeof out - sent});
    }
    assert_int_equal(got, sizeof in);
    assert_memory_equal(in, out, sizeof in);
}

/* Whoever leaves bytes in the line on purpose is not woken for them over and over. */
static void waits_for_input_only_when_drained(void **state)
{
    uint8_t in[4];

    (void)state;
    open_line();
    assert_int_equal(receive(in, sizeof in), 0);
    assert_int_equal(waits_for(), POLLIN);
    assert_int_equal(send(peer, "12345678", 8, 0), 8);
    for (int i = 0; i < TURNS && receive(in, sizeof in) == 0; i++)
        pause_ms(1);
    assert_memory_equal(in, "1234", 4);
    assert_int_equal(waits_for(), 0);
    assert_int_equal(receive(in, sizeof in), 4);
    assert_int_equal(receive(in, sizeof in), 0);
    assert_int_equal(waits_for(), POLLIN);
}

static void orderly_end_comes_after_the_last_bytes(void **state)
{
    int32_t error = 1;
    uint8_t in[8];

    (void)state;
    open_line();
    assert_int_equal(send(peer, "end", 3, 0), 3);
    close(peer);
    peer = -1;
    for (int i = 0; i < TURNS && receive(in, sizeof in) != 3; i++)
        pause_ms(1);
    assert_int_equal(line(), SL_PORT_OPEN);
    assert_int_equal(receive(in, sizeof in), 0);
    assert_int_equal(sl_port_line(&error), SL_PORT_CLOSED);
    assert_int_equal(error, 0);
    assert_int_equal(waits_for(), 0);
    assert_int_equal(sl_port_send(sl_view_text("late")), 0);
}

static void reset_has_its_errno(void **state)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    int32_t error = 0;
    uint8_t in[8];

    (void)state;
    open_line();
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(peer);
    peer = -1;
    for (int i = 0; i < TURNS && line() == SL_PORT_OPEN; i++) {
        (void)receive(in, sizeof in);
        pause_ms(1);
    }
    assert_int_equal(sl_port_line(&error), SL_PORT_CLOSED);
    assert_int_equal(error, ECONNRESET);
}

/* A peer that refuses us says why and resets the line: our next send fails before we have read it.
 */
static void last_bytes_outlive_a_failed_send(void **state)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    int32_t error = 0;
    uint8_t in[8];
    size_t got = 0;

    (void)state;
    open_line();
    assert_int_equal(send(peer, "alert", 5, 0), 5);
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(peer);
    peer = -1;
    for (int i = 0; i < 20; i++) { /* taken and dropped, also when the line fails meanwhile */
        assert_int_equal(sl_port_send(sl_view_text("hello")), 5);
        pause_ms(1);
    }
    assert_int_equal(line(), SL_PORT_OPEN);
    for (int i = 0; i < TURNS && got == 0; i++) {
        got = receive(in, sizeof in);
        pause_ms(1);
    }
    assert_int_equal(got, 5);
    assert_memory_equal(in, "alert", 5);
    assert_int_equal(receive(in, sizeof in), 0);
    assert_int_equal(sl_port_line(&error), SL_PORT_CLOSED);
    assert_true(error == ECONNRESET || error == EPIPE);
}

/* With input unread a plain close would be a reset, which can overtake what was sent last. */
static void last_words_survive_unread_input(void **state)
{
    char in[16] = "";
    size_t got = 0;

    (void)state;
    open_line();
    assert_int_equal(send(peer, "unread", 6, 0), 6);
    pause_ms(20);
    assert_int_equal(sl_port_send(sl_view_text("offline")), 7);
    sl_port_hang_up();
    for (int i = 0; i < TURNS && got < 7; i++) {
        const ssize_t part = recv(peer, in + got, sizeof in - got, MSG_DONTWAIT);
        assert_true(part > 0 || (part < 0 && errno == EAGAIN));
        got += part > 0 ? (size_t)part : 0;
        pause_ms(1);
    }
    assert_string_equal(in, "offline");
    assert_int_equal(recv(peer, in, sizeof in, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(address_and_name_are_dialled),
        TEST(small_packets_go_out_at_once),
        TEST(refusal_has_its_errno),
        TEST(name_without_address_is_no_route),
        TEST(partial_writes_arrive_whole),
        TEST(waits_for_input_only_when_drained),
        TEST(orderly_end_comes_after_the_last_bytes),
        TEST(reset_has_its_errno),
        TEST(last_bytes_outlive_a_failed_send),
        TEST(last_words_survive_unread_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
